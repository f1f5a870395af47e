// SPDX-License-Identifier: MIT OR Apache-2.0
//! The condition variable.

#[path = "../../../core/src/sync/condvar/robust.rs"]
mod robust;

use super::Acquired;
use super::gate::Gate;
use super::mutex::Mutex;
use super::object::Object;
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct Condvar(Object);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(Object::new(0))
    }

    /// How the mutex is held again.
    pub(crate) fn wait(&self, mutex: &Mutex) -> Acquired {
        let mut acquired = Acquired::Clean;
        let waited = robust::wait(&self.0, &mutex.0, Timeout::Forever, &mut acquired);
        waited.expect("it is notified");
        acquired
    }

    pub(crate) fn notify(&self, all: bool) {
        Gate::of(&self.0.lines).open(all);
    }
}

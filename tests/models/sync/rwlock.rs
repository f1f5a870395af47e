// SPDX-License-Identifier: MIT OR Apache-2.0
//! The read-write lock.

#[path = "../../../core/src/sync/rwlock/robust.rs"]
mod robust;
#[path = "../../../core/src/sync/rwlock/wait.rs"]
mod wait;

use super::Acquired;
use super::object::Object;
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct RwLock(robust::Robust);

impl RwLock {
    pub(crate) fn new(readers: usize) -> Self {
        Self(robust::Robust::new(Object::new(readers)))
    }

    pub(crate) fn read(&self) -> Acquired {
        match self.0.read_at_once() {
            Some(acquired) => acquired,
            None => self.0.read(Timeout::Forever).expect("it can be had"),
        }
    }

    pub(crate) fn write(&self) -> Acquired {
        match self.0.write_at_once() {
            Some(acquired) => acquired,
            None => self.0.write(Timeout::Forever).expect("it can be had"),
        }
    }

    pub(crate) fn recovered(&self) {
        self.0.recovered().expect("it is held");
    }

    pub(crate) fn unlock(&self) {
        if !self.0.unlock_at_once() {
            self.0.unlock().expect("it is held");
        }
    }

    pub(crate) fn end_of_thread(&self) {
        self.0.object.lines.end_of_thread();
    }
}

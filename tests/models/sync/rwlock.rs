// SPDX-License-Identifier: MIT OR Apache-2.0
//! The read-write lock.

#[path = "../../../core/src/sync/rwlock/robust.rs"]
mod robust;
#[path = "../../../core/src/sync/rwlock/wait.rs"]
mod wait;

use super::Acquired;
use super::object::{MAIN, Object};
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct RwLock(robust::Robust, robust::Quick);

impl RwLock {
    pub(crate) fn new(readers: usize) -> Self {
        let object = Object::new(readers);
        let quick = robust::Quick::to(&object.lines, MAIN);
        Self(robust::Robust::new(object), quick)
    }

    pub(crate) fn read(&self) -> Acquired {
        if robust::read_at_once(&self.1) {
            return Acquired::Clean;
        }
        self.0.read(&self.1, Timeout::Forever).expect("it can be had")
    }

    pub(crate) fn write(&self) -> Acquired {
        if robust::write_at_once(&self.1) {
            return Acquired::Clean;
        }
        self.0.write(Timeout::Forever).expect("it can be had")
    }

    pub(crate) fn recovered(&self) {
        self.0.recovered().expect("it is held");
    }

    pub(crate) fn unlock(&self) {
        if !robust::unlock_or(&self.1, true, || false) {
            self.0.unlock().expect("it is held");
        }
    }

    pub(crate) fn end_of_thread(&self) {
        self.0.object.lines.end_of_thread();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The read-write lock.

#[path = "../../../core/src/sync/rwlock/robust.rs"]
mod robust;
#[path = "../../../core/src/sync/rwlock/wait.rs"]
mod wait;

use super::Acquired;
use super::object::Object;
use crate::time::Timeout;

/// As in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quick {
    Done,
    Nothing,
    TooSoon,
}

#[derive(Debug)]
pub(crate) struct RwLock(robust::Robust);

impl RwLock {
    pub(crate) fn new(readers: usize) -> Self {
        Self(robust::Robust::new(Object::new(readers)))
    }

    pub(crate) fn read(&self) -> Acquired {
        if self.has_done(self.0.read_at_once()) {
            return Acquired::Clean;
        }
        self.0.read(Timeout::Forever).expect("it can be had")
    }

    pub(crate) fn write(&self) -> Acquired {
        if self.has_done(self.0.write_at_once()) {
            return Acquired::Clean;
        }
        self.0.write(Timeout::Forever).expect("it can be had")
    }

    /// As the library goes on after a quick try.
    fn has_done(&self, quick: Quick) -> bool {
        if quick == Quick::TooSoon {
            self.0.step_back().expect("it is held");
        }
        quick == Quick::Done
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mutex.

#[path = "../../../core/src/sync/mutex/robust.rs"]
pub(in crate::sync) mod robust;

pub(in crate::sync) use robust::Robust;

use super::Acquired;
use super::object::Object;
use crate::time::Timeout;

/// As in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MutexKind {
    ErrorChecking,
    Normal,
    Recursive,
}

#[derive(Debug)]
pub(crate) struct Mutex(pub(in crate::sync) Robust);

impl Mutex {
    pub(crate) fn new(kind: MutexKind) -> Self {
        let spin = super::hold::Spin::default();
        Self(robust::Robust { object: Object::new(0), kind, spin })
    }

    pub(crate) fn lock(&self) -> Acquired {
        self.0.lock(Timeout::Forever).expect("it can be had")
    }

    pub(crate) fn unlock(&self, acquired: Acquired) {
        if acquired == Acquired::OwnerDied {
            self.0.recovered().expect("it is held");
        }
        self.0.unlock().expect("it is held");
    }

    pub(crate) fn abandon(&self) {
        self.0.abandon().expect("it is held");
    }

    pub(crate) fn end_of_thread(&self) {
        self.0.object.lines.end_of_thread();
    }
}

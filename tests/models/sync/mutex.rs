// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mutex.

#[path = "../../../core/src/sync/mutex/robust.rs"]
pub(in crate::sync) mod robust;

pub(in crate::sync) use robust::Robust;

use super::Acquired;
use super::object::{MAIN, Object};
use crate::time::Timeout;

/// As in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MutexKind {
    ErrorChecking,
    Normal,
    Recursive,
}

#[derive(Debug)]
pub(crate) struct Mutex(pub(in crate::sync) Robust, robust::Quick);

impl Mutex {
    pub(crate) fn new(kind: MutexKind) -> Self {
        let spin = super::hold::Spin::default();
        let object = Object::new(0);
        let quick = robust::Quick::to(&object.lines, MAIN);
        Self(robust::Robust { object, kind, spin }, quick)
    }

    pub(crate) fn lock(&self) -> Acquired {
        if robust::lock_at_once(&self.1) {
            return Acquired::Clean;
        }
        self.0.lock(Timeout::Forever).expect("it can be had")
    }

    pub(crate) fn unlock(&self, acquired: Acquired) {
        if acquired == Acquired::OwnerDied {
            self.0.recovered().expect("it is held");
        }
        if !robust::unlock_or(&self.1, true, || false) {
            self.0.unlock().expect("it is held");
        }
    }

    pub(crate) fn abandon(&self) {
        self.0.abandon().expect("it is held");
    }

    pub(crate) fn end_of_thread(&self) {
        self.0.object.lines.end_of_thread();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mutex that is held for a time.

use std::marker::PhantomData;

use super::{Acquired, Mutex};
use crate::error::Result;

/// Holds a [`Mutex`] until it is dropped, in the thread that locked.
#[must_use = "it unlocks when it is dropped"]
#[derive(Debug)]
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    owner_died: bool,
    panicking: bool,
    not_send: PhantomData<*const ()>,
}

impl<'a> MutexGuard<'a> {
    pub(super) fn new(mutex: &'a Mutex, acquired: Acquired) -> Self {
        let owner_died = acquired == Acquired::OwnerDied;
        Self { mutex, owner_died, panicking: std::thread::panicking(), not_send: PhantomData }
    }

    /// Did the last holder die, so that the data may be inconsistent?
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// As [`Mutex::recovered`].
    pub fn recovered(&mut self) -> Result<()> {
        self.mutex.recovered()?;
        self.owner_died = false;
        Ok(())
    }

    /// As [`Mutex::abandon`].
    pub fn abandon(self) -> Result<()> {
        let mutex = self.mutex;
        std::mem::forget(self);
        mutex.abandon()
    }

    /// Unlocks and tells whether that went well, which dropping keeps quiet.
    pub fn unlock(self) -> Result<()> {
        let mutex = self.mutex;
        std::mem::forget(self);
        mutex.unlock()
    }

    pub(in crate::sync) fn mutex(&self) -> &'a Mutex {
        self.mutex
    }

    pub(in crate::sync) fn note(&mut self, acquired: Acquired) {
        self.owner_died |= acquired == Acquired::OwnerDied;
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        // An unwinding thread leaves its data half-changed, as a dead one would.
        if std::thread::panicking() && !self.panicking && self.mutex.abandon().is_ok() {
            return;
        }
        let _ = self.mutex.unlock();
    }
}

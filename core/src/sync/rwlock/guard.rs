// SPDX-License-Identifier: MIT OR Apache-2.0
//! A lock that is held for a time.

use std::marker::PhantomData;

use super::{Acquired, RwLock};
use crate::error::Result;

/// Holds an [`RwLock`] until it is dropped, in the thread that locked.
#[must_use = "it unlocks when it is dropped"]
#[derive(Debug)]
pub struct RwLockGuard<'a> {
    lock: &'a RwLock,
    owner_died: bool,
    writes: bool,
    panicking: bool,
    not_send: PhantomData<*const ()>,
}

impl<'a> RwLockGuard<'a> {
    pub(super) fn new(lock: &'a RwLock, acquired: Acquired, writes: bool) -> Self {
        let panicking = std::thread::panicking();
        let owner_died = acquired == Acquired::OwnerDied;
        Self { lock, owner_died, writes, panicking, not_send: PhantomData }
    }

    /// Did the last writer die, so that the data may be inconsistent?
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// As [`RwLock::recovered`].
    pub fn recovered(&mut self) -> Result<()> {
        self.lock.recovered()?;
        self.owner_died = false;
        Ok(())
    }
}

impl Drop for RwLockGuard<'_> {
    fn drop(&mut self) {
        // A writer that unwinds leaves its data half-changed, as a dead one would.
        let unwinds = self.writes && std::thread::panicking() && !self.panicking;
        if unwinds && self.lock.abandon().is_ok() {
            return;
        }
        let _ = self.lock.unlock();
    }
}

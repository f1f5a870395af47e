// SPDX-License-Identifier: MIT OR Apache-2.0
//! A permit that is held for a time.

use std::marker::PhantomData;

use super::{Acquired, Semaphore};

/// A permit that is held until it is dropped, in the thread that took it.
#[must_use = "it is given back when it is dropped"]
#[derive(Debug)]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    acquired: Acquired,
    not_send: PhantomData<*const ()>,
}

impl<'a> Permit<'a> {
    pub(super) fn new(semaphore: &'a Semaphore, acquired: Acquired) -> Self {
        Self { semaphore, acquired, not_send: PhantomData }
    }

    /// Did a thread die that held this permit before?
    pub fn owner_died(&self) -> bool {
        self.acquired == Acquired::OwnerDied
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let _ = self.semaphore.release();
    }
}

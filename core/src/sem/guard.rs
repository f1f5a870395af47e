// SPDX-License-Identifier: MIT OR Apache-2.0
//! Held for a scope.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::Semaphore;
use crate::error::Result;
use crate::sys::pid::process_id;

/// One unit of a [`Semaphore`], given back when this is dropped. Made by [`Semaphore::hold`].
///
/// A child of fork that inherits a guard does not give back what its parent holds. [`std::mem::forget`] keeps the unit.
#[must_use = "it is given back at once"]
#[derive(Debug)]
pub struct Guard<'a> {
    semaphore: &'a Semaphore,
    holder: u32,
}

/// As [`Guard`], for who cannot borrow the semaphore: it shares it. Made by [`Semaphore::hold_owned`].
#[must_use = "it is given back at once"]
#[derive(Debug)]
pub struct OwnedGuard {
    semaphore: Arc<Semaphore>,
    holder: u32,
}

impl<'a> Guard<'a> {
    pub(super) fn new(semaphore: &'a Semaphore) -> Self {
        Self { semaphore, holder: process_id() }
    }

    /// As dropping it, and says what went wrong. Errors: as [`Semaphore::release`].
    pub fn release(self) -> Result<()> {
        let kept = ManuallyDrop::new(self);
        give_back(kept.semaphore, kept.holder)
    }
}

impl OwnedGuard {
    pub(super) fn new(semaphore: Arc<Semaphore>) -> Self {
        Self { semaphore, holder: process_id() }
    }

    /// As dropping it, and says what went wrong. Errors: as [`Semaphore::release`].
    pub fn release(mut self) -> Result<()> {
        let holder = std::mem::replace(&mut self.holder, NOBODY);
        give_back(&self.semaphore, holder)
    }
}

/// The number of no process that has guards: what was given back already is given back once.
const NOBODY: u32 = 0;

fn give_back(semaphore: &Semaphore, holder: u32) -> Result<()> {
    if holder == process_id() { semaphore.give_back_held() } else { Ok(()) }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // It was removed, or is full because somebody else gave back too much: nothing to be done about it here.
        let _ = give_back(self.semaphore, self.holder);
    }
}

impl Drop for OwnedGuard {
    fn drop(&mut self) {
        // As above.
        let _ = give_back(&self.semaphore, self.holder);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Held for a scope.

use super::Semaphore;
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

impl<'a> Guard<'a> {
    pub(super) fn new(semaphore: &'a Semaphore) -> Self {
        Self { semaphore, holder: process_id() }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.holder == process_id() {
            // It was removed, or is full because somebody else gave back too much: nothing to be done about it here.
            let _ = self.semaphore.give_back_held();
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Held for a scope.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Semaphore;
use crate::error::Result;
use crate::sys::pid::process_id;
use crate::time::Timeout;

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

/// How many units of one semaphore this process holds, for who has no scope to keep a [`Guard`] in, such as the `with`
/// statement of another language. A child of fork holds nothing of what its parent does.
#[derive(Debug, Default)]
pub struct Holdings(AtomicU64);

impl Holdings {
    /// As [`Semaphore::hold`], and counts it. Errors: as there.
    #[inline]
    pub fn take(&self, semaphore: &Semaphore, timeout: Timeout) -> Result<()> {
        semaphore.take_held(timeout)?;
        let own = u64::from(process_id()) << 32;
        // SYNC: a count alone; the semaphore orders what it protects.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seen| {
            Some(if seen & OWNER == own { seen + 1 } else { own + 1 })
        });
        Ok(())
    }

    /// Gives one unit back. False when there is none: nothing was taken. In a child of fork that holds nothing, although
    /// its parent does, there is nothing to be done, and that is fine.
    ///
    /// Errors: as [`Semaphore::release`].
    #[inline]
    pub fn give_back(&self, semaphore: &Semaphore) -> Result<bool> {
        let own = u64::from(process_id()) << 32;
        // SYNC: as above.
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seen| {
            (seen & COUNT != 0).then(|| seen - 1)
        });
        match taken {
            Ok(seen) if seen & OWNER == own => semaphore.give_back_held().map(|()| true),
            Ok(_) => Ok(true),
            Err(_) => Ok(false),
        }
    }
}

/// The half of [`Holdings`] that says whose they are, and the half that counts.
const OWNER: u64 = !COUNT;
const COUNT: u64 = u32::MAX as u64;

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

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
pub struct Holdings {
    /// Whose they are, and how many.
    own: AtomicU64,
    /// Who has inherited what its parent held, and how much of that it has not left yet.
    inherited: AtomicU64,
}

impl Holdings {
    /// As [`Semaphore::hold`], and counts it. Errors: as there.
    #[inline]
    pub fn take(&self, semaphore: &Semaphore, timeout: Timeout) -> Result<()> {
        semaphore.take_held(timeout)?;
        self.inherit();
        // SYNC: a count alone; the semaphore orders what it protects.
        self.own.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Gives one unit back. False when there is none: nothing was taken. In a child of fork that holds nothing any more,
    /// but whose parent did when it forked, there is nothing to be done, and that is fine: as often as the parent held.
    ///
    /// Errors: as [`Semaphore::release`].
    #[inline]
    pub fn give_back(&self, semaphore: &Semaphore) -> Result<bool> {
        self.inherit();
        let less = |seen| (seen & COUNT != 0).then(|| seen - 1);
        // SYNC: as above.
        if self.own.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return semaphore.give_back_held().map(|()| true);
        }
        // SYNC: as above.
        Ok(self.inherited.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok())
    }

    /// In a child of fork, before it holds anything: what its parent held is set aside.
    #[inline]
    fn inherit(&self) {
        let own = u64::from(process_id()) << 32;
        // SYNC: pairs with the release in `set_aside`: who finds nothing of the parent's here finds it there.
        let seen = self.own.load(Ordering::Acquire);
        if seen & OWNER != own {
            self.set_aside(own, seen);
        }
    }

    #[cold]
    fn set_aside(&self, own: u64, seen: u64) {
        // Once, whichever threads come here together: none changes the other count before this is done.
        let more = |kept| (kept & OWNER != own).then(|| own + (kept & COUNT) + (seen & COUNT));
        // SYNC: ordered by what follows.
        let _ = self.inherited.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        // SYNC: see `inherit`.
        let _ = self.own.compare_exchange(seen, own, Ordering::Release, Ordering::Relaxed);
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

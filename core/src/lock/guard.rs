// SPDX-License-Identifier: MIT OR Apache-2.0
//! A lock as a value: unlocked when it is dropped.

use std::borrow::Borrow;

use super::{FileLock, Kind, Range, Sharing};
use crate::error::Result;
use crate::sys::fork;
use crate::time::Timeout;

/// Bytes of a file that are locked until this is dropped. Made by [`FileLock::lock`], [`FileLock::lock_range`] and
/// [`FileLock::lock_owned`].
///
/// fork: a guard that the child drops unlocks nothing, since the lock is the parent's; the parent's guard ends it
/// for both.
#[must_use = "the lock ends with the guard"]
#[derive(Debug)]
pub struct Guard<L: Borrow<FileLock>> {
    lock: L,
    range: Range,
    sharing: Sharing,
    held: bool,
    /// The process that took it.
    owner: u32,
}

impl<L: Borrow<FileLock>> Guard<L> {
    pub(super) fn new(lock: L, range: Range, sharing: Sharing, timeout: Timeout) -> Result<Self> {
        lock.borrow().acquire(range, sharing, timeout)?;
        Ok(Self { lock, range, sharing, held: true, owner: fork::generation() })
    }

    /// Which bytes it covers.
    pub fn range(&self) -> Range {
        self.range
    }

    /// How much it excludes.
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Is the lock still held? A conversion of [`Kind::Flock`] that fails loses it, and so does a fork for the child's
    /// copy of a guard of [`Kind::Posix`].
    pub fn is_held(&self) -> bool {
        self.held && (self.is_ours() || self.lock.borrow().kind != Kind::Posix)
    }

    /// Makes an exclusive lock shared or a shared one exclusive, which may have to wait for others.
    ///
    /// A record lock stays as it is when that fails. [`Kind::Flock`] gives up what it has before it asks for what it
    /// is to get: another owner may get in between, and after a failure nothing is locked (see [`Guard::is_held`]).
    /// Two owners of shared locks that both want theirs to be exclusive wait for each other for ever: give a timeout
    /// ([`Kind::Posix`] says `EDEADLK` to one of them).
    ///
    /// Errors: as [`FileLock::lock`].
    pub fn convert(&mut self, sharing: Sharing, timeout: Timeout) -> Result<()> {
        let lock = self.lock.borrow();
        match lock.acquire(self.range, sharing, timeout) {
            Ok(()) => {
                (self.sharing, self.held, self.owner) = (sharing, true, fork::generation());
                Ok(())
            }
            Err(error) if lock.kind == Kind::Flock && self.sharing != sharing => {
                self.held = false;
                Err(error.with_advice(
                    "flock gives up what it has before it converts: nothing is locked now",
                ))
            }
            Err(error) => Err(error),
        }
    }

    /// Unlocks, and says if that failed, which a drop does not.
    ///
    /// Errors: as [`FileLock::release`].
    pub fn release(mut self) -> Result<()> {
        self.end()
    }

    fn is_ours(&self) -> bool {
        self.owner == fork::generation()
    }

    fn end(&mut self) -> Result<()> {
        if self.held && self.is_ours() {
            self.held = false;
            return self.lock.borrow().release(self.range);
        }
        Ok(())
    }
}

impl<L: Borrow<FileLock>> Drop for Guard<L> {
    fn drop(&mut self) {
        // Should the kernel refuse, the lock ends with the handle.
        let _ = self.end();
    }
}

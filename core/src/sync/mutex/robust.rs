// SPDX-License-Identifier: MIT OR Apache-2.0
//! The robust form: a cell, and how often its holder has locked it.
#![allow(clippy::inline_always, reason = "what is quick must not cost a call of its own")]

use std::sync::atomic::Ordering;

use super::{Acquired, MutexKind};
use crate::error::ErrorKind;
use crate::map::cell::OWNER_DIED;
use crate::map::shortcut::Shortcut;
use crate::sync::hold::{self, Entered, RETIRED, Sleep, Spin};
use crate::sync::object::{MAIN, Object, WAITING};
use crate::sys::robust::Current;
use crate::time::Timeout;

/// To the cell.
pub(super) type Quick = Shortcut<0>;

#[derive(Debug)]
pub(in crate::sync) struct Robust {
    pub(in crate::sync) object: Object,
    pub(super) kind: MutexKind,
    pub(super) spin: Spin,
}

/// Locks, if nobody holds it and there is no news.
#[inline(always)]
pub(super) fn lock_at_once(quick: &Quick) -> bool {
    let Some(mutex) = quick.main() else { return false };
    let Some(thread) = Current::known() else { return false };
    mutex.cell().take_at_once(thread).is_some() && quick.is_whole()
}

/// Unlocks and gives `done`, if that is all there is to do; otherwise nothing is done but what it is told.
#[inline(always)]
pub(super) fn unlock_or<R: Copy>(quick: &Quick, done: R, otherwise: impl FnOnce() -> R) -> R {
    if let Some(mutex) = quick.main()
        && let Some(thread) = Current::known()
        && thread.top() == mutex.cell().link().address()
        // Of a recursive one: is it locked once alone?
        && mutex.cell().count.load(Ordering::Relaxed) == 0
    {
        return mutex.cell().give_back_latest(thread, 1, RETIRED, || true, || (), done);
    }
    otherwise()
}

impl Robust {
    #[cold]
    pub(in crate::sync) fn lock(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        let cell = lines.cell(MAIN);
        lines.check()?;
        if self.kind != MutexKind::Normal && lines.is_mine(MAIN)? {
            if self.kind == MutexKind::ErrorChecking {
                return Err(ErrorKind::Os(libc::EDEADLK));
            }
            let count = cell.count.load(Ordering::Relaxed);
            let more = count.checked_add(1).ok_or(ErrorKind::Os(libc::EAGAIN))?;
            cell.count.store(more, Ordering::Relaxed);
            return Ok(Acquired::Clean);
        }
        let mut sleep = Sleep::new(timeout);
        let entered = hold::take(lines, MAIN, &mut sleep, Some(WAITING), &self.spin)?;
        if entered == Entered::OwnerDied {
            // How often the dead one had it.
            cell.count.store(0, Ordering::Relaxed);
        }
        lines.check()?;
        Ok(entered.into())
    }

    #[cold]
    pub(in crate::sync) fn unlock(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let cell = lines.cell(MAIN);
        if self.kind == MutexKind::Recursive {
            let count = cell.count.load(Ordering::Relaxed);
            if count > 0 && lines.is_mine(MAIN)? {
                cell.count.store(count - 1, Ordering::Relaxed);
                return Ok(());
            }
        }
        if cell.word.load(Ordering::Relaxed) & OWNER_DIED == 0 {
            lines.give_back(MAIN, 0, 1)
        } else {
            lines.give_back(MAIN, RETIRED, i32::MAX)
        }
    }

    pub(super) fn recovered(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        if !lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EPERM));
        }
        // SYNC: relaxed, the unlock that follows publishes it.
        let before = lines.cell(MAIN).word.fetch_and(!OWNER_DIED, Ordering::Relaxed);
        if before & OWNER_DIED == 0 {
            return Err(ErrorKind::invalid("no holder of it has died"));
        }
        Ok(())
    }

    pub(super) fn abandon(&self) -> Result<(), ErrorKind> {
        self.object.lines.give_back(MAIN, OWNER_DIED, 1)
    }

    /// How often the calling thread has it locked beyond the first time.
    pub(in crate::sync) fn depth(&self) -> Result<u32, ErrorKind> {
        if !self.object.lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EPERM));
        }
        Ok(self.object.lines.cell(MAIN).count.load(Ordering::Relaxed))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The robust form: a table of permits, each of them a cell that is free, held, or absent.
#![allow(clippy::inline_always, reason = "what is quick must not cost a call of its own")]

use std::sync::atomic::Ordering;

use super::Acquired;
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, OWNER_DIED, WAITERS};
use crate::map::lines::Lines;
use crate::map::shortcut::Shortcut;
use crate::sync::gate::{self, Gate, watch};
use crate::sync::hold::{RETIRED, Sleep, Spin};
use crate::sync::object::{HEAD, Object, WAITING};
use crate::sys::atomic::AtomicU32;
use crate::sys::robust::Current;
use crate::time::Timeout;

/// The word of a cell in which there is no permit: nobody's number.
pub(super) const ABSENT: u32 = RETIRED;

#[derive(Debug)]
pub(super) struct Robust {
    pub(super) object: Object,
    spin: Spin,
}

/// To the permits, and to where this handle found one the last time, and room for one.
pub(super) type Quick = Shortcut<2>;

const PERMIT: usize = 0;
const ROOM: usize = 1;

/// Tries to take the permit of a cell whose word is this.
type Taking = fn(&Lines, usize, u32) -> Result<bool, ErrorKind>;

/// Can the permit in a cell with this word be taken?
#[inline]
pub(super) fn is_free(word: u32) -> bool {
    word & HOLDER == 0
}

/// Takes the permit in a cell for the calling thread.
pub(super) fn hold(lines: &Lines, index: usize, word: u32) -> Result<bool, ErrorKind> {
    Ok(lines.attempt(index)?.take(word, word & WAITERS).is_ok())
}

/// Takes the permit in a cell out of it.
#[allow(clippy::unnecessary_wraps, reason = "it stands where `hold` does")]
#[inline]
pub(super) fn remove(lines: &Lines, index: usize, word: u32) -> Result<bool, ErrorKind> {
    Ok(remove_from(&lines.cell(index).word, word))
}

#[inline]
fn remove_from(word_of: &AtomicU32, word: u32) -> bool {
    // SYNC: acquire pairs with the release of whoever posted.
    word_of.compare_exchange(word, ABSENT, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// Puts a permit into a cell, if there is none.
#[inline]
fn put(word: &AtomicU32, gate: &AtomicU32) -> bool {
    // SYNC: a release for what was written before; sequentially consistent, before the look at the gate.
    let put = word.compare_exchange(ABSENT, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok();
    if put {
        gate::open(gate, false);
    }
    put
}

/// Takes the permit that this handle had the last time, if it is free and nobody died with it.
#[inline(always)]
pub(super) fn acquire_at_once(quick: &Quick) -> bool {
    let Some(permit) = quick.hinted(PERMIT) else { return false };
    let Some(thread) = Current::known() else { return false };
    permit.cell().take_at_once(thread).is_some() && quick.is_whole()
}

/// As [`acquire_at_once`], for good.
#[inline(always)]
pub(super) fn wait_at_once(quick: &Quick) -> bool {
    let Some(permit) = quick.hinted(PERMIT) else { return false };
    remove_from(&permit.cell().word, 0) && quick.is_whole()
}

/// Gives back the permit that the calling thread took last and gives `done`, if it has taken nothing else since; otherwise nothing
/// is done but what it is told.
#[inline(always)]
pub(super) fn release_or<R: Copy>(quick: &Quick, done: R, otherwise: impl FnOnce() -> R) -> R {
    let Some(thread) = Current::known() else { return otherwise() };
    let Some((permit, main)) = quick.latest(thread) else { return otherwise() };
    let gate = main.gate();
    // SYNC: the exchange in there comes before this look, in the one order of all that is sequentially consistent.
    let (is_quiet, open) = (|| gate::is_quiet(gate), move || gate::open(gate, false));
    permit.give_back_latest(thread, 1, 0, is_quiet, open, done)
}

/// Adds a permit where this handle added the last one, if that is gone.
#[inline(always)]
pub(super) fn post_at_once(quick: &Quick) -> bool {
    let Some(room) = quick.hinted(ROOM) else { return false };
    put(&room.cell().word, room.main().gate()) && quick.is_whole()
}

impl Robust {
    pub(super) fn new(object: Object) -> Self {
        Self { object, spin: Spin::default() }
    }

    #[inline]
    pub(super) fn permits(&self) -> usize {
        self.object.lines.count() - HEAD
    }

    #[cold]
    pub(super) fn get(
        &self,
        quick: &Quick,
        timeout: Timeout,
        taking: Taking,
    ) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        if let Some(acquired) = self.search(quick, taking)? {
            lines.check()?;
            return Ok(acquired);
        }
        if timeout == Timeout::TRY {
            return Err(ErrorKind::WouldBlock);
        }
        let mut sleep = Sleep::new(timeout);
        sleep.start();
        let found = self.spin.until(|| self.search(quick, taking).transpose());
        let acquired = match found {
            Some(found) => found?,
            None => self.get_slowly(quick, &mut sleep, taking)?,
        };
        lines.check()?;
        Ok(acquired)
    }

    /// Takes the first free permit, from where the last one was found.
    fn search(&self, quick: &Quick, taking: Taking) -> Result<Option<Acquired>, ErrorKind> {
        let lines = &self.object.lines;
        let first = quick.hint(PERMIT);
        for at in (first..self.permits()).chain(0..first) {
            // SYNC: sequentially consistent, after `Gate::prepare`.
            let word = lines.cell(HEAD + at).word.load(Ordering::SeqCst);
            if is_free(word) && taking(lines, HEAD + at, word)? {
                quick.keep(PERMIT, at);
                let died = word & OWNER_DIED != 0;
                return Ok(Some(if died { Acquired::OwnerDied } else { Acquired::Clean }));
            }
        }
        Ok(None)
    }

    fn get_slowly(
        &self,
        quick: &Quick,
        sleep: &mut Sleep,
        taking: Taking,
    ) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        let gate = Gate::of(lines);
        let mut waiting = None;
        loop {
            let prepared = gate.prepare();
            if let Some(acquired) = self.search(quick, taking)? {
                return Ok(acquired);
            }
            // The death of a holder wakes one who watches its cell.
            let Some(watched) = watch(lines, HEAD..lines.count(), is_free) else { continue };
            let before = sleep.slice();
            gate.sleep(prepared, watched, &mut waiting, sleep)?;
            if sleep.slice() != before {
                for index in HEAD..lines.count() {
                    lines.bury(index);
                }
            }
        }
    }

    #[cold]
    pub(super) fn release(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let index = lines.latest_of_mine(HEAD)?.ok_or(ErrorKind::Os(libc::EPERM))?;
        lines.give_back(index, 0, 1)?;
        // SYNC: as in `release_or`.
        Gate::of(lines).open(false);
        Ok(())
    }

    #[cold]
    pub(super) fn post(&self, quick: &Quick) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let gate = &lines.words(WAITING)[0];
        let first = quick.hint(ROOM);
        for at in (first..self.permits()).chain(0..first) {
            let word = &lines.cell(HEAD + at).word;
            if word.load(Ordering::Relaxed) == ABSENT && put(word, gate) {
                quick.keep(ROOM, at);
                return lines.check();
            }
        }
        Err(ErrorKind::Os(libc::EOVERFLOW))
    }
}

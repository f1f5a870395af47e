// SPDX-License-Identifier: MIT OR Apache-2.0
//! The robust form: a table of permits, each of them a cell that is free, held, or absent.
#![allow(clippy::inline_always, reason = "what is quick must not cost a call of its own")]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Acquired;
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, OWNER_DIED, WAITERS};
use crate::map::lines::Lines;
use crate::sync::gate::{self, Gate, watch};
use crate::sync::hold::{RETIRED, Sleep, Spin};
use crate::sync::object::{HEAD, Object};
use crate::sys::atomic::AtomicU32;
use crate::sys::robust::Current;
use crate::time::Timeout;

/// The word of a cell in which there is no permit: nobody's number.
pub(super) const ABSENT: u32 = RETIRED;

#[derive(Debug)]
pub(super) struct Robust {
    pub(super) object: Object,
    spin: Spin,
    /// Where this handle found a permit the last time, and room for one. Always less than there are.
    hint: AtomicUsize,
    room: AtomicUsize,
}

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

impl Robust {
    pub(super) fn new(object: Object) -> Self {
        let (hint, room) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { object, spin: Spin::default(), hint, room }
    }

    #[inline]
    pub(super) fn permits(&self) -> usize {
        self.object.lines.count() - HEAD
    }

    /// Takes the permit that this handle had the last time, if it is free and nobody died with it.
    #[inline(always)]
    pub(super) fn acquire_at_once(&self) -> Option<Acquired> {
        let lines = &self.object.lines;
        // SYNC: a guess alone; it orders nothing.
        let cell = lines.cells().get(HEAD + self.hint.load(Ordering::Relaxed))?;
        (cell.take_at_once(Current::known()?) && lines.is_whole()).then_some(Acquired::Clean)
    }

    /// As [`Robust::acquire_at_once`], for good.
    #[inline(always)]
    pub(super) fn wait_at_once(&self) -> bool {
        let lines = &self.object.lines;
        let cell = lines.cells().get(HEAD + self.hint.load(Ordering::Relaxed));
        cell.is_some_and(|cell| remove_from(&cell.word, 0)) && lines.is_whole()
    }

    #[cold]
    pub(super) fn get(&self, timeout: Timeout, taking: Taking) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        if let Some(acquired) = self.search(taking)? {
            lines.check()?;
            return Ok(acquired);
        }
        if timeout == Timeout::TRY {
            return Err(ErrorKind::WouldBlock);
        }
        let mut sleep = Sleep::new(timeout);
        sleep.start();
        let found = self.spin.until(|| self.search(taking).transpose());
        let acquired = match found {
            Some(found) => found?,
            None => self.get_slowly(&mut sleep, taking)?,
        };
        lines.check()?;
        Ok(acquired)
    }

    /// Takes the first free permit, from where the last one was found.
    fn search(&self, taking: Taking) -> Result<Option<Acquired>, ErrorKind> {
        let lines = &self.object.lines;
        let first = self.hint.load(Ordering::Relaxed);
        for at in (first..self.permits()).chain(0..first) {
            // SYNC: sequentially consistent, after `Gate::prepare`.
            let word = lines.cell(HEAD + at).word.load(Ordering::SeqCst);
            if is_free(word) && taking(lines, HEAD + at, word)? {
                if at != first {
                    self.hint.store(at, Ordering::Relaxed);
                }
                let died = word & OWNER_DIED != 0;
                return Ok(Some(if died { Acquired::OwnerDied } else { Acquired::Clean }));
            }
        }
        Ok(None)
    }

    fn get_slowly(&self, sleep: &mut Sleep, taking: Taking) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        let gate = Gate::of(lines);
        let mut waiting = None;
        loop {
            let prepared = gate.prepare();
            if let Some(acquired) = self.search(taking)? {
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

    /// Gives back the permit that the calling thread took last, if it has taken nothing else since.
    #[inline(always)]
    pub(super) fn release_at_once(&self) -> bool {
        let lines = &self.object.lines;
        let Some(thread) = Current::known() else { return false };
        let Some(gate) = gate::word_of(lines) else { return false };
        let Some((_, permit)) = lines.latest_at_once(thread, HEAD) else { return false };
        // SYNC: the exchange in there comes before this look, in the one order of all that is sequentially consistent.
        permit.give_back_latest(
            thread,
            1,
            0,
            || gate::is_quiet(gate),
            move || gate::open(gate, false),
        );
        true
    }

    #[cold]
    pub(super) fn release(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let index = lines.latest_of_mine(HEAD)?.ok_or(ErrorKind::Os(libc::EPERM))?;
        lines.give_back(index, 0, 1)?;
        // SYNC: as in `release_at_once`.
        Gate::of(lines).open(false);
        Ok(())
    }

    /// Adds a permit where this handle added the last one, if that is gone.
    #[inline(always)]
    pub(super) fn post_at_once(&self) -> bool {
        self.put(self.room.load(Ordering::Relaxed)) && self.object.lines.is_whole()
    }

    #[cold]
    pub(super) fn post(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let first = self.room.load(Ordering::Relaxed);
        for at in (first..self.permits()).chain(0..first) {
            let is_absent = lines.cell(HEAD + at).word.load(Ordering::Relaxed) == ABSENT;
            if is_absent && self.put(at) {
                self.room.store(at, Ordering::Relaxed);
                return lines.check();
            }
        }
        Err(ErrorKind::Os(libc::EOVERFLOW))
    }

    /// Puts a permit into a cell, if there is none.
    #[inline]
    fn put(&self, at: usize) -> bool {
        let lines = &self.object.lines;
        let Some(cell) = lines.cells().get(HEAD + at) else { return false };
        let Some(gate) = gate::word_of(lines) else { return false };
        let word = &cell.word;
        // SYNC: a release for what was written before; sequentially consistent, before the look at the gate.
        let put = word.compare_exchange(ABSENT, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        if put {
            gate::open(gate, false);
        }
        put
    }
}

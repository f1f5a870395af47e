// SPDX-License-Identifier: MIT OR Apache-2.0
//! The robust form: a writer's cell and a table of readers' cells.
//!
//! A reader takes a cell of its own and then looks whether somebody writes. A writer takes its cell and then waits for each
//! reader's. So one of two that come together sees the other, and readers do not disturb each other.
#![allow(clippy::inline_always, reason = "what is quick must not cost a call of its own")]

use std::sync::atomic::Ordering;

use super::Acquired;
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, OWNER_DIED, WAITERS};
use crate::map::lines::Lines;
use crate::map::shortcut::Shortcut;
use crate::sync::gate::{self, Gate};
use crate::sync::hold::{RETIRED, Spin};
use crate::sync::object::{HEAD, MAIN, Object};
use crate::sys::futex;
use crate::sys::robust::Current;

/// How many places a handle keeps in mind.
const HINTS: usize = 8;

/// To all lines, and to the one that a thread of this process had the last time, by a number that few threads share. Those who
/// meet on a line part for good.
pub(super) type Quick = Shortcut<HINTS>;

#[derive(Debug)]
pub(super) struct Robust {
    pub(super) object: Object,
    pub(super) spin: Spin,
}

/// Reads, if the calling thread's usual line is free, and nobody writes or has died. Otherwise [`Robust::read`] comes next.
#[inline(always)]
pub(super) fn read_at_once(quick: &Quick) -> bool {
    let Some(thread) = Current::known() else { return false };
    let Some(line) = quick.hinted(thread.spread() % HINTS) else { return false };
    let Some(attempt) = line.cell().take_at_once(thread) else { return false };
    // SYNC: see `try_read`. The line has counted as used since it was kept in mind.
    let is_read = line.main().cell().word.load(Ordering::SeqCst) == 0 && quick.is_whole();
    if !is_read {
        attempt.leave();
    }
    is_read
}

/// Writes, if nobody does, nobody reads, and nobody has died. Otherwise [`Robust::write`] comes next.
#[inline(always)]
pub(super) fn write_at_once(quick: &Quick) -> bool {
    let Some(main) = quick.main() else { return false };
    let Some(thread) = Current::known() else { return false };
    let writer = main.cell();
    let Some(attempt) = writer.take_at_once(thread) else { return false };
    // SYNC: see `try_read`.
    let used = writer.count.load(Ordering::SeqCst) as usize;
    let readers = main.table();
    let readers = readers.get(..used).unwrap_or(readers);
    let is_read = readers.iter().any(|cell| cell.word.load(Ordering::SeqCst) & HOLDER != 0);
    let is_written = !is_read && quick.is_whole();
    if !is_written {
        attempt.leave();
    }
    is_written
}

/// Ends what the calling thread took last and gives `done`, if that is all there is to do; otherwise nothing is done but what it
/// is told.
#[inline(always)]
pub(super) fn unlock_or<R: Copy>(quick: &Quick, done: R, otherwise: impl FnOnce() -> R) -> R {
    let Some(thread) = Current::known() else { return otherwise() };
    let Some((cell, main)) = quick.latest(thread) else { return otherwise() };
    let gate = main.gate();
    // One way for both is shorter than two: a writer looks at the gate for nothing, and no reader's word says that one died.
    // SYNC: the exchange in there comes before this look, in the one order of all that is sequentially consistent.
    let (is_quiet, open) = (|| gate::is_quiet(gate), move || gate::open(gate, true));
    cell.give_back_latest(thread, i32::MAX, RETIRED, is_quiet, open, done)
}

impl Robust {
    pub(super) fn new(object: Object) -> Self {
        Self { object, spin: Spin::default() }
    }

    /// Gives back what a quick try took before it saw the others.
    pub(super) fn step_back(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let begun = lines.begun(MAIN)?;
        begun.map_or(Ok(()), |index| lines.give_back(index, 0, i32::MAX))
    }

    /// Reads, if nobody writes or wants to, and there is a line free.
    pub(super) fn try_read(&self, quick: &Quick) -> Result<Option<Acquired>, ErrorKind> {
        let lines = &self.object.lines;
        let writer = &lines.cell(MAIN).word;
        match writer.load(Ordering::Relaxed) & HOLDER {
            0 => {}
            RETIRED => return Err(ErrorKind::NotRecoverable),
            _ => return Ok(None),
        }
        let Some(index) = self.take_line(quick)? else { return Ok(None) };
        // SYNC: the line was taken (and before that, counted as used) before this look, and a writer takes its word before it looks
        // at the number of lines and at them: one of the two sees the other. All are sequentially consistent.
        let seen = writer.load(Ordering::SeqCst);
        if seen & HOLDER != 0 {
            lines.give_back(index, 0, i32::MAX)?;
            return Ok(None);
        }
        if seen & WAITERS != 0 {
            // Woken by the kernel at a writer's death, one of several: the others come in as well.
            let cleared =
                writer.compare_exchange(seen, seen & !WAITERS, Ordering::SeqCst, Ordering::Relaxed);
            if cleared.is_ok() {
                futex::wake(writer, i32::MAX);
            }
        }
        let died = seen & OWNER_DIED != 0;
        Ok(Some(if died { Acquired::OwnerDied } else { Acquired::Clean }))
    }

    /// A line for the calling thread, mostly the same each time.
    fn take_line(&self, quick: &Quick) -> Result<Option<usize>, ErrorKind> {
        let lines = &self.object.lines;
        let used = self.used();
        // Two threads that share one are only slower.
        let place = Lines::spread() % HINTS;
        let first = quick.hint(place).min(used);
        for at in (first..used).chain(0..first).chain(used..lines.count() - HEAD) {
            let word = lines.cell(HEAD + at).word.load(Ordering::Relaxed);
            if word & HOLDER != 0 {
                continue;
            }
            if at >= used {
                // SYNC: before the line is taken; see `try_read`.
                let more = u32::try_from(at + 1).unwrap_or(u32::MAX);
                lines.cell(MAIN).count.fetch_max(more, Ordering::SeqCst);
            }
            // A reader that has died has left nothing that matters.
            if lines.attempt(HEAD + at)?.take(word, word & WAITERS).is_ok() {
                quick.keep(place, at);
                return Ok(Some(HEAD + at));
            }
        }
        Ok(None)
    }

    /// How many lines have ever been in use: as many as there were readers at once.
    #[inline]
    pub(super) fn used(&self) -> usize {
        let lines = &self.object.lines;
        // SYNC: see `try_read`.
        let used = lines.cell(MAIN).count.load(Ordering::SeqCst);
        (used as usize).min(lines.count() - HEAD)
    }

    #[cold]
    pub(super) fn unlock(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        if let Some(index) = lines.latest_of_mine_in_list(HEAD)? {
            return self.leave(index);
        }
        if lines.is_mine(MAIN)? {
            let died = lines.cell(MAIN).word.load(Ordering::Relaxed) & OWNER_DIED != 0;
            return lines.give_back(MAIN, if died { RETIRED } else { 0 }, i32::MAX);
        }
        let index = lines.latest_of_mine(HEAD)?.ok_or(ErrorKind::Os(libc::EPERM))?;
        self.leave(index)
    }

    fn leave(&self, index: usize) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        lines.give_back(index, 0, i32::MAX)?;
        // SYNC: as in `unlock_or`.
        Gate::of(lines).open(true);
        Ok(())
    }

    pub(super) fn recovered(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        if !lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EPERM));
        }
        let before = lines.cell(MAIN).word.fetch_and(!OWNER_DIED, Ordering::Relaxed);
        if before & OWNER_DIED == 0 {
            return Err(ErrorKind::invalid("no writer has died"));
        }
        Ok(())
    }

    pub(super) fn abandon(&self) -> Result<(), ErrorKind> {
        self.object.lines.give_back(MAIN, OWNER_DIED, i32::MAX)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The robust form: a writer's cell and a table of readers' cells.
//!
//! A reader takes a cell of its own and then looks whether somebody writes. A writer takes its cell and then waits for each
//! reader's. So one of two that come together sees the other, and readers do not disturb each other.
#![allow(clippy::inline_always, reason = "what is quick must not cost a call of its own")]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Acquired, Quick};
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, OWNER_DIED, WAITERS};
use crate::map::lines::Lines;
use crate::sync::gate::{self, Gate};
use crate::sync::hold::{RETIRED, Spin};
use crate::sync::object::{HEAD, MAIN, Object};
use crate::sys::futex;
use crate::sys::robust::Current;

/// How many places a handle keeps in mind.
const HINTS: usize = 8;

#[derive(Debug)]
pub(super) struct Robust {
    pub(super) object: Object,
    pub(super) spin: Spin,
    /// Which line a thread of this process had the last time, by a number that few threads share. Those who meet on a line
    /// part for good.
    hints: [AtomicUsize; HINTS],
}

impl Robust {
    pub(super) fn new(object: Object) -> Self {
        Self { object, spin: Spin::default(), hints: Default::default() }
    }

    /// Reads, if the calling thread's usual line is free, and nobody writes or has died.
    #[inline(always)]
    pub(super) fn read_at_once(&self) -> Quick {
        let lines = &self.object.lines;
        let Some(thread) = Current::known() else { return Quick::Nothing };
        let Some(writer) = lines.cells().get(MAIN) else { return Quick::Nothing };
        // SYNC: a guess alone; it orders nothing.
        let at = self.hints[thread.spread() % HINTS].load(Ordering::Relaxed);
        // SYNC: see `try_read`.
        if writer.word.load(Ordering::Relaxed) != 0
            || at >= writer.count.load(Ordering::SeqCst) as usize
            || !lines.cells().get(HEAD + at).is_some_and(|line| line.take_at_once(thread))
        {
            return Quick::Nothing;
        }
        if writer.word.load(Ordering::SeqCst) != 0 || !lines.is_whole() {
            return Quick::TooSoon;
        }
        Quick::Done
    }

    /// Gives back what was taken too soon: the writers' line, as nobody who has that is let read, or else a reader's. Not by
    /// the list, which may be full.
    #[cold]
    pub(super) fn step_back(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let taken = if lines.is_mine(MAIN)? { Some(MAIN) } else { lines.latest_of_mine(HEAD)? };
        taken.map_or(Ok(()), |index| lines.give_back(index, 0, i32::MAX))
    }

    /// Writes, if nobody does, nobody reads, and nobody has died.
    #[inline(always)]
    pub(super) fn write_at_once(&self) -> Quick {
        let lines = &self.object.lines;
        let Some(thread) = Current::known() else { return Quick::Nothing };
        let Some((head, readers)) = lines.cells().split_at_checked(HEAD) else {
            return Quick::Nothing;
        };
        let writer = &head[MAIN];
        if !writer.take_at_once(thread) {
            return Quick::Nothing;
        }
        // SYNC: see `try_read`.
        let used = writer.count.load(Ordering::SeqCst) as usize;
        let readers = readers.get(..used).unwrap_or(readers);
        if readers.iter().any(|cell| cell.word.load(Ordering::SeqCst) & HOLDER != 0)
            || !lines.is_whole()
        {
            return Quick::TooSoon;
        }
        Quick::Done
    }

    /// Reads, if nobody writes or wants to, and there is a line free.
    pub(super) fn try_read(&self) -> Result<Option<Acquired>, ErrorKind> {
        let lines = &self.object.lines;
        let writer = &lines.cell(MAIN).word;
        match writer.load(Ordering::Relaxed) & HOLDER {
            0 => {}
            RETIRED => return Err(ErrorKind::NotRecoverable),
            _ => return Ok(None),
        }
        let Some(index) = self.take_line()? else { return Ok(None) };
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
    fn take_line(&self) -> Result<Option<usize>, ErrorKind> {
        let lines = &self.object.lines;
        let used = self.used();
        let hint = self.hint();
        let first = hint.load(Ordering::Relaxed).min(used);
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
                hint.store(at, Ordering::Relaxed);
                return Ok(Some(HEAD + at));
            }
        }
        Ok(None)
    }

    /// Where the calling thread keeps its line in mind.
    #[inline]
    fn hint(&self) -> &AtomicUsize {
        // Two threads that share one are only slower.
        &self.hints[Lines::spread() % HINTS]
    }

    /// How many lines have ever been in use: as many as there were readers at once.
    #[inline]
    pub(super) fn used(&self) -> usize {
        let lines = &self.object.lines;
        // SYNC: see `try_read`.
        let used = lines.cell(MAIN).count.load(Ordering::SeqCst);
        (used as usize).min(lines.count() - HEAD)
    }

    /// Ends what the calling thread took last, if that is all there is to do.
    #[inline(always)]
    pub(super) fn unlock_at_once(&self) -> bool {
        let lines = &self.object.lines;
        let Some(thread) = Current::known() else { return false };
        let Some(gate) = gate::word_of(lines) else { return false };
        let Some((index, cell)) = lines.latest_at_once(thread, MAIN) else { return false };
        if index == MAIN {
            cell.give_back_latest(thread, i32::MAX, RETIRED, || true, || ());
        } else {
            // SYNC: the exchange in there comes before this look, in the one order of all that is sequentially consistent.
            cell.give_back_latest(
                thread,
                i32::MAX,
                0,
                || gate::is_quiet(gate),
                move || gate::open(gate, true),
            );
        }
        true
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
        // SYNC: as in `unlock_at_once`.
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A round of the robust form.
//!
//! Each party that has arrived holds a cell, in which the round stands. How many have arrived is not counted but looked at: a
//! party that dies takes its arrival with it. A word carries the round, a version that changes when a party goes away
//! without passing, and whether the barrier is broken; who finds all arrived moves it on, if it is still as it was before the look.

use std::sync::atomic::Ordering;

use nix::errno::Errno;

use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, OWNER_DIED, WAITERS};
use crate::sync::gate::{self, Watched};
use crate::sync::hold::{Sleep, Waiting};
use crate::sync::object::{HEAD, MAIN, Object, WAITING};
use crate::sys::futex;
use crate::time::Timeout;

pub(super) const BROKEN: u32 = 1 << 31;
const VERSION_BITS: u32 = 12;
const VERSION: u32 = (1 << VERSION_BITS) - 1;
const ROUNDS: u32 = BROKEN - 1 - VERSION;

/// A cell's note when its party has joined and not arrived.
pub(super) const ABSENT: u64 = 0;

fn round(state: u32) -> u32 {
    state & ROUNDS
}

/// So many rounds later, with a version of 0.
pub(super) fn later(state: u32, rounds: u32) -> u32 {
    round(state).wrapping_add(rounds << VERSION_BITS) & ROUNDS
}

/// What stands in the cell of a party that has arrived in this round.
pub(super) fn arrival(state: u32) -> u64 {
    u64::from(round(state)) + 1
}

/// Is this the word of a cell whose party has died?
pub(super) fn is_dead(word: u32) -> bool {
    word & HOLDER == 0 && word & OWNER_DIED != 0
}

pub(super) fn broken() -> ErrorKind {
    ErrorKind::Broken("a party has died, or somebody has broken the barrier")
}

/// Takes a free cell for the calling thread.
pub(super) fn take_place(object: &Object) -> Result<usize, ErrorKind> {
    let lines = &object.lines;
    for index in HEAD..lines.count() {
        let word = lines.cell(index).word.load(Ordering::SeqCst);
        if is_dead(word) {
            break_it(object);
            return Err(broken());
        }
        if word & HOLDER == 0 && lines.attempt(index)?.take(word, word & WAITERS).is_ok() {
            return Ok(index);
        }
    }
    Err(ErrorKind::Busy("more threads than it has parties use the barrier".into()))
}

pub(super) fn break_it(object: &Object) {
    let state = &object.lines.cell(MAIN).state;
    state.fetch_or(BROKEN, Ordering::SeqCst);
    futex::wake(state, i32::MAX);
}

/// A party that has arrived. Dropping it takes the arrival back.
pub(super) struct Round<'a> {
    object: &'a Object,
    index: usize,
    joined: bool,
    /// The state at the arrival.
    began: u32,
}

/// What a look at the barrier tells.
enum Seen<'a> {
    Passed,
    Last,
    Wait { state: u32, watched: Watched<'a> },
}

impl<'a> Round<'a> {
    pub(super) fn arrive(object: &'a Object) -> Result<Self, ErrorKind> {
        let lines = &object.lines;
        let state = &lines.cell(MAIN).state;
        if state.load(Ordering::SeqCst) & BROKEN != 0 {
            return Err(broken());
        }
        let mine = lines.latest_of_mine(HEAD)?;
        let index = if let Some(index) = mine {
            index
        } else {
            let index = take_place(object)?;
            lines.cell(index).kind.store(0, Ordering::Relaxed);
            index
        };
        // No round can end between these two without this party.
        let began = state.load(Ordering::SeqCst);
        // SYNC: sequentially consistent, before the looks of all others; a release for what this party has written.
        lines.cell(index).note.store(arrival(began), Ordering::SeqCst);
        Ok(Self { object, index, joined: mine.is_some(), began })
    }

    pub(super) fn wait(self, timeout: Timeout) -> Result<bool, ErrorKind> {
        let lines = &self.object.lines;
        let mut sleep = Sleep::new(timeout);
        let mut waiting = None;
        loop {
            let (state, watched) = match self.look()? {
                Seen::Passed => return lines.check().map(|()| false),
                Seen::Last => return lines.check().map(|()| true),
                Seen::Wait { state, watched } => (state, watched),
            };
            let slept = sleep.check_try().and_then(|()| sleep.limit()).and_then(|limit| {
                waiting.get_or_insert_with(|| Waiting::announce(lines.words(WAITING)));
                lines.check()?;
                match gate::doze(&lines.cell(MAIN).state, state, watched, limit) {
                    Ok(()) | Err(Errno::EAGAIN) => Ok(()),
                    Err(Errno::ETIMEDOUT) => {
                        sleep.lengthen();
                        for index in HEAD..lines.count() {
                            lines.bury(index);
                        }
                        Ok(())
                    }
                    Err(errno) => Err(errno.into()),
                }
            });
            if let Err(kind) = slept {
                // Unless all have arrived at the last moment.
                return if self.take_back()? { Err(kind) } else { Ok(false) };
            }
        }
    }

    fn look(&self) -> Result<Seen<'a>, ErrorKind> {
        let lines = &self.object.lines;
        let state_word = &lines.cell(MAIN).state;
        loop {
            // SYNC: before the look at the cells, so that an arrival that is taken back meanwhile is noticed.
            let state = state_word.load(Ordering::SeqCst);
            if let Some(result) = self.ended(state) {
                return result.map(|()| Seen::Passed);
            }
            let mut arrived = 0;
            for cell in &lines.cells()[HEAD..] {
                let word = cell.word.load(Ordering::SeqCst);
                if is_dead(word) {
                    break_it(self.object);
                    return Err(broken());
                }
                if word & HOLDER != 0 && cell.note.load(Ordering::SeqCst) == arrival(state) {
                    arrived += 1;
                }
            }
            if arrived >= lines.count() - HEAD {
                let next = later(state, 1);
                let moved =
                    state_word.compare_exchange(state, next, Ordering::SeqCst, Ordering::SeqCst);
                if moved.is_ok() {
                    futex::wake(state_word, i32::MAX);
                    return Ok(Seen::Last);
                }
                continue;
            }
            // All but the own one, which this thread cannot outlive.
            let before = gate::watch(lines, HEAD..self.index, is_dead);
            let after = gate::watch(lines, self.index + 1..lines.count(), is_dead);
            if let (Some(mut watched), Some(after)) = (before, after) {
                watched.extend(after);
                return Ok(Seen::Wait { state, watched });
            }
        }
    }

    /// Has the round ended, and how?
    fn ended(&self, state: u32) -> Option<Result<(), ErrorKind>> {
        if round(state) == later(self.began, 1) {
            return Some(Ok(()));
        }
        if state & BROKEN != 0 || round(state) != round(self.began) {
            return Some(Err(broken()));
        }
        None
    }

    /// Takes the arrival back. False when the round has ended well meanwhile.
    fn take_back(&self) -> Result<bool, ErrorKind> {
        let cell = self.object.lines.cell(self.index);
        cell.note.store(ABSENT, Ordering::SeqCst);
        let state = &self.object.lines.cell(MAIN).state;
        loop {
            let seen = state.load(Ordering::SeqCst);
            if let Some(ended) = self.ended(seen) {
                return ended.map(|()| false);
            }
            // Whoever has counted this arrival already finds that it must count again.
            let next = round(seen) | (seen.wrapping_add(1) & VERSION);
            if state.compare_exchange(seen, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return Ok(true);
            }
        }
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let lines = &self.object.lines;
        lines.cell(self.index).note.store(ABSENT, Ordering::SeqCst);
        if !self.joined {
            let _ = lines.give_back(self.index, 0, i32::MAX);
        }
    }
}

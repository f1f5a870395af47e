// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines as servers see them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::Question;
use super::super::message::{FAILED, Header, LAST};
use super::{
    ALL, ANSWERED, ANSWERING, ELSEWHERE, MOMENT, REFUSED, Taken, WHOSE, Word, watched, words,
};
use crate::channel::aside::Aside;
use crate::channel::layout::{DIRECT, Direct, Participant};
use crate::channel::memory::Memory;
use crate::channel::participant::{Ticket, is_present};
use crate::channel::ring::fill;
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU64, fence};
use crate::sys::membarrier;

/// A client that has asked so many short questions in a row is looked at instead of another.
const OFTEN: u32 = 32;

/// How long any processor may take to show a store, where there is no barrier for all.
const SETTLED: Duration = Duration::from_millis(10);

/// The lines as servers see them.
#[derive(Debug, Clone)]
pub(in crate::channel) struct Lines {
    all: Arc<[Part<Direct>]>,
    watch: Part<AtomicU64>,
    slots: Arc<[Part<Participant>]>,
}

/// A question that nobody has taken.
#[derive(Debug, Clone, Copy)]
pub(in crate::channel) struct Asked {
    slot: usize,
    word: Word,
}

impl Lines {
    pub(in crate::channel) fn of(memory: &Memory) -> Self {
        Self {
            all: Arc::clone(&memory.lines),
            watch: memory.control.project(|control| &control.watch.0),
            slots: Arc::clone(&memory.slots),
        }
    }

    #[inline]
    fn at(&self, slot: usize) -> Option<Asked> {
        let line = self.all.get(slot)?;
        // SYNC: acquire pairs with the release in `Line::ask`.
        let word = Word(line.word.load(Ordering::Acquire));
        let is_new = word.is_question() && Taken::of(line).by(word.question()).is_none();
        is_new.then_some(Asked { slot, word })
    }

    /// Looks at all lines, that which is watched the last. Nothing there: nobody needs to look at all any more.
    #[cold]
    fn look_everywhere(&self, watch: u64) -> Option<Asked> {
        // SYNC: who has asked without having seen the change is seen after this; pairs with the compiler fence in `Line::ask`.
        if !membarrier::everywhere() {
            std::thread::sleep(SETTLED);
        }
        let count = self.all.len();
        let first = watched(watch).slot(count).map_or(0, |slot| slot + 1);
        let found = (first..first + count).find_map(|slot| self.at(slot % count));
        if found.is_none() {
            let nobody = watch & (ALL - 1);
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            let _ = self.watch.compare_exchange(watch, nobody, success, failure);
        }
        found
    }

    /// With the turn: copies a question out, and takes it.
    ///
    /// Errors: `EPROTO` if it changed meanwhile, which it does not unless somebody breaks the rules.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a question is its call")]
    pub(in crate::channel) fn take(
        &self,
        asked: Asked,
        me: Ticket,
        question: &mut Question,
    ) -> Result<(), ErrorKind> {
        let Asked { slot, word } = asked;
        let line = &self.all[slot];
        question.bytes.put(words(line), word.length());
        // SYNC: pairs with the release in `Line::ask`.
        fence(Ordering::Acquire);
        let is_whole = line.word.load(Ordering::Relaxed) == word.0;
        let taken = u64::from(word.question()) << 32 | u64::from(me.0);
        // SYNC: release pairs with the acquire in `Taken::of`.
        line.taken.store(taken, Ordering::Release);
        if !is_whole {
            return Err(question.damaged());
        }
        question.header =
            Header { client: word.asker(slot).0, call: word.question() as u16, what: 0 };
        let moment = if word.has_moment() { question.bytes.first_chunk() } else { None };
        question.deadline = moment.map(|at| Duration::from_nanos(u64::from_ne_bytes(*at)));
        question.payload = if word.has_moment() { MOMENT } else { 0 };
        question.word = word;
        Ok(())
    }

    /// Answers in the line of this slot; false when the answer must go through the ring.
    #[inline]
    pub(in crate::channel) fn answer(
        &self,
        slot: usize,
        word: Word,
        what: u16,
        payload: &[u8],
    ) -> bool {
        let Some(line) = self.all.get(slot) else { return false };
        let is_short = payload.len() <= DIRECT && matches!(what, LAST | FAILED);
        let next = word.to(if is_short { ANSWERING } else { ELSEWHERE });
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        // SYNC: acquire: what is written here from now on comes after what the client has written.
        let is_mine = line.word.compare_exchange(word.0, next.0, success, failure).is_ok();
        if !is_mine || !is_short {
            return false;
        }
        fill(&line.body, [], payload);
        let state = if what == LAST { ANSWERED } else { REFUSED };
        // SYNC: release pairs with the acquire in `Line::look`.
        line.word.store(word.0 & WHOSE | (payload.len() as u64) << 8 | state, Ordering::Release);
        true
    }

    /// From now on servers look at this client's line; instead of that of another one who is there only if it asks often.
    pub(in crate::channel) fn watch(&self, client: Ticket, is_often: bool) {
        let watch = self.watch.load(Ordering::Relaxed);
        let before = watched(watch);
        if before == client {
            return;
        }
        let slot = before.slot(self.all.len());
        let is_in_use = slot.is_some_and(|slot| is_present(&self.slots[slot], before, slot));
        if is_in_use && !is_often {
            return;
        }
        // What may be in his line, or comes there now, is found by who looks at all.
        let may_be = is_in_use || slot.is_some_and(|slot| self.at(slot).is_some());
        let all = (watch & !(ALL - 1)).wrapping_add(if may_be { ALL } else { 0 });
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let next = all | u64::from(client.0);
        let _ = self.watch.compare_exchange(watch, next, success, failure);
    }
}

impl Aside for Lines {
    type Thing = Asked;

    #[inline]
    fn is_there(&self) -> bool {
        // SYNC: acquire pairs with whoever changes it.
        let watch = self.watch.load(Ordering::Acquire);
        watch >= ALL || watched(watch).slot(self.all.len()).is_some_and(|at| self.at(at).is_some())
    }

    #[inline]
    fn glimpse(&self) -> Option<Asked> {
        // SYNC: as above.
        let watch = self.watch.load(Ordering::Acquire);
        self.at(watched(watch).slot(self.all.len())?)
    }

    #[inline]
    fn look(&self) -> Option<Asked> {
        // SYNC: as above.
        let watch = self.watch.load(Ordering::Acquire);
        if watch >= ALL {
            return self.look_everywhere(watch);
        }
        self.at(watched(watch).slot(self.all.len())?)
    }

    /// Of one client's questions that in the line is the older one.
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is the ticket")]
    fn precedes(asked: &Asked, word: u64) -> bool {
        asked.word.asker(asked.slot).0 == word as u32
    }
}

/// Who has asked short questions in a row, as one server has seen it.
#[derive(Debug, Default)]
pub(in crate::channel) struct Regular {
    client: u32,
    times: u32,
}

impl Regular {
    /// One more question has come, through the ring.
    #[inline]
    pub(in crate::channel) fn note(&mut self, client: u32, length: usize, lines: &Lines) {
        if length > DIRECT {
            return;
        }
        self.times = if client == self.client { self.times.saturating_add(1) } else { 0 };
        self.client = client;
        if self.times > 0 {
            lines.watch(Ticket(client), self.times >= OFTEN);
        }
    }

    /// One has come by the line.
    #[inline]
    pub(in crate::channel) fn note_direct(&mut self) {
        self.times = 0;
    }
}

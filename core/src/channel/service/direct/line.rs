// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client's own line.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::message::{FAILED, HEADER, Header, LAST};
use super::{
    ALL, ANSWERING, ASKED, FREE, HAS_MOMENT, MOMENT, REFUSED, Taken, Word, watched, words,
};
use crate::channel::aside::Aside;
use crate::channel::layout::{DIRECT, Direct, Participant};
use crate::channel::participant::{Ticket, is_dead};
use crate::channel::ring::{fill, get};
use crate::channel::seat::Seat;
use crate::error::ErrorKind;
use crate::map::bytes::refill;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU64, compiler_fence, fence};

/// A client's own line.
#[derive(Debug)]
pub(in crate::channel) struct Line {
    own: Part<Direct>,
    watch: Part<AtomicU64>,
    slots: Arc<[Part<Participant>]>,
    /// The word of the question that is waited for; 0 for none. Shared with who waits in another thread.
    asked: Arc<AtomicU64>,
    ticket: Ticket,
    /// Of the last question in this line.
    number: u16,
}

/// The answer in a client's own line.
#[derive(Debug, Clone)]
pub(in crate::channel) struct Reply {
    line: Part<Direct>,
    asked: Arc<AtomicU64>,
}

impl Line {
    /// Errors: `EPROTO` when there is none.
    pub(in crate::channel) fn of(seat: &Seat) -> Result<Self, ErrorKind> {
        let memory = &seat.memory;
        let Some(line) = memory.lines.get(seat.slot).cloned() else {
            return Err(ErrorKind::Layout("the service has no direct lines".into()));
        };
        // The numbers go on where the client before has stopped.
        let before = Word(line.word.load(Ordering::Relaxed)).question();
        Ok(Self {
            own: line,
            watch: memory.control.project(|control| &control.watch.0),
            slots: Arc::clone(&memory.slots),
            asked: Arc::default(),
            ticket: seat.ticket,
            number: (before >> 16) as u16,
        })
    }

    pub(in crate::channel) fn reply(&self) -> Reply {
        Reply { line: self.own.clone(), asked: Arc::clone(&self.asked) }
    }

    pub(in crate::channel) fn line(&self) -> &Part<Direct> {
        &self.own
    }

    /// Can a question be asked here?
    #[inline]
    pub(in crate::channel) fn is_free(&self) -> bool {
        // SYNC: relaxed: it is looked at again after the question.
        let is_watched = watched(self.watch.load(Ordering::Relaxed)) == self.ticket;
        if !is_watched || self.asked.load(Ordering::Relaxed) != 0 {
            return false;
        }
        // SYNC: acquire: what is written here from now on comes after what was written by a server.
        let word = Word(self.own.word.load(Ordering::Acquire));
        !matches!(word.state(), ASKED | ANSWERING) || self.take_back(word)
    }

    /// Nobody waits for this answer any more, which comes from a server that may have died.
    #[cold]
    fn take_back(&self, word: Word) -> bool {
        // A question that was not taken will be.
        let Some(server) = Taken::of(&self.own).by(word.question()) else { return false };
        if word.state() == ANSWERING && !is_dead(&self.slots, server) {
            return false;
        }
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        // SYNC: as in `is_free`.
        self.own.word.compare_exchange(word.0, word.to(FREE).0, success, failure).is_ok()
    }

    /// Asks in the line, which is free; which question of the line and the client it is. Who sleeps must be woken after it.
    #[inline]
    pub(in crate::channel) fn ask(
        &mut self,
        call: u16,
        moment: Option<u64>,
        question: &[u8],
        fences: bool,
    ) -> u32 {
        self.number = self.number.wrapping_add(1).max(1);
        let (before, has_moment) = if let Some(moment) = moment {
            fill(&self.own.body, [moment], question);
            (MOMENT, HAS_MOMENT)
        } else {
            fill(&self.own.body, [], question);
            (0, 0)
        };
        let length = (before + question.len()) as u64;
        let whose = u64::from(self.number) << 48
            | u64::from(call) << 32
            | u64::from(self.ticket.0 & 0xffff_0000);
        let word = Word(whose | length << 8 | has_moment | ASKED);
        // SYNC: relaxed: this thread's own, and what others do with it they look up again.
        self.asked.store(word.0, Ordering::Relaxed);
        // SYNC: release pairs with the acquire in `Lines::at`.
        self.own.word.store(word.0, Ordering::Release);
        // SYNC: pairs with the barrier in `look_everywhere`.
        if fences {
            fence(Ordering::SeqCst);
        } else {
            compiler_fence(Ordering::SeqCst);
        }
        if watched(self.watch.load(Ordering::Relaxed)) != self.ticket {
            self.watch.fetch_add(ALL, Ordering::AcqRel);
        }
        word.question()
    }

    /// The answer to this call is not waited for any more.
    #[inline]
    pub(in crate::channel) fn forget(&self, call: u16) {
        if self.asked(call).is_some() {
            self.asked.store(0, Ordering::Relaxed);
        }
    }

    /// The word of the question of this call, if it is in the line.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a question is its call")]
    pub(in crate::channel) fn asked(&self, call: u16) -> Option<Word> {
        let asked = Word(self.asked.load(Ordering::Relaxed));
        (asked != Word::NONE && asked.question() as u16 == call).then_some(asked)
    }

    /// Copies the answer to it out, if it is there and no error: all words of the line, and how many bytes count.
    #[inline]
    pub(in crate::channel) fn answer(&self, asked: Word) -> Option<([u64; DIRECT / 8], usize)> {
        // SYNC: acquire pairs with the release in `Lines::answer`.
        let word = Word(self.own.word.load(Ordering::Acquire));
        let is_here = word.answers(asked.0) && word.state() != REFUSED;
        is_here.then(|| (words(&self.own), word.length()))
    }

    /// Copies the answer that this word tells of out, with the word that answers begin with. It comes once.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a question is its call")]
    pub(in crate::channel) fn read(&self, word: Word, bytes: &mut Vec<u8>) {
        let what = if word.state() == REFUSED { FAILED } else { LAST };
        let header = Header { client: self.ticket.0, call: word.question() as u16, what };
        self.asked.store(0, Ordering::Relaxed);
        refill(bytes, HEADER + word.length(), |room| {
            let (first, body) = room.split_at_mut(HEADER);
            first.copy_from_slice(&header.word().to_ne_bytes().map(MaybeUninit::new));
            get(&self.own.body, body);
        });
    }
}

impl Aside for Reply {
    type Thing = Word;

    #[inline]
    fn is_there(&self) -> bool {
        self.look().is_some()
    }

    #[inline]
    fn glimpse(&self) -> Option<Word> {
        self.look()
    }

    #[inline]
    fn look(&self) -> Option<Word> {
        let asked = self.asked.load(Ordering::Relaxed);
        // SYNC: acquire pairs with the release in `Lines::answer`.
        let word = Word(self.line.word.load(Ordering::Acquire));
        (asked != 0 && word.answers(asked)).then_some(word)
    }

    /// One answer or the other: each is to a call of its own.
    fn precedes(_: &Word, _: u64) -> bool {
        false
    }
}

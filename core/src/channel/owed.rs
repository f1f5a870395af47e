// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client waits for: an answer, or the news that whoever owes it is dead; to any of its calls, or to one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::layout::{CALLS, Direct, Participant};
use super::participant::{Ticket, is_dead};
use super::room::Room;
use super::service::direct::Taken;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU32, AtomicU64};
use crate::watch::Source;

/// A call that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    /// The call's number (lower half), and of one that was asked by the line its question's there (upper half, never 0).
    question: u32,
    /// Where the question ends in the ring.
    end: u64,
}

impl Open {
    pub(super) fn in_ring(number: u16, end: u64) -> Self {
        Self { question: number.into(), end }
    }

    pub(super) fn direct(question: u32) -> Self {
        Self { question, end: 1 }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(super) fn number(self) -> u16 {
        self.question as u16
    }

    /// In the place of a call that was given up before its answer came: so long nobody else gets its number, which comes round after
    /// 65536 calls and would make the late answer his. It has a number that no call in this place can have.
    pub(super) fn given_up(number: u16) -> Self {
        Self { question: u32::from(number ^ 1), end: 0 }
    }

    /// Is it in the place of a call that was given up?
    pub(super) fn is_given_up(self) -> bool {
        self.end == 0
    }

    /// Is it in the place of that one?
    pub(super) fn is_in_place_of(self, number: u16) -> bool {
        self.is_given_up() && self.number() == number ^ 1
    }

    /// Which server has taken the question, when all in the ring was taken up to there.
    pub(super) fn taken_by(
        self,
        taken: impl FnOnce() -> u64,
        line: &Direct,
        slot: &Participant,
    ) -> Option<Ticket> {
        if self.question >> 16 != 0 {
            return Taken::of(line).by(self.question);
        }
        // First whether it was taken: then the server that is found is the one that took it, not one that died before it could. A
        // question that is still in the queue is the next server's, whoever looked at it.
        let was_taken = taken() >= self.end;
        // SYNC: acquire pairs with the release of the server.
        let owed = slot.calls[usize::from(self.number()) % CALLS].load(Ordering::Acquire);
        #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
        let (call, server) = ((owed >> 32) as u32, Ticket(owed as u32));
        (was_taken && server.0 != 0 && call == self.question).then_some(server)
    }
}

/// The calls that are open, for the thread that waits.
#[derive(Debug, Default)]
pub(super) struct Owed([OpenCall; CALLS]);

#[derive(Debug, Default)]
struct OpenCall {
    /// Where its question ends; 0 when it is not open.
    end: AtomicU64,
    /// See [`Open`].
    question: AtomicU32,
    /// There is an answer to it that was received while another one was waited for.
    early: AtomicBool,
}

impl OpenCall {
    fn get(&self) -> Option<Open> {
        // SYNC: acquire pairs with the release in `set`.
        let end = self.end.load(Ordering::Acquire);
        (end != 0).then(|| Open { question: self.question.load(Ordering::Relaxed), end })
    }
}

impl Owed {
    fn place(&self, number: u16) -> &OpenCall {
        &self.0[usize::from(number) % CALLS]
    }

    pub(super) fn set(&self, open: Open) {
        let call = self.place(open.number());
        call.question.store(open.question, Ordering::Relaxed);
        // SYNC: release pairs with the acquire in `get`.
        call.end.store(open.end, Ordering::Release);
    }

    pub(super) fn set_early(&self, number: u16, early: bool) {
        // SYNC: release pairs with the acquire in `is_ready`: the ring was empty only after this.
        self.place(number).early.store(early, Ordering::Release);
    }

    pub(super) fn clear(&self, number: u16) {
        let call = self.place(number);
        call.early.store(false, Ordering::Relaxed);
        call.end.store(0, Ordering::Release);
    }

    fn is_open(&self, number: u16) -> bool {
        self.place(number).get().is_some_and(|open| open.number() == number)
    }
}

/// An answer, or a dead server.
pub(super) struct Answers {
    pub(super) ring: Arc<dyn Source>,
    pub(super) owed: Arc<Owed>,
    pub(super) slots: Arc<[Part<Participant>]>,
    pub(super) slot: usize,
    pub(super) line: Part<Direct>,
    /// Of the questions.
    pub(super) room: Room,
    /// The one that is waited for, or any.
    pub(super) call: Option<u16>,
    /// At the last look one server was dead.
    pub(super) orphaned: AtomicBool,
}

impl Answers {
    /// Their places.
    fn calls(&self) -> impl Iterator<Item = usize> {
        let one = self.call.map(|number| usize::from(number) % CALLS);
        (0..CALLS).filter(move |place| one.is_none_or(|one| one == *place))
    }

    /// Was an answer received while another one was waited for?
    fn is_early(&self) -> bool {
        // SYNC: acquire pairs with the release in `set_early`.
        self.calls().any(|place| self.owed.0[place].early.load(Ordering::Acquire))
    }

    /// Is there nothing to wait for any more?
    fn is_over(&self) -> bool {
        self.call.is_some_and(|number| !self.owed.is_open(number))
    }

    /// Is there a call whose question a server has taken that is dead now?
    fn is_orphaned(&self) -> bool {
        let (slot, taken) = (&self.slots[self.slot], self.room.taken());
        self.calls().filter_map(|place| self.owed.0[place].get()).any(|open| {
            open.taken_by(|| taken, &self.line, slot)
                .is_some_and(|server| is_dead(&self.slots, server))
        })
    }
}

impl Source for Answers {
    fn is_ready(&self) -> bool {
        self.ring.is_ready()
            || self.is_early()
            || self.is_over()
            || self.orphaned.load(Ordering::Relaxed) && self.is_orphaned()
    }

    fn lie_down(&self) -> Option<(usize, u32)> {
        self.ring.lie_down()
    }

    fn word(&self, which: usize) -> Option<&AtomicU32> {
        self.ring.word(which)
    }

    fn get_up(&self) {
        self.ring.get_up();
    }

    fn look(&self) {
        self.orphaned.store(self.is_orphaned(), Ordering::Relaxed);
    }
}

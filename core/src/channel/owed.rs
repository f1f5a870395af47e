// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client waits for: an answer, or the news that whoever owes it is dead; to any of its calls, or to one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::layout::{CALLS, Participant};
use super::participant::{Ticket, is_dead};
use super::room::Room;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU32, AtomicU64};
use crate::watch::Source;

/// The calls that are open, for the thread that waits.
#[derive(Debug, Default)]
pub(super) struct Owed([OpenCall; CALLS]);

#[derive(Debug, Default)]
struct OpenCall {
    /// Where its question ends; 0 when it is not open.
    end: AtomicU64,
    number: AtomicU32,
    /// There is an answer to it that was received while another one was waited for.
    early: AtomicBool,
}

impl Owed {
    fn place(&self, number: u16) -> &OpenCall {
        &self.0[usize::from(number) % CALLS]
    }

    pub(super) fn set(&self, number: u16, end: u64) {
        let call = self.place(number);
        call.number.store(number.into(), Ordering::Relaxed);
        // SYNC: release pairs with the acquire in `is_open` and `is_orphaned`.
        call.end.store(end, Ordering::Release);
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
        let call = self.place(number);
        call.end.load(Ordering::Acquire) != 0
            && call.number.load(Ordering::Relaxed) == number.into()
    }
}

/// An answer, or a dead server.
pub(super) struct Answers {
    pub(super) ring: Arc<dyn Source>,
    pub(super) owed: Arc<Owed>,
    pub(super) slots: Arc<[Part<Participant>]>,
    pub(super) slot: usize,
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
        let taken = self.room.taken();
        self.calls().any(|place| {
            let call = &self.owed.0[place];
            let owed = &self.slots[self.slot].calls[place];
            // SYNC: acquire pairs with the release in `set`.
            let end = call.end.load(Ordering::Acquire);
            let number = call.number.load(Ordering::Relaxed);
            // SYNC: acquire pairs with the release of the server.
            let owed = owed.load(Ordering::Acquire);
            #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
            let (owed, server) = ((owed >> 32) as u32, Ticket(owed as u32));
            end != 0
                && end <= taken
                && server.0 != 0
                && owed == number
                && is_dead(&self.slots, server)
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

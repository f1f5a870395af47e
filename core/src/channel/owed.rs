// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client waits for: an answer, or the news that whoever owes it is dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::layout::{CALLS, Participant};
use super::participant::{Ticket, is_dead};
use super::room::Room;
use crate::map::mirror::Part;
use crate::watch::Source;

/// The calls that are open, for the thread that waits: where each question ends (0: it is not open), and its number.
#[derive(Debug, Default)]
pub(super) struct Owed([(AtomicU64, AtomicU32); CALLS]);

impl Owed {
    pub(super) fn set(&self, number: u16, end: u64) {
        let (its_end, its_number) = &self.0[usize::from(number) % CALLS];
        its_number.store(number.into(), Ordering::Relaxed);
        // SYNC: release pairs with the acquire in `is_orphaned`.
        its_end.store(end, Ordering::Release);
    }

    pub(super) fn clear(&self, number: u16) {
        self.0[usize::from(number) % CALLS].0.store(0, Ordering::Relaxed);
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
    /// At the last look one server was dead.
    pub(super) orphaned: AtomicBool,
}

impl Answers {
    /// Is there a call whose question a server has taken that is dead now?
    fn is_orphaned(&self) -> bool {
        let taken = self.room.taken();
        let mut calls = self.owed.0.iter().zip(&self.slots[self.slot].calls);
        calls.any(|((end, number), owed)| {
            // SYNC: acquire pairs with the release in `set`.
            let end = end.load(Ordering::Acquire);
            // SYNC: acquire pairs with the release of the server.
            let owed = owed.load(Ordering::Acquire);
            #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
            let (call, server) = ((owed >> 32) as u32, Ticket(owed as u32));
            end != 0
                && end <= taken
                && server.0 != 0
                && call == number.load(Ordering::Relaxed)
                && is_dead(&self.slots, server)
        })
    }
}

impl Source for Answers {
    fn is_ready(&self) -> bool {
        self.ring.is_ready() || self.orphaned.load(Ordering::Relaxed) && self.is_orphaned()
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

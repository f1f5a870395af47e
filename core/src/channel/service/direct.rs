// SPDX-License-Identifier: MIT OR Apache-2.0
//! The direct line: question and answer in one line of memory.
//!
//! A question in the ring and an answer in another one are two lines that move between two processors, each of them there and back. A client
//! that asks one short thing after the other writes the question into a line of its own, and the server the answer into the
//! same one: by then it has it. The line is a ring of one question, and all that is said of the ring holds for it:
//!
//! - **Asked** is what the line's word says, written after the question. **Taken** is a question when [`Direct::taken`] names it and a
//!   server: one store, by whoever has the consumers' turn, which stands in a line that no client polls. So each question is taken once, by a server
//!   that is known should it die, and one that nobody has taken is the next server's.
//! - **The line is the server's** from the moment when he changes its word from *asked* to *being answered*, by compare and exchange, until he has
//!   answered. The client takes it back in the same way when it waits no more, but only once the question was taken: no question is lost, and a
//!   server that comes late finds the line gone and answers through the ring, where nobody waits for it. While a server that lives is in
//!   between nobody else writes there, not even the next client in this place.
//! - **Servers look at one line**, that of [`Control::watch`](crate::channel::layout::Control::watch): the client's that asked short questions last. Another one that asks so often
//!   in a row gets it instead. So idle clients cost nothing, and a line that is not looked at is not asked in: a client looks at the word
//!   before it asks, and once more after it (whoever changes it lets all processors pass a barrier then). If it has changed meanwhile, somebody must look at
//!   all lines once: that is said in the upper half of the same word, by one store together with the change, so that no death
//!   comes in between, and taken back by who has looked in vain.
//! - **Order.** Nobody asks in the line while a question of his in the ring was not taken; and what is in the line is taken before what he has put
//!   into the ring since. Otherwise line and ring go by turns, as long as both have something.
//!
//! All else goes through the rings: what is longer, several calls at once after the first, answers in parts.

mod line;
mod lines;

use std::sync::atomic::Ordering;

use crate::channel::layout::{DIRECT, Direct};
use crate::channel::participant::Ticket;

pub(super) use line::{Line, Reply};
pub(in crate::channel) use lines::Lines;
pub(super) use lines::Regular;

/// What a line's word says, see [`crate::channel::layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::channel) struct Word(u64);

const STATE: u64 = 0xff;
const FREE: u64 = 0;
const ASKED: u64 = 1;
const ANSWERING: u64 = 2;
const ANSWERED: u64 = 3;
const REFUSED: u64 = 4;
const ELSEWHERE: u64 = 5;

const HAS_MOMENT: u64 = 1 << 15;
/// How many bytes a moment has.
const MOMENT: usize = 8;
/// What the length and the state are beside.
const WHOSE: u64 = !0xffff;

impl Word {
    pub(super) const NONE: Self = Self(0);

    fn state(self) -> u64 {
        self.0 & STATE
    }

    #[allow(clippy::cast_possible_truncation, reason = "a part of it")]
    fn length(self) -> usize {
        usize::from((self.0 >> 8) as u8 & 0x7f)
    }

    /// The same question in this state.
    fn to(self, state: u64) -> Self {
        Self(self.0 & !STATE | state)
    }

    /// Which question: the line's number and the call's.
    #[allow(clippy::cast_possible_truncation, reason = "the upper half")]
    pub(super) fn question(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Who has asked it in this place.
    #[allow(clippy::cast_possible_truncation, reason = "the parts of a word")]
    fn asker(self, slot: usize) -> Ticket {
        Ticket(self.0 as u32 & 0xffff_0000 | (slot as u32 + 1))
    }

    #[inline]
    fn has_moment(self) -> bool {
        self.0 & HAS_MOMENT != 0
    }

    /// Can it be a question?
    #[inline]
    fn is_question(self) -> bool {
        let least = if self.has_moment() { MOMENT } else { 0 };
        self.state() == ASKED && (least..=DIRECT).contains(&self.length())
    }

    /// Can it be the answer to this question?
    #[inline]
    fn answers(self, asked: u64) -> bool {
        (self.0 ^ asked) & WHOSE == 0
            && matches!(self.state(), ANSWERED | REFUSED)
            && self.length() <= DIRECT
    }
}

/// Who has taken which question.
#[derive(Debug, Clone, Copy)]
pub(in crate::channel) struct Taken(u64);

impl Taken {
    #[inline]
    pub(in crate::channel) fn of(line: &Direct) -> Self {
        // SYNC: acquire pairs with the release in `take`.
        Self(line.taken.load(Ordering::Acquire))
    }

    /// Who has taken this one?
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(in crate::channel) fn by(self, question: u32) -> Option<Ticket> {
        ((self.0 >> 32) as u32 == question).then_some(Ticket(self.0 as u32))
    }
}

/// Whose line servers look at.
#[allow(clippy::cast_possible_truncation, reason = "the lower half")]
fn watched(watch: u64) -> Ticket {
    Ticket(watch as u32)
}

/// Somebody must look at all lines: one time more.
const ALL: u64 = 1 << 32;

/// All that a line holds.
#[inline]
fn words(line: &Direct) -> [u64; DIRECT / 8] {
    // SYNC: relaxed: after the acquire with which the caller has found it, before the fence with which he checks it.
    line.body.each_ref().map(|word| word.load(Ordering::Relaxed))
}

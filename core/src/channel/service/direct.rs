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

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::message::{FAILED, HAS_DEADLINE, HEADER, Header, LAST};
use crate::channel::aside::Aside;
use crate::channel::layout::{DIRECT, Direct, Participant};
use crate::channel::memory::Memory;
use crate::channel::participant::{Ticket, is_dead, is_present};
use crate::channel::ring::{fill, get};
use crate::channel::seat::Seat;
use crate::error::ErrorKind;
use crate::map::bytes::{Bytes, refill};
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU64, compiler_fence, fence};
use crate::sys::membarrier;

/// A client that has asked so many short questions in a row is looked at instead of another.
const OFTEN: u32 = 32;

/// How long any processor may take to show a store, where there is no barrier for all.
const SETTLED: std::time::Duration = std::time::Duration::from_millis(10);

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
/// What the length and the state are beside.
const WHOSE: u64 = !0xffff;

impl Word {
    pub(super) const NONE: Self = Self(0);

    fn state(self) -> u64 {
        self.0 & STATE
    }

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

    /// Can it be a question?
    #[inline]
    fn is_question(self) -> bool {
        let least = if self.0 & HAS_MOMENT == 0 { 0 } else { 8 };
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

/// The lines as servers see them.
#[derive(Debug, Clone)]
pub(in crate::channel) struct Lines {
    lines: Arc<[Part<Direct>]>,
    watch: Part<AtomicU64>,
    slots: Arc<[Part<Participant>]>,
}

/// A question that nobody has taken.
#[derive(Debug)]
pub(in crate::channel) struct Asked {
    slot: usize,
    word: Word,
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half")]
fn watched(watch: u64) -> Ticket {
    Ticket(watch as u32)
}

/// Somebody must look at all lines: one time more.
const ALL: u64 = 1 << 32;

impl Lines {
    pub(in crate::channel) fn of(memory: &Memory) -> Self {
        Self {
            lines: Arc::clone(&memory.lines),
            watch: memory.control.project(|control| &control.watch.0),
            slots: Arc::clone(&memory.slots),
        }
    }

    #[inline]
    fn at(&self, slot: usize) -> Option<Asked> {
        let line = self.lines.get(slot)?;
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
        let count = self.lines.len();
        let first = watched(watch).slot(count).map_or(0, |slot| slot + 1);
        let found = (first..first + count).find_map(|slot| self.at(slot % count));
        if found.is_none() {
            let nobody = watch & (ALL - 1);
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            let _ = self.watch.compare_exchange(watch, nobody, success, failure);
        }
        found
    }

    /// With the turn: copies a question out, behind the word that questions begin with, and takes it. Nothing is copied if it changed
    /// meanwhile, which it does not unless somebody breaks the rules.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a question is its call")]
    pub(super) fn take(&self, asked: Asked, me: Ticket, bytes: &mut Bytes) -> Word {
        let Asked { slot, word } = asked;
        let line = &self.lines[slot];
        let what = if word.0 & HAS_MOMENT == 0 { 0 } else { HAS_DEADLINE };
        let header = Header { client: word.asker(slot).0, call: word.question() as u16, what };
        bytes.refill(HEADER + word.length(), |room| copy(header, line, room));
        // SYNC: pairs with the release in `Line::ask`.
        fence(Ordering::Acquire);
        if line.word.load(Ordering::Relaxed) != word.0 {
            bytes.refill(0, |_| ());
        }
        let taken = u64::from(word.question()) << 32 | u64::from(me.0);
        // SYNC: release pairs with the acquire in `Taken::of`.
        line.taken.store(taken, Ordering::Release);
        word
    }

    /// Answers in the line of this slot; false when the answer must go through the ring.
    #[inline]
    pub(super) fn answer(&self, slot: usize, word: Word, what: u16, payload: &[u8]) -> bool {
        let Some(line) = self.lines.get(slot) else { return false };
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
        let slot = before.slot(self.lines.len());
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
        watch >= ALL
            || watched(watch).slot(self.lines.len()).is_some_and(|at| self.at(at).is_some())
    }

    #[inline]
    fn look(&self) -> Option<Asked> {
        // SYNC: as above.
        let watch = self.watch.load(Ordering::Acquire);
        if watch >= ALL {
            return self.look_everywhere(watch);
        }
        self.at(watched(watch).slot(self.lines.len())?)
    }

    /// Of one client's questions that in the line is the older one.
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is the ticket")]
    fn precedes(asked: &Asked, word: u64) -> bool {
        asked.word.asker(asked.slot).0 == word as u32
    }
}

/// Who has asked short questions in a row, as one server has seen it.
#[derive(Debug, Default)]
pub(super) struct Regular {
    client: u32,
    times: u32,
}

impl Regular {
    /// One more question has come, through the ring.
    #[inline]
    pub(super) fn note(&mut self, client: u32, length: usize, lines: &Lines) {
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
    pub(super) fn note_direct(&mut self) {
        self.times = 0;
    }
}

/// A client's own line.
#[derive(Debug)]
pub(super) struct Line {
    line: Part<Direct>,
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
    pub(super) fn of(seat: &Seat) -> Result<Self, ErrorKind> {
        let memory = &seat.memory;
        let Some(line) = memory.lines.get(seat.slot).cloned() else {
            return Err(ErrorKind::Layout("the service has no direct lines".into()));
        };
        // The numbers go on where the client before has stopped.
        let before = Word(line.word.load(Ordering::Relaxed)).question();
        Ok(Self {
            line,
            watch: memory.control.project(|control| &control.watch.0),
            slots: Arc::clone(&memory.slots),
            asked: Arc::default(),
            ticket: seat.ticket,
            number: (before >> 16) as u16,
        })
    }

    pub(super) fn reply(&self) -> Reply {
        Reply { line: self.line.clone(), asked: Arc::clone(&self.asked) }
    }

    pub(super) fn line(&self) -> &Part<Direct> {
        &self.line
    }

    /// Can a question be asked here?
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        // SYNC: relaxed: it is looked at again after the question.
        let is_watched = watched(self.watch.load(Ordering::Relaxed)) == self.ticket;
        if !is_watched || self.asked.load(Ordering::Relaxed) != 0 {
            return false;
        }
        // SYNC: acquire: what is written here from now on comes after what was written by a server.
        let word = Word(self.line.word.load(Ordering::Acquire));
        !matches!(word.state(), ASKED | ANSWERING) || self.take_back(word)
    }

    /// Nobody waits for this answer any more, which comes from a server that may have died.
    #[cold]
    fn take_back(&self, word: Word) -> bool {
        // A question that was not taken will be.
        let Some(server) = Taken::of(&self.line).by(word.question()) else { return false };
        if word.state() == ANSWERING && !is_dead(&self.slots, server) {
            return false;
        }
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        // SYNC: as in `is_free`.
        self.line.word.compare_exchange(word.0, word.to(FREE).0, success, failure).is_ok()
    }

    /// Asks in the line, which is free; which question of the line and the client it is. Who sleeps must be woken after it.
    #[inline]
    pub(super) fn ask(
        &mut self,
        call: u16,
        moment: Option<u64>,
        question: &[u8],
        fences: bool,
    ) -> u32 {
        self.number = self.number.wrapping_add(1).max(1);
        let (before, has_moment) = if let Some(moment) = moment {
            fill(&self.line.body, [moment], question);
            (8, HAS_MOMENT)
        } else {
            fill(&self.line.body, [], question);
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
        self.line.word.store(word.0, Ordering::Release);
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
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a question is its call")]
    pub(super) fn forget(&self, call: u16) {
        let asked = Word(self.asked.load(Ordering::Relaxed));
        if asked != Word::NONE && asked.question() as u16 == call {
            self.asked.store(0, Ordering::Relaxed);
        }
    }

    /// Copies the answer that this word tells of out, with the word that answers begin with.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a question is its call")]
    pub(super) fn read(&self, word: Word, bytes: &mut Vec<u8>) {
        let what = if word.state() == REFUSED { FAILED } else { LAST };
        let header = Header { client: self.ticket.0, call: word.question() as u16, what };
        refill(bytes, HEADER + word.length(), |room| copy(header, &self.line, room));
    }
}

/// Copies what is in a line out, behind the word that it would begin with in a ring.
#[inline]
fn copy(header: Header, line: &Direct, room: &mut [MaybeUninit<u8>]) {
    let (first, body) = room.split_at_mut(HEADER);
    first.copy_from_slice(&header.word().to_ne_bytes().map(MaybeUninit::new));
    get(&line.body, body);
}

impl Aside for Reply {
    type Thing = Word;

    #[inline]
    fn is_there(&self) -> bool {
        self.look().is_some()
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

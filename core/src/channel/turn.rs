// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose turn it is to send, or to receive: a lock that costs two stores for as long as one participant alone uses it.
//!
//! The word is the holder's ticket (upper half, 0 for nobody), a number that differs each time somebody begins to keep it
//! (30 bits), and two flags. It begins without flags: then the first
//! to come *keeps* the turn between its calls. While it works it says so in its own [`Half::busy`], and looks at the word
//! once more after that. Somebody else who wants the turn sets WANTED, makes every processor pass a barrier
//! ([`membarrier`]), and waits until the keeper is not busy: the keeper either sees WANTED, or is seen. Then
//! he takes the turn and sets SHARED. From then on it is an ordinary lock, taken and given back by each call, until one
//! participant has taken it often enough in a row to keep it again.
//!
//! A holder that is killed leaves nothing to repair, since a message is committed, or taken, by a single store. Who
//! waits looks from time to time whether the holder lives, and takes the turn of the dead.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::errno::Errno;

use super::layout::{Half, Participant, Turn};
use super::participant::{Ticket, is_dead};
use super::seat::Home;
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::atomic::compiler_fence;
use crate::sys::{self, futex, membarrier};
use crate::time::{Deadline, Timeout};

const SHARED: u64 = 1;
const WANTED: u64 = 2;
/// One more time that somebody begins to keep the turn. So a word that was seen, wanted, says nothing about a later time.
const TIME: u64 = 4;
/// Whose ticket a word holds.
const HOLDER: u64 = 0xffff_ffff << 32;

/// Who has taken the turn so often in a row keeps it.
const KEEP_AFTER: u32 = 64;

/// How often to look for it before sleeping, on one processor, where nobody gives it back meanwhile, and on several;
const LOOKS_ALONE: u32 = 3;
const LOOKS: u32 = 24;
/// the longest pause between two looks.
const LONGEST_PAUSE: u32 = 256;

/// The longest sleep without a look whether the holder lives.
const SLICE: Duration = Duration::from_millis(2);

/// How long any processor may take to show a store, where there is no barrier for all.
const SETTLED: Duration = Duration::from_millis(10);

/// One participant's part in a turn.
#[derive(Debug)]
pub(super) struct Taker {
    turn: Part<Turn>,
    half: Part<Half>,
    /// Its ticket, as the upper half of a word.
    mine: u64,
    /// The word when it keeps the turn.
    kept: u64,
    /// Nobody can make this process pass a barrier: it never keeps a turn.
    fences: bool,
    slots: Arc<[Part<Participant>]>,
    /// Which half of a participant the turn is for.
    choose: for<'a> fn(&'a Participant) -> &'a Half,
    in_a_row: u32,
    looks: u32,
    home: Home,
}

impl Taker {
    pub(super) fn new(
        turn: Part<Turn>,
        slots: Arc<[Part<Participant>]>,
        slot: usize,
        ticket: Ticket,
        (home, fences): (Home, bool),
        choose: for<'a> fn(&'a Participant) -> &'a Half,
    ) -> Self {
        let half = slots[slot].project(choose);
        let mine = u64::from(ticket.0) << 32;
        let looks = if sys::processors() > 1 { LOOKS } else { LOOKS_ALONE };
        Self { turn, half, mine, kept: mine, fences, slots, choose, in_a_row: 0, looks, home }
    }

    pub(super) fn ticket(&self) -> Ticket {
        ticket(self.mine)
    }

    /// Its own figures.
    #[inline]
    pub(super) fn half(&self) -> &Half {
        &self.half
    }

    /// Takes the turn. True when nobody else can have had it since the last time.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EINVAL` in a child of fork.
    #[inline]
    pub(super) fn enter(&mut self, timeout: Timeout) -> Result<bool, ErrorKind> {
        self.enter_within(|| timeout)
    }

    /// As [`Taker::enter`], with a timeout that is asked for only when it is not the caller's turn already.
    #[inline]
    pub(super) fn enter_within(
        &mut self,
        timeout: impl FnOnce() -> Timeout,
    ) -> Result<bool, ErrorKind> {
        if self.enter_kept()? { Ok(true) } else { self.enter_slowly(timeout()) }
    }

    /// Takes the turn if it was kept, so that nobody else can have had it since the last time.
    ///
    /// Errors: `EINVAL` in a child of fork.
    #[inline]
    pub(super) fn enter_kept(&self) -> Result<bool, ErrorKind> {
        self.home.check()?;
        Ok(self.begin_if_kept())
    }

    #[inline]
    fn begin_if_kept(&self) -> bool {
        if self.turn.word.load(Ordering::Relaxed) != self.kept {
            return false;
        }
        self.half.busy.store(1, Ordering::Relaxed);
        // SYNC: pairs with the barrier in `revoke`.
        compiler_fence(Ordering::SeqCst);
        if self.turn.word.load(Ordering::Acquire) == self.kept {
            return true;
        }
        // SYNC: release, though nothing was done.
        self.half.busy.store(0, Ordering::Release);
        false
    }

    /// Gives the turn back, or keeps it.
    #[inline]
    pub(super) fn exit(&mut self) {
        if self.turn.word.load(Ordering::Relaxed) & SHARED != 0 {
            return self.exit_shared();
        }
        // SYNC: release pairs with the acquire in `revoke`: what was done comes before it is seen to be done.
        self.half.busy.store(0, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        if self.turn.word.load(Ordering::Relaxed) != self.kept {
            ring(&self.turn);
        }
    }

    fn exit_shared(&mut self) {
        let held = self.mine | SHARED;
        if self.in_a_row >= KEEP_AFTER && !self.fences {
            self.in_a_row = 0;
            self.begin_to_keep();
            let (success, failure) = (Ordering::Release, Ordering::Relaxed);
            // SYNC: release, as below.
            if self.turn.word.compare_exchange(held, self.kept, success, failure).is_ok() {
                return;
            }
        }
        // SYNC: release pairs with the acquire of the next one.
        if self.turn.word.swap(SHARED, Ordering::Release) & WANTED != 0 {
            ring(&self.turn);
        }
    }

    /// The word with which it keeps the turn is another one each time.
    fn begin_to_keep(&mut self) {
        let time = self.kept.wrapping_add(TIME) & !HOLDER & !(SHARED | WANTED);
        self.kept = self.mine | time;
    }

    /// Leaves for good.
    pub(super) fn leave(&self) {
        self.half.busy.store(0, Ordering::Release);
        hand_over(&self.turn, self.mine);
    }

    #[cold]
    fn enter_slowly(&mut self, timeout: Timeout) -> Result<bool, ErrorKind> {
        let deadline = timeout.deadline();
        let mut looks = 0;
        let mut passed_barrier = None;
        // Who has slept takes it with WANTED, since others may still be asleep.
        let mut slept = 0;
        loop {
            if self.begin_if_kept() {
                return Ok(false);
            }
            // Before looking: who is let in after that finds the bell changed.
            // SYNC: acquire pairs with the release in `ring`.
            let bell = self.turn.bell.load(Ordering::Acquire);
            // SYNC: acquire pairs with the release of whoever had it.
            let word = self.turn.word.load(Ordering::Acquire);
            let holder = word & HOLDER;
            let next = match holder {
                0 if word & SHARED == 0 && !self.fences => {
                    self.begin_to_keep();
                    Some(self.kept)
                }
                0 => Some(self.mine | SHARED | slept | word & WANTED),
                // Kept by this one, wanted by another: it is shared from now on.
                _ if holder == self.mine => Some(self.mine | SHARED | word & WANTED),
                _ if word & SHARED == 0 && self.revoke(word, &mut passed_barrier) => {
                    Some(self.mine | SHARED | WANTED)
                }
                _ => None,
            };
            if let Some(next) = next {
                match self.take(word, next) {
                    Some(same) => return Ok(same),
                    None => continue,
                }
            }
            looks += 1;
            if looks < self.looks {
                // A try looks as often: who keeps the turn and does nothing must first be asked for it.
                let longest = if timeout == Timeout::TRY { 16 } else { LONGEST_PAUSE };
                for _ in 0..(1 << looks.min(8)).min(longest) {
                    spin_loop();
                }
                continue;
            }
            if self.holder_is_dead(word) {
                if let Some(same) = self.take(word, self.mine | SHARED | WANTED) {
                    return Ok(same);
                }
                continue;
            }
            if deadline.has_passed() {
                return Err(timeout.expired());
            }
            self.wait(bell, deadline)?;
            slept = WANTED;
        }
    }

    /// Changes the word; a kept turn must be entered after that. `None` when the word is another by now.
    fn take(&mut self, word: u64, next: u64) -> Option<bool> {
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        // SYNC: acquire pairs with the release of whoever had it.
        self.turn.word.compare_exchange(word, next, success, failure).ok()?;
        if next & SHARED == 0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "the upper half")]
        let me = (self.mine >> 32) as u32;
        let same = self.turn.previous.load(Ordering::Relaxed) == me;
        self.in_a_row = if same { self.in_a_row + 1 } else { 0 };
        self.turn.previous.store(me, Ordering::Relaxed);
        // Whoever kept it may have used it without leaving his ticket.
        Some(same && word & SHARED != 0)
    }

    /// Sets WANTED on a turn that somebody keeps. True when he is seen not to be at work.
    fn revoke(&self, word: u64, passed_barrier: &mut Option<u64>) -> bool {
        let wanted = word | WANTED;
        if word != wanted {
            let (success, failure) = (Ordering::SeqCst, Ordering::Relaxed);
            let set = self.turn.word.compare_exchange(word, wanted, success, failure);
            if set.is_err() {
                return false;
            }
        }
        if *passed_barrier != Some(wanted) {
            if !membarrier::everywhere() {
                std::thread::sleep(SETTLED);
            }
            *passed_barrier = Some(wanted);
        }
        let holder = self.holder(word);
        // SYNC: acquire pairs with the release in `exit`.
        let busy = holder.is_some_and(|half| half.busy.load(Ordering::Acquire) != 0);
        // The caller changes the word only if it is `word`, which it is not any more.
        word == wanted && !busy
    }

    /// The half of the participant that the word names.
    fn holder(&self, word: u64) -> Option<&Half> {
        let slot = ticket(word).slot(self.slots.len())?;
        Some((self.choose)(&self.slots[slot]))
    }

    fn holder_is_dead(&self, word: u64) -> bool {
        is_dead(&self.slots, ticket(word))
    }

    /// Sleeps until the turn is given back, or for a slice.
    fn wait(&self, bell: u32, deadline: Deadline) -> Result<(), ErrorKind> {
        let word = self.turn.word.load(Ordering::Relaxed);
        if word & HOLDER == 0 {
            return Ok(());
        }
        let (success, failure) = (Ordering::SeqCst, Ordering::Relaxed);
        if self.turn.word.compare_exchange(word, word | WANTED, success, failure).is_err() {
            return Ok(());
        }
        let limit = match deadline.remaining() {
            Timeout::Forever => SLICE,
            Timeout::After(left) => left.min(SLICE),
        };
        match futex::wait(&self.turn.bell, bell, limit) {
            Err(Errno::EINTR) => Err(Errno::EINTR.into()),
            _ => Ok(()),
        }
    }
}

#[cold]
fn ring(turn: &Turn) {
    // SYNC: release pairs with the acquire in `wait`.
    turn.bell.fetch_add(1, Ordering::Release);
    futex::wake(&turn.bell, 1);
}

/// Frees the turn if a dead participant has it.
pub(super) fn bury(turn: &Turn, dead: Ticket) {
    hand_over(turn, u64::from(dead.0) << 32);
}

fn hand_over(turn: &Turn, from: u64) {
    let free = |word: u64| (word & HOLDER == from).then_some(word & SHARED);
    // SYNC: as in `exit_shared`.
    let freed = turn.word.fetch_update(Ordering::Release, Ordering::Relaxed, free);
    if freed.is_ok_and(|word| word & WANTED != 0) {
        ring(turn);
    }
}

fn ticket(word: u64) -> Ticket {
    #[allow(clippy::cast_possible_truncation, reason = "the upper half")]
    Ticket((word >> 32) as u32)
}

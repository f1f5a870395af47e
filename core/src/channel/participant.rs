// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who uses a channel: a slot for each handle, taken when it is opened, and taken back from the dead.
//!
//! A slot's state is a generation (upper 16 bits), the claimant's process number (32 bits) and a phase: 0 free, 1 being
//! taken, 2 in use. The identity behind it tells a process from a later one with the same number.

use std::sync::atomic::Ordering;

use super::layout::{Participant, Who};
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::identity::{self, Identity, Life};

const PHASE: u64 = 0xffff;
const FREE: u64 = 0;
const TAKING: u64 = 1;
const IN_USE: u64 = 2;

fn state(generation: u64, pid: u32, phase: u64) -> u64 {
    generation << 48 | u64::from(pid) << 16 | phase
}

fn generation(state: u64) -> u64 {
    state >> 48
}

/// Names a participant in a turn's word: its slot and generation, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(pub(super) u32);

impl Ticket {
    fn new(slot: usize, state: u64) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "16 bits each")]
        Self((generation(state) as u32) << 16 | (slot as u32 + 1))
    }

    /// Which slot that is, if the number can be one.
    pub(super) fn slot(self, count: usize) -> Option<usize> {
        let slot = usize::from((self.0 & 0xffff) as u16).checked_sub(1)?;
        (slot < count).then_some(slot)
    }
}

/// Takes a free slot, or one whose holder is dead; `settle` is told of the dead one's ticket first.
pub(super) fn join(
    slots: &[Part<Participant>],
    settle: impl Fn(Ticket),
) -> Result<(usize, Ticket), ErrorKind> {
    let me = identity::of_this_process();
    let pid = me.tid;
    for (index, slot) in slots.iter().enumerate() {
        let who = &slot.identity;
        // SYNC: acquire pairs with the release below and in `leave`.
        let seen = who.state.load(Ordering::Acquire);
        if seen & PHASE != FREE && life(who, seen) != Life::Dead {
            continue;
        }
        if seen & PHASE == IN_USE {
            settle(Ticket::new(index, seen));
        }
        let next = generation(seen).wrapping_add(1) & 0x7fff;
        let taking = state(next, pid, TAKING);
        // SYNC: as above.
        if who.state.compare_exchange(seen, taking, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            continue;
        }
        who.process.store(me.who, Ordering::Relaxed);
        who.since.store(me.since, Ordering::Relaxed);
        for half in [&slot.sender, &slot.receiver] {
            half.busy.store(0, Ordering::Relaxed);
            half.messages.store(0, Ordering::Relaxed);
            half.waits.store(0, Ordering::Relaxed);
            half.lost.store(0, Ordering::Relaxed);
            half.subscribed.store(0, Ordering::Relaxed);
        }
        let in_use = state(next, pid, IN_USE);
        // SYNC: release, so that whoever sees the slot in use sees whose it is. Another PID namespace may have taken this one for dead.
        if who.state.compare_exchange(taking, in_use, Ordering::Release, Ordering::Relaxed).is_err()
        {
            continue;
        }
        return Ok((index, Ticket::new(index, in_use)));
    }
    let count = slots.len();
    Err(ErrorKind::Busy(
        format!(
            "all {count} places for participants are taken; make the channel with more of them"
        )
        .into(),
    ))
}

/// Gives the slot back.
pub(super) fn leave(slot: &Participant) {
    let who = &slot.identity;
    let seen = who.state.load(Ordering::Relaxed);
    // SYNC: release pairs with the acquire in `join`.
    who.state.store(state(generation(seen), 0, FREE), Ordering::Release);
}

/// The positions of dead subscribers no longer count.
pub(super) fn unsubscribe_the_dead(slots: &[Part<Participant>]) {
    for (index, slot) in slots.iter().enumerate() {
        let subscribed = &slot.receiver.subscribed;
        let seen = subscribed.load(Ordering::Acquire);
        let ticket = Ticket(seen);
        let is_his = ticket.slot(slots.len()) == Some(index);
        if seen != 0 && (!is_his || is_dead(slots, ticket)) {
            // The slot may be another's by now, who subscribed with a ticket of his own.
            let (success, failure) = (Ordering::Release, Ordering::Relaxed);
            let _ = subscribed.compare_exchange(seen, 0, success, failure);
        }
    }
}

/// Is the slot that of this ticket's holder, living or not?
pub(super) fn is_present(slot: &Participant, ticket: Ticket, index: usize) -> bool {
    // SYNC: acquire pairs with the release in `join`.
    let seen = slot.identity.state.load(Ordering::Acquire);
    seen & PHASE == IN_USE && Ticket::new(index, seen) == ticket
}

/// Is the one that holds this ticket dead, or gone?
pub(super) fn is_dead(slots: &[Part<Participant>], ticket: Ticket) -> bool {
    // A number that is no slot's was written by nobody who keeps the rules.
    let Some(slot) = ticket.slot(slots.len()) else { return true };
    let who = &slots[slot].identity;
    // SYNC: acquire pairs with the release in `join`.
    let seen = who.state.load(Ordering::Acquire);
    seen & PHASE != IN_USE || Ticket::new(slot, seen) != ticket || life(who, seen) == Life::Dead
}

fn life(who: &Who, seen: u64) -> Life {
    #[allow(clippy::cast_possible_truncation, reason = "the middle 32 bits")]
    let pid = (seen >> 16) as u32;
    if seen & PHASE != IN_USE {
        // Killed while it took the slot; its start is not known yet.
        return if identity::exists(pid, pid) { Life::Unknown } else { Life::Dead };
    }
    let (who, since) = (who.process.load(Ordering::Relaxed), who.since.load(Ordering::Relaxed));
    identity::judge(Identity { tid: pid, who, since })
}

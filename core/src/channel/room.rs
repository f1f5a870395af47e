// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a sender finds room: behind what consumers have taken, or behind what subscribers have read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::layout::Participant;
use super::participant;
use super::ring::Ring;
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU64, fence};

/// How often to look at the credit alone before looking at the consumers' own line, which costs them time.
const POLITE_LOOKS: u32 = 64;

/// Who decides what may be overwritten.
#[derive(Debug, Clone)]
pub(super) enum Room {
    /// The consumers, who share a position.
    Queue { head: Part<AtomicU64>, credit: Part<AtomicU64> },
    /// The subscribers, if the topic is reliable; otherwise nobody.
    Topic { credit: Part<AtomicU64>, slots: Arc<[Part<Participant>]>, reliable: bool },
}

impl Room {
    fn credit(&self) -> &AtomicU64 {
        match self {
            Self::Queue { credit, .. } | Self::Topic { credit, .. } => credit,
        }
    }

    /// Up to where there is room, as far as can be told without troubling anybody.
    #[inline]
    pub(super) fn known(&self, ring: &Ring) -> u64 {
        limit(self.credit().load(Ordering::Acquire), ring)
    }

    /// With the turn: makes room for so many bytes if it can, and tells up to where there is some.
    pub(super) fn make(&self, ring: &Ring, tail: u64, bytes: u64) -> Result<u64, ErrorKind> {
        let known = self.known(ring);
        if fits(tail, bytes, known) {
            return Ok(known);
        }
        match self {
            // SYNC: acquire pairs with the release of whoever receives: he has read what will be overwritten.
            Self::Queue { head, .. } => Ok(limit(head.load(Ordering::Acquire), ring)),
            Self::Topic { credit, .. } => {
                let needed = tail.saturating_add(bytes).saturating_sub(ring.mirror.size());
                let wanted = needed.saturating_add(ring.mirror.size() / 4).min(tail);
                forget(credit, ring, tail, wanted.min(self.slowest(tail)))?;
                Ok(self.known(ring))
            }
        }
    }

    /// Of a queue: everything before this was taken.
    pub(super) fn taken(&self) -> u64 {
        match self {
            Self::Queue { head, .. } => head.load(Ordering::Acquire),
            Self::Topic { credit, .. } => credit.load(Ordering::Acquire),
        }
    }

    /// The least position of a living subscriber whose position counts; the tail if there is none.
    fn slowest(&self, tail: u64) -> u64 {
        let Self::Topic { slots, reliable: true, .. } = self else { return tail };
        // SYNC: a subscriber begins with the publishers' turn, which orders it with who has it; the fence is for who looks
        // without the turn.
        fence(Ordering::SeqCst);
        let positions = slots.iter().filter_map(|slot| {
            let receiver = &slot.receiver;
            (receiver.subscribed.load(Ordering::Acquire) != 0)
                // SYNC: acquire pairs with the release of the subscriber: it has read what lies before.
                .then(|| receiver.position.load(Ordering::Acquire))
        });
        positions.min().unwrap_or(tail).min(tail)
    }

    /// May there be room for so many bytes? Without the turn, again and again; `looks` counts.
    pub(super) fn may_be(&self, ring: &Ring, tail: u64, bytes: u64, looks: &mut u32) -> bool {
        let enough = |position: u64| fits(tail, bytes, limit(position, ring));
        *looks += 1;
        let now = looks.is_multiple_of(POLITE_LOOKS);
        enough(self.credit().load(Ordering::Acquire)) || now && self.is(ring, tail, bytes)
    }

    /// Is there room, or could it be made?
    pub(super) fn is(&self, ring: &Ring, tail: u64, bytes: u64) -> bool {
        let position = match self {
            Self::Queue { head, .. } => head.load(Ordering::Acquire),
            Self::Topic { .. } => self.slowest(tail),
        };
        fits(tail, bytes, limit(position, ring))
    }

    /// Takes the dead out of the way; to be called when waiting was in vain for a while.
    pub(super) fn bury(&self) {
        if let Self::Topic { slots, .. } = self {
            participant::unsubscribe_the_dead(slots);
        }
    }
}

/// Do so many bytes end before the limit? No sum of what others wrote overflows.
#[inline]
pub(super) fn fits(tail: u64, bytes: u64, limit: u64) -> bool {
    tail.checked_add(bytes).is_some_and(|end| end <= limit)
}

fn limit(position: u64, ring: &Ring) -> u64 {
    position.saturating_add(ring.mirror.size())
}

/// Moves the credit to the first record at or behind `wanted`, but not beyond what is there.
fn forget(credit: &AtomicU64, ring: &Ring, tail: u64, wanted: u64) -> Result<(), ErrorKind> {
    let mut position = credit.load(Ordering::Relaxed);
    if let Some(record) = ring.fixed_record() {
        let records = wanted.saturating_sub(position).div_ceil(record);
        position = position.saturating_add(records.saturating_mul(record));
    }
    while position < wanted {
        let found = ring.find(position, tail).ok_or_else(|| ring.damaged(position, tail))?;
        position = found.end;
    }
    credit.store(position, Ordering::Relaxed);
    // SYNC: pairs with the fence of a subscriber that has read a record: if it has seen a part of what is
    // written from here on, it sees the credit too.
    fence(Ordering::SeqCst);
    Ok(())
}

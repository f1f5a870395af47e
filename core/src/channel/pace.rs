// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a consumer keeps off a producer's heels.
//!
//! Who reads each message the moment it is there takes the lines away that the producer is writing, and both go at the
//! speed of that. A consumer that waits a moment each time it has caught up lets several come, and reads them at the
//! speed of the memory. Where each message is waited for, as an answer is, the moment would be lost; so it is
//! kept only for as long as several come in it.
//!
//! For as long it also says so where producers see it ([`Bed::paced`]): of several messages it finds at most one beside the
//! tail, and they need not put any there. Said by several consumers it may be wrong for a while, which costs time and nothing else.

use std::sync::atomic::Ordering;

use super::layout::Bed;
use super::wait::{FAR, Patience, pauses};

/// A consumer that has caught up so often in a row waits a moment before it looks;
const HEELS: u32 = 4;
/// when none came in that moment, after so many times more the next time, as when it is the producer as well.
const RARER: u32 = 4;
/// How long, in pauses, and at most when many come in a moment.
const MOMENT: u32 = 32;
const LONGEST: u32 = 128;
const MANY: u64 = 16;
/// After a moment in which several came, so many are taken to be worth it without a look before them. That several are there says little:
/// who sends and receives, or shares that with others, finds several and waits in vain.
const TRUSTED: u32 = 8;
/// One wait in so many waits a moment, to see whether several come.
const PROBE: u32 = 1024;

/// What a consumer has seen of the pace of what it receives.
#[derive(Debug)]
pub(super) struct Pace {
    caught_up: u32,
    /// How often in a row is enough.
    enough: u32,
    waits: u32,
    /// How many moments more are worth it without a look.
    trusted: u32,
    /// How many pauses more than [`MOMENT`] a moment has.
    longer: u32,
    /// Whether it has waited a moment for the next message,
    waited: bool,
    /// where the messages ended before it, if it looked,
    before: Option<u64>,
    /// and how often it has looked for it in vain.
    pub(super) looks: u32,
    /// In the last moment several came.
    is_kept: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            caught_up: 0,
            enough: HEELS,
            waits: 0,
            trusted: 0,
            longer: 0,
            waited: false,
            before: None,
            looks: 0,
            is_kept: false,
        }
    }

    /// Before looking for a message, when all that was there is read.
    #[inline]
    pub(super) fn keep(&mut self, tail: impl FnOnce() -> u64) {
        self.waits = self.waits.wrapping_add(1);
        self.waited = self.caught_up >= self.enough || self.waits.is_multiple_of(PROBE);
        self.looks = 0;
        if self.waited {
            self.before = (self.trusted == 0).then(tail);
            self.wait();
        }
    }

    #[cold]
    fn wait(&self) {
        pauses(MOMENT + self.longer);
    }

    /// Looks so often, if waiting awake has been of use. Is it there?
    pub(super) fn comes(
        &mut self,
        patience: &Patience,
        looks: u32,
        mut is_there: impl FnMut() -> bool,
    ) -> bool {
        let looks = if patience.is_of_use() { looks } else { 0 };
        (0..looks).any(|_| {
            pauses(FAR);
            self.looks += 1;
            is_there()
        })
    }

    /// After that, when messages are there: `record` bytes the first, the last of them up to `tail`. Producers look at the bed.
    #[inline]
    pub(super) fn note(&mut self, record: u64, head: u64, tail: u64, bed: &Bed) {
        if self.waited {
            return self.judge(record, head, tail, bed);
        }
        let are_several = tail.wrapping_sub(head) > record;
        let has_caught_up = are_several || self.looks == 0;
        self.caught_up = if has_caught_up { self.caught_up.saturating_add(1) } else { 0 };
    }

    /// Instead, when one message alone has come, and not in the ring.
    #[inline]
    pub(super) fn note_alone(&mut self) {
        (self.caught_up, self.trusted) = (0, 0);
    }

    fn judge(&mut self, record: u64, head: u64, tail: u64, bed: &Bed) {
        let ahead = tail.wrapping_sub(head);
        let came = self.before.map_or(ahead, |before| tail.wrapping_sub(before));
        let is_kept = came > record;
        // Now and then also what another consumer has left there.
        if is_kept != self.is_kept || self.waits.is_multiple_of(PROBE) {
            bed.paced.store(is_kept.into(), Ordering::Relaxed);
        }
        self.is_kept = is_kept;
        if is_kept {
            self.caught_up = HEELS;
            self.enough = HEELS;
            self.trusted = self.trusted.checked_sub(1).unwrap_or(TRUSTED);
        } else {
            self.caught_up = 0;
            self.enough = (self.enough * RARER).min(PROBE);
            self.trusted = 0;
        }
        let many = ahead / MANY >= record;
        self.longer = if many { (self.longer + MOMENT).min(LONGEST - MOMENT) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    const ROUNDS: u64 = 10_000;

    /// How many of the messages, of 8 bytes, it waits a moment for when so many come in one.
    fn moments(come_in_a_moment: u64) -> u64 {
        let (mut pace, bed) = (Pace::new(), Bed::new_zeroed());
        let (mut head, mut tail, mut moments) = (0, 8, 0);
        for _ in 0..ROUNDS {
            pace.keep(|| tail);
            if pace.waited {
                tail += 8 * come_in_a_moment;
                moments += 1;
            }
            pace.note(8, head, tail, &bed);
            head = tail;
            tail += 8;
        }
        moments
    }

    #[test]
    fn who_receives_what_it_has_sent_hardly_waits() {
        assert!(moments(0) < ROUNDS / 500);
    }

    #[test]
    fn who_is_on_a_producers_heels_waits_each_time() {
        assert!(moments(20) > ROUNDS * 99 / 100);
    }
}

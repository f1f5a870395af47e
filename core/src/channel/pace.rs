// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a consumer keeps off a producer's heels.
//!
//! Who reads each message the moment it is there takes the lines away that the producer is writing, and both go at the
//! speed of that. A consumer that waits a moment each time it has caught up lets several come, and reads them at the
//! speed of the memory. Where each message is waited for, as an answer is, the moment would be lost; so it is
//! kept only for as long as several come in it.

use super::wait::pause;

/// A consumer that has caught up so often in a row waits a moment before it looks.
const HEELS: u32 = 4;
/// How long, in pauses, and at most when many come in a moment.
const MOMENT: u32 = 16;
const LONGEST: u32 = 64;
const MANY: u64 = 16;
/// One wait in so many waits a moment, to see whether several come.
const PROBE: u32 = 1024;

/// What a consumer has seen of the pace of what it receives.
#[derive(Debug, Default)]
pub(super) struct Pace {
    caught_up: u32,
    waits: u32,
    /// How many pauses more than [`MOMENT`] a moment has.
    longer: u32,
    /// Whether it has waited a moment for the next message,
    waited: bool,
    /// and how often it has looked for it in vain.
    pub(super) looks: u32,
}

impl Pace {
    /// Before looking for a message, when all that was there is read.
    #[inline]
    pub(super) fn keep(&mut self) {
        self.waits = self.waits.wrapping_add(1);
        self.waited = self.caught_up >= HEELS || self.waits.is_multiple_of(PROBE);
        self.looks = 0;
        if self.waited {
            self.wait();
        }
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..MOMENT + self.longer {
            pause();
        }
    }

    /// After that, when messages are there: `record` bytes the first, `ahead` all of them.
    #[inline]
    pub(super) fn note(&mut self, record: u64, ahead: u64) {
        let several = ahead > record;
        self.caught_up = match several {
            true if self.waited => HEELS,
            true => self.caught_up.saturating_add(1),
            false if !self.waited && self.looks <= 2 => self.caught_up.saturating_add(1),
            false => 0,
        };
        if self.waited {
            let many = ahead / MANY >= record;
            self.longer = if many { (self.longer + MOMENT).min(LONGEST - MOMENT) } else { 0 };
        }
    }
}

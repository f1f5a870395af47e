// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting: spin for a while, then sleep; and waking those who sleep without paying for it when nobody does.
//!
//! Who wants to sleep says so in [`Bed::sleepers`], makes every other participant's processor pass a barrier
//! ([`membarrier`]), looks once more whether he must, and sleeps on the bell. Who has something for others stores
//! it, then reads that word with a plain load: either he sees the sleeper, or the sleeper sees what he stored. Where the
//! kernel has no such barrier, [`Settings::fences`] makes everybody use full fences.
//!
//! Nobody counts the sleepers, which a death would spoil. Whoever wakes fewer than he could has woken all, and says
//! that nobody sleeps, unless somebody has lain down meanwhile. Somebody can be killed between storing and waking; so nobody
//! sleeps longer than [`SLICE`] at a time.

use std::hint::spin_loop;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::layout::{Bed, Settings};
use crate::sys::atomic::{compiler_fence, fence};
use crate::sys::{self, futex, membarrier};
use crate::time::{Deadline, Timeout};

/// The longest sleep without a look.
const SLICE: Duration = Duration::from_millis(100);

/// How long to spin at most, in nanoseconds: about what it costs to wake somebody on another processor.
const LONGEST: u32 = 50_000;
/// How long to spin at least: long enough for an answer of a peer that is awake.
const SHORTEST: u32 = 2_000;

/// After so many waits in a row for which spinning was in vain it is left out, as between processes on one processor,
const VAIN: u32 = 8;
/// but for one wait in so many, which finds out whether it has become worth it.
const PROBE: u32 = 32;

/// How many polls between two looks at the clock.
const POLLS: u32 = 32;

/// So many looks of a glance are a pause apart, those after them two: who is near has answered by then, and who is far is
/// disturbed less;
pub(super) const SOON: u32 = 6;
/// and so many where a look disturbs more, since answer and question share the line.
const SOON_IN_ONE_LINE: u32 = 3;
pub(super) const FAR: u32 = 2;

/// How long a pause is. Between two looks there is one at least: otherwise the poller takes the line away from the writer before it is written.
const PAUSE: Duration = Duration::from_nanos(25);

/// Of [`Bed::sleepers`]: somebody may be asleep.
const ASLEEP: u32 = 1;
/// One more time that somebody lies down.
const TIME: u32 = 2;

/// One poll's worth of doing nothing.
#[inline]
pub(super) fn pause() {
    static SPINS: OnceLock<u32> = OnceLock::new();
    for _ in 0..*SPINS.get_or_init(spins) {
        spin_loop();
    }
}

/// Several of them.
#[inline]
pub(super) fn pauses(count: u32) {
    (0..count).for_each(|_| pause());
}

/// How many of the processor's own pauses that is; one takes from 1 to 50 ns.
#[cold]
fn spins() -> u32 {
    const MANY: u32 = 256;
    let times = (0..3).map(|_| {
        let start = Instant::now();
        (0..MANY).for_each(|_| spin_loop());
        start.elapsed()
    });
    let one = times.min().unwrap_or_default().as_nanos().max(1) / u128::from(MANY);
    u32::try_from(PAUSE.as_nanos() / one.max(1)).unwrap_or(1).clamp(1, 16)
}

/// How long this handle spins before it sleeps, by what it has seen.
#[derive(Debug)]
pub(super) struct Patience {
    /// In nanoseconds; 0 for not at all.
    spin: u32,
    /// How many waits in a row were longer than that.
    vain: u32,
    /// Spin for ever, never sleep.
    pub(super) restless: bool,
}

impl Patience {
    pub(super) fn new() -> Self {
        // With one processor spinning keeps the peer from running.
        let spin = if sys::processors() > 1 { LONGEST } else { 0 };
        Self { spin, vain: 0, restless: false }
    }

    /// Has spinning been of use lately?
    pub(super) fn is_of_use(&self) -> bool {
        self.restless || (self.spin > 0 && self.vain < VAIN)
    }

    /// Looks as often as is worth it without a look at the clock; once where that is all that was asked for.
    #[inline]
    pub(super) fn glance(
        &mut self,
        timeout: Timeout,
        soon: u32,
        mut is_there: impl FnMut() -> bool,
    ) -> bool {
        if is_there() {
            return true;
        }
        let more = if timeout == Timeout::TRY || !self.is_of_use() { 0 } else { POLLS };
        for look in 0..more {
            pauses(if look < soon { 1 } else { FAR });
            if is_there() {
                self.was_worth_it();
                return true;
            }
        }
        false
    }

    /// As [`Patience::glance`], at a line that answer and question share: each look takes it away from who is about to write to it.
    #[inline]
    pub(super) fn glance_at_line(
        &mut self,
        timeout: Timeout,
        is_there: impl FnMut() -> bool,
    ) -> bool {
        if timeout != Timeout::TRY {
            pause();
        }
        self.glance(timeout, SOON_IN_ONE_LINE, is_there)
    }

    /// The next wait may be as long as any.
    #[inline]
    fn was_worth_it(&mut self) {
        self.spin = LONGEST.min(self.spin * 2);
        self.vain = 0;
    }

    /// Spins until `ready`, the deadline, or there is no point in spinning any longer. True when it is ready.
    pub(super) fn spin(&mut self, deadline: Deadline, mut ready: impl FnMut() -> bool) -> bool {
        if !self.restless && (self.spin == 0 || self.is_in_vain()) {
            return ready();
        }
        let mut polls = 0;
        let (mut start, mut end) = (None, None);
        loop {
            for _ in 0..POLLS {
                if ready() {
                    self.was_worth_it();
                    return true;
                }
                pauses(FAR);
            }
            polls += POLLS;
            let now = Instant::now();
            let end = *end.get_or_insert(now + Duration::from_nanos(self.spin.into()));
            if self.restless {
                // From time to time the caller must see whether there is anything to wait for.
                if deadline.has_passed() || now >= *start.get_or_insert(now) + SLICE {
                    return false;
                }
            } else if now >= end || (polls > POLLS * 8 && deadline.has_passed()) {
                // Spinning was for nothing.
                self.spin = SHORTEST.max(self.spin / 2);
                self.vain += 1;
                return false;
            }
        }
    }

    fn is_in_vain(&mut self) -> bool {
        if self.vain < VAIN {
            return false;
        }
        self.vain = if self.vain >= VAIN + PROBE { VAIN } else { self.vain + 1 };
        self.vain != VAIN
    }
}

/// Sleeps until somebody rings, unless `ready`; for a while at most, so the caller looks again.
///
/// Errors: `EINTR`.
pub(super) fn sleep(
    bed: &Bed,
    settings: &Settings,
    deadline: Deadline,
    ready: impl Fn() -> bool,
) -> nix::Result<()> {
    let bell = lie_down(bed, settings);
    if ready() {
        return Ok(());
    }
    let limit = match deadline.remaining() {
        Timeout::Forever => SLICE,
        Timeout::After(left) => left.min(SLICE),
    };
    match futex::wait(&bed.bell, bell, limit) {
        Err(Errno::EINTR) => Err(Errno::EINTR),
        _ => Ok(()),
    }
}

/// Says that somebody is about to sleep on the bell, who must look once more after this; what the bell was before.
pub(super) fn lie_down(bed: &Bed, settings: &Settings) -> u32 {
    // SYNC: acquire: before it is said, so that whoever rings because of it changes the bell.
    let bell = bed.bell.load(Ordering::Acquire);
    let one_lies = |seen: u32| Some(seen.wrapping_add(TIME) | ASLEEP);
    // SYNC: whoever has seen this word as it was before does not say that nobody sleeps.
    let _ = bed.sleepers.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_lies);
    if !membarrier::everywhere() {
        settings.fences.store(1, Ordering::Relaxed);
    }
    // SYNC: pairs with the fence or the plain load in `ring`, see the top.
    fence(Ordering::SeqCst);
    bell
}

/// Wakes up to `count` of those who sleep, after something was stored for them. Costs a load when nobody does.
#[inline]
pub(super) fn ring(bed: &Bed, fences: bool, count: i32) {
    if fences {
        fence(Ordering::SeqCst);
    } else {
        compiler_fence(Ordering::SeqCst);
    }
    // SYNC: see the top.
    let seen = bed.sleepers.load(Ordering::Relaxed);
    if seen & ASLEEP != 0 {
        wake(bed, seen, count);
    }
}

#[cold]
fn wake(bed: &Bed, seen: u32, count: i32) {
    // SYNC: pairs with the acquire in `lie_down`.
    bed.bell.fetch_add(1, Ordering::SeqCst);
    if futex::wake(&bed.bell, count) < usize::try_from(count).unwrap_or(usize::MAX) {
        let (success, failure) = (Ordering::SeqCst, Ordering::Relaxed);
        let _ = bed.sleepers.compare_exchange(seen, seen & !ASLEEP, success, failure);
    }
}

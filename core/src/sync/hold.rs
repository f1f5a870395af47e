// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taking a cell, with a spin and then a sleep: the one lock on which this room stands.

use std::sync::atomic::{self, Ordering};
use std::time::Duration;

use nix::errno::Errno;

use crate::error::ErrorKind;
use crate::map::cell::{Attempt, HOLDER, OWNER_DIED, WAITERS};
use crate::map::lines::{Lines, Words};
use crate::sys::atomic::AtomicU32;
use crate::sys::futex;
use crate::time::{Deadline, Timeout};

/// The holder's number in the word of a cell that is retired: no thread has it.
pub(super) const RETIRED: u32 = HOLDER;

/// The longest sleep between two looks at whether the holder lives. The kernel wakes whom it must; these looks are for
/// what is not in its list, so they get rare.
const SLICES: [u64; 6] = if cfg!(test) { [60_000; 6] } else { [1, 10, 50, 100, 200, 400] };

/// About how many pauses a waiter makes at least and at most before it sleeps, which costs more than the least.
const SPIN_MIN: u32 = 100;
const SPIN_MAX: u32 = 400;

/// The most of them between two looks.
const PAUSES_MAX: u32 = 32;

/// How a cell was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    Clean,
    /// The last holder died, or left what it guards unrepaired.
    OwnerDied,
}

impl Entered {
    fn from(word: u32) -> Self {
        if word & OWNER_DIED == 0 { Self::Clean } else { Self::OwnerDied }
    }
}

/// How long a call may still sleep, in slices.
pub(crate) struct Sleep {
    timeout: Timeout,
    deadline: Option<Deadline>,
    slice: usize,
}

impl Sleep {
    #[inline]
    pub(crate) fn new(timeout: Timeout) -> Self {
        // Only who has to wait asks for the time.
        Self { timeout, deadline: None, slice: 0 }
    }

    /// Is it over before it began?
    pub(super) fn check_try(&self) -> Result<(), ErrorKind> {
        if self.timeout == Timeout::TRY { Err(ErrorKind::WouldBlock) } else { Ok(()) }
    }

    /// Starts the clock, if it does not run yet.
    pub(super) fn start(&mut self) {
        if self.deadline.is_none() && self.timeout != Timeout::Forever {
            self.deadline = Some(self.timeout.deadline());
        }
    }

    /// How long to sleep before the next look.
    pub(super) fn limit(&mut self) -> Result<Duration, ErrorKind> {
        self.start();
        let slice = Duration::from_millis(SLICES[self.slice.min(SLICES.len() - 1)]);
        let left = match self.deadline.map(Deadline::remaining) {
            None | Some(Timeout::Forever) => return Ok(slice),
            Some(Timeout::After(left)) => left,
        };
        if left.is_zero() { Err(self.timeout.expired()) } else { Ok(left.min(slice)) }
    }

    /// A slice has passed and nothing has come of it.
    pub(super) fn lengthen(&mut self) {
        self.slice += 1;
    }

    /// How many have passed.
    pub(super) fn slice(&self) -> usize {
        self.slice
    }
}

/// How long it is worth to spin, learnt from how long it took before.
#[derive(Debug, Default)]
pub(crate) struct Spin(atomic::AtomicU32);

impl Spin {
    /// Spins until `done` gives something. `None`: sleeping is better.
    pub(super) fn until<T>(&self, mut done: impl FnMut() -> Option<T>) -> Option<T> {
        // SYNC: a guess alone; it orders nothing.
        let average = self.0.load(Ordering::Relaxed);
        let most = if is_alone() { 0 } else { (2 * average + SPIN_MIN).min(SPIN_MAX) };
        let (mut spun, mut pauses) = (0, 1);
        let result = loop {
            if let Some(result) = done() {
                break Some(result);
            }
            if spun >= most {
                break None;
            }
            // Less and less often: each look takes the line away from the holder, who needs it to leave.
            (0..pauses).for_each(|_| std::hint::spin_loop());
            spun += pauses;
            pauses = (2 * pauses).min(PAUSES_MAX);
        };
        let average = if spun >= average {
            average + (spun - average) / 8
        } else {
            average - (average - spun) / 8
        };
        self.0.store(average, Ordering::Relaxed);
        result
    }
}

/// On one processor the holder cannot go on while a waiter spins.
fn is_alone() -> bool {
    static PROCESSORS: atomic::AtomicU32 = atomic::AtomicU32::new(0);
    // SYNC: a number that does not change; it orders nothing.
    let mut known = PROCESSORS.load(Ordering::Relaxed);
    if known == 0 {
        known = crate::sys::processors();
        PROCESSORS.store(known, Ordering::Relaxed);
    }
    known == 1
}

/// A waiter's number in the object's bytes, for those who look on.
pub(super) struct Waiting<'a>(Option<(&'a AtomicU32, u32)>);

impl<'a> Waiting<'a> {
    /// Writes the number, if there is room.
    pub(super) fn announce(table: &'a Words) -> Self {
        let tid = nix::unistd::gettid().as_raw().cast_unsigned();
        let free = |slot: &&AtomicU32| {
            // SYNC: numbers for people; they order nothing.
            slot.load(Ordering::Relaxed) == 0
                && slot.compare_exchange(0, tid, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        // The first word is the gate's.
        let table = &table[1..];
        if let Some(slot) = table.iter().find(free) {
            return Self(Some((slot, tid)));
        }
        // Full: one that was left by somebody who has died will do.
        let stale = |slot: &&AtomicU32| {
            let old = slot.load(Ordering::Relaxed);
            let dead = nix::sys::signal::kill(nix::unistd::Pid::from_raw(old.cast_signed()), None)
                == Err(Errno::ESRCH);
            dead && slot.compare_exchange(old, tid, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        Self(table.iter().find(stale).map(|slot| (slot, tid)))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some((slot, tid)) = self.0 {
            // Unless somebody took it for a dead one's.
            let _ = slot.compare_exchange(tid, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

/// Takes a cell. `table`: where the waiter's number is written.
///
/// Errors: `NotRecoverable`, `WouldBlock`, `TimedOut`, `EINTR`, `Truncated`.
#[inline]
pub(crate) fn take(
    lines: &Lines,
    index: usize,
    sleep: &mut Sleep,
    table: Option<usize>,
    spin: &Spin,
) -> Result<Entered, ErrorKind> {
    let attempt = lines.attempt(index)?;
    match attempt.take(0, 0) {
        Ok(()) => Ok(Entered::Clean),
        Err(_) => take_slowly(lines, index, &attempt, sleep, table, spin),
    }
}

#[cold]
fn take_slowly(
    lines: &Lines,
    index: usize,
    attempt: &Attempt<'_>,
    sleep: &mut Sleep,
    table: Option<usize>,
    spin: &Spin,
) -> Result<Entered, ErrorKind> {
    sleep.start();
    if let Some(entered) = spin.until(|| try_enter(attempt, 0).transpose()) {
        return entered;
    }
    let mut waiting = None;
    // Who has slept does not know whether others still do, so it takes the cell as if they did.
    let mut others = 0;
    loop {
        if let Some(entered) = try_enter(attempt, others)? {
            return Ok(entered);
        }
        sleep.check_try()?;
        let word = attempt.word().load(Ordering::Relaxed);
        if word & HOLDER == 0 {
            continue;
        }
        // Before the time is looked at: who gives up must leave the mark for those who still sleep.
        let marked = word | WAITERS;
        let exchange =
            |to| attempt.word().compare_exchange(word, to, Ordering::Relaxed, Ordering::Relaxed);
        if word != marked && exchange(marked).is_err() {
            continue;
        }
        let limit = sleep.limit()?;
        if let (None, Some(table)) = (&waiting, table) {
            waiting = Some(Waiting::announce(lines.words(table)));
        }
        lines.check()?;
        match futex::wait(attempt.word(), marked, limit) {
            Ok(()) => others = WAITERS,
            Err(Errno::EAGAIN) => {}
            Err(Errno::ETIMEDOUT) => {
                others = WAITERS;
                sleep.lengthen();
                lines.bury(index);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Takes the cell if nobody holds it.
#[inline]
fn try_enter(attempt: &Attempt<'_>, others: u32) -> Result<Option<Entered>, ErrorKind> {
    let word = attempt.word().load(Ordering::Relaxed);
    match word & HOLDER {
        0 => {
            let bits = word & (OWNER_DIED | WAITERS) | others;
            Ok(attempt.take(word, bits).is_ok().then(|| Entered::from(word)))
        }
        RETIRED => Err(ErrorKind::NotRecoverable),
        _ => Ok(None),
    }
}

/// Is this the word of a cell that is retired?
pub(super) fn is_retired(word: u32) -> bool {
    word & HOLDER == RETIRED
}

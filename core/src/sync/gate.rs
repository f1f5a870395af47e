// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where those sleep who wait for something that is no single holder: a permit, an event, a notice.
//!
//! A word counts the openings in 31 bits, and its highest bit says that somebody may be asleep. There is no count of
//! sleepers that a death could spoil: the bit is set by who goes to sleep, and goes when an opening wakes nobody.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::errno::Errno;

use super::hold::{Sleep, Waiting};
use super::object::WAITING;
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, WAITERS};
use crate::map::lines::Lines;
use crate::sys::atomic::AtomicU32;
use crate::sys::futex;

const SLEEPERS: u32 = 1 << 31;

/// How long a sleep lasts at most where the kernel cannot wait for several words at once (before Linux 5.16).
const WITHOUT_WAITV: Duration = Duration::from_millis(5);

/// The gate of an object.
#[derive(Clone, Copy)]
pub(super) struct Gate<'a> {
    lines: &'a Lines,
    word: &'a AtomicU32,
}

/// Some of the words of cells, each with the value that it had.
pub(super) type Watched<'a> = Vec<(&'a AtomicU32, u32)>;

impl<'a> Gate<'a> {
    #[inline]
    pub(super) fn of(lines: &'a Lines) -> Self {
        Self { lines, word: &lines.words(WAITING)[0] }
    }

    /// Says that the caller is going to sleep; after this it must look once more at what it waits for.
    pub(super) fn prepare(self) -> u32 {
        loop {
            // SYNC: sequentially consistent, as `open`'s look is: either the opener sees the bit or the caller what it changed.
            let seen = self.word.load(Ordering::SeqCst);
            if seen & SLEEPERS != 0 {
                return seen;
            }
            let marked = seen | SLEEPERS;
            if self.word.compare_exchange(seen, marked, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                return marked;
            }
        }
    }

    /// Sleeps until the gate was opened since `prepared`, or a watched word changes and wakes, or it is time for another look.
    pub(super) fn sleep(
        self,
        prepared: u32,
        watched: Watched<'_>,
        waiting: &mut Option<Waiting<'a>>,
        sleep: &mut Sleep,
    ) -> Result<(), ErrorKind> {
        let limit = sleep.limit()?;
        if waiting.is_none() {
            *waiting = Some(Waiting::announce(self.lines.words(WAITING)));
        }
        self.lines.check()?;
        match doze(self.word, prepared, watched, limit) {
            Ok(()) | Err(Errno::EAGAIN) => Ok(()),
            Err(Errno::ETIMEDOUT) => {
                sleep.lengthen();
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Has the gate been opened since? Also when only the bit has gone: then whoever opens next wakes nobody.
    pub(super) fn was_opened(self, prepared: u32) -> bool {
        self.word.load(Ordering::SeqCst) != prepared
    }

    /// Wakes one sleeper, or all.
    #[inline]
    pub(super) fn open(self, all: bool) {
        open(self.word, all);
    }
}

/// Does nobody sleep there?
#[inline]
pub(super) fn is_quiet(word: &AtomicU32) -> bool {
    // SYNC: as in `Gate::prepare`.
    word.load(Ordering::SeqCst) & SLEEPERS == 0
}

/// As [`Gate::open`].
#[inline]
pub(super) fn open(word: &AtomicU32, all: bool) {
    if !is_quiet(word) {
        open_slowly(word, all);
    }
}

#[cold]
#[inline(never)]
fn open_slowly(word: &AtomicU32, all: bool) {
    loop {
        let seen = word.load(Ordering::SeqCst);
        if seen & SLEEPERS == 0 {
            return;
        }
        let opened = (seen.wrapping_add(1)) | SLEEPERS;
        let exchange =
            |from, to| word.compare_exchange(from, to, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        if !exchange(seen, opened) {
            continue;
        }
        let woken = futex::wake(word, if all { i32::MAX } else { 1 });
        // The count moves on with the bit: who has prepared and not lain down yet would miss an opening that finds the
        // bit gone, if another one who prepares could make the word what it was.
        let cleared = opened.wrapping_add(1) & !SLEEPERS;
        if (all || woken == 0) && exchange(opened, cleared) {
            // Who came between the wake and the exchange sleeps on a word that says nothing of it.
            futex::wake(word, i32::MAX);
        }
        return;
    }
}

/// Sleeps on the word, and on the watched ones as well as the kernel can.
pub(super) fn doze(
    word: &AtomicU32,
    expected: u32,
    watched: Watched<'_>,
    limit: Duration,
) -> nix::Result<()> {
    if watched.is_empty() {
        return futex::wait(word, expected, limit);
    }
    let mut words = vec![(word, expected)];
    let many = watched.len() >= futex::WAIT_MAX;
    words.extend(watched);
    // What cannot be watched must be looked at.
    let short = limit.min(WITHOUT_WAITV);
    match futex::wait_any(&words, if many { short } else { limit }) {
        Err(Errno::ENOSYS) => match futex::wait(word, expected, short) {
            // No slice has passed, only a piece of one.
            Err(Errno::ETIMEDOUT) if short < limit => Ok(()),
            other => other,
        },
        Err(Errno::ETIMEDOUT) if many && short < limit => Ok(()),
        other => other,
    }
}

/// Marks the held ones among the cells, so that their ends wake, and gives them. `None` when `free` says so of one of their words.
pub(super) fn watch(
    lines: &Lines,
    cells: std::ops::Range<usize>,
    free: impl Fn(u32) -> bool,
) -> Option<Watched<'_>> {
    let mut watched = Vec::new();
    for index in cells {
        let word = &lines.cell(index).word;
        loop {
            // SYNC: sequentially consistent, so that it comes after `Gate::prepare`.
            let seen = word.load(Ordering::SeqCst);
            if free(seen) {
                return None;
            }
            if matches!(seen & HOLDER, 0 | HOLDER) {
                break;
            }
            let marked = seen | WAITERS;
            if seen == marked
                || word.compare_exchange(seen, marked, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                watched.push((word, marked));
                break;
            }
        }
    }
    Some(watched)
}

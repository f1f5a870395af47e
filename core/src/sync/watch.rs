// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects of this room as something that a poller waits for, among other things. Nothing is taken by it.
//!
//! | object | is ready while |
//! |---|---|
//! | [`Mutex`](super::Mutex) | nobody holds it, or it is retired |
//! | [`RwLock`](super::RwLock) | nobody writes and a line for a reader is free (to read); nobody reads or writes (to write); or it is retired |
//! | [`Semaphore`](super::Semaphore) | a permit is free |
//! | [`Event`](super::Event) | it is set |
//! | [`Once`](super::Once) | it is done, or nobody does it |
//!
//! The one who waits is a sleeper like any other: he sets the bit that says so in the word that he sleeps on. A death is told by the kernel, and noticed at
//! the next look where it is not.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::gate::Gate;
use super::hold::is_retired;
use super::object::{MAIN, WAITING};
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, WAITERS};
use crate::map::lines::Lines;
use crate::watch::Source;

/// Waits for the end of those who hold the main cell, and others.
struct Held {
    lines: Lines,
    others: Range<usize>,
    /// Ready whoever holds a cell.
    anyway: fn(&Lines) -> bool,
}

impl Held {
    fn cells(&self) -> impl Iterator<Item = usize> {
        std::iter::once(MAIN).chain(self.others.clone())
    }

    /// The first cell that somebody holds.
    fn in_the_way(&self) -> Option<(usize, u32)> {
        let mut seen = self.cells().map(|at| (at, self.lines.cell(at).word.load(Ordering::SeqCst)));
        seen.find(|(_, word)| word & HOLDER != 0)
    }
}

impl Source for Held {
    fn is_ready(&self) -> bool {
        let is_free = || match self.in_the_way() {
            None => true,
            Some((at, word)) => at == MAIN && is_retired(word),
        };
        self.lines.check().is_err() || (self.anyway)(&self.lines) || is_free()
    }

    fn lie_down(&self) -> Option<(usize, u32)> {
        loop {
            let (at, seen) = self.in_the_way()?;
            let marked = seen | WAITERS;
            let word = &self.lines.cell(at).word;
            // SYNC: as a sleeper's: whoever gives it back after this finds the mark, and wakes.
            if seen == marked
                || word.compare_exchange(seen, marked, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                return Some((at, marked));
            }
        }
    }

    fn word(&self, which: usize) -> Option<&AtomicU32> {
        Some(&self.lines.cells().get(which)?.word)
    }

    fn look(&self) {
        for at in self.cells() {
            self.lines.bury(at);
        }
    }
}

/// Waits until nobody writes and one of the readers' lines is free.
struct ToRead {
    held: Held,
    readers: Range<usize>,
}

impl ToRead {
    fn has_room(&self) -> bool {
        let lines = &self.held.lines;
        let is_free = |at: usize| lines.cell(at).word.load(Ordering::SeqCst) & HOLDER == 0;
        self.readers.clone().any(is_free)
    }
}

impl Source for ToRead {
    fn is_ready(&self) -> bool {
        let lines = &self.held.lines;
        let no_room_is_needed =
            || lines.check().is_err() || is_retired(lines.cell(MAIN).word.load(Ordering::SeqCst));
        self.held.is_ready() && (self.has_room() || no_room_is_needed())
    }

    fn lie_down(&self) -> Option<(usize, u32)> {
        // Readers who leave open the gate.
        self.held.lie_down().or_else(|| Some((WAITING, Gate::of(&self.held.lines).prepare())))
    }

    fn word(&self, which: usize) -> Option<&AtomicU32> {
        if which == WAITING {
            return self.held.lines.words(WAITING).first();
        }
        self.held.word(which)
    }

    fn look(&self) {
        self.held.look();
        for at in self.readers.clone() {
            self.held.lines.bury(at);
        }
    }
}

/// Waits for the opening of a gate.
struct Gated<R> {
    lines: Lines,
    ready: R,
    /// Cells whose holders may have died.
    cells: Range<usize>,
}

impl<R: Fn(&Lines) -> bool + Send + Sync> Source for Gated<R> {
    fn is_ready(&self) -> bool {
        self.lines.check().is_err() || (self.ready)(&self.lines)
    }

    fn lie_down(&self) -> Option<(usize, u32)> {
        Some((0, Gate::of(&self.lines).prepare()))
    }

    fn word(&self, _: usize) -> Option<&AtomicU32> {
        self.lines.words(WAITING).first()
    }

    fn look(&self) {
        for at in self.cells.clone() {
            self.lines.bury(at);
        }
    }
}

/// The end of those who hold the main cell, or one of the others.
pub(super) fn held(
    lines: &Lines,
    others: Range<usize>,
    anyway: fn(&Lines) -> bool,
) -> Arc<dyn Source> {
    Arc::new(Held { lines: lines.for_looking(), others, anyway })
}

/// The end of who holds the main cell, and of one of the readers where there are as many as there can be.
pub(super) fn to_read(lines: &Lines, readers: Range<usize>) -> Arc<dyn Source> {
    let held = Held { lines: lines.for_looking(), others: 0..0, anyway: |_| false };
    Arc::new(ToRead { held, readers })
}

/// What is told at the gate.
pub(super) fn gated(
    lines: &Lines,
    cells: Range<usize>,
    ready: impl Fn(&Lines) -> bool + Send + Sync + 'static,
) -> Arc<dyn Source> {
    Arc::new(Gated { lines: lines.for_looking(), ready, cells })
}

/// What the C library's objects say.
pub(super) fn not_robust() -> ErrorKind {
    ErrorKind::unsupported(
        "the pthread form has no word for those who wait for several things; use the robust form",
    )
}

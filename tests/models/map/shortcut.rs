// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to lines on the heap. What is kept in mind is a number of a cell, more by one, or 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cell::Cell;
use super::lines::{Lines, Words};
use crate::sys::atomic::AtomicU32;
use crate::sys::robust::Current;

const TABLE: usize = 2;

#[derive(Debug)]
pub(crate) struct Shortcut<const HINTS: usize> {
    cells: Arc<[Cell]>,
    words: Arc<Words>,
    main: usize,
    hints: [AtomicUsize; HINTS],
}

#[derive(Clone, Copy)]
pub(crate) struct Main<'a> {
    cells: &'a [Cell],
    words: &'a Words,
}

pub(crate) struct Hinted<'a> {
    cell: &'a Cell,
    main: Main<'a>,
}

impl<'a> Hinted<'a> {
    pub(crate) fn cell(&self) -> &'a Cell {
        self.cell
    }

    pub(crate) fn main(&self) -> Main<'a> {
        self.main
    }
}

#[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in the original")]
impl<const HINTS: usize> Shortcut<HINTS> {
    pub(crate) fn to(lines: &Lines, main: usize) -> Self {
        let (cells, words) = (Arc::clone(&lines.cells), Arc::clone(&lines.words));
        Self { cells, words, main, hints: [const { AtomicUsize::new(0) }; HINTS] }
    }

    pub(crate) fn main(&self) -> Option<Main<'_>> {
        Some(Main { cells: &self.cells[self.main..], words: &self.words })
    }

    pub(crate) fn hinted(&self, place: usize) -> Option<Hinted<'_>> {
        let hint = self.hints[place].load(Ordering::Relaxed).checked_sub(1)?;
        let main = self.main()?;
        Some(Hinted { cell: &main.table()[hint], main })
    }

    pub(crate) fn hint(&self, place: usize) -> usize {
        self.hints[place].load(Ordering::Relaxed).saturating_sub(1)
    }

    pub(crate) fn keep(&self, place: usize, at: usize) {
        self.hints[place].store(at + 1, Ordering::Relaxed);
    }

    pub(crate) fn latest(&self, thread: Current) -> Option<(&Cell, Main<'_>)> {
        let main = self.main()?;
        let top = thread.top();
        let cell = main.cells.iter().find(|cell| cell.link().address() == top)?;
        Some((cell, main))
    }

    pub(crate) fn is_whole(&self) -> bool {
        true
    }
}

impl<'a> Main<'a> {
    pub(crate) fn cell(self) -> &'a Cell {
        &self.cells[0]
    }

    pub(crate) fn gate(self) -> &'a AtomicU32 {
        &self.words[0]
    }

    pub(crate) fn table(self) -> &'a [Cell] {
        &self.cells[TABLE..]
    }
}

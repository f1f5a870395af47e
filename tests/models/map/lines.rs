// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines on the heap, in the place of those in shared memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::cell::{Attempt, Cell, HOLDER, OWNER_DIED, WAITERS, current};
use crate::error::ErrorKind;
use crate::scheduler::{self, kernel};
use crate::sys::atomic::AtomicU32;
use crate::sys::robust::Current;

pub(crate) const LINE: usize = 64;
/// Where the object has its words for waiters.
const WAITING: usize = 3;

pub(crate) type Words = [AtomicU32; 16];

#[derive(Debug)]
pub(crate) struct Lines {
    pub(super) cells: Arc<[Cell]>,
    pub(super) words: Arc<Words>,
}

#[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in the original")]
impl Lines {
    pub(crate) fn new(count: usize) -> Self {
        Self { cells: (0..count).map(|_| Cell::default()).collect(), words: Arc::default() }
    }

    pub(crate) fn count(&self) -> usize {
        self.cells.len()
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn cell(&self, index: usize) -> &Cell {
        &self.cells[index]
    }

    pub(crate) fn words(&self, index: usize) -> &Words {
        assert_eq!(index, WAITING);
        &self.words
    }

    pub(crate) fn check(&self) -> Result<(), ErrorKind> {
        Ok(())
    }

    pub(crate) fn is_whole(&self) -> bool {
        true
    }

    pub(crate) fn attempt(&self, index: usize) -> Result<Attempt<'_>, ErrorKind> {
        self.cell(index).attempt()
    }

    pub(crate) fn is_mine(&self, index: usize) -> Result<bool, ErrorKind> {
        self.cell(index).is_mine()
    }

    pub(crate) fn spread() -> usize {
        Current::known().map_or(0, |thread| thread.spread())
    }

    pub(crate) fn latest_of_mine(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        self.latest_of_mine_in_list(first)
    }

    pub(crate) fn latest_of_mine_in_list(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        let latest = current()?.latest(|link| self.index_of(link, first).is_some());
        Ok(latest.and_then(|link| self.index_of(link, first)))
    }

    pub(crate) fn begun(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        Ok(self.index_of(current()?.pending(), first))
    }

    fn index_of(&self, link: usize, first: usize) -> Option<usize> {
        let distance = link.wrapping_sub(self.cells[0].link().address()) / LINE;
        (first..self.count()).contains(&distance).then_some(distance)
    }

    pub(crate) fn give_back(&self, index: usize, value: u32, wake: i32) -> Result<(), ErrorKind> {
        self.cell(index).give_back(value, wake)
    }

    pub(crate) fn bury(&self, index: usize) -> bool {
        self.cell(index).bury()
    }

    /// What the kernel does when the calling thread has died (`exit_robust_list` in its `kernel/futex/core.c`).
    pub(crate) fn end_of_thread(&self) {
        let (held, pending) = kernel(|held, pending| (std::mem::take(held), *pending));
        let tid = Current::known().map_or(0, |thread| thread.tid());
        for &link in held.iter().rev().filter(|&&link| link != pending) {
            self.handle_death(link, tid, false);
        }
        if pending != 0 {
            self.handle_death(pending, tid, true);
        }
    }

    /// `handle_futex_death`.
    fn handle_death(&self, link: usize, tid: u32, pending: bool) {
        let Some(index) = self.index_of(link, 0) else { return };
        let word = self.cell(index).word.plain();
        let address = word.as_ptr().addr();
        let seen = word.load(Ordering::SeqCst);
        if pending && seen == 0 {
            scheduler::wake(address, 1);
        } else if seen & HOLDER == tid {
            word.store(seen & WAITERS | OWNER_DIED, Ordering::SeqCst);
            if seen & WAITERS != 0 {
                scheduler::wake(address, 1);
            }
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of 64 bytes in shared memory that consist of atomics alone: [`Cell`]s, which threads hold, and [`Words`].

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::Map;
use super::cell::{Attempt, Cell, HOLDER, current};
use crate::error::ErrorKind;
use crate::sys::robust::Current;
use crate::sys::seldom;

/// Bytes of a line.
pub(crate) const LINE: usize = 64;

/// A line of 16 words.
pub(crate) type Words = [AtomicU32; 16];

/// What [`Cell`]s and [`Words`] lie in: whole lines of a mapping, kept as long as this value, and for good when
/// this process holds a cell at its end.
pub(crate) struct Lines {
    map: Arc<Map>,
    first: NonNull<Cell>,
    count: usize,
    offset: usize,
    /// May the mapping lose pages?
    can_shrink: bool,
    /// Nobody takes a cell through this value.
    only_looks: bool,
}

// SAFETY: the lines are atomics, wherever and by however many they are used.
unsafe impl Send for Lines {}
// SAFETY: as above.
unsafe impl Sync for Lines {}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (offset, count) = (self.offset, self.count);
        f.debug_struct("Lines")
            .field("offset", &offset)
            .field("count", &count)
            .finish_non_exhaustive()
    }
}

impl Lines {
    /// `count` lines from `offset` on, which must be a multiple of 64 in memory.
    #[allow(clippy::cast_ptr_alignment, reason = "the alignment is checked first")]
    pub(crate) fn new(map: Arc<Map>, offset: usize, count: usize) -> Result<Self, ErrorKind> {
        let size = count.checked_mul(LINE).ok_or(ErrorKind::Os(libc::EOVERFLOW))?;
        let first = map.ptr_at(offset, size)?.cast::<Cell>();
        let first = NonNull::new(first).filter(|first| first.is_aligned() && count > 0);
        let first = first.ok_or_else(|| {
            ErrorKind::invalid(format!("offset {offset} is no multiple of {LINE} in memory"))
        })?;
        let can_shrink = map.plan().can_shrink;
        Ok(Self { map, first, count, offset, can_shrink, only_looks: false })
    }

    /// As many lines as the object turns out to have.
    pub(crate) fn resized(&self, count: usize) -> Result<Self, ErrorKind> {
        Self::new(Arc::clone(&self.map), self.offset, count)
    }

    /// The same lines for one who looks on: he takes no cell, and keeps none at his end.
    pub(crate) fn for_looking(&self) -> Self {
        let Self { first, count, offset, can_shrink, .. } = *self;
        Self { map: Arc::clone(&self.map), first, count, offset, can_shrink, only_looks: true }
    }

    pub(crate) fn map(&self) -> &Map {
        &self.map
    }

    pub(super) fn shared_map(&self) -> Arc<Map> {
        Arc::clone(&self.map)
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// All lines as cells; those that are none must not be used so.
    #[inline]
    pub(crate) fn cells(&self) -> &[Cell] {
        // SAFETY: the lines are inside the mapping, which lives as long as `self`, aligned, and atomics alone.
        unsafe { NonNull::slice_from_raw_parts(self.first, self.count).as_ref() }
    }

    #[inline]
    pub(crate) fn cell(&self, index: usize) -> &Cell {
        &self.cells()[index]
    }

    /// A line as 16 words.
    pub(crate) fn words(&self, index: usize) -> &Words {
        let line: *const Cell = self.cell(index);
        // SAFETY: a line is 64 bytes of atomics, whatever their sizes.
        unsafe { &*line.cast::<Words>() }
    }

    /// Has the file lost pages? Then nothing that was read or written here means anything.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), ErrorKind> {
        if self.is_whole() { Ok(()) } else { Err(ErrorKind::Truncated) }
    }

    /// As [`Lines::check`].
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        if self.can_shrink {
            seldom();
            return !self.map.slot.get().is_some_and(|slot| slot.has_fault());
        }
        true
    }

    /// Begins to take a cell. Until the attempt is dropped, the thread must not begin another.
    #[inline]
    pub(crate) fn attempt(&self, index: usize) -> Result<Attempt<'_>, ErrorKind> {
        self.cell(index).attempt()
    }

    /// The cell among those from `first` on that the calling thread took in an attempt which it has left.
    pub(crate) fn begun(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        Ok(self.index_of(current()?.pending(), first))
    }

    /// Does the calling thread hold the cell?
    pub(crate) fn is_mine(&self, index: usize) -> Result<bool, ErrorKind> {
        self.cell(index).is_mine()
    }

    /// A number that few threads of a process share.
    #[inline]
    pub(crate) fn spread() -> usize {
        Current::known().map_or(0, |thread| thread.spread())
    }

    /// The cell among those from `first` on that the calling thread took last.
    pub(crate) fn latest_of_mine(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        let latest = self.latest_of_mine_in_list(first)?;
        if latest.is_some() {
            return Ok(latest);
        }
        let thread = current()?;
        // Taken at another address, or not linked because the list was full.
        Ok(self.cells()[first..].iter().position(|cell| cell.is_of(thread)).map(|at| first + at))
    }

    /// As [`Lines::latest_of_mine`], without those that were taken at another address, or did not fit into the list.
    pub(crate) fn latest_of_mine_in_list(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        let latest = current()?.latest(|link| self.index_of(link, first).is_some());
        Ok(latest.and_then(|link| self.index_of(link, first)))
    }

    /// Which cell from `first` on has its link at this address?
    #[inline]
    fn index_of(&self, link: usize, first: usize) -> Option<usize> {
        let distance = link.wrapping_sub(self.cells()[0].link().address()) / LINE;
        (first..self.count).contains(&distance).then_some(distance)
    }

    /// Gives back a cell that the calling thread holds: stores `value` in its word, and wakes `wake` sleepers if there are any.
    ///
    /// Errors: `EPERM` when the thread does not hold it.
    pub(crate) fn give_back(&self, index: usize, value: u32, wake: i32) -> Result<(), ErrorKind> {
        self.cell(index).give_back(value, wake)
    }

    /// Marks the word of a cell whose holder is dead as the kernel would have done. True when it was, or is by now.
    ///
    /// The kernel does it by itself, but not for what did not fit into a list, and not when a list was spoilt.
    pub(crate) fn bury(&self, index: usize) -> bool {
        self.cell(index).bury()
    }
}

/// The maps of cells that are held though their handles are gone. Here a checker of leaks does not take them for lost.
static KEPT: Mutex<Vec<Arc<Map>>> = Mutex::new(Vec::new());

impl Drop for Lines {
    fn drop(&mut self) {
        let process = u64::from(std::process::id());
        let of_this_process = |cell: &Cell| {
            cell.word.load(Ordering::Relaxed) & HOLDER != 0
                && cell.since.load(Ordering::Relaxed) != 0
                && cell.who.load(Ordering::Relaxed) >> 32 == process
        };
        // A cell that is held must stay where the kernel finds it.
        if !self.only_looks && self.cells()[1..].iter().any(of_this_process) {
            let map = Arc::clone(&self.map);
            match KEPT.try_lock() {
                Ok(kept) if kept.iter().any(|it| Arc::ptr_eq(it, &map)) => {}
                Ok(mut kept) => kept.push(map),
                // Another thread is here, or was when this process was forked.
                Err(_) => std::mem::forget(map),
            }
        }
    }
}

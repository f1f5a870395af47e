// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to the lines of an object that are used in each lock and unlock, without a question whose answer stays the same
//! for as long as the object is open: what a lock costs beside its atomic instructions is the number of all others.

use std::ptr::{NonNull, null_mut, with_exposed_provenance_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::Map;
use super::cell::Cell;
use super::lines::{LINE, Lines};
use super::sigbus::Slot;
use crate::sys::robust::{Current, WORD_BEFORE_LINK};

/// Where the table begins, in lines from the main one on.
const TABLE: usize = 2;

/// An object's main line, a line of words behind it, and its table of cells behind these; or none of them, for what has no lines.
/// `HINTS` places are kept in mind.
pub(crate) struct Shortcut<const HINTS: usize> {
    main: Option<NonNull<Cell>>,
    /// How many bytes there are from the main line on.
    bytes: usize,
    /// How many cells there are in the table.
    count: usize,
    /// Null, or one of the table.
    hints: [AtomicPtr<Cell>; HINTS],
    /// Tells whether the mapping has lost pages.
    slot: &'static Slot,
    /// Keeps what the pointers lead to.
    _map: Option<Arc<Map>>,
}

// SAFETY: the lines are atomics, wherever and by however many they are used.
unsafe impl<const HINTS: usize> Send for Shortcut<HINTS> {}
// SAFETY: as above.
unsafe impl<const HINTS: usize> Sync for Shortcut<HINTS> {}

impl<const HINTS: usize> std::fmt::Debug for Shortcut<HINTS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shortcut").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl<const HINTS: usize> Shortcut<HINTS> {
    /// To nowhere.
    pub(crate) fn none() -> Self {
        let hints = [const { AtomicPtr::new(null_mut()) }; HINTS];
        Self { main: None, bytes: 0, count: 0, hints, slot: Slot::whole(), _map: None }
    }

    /// To the lines from the one that is `main` on.
    pub(crate) fn to(lines: &Lines, main: usize) -> Self {
        let cells = lines.cells().get(main..).filter(|cells| cells.len() >= TABLE);
        let Some(cells) = cells else { return Self::none() };
        let (bytes, count) = (size_of_val(cells), cells.len() - TABLE);
        let (main, map) = (Some(NonNull::from(cells).cast()), lines.shared_map());
        Self { main, bytes, count, slot: map.slot(), _map: Some(map), ..Self::none() }
    }

    /// The main line.
    #[inline]
    pub(crate) fn main(&self) -> Option<Main<'_>> {
        Some(Main { at: self.main?, count: &self.count })
    }

    /// What is kept in mind at a place.
    #[inline]
    pub(crate) fn hinted(&self, place: usize) -> Option<Hinted<'_, HINTS>> {
        // SYNC: a guess alone; it orders nothing.
        let hint = NonNull::new(self.hints[place].load(Ordering::Relaxed))?;
        // SAFETY: `keep` takes none but those of the table in the mapping that is kept.
        Some(Hinted { cell: unsafe { hint.as_ref() }, shortcut: self })
    }

    /// Which cell of the table that is; the first one where there is none.
    pub(crate) fn hint(&self, place: usize) -> usize {
        let hint = self.hints[place].load(Ordering::Relaxed).addr();
        let first = self.main.map_or(0, |main| main.addr().get() + TABLE * LINE);
        hint.checked_sub(first).map_or(0, |bytes| bytes / LINE)
    }

    /// Keeps a cell of the table in mind.
    pub(crate) fn keep(&self, place: usize, at: usize) {
        if let Some(cell) = self.main().and_then(|main| main.table().get(at)) {
            self.hints[place].store(std::ptr::from_ref(cell).cast_mut(), Ordering::Relaxed);
        }
    }

    /// What the thread took last of all, if it is the main line or one of the table.
    #[inline]
    pub(crate) fn latest(&self, thread: Current) -> Option<(&Cell, Main<'_>)> {
        let address = thread.top().wrapping_sub(WORD_BEFORE_LINK);
        let main = self.main.map_or(0, |main| main.addr().get());
        // Without a main line there are no bytes.
        if address.wrapping_sub(main) >= self.bytes {
            return None;
        }
        let cell = NonNull::new(with_exposed_provenance_mut::<Cell>(address));
        // SAFETY: no mapping begins at 0.
        let cell = unsafe { cell.unwrap_unchecked() };
        // SAFETY: what a thread has in its list are links of cells; this one's lies in the mapping that is kept.
        let cell = unsafe { cell.as_ref() };
        // SAFETY: where there are bytes there is a main line.
        Some((cell, unsafe { self.main().unwrap_unchecked() }))
    }

    /// As [`Lines::is_whole`].
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !self.slot.has_fault()
    }
}

/// A cell that was kept in mind.
pub(crate) struct Hinted<'a, const HINTS: usize> {
    cell: &'a Cell,
    shortcut: &'a Shortcut<HINTS>,
}

impl<'a, const HINTS: usize> Hinted<'a, HINTS> {
    #[inline]
    pub(crate) fn cell(&self) -> &'a Cell {
        self.cell
    }

    /// The main line, loaded when it is needed.
    #[inline]
    pub(crate) fn main(&self) -> Main<'a> {
        // SAFETY: a cell of the table was kept in mind, so there is a main line before it.
        unsafe { self.shortcut.main().unwrap_unchecked() }
    }
}

/// A main line, and what is behind it.
#[derive(Clone, Copy)]
pub(crate) struct Main<'a> {
    at: NonNull<Cell>,
    /// Loaded when it is needed.
    count: &'a usize,
}

impl<'a> Main<'a> {
    #[inline]
    pub(crate) fn cell(self) -> &'a Cell {
        // SAFETY: it lies in the mapping that the shortcut keeps, aligned, and consists of atomics.
        unsafe { self.at.as_ref() }
    }

    /// The first word of the line behind it.
    #[inline]
    pub(crate) fn gate(self) -> &'a AtomicU32 {
        // SAFETY: there is a line behind it, see `Shortcut::to`.
        let line = unsafe { self.at.add(1) }.cast::<AtomicU32>();
        // SAFETY: as in `cell`.
        unsafe { line.as_ref() }
    }

    /// The cells behind that.
    #[inline]
    pub(crate) fn table(self) -> &'a [Cell] {
        // SAFETY: there are as many lines before them, see `Shortcut::to`.
        let first = unsafe { self.at.add(TABLE) };
        let table = NonNull::slice_from_raw_parts(first, *self.count);
        // SAFETY: as in `cell`.
        unsafe { table.as_ref() }
    }
}

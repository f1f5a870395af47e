// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of 64 bytes in shared memory that consist of atomics alone, and how a thread holds one.
//!
//! A [`Cell`] is a line whose first word says who holds it, as the kernel's robust list wants it: 0 nobody, the thread's
//! number, [`WAITERS`] when somebody sleeps on the word, [`OWNER_DIED`] when the holder died. Taking a cell and
//! putting it into the thread's robust list are one operation here, so that no instruction lies between them
//! at which a death would go unnoticed.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::Map;
use crate::error::ErrorKind;
use crate::sys::futex;
use crate::sys::identity::{self, Identity, Life};
use crate::sys::robust::{self, Current, Link};

/// Bytes of a line.
pub(crate) const LINE: usize = 64;

/// `FUTEX_TID_MASK`: the bits of a word that are the holder's number.
pub(crate) const HOLDER: u32 = 0x3fff_ffff;
/// `FUTEX_OWNER_DIED`: the holder died, and nobody has said since that what the cell guards is whole.
pub(crate) const OWNER_DIED: u32 = 0x4000_0000;
/// `FUTEX_WAITERS`: somebody sleeps on the word.
pub(crate) const WAITERS: u32 = 0x8000_0000;

/// A line that one thread can hold. The fields but `word` and the link are for the object that it is part of.
#[repr(C, align(64))]
pub(crate) struct Cell {
    /// Who holds it.
    pub(crate) word: AtomicU32,
    pub(crate) kind: AtomicU32,
    /// The holder's process and namespaces, as [`Identity`] has them.
    pub(crate) who: AtomicU64,
    /// The holder's start and boot; 0 while it is not known whose these two are.
    pub(crate) since: AtomicU64,
    pub(crate) limit: AtomicU64,
    /// The robust list's.
    link: AtomicU64,
    /// Different in every cell of every object, to know it by at another address.
    pub(crate) mark: AtomicU64,
    /// What only the holder touches.
    pub(crate) count: AtomicU32,
    pub(crate) state: AtomicU32,
    pub(crate) note: AtomicU64,
}

const _: () = assert!(size_of::<Cell>() == LINE);
const _: () = assert!(std::mem::offset_of!(Cell, link) == robust::WORD_BEFORE_LINK);
const _: () = assert!(std::mem::offset_of!(Cell, mark) == robust::WORD_BEFORE_LINK + 8);

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
        Ok(Self { map, first, count, offset, can_shrink })
    }

    /// As many lines as the object turns out to have.
    pub(crate) fn resized(&self, count: usize) -> Result<Self, ErrorKind> {
        Self::new(Arc::clone(&self.map), self.offset, count)
    }

    pub(crate) fn map(&self) -> &Map {
        &self.map
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
        if self.can_shrink && self.map.has_fault() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    /// Begins to take a cell. Until the attempt is dropped, the thread must not begin another.
    #[inline]
    pub(crate) fn attempt(&self, index: usize) -> Result<Attempt<'_>, ErrorKind> {
        let thread = current()?;
        let cell = self.cell(index);
        thread.pend(Link::of(&cell.link));
        Ok(Attempt { cell, thread })
    }

    /// Does the calling thread hold the cell?
    #[inline]
    pub(crate) fn is_mine(&self, index: usize) -> Result<bool, ErrorKind> {
        let thread = current()?;
        let cell = self.cell(index);
        Ok(thread.has(Link::of(&cell.link)) || cell.is_of(thread))
    }

    /// The calling thread's number.
    #[inline]
    pub(crate) fn number() -> Result<u32, ErrorKind> {
        Ok(current()?.tid())
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
    #[inline]
    pub(crate) fn latest_of_mine_in_list(&self, first: usize) -> Result<Option<usize>, ErrorKind> {
        let thread = current()?;
        let links = self.cells()[first..].first().map_or(0, |cell| cell.link.as_ptr().addr());
        let inside = |address: usize| {
            address.checked_sub(links).filter(|distance| distance / LINE < self.count - first)
        };
        let latest = thread.latest(|address| inside(address).is_some());
        Ok(latest.and_then(inside).map(|distance| first + distance / LINE))
    }

    /// Gives back a cell that the calling thread holds: stores `value` in its word, and wakes `wake` sleepers if there are any.
    ///
    /// Errors: `EPERM` when the thread does not hold it.
    #[inline]
    pub(crate) fn give_back(&self, index: usize, value: u32, wake: i32) -> Result<(), ErrorKind> {
        let thread = current()?;
        let cell = self.cell(index);
        let link = Link::of(&cell.link);
        thread.pend(link);
        if !thread.unlink(link) && !unlink_elsewhere(cell, thread) {
            thread.settle();
            return Err(ErrorKind::Os(libc::EPERM));
        }
        // Nobody may take the next holder for this one.
        cell.since.store(0, Ordering::Relaxed);
        // SYNC: release pairs with the acquire of whoever takes the cell next.
        let before = cell.word.swap(value, Ordering::Release);
        if before & WAITERS != 0 {
            futex::wake(&cell.word, wake);
        }
        // Now: a death before the wake is the kernel's to make good.
        thread.settle();
        Ok(())
    }

    /// Marks the word of a cell whose holder is dead as the kernel would have done. True when it was, or is by now.
    ///
    /// The kernel does it by itself, but not for what did not fit into a list, and not when a list was spoilt.
    pub(crate) fn bury(&self, index: usize) -> bool {
        let cell = self.cell(index);
        // SYNC: acquire, so that the record read next is at least as new.
        let word = cell.word.load(Ordering::Acquire);
        if word & HOLDER == 0 {
            return word & OWNER_DIED != 0;
        }
        if word & HOLDER == HOLDER || cell.life(word) != Life::Dead {
            return false;
        }
        let dead = word & WAITERS | OWNER_DIED;
        // SYNC: acquire and release, in the dead one's place.
        cell.word.compare_exchange(word, dead, Ordering::AcqRel, Ordering::Relaxed).is_ok()
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
        if self.cells()[1..].iter().any(of_this_process) {
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

impl Cell {
    /// Is the word's holder the calling thread? Two threads of different namespaces can have one number.
    fn is_of(&self, thread: Current) -> bool {
        let holder = self.word.load(Ordering::Relaxed) & HOLDER;
        holder == thread.tid()
            && self.who.load(Ordering::Relaxed) == thread.who()
            && self.since.load(Ordering::Relaxed) == thread.since()
    }

    /// The holder, as far as it is known.
    pub(crate) fn holder(&self) -> Option<Identity> {
        // SYNC: acquire pairs with the release that ended an earlier hold.
        let word = self.word.load(Ordering::Acquire);
        let (who, since) = (self.who.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed));
        match word & HOLDER {
            0 | HOLDER => None,
            tid => Some(Identity { tid, who: if since == 0 { 0 } else { who }, since }),
        }
    }

    fn life(&self, word: u32) -> Life {
        let since = self.since.load(Ordering::Relaxed);
        let who = self.who.load(Ordering::Relaxed);
        // Read again, so that both belong together: the holder clears the first before another can come.
        if self.since.load(Ordering::Relaxed) != since {
            return Life::Unknown;
        }
        identity::judge(Identity { tid: word & HOLDER, who, since })
    }
}

/// A thread that is about to take a cell.
#[must_use]
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    cell: &'a Cell,
    thread: Current,
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cell({:#x})", self.word.load(Ordering::Relaxed))
    }
}

impl Attempt<'_> {
    #[inline]
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.cell.word
    }

    /// Takes the cell if its word is `expected`, and puts the thread's number with `bits` there. The word as it is if it is not.
    #[inline]
    pub(crate) fn take(&self, expected: u32, bits: u32) -> Result<(), u32> {
        let (cell, thread) = (self.cell, self.thread);
        if expected & OWNER_DIED != 0 {
            // What is written there is the dead one's, and must not be taken for the new holder's.
            cell.since.store(0, Ordering::Relaxed);
        }
        let plan = thread.plan();
        // SYNC: pairs with `give_back`; a release, so that a record that was cleared stays so; sequentially consistent, for
        // those who look at another word next (`RwLock`).
        cell.word.compare_exchange(
            expected,
            plan.tid | bits,
            Ordering::SeqCst,
            Ordering::Relaxed,
        )?;
        // SAFETY: `Lines` keeps its mapping while this process holds one of its cells.
        unsafe { thread.link(Link::of(&cell.link), &plan) };
        cell.who.store(plan.who, Ordering::Relaxed);
        // SYNC: release, so that whoever reads this finds the process that it belongs to.
        cell.since.store(plan.since, Ordering::Release);
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.settle();
    }
}

/// The thread's list, or why there is none.
#[inline]
fn current() -> Result<Current, ErrorKind> {
    Current::get().map_err(|errno| match errno {
        nix::errno::Errno::ENOSYS => ErrorKind::unsupported(
            "the C library has not registered a robust list for this thread, or not as glibc does",
        ),
        other => other.into(),
    })
}

/// Takes a cell out of the list that the thread took at another address, if it is in it. False when the thread does not hold it.
#[cold]
fn unlink_elsewhere(cell: &Cell, thread: Current) -> bool {
    if !cell.is_of(thread) {
        return false;
    }
    if let Some(link) = thread.find_by_mark(cell.mark.load(Ordering::Relaxed)) {
        thread.pend(link);
        thread.unlink(link);
    }
    true
}

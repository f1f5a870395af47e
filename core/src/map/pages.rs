// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done to whole pages: write back, lock in memory, advise, fault in.

use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use nix::errno::Errno;
use nix::sys::mman::{MsFlags, mlock, msync, munlock};

use super::Map;
use crate::error::ErrorKind;
use crate::sys;

/// What the kernel may expect of a range: [`madvise(2)`](https://man7.org/linux/man-pages/man2/madvise.2.html).
#[doc(alias = "madvise")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Advice {
    /// No special treatment.
    Normal = libc::MADV_NORMAL,
    /// Pages will be touched in no order: no read-ahead.
    Random = libc::MADV_RANDOM,
    /// Pages will be touched in order: much read-ahead.
    Sequential = libc::MADV_SEQUENTIAL,
    /// Pages will be needed soon: read them in.
    WillNeed = libc::MADV_WILLNEED,
    /// This process will not need them soon; the shared bytes stay as they are, a private mapping's own changes go.
    DontNeed = libc::MADV_DONTNEED,
    /// Do not hand the range to children of fork, which must not use the mapping then.
    DontFork = libc::MADV_DONTFORK,
    /// Undo [`Advice::DontFork`].
    DoFork = libc::MADV_DOFORK,
    /// Leave the range out of core dumps.
    DontDump = libc::MADV_DONTDUMP,
    /// Undo [`Advice::DontDump`].
    DoDump = libc::MADV_DODUMP,
    /// Use transparent huge pages, where the system allows them for shared memory.
    HugePage = libc::MADV_HUGEPAGE,
    /// Do not use transparent huge pages.
    NoHugePage = libc::MADV_NOHUGEPAGE,
    /// Reclaim these pages first.
    Cold = libc::MADV_COLD,
    /// Reclaim these pages now.
    PageOut = libc::MADV_PAGEOUT,
    /// Fault the pages in for reading (Linux 5.14).
    PopulateRead = libc::MADV_POPULATE_READ,
    /// Fault the pages in for writing (Linux 5.14).
    PopulateWrite = libc::MADV_POPULATE_WRITE,
}

impl Advice {
    const ALL: [Self; 15] = [
        Self::Normal,
        Self::Random,
        Self::Sequential,
        Self::WillNeed,
        Self::DontNeed,
        Self::DontFork,
        Self::DoFork,
        Self::DontDump,
        Self::DoDump,
        Self::HugePage,
        Self::NoHugePage,
        Self::Cold,
        Self::PageOut,
        Self::PopulateRead,
        Self::PopulateWrite,
    ];

    /// The advice with this `MADV_` number; `None` for one that this library does not offer.
    pub fn from_raw(raw: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|&advice| advice as i32 == raw)
    }
}

impl Map {
    /// `msync` of the pages that the range touches. Waits for the disk unless `asynchronous`.
    pub(crate) fn flush(
        &self,
        offset: usize,
        length: usize,
        asynchronous: bool,
        invalidate: bool,
    ) -> Result<(), ErrorKind> {
        let (start, length) = self.pages(offset, length)?;
        let mut flags = if asynchronous { MsFlags::MS_ASYNC } else { MsFlags::MS_SYNC };
        flags.set(MsFlags::MS_INVALIDATE, invalidate);
        // SAFETY: the pages are ours, and writing them back changes nothing in memory.
        Ok(unsafe { msync(start.cast(), length, flags) }?)
    }

    /// `madvise` of the pages that the range touches.
    pub(crate) fn advise(
        &self,
        offset: usize,
        length: usize,
        advice: Advice,
    ) -> Result<(), ErrorKind> {
        let (start, length) = self.pages(offset, length)?;
        if advice == Advice::DontFork {
            // SYNC: pairs with the drop, which comes after all use.
            self.keeper.store(std::process::id(), Ordering::Relaxed);
        }
        // SAFETY: the pages are ours, and no advice that is offered discards shared bytes.
        unsafe { sys::madvise(start.as_ptr(), length, advice as i32) }?;
        if advice == Advice::DoFork && length == self.mapped {
            // SYNC: as above.
            self.keeper.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Touches every page now, so that no fault comes later. Pages `of_memory` become writable when they are read,
    /// which takes half as long; those of a disk must be told that a write is coming.
    pub(crate) fn populate(&self, of_memory: bool) -> Result<(), ErrorKind> {
        let read = !self.is_writable() || (of_memory && !self.plan.private);
        let advice = if read { Advice::PopulateRead } else { Advice::PopulateWrite };
        match self.advise(0, self.len(), advice) {
            Err(ErrorKind::Os(libc::EINVAL)) => Err(ErrorKind::unsupported(
                "this kernel cannot populate a mapping (Linux 5.14 can)",
            )),
            Err(ErrorKind::Os(libc::EFAULT)) => Err(ErrorKind::Truncated),
            other => other,
        }
    }

    /// `mlock`: the pages stay in memory.
    pub(crate) fn lock(&self) -> Result<(), ErrorKind> {
        // SAFETY: the pages are ours.
        unsafe { mlock(self.base.cast(), self.mapped) }?;
        // SYNC: a note to this map's own calls; the kernel's state is the truth.
        self.locked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Locks pages that were mapped anew, if the mapping was locked. Within the limit they were under before.
    pub(super) fn lock_again(&self) {
        if self.locked.load(Ordering::Relaxed) {
            // Best effort: the bytes are right without it.
            let _ = self.lock();
        }
    }

    /// `munlock`.
    pub(crate) fn unlock(&self) -> Result<(), ErrorKind> {
        self.locked.store(false, Ordering::Relaxed);
        // SAFETY: the pages are ours.
        Ok(unsafe { munlock(self.base.cast(), self.mapped) }?)
    }

    /// The range extended to whole pages, which is what these calls take.
    fn pages(&self, offset: usize, length: usize) -> Result<(NonNull<u8>, usize), ErrorKind> {
        self.check(offset, length)?;
        let first = (self.skip + offset) / self.plan.page_size * self.plan.page_size;
        let last = (self.skip + offset + length)
            .checked_next_multiple_of(self.plan.page_size)
            .ok_or(Errno::EOVERFLOW)?;
        // SAFETY: `first` lies inside the mapping, since `offset` does.
        let start = unsafe { self.base.add(first) };
        Ok((start, last.min(self.mapped) - first))
    }
}

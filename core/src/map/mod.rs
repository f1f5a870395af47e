// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mapped bytes: `mmap` and `shmat` behind one owner that unmaps when it is dropped.
//!
//! The bytes may change at any moment, by other processes. They are therefore only ever a raw
//! pointer, an atomic or a copy, never a Rust reference.
#![allow(unsafe_code)]

mod access;
pub(crate) mod bytes;
pub(crate) mod cell;
pub(crate) mod copy;
pub(crate) mod lines;
pub(crate) mod mirror;
mod pages;
mod placement;
mod region;
pub(crate) mod shortcut;
mod sigbus;
pub(crate) mod slots;
mod twin;

use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::mman::{MRemapFlags, MapFlags, ProtFlags, mmap, mmap_anonymous, mremap, munmap};

pub use pages::Advice;
pub use placement::Placement;
pub use region::Region;
pub(crate) use region::{Mapped, Placed};

use crate::error::ErrorKind;
use crate::{fd, sys};

/// Where the bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file of any kind: POSIX object, memfd, file on disk.
    File(OwnedFd),
    /// Shared with descendants only.
    Anonymous,
    /// A System V segment, by identifier, of so many bytes.
    SystemV { id: i32, size: usize },
}

/// Which bytes to map, and how.
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// First byte of the source; need not be on a page boundary.
    pub(crate) offset: u64,
    /// How many bytes may be touched.
    pub(crate) length: usize,
    pub(crate) writable: bool,
    pub(crate) executable: bool,
    /// Copy-on-write instead of shared.
    pub(crate) private: bool,
    /// An inaccessible page before and after, so that an overrun is SIGSEGV at once.
    pub(crate) guard_pages: bool,
    /// Let the rest of the file's last page count, which other mappings share but the file never gets.
    pub(crate) slack: bool,
    /// May somebody take pages away from under the mapping? Files may shrink, unless they are sealed.
    pub(crate) can_shrink: bool,
    /// Size of the pages that the source consists of.
    pub(crate) page_size: usize,
    pub(crate) placement: Option<Placement>,
}

/// Owned mapped bytes.
pub(crate) struct Map {
    /// First mapped byte, on a page boundary.
    base: NonNull<u8>,
    /// Whole pages from `base` on.
    mapped: usize,
    /// From `base` to the first byte that was asked for.
    skip: usize,
    source: Source,
    plan: Plan,
    /// The place in the table that the SIGBUS handler reads; taken at the first access that needs it.
    slot: OnceLock<&'static sigbus::Slot>,
    /// Is it to stay in memory? New pages under the mapping are then locked like the old ones.
    locked: AtomicBool,
    /// The process that keeps pages from its children, if it does; 0 if not.
    keeper: AtomicU32,
}

// SAFETY: the map owns its pages wherever it is; nothing in it belongs to a thread.
unsafe impl Send for Map {}
// SAFETY: shared access is through raw pointers, atomics and copies, which other processes race with anyway.
unsafe impl Sync for Map {}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Map")
            .field("base", &self.base)
            .field("mapped", &self.mapped)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl Map {
    #[inline]
    pub(crate) fn new(source: Source, plan: Plan) -> Result<Self, ErrorKind> {
        let geometry = plan.geometry(&source)?;
        let base = if plan.guard_pages {
            map_between_guards(&source, &plan, geometry.1)?
        } else {
            map_pages(&source, &plan, geometry.1, plan.placement.unwrap_or_default())?
        };
        Ok(Self::over(base, geometry, source, plan))
    }

    /// The owner of pages that were mapped so.
    fn over(base: NonNull<u8>, (skip, mapped): (usize, usize), source: Source, plan: Plan) -> Self {
        Self {
            base,
            mapped,
            skip,
            source,
            plan,
            slot: OnceLock::new(),
            locked: AtomicBool::new(false),
            keeper: AtomicU32::new(0),
        }
    }

    /// How many bytes may be touched.
    pub(crate) fn len(&self) -> usize {
        self.plan.length
    }

    /// Whole pages that the mapping takes of the address space.
    pub(crate) fn mapped_len(&self) -> usize {
        self.mapped
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        // SAFETY: `skip` is where the bytes that may be touched begin, of which at least one is mapped.
        unsafe { self.base.as_ptr().add(self.skip) }
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.plan.writable
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn file(&self) -> Option<&OwnedFd> {
        match &self.source {
            Source::File(file) => Some(file),
            Source::Anonymous | Source::SystemV { .. } => None,
        }
    }

    /// Gives the descriptor back, for a mapping that lives without it: it cannot be stretched or mapped anew.
    pub(crate) fn take_file(&mut self) -> Option<OwnedFd> {
        match std::mem::replace(&mut self.source, Source::Anonymous) {
            Source::File(file) => Some(file),
            other => {
                self.source = other;
                None
            }
        }
    }

    /// Maps `length` bytes from the same offset on, moving the mapping where it must.
    pub(crate) fn remap(&mut self, length: usize) -> Result<(), ErrorKind> {
        let plan = Plan { length, ..self.plan };
        let (_, mapped) = plan.geometry(&self.source)?;
        if self.slot.get().is_some_and(|slot| slot.has_fault()) {
            // The handler's zeros must not pass for the file's bytes once the fault is forgotten.
            self.map_over()?;
        }
        let stays = plan.guard_pages || plan.placement.is_some();
        if mapped > self.mapped && stays {
            return Err(ErrorKind::unsupported(
                "a mapping at a fixed address or between guard pages cannot grow",
            ));
        }
        if mapped != self.mapped && !stays {
            match self.stretch(mapped) {
                // Pages behind the end harm nobody, so what shrinks never fails.
                Err(_) if mapped < self.mapped => {}
                other => other?,
            }
        }
        self.forget_slot();
        self.plan = plan;
        Ok(())
    }

    /// Makes the mapping `mapped` bytes long.
    fn stretch(&mut self, mapped: usize) -> Result<(), ErrorKind> {
        let old = self.base.cast();
        // SAFETY: the pages are ours and, with `&mut self`, nobody is inside a checked access.
        let moved = unsafe { mremap(old, self.mapped, mapped, MRemapFlags::MREMAP_MAYMOVE, None) };
        self.base = match moved {
            // Advice for a part has split the mapping, and the kernel moves no parts. A new one will do, where
            // there are no changes of its own to keep.
            // Huge pages are not stretched either (EINVAL).
            Err(Errno::EFAULT | Errno::EINVAL) if !self.plan.private => {
                let new = map_pages(&self.source, &self.plan, mapped, Placement::default())?;
                // SAFETY: as above; a failure would mean that the pages are not ours.
                let _ = unsafe { munmap(old, self.mapped) };
                new
            }
            other => other?.cast(),
        };
        self.mapped = mapped;
        self.lock_again();
        Ok(())
    }

    fn forget_slot(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.release();
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        self.forget_slot();
        // SYNC: relaxed is enough, dropping comes after all use.
        let keeper = self.keeper.load(Ordering::Relaxed);
        if keeper != 0 && keeper != std::process::id() {
            // A child that did not inherit the pages: what lies there now is not ours to unmap.
            return;
        }
        // A failure here would mean that the pages are not ours; there is nothing left to do about it.
        let _ = match self.source {
            // SAFETY: the attachment is ours and dropping proves that nobody uses it.
            Source::SystemV { .. } => unsafe { sys::shm::shmdt(self.base.as_ptr()) },
            // SAFETY: the pages are ours and dropping proves that nobody uses them.
            Source::File(_) | Source::Anonymous => unsafe { munmap(self.base.cast(), self.mapped) },
        };
        if self.plan.guard_pages {
            let page = self.plan.page_size;
            let before = self.base.addr().get() - page;
            for guard in [before, self.base.addr().get() + self.mapped] {
                let guard = self.base.as_ptr().with_addr(guard).cast();
                // SAFETY: a guard page is part of the reservation that this map made, which is never at 0.
                let guard = unsafe { NonNull::new_unchecked(guard) };
                // SAFETY: nothing but this map knows the guard page.
                let _ = unsafe { munmap(guard, page) };
            }
        }
    }
}

impl Plan {
    /// Bytes from the first mapped one to the offset, and the length in whole pages.
    fn geometry(&self, source: &Source) -> Result<(usize, usize), ErrorKind> {
        let page = self.page_size as u64;
        let (skip, end) = match source {
            // The kernel attaches a segment whole, whichever part of it is wanted.
            Source::SystemV { size, .. } => (self.offset, Some(*size as u64)),
            Source::File(_) | Source::Anonymous => {
                let skip = self.offset % page;
                (skip, skip.checked_add(self.length as u64))
            }
        };
        let whole = end
            .and_then(|bytes| bytes.checked_next_multiple_of(page))
            .filter(|&bytes| bytes > 0 && isize::try_from(bytes).is_ok())
            .ok_or(Errno::EOVERFLOW)?;
        let narrow = |bytes: u64| usize::try_from(bytes).map_err(|_| Errno::EOVERFLOW);
        Ok((narrow(skip)?, narrow(whole)?))
    }

    /// Where the bytes end that may be touched, in a file of this size.
    pub(crate) fn usable_end(&self, file_size: u64) -> u64 {
        usable_end(file_size, self.page_size, self.slack)
    }

    fn protection(&self) -> ProtFlags {
        let mut protection = ProtFlags::PROT_READ;
        protection.set(ProtFlags::PROT_WRITE, self.writable);
        protection.set(ProtFlags::PROT_EXEC, self.executable);
        protection
    }

    fn sharing(&self) -> MapFlags {
        if self.private { MapFlags::MAP_PRIVATE } else { MapFlags::MAP_SHARED }
    }

    fn huge_flags(&self) -> MapFlags {
        if self.page_size == sys::page_size() {
            return MapFlags::empty();
        }
        // The kernel knows which sizes there are; without one it would take its own.
        let size = self.page_size.trailing_zeros() << libc::MAP_HUGE_SHIFT;
        MapFlags::MAP_HUGETLB | MapFlags::from_bits_retain(size.cast_signed())
    }
}

/// Where the bytes end that may be touched, in an object of this size.
pub(crate) fn usable_end(size: u64, page_size: usize, slack: bool) -> u64 {
    if slack { size.checked_next_multiple_of(page_size as u64).unwrap_or(u64::MAX) } else { size }
}

/// Reserves the range with a page to spare on both sides, then maps over its middle.
fn map_between_guards(
    source: &Source,
    plan: &Plan,
    mapped: usize,
) -> Result<NonNull<u8>, ErrorKind> {
    let page = plan.page_size;
    if page != sys::page_size() {
        return Err(ErrorKind::unsupported("guard pages are ordinary pages, not huge ones"));
    }
    let whole = mapped.checked_add(2 * page).ok_or(Errno::EOVERFLOW)?;
    let whole = NonZeroUsize::new(whole).ok_or(Errno::EOVERFLOW)?;
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
    // SAFETY: the kernel chooses the address of a new mapping.
    let reserved = unsafe { mmap_anonymous(None, whole, ProtFlags::PROT_NONE, flags) }?;
    // SAFETY: the range was reserved just now and is known to nobody else.
    let inside = unsafe { Placement::at(reserved.addr().get() + page) };
    // SAFETY: as above: what gets replaced is our own reservation.
    let inside = unsafe { inside.replacing() };
    map_pages(source, plan, mapped, inside).inspect_err(|_| {
        // SAFETY: the reservation is ours and nothing was mapped into it.
        let _ = unsafe { munmap(reserved, whole.get()) };
    })
}

fn map_pages(
    source: &Source,
    plan: &Plan,
    mapped: usize,
    placement: Placement,
) -> Result<NonNull<u8>, ErrorKind> {
    let address = placement.rounded_address(plan.page_size)?;
    if let Source::SystemV { id, .. } = source {
        let flags = placement.shm_flags()
            | if plan.writable { 0 } else { libc::SHM_RDONLY }
            | if plan.executable { libc::SHM_EXEC } else { 0 };
        // SAFETY: whoever made a placement that replaces mappings has promised that they are his.
        let base = unsafe { sys::shm::shmat(*id, placement.address(), flags) }?;
        return NonNull::new(base).ok_or(ErrorKind::from(Errno::EFAULT));
    }
    let length = NonZeroUsize::new(mapped).ok_or(Errno::EINVAL)?;
    let flags = plan.sharing() | placement.map_flags();
    let base = if let Source::File(file) = source {
        let offset = fd::offset(plan.offset - plan.offset % plan.page_size as u64)?;
        // SAFETY: a placement that replaces mappings carries its maker's promise; otherwise the range is free.
        unsafe { mmap(address, length, plan.protection(), flags, file.as_fd(), offset) }
    } else {
        let flags = flags | plan.huge_flags();
        // SAFETY: as above.
        unsafe { mmap_anonymous(address, length, plan.protection(), flags) }
    };
    match base {
        Ok(base) if address.is_some_and(|address| base.addr() != address) => {
            // A kernel before 4.17 takes the address for a hint.
            // SAFETY: the mapping was made just now and nobody else knows it.
            let _ = unsafe { munmap(base, mapped) };
            Err(ErrorKind::Occupied)
        }
        Ok(base) => Ok(base.cast()),
        // Said apart from a name that is taken, which is EEXIST too.
        Err(Errno::EEXIST) => Err(ErrorKind::Occupied),
        Err(errno) => Err(errno.into()),
    }
}

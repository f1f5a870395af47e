// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory for a ring: its bytes appear twice in a row in the address space, so that a record that runs over the end goes on
//! at the beginning, and nobody ever splits one. Before the ring lie control bytes, which appear once.

use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use zerocopy::FromBytes;

use super::{Map, Placement, Plan, Source, map_pages};
use crate::error::ErrorKind;
use crate::sys;

/// Control bytes, then a ring, mapped twice. The ring's size is a power of two; positions in it count on and on.
#[derive(Debug)]
pub(crate) struct Mirror {
    map: Map,
    control: usize,
    ring: usize,
    mask: u64,
}

impl Mirror {
    /// Maps `control` bytes and then `ring` bytes of the file from `offset` on. All are multiples of the
    /// file's pages, which have `page` bytes.
    ///
    /// The mapping is guarded against a file that shrinks for as long as it lives; [`Mirror::check`] tells.
    pub(crate) fn new(
        file: OwnedFd,
        offset: usize,
        control: usize,
        ring: usize,
        can_shrink: bool,
        page: usize,
    ) -> Result<Self, ErrorKind> {
        let fits = ring.is_power_of_two() && ring >= page && control > 0;
        if !fits || !control.is_multiple_of(page) || !offset.is_multiple_of(page) {
            return Err(ErrorKind::Os(libc::EINVAL));
        }
        let once = control.checked_add(ring).ok_or(Errno::EOVERFLOW)?;
        let twice = once.checked_add(ring).and_then(NonZeroUsize::new).ok_or(Errno::EOVERFLOW)?;
        let plan = Plan {
            offset: offset as u64,
            length: once,
            writable: true,
            executable: false,
            private: false,
            guard_pages: false,
            slack: false,
            can_shrink,
            page_size: page,
            placement: None,
        };
        let base = reserve(twice, page)?;
        // From here on the reservation has an owner that unmaps it.
        let map = Map::over(base, (0, twice.get()), Source::File(file), plan);
        map.place(0, once, offset)?;
        map.place(once, ring, offset + control)?;
        map.begin_access();
        Ok(Self { map, control, ring, mask: ring as u64 - 1 })
    }

    /// How many bytes the ring has.
    #[inline]
    pub(crate) fn size(&self) -> u64 {
        self.mask + 1
    }

    /// The control bytes from `offset` on as a `T`, which must consist of atomics alone: others change it at any time.
    ///
    /// Errors: `ERANGE` when it does not lie inside of them.
    pub(crate) fn part<T: FromBytes>(
        self: &Arc<Self>,
        offset: usize,
    ) -> Result<Part<T>, ErrorKind> {
        let end = offset.checked_add(size_of::<T>()).filter(|&end| end <= self.control);
        end.ok_or(Errno::ERANGE)?;
        let start = self.map.ptr_at(offset, size_of::<T>())?.cast::<T>();
        match NonNull::new(start).filter(|start| start.is_aligned()) {
            Some(at) => Ok(Part { at, mirror: Arc::clone(self) }),
            None => Err(Errno::EINVAL.into()),
        }
    }

    /// Fetches the line at a position into the nearest cache, for a read that will come.
    #[inline]
    pub(crate) fn prefetch(&self, position: u64) {
        fetch(self.address(position));
    }

    /// Takes the line at a position away from other processors, by a store to a byte that means nothing now. Where one
    /// of them has read the line, nothing less does it: an instruction that prefetches leaves it shared.
    #[inline]
    pub(crate) fn claim(&self, position: u64) {
        // SAFETY: the address is inside, and a byte.
        unsafe { self.address(position).write_volatile(0) };
    }

    /// Has the file lost pages? Then nothing that was read or written here means anything.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), ErrorKind> {
        let lost = self.map.slot.get().is_some_and(|slot| slot.has_fault());
        if lost { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    /// The address of the bytes from a position on, of which `size()` may be touched.
    #[inline]
    pub(crate) fn address(&self, position: u64) -> *mut u8 {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "less than the ring's size, which was a usize"
        )]
        let offset = (position & self.mask) as usize;
        // SAFETY: the masked position lies in the first appearance of the ring, behind which there is a second one.
        unsafe { self.map.base.as_ptr().add(self.control + offset) }
    }

    /// Copies bytes in, at most as many as the ring has.
    #[inline]
    pub(crate) fn write(&self, position: u64, bytes: &[u8]) {
        let length = bytes.len().min(self.ring);
        // SAFETY: `address` gives as many bytes as the ring has; nobody's `bytes` lie in the ring's pages but by raw pointers.
        unsafe { copy(self.address(position), bytes.as_ptr(), length) };
    }

    /// Copies bytes out, at most as many as the ring has, and gives them back initialised.
    #[inline]
    pub(crate) fn read<'a>(
        &self,
        position: u64,
        buffer: &'a mut [MaybeUninit<u8>],
    ) -> &'a mut [u8] {
        let length = buffer.len().min(self.ring);
        let start = buffer.as_mut_ptr().cast::<u8>();
        // SAFETY: as in `write`.
        unsafe { copy(start, self.address(position), length) };
        // SAFETY: these bytes were written just now.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }

    /// Reads the eight bytes at a position, which is a multiple of eight.
    #[inline]
    #[allow(
        clippy::cast_ptr_alignment,
        reason = "the ring begins on a page, and the position is a multiple of 8"
    )]
    pub(crate) fn word(&self, position: u64) -> u64 {
        // SAFETY: `address` gives at least a page; whatever is there is a number.
        unsafe { self.address(position & !7).cast::<u64>().read_volatile() }
    }

    /// Writes eight bytes at a position, which is a multiple of eight.
    #[inline]
    #[allow(clippy::cast_ptr_alignment, reason = "as above")]
    pub(crate) fn set_word(&self, position: u64, value: u64) {
        // SAFETY: as above.
        unsafe { self.address(position & !7).cast::<u64>().write_volatile(value) };
    }
}

/// Atomics among the control bytes; keeps the mapping.
#[derive(Debug)]
pub(crate) struct Part<T> {
    at: NonNull<T>,
    mirror: Arc<Mirror>,
}

// SAFETY: what it leads to are atomics, which any thread may use.
unsafe impl<T> Send for Part<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Part<T> {}

impl<T> Part<T> {
    /// A part of the part.
    pub(crate) fn project<U>(&self, choose: impl for<'a> FnOnce(&'a T) -> &'a U) -> Part<U> {
        Part { at: NonNull::from(choose(self)), mirror: Arc::clone(&self.mirror) }
    }

    /// Fetches its first line, as [`Mirror::prefetch`].
    #[inline]
    pub(crate) fn prefetch(&self) {
        fetch(self.at.as_ptr().cast());
    }
}

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        Self { at: self.at, mirror: Arc::clone(&self.mirror) }
    }
}

impl<T> Deref for Part<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: inside, aligned, mapped as long as `mirror` is kept; any bytes are a `T`, and atomics may be shared.
        unsafe { self.at.as_ref() }
    }
}

#[inline]
fn fetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect but on speed, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    };
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Takes so many bytes of the address space, which begin where such pages can.
fn reserve(length: NonZeroUsize, page: usize) -> Result<NonNull<u8>, ErrorKind> {
    // Huge pages lie at multiples of their size; others lie well wherever the kernel puts them.
    let spare = if page > sys::page_size() { page } else { 0 };
    let whole = length.checked_add(spare).ok_or(Errno::EOVERFLOW)?;
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
    // SAFETY: the kernel chooses the address of a new mapping.
    let first = unsafe { mmap_anonymous(None, whole, ProtFlags::PROT_NONE, flags) }?.cast::<u8>();
    let before = first.as_ptr().align_offset(page).min(spare);
    for (at, spare) in [(0, before), (before + length.get(), spare - before)] {
        if spare > 0 {
            // SAFETY: inside what was reserved just now.
            let start = unsafe { first.add(at) };
            // SAFETY: nobody uses the reservation yet; a failure leaves a piece of it unused.
            let _ = unsafe { munmap(start.cast(), spare) };
        }
    }
    // SAFETY: as above.
    Ok(unsafe { first.add(before) })
}

impl Map {
    /// Maps `length` bytes of the file from `offset` on over the reserved range at `at`.
    fn place(&self, at: usize, length: usize, offset: usize) -> Result<(), ErrorKind> {
        // SAFETY: the range is part of this map's own reservation.
        let here = unsafe { Placement::at(self.base.addr().get() + at) };
        // SAFETY: as above, and nobody uses it yet.
        let here = unsafe { here.replacing() };
        let plan = Plan { offset: offset as u64, length, ..self.plan };
        map_pages(&self.source, &plan, length, here).map(drop)
    }
}

/// `memcpy`, with what messages mostly are, up to 64 bytes, done on the spot: a call costs as much as they do.
///
/// # Safety
///
/// `length` bytes may be read at `from` and written at `to`, and the two do not overlap.
#[inline]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a place and what is done there")]
unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    /// Copies `N` bytes from the front and `N` from the back, which may overlap.
    ///
    /// # Safety
    ///
    /// As [`copy`]; `length` is at least `N`.
    #[inline]
    unsafe fn ends<const N: usize>(to: *mut u8, from: *const u8, length: usize) {
        // SAFETY: the first and the last `N` of `length` bytes that may be read.
        let (front, back) = unsafe {
            let back = from.add(length - N);
            (from.cast::<[u8; N]>().read_unaligned(), back.cast::<[u8; N]>().read_unaligned())
        };
        // SAFETY: the same of those that may be written.
        unsafe {
            to.cast::<[u8; N]>().write_unaligned(front);
            to.add(length - N).cast::<[u8; N]>().write_unaligned(back);
        }
    }
    match length {
        0 => {}
        // SAFETY: as above, and each of these is at least as long as its ends.
        4..=7 => unsafe { ends::<4>(to, from, length) },
        // SAFETY: as above.
        8..=16 => unsafe { ends::<8>(to, from, length) },
        // SAFETY: as above.
        17..=32 => unsafe { ends::<16>(to, from, length) },
        // SAFETY: as above.
        33..=64 => unsafe { ends::<32>(to, from, length) },
        // Very short, or long. SAFETY: the caller's contract.
        _ => unsafe { to.copy_from_nonoverlapping(from, length) },
    }
}

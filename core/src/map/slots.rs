// SPDX-License-Identifier: MIT OR Apache-2.0
//! A number and some places of one size in a mapping, checked once: what a record that is always whole consists of.

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{Map, copy};
use crate::error::ErrorKind;

/// Where they are, in bytes from the mapping's first on.
pub(crate) struct Places {
    pub(crate) number: usize,
    pub(crate) first: usize,
    pub(crate) stride: usize,
    /// How many bytes of each are used.
    pub(crate) size: usize,
}

/// A number and `COUNT` slots.
pub(crate) struct Slots<const COUNT: usize> {
    map: Arc<Map>,
    number: NonNull<AtomicU64>,
    first: NonNull<u8>,
    stride: usize,
    size: usize,
    /// May the mapping lose pages?
    can_shrink: bool,
}

// SAFETY: the number is an atomic, and the slots are copied, by however many.
unsafe impl<const COUNT: usize> Send for Slots<COUNT> {}
// SAFETY: as above.
unsafe impl<const COUNT: usize> Sync for Slots<COUNT> {}

impl<const COUNT: usize> std::fmt::Debug for Slots<COUNT> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<const COUNT: usize> Slots<COUNT> {
    /// Errors: `ERANGE` when they do not lie inside, `EINVAL` when the number is not aligned or the slots overlap.
    pub(crate) fn new(map: Arc<Map>, places: &Places) -> Result<Self, ErrorKind> {
        let &Places { number, first, stride, size } = places;
        if size > stride {
            return Err(ErrorKind::invalid("slots of this size overlap"));
        }
        let number = NonNull::from(map.atomic_u64(number)?);
        let all = stride.checked_mul(COUNT).ok_or(ErrorKind::Os(libc::EOVERFLOW))?;
        let first = NonNull::new(map.ptr_at(first, all)?).ok_or(ErrorKind::Os(libc::EFAULT))?;
        let can_shrink = map.plan().can_shrink;
        Ok(Self { map, number, first, stride, size, can_shrink })
    }

    pub(crate) fn map(&self) -> &Map {
        &self.map
    }

    #[inline]
    pub(crate) fn number(&self) -> &AtomicU64 {
        // SAFETY: it lies in the mapping, which lives as long as `self`, and is aligned.
        unsafe { self.number.as_ref() }
    }

    /// Has the file kept its pages? Otherwise nothing that was read or written here means anything.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !(self.can_shrink && self.map.has_fault())
    }

    /// Is a slot so small that it is copied without a call?
    #[inline]
    pub(crate) fn are_small(&self) -> bool {
        copy::is_small(self.size)
    }

    /// Fills the buffer from the slot that a number has. Others may be writing there. False for another size than the slots'.
    #[inline]
    pub(crate) fn copy_out(&self, number: u64, buffer: &mut [MaybeUninit<u8>]) -> bool {
        let fits = buffer.len() == self.size;
        if fits {
            // SAFETY: a slot lies in the mapping and has so many bytes, as the buffer has.
            unsafe { copy::copy(self.slot(number), buffer.as_mut_ptr().cast(), self.size) };
        }
        fits
    }

    /// As [`Slots::copy_out`], for small ones.
    #[inline]
    pub(crate) fn copy_small_out(&self, number: u64, buffer: &mut [MaybeUninit<u8>]) -> bool {
        let fits = buffer.len() == self.size && self.are_small();
        if fits {
            // SAFETY: as above.
            unsafe { copy::copy_small(self.slot(number), buffer.as_mut_ptr().cast(), self.size) };
        }
        fits
    }

    /// Fills the slot that a number has.
    ///
    /// Errors: `EACCES` for a read-only mapping, `EINVAL` for another size than the slots'.
    #[inline]
    pub(crate) fn copy_in(&self, number: u64, bytes: &[u8]) -> Result<(), ErrorKind> {
        if !self.map.is_writable() {
            return Err(ErrorKind::ReadOnly);
        }
        if bytes.len() != self.size {
            return Err(ErrorKind::Os(libc::EINVAL));
        }
        // SAFETY: as above, and the pages are writable.
        unsafe { copy::copy(bytes.as_ptr(), self.slot(number), self.size) };
        if self.is_whole() { Ok(()) } else { Err(ErrorKind::Truncated) }
    }

    #[inline]
    fn slot(&self, number: u64) -> *mut u8 {
        #[allow(clippy::cast_possible_truncation, reason = "the remainder is small")]
        let slot = (number % COUNT as u64) as usize;
        self.first.as_ptr().wrapping_add(slot * self.stride)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checked access to mapped bytes: bounds first, then the size of the file, then the copy under the SIGBUS guard.

use std::cmp::Ordering;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use super::{Map, Placement, map_pages, sigbus};
use crate::error::ErrorKind;
use crate::fd;

/// Comparing copies this much at a time out of shared memory, so that a byte is read once.
const COMPARE_STEP: usize = 4096;

impl Map {
    /// Does the range lie inside `len()`?
    #[inline]
    pub(crate) fn check(&self, offset: usize, length: usize) -> Result<(), ErrorKind> {
        match offset.checked_add(length) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(ErrorKind::OutOfBounds {
                offset: offset as u64,
                length: length as u64,
                size: self.len() as u64,
            }),
        }
    }

    /// The address of a range, if it lies inside.
    #[inline]
    pub(crate) fn ptr_at(&self, offset: usize, length: usize) -> Result<*mut u8, ErrorKind> {
        self.check(offset, length)?;
        // SAFETY: `offset` is at most `len()`, which lies inside the mapping.
        Ok(unsafe { self.as_ptr().add(offset) })
    }

    /// As [`Map::ptr_at`], for a range about to be written.
    fn writable_at(&self, offset: usize, length: usize) -> Result<*mut u8, ErrorKind> {
        if !self.is_writable() {
            return Err(ErrorKind::ReadOnly);
        }
        self.ptr_at(offset, length)
    }

    /// Refuses a range that the file no longer reaches, also inside its last page, where no signal tells.
    fn present(&self, offset: usize, length: usize) -> Result<(), ErrorKind> {
        let Some(file) = self.file().filter(|_| self.plan.can_shrink) else {
            return Ok(());
        };
        let size = self.plan.usable_end(fd::size(file)?);
        if self.plan.offset + (offset + length) as u64 > size {
            return Err(ErrorKind::Truncated);
        }
        Ok(())
    }

    pub(crate) fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        // SAFETY: bytes that are initialised are also bytes that may not be; `read_uninit` only writes bytes to them.
        let buffer = unsafe { &mut *(ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) };
        self.read_uninit(offset, buffer).map(drop)
    }

    /// As [`Map::read_at`], into memory that need not be initialised; gives it back initialised.
    pub(crate) fn read_uninit<'a>(
        &self,
        offset: usize,
        buffer: &'a mut [MaybeUninit<u8>],
    ) -> Result<&'a mut [u8], ErrorKind> {
        let source = self.ptr_at(offset, buffer.len())?;
        self.present(offset, buffer.len())?;
        // SAFETY: the range was checked; `copy` allows the caller's buffer to lie in the same memory.
        self.guarded(|| unsafe { source.copy_to(buffer.as_mut_ptr().cast(), buffer.len()) })?;
        // SAFETY: every byte was written just now.
        Ok(unsafe { &mut *(ptr::from_mut(buffer) as *mut [u8]) })
    }

    pub(crate) fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<(), ErrorKind> {
        let target = self.writable_at(offset, bytes.len())?;
        self.present(offset, bytes.len())?;
        // SAFETY: as in `read_at`, and the pages are writable.
        self.guarded(|| unsafe { target.copy_from(bytes.as_ptr(), bytes.len()) })
    }

    pub(crate) fn fill(&self, offset: usize, length: usize, byte: u8) -> Result<(), ErrorKind> {
        let target = self.writable_at(offset, length)?;
        self.present(offset, length)?;
        // SAFETY: the range was checked and the pages are writable.
        self.guarded(|| unsafe { target.write_bytes(byte, length) })
    }

    /// As `memcmp`: how the mapped bytes stand to `bytes`.
    pub(crate) fn compare(&self, offset: usize, bytes: &[u8]) -> Result<Ordering, ErrorKind> {
        self.check(offset, bytes.len())?;
        let mut copy = [0; COMPARE_STEP];
        for (step, chunk) in bytes.chunks(COMPARE_STEP).enumerate() {
            let copy = &mut copy[..chunk.len()];
            self.read_at(offset + step * COMPARE_STEP, copy)?;
            match (*copy).cmp(chunk) {
                Ordering::Equal => {}
                different => return Ok(different),
            }
        }
        Ok(Ordering::Equal)
    }

    /// Runs `work`, in which a SIGBUS on this mapping is caught and becomes [`ErrorKind::Truncated`].
    pub(crate) fn guarded<R>(&self, work: impl FnOnce() -> R) -> Result<R, ErrorKind> {
        self.begin_access();
        let result = work();
        self.end_access().map(|()| result)
    }

    /// From here to [`Map::end_access`], a missing page of the file reads as zeros instead of killing the process.
    pub(crate) fn begin_access(&self) {
        if self.plan.can_shrink {
            self.slot().begin();
        }
    }

    /// Where it is remembered that a page is missing.
    pub(super) fn slot(&self) -> &'static sigbus::Slot {
        if !self.plan.can_shrink {
            return sigbus::Slot::whole();
        }
        self.slot.get_or_init(|| {
            let start = self.base.addr().get();
            sigbus::claim(start..start + self.mapped, self.plan.page_size)
        })
    }

    /// Errors: [`ErrorKind::Truncated`] when a page was missing while any access was going on.
    pub(crate) fn end_access(&self) -> Result<(), ErrorKind> {
        if !self.plan.can_shrink {
            return Ok(());
        }
        match self.slot.get().and_then(|slot| slot.end(|| self.map_again())) {
            None => Err(ErrorKind::invalid("no access was begun")),
            Some(true) => Err(ErrorKind::Truncated),
            Some(false) => Ok(()),
        }
    }

    /// The file's pages in place of the zeros that the handler put there. A private mapping cannot have
    /// this, since its own changes would be lost: it stays marked until it is mapped anew.
    fn map_again(&self) -> bool {
        !self.plan.private && self.map_over().is_ok()
    }

    /// Maps the file's pages over all that is there, private changes too.
    pub(super) fn map_over(&self) -> Result<(), ErrorKind> {
        // SAFETY: the range is this mapping's own.
        let here = unsafe { Placement::at(self.base.addr().get()) };
        // SAFETY: as above; what is replaced are pages of the same file, or the handler's zeros.
        let here = unsafe { here.replacing() };
        map_pages(&self.source, &self.plan, self.mapped, here)?;
        self.lock_again();
        Ok(())
    }
}

#[cold]
fn misaligned(byte: u64, size: usize) -> ErrorKind {
    ErrorKind::invalid(format!(
        "byte {byte} of the object is no multiple of {size}, as an atomic integer needs"
    ))
}

macro_rules! atomics {
    ($($integer:ty, $atomic:ty, $at:ident, $load:ident, $store:ident, $add:ident, $exchange:ident;)*) => {
        impl Map {$(
            /// The aligned integer at `offset`; its address must be a multiple of its size.
            #[allow(clippy::cast_ptr_alignment, reason = "the alignment is checked first")]
            #[inline]
            pub(crate) fn $at(&self, offset: usize) -> Result<&$atomic, ErrorKind> {
                let address = self.ptr_at(offset, size_of::<$integer>())?;
                if !address.addr().is_multiple_of(size_of::<$integer>()) {
                    return Err(misaligned(self.plan.offset + offset as u64, size_of::<$integer>()));
                }
                // SAFETY: inside, aligned, mapped as long as `self` lives, and only ever seen as an atomic by us.
                Ok(unsafe { <$atomic>::from_ptr(address.cast()) })
            }

            // SYNC: each of the four is SeqCst and pairs with the same operations of whoever shares the bytes.
            pub(crate) fn $load(&self, offset: usize) -> Result<$integer, ErrorKind> {
                let atomic = self.$at(offset)?;
                if self.is_writable() {
                    return self.guarded(|| atomic.load(SeqCst));
                }
                // On pages that cannot be written Rust defines relaxed loads alone; the fences give the order.
                fence(SeqCst);
                let value = self.guarded(|| atomic.load(Relaxed));
                fence(SeqCst);
                value
            }

            pub(crate) fn $store(&self, offset: usize, value: $integer) -> Result<(), ErrorKind> {
                self.writable_at(offset, 0)?;
                let atomic = self.$at(offset)?;
                self.guarded(|| atomic.store(value, SeqCst))
            }

            /// Wraps around; gives the previous value.
            pub(crate) fn $add(&self, offset: usize, addend: $integer) -> Result<$integer, ErrorKind> {
                self.writable_at(offset, 0)?;
                let atomic = self.$at(offset)?;
                self.guarded(|| atomic.fetch_add(addend, SeqCst))
            }

            pub(crate) fn $exchange(
                &self,
                offset: usize,
                expected: $integer,
                desired: $integer,
            ) -> Result<Result<$integer, $integer>, ErrorKind> {
                self.writable_at(offset, 0)?;
                let atomic = self.$at(offset)?;
                self.guarded(|| atomic.compare_exchange(expected, desired, SeqCst, SeqCst))
            }
        )*}
    };
}

atomics! {
    u32, AtomicU32, atomic_u32, load_u32, store_u32, add_u32, compare_exchange_u32;
    u64, AtomicU64, atomic_u64, load_u64, store_u64, add_u64, compare_exchange_u64;
}

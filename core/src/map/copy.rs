// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies out of and into a mapping that is guarded for as long as it lives ([`Map::twin`]): no system call, no guard.

use std::mem::MaybeUninit;

use super::Map;
use crate::error::ErrorKind;

impl Map {
    /// Fills the buffer from `offset` on. Others may be writing there: what comes may be half old and half new.
    ///
    /// Errors: `ERANGE`; `EFAULT` when the file lost the pages.
    #[inline]
    pub(crate) fn copy_out(
        &self,
        offset: usize,
        buffer: &mut [MaybeUninit<u8>],
    ) -> Result<(), ErrorKind> {
        let source = self.ptr_at(offset, buffer.len())?;
        // SAFETY: the range was checked; `copy_to` allows the caller's buffer to lie in the same memory.
        unsafe { source.copy_to(buffer.as_mut_ptr().cast(), buffer.len()) };
        if self.has_fault() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    /// Writes the bytes from `offset` on.
    ///
    /// Errors: as [`Map::copy_out`], and `EACCES` for a read-only mapping.
    #[inline]
    pub(crate) fn copy_in(&self, offset: usize, bytes: &[u8]) -> Result<(), ErrorKind> {
        if !self.is_writable() {
            return Err(ErrorKind::ReadOnly);
        }
        let target = self.ptr_at(offset, bytes.len())?;
        // SAFETY: as above, and the pages are writable.
        unsafe { target.copy_from(bytes.as_ptr(), bytes.len()) };
        if self.has_fault() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }
}

/// Bytes that need not be initialised, of bytes that are.
pub(crate) fn uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the callers only write bytes there.
    unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

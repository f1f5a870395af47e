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
        // SAFETY: the range was checked, and the buffer has as many bytes.
        unsafe { copy(source, buffer.as_mut_ptr().cast(), buffer.len()) };
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
        unsafe { copy(bytes.as_ptr(), target, bytes.len()) };
        if self.has_fault() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }
}

/// As many bytes are copied here: for fewer than [`STEP`], and for more than these, a call costs no more.
const FEW: usize = 128;
/// How many the processor copies at once.
const STEP: usize = 16;

#[inline]
pub(super) fn is_small(length: usize) -> bool {
    (STEP..=FEW).contains(&length)
}

/// # Safety
///
/// So many bytes can be read there, and written here. (The ranges may overlap, as in `memmove`; what comes of it then is
/// some of the bytes.)
#[inline]
pub(super) unsafe fn copy(source: *const u8, target: *mut u8, length: usize) {
    if is_small(length) {
        // SAFETY: the caller's promise.
        unsafe { copy_small(source, target, length) };
    } else {
        // SAFETY: as above.
        unsafe { source.copy_to(target, length) };
    }
}

/// # Safety
///
/// As for [`copy`]; the length [`is_small`].
#[inline]
pub(super) unsafe fn copy_small(source: *const u8, target: *mut u8, length: usize) {
    let step = |at: usize| {
        // SAFETY: each step that is made below lies in the range. Two may have bytes in common.
        unsafe { source.wrapping_add(at).copy_to(target.wrapping_add(at), STEP) };
    };
    // From both ends towards the middle. Not in a loop, which the compiler would take for a call of `memcpy`.
    step(0);
    if length > 2 * STEP {
        step(STEP);
        step(length - 2 * STEP);
    }
    if length > 4 * STEP {
        step(2 * STEP);
        step(3 * STEP);
        step(length - 4 * STEP);
        step(length - 3 * STEP);
    }
    step(length - STEP);
}

/// Bytes that need not be initialised, of bytes that are.
pub(crate) fn uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the callers only write bytes there.
    unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_whole_and_nothing_beside_it() {
        let source: Vec<u8> = (1..=200).collect();
        for length in 0..=source.len() {
            let mut target = vec![0; 200];
            // SAFETY: both have more bytes than that.
            unsafe { copy(source.as_ptr(), target.as_mut_ptr(), length) };
            assert_eq!(target[..length], source[..length]);
            assert!(target[length..].iter().all(|&byte| byte == 0), "{length}");
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a mapping goes, for the rare program that must say so.

use std::num::NonZeroUsize;

use nix::errno::Errno;
use nix::sys::mman::MapFlags;

/// An address for a mapping, instead of one that the kernel chooses.
///
/// Nothing in this library needs it: objects hold offsets, never pointers. It exists for programs
/// that were written around a fixed address.
#[doc(alias = "MAP_FIXED_NOREPLACE")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placement {
    address: usize,
    round: bool,
    replace: bool,
}

impl Placement {
    /// Exactly at `address`. An address that is not on a page boundary is `EINVAL`, a range that is occupied
    /// `EEXIST` (`EINVAL` from System V).
    ///
    /// # Safety
    ///
    /// The caller must know the layout of the address space: other code may count on the range
    /// staying free, or on what it will hold.
    pub const unsafe fn at(address: usize) -> Self {
        Self { address, round: false, replace: false }
    }

    /// Rounds the address down to a page boundary instead of refusing it: `SHM_RND`.
    #[doc(alias = "SHM_RND")]
    #[must_use]
    pub const fn rounding(self) -> Self {
        Self { round: true, ..self }
    }

    /// Replaces whatever is mapped there: `MAP_FIXED`, `SHM_REMAP`.
    ///
    /// # Safety
    ///
    /// Every mapping in the range must belong to the caller and be out of use. A System V segment takes its whole size,
    /// whichever part of it is asked for.
    #[doc(alias = "MAP_FIXED")]
    #[doc(alias = "SHM_REMAP")]
    #[must_use]
    pub const unsafe fn replacing(self) -> Self {
        Self { replace: true, ..self }
    }

    pub(super) fn address(self) -> usize {
        self.address
    }

    /// The address to map at; `None` leaves it to the kernel.
    ///
    /// Errors: `EINVAL` for an address in the first page, which would be rounded to none at all.
    pub(super) fn rounded_address(self, page_size: usize) -> nix::Result<Option<NonZeroUsize>> {
        let excess = if self.round { self.address % page_size } else { 0 };
        match NonZeroUsize::new(self.address - excess) {
            None if self.address != 0 => Err(Errno::EINVAL),
            address => Ok(address),
        }
    }

    pub(super) fn map_flags(self) -> MapFlags {
        match (self.address, self.replace) {
            (0, _) => MapFlags::empty(),
            (_, true) => MapFlags::MAP_FIXED,
            (_, false) => MapFlags::MAP_FIXED_NOREPLACE,
        }
    }

    pub(super) fn shm_flags(self) -> i32 {
        let round = if self.round { libc::SHM_RND } else { 0 };
        let replace = if self.replace { libc::SHM_REMAP } else { 0 };
        round | replace
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Seals: what can no longer be done to a memfd, by anybody.

use std::fmt;
use std::ops::{BitOr, Sub};
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};

/// A set of seals, see `F_ADD_SEALS` in [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html).
#[doc(alias = "F_ADD_SEALS")]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Seals(i32);

const NAMES: [(i32, &str); 6] = [
    (libc::F_SEAL_SEAL, "SEAL"),
    (libc::F_SEAL_SHRINK, "SHRINK"),
    (libc::F_SEAL_GROW, "GROW"),
    (libc::F_SEAL_WRITE, "WRITE"),
    (libc::F_SEAL_FUTURE_WRITE, "FUTURE_WRITE"),
    (libc::F_SEAL_EXEC, "EXEC"),
];

impl Seals {
    /// No seal.
    pub const NONE: Self = Self(0);
    /// No further seals.
    pub const SEAL: Self = Self(libc::F_SEAL_SEAL);
    /// The size cannot decrease, so that no mapping ever loses its pages.
    pub const SHRINK: Self = Self(libc::F_SEAL_SHRINK);
    /// The size cannot increase.
    pub const GROW: Self = Self(libc::F_SEAL_GROW);
    /// The bytes cannot change.
    pub const WRITE: Self = Self(libc::F_SEAL_WRITE);
    /// The bytes cannot change but through mappings that exist already (Linux 5.1).
    pub const FUTURE_WRITE: Self = Self(libc::F_SEAL_FUTURE_WRITE);
    /// Whether it may be executed cannot change (Linux 6.3); every memfd that is created here has it, and may not.
    pub const EXEC: Self = Self(libc::F_SEAL_EXEC);

    /// The set with these bits; `None` if one of them is no seal that is offered here.
    pub fn from_bits(bits: i32) -> Option<Self> {
        let known = NAMES.iter().fold(0, |all, (bit, _)| all | bit);
        (bits & !known == 0).then_some(Self(bits))
    }

    /// The kernel's bits.
    pub fn bits(self) -> i32 {
        self.0
    }

    /// Are all of `other` in this set?
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The seals of a descriptor; a file that cannot be sealed has none.
    pub(crate) fn of(file: BorrowedFd<'_>) -> nix::Result<Self> {
        match fcntl(file, FcntlArg::F_GET_SEALS) {
            Ok(bits) => Ok(Self(bits)),
            Err(Errno::EINVAL) => Ok(Self::NONE),
            Err(errno) => Err(errno),
        }
    }

    pub(crate) fn add_to(self, file: BorrowedFd<'_>) -> nix::Result<()> {
        let seals = SealFlag::from_bits_retain(self.0);
        fcntl(file, FcntlArg::F_ADD_SEALS(seals)).map(drop)
    }
}

impl BitOr for Seals {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Sub for Seals {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            NAMES.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "NONE" } else { "" })?;
        f.write_str(&names.join(" | "))
    }
}

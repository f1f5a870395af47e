// SPDX-License-Identifier: MIT OR Apache-2.0
//! Create, open, open-or-create: the three ways to get an object, and the permissions of a new one.

pub(crate) mod publish;

use crate::error::{ErrorKind, Result};

/// What a call does with the name it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The object must exist.
    Open,
    /// The object must not exist.
    Create,
    /// Whichever of the two applies; never truncates what is there.
    OpenOrCreate,
}

/// The permission bits of a new object, exact whatever the umask is. 0600 unless said otherwise.
#[doc(alias = "mode_t")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    /// Read and write for the owner, nothing for anybody else.
    pub const PRIVATE: Self = Self(0o600);

    /// Errors: `EINVAL` for bits beyond 0777 (set-user-ID and its kin have no meaning here).
    pub fn new(bits: u32) -> Result<Self> {
        if bits & !0o777 != 0 {
            return Err(ErrorKind::invalid(
                "a mode is made of the nine permission bits, 0 to 0777",
            )
            .during("mode", format_args!("{bits:#o}")));
        }
        Ok(Self(bits))
    }

    /// The nine bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self::PRIVATE
    }
}

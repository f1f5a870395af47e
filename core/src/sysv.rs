// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the three kinds of System V object have in common: keys, `ftok`, ownership.
//!
//! See [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html).

use std::fmt;
use std::num::NonZeroI32;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::open::Mode;
use crate::sys;

/// The external name of a System V object: a number other than 0 on which programs agree.
///
/// 0 is `IPC_PRIVATE`, which names nothing; an object without a key is `sysv:private`.
#[doc(alias = "key_t")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(NonZeroI32);

impl Key {
    /// The key of this number; `None` for 0, which is `IPC_PRIVATE`.
    pub fn new(raw: i32) -> Option<Self> {
        NonZeroI32::new(raw).map(Self)
    }

    /// The number that `shmget`, `semget` and `msgget` take.
    pub fn raw(self) -> i32 {
        self.0.get()
    }

    /// [`ftok(path, proj_id)`](https://man7.org/linux/man-pages/man3/ftok.3.html) - the key that a path and a project number stand for.
    ///
    /// It is made of 8 bits of the project, 8 of the device and 16 of the inode, so two paths can
    /// give one key, and a path that is deleted and made anew gives another one.
    ///
    /// Errors: `ENOENT`, `EACCES`, `ENOTDIR` for a path that cannot be looked up (where the C
    /// function returns -1, which is itself a key); `EINVAL` when the result is 0, `IPC_PRIVATE`.
    ///
    /// ```
    /// let key = unipc::sysv::Key::ftok("/etc/passwd", 1).unwrap();
    /// assert_eq!(key.raw() as u32 >> 24, 1);
    /// ```
    pub fn ftok(path: impl AsRef<Path>, project: u8) -> Result<Self> {
        let path = path.as_ref();
        let raw = sys::ftok(path, project).map_err(|errno| {
            ErrorKind::from(errno)
                .during("ftok", path.display())
                .with_advice("the path must exist: its device and inode make the key")
        })?;
        Self::new(raw).ok_or_else(|| {
            Error::new(
                "ftok",
                path.display(),
                ErrorKind::invalid("the key would be 0, which is IPC_PRIVATE"),
            )
            .with_advice("choose another project number")
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.raw().cast_unsigned())
    }
}

/// Owner, creator and mode of a System V object: [`struct ipc_perm`](https://man7.org/linux/man-pages/man7/sysvipc.7.html).
#[doc(alias = "ipc_perm")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// The key; 0 for a private object and for one that is marked for removal.
    pub key: i32,
    /// Owner's user.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Creator's user.
    pub cuid: u32,
    /// Creator's group.
    pub cgid: u32,
    /// The nine permission bits.
    pub mode: u32,
    /// How often the kernel has reused the object's slot; part of the identifier.
    pub sequence: u32,
}

impl Permissions {
    // The fields' widths differ between libcs; all of them fit.
    #[allow(clippy::useless_conversion)]
    pub(crate) fn new(raw: &libc::ipc_perm) -> Self {
        Self {
            key: raw.__key,
            uid: raw.uid,
            gid: raw.gid,
            cuid: raw.cuid,
            cgid: raw.cgid,
            mode: u32::from(raw.mode) & 0o777,
            sequence: u32::from(raw.__seq),
        }
    }
}

/// A new owner, group or mode for `IPC_SET`; `None` leaves a field as it is.
#[doc(alias = "IPC_SET")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// The new owner.
    pub uid: Option<u32>,
    /// The new group.
    pub gid: Option<u32>,
    /// The new permission bits.
    pub mode: Option<u32>,
}

impl Change {
    pub(crate) fn apply(self, raw: &mut libc::ipc_perm) -> Result<()> {
        raw.uid = self.uid.unwrap_or(raw.uid);
        raw.gid = self.gid.unwrap_or(raw.gid);
        if let Some(mode) = self.mode {
            // The nine bits fit whatever width this libc gives the field.
            #[allow(clippy::cast_possible_truncation)]
            let bits = Mode::new(mode)?.bits() as _;
            raw.mode = bits;
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks on files: record locks of an open file description (the default), POSIX record locks, and `flock`.
//!
//! All are advisory: they stop nobody but those who ask for them too. The kernel drops them when their owner dies, so a
//! process that is killed never leaves a file locked. The three kinds differ in who the owner is:
//!
//! | | [`Kind::Ofd`] | [`Kind::Posix`] | [`Kind::Flock`] |
//! |---|---|---|---|
//! | call | `fcntl(F_OFD_SETLK)` | `fcntl(F_SETLK)`, `lockf` | `flock` |
//! | owner | the open file: one handle, and copies of its descriptor | the process | the open file |
//! | what is locked | any bytes | any bytes | the whole file |
//! | two handles in one process, so two threads | exclude each other | are one owner: the second gets it too | exclude each other |
//! | another descriptor of the file is closed | nothing | **every lock of the process on the file is gone** | nothing |
//! | after `fork` | parent and child own it together | the child has none | parent and child own it together |
//! | after `exec` | kept if the descriptor is (ours are close-on-exec) | the same | the same |
//! | shared to exclusive and back | in one step | in one step | **given up first**: another one can get between |
//! | a deadlock | not noticed: wait with a timeout | `EDEADLK` | not noticed: wait with a timeout |
//! | who is in the way ([`FileLock::holder`]) | range, no pid | range and pid | pid, from `/proc/locks` |
//! | mutually exclude | [`Kind::Posix`] too | [`Kind::Ofd`] too | `flock` alone |
//! | needs | a descriptor open for reading (shared), writing (exclusive) | the same | any descriptor |
//!
//! **One handle is one owner.** What a handle has locked, the same handle can lock again at once; that is how a lock is
//! converted. Threads that are to exclude each other open a handle each.
//!
//! The kernel has no time limit for these calls. A wait with a [`Timeout`](crate::Timeout) tries first without waiting, and then has a
//! timer interrupt the call that waits: the lock is queued in the kernel like any other, nobody polls, and
//! nothing is held when the time is over.
//!
//! A lock file is created with mode 0600, exactly, where nothing has its name; a symbolic link is not followed. It is
//! never removed here, and should not be by others: one who waits for the old file and one who made a new one of the
//! same name would both get "the" lock.
//!
//! ```
//! use std::time::Duration;
//! use unipc::lock::{FileLock, Sharing};
//! use unipc::Timeout;
//!
//! # fn main() -> unipc::Result<()> {
//! # let path = std::env::temp_dir().join(format!("doc-lock-{}", std::process::id()));
//! # let name = format!("file:{}", path.display());
//! let mut lock = FileLock::open_or_create(name.as_str())?;
//! let guard = lock.lock(Sharing::Exclusive, Timeout::After(Duration::from_secs(1)))?;
//! // ... the file, or what it stands for, is ours ...
//! drop(guard);
//!
//! let first_hundred = lock.lock_range(..100, Sharing::Shared, Timeout::TRY)?;
//! # drop(first_hundred);
//! # std::fs::remove_file(path).unwrap();
//! # Ok(())
//! # }
//! ```

mod acquire;
mod guard;
mod holder;
mod options;
mod range;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use guard::Guard;
pub use holder::Holder;
pub use options::Options;
pub use range::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;

/// The three kinds of file lock; see the table in [the module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(i32)]
pub enum Kind {
    /// Record locks that belong to the open file description.
    #[default]
    Ofd = 1,
    /// Record locks that belong to the process, as POSIX has them.
    Posix = 2,
    /// Locks of BSD, on the whole file.
    Flock = 3,
}

/// How much a lock excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Sharing {
    /// Everybody else: a write lock, `F_WRLCK`, `LOCK_EX`.
    #[doc(alias = "F_WRLCK")]
    #[doc(alias = "LOCK_EX")]
    Exclusive = 1,
    /// Those who want it exclusively: a read lock, `F_RDLCK`, `LOCK_SH`.
    #[doc(alias = "F_RDLCK")]
    #[doc(alias = "LOCK_SH")]
    Shared = 2,
}

/// An open file and the kind of locks that are taken on it. Dropping it closes the file, which ends its locks; the file
/// stays.
///
/// Threads: `Sync`; but one handle is one owner, so threads exclude each other only with a handle each, and not at
/// all by [`Kind::Posix`].
///
/// fork: a child inherits the handle. OFD locks and `flock` then belong to both, and end when one of them unlocks or
/// both have closed; POSIX record locks stay with the parent.
/// exec: the descriptor is close-on-exec, and what is closed is unlocked.
///
/// [`fcntl(2)`](https://man7.org/linux/man-pages/man2/F_SETLK.2const.html),
/// [`flock(2)`](https://man7.org/linux/man-pages/man2/flock.2.html).
#[doc(alias = "flock")]
#[doc(alias = "lockf")]
#[doc(alias = "F_OFD_SETLK")]
#[doc(alias = "F_SETLK")]
#[derive(Debug)]
pub struct FileLock {
    file: OwnedFd,
    kind: Kind,
    name: Name,
}

impl FileLock {
    /// Which kind of locks it takes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of the file; of a descriptor what it was called.
    pub fn name(&self) -> &Name {
        &self.name
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.name)
    }
}

impl AsFd for FileLock {
    /// The descriptor of the file: close-on-exec. A POSIX record lock is lost when a copy of it is closed.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// [`FileLock::options`] with all defaults.
impl FileLock {
    /// Ways to open other than the defaults.
    pub fn options() -> Options {
        Options::default()
    }

    /// Opens an existing file for OFD locks; see [`Options::open`].
    pub fn open<N: TryInto<Name>>(name: N) -> Result<Self>
    where
        Error: From<N::Error>,
    {
        Self::options().open(name)
    }

    /// Creates the file, which must not exist; see [`Options::create`].
    #[doc(alias = "O_EXCL")]
    pub fn create<N: TryInto<Name>>(name: N) -> Result<Self>
    where
        Error: From<N::Error>,
    {
        Self::options().create(name)
    }

    /// Opens the file, or creates it when there is none; see [`Options::open_or_create`].
    #[doc(alias = "O_CREAT")]
    pub fn open_or_create<N: TryInto<Name>>(name: N) -> Result<Self>
    where
        Error: From<N::Error>,
    {
        Self::options().open_or_create(name)
    }

    /// Locks on a file that is open already; see [`Options::from_fd`].
    pub fn from_fd(fd: OwnedFd) -> Result<Self> {
        Self::options().from_fd(fd)
    }
}

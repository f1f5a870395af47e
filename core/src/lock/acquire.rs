// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locking and unlocking: try, wait, wait for a while.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::{FileLock, Guard, Kind, Range, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt;
use crate::sys::lock as sys;
use crate::time::Timeout;

/// What to do to the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Lock(Sharing),
    Unlock,
}

impl FileLock {
    /// Locks the whole file, until the guard is dropped.
    ///
    /// Errors: `EAGAIN` when somebody else has it and `timeout` is [`Timeout::TRY`]; `ETIMEDOUT`; `EINTR` when a signal
    /// handler ran; `EDEADLK` ([`Kind::Posix`]); `EBADF` when the descriptor is not open for writing and the record lock
    /// is exclusive, or not for reading and it is shared; `ENOLCK` when there are too many locks. `EAGAIN` also
    /// when a wait with a limit cannot get a timer (`RLIMIT_SIGPENDING`).
    #[doc(alias = "flock")]
    #[doc(alias = "lockf")]
    pub fn lock(&mut self, sharing: Sharing, timeout: Timeout) -> Result<Guard<&Self>> {
        self.lock_range(.., sharing, timeout)
    }

    /// Locks some bytes, until the guard is dropped.
    ///
    /// One guard at a time borrows the handle. For several ranges of one file take handles of their own, or use
    /// [`FileLock::acquire`].
    ///
    /// Errors: as [`FileLock::lock`]; `EINVAL` for no bytes; `EOVERFLOW` beyond the largest file; `EOPNOTSUPP` for
    /// a part of a file with [`Kind::Flock`].
    #[doc(alias = "F_OFD_SETLKW")]
    #[doc(alias = "F_SETLKW")]
    pub fn lock_range(
        &mut self,
        range: impl Into<Range>,
        sharing: Sharing,
        timeout: Timeout,
    ) -> Result<Guard<&Self>> {
        Guard::new(&*self, range.into(), sharing, timeout)
    }

    /// As [`FileLock::lock_range`], with a guard that can be kept anywhere and shares the handle.
    ///
    /// Nothing stops others who share the handle: two guards for the same bytes are one lock, which ends with the first
    /// drop.
    ///
    /// Errors: as [`FileLock::lock_range`].
    pub fn lock_owned(
        self: &Arc<Self>,
        range: impl Into<Range>,
        sharing: Sharing,
        timeout: Timeout,
    ) -> Result<Guard<Arc<Self>>> {
        Guard::new(Arc::clone(self), range.into(), sharing, timeout)
    }

    /// Locks some bytes without a guard, as the kernel's call does: bytes that this owner has locked already are
    /// converted to `sharing`, and adjacent ranges of one sharing become one lock.
    ///
    /// A conversion of a record lock happens at once or not at all. [`Kind::Flock`] gives up what it has first: another
    /// owner may get it then, and when the call fails, the file is not locked any more.
    ///
    /// Errors: as [`FileLock::lock_range`].
    #[doc(alias = "F_OFD_SETLK")]
    #[doc(alias = "F_SETLK")]
    #[inline]
    pub fn acquire(
        &self,
        range: impl Into<Range>,
        sharing: Sharing,
        timeout: Timeout,
    ) -> Result<()> {
        self.take(range.into(), sharing, timeout).map_err(|kind| self.locking_failed(sharing, kind))
    }

    /// Unlocks some bytes, whatever locks of this owner cover them: of a larger range the rest stays locked. Bytes
    /// that are not locked are fine.
    ///
    /// Errors: `EINVAL`, `EOVERFLOW`, `EOPNOTSUPP` as for locking; `ENOLCK` when a lock would have to become two and
    /// there are too many.
    #[doc(alias = "F_UNLCK")]
    #[doc(alias = "LOCK_UN")]
    #[inline]
    pub fn release(&self, range: impl Into<Range>) -> Result<()> {
        self.give_back(range.into()).map_err(|kind| self.failed("unlock", kind))
    }

    #[inline]
    fn give_back(&self, range: Range) -> Result<(), ErrorKind> {
        Ok(self.call(range, Action::Unlock)?.make(false)?)
    }

    /// Locks, and says why not.
    #[inline]
    pub(super) fn take(
        &self,
        range: Range,
        sharing: Sharing,
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let call = self.call(range, Action::Lock(sharing))?;
        // In the usual case nobody is in the way, and no timer has to be made.
        match call.make(timeout == Timeout::Forever) {
            Ok(()) => Ok(()),
            Err(errno) => call.make_later(errno, timeout),
        }
    }

    #[inline]
    fn call(&self, range: Range, action: Action) -> Result<Call<'_>, ErrorKind> {
        let file = self.file.as_fd();
        if self.kind != Kind::Flock {
            return Ok(Call::Record(file, self.kind, record(action, range)?));
        }
        if range != Range::ALL {
            return Err(no_ranges());
        }
        Ok(Call::Flock(file, action))
    }

    /// What to do about it, where that is known.
    #[cold]
    pub(super) fn locking_failed(&self, sharing: Sharing, kind: ErrorKind) -> Error {
        let advice = match (&kind, sharing) {
            (ErrorKind::Os(libc::EBADF), Sharing::Exclusive) => {
                "an exclusive record lock needs a descriptor that is open for writing; flock does not"
            }
            (ErrorKind::Os(libc::EBADF), Sharing::Shared) => {
                "a shared record lock needs a descriptor that is open for reading; flock does not"
            }
            (ErrorKind::Os(libc::EDEADLK), _) => {
                "the owner waits, perhaps through others, for a lock of this process: release that one first"
            }
            (ErrorKind::Os(libc::ENOLCK), _) => {
                "the kernel has no room for more locks, or the file server's lock manager does not answer"
            }
            _ => return self.failed("lock", kind),
        };
        self.failed("lock", kind).with_advice(advice)
    }
}

#[cold]
pub(super) fn no_ranges() -> ErrorKind {
    ErrorKind::unsupported("flock locks whole files; record locks take ranges")
}

/// A system call whose arguments are right.
enum Call<'a> {
    Flock(BorrowedFd<'a>, Action),
    Record(BorrowedFd<'a>, Kind, libc::flock),
}

impl Call<'_> {
    #[inline]
    fn make(&self, wait: bool) -> nix::Result<()> {
        match self {
            Self::Flock(file, action) => {
                let operation = match action {
                    Action::Lock(Sharing::Exclusive) => libc::LOCK_EX,
                    Action::Lock(Sharing::Shared) => libc::LOCK_SH,
                    Action::Unlock => libc::LOCK_UN,
                };
                sys::flock(*file, if wait { operation } else { operation | libc::LOCK_NB })
            }
            Self::Record(file, kind, record) => {
                let command = match (kind, wait) {
                    (Kind::Posix, true) => libc::F_SETLKW,
                    (Kind::Posix, false) => libc::F_SETLK,
                    (_, true) => libc::F_OFD_SETLKW,
                    (_, false) => libc::F_OFD_SETLK,
                };
                sys::record(*file, command, record)
            }
        }
    }

    /// When it could not be made at once.
    #[cold]
    #[inline(never)]
    fn make_later(&self, errno: Errno, timeout: Timeout) -> Result<(), ErrorKind> {
        match (errno, timeout) {
            (Errno::EAGAIN, Timeout::TRY) => Err(timeout.expired()),
            (Errno::EAGAIN, Timeout::After(_)) => {
                interrupt::until(timeout.deadline(), || self.make(true))
            }
            (errno, _) => Err(errno.into()),
        }
    }
}

/// The kernel's description of a record lock. The pid must be 0 for OFD locks.
#[inline]
pub(super) fn record(action: Action, range: Range) -> Result<libc::flock, ErrorKind> {
    let (l_start, l_len) = range.raw()?;
    // The constants are small numbers, which the C structure has as shorts.
    let small = |number: i32| i16::try_from(number).unwrap_or_default();
    let l_type = match action {
        Action::Lock(Sharing::Exclusive) => small(libc::F_WRLCK),
        Action::Lock(Sharing::Shared) => small(libc::F_RDLCK),
        Action::Unlock => small(libc::F_UNLCK),
    };
    Ok(libc::flock { l_type, l_whence: small(libc::SEEK_SET), l_start, l_len, l_pid: 0 })
}

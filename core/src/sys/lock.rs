// SPDX-License-Identifier: MIT OR Apache-2.0
//! `flock(2)` on a borrowed descriptor, which nix has only for files that the lock owns, and `fcntl(2)` for record locks
//! without its way through all other commands.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

#[inline]
pub(crate) fn flock(fd: BorrowedFd<'_>, operation: i32) -> nix::Result<()> {
    // SAFETY: numbers alone; the descriptor is open as long as it is borrowed.
    Errno::result(unsafe { libc::flock(fd.as_raw_fd(), operation) }).map(drop)
}

/// `F_GETLK`, `F_OFD_GETLK`: the record becomes that of a lock in the way.
#[inline]
pub(crate) fn ask(fd: BorrowedFd<'_>, command: i32, record: &mut libc::flock) -> nix::Result<()> {
    // SAFETY: these commands read and write a `struct flock`, which lives as long as the call.
    let result = unsafe { libc::fcntl(fd.as_raw_fd(), command, std::ptr::from_mut(record)) };
    Errno::result(result).map(drop)
}

/// `F_SETLK`, `F_OFD_SETLK` and their waiting forms.
#[inline]
pub(crate) fn record(fd: BorrowedFd<'_>, command: i32, record: &libc::flock) -> nix::Result<()> {
    // SAFETY: these commands read a `struct flock`, which lives as long as the call.
    let result = unsafe { libc::fcntl(fd.as_raw_fd(), command, std::ptr::from_ref(record)) };
    Errno::result(result).map(drop)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `flock(2)` on a borrowed descriptor: nix has it only for files that the lock owns.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

pub(crate) fn flock(fd: BorrowedFd<'_>, operation: i32) -> nix::Result<()> {
    // SAFETY: numbers alone; the descriptor is open as long as it is borrowed.
    Errno::result(unsafe { libc::flock(fd.as_raw_fd(), operation) }).map(drop)
}

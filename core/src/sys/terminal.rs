// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests to terminals that nix lacks: the window's size, and the other side of a pseudoterminal.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// `TIOCGWINSZ`, see [`TIOCGWINSZ(2const)`](https://man7.org/linux/man-pages/man2/TIOCSWINSZ.2const.html).
pub(crate) fn window_size(fd: BorrowedFd<'_>) -> nix::Result<libc::winsize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the request fills the structure that the pointer is to.
    let asked = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()) };
    Errno::result(asked)?;
    // SAFETY: integers, of which zero is a value; the request has filled them.
    Ok(unsafe { size.assume_init() })
}

/// `TIOCSWINSZ`.
pub(crate) fn set_window_size(fd: BorrowedFd<'_>, size: libc::winsize) -> nix::Result<()> {
    // SAFETY: the request reads the structure that the pointer is to.
    let set = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    Errno::result(set).map(drop)
}

/// `TIOCGPTPEER`, see [`TIOCGPTPEER(2const)`](https://man7.org/linux/man-pages/man2/TIOCGPTPEER.2const.html): the slave,
/// whatever is mounted at /dev/pts. Close-on-exec; it becomes nobody's controlling terminal.
pub(crate) fn peer(master: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: numbers only.
    let fd = Errno::result(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) })?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

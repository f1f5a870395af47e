// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX message queues: `mq_open`, `mq_send`, `mq_receive`, `mq_getattr`, `mq_notify`, `mq_unlink`.
//!
//! On Linux a queue's descriptor is a file descriptor, so it is owned, closed and polled as one.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use nix::errno::Errno;

use crate::name::PosixName;

/// How many bytes the kernel sends when a queue notifies by a socket, which is how libcs make a thread of it.
pub(crate) const COOKIE: usize = 32;

/// In the last byte of the cookie: a message came.
const WOKEN_UP: u8 = 1;

/// The moment 1970-01-01 00:00:00: a call that would have to wait until then ends at once.
static PAST: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

fn c_name(name: &PosixName) -> nix::Result<CString> {
    let mut bytes = Vec::with_capacity(name.file_name().len() + 2);
    bytes.push(b'/');
    bytes.extend(name.file_name().as_bytes());
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

/// `mq_open(3)`; `limits` are the number of messages and the size of one, for a queue that is created.
pub(crate) fn mq_open(
    name: &PosixName,
    flags: i32,
    mode: u32,
    limits: Option<(usize, usize)>,
) -> nix::Result<OwnedFd> {
    let name = c_name(name)?;
    let too_large = |_| Errno::EINVAL;
    // SAFETY: an mq_attr is integers, of which zero is a value.
    let mut attributes: libc::mq_attr = unsafe { MaybeUninit::zeroed().assume_init() };
    if let Some((messages, size)) = limits {
        attributes.mq_maxmsg = messages.try_into().map_err(too_large)?;
        attributes.mq_msgsize = size.try_into().map_err(too_large)?;
    }
    let given = if limits.is_some() { &raw const attributes } else { ptr::null() };
    // SAFETY: a string that ends in NUL, and attributes or NULL, all of which are only read.
    let fd = unsafe { libc::mq_open(name.as_ptr(), flags | libc::O_CLOEXEC, mode, given) };
    Errno::result(fd)?;
    // SAFETY: on Linux it is a file descriptor, new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(crate) fn mq_unlink(name: &PosixName) -> nix::Result<()> {
    let name = c_name(name)?;
    // SAFETY: a string that ends in NUL, which is only read.
    Errno::result(unsafe { libc::mq_unlink(name.as_ptr()) }).map(drop)
}

pub(crate) fn mq_getattr(fd: BorrowedFd<'_>) -> nix::Result<libc::mq_attr> {
    let mut attributes = MaybeUninit::zeroed();
    // SAFETY: the pointer is to room for an mq_attr, which the call fills.
    Errno::result(unsafe { libc::mq_getattr(fd.as_raw_fd(), attributes.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, so it is filled.
    Ok(unsafe { attributes.assume_init() })
}

/// `mq_send(3)`: waits for room, unless the open file description is non-blocking.
#[inline]
pub(crate) fn mq_send(fd: BorrowedFd<'_>, data: &[u8], priority: u32) -> nix::Result<()> {
    // SAFETY: the bytes are only read.
    let result =
        unsafe { libc::mq_send(fd.as_raw_fd(), data.as_ptr().cast(), data.len(), priority) };
    Errno::result(result).map(drop)
}

/// Sends without waiting, whatever the open file description says. `EAGAIN` when there is no room.
pub(crate) fn mq_try_send(fd: BorrowedFd<'_>, data: &[u8], priority: u32) -> nix::Result<()> {
    without_waiting(|| {
        let (bytes, past) = (data.as_ptr().cast(), &raw const PAST);
        // SAFETY: the bytes and the moment are only read.
        unsafe { libc::mq_timedsend(fd.as_raw_fd(), bytes, data.len(), priority, past) as isize }
    })
    .map(drop)
}

/// Room for a message of a POSIX queue, in somebody's memory.
#[derive(Debug)]
pub(crate) struct Inbox<'a> {
    buffer: &'a mut [MaybeUninit<u8>],
    /// How many bytes are initialised.
    filled: usize,
    priority: u32,
}

impl<'a> Inbox<'a> {
    #[inline]
    pub(crate) fn new(buffer: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { buffer, filled: 0, priority: 0 }
    }

    /// In bytes that are initialised already.
    #[inline]
    pub(crate) fn over(buffer: &'a mut [u8]) -> Self {
        let (start, length) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: the same bytes, borrowed as long; only bytes that are initialised are ever written to them.
        Self::new(unsafe { std::slice::from_raw_parts_mut(start, length) })
    }

    /// `mq_receive(3)`: waits for a message, unless the open file description is non-blocking.
    #[inline]
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>) -> nix::Result<()> {
        let (start, room) = (self.buffer.as_mut_ptr().cast(), self.buffer.len());
        let priority = &raw mut self.priority;
        // SAFETY: there is room for as many bytes as the call is told, and for the priority.
        let result = unsafe { libc::mq_receive(fd.as_raw_fd(), start, room, priority) };
        self.filled = usize::try_from(result).map_err(|_| Errno::last())?;
        Ok(())
    }

    /// Receives without waiting, whatever the open file description says. `EAGAIN` when there is no message.
    pub(crate) fn try_receive(&mut self, fd: BorrowedFd<'_>) -> nix::Result<()> {
        let (start, room) = (self.buffer.as_mut_ptr().cast(), self.buffer.len());
        let (priority, past) = (&raw mut self.priority, &raw const PAST);
        self.filled = without_waiting(|| {
            // SAFETY: there is room for as many bytes as the call is told, and for the priority.
            unsafe { libc::mq_timedreceive(fd.as_raw_fd(), start, room, priority, past) }
        })?;
        Ok(())
    }

    /// The message that was received last.
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        let start = self.buffer[..self.filled].as_ptr().cast();
        // SAFETY: the kernel has written this many bytes from the start of the buffer on.
        unsafe { std::slice::from_raw_parts(start, self.filled) }
    }

    #[inline]
    pub(crate) fn priority(&self) -> u32 {
        self.priority
    }
}

/// A call with a moment in the past, which tells in two ways that it would have to wait.
fn without_waiting(mut call: impl FnMut() -> isize) -> nix::Result<usize> {
    loop {
        match usize::try_from(call()).map_err(|_| Errno::last()) {
            Err(Errno::ETIMEDOUT) => return Err(Errno::EAGAIN),
            // It did not wait, so the interruption says nothing to the caller.
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

fn notify(fd: BorrowedFd<'_>, event: *const libc::sigevent) -> nix::Result<()> {
    // SAFETY: NULL, or an event that lives as long as the call, as does what it points to.
    let result = unsafe { libc::syscall(libc::SYS_mq_notify, fd.as_raw_fd(), event) };
    Errno::result(result).map(drop)
}

fn event(method: i32, number: i32, value: *mut libc::c_void) -> libc::sigevent {
    // SAFETY: a sigevent is integers and a pointer, of which zero is a value.
    let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_notify = method;
    event.sigev_signo = number;
    event.sigev_value = libc::sigval { sival_ptr: value };
    event
}

/// `mq_notify(3)` with `SIGEV_SIGNAL`: `signal` with `value` for this process.
pub(crate) fn mq_notify_signal(fd: BorrowedFd<'_>, signal: i32, value: i32) -> nix::Result<()> {
    // `union sigval` holds the integer in its first bytes.
    let mut pointer = ptr::null_mut();
    let place: *mut *mut libc::c_void = &raw mut pointer;
    // SAFETY: a pointer has room for an int, and is aligned for one.
    unsafe { place.cast::<i32>().write(value) };
    let event = event(libc::SIGEV_SIGNAL, signal, pointer);
    notify(fd, &raw const event)
}

/// `mq_notify(2)` with `SIGEV_THREAD`: the kernel sends a cookie to a netlink socket of this process.
pub(crate) fn mq_notify_socket(fd: BorrowedFd<'_>, socket: BorrowedFd<'_>) -> nix::Result<()> {
    let mut cookie = [0_u8; COOKIE];
    let event = event(libc::SIGEV_THREAD, socket.as_raw_fd(), cookie.as_mut_ptr().cast());
    notify(fd, &raw const event)
}

/// Ends the notification that this process asked for, if any.
pub(crate) fn mq_notify_nothing(fd: BorrowedFd<'_>) -> nix::Result<()> {
    notify(fd, ptr::null())
}

/// Waits for the cookie: true when a message came, false when the notification was given up.
pub(crate) fn notified(socket: BorrowedFd<'_>) -> nix::Result<bool> {
    let mut cookie = [0_u8; COOKIE];
    loop {
        match nix::unistd::read(socket, &mut cookie) {
            Ok(length) => return Ok(length == COOKIE && cookie[COOKIE - 1] == WOKEN_UP),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// A socket to which the kernel can send a cookie.
pub(crate) fn netlink_socket() -> nix::Result<OwnedFd> {
    // SAFETY: socket takes numbers only.
    let fd: RawFd =
        unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    Errno::result(fd)?;
    // SAFETY: a new descriptor, nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Gives the calling thread a umask of its own, 0; that of the other threads stays as it is.
pub(crate) fn umask_of_its_own() -> nix::Result<()> {
    // SAFETY: concerns the calling thread's directory and umask alone.
    Errno::result(unsafe { libc::unshare(libc::CLONE_FS) })?;
    // SAFETY: umask cannot fail.
    unsafe { libc::umask(0) };
    Ok(())
}

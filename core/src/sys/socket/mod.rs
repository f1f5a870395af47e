// SPDX-License-Identifier: MIT OR Apache-2.0
//! The calls of sockets that nix lacks, or has without what is needed here: addresses, options, messages with control data.

mod address;
mod message;

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;

pub(crate) use address::Address;
pub(crate) use message::{Message, SCM_MAX_FD, receive_message, send_message};

/// The size of a type as the calls take it.
#[allow(clippy::cast_possible_truncation, reason = "the types are small")]
const fn length_of<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

pub(crate) fn bind(fd: BorrowedFd<'_>, address: &Address) -> nix::Result<()> {
    // SAFETY: the pointer is to an address of that length, which the call only reads.
    Errno::result(unsafe { libc::bind(fd.as_raw_fd(), address.pointer(), address.length) })
        .map(drop)
}

pub(crate) fn connect(fd: BorrowedFd<'_>, address: &Address) -> nix::Result<()> {
    // SAFETY: as in `bind`.
    Errno::result(unsafe { libc::connect(fd.as_raw_fd(), address.pointer(), address.length) })
        .map(drop)
}

/// The new connection, close-on-exec, with `flags` besides.
pub(crate) fn accept(fd: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    let (nobody, nothing) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: NULL says that the address is not wanted.
    let fd = unsafe { libc::accept4(fd.as_raw_fd(), nobody, nothing, libc::SOCK_CLOEXEC) };
    let fd = Errno::result(fd)?;
    // SAFETY: the call has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(crate) fn local_address(fd: BorrowedFd<'_>) -> nix::Result<Address> {
    let mut address = Address::empty();
    let place = ptr::from_mut(&mut address.storage).cast();
    // SAFETY: both pointers are to live values, the length is that of the room.
    Errno::result(unsafe { libc::getsockname(fd.as_raw_fd(), place, &raw mut address.length) })?;
    Ok(address)
}

pub(crate) fn peer_address(fd: BorrowedFd<'_>) -> nix::Result<Address> {
    let mut address = Address::empty();
    let place = ptr::from_mut(&mut address.storage).cast();
    // SAFETY: as in `local_address`.
    Errno::result(unsafe { libc::getpeername(fd.as_raw_fd(), place, &raw mut address.length) })?;
    Ok(address)
}

/// `sendto(2)`.
pub(crate) fn send_to(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    flags: MsgFlags,
    to: &Address,
) -> nix::Result<usize> {
    let (start, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: the pointers are to live bytes and to an address of that length, which the call only reads.
    let sent = unsafe {
        libc::sendto(fd.as_raw_fd(), start, length, flags.bits(), to.pointer(), to.length)
    };
    Errno::result(sent).map(isize::cast_unsigned)
}

/// `recv(2)`: how long the message is (with `MSG_TRUNC` also beyond the buffer).
#[inline]
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    buffer: &mut [MaybeUninit<u8>],
    flags: MsgFlags,
) -> nix::Result<usize> {
    let (start, room) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    // SAFETY: the kernel writes into the buffer alone, whose length it is told.
    let got = unsafe { libc::recv(fd.as_raw_fd(), start, room, flags.bits()) };
    Errno::result(got).map(isize::cast_unsigned)
}

/// `recvfrom(2)`: how long the message is (with `MSG_TRUNC` also beyond the buffer) and who sent it.
pub(crate) fn receive_from(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: MsgFlags,
) -> nix::Result<(usize, Address)> {
    let mut address = Address::empty();
    let (place, length) = (ptr::from_mut(&mut address.storage).cast(), &raw mut address.length);
    let (start, room) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    // SAFETY: the pointers are to room of the lengths told.
    let got = unsafe { libc::recvfrom(fd.as_raw_fd(), start, room, flags.bits(), place, length) };
    Ok((Errno::result(got)?.cast_unsigned(), address))
}

/// An option's value.
///
/// # Safety
///
/// The option's value must be a `T`, for which all bits zero are a value too.
unsafe fn option<T>(fd: BorrowedFd<'_>, level: i32, name: i32) -> nix::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = length_of::<T>();
    let place = value.as_mut_ptr().cast::<c_void>();
    // SAFETY: the pointers are to room of that length.
    let got = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, place, &raw mut length) };
    Errno::result(got)?;
    // SAFETY: by contract; what the kernel left out is zero.
    Ok(unsafe { value.assume_init() })
}

pub(crate) fn number_option(fd: BorrowedFd<'_>, level: i32, name: i32) -> nix::Result<i32> {
    // SAFETY: all bits are an integer.
    unsafe { option(fd, level, name) }
}

pub(crate) fn peer_credentials(fd: BorrowedFd<'_>) -> nix::Result<libc::ucred> {
    // SAFETY: the option's value is three integers.
    unsafe { option(fd, libc::SOL_SOCKET, libc::SO_PEERCRED) }
}

fn set_option<T>(fd: BorrowedFd<'_>, level: i32, name: i32, value: &T) -> nix::Result<()> {
    let (place, length) = (ptr::from_ref(value).cast(), length_of::<T>());
    // SAFETY: the pointer is to a live value of that length, which the call only reads.
    let set = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, place, length) };
    Errno::result(set).map(drop)
}

pub(crate) fn set_number_option(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: i32,
) -> nix::Result<()> {
    set_option(fd, level, name, &value)
}

/// How long `connect` waits for room in the queue of a UNIX listener; zero is for ever.
pub(crate) fn set_send_timeout(
    fd: BorrowedFd<'_>,
    timeout: std::time::Duration,
) -> nix::Result<()> {
    let value = libc::timeval {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: timeout.subsec_micros().into(),
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &value)
}

/// `ppoll(2)` of one descriptor: what of `events` is there, 0 when the time is over. nix does not know `POLLRDHUP`.
pub(crate) fn poll(
    fd: BorrowedFd<'_>,
    events: i16,
    left: Option<libc::timespec>,
) -> nix::Result<i16> {
    let mut polled = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    let left = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: one descriptor and a time, or NULL for ever; both live as long as the call.
    Errno::result(unsafe { libc::ppoll(&raw mut polled, 1, left, ptr::null()) })?;
    Ok(polled.revents)
}

/// `SIOCOUTQ`: bytes sent that the other side has not received.
pub(crate) fn unsent(fd: BorrowedFd<'_>) -> nix::Result<i32> {
    let mut bytes = 0;
    // SAFETY: the request writes an integer, to which the pointer is.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(bytes)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscribers of topics.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr::null;

use libc::{ssize_t, timespec};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::open::{At, Way, get, get_at, get_declared, receive, row, told};
use super::{unipc_channel_opts, unipc_subscriber};

/// Subscribes to a topic.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_subscriber_close().
/// name:  its name
/// flags: UNIPC_CHANNEL_ flags, or 0
///
/// Returns 0.
/// Errors:
///   -ENOENT      there is none
///   -EACCES      its mode does not let this user in
///   -EPROTO      it is no topic, one of another version, or damaged
///   -EBUSY       all places for participants are taken
///   -EINVAL      no name, unknown flags; out or name is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_open(
    out: *mut *mut unipc_subscriber,
    name: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and a string.
    let caller = unsafe { Caller::trusted("open") };
    get(&caller, out, name, Way::Open, flags, null(), unipc_subscriber::new)
}

/// As unipc_subscriber_open(), if its messages have this layout. The records that come need no check
/// then: their fields are what this program's compiler says.
///
/// out, name, flags: as in unipc_subscriber_open()
/// layout:           UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format
///
/// Returns 0.
/// Errors: as unipc_subscriber_open();
///   -EPROTO      its messages have another layout, or none: unipc_last_error() names the first field
///                that differs, with both offsets and both types
///   -EINVAL      the layout does not parse, or is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_open_layout(
    out: *mut *mut unipc_subscriber,
    name: *const c_char,
    layout: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and strings.
    let caller = unsafe { Caller::trusted("open_layout") };
    get_declared(&caller, out, name, layout, flags, unipc_subscriber::new)
}

/// Subscribes to a topic that lies in memory that holds other things as well.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_subscriber_close().
/// shm:      a POSIX object, a file or a memfd, which may be closed afterwards
/// offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
/// flags:    UNIPC_CHANNEL_ flags, or 0
/// opts:     NULL for the defaults; mode and huge_page_size are the memory's own
///
/// Returns 0.
/// Errors:
///   -EPROTO      what is there is none, one of another version, has another layout than opts.layout, or is
///                damaged; or nothing came within a second
///   -EINVAL      the offset begins no page, flags or numbers are unknown; out or shm is NULL
///   -EOPNOTSUPP  the memory has no descriptor: System V and anonymous memory cannot hold channels
///   -EACCES      the memory is mapped read-only
///   -EBUSY       all places for participants are taken
///   -EINTR       a signal came while it waited for a creator
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_at(
    out: *mut *mut unipc_subscriber,
    shm: *const unipc_shm,
    offset: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, an open handle and options.
    let caller = unsafe { Caller::trusted("at") };
    get_at(
        &caller,
        out,
        &At { shm, offset, how: 0, capacity: 0 },
        flags,
        opts,
        unipc_subscriber::new,
    )
}

/// As unipc_subscriber_open(), from a descriptor: a memfd that was inherited or received. The
/// descriptor is duplicated, the caller still owns it.
///
/// Returns 0.
/// Errors: as unipc_subscriber_open(); -EBADF. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_from_fd(
    out: *mut *mut unipc_subscriber,
    fd: c_int,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("from_fd") };
    receive(&caller, out, fd, flags, unipc_subscriber::new)
}

/// Receives the next message.
///
/// subscriber: a handle that no other thread is using
/// buf:        where its bytes go
/// cap:        how many bytes fit
/// lost:       where it goes how many messages were lost just before it, overwritten before this
///             subscriber came to read them; NULL is fine. 0 in a reliable topic.
/// timeout:    how long to wait for one; NULL for ever, {0, 0} not at all
///
/// Returns its length.
/// Errors:
///   -EMSGSIZE   it does not fit: it can be received again
///   -EAGAIN, -ETIMEDOUT  there is none
///   -EINTR      a signal came; nothing was received
///   -EPROTO     the ring is damaged
///   -EFAULT     the file was truncated
///   -EINVAL     the handle is the parent's; a pointer is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_recv(
    subscriber: *mut unipc_subscriber,
    buf: *mut c_void,
    cap: usize,
    lost: *mut u64,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room, a place or NULL, and a timeout.
    let caller = unsafe { Caller::trusted("recv") };
    caller.guard(|| {
        let room = caller.room(buf.cast::<MaybeUninit<u8>>(), cap)?;
        let subscriber = &mut caller.handle_mut(subscriber)?.subscriber;
        let received = subscriber.recv_into(room, caller.timeout(timeout)?)?;
        caller.give(lost, received.lost);
        Ok(received.length.cast_signed())
    })
}

/// Receives messages of one size into a row.
///
/// subscriber: a handle that no other thread is using
/// buf:        room for len * count bytes
/// len:        the size of each, more than 0
/// count:      how many at most, more than 0
/// lost:       where it goes how many were lost before the first of them; NULL is fine
/// timeout:    how long to wait for the first
///
/// Returns how many: as many as were there, at least one.
/// Errors: as unipc_subscriber_recv(); -EMSGSIZE when the next message is not of this size. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_recv_many(
    subscriber: *mut unipc_subscriber,
    buf: *mut c_void,
    len: usize,
    count: usize,
    lost: *mut u64,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room, a place or NULL, and a timeout.
    let caller = unsafe { Caller::trusted("recv_many") };
    caller.guard(|| {
        let room = caller.room(buf.cast::<MaybeUninit<u8>>(), row(&caller, len, count)?)?;
        let subscriber = &mut caller.handle_mut(subscriber)?.subscriber;
        let (count, before) = subscriber.recv_row(room, len, caller.timeout(timeout)?)?;
        caller.give(lost, before);
        Ok(count.cast_signed())
    })
}

/// Lends the next message where it lies. A publisher of a topic that keeps the latest does not wait
/// for it: unipc_subscriber_release() tells whether it stayed whole.
///
/// subscriber: a handle that no other thread is using
/// msg:        where its address goes
/// len:        where its length goes
/// timeout:    as in unipc_subscriber_recv()
///
/// Returns 0.
/// Errors: as unipc_subscriber_recv(); -EINVAL while something is lent. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_peek(
    subscriber: *mut unipc_subscriber,
    msg: *mut *const c_void,
    len: *mut usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, places and a timeout.
    let caller = unsafe { Caller::trusted("peek") };
    caller.guard(|| {
        let (msg, len) = (caller.output("msg", msg)?, caller.output("len", len)?);
        let subscriber = &mut caller.handle_mut(subscriber)?.subscriber;
        let (address, length) = subscriber.peek(caller.timeout(timeout)?)?;
        msg.set(address.cast());
        len.set(length);
        Ok(0)
    })
}

/// Goes on behind the message that was lent; its bytes must not be touched any more.
///
/// lost: as in unipc_subscriber_recv()
///
/// Returns 0, or
///   -EOVERFLOW  it was overwritten meanwhile: what was read of it means nothing
///   -EINVAL     nothing is lent
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_release(
    subscriber: *mut unipc_subscriber,
    lost: *mut u64,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a place or NULL.
    let caller = unsafe { Caller::trusted("release") };
    caller.guard(|| {
        let received = caller.handle_mut(subscriber)?.subscriber.release()?;
        caller.give(lost, received.lost);
        Ok(0)
    })
}

/// Does not go on: the message that was lent can be received again.
///
/// Returns 0; -EINVAL when nothing is lent. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_leave(subscriber: *mut unipc_subscriber) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("leave") };
    caller.guard(|| caller.handle_mut(subscriber)?.subscriber.leave().map(|()| 0))
}

/// A descriptor that is readable while there is a message: for poll(), select(), epoll or an event
/// loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
///
/// Use it as one that does not block: when it is readable, receive with {0, 0} until that is -EAGAIN,
/// which lets it tell of the next. Until it is asked for, and while it is readable, the other side
/// pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
/// descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
///
/// Returns it.
/// Errors:
///   -EMFILE, -ENFILE  there are no more descriptors
///   -EBUSY       no more threads may be started
///   -EINVAL      the handle is the parent's, or NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_fd(subscriber: *mut unipc_subscriber) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle_mut(subscriber)?.subscriber.fd()?.as_raw_fd()))
}

/// The name.
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_name(
    subscriber: *const unipc_subscriber,
) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(subscriber)?.name.as_ptr()))
}

/// What every message consists of, if whoever created the topic said so: a PEP 3118 format.
///
/// Returns a string that lives as long as the handle; NULL for messages of bytes, and for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_layout(
    subscriber: *const unipc_subscriber,
) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("layout") };
    caller.guard(|| Ok(told(caller.handle(subscriber)?.layout.as_ref())))
}

/// Closes the handle; NULL is nothing. The topic stays. In a child of fork() it gives up the copy.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_subscriber_close(subscriber: *mut unipc_subscriber) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(subscriber);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes through a queue.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

use libc::{ssize_t, timespec};

use super::super::boundary::Caller;
use super::super::open::row;
use super::super::unipc_queue;

/// Sends a message.
///
/// queue:   a handle that no other thread is using
/// msg:     its bytes; NULL is fine for none
/// len:     how many; 0 is a message too
/// timeout: how long to wait for room; NULL for ever, {0, 0} not at all
///
/// Returns 0.
/// Errors:
///   -EMSGSIZE   longer than the ring can hold, or not of the one size
///   -EAGAIN, -ETIMEDOUT  the queue is full
///   -EINTR      a signal came; nothing was sent
///   -EFAULT     the file was truncated
///   -EINVAL     the handle is the parent's; a pointer is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_send(
    queue: *mut unipc_queue,
    msg: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, bytes and a timeout.
    let caller = unsafe { Caller::trusted("send") };
    caller.guard(|| {
        let queue = &mut caller.handle_mut(queue)?.queue;
        queue.sender().send(caller.bytes(msg, len)?, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Sends messages of one size that lie in a row, with one wake-up.
///
/// queue:   a handle that no other thread is using
/// msgs:    len * count bytes
/// len:     the size of each, more than 0
/// count:   how many
/// timeout: how long to wait for room for the first
///
/// Returns how many were sent: as many as there was room for, at least one.
/// Errors: as unipc_queue_send(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_send_many(
    queue: *mut unipc_queue,
    msgs: *const c_void,
    len: usize,
    count: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, bytes and a timeout.
    let caller = unsafe { Caller::trusted("send_many") };
    caller.guard(|| {
        let queue = &mut caller.handle_mut(queue)?.queue;
        let bytes = caller.bytes(msgs, row(&caller, len, count)?)?;
        queue.sender().send_row(bytes, len, caller.timeout(timeout)?).map(usize::cast_signed)
    })
}

/// Makes room for a message in the ring itself, to be written there and then committed or aborted.
/// Others who send wait meanwhile. Nobody sees the message before it is committed.
///
/// queue:   a handle that no other thread is using
/// len:     how many bytes at most
/// room:    where their address goes
/// timeout: as in unipc_queue_send()
///
/// Returns 0.
/// Errors: as unipc_queue_send(); -EINVAL while something is reserved. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_reserve(
    queue: *mut unipc_queue,
    len: usize,
    room: *mut *mut c_void,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a place and a timeout.
    let caller = unsafe { Caller::trusted("reserve") };
    caller.guard(|| {
        let room = caller.output("room", room)?;
        let queue = &mut caller.handle_mut(queue)?.queue;
        room.set(queue.sender().reserve(len, caller.timeout(timeout)?)?.cast());
        Ok(0)
    })
}

/// Sends the first len bytes of what was reserved. Since 0.1.
///
/// Returns 0; -EMSGSIZE for more than were reserved, -EINVAL when nothing is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_commit(queue: *mut unipc_queue, len: usize) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("commit") };
    caller.guard(|| caller.handle_mut(queue)?.queue.sender().commit(len).map(|()| 0))
}

/// Gives up what was reserved. Since 0.1.
///
/// Returns 0; -EINVAL when nothing is reserved.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_abort(queue: *mut unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("abort") };
    caller.guard(|| caller.handle_mut(queue)?.queue.sender().abort().map(|()| 0))
}

/// Receives a message.
///
/// queue:   a handle that no other thread is using
/// buf:     where its bytes go
/// cap:     how many bytes fit
/// timeout: how long to wait for one; NULL for ever, {0, 0} not at all
///
/// Returns its length.
/// Errors:
///   -EMSGSIZE   it does not fit: it stays in the queue
///   -EAGAIN, -ETIMEDOUT  there is none
///   -EINTR      a signal came; nothing was received
///   -EPROTO     the ring is damaged
///   -EFAULT     the file was truncated
///   -EINVAL     the handle is the parent's; a pointer is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_recv(
    queue: *mut unipc_queue,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room and a timeout.
    let caller = unsafe { Caller::trusted("recv") };
    caller.guard(|| {
        let room = caller.room(buf.cast::<MaybeUninit<u8>>(), cap)?;
        let queue = &mut caller.handle_mut(queue)?.queue;
        queue.receiver().recv_into(room, caller.timeout(timeout)?).map(usize::cast_signed)
    })
}

/// Receives messages of one size into a row.
///
/// queue:   a handle that no other thread is using
/// buf:     room for len * count bytes
/// len:     the size of each, more than 0
/// count:   how many at most, more than 0
/// timeout: how long to wait for the first
///
/// Returns how many: as many as were there, at least one.
/// Errors: as unipc_queue_recv(); -EMSGSIZE when the next message is not of this size. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_recv_many(
    queue: *mut unipc_queue,
    buf: *mut c_void,
    len: usize,
    count: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room and a timeout.
    let caller = unsafe { Caller::trusted("recv_many") };
    caller.guard(|| {
        let room = caller.room(buf.cast::<MaybeUninit<u8>>(), row(&caller, len, count)?)?;
        let queue = &mut caller.handle_mut(queue)?.queue;
        queue.receiver().recv_row(room, len, caller.timeout(timeout)?).map(usize::cast_signed)
    })
}

/// Lends the next message where it lies. Others who receive wait until it is released or left;
/// should this process die before that, it is the next one's.
///
/// queue:   a handle that no other thread is using
/// msg:     where its address goes
/// len:     where its length goes
/// timeout: as in unipc_queue_recv()
///
/// Returns 0.
/// Errors: as unipc_queue_recv(); -EINVAL while something is lent. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_peek(
    queue: *mut unipc_queue,
    msg: *mut *const c_void,
    len: *mut usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, places and a timeout.
    let caller = unsafe { Caller::trusted("peek") };
    caller.guard(|| {
        let (msg, len) = (caller.output("msg", msg)?, caller.output("len", len)?);
        let queue = &mut caller.handle_mut(queue)?.queue;
        let (address, length) = queue.receiver().peek(caller.timeout(timeout)?)?;
        msg.set(address.cast());
        len.set(length);
        Ok(0)
    })
}

/// Takes the message that was lent out of the queue; its bytes must not be touched any more.
///
/// Returns 0; -EINVAL when nothing is lent. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_release(queue: *mut unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("release") };
    caller.guard(|| caller.handle_mut(queue)?.queue.receiver().release().map(|()| 0))
}

/// Leaves the message that was lent in the queue, for the next one to receive.
///
/// Returns 0; -EINVAL when nothing is lent. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_leave(queue: *mut unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("leave") };
    caller.guard(|| caller.handle_mut(queue)?.queue.receiver().leave().map(|()| 0))
}

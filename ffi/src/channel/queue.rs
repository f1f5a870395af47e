// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queues: getting a handle, sending, receiving.

use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

use libc::{ssize_t, timespec};
use unipc_core::channel::{Options, Queue};
use unipc_core::{Mode, Result, Timeout};

use super::boundary::Caller;
use super::{unipc_queue, unipc_queue_flag, unipc_queue_opts};

fn options(caller: &Caller, opts: *const unipc_queue_opts) -> Result<Options> {
    let opts = caller.options(opts)?;
    let flags = caller.flags(opts.flags, unipc_queue_flag::UNIPC_QUEUE_SPIN as u32)?;
    let mut options = Options::new()
        .message_size(opts.message_size)
        .spin(flags.has(unipc_queue_flag::UNIPC_QUEUE_SPIN as u32));
    if opts.mode != 0 {
        options = options.mode(Mode::new(opts.mode)?);
    }
    if opts.participants != 0 {
        options = options.participants(opts.participants);
    }
    Ok(options)
}

/// Creates a queue.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_create(
    out: *mut *mut unipc_queue,
    name: *const c_char,
    capacity: usize,
    opts: *const unipc_queue_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a name and options.
    let caller = unsafe { Caller::trusted("create") };
    caller.construct(out, || {
        let queue = options(&caller, opts)?.create(caller.name(name)?, capacity)?;
        Ok(unipc_queue { queue })
    })
}

/// Opens the queue that a descriptor refers to.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_from_fd(
    out: *mut *mut unipc_queue,
    fd: c_int,
    opts: *const unipc_queue_opts,
) -> c_int {
    // SAFETY: the header asks for a place and options.
    let caller = unsafe { Caller::trusted("from_fd") };
    caller.construct(out, || {
        let queue = options(&caller, opts)?.from_fd(caller.duplicate(fd)?)?;
        Ok(unipc_queue { queue })
    })
}

/// The descriptor of the memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_memory_fd(queue: *const unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("memory_fd") };
    caller.guard(|| Ok(caller.handle(queue)?.queue.fd().as_raw_fd()))
}

/// Sends a message.
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
        let timeout = timeout_of(&caller, timeout)?;
        caller.handle_mut(queue)?.queue.send(caller.bytes(msg, len)?, timeout)?;
        Ok(0)
    })
}

/// Receives a message.
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
        let timeout = timeout_of(&caller, timeout)?;
        let room = caller.room(buf.cast::<MaybeUninit<u8>>(), cap)?;
        let length = caller.handle_mut(queue)?.queue.recv_into(room, timeout)?;
        Ok(length.cast_signed())
    })
}

/// Sends messages in a row.
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
        let timeout = timeout_of(&caller, timeout)?;
        let all = len.checked_mul(count).ok_or_else(|| caller.invalid("count", "too many"))?;
        let bytes = caller.bytes(msgs, all)?;
        let sent = caller.handle_mut(queue)?.queue.send_row(bytes, len, timeout)?;
        Ok(sent.cast_signed())
    })
}

/// Receives messages into a row.
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
        let timeout = timeout_of(&caller, timeout)?;
        let all = len.checked_mul(count).ok_or_else(|| caller.invalid("count", "too many"))?;
        let room = caller.room(buf.cast::<MaybeUninit<u8>>(), all)?;
        let got = caller.handle_mut(queue)?.queue.recv_row(room, len, timeout)?;
        Ok(got.cast_signed())
    })
}

/// Lends the next message where it lies.
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
        let timeout = timeout_of(&caller, timeout)?;
        let (msg, len) = (caller.output("msg", msg)?, caller.output("len", len)?);
        let (address, length) = caller.handle_mut(queue)?.queue.peek(timeout)?;
        msg.set(address.cast());
        len.set(length);
        Ok(0)
    })
}

/// Takes the message that was lent.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_release(queue: *mut unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("release") };
    caller.guard(|| caller.handle_mut(queue)?.queue.release().map(|()| 0))
}

/// Makes room for a message in the ring itself.
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
        let timeout = timeout_of(&caller, timeout)?;
        let room = caller.output("room", room)?;
        room.set(caller.handle_mut(queue)?.queue.reserve(len, timeout)?.cast());
        Ok(0)
    })
}

/// Commits what was reserved.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_commit(queue: *mut unipc_queue, len: usize) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("commit") };
    caller.guard(|| caller.handle_mut(queue)?.queue.commit(len).map(|()| 0))
}

/// Closes the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_close(queue: *mut unipc_queue) {
    // SAFETY: the header asks for an open handle or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(queue);
}

#[inline]
fn timeout_of(caller: &Caller, timeout: *const timespec) -> Result<Timeout> {
    caller.timeout(timeout)
}

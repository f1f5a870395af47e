// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving with a struct msgbuf of the caller's.

use std::ffi::{c_int, c_long, c_uint, c_void};

use libc::{ssize_t, timespec};
use unipc_core::mq::TYPE_SIZE;

use super::boundary::{Caller, count};
use super::transfer::{not_so_many, wanted};
use super::unipc_mq;
use super::unipc_mq_flag as flag;

/// Sends a message that lies in memory as msgsnd() wants it. Waits while the queue is full.
///
/// mq:      a handle of a System V queue
/// msgp:    a struct msgbuf, or any struct that begins with the type: a long, 1 or more, and behind it
///          the bytes
/// msgsz:   how many bytes there are behind the type; 0 is fine
/// timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
///
/// unipc_mq_send() copies the bytes behind a type of its own first; large messages are sent faster so.
/// Whoever receives it sees no difference. Nothing was sent when it failed.
///
///     struct { long type; char text[4096]; } message = {.type = 7};
///     fill(message.text);
///     unipc_mq_send_msgbuf(mq, &message, sizeof message.text, NULL);
///
/// Returns 0.
/// Errors: as unipc_mq_send(), and
///   -EINVAL      a type below 1; msgp is NULL
///   -EOPNOTSUPP  a POSIX queue
/// Since 0.1. See msgsnd(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_send_msgbuf(
    mq: *const unipc_mq,
    msgp: *const c_void,
    msgsz: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a type and `msgsz` bytes to read, and a timespec or NULL.
    let caller = unsafe { Caller::trusted("send") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        let msgbuf = caller.bytes(msgp, msgsz.saturating_add(TYPE_SIZE))?;
        queue.send_msgbuf(msgbuf, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Receives a message into memory as msgrcv() fills it. Waits while none is there that is wanted.
///
/// mq:      a handle of a System V queue
/// want:    0: the oldest; more than 0: the oldest of this type; less than 0: the oldest of the lowest
///          type up to -want
/// flags:   UNIPC_MQ_TRUNCATE, UNIPC_MQ_EXCEPT, or 0
/// msgp:    a struct msgbuf, or any struct that begins with a long, where the type goes, and has room
///          for the bytes behind it
/// msgsz:   for how many bytes there is room behind the type
/// timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
///
/// unipc_mq_receive() copies the bytes from such memory to their place; large messages are received
/// faster so. No message was taken when it failed.
///
/// Returns how many bytes the message has, 0 or more, and never more than msgsz: whether a part of it
/// was cut, the kernel does not tell.
/// Errors: as unipc_mq_receive(), and
///   -E2BIG       the message is longer than msgsz; it stays in the queue
///   -EINVAL      msgp is NULL
///   -EOPNOTSUPP  a POSIX queue
/// Since 0.1. See msgrcv(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_receive_msgbuf(
    mq: *const unipc_mq,
    want: c_long,
    flags: c_uint,
    msgp: *mut c_void,
    msgsz: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room for a type and `msgsz` bytes, and a timespec or NULL.
    let caller = unsafe { Caller::trusted("receive") };
    caller.guard(|| {
        let (truncate, except) =
            (flag::UNIPC_MQ_TRUNCATE as c_uint, flag::UNIPC_MQ_EXCEPT as c_uint);
        let flags = caller.flags(flags, truncate | except)?;
        let queue = &caller.handle(mq)?.queue;
        let msgbuf = caller.room(msgp.cast::<u8>(), msgsz.saturating_add(TYPE_SIZE))?;
        let timeout = caller.timeout(timeout)?;
        let want = wanted(want, flags.has(except));
        let received = if flags.has(truncate) {
            queue.receive_msgbuf_truncated(want, msgbuf, timeout)?
        } else {
            queue.receive_msgbuf(want, msgbuf, timeout)?
        };
        Ok(count(received.len))
    })
}

/// Copies a message of a System V queue and leaves it there (MSG_COPY). Never waits.
///
/// mq:    a handle of a System V queue
/// index: 0: the oldest, 1: the next, and so on
/// msgp:  as for unipc_mq_receive_msgbuf()
/// msgsz: for how many bytes there is room behind the type
///
/// Returns how many bytes the message has.
/// Errors: as unipc_mq_peek(), and
///   -E2BIG   the message is longer than msgsz
///   -EINVAL  msgp is NULL
/// Since 0.1. See msgrcv(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_peek_msgbuf(
    mq: *const unipc_mq,
    index: usize,
    msgp: *mut c_void,
    msgsz: usize,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, and room for a type and `msgsz` bytes.
    let caller = unsafe { Caller::trusted("peek") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        let msgbuf = caller.room(msgp.cast::<u8>(), msgsz.saturating_add(TYPE_SIZE))?;
        let peeked = queue.peek_msgbuf(index, msgbuf)?.ok_or_else(|| not_so_many(queue))?;
        Ok(count(peeked.len))
    })
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving.

use std::ffi::{c_int, c_long, c_uint, c_void};

use libc::{ssize_t, timespec};
use unipc_core::mq::{Received, Want};
use unipc_core::{Error, ErrorKind, MessageQueue};

use super::boundary::Caller;
use super::unipc_mq;
use super::unipc_mq_flag as flag;

/// Sends a message. Waits while the queue is full.
///
/// mq:      a handle
/// tag:     System V: its type, 1 or more. POSIX: its priority, 0 to 32767; the highest comes first
/// msg:     its bytes; may be NULL when len is 0
/// len:     how many; 0 is fine
/// timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
///
/// Nobody need be waiting for it, and it outlives this process. Nothing was sent when it failed.
///
/// Returns 0.
/// Errors:
///   -EAGAIN     the queue is full, and timeout is {0, 0}
///   -ETIMEDOUT  the queue was full all the time
///   -EINTR      a signal came
///   -EIDRM      the System V queue was removed
///   -EINVAL     a tag that cannot be; a System V message that is longer than MSGMAX or than all the
///               queue; a timeout that cannot be; mq is NULL
///   -EMSGSIZE   a POSIX message that is longer than unipc_mq_max_size()
///   -EACCES     no permission to write (System V)
///   -EBADF      the handle is for receiving alone
///   -ENOMEM     no memory
/// Since 0.1. See msgsnd(2), mq_send(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_send(
    mq: *const unipc_mq,
    tag: c_long,
    msg: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes to read, and a timespec or NULL.
    let caller = unsafe { Caller::trusted("send") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        let data = caller.bytes(msg, len)?;
        queue.send(wide(tag), data, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Receives a message. Waits while none is there that is wanted.
///
/// mq:      a handle
/// want:    0: any, the oldest; POSIX: the oldest of the highest priority. System V also: more than 0:
///          the oldest of this type; less than 0: the oldest of the lowest type up to -want
/// flags:   UNIPC_MQ_TRUNCATE, UNIPC_MQ_EXCEPT, or 0
/// buf:     where its bytes go; may be NULL when cap is 0
/// cap:     for how many there is room. A POSIX queue wants unipc_mq_max_size(), unless the message
///          may be truncated
/// tag:     where its type or priority goes; may be NULL
/// timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
///
/// No message was taken when it failed.
///
/// Returns how many bytes the message has, 0 or more. That is more than cap only when it was truncated:
/// then buf has the first cap bytes, and the others are lost.
/// Errors:
///   -EAGAIN      there is none, and timeout is {0, 0}
///   -ETIMEDOUT   none came in time
///   -EINTR       a signal came
///   -E2BIG       the System V message is longer than cap; it stays in the queue
///   -EMSGSIZE    cap is less than the longest message of the POSIX queue
///   -EIDRM       the System V queue was removed
///   -EINVAL      unknown flags; UNIPC_MQ_EXCEPT without a type; a timeout that cannot be; mq is NULL
///   -EOPNOTSUPP  a POSIX queue knows no want but 0
///   -EACCES      no permission to read (System V)
///   -EBADF       the handle is for sending alone
/// Since 0.1. See msgrcv(2), mq_receive(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_receive(
    mq: *const unipc_mq,
    want: c_long,
    flags: c_uint,
    buf: *mut c_void,
    cap: usize,
    tag: *mut c_long,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room for `cap` bytes and for the tag, and a timespec or NULL.
    let caller = unsafe { Caller::trusted("receive") };
    caller.guard(|| {
        let (truncate, except) =
            (flag::UNIPC_MQ_TRUNCATE as c_uint, flag::UNIPC_MQ_EXCEPT as c_uint);
        let flags = caller.flags(flags, truncate | except)?;
        let queue = &caller.handle(mq)?.queue;
        let buffer = caller.room(buf.cast::<u8>(), cap)?;
        let timeout = caller.timeout(timeout)?;
        let want = wanted(want, flags.has(except));
        let received = if flags.has(truncate) {
            queue.receive_truncated(want, buffer, timeout)?
        } else {
            queue.receive_into(want, buffer, timeout)?
        };
        Ok(told(&caller, received, tag))
    })
}

/// Copies a message of a System V queue and leaves it there (MSG_COPY). Never waits.
///
/// mq:    a handle
/// index: 0: the oldest, 1: the next, and so on
/// buf:   where its bytes go; may be NULL when cap is 0
/// cap:   for how many there is room; of a longer message the first cap bytes are copied
/// tag:   where its type goes; may be NULL
///
/// Returns how many bytes the message has, perhaps more than cap.
/// Errors:
///   -ENOMSG      there are not so many messages
///   -EOPNOTSUPP  it is a POSIX queue; the kernel was built without CONFIG_CHECKPOINT_RESTORE
///   -EIDRM       the queue was removed
///   -EACCES      no permission to read
///   -EBADF       the handle is for sending alone
///   -EINVAL      mq is NULL
/// Since 0.1. See msgrcv(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_peek(
    mq: *const unipc_mq,
    index: usize,
    buf: *mut c_void,
    cap: usize,
    tag: *mut c_long,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, and room for `cap` bytes and for the tag.
    let caller = unsafe { Caller::trusted("peek") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        let buffer = caller.room(buf.cast::<u8>(), cap)?;
        let message = queue.peek(index)?.ok_or_else(|| not_so_many(queue))?;
        let kept = buffer.len().min(message.data.len());
        buffer[..kept].copy_from_slice(&message.data[..kept]);
        Ok(told(&caller, Received { tag: message.tag, len: message.data.len() }, tag))
    })
}

fn told(caller: &Caller, received: Received, tag: *mut c_long) -> ssize_t {
    // A tag came from a long of the kernel's.
    caller.give(tag, c_long::try_from(received.tag).unwrap_or(c_long::MAX));
    received.len.cast_signed()
}

/// Which message C asks for.
pub(super) fn wanted(want: c_long, except: bool) -> Want {
    if except { Want::Except(wide(want)) } else { Want::from(wide(want)) }
}

/// There is nothing at the place that somebody wants to look at.
pub(super) fn not_so_many(queue: &MessageQueue) -> Error {
    let error = Error::new("peek", queue.name(), ErrorKind::Os(libc::ENOMSG));
    error.with_advice("the queue has not so many messages")
}

#[allow(clippy::useless_conversion, reason = "a long has fewer bits on some machines")]
fn wide(tag: c_long) -> i64 {
    tag.into()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many messages of different lengths in one call.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use libc::{iovec, ssize_t, timespec};
use unipc_core::Result;

use super::boundary::Caller;
use super::{unipc_queue, unipc_topic};

/// Sends messages that lie anywhere, with one wake-up.
///
/// queue:   a handle that no other thread is using
/// msgs:    where each lies and how long it is, as writev(2) has it; nothing there is changed
/// count:   how many
/// timeout: how long to wait for room for the first
///
/// Returns how many were sent: as many as there was room for, at least one; 0 if count is 0.
/// Errors: as unipc_queue_send(), of the first; one behind it that is too long is not sent, nor what
/// comes after it. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_send_each(
    queue: *mut unipc_queue,
    msgs: *const iovec,
    count: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, buffers and a timeout.
    let caller = unsafe { Caller::trusted("send_each") };
    caller.guard(|| {
        let messages = messages(&caller, msgs, count)?;
        let queue = &mut caller.handle_mut(queue)?.queue;
        let sent = queue.sender().send_each(&messages, caller.timeout(timeout)?);
        sent.map(usize::cast_signed)
    })
}

/// Publishes messages that lie anywhere, with one wake-up.
///
/// topic:   a handle that no other thread is using
/// msgs:    where each lies and how long it is, as writev(2) has it; nothing there is changed
/// count:   how many
/// timeout: how long to wait for room for the first
///
/// Returns how many were published: as many as there was room for, at least one; 0 if count is 0.
/// Errors: as unipc_topic_publish(), of the first; one behind it that is too long is not published,
/// nor what comes after it. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_publish_each(
    topic: *mut unipc_topic,
    msgs: *const iovec,
    count: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, buffers and a timeout.
    let caller = unsafe { Caller::trusted("publish_each") };
    caller.guard(|| {
        let messages = messages(&caller, msgs, count)?;
        let topic = &mut caller.handle_mut(topic)?.topic;
        let sent = topic.publish_each(&messages, caller.timeout(timeout)?);
        sent.map(usize::cast_signed)
    })
}

/// Receives the messages that are there, of any lengths, one behind the other.
///
/// queue:   a handle that no other thread is using
/// buf:     where they go, each to the next multiple of 8 bytes from here on
/// cap:     how many bytes fit
/// msgs:    room for count entries, which tell where each lies in buf, and how long it is
/// count:   how many at most, more than 0
/// timeout: how long to wait for the first
///
/// Returns how many: as many as were there and fit, at least one. The others stay in the queue.
/// Errors: as unipc_queue_recv(); -EMSGSIZE when the first does not fit. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_recv_each(
    queue: *mut unipc_queue,
    buf: *mut c_void,
    cap: usize,
    msgs: *mut iovec,
    count: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room and a timeout.
    let caller = unsafe { Caller::trusted("recv_each") };
    caller.guard(|| {
        if count == 0 {
            return Err(caller.invalid("count", "it is 0"));
        }
        let mut room = caller.room(buf.cast::<MaybeUninit<u8>>(), cap)?;
        let mut told = caller.room(msgs.cast::<MaybeUninit<iovec>>(), count)?.iter_mut();
        let queue = &mut caller.handle_mut(queue)?.queue;
        let mut too_long = 0;
        let received =
            queue.receiver().recv_each(count, caller.timeout(timeout)?, |length, copy| {
                let Some((bytes, rest)) = std::mem::take(&mut room).split_at_mut_checked(length)
                else {
                    too_long = length;
                    return false;
                };
                copy(bytes);
                if let Some(place) = told.next() {
                    place.write(iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: length });
                }
                let padding = (length.next_multiple_of(8) - length).min(rest.len());
                room = &mut rest[padding..];
                true
            })?;
        if received == 0 {
            return Err(caller.too_small("cap", too_long, cap));
        }
        Ok(received.cast_signed())
    })
}

/// The bytes of each message.
fn messages(caller: &Caller, msgs: *const iovec, count: usize) -> Result<Vec<&[u8]>> {
    let messages = caller.values(msgs, count)?.iter();
    messages.map(|message| caller.bytes(message.iov_base, message.iov_len)).collect()
}

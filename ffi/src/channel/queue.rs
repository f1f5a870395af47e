// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queues: each message to exactly one.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr::null;

use libc::{ssize_t, timespec};
use unipc_core::SharedMemory;

use super::boundary::Caller;
use super::open::{Way, get, receive};
use super::{unipc_channel_opts, unipc_queue};

/// Creates a queue. It appears under its name only when it is complete, and stays when the handle is
/// closed, until it is unlinked.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_queue_close().
/// name:     "/demo", "file:PATH", or "memfd:LABEL" for one without a name: hand its descriptor on
/// capacity: the least size of its ring in bytes: what can be under way at a time
/// flags:    UNIPC_CHANNEL_ flags, or 0
/// opts:     NULL for the defaults
///
/// Example:
///
///     unipc_queue *jobs;
///     if (unipc_queue_open_or_create(&jobs, "/jobs", 1 << 20, 0, NULL) < 0 ||
///         unipc_queue_send(jobs, "hello", 5, NULL) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     unipc_queue_close(jobs);
///
/// Returns 0.
/// Errors:
///   -EEXIST      the name is taken
///   -ENOSPC, -ENOMEM  there is no memory
///   -EINVAL      no name, unknown flags, a message_size that the ring cannot hold; out or name is NULL
///   -EACCES      the directory may not be written
///   -EOPNOTSUPP  not a POSIX object, a file or a memfd: System V and anonymous memory cannot be channels
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_create(
    out: *mut *mut unipc_queue,
    name: *const c_char,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a string and options.
    let caller = unsafe { Caller::trusted("create") };
    get(&caller, out, name, Way::Create(capacity), flags, opts, unipc_queue::new)
}

/// Opens a queue, or creates it when there is none.
///
/// The arguments are those of unipc_queue_create(); opts matters only when it creates.
///
/// Returns 0.
/// Errors: those of unipc_queue_create() and unipc_queue_open().
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_open_or_create(
    out: *mut *mut unipc_queue,
    name: *const c_char,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a string and options.
    let caller = unsafe { Caller::trusted("open_or_create") };
    get(&caller, out, name, Way::OpenOrCreate(capacity), flags, opts, unipc_queue::new)
}

/// Opens a queue.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_queue_close().
/// name:  its name
/// flags: UNIPC_CHANNEL_ flags, or 0
///
/// Returns 0.
/// Errors:
///   -ENOENT      there is none
///   -EACCES      its mode does not let this user in
///   -EPROTO      it is no queue, one of another version, or damaged
///   -EBUSY       all places for participants are taken
///   -EINVAL      no name, unknown flags; out or name is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_open(
    out: *mut *mut unipc_queue,
    name: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and a string.
    let caller = unsafe { Caller::trusted("open") };
    get(&caller, out, name, Way::Open, flags, null(), unipc_queue::new)
}

/// As unipc_queue_open(), from a descriptor: a memfd that was inherited or received. The
/// descriptor is duplicated, the caller still owns it.
///
/// Returns 0.
/// Errors: as unipc_queue_open(); -EBADF. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_from_fd(
    out: *mut *mut unipc_queue,
    fd: c_int,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("from_fd") };
    receive(&caller, out, fd, flags, unipc_queue::new)
}

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

/// The name.
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_name(queue: *const unipc_queue) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(queue)?.name.as_ptr()))
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
pub unsafe extern "C" fn unipc_queue_fd(queue: *mut unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle_mut(queue)?.queue.fd()?.as_raw_fd()))
}

/// A descriptor that is readable while there is room: for poll(), select(), epoll or an event
/// loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
///
/// Use it as one that does not block: when it is readable, send with {0, 0} until that is -EAGAIN,
/// which lets it tell of the next. Until it is asked for, and while it is readable, the other side
/// pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
/// descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
/// Room: for the message for which there was none the last time.
///
/// Returns it.
/// Errors:
///   -EMFILE, -ENFILE  there are no more descriptors
///   -EBUSY       no more threads may be started
///   -EINVAL      the handle is the parent's, or NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_send_fd(queue: *mut unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle_mut(queue)?.queue.sender().fd()?.as_raw_fd()))
}

/// The descriptor of the memory, to be handed on (fork, exec, SCM_RIGHTS) and opened with
/// from_fd. It is close-on-exec and valid until the handle is closed.
///
/// Returns it, or -EINVAL when the handle is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_memory_fd(queue: *const unipc_queue) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("memory_fd") };
    caller.guard(|| Ok(caller.handle(queue)?.queue.memory_fd().as_raw_fd()))
}

/// Removes the queue of this name. Who has it open keeps it.
///
/// Returns 0.
/// Errors: as unipc_shm_unlink(). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| SharedMemory::unlink(caller.name(name)?).map(|()| 0))
}

/// Closes the handle; NULL is nothing. The queue stays. In a child of fork() it gives up the copy.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_close(queue: *mut unipc_queue) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(queue);
}

/// The size of a row.
pub(super) fn row(caller: &Caller, len: usize, count: usize) -> unipc_core::Result<usize> {
    len.checked_mul(count).ok_or_else(|| caller.invalid("count", "so many bytes cannot be"))
}

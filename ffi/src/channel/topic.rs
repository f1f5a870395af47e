// SPDX-License-Identifier: MIT OR Apache-2.0
//! Topics, to publish on.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::fd::AsRawFd;
use std::ptr::null;

use libc::{ssize_t, timespec};
use unipc_core::SharedMemory;
use unipc_core::channel::Topic;

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::open::{At, Way, get, get_at, get_declared, receive, row, size, subscribing, told};
use super::{unipc_channel_opts, unipc_subscriber, unipc_topic};

/// Creates a topic. It appears under its name only when it is complete, and stays when the handle is
/// closed, until it is unlinked.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_topic_close().
/// name:     "/demo", "file:PATH", or "memfd:LABEL" for one without a name: hand its descriptor on
/// capacity: the least size of its ring in bytes: what a subscriber can be behind
/// flags:    UNIPC_CHANNEL_ flags, or 0
/// opts:     NULL for the defaults
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
pub unsafe extern "C" fn unipc_topic_create(
    out: *mut *mut unipc_topic,
    name: *const c_char,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a string and options.
    let caller = unsafe { Caller::trusted("create") };
    get(&caller, out, name, Way::Create(capacity), flags, opts, unipc_topic::new)
}

/// Opens a topic, or creates it when there is none.
///
/// The arguments are those of unipc_topic_create(); opts matters when it creates, and opts.layout always.
///
/// Returns 0.
/// Errors: those of unipc_topic_create() and unipc_topic_open().
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_open_or_create(
    out: *mut *mut unipc_topic,
    name: *const c_char,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a string and options.
    let caller = unsafe { Caller::trusted("open_or_create") };
    get(&caller, out, name, Way::OpenOrCreate(capacity), flags, opts, unipc_topic::new)
}

/// Opens a topic to publish on it.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_topic_close().
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
pub unsafe extern "C" fn unipc_topic_open(
    out: *mut *mut unipc_topic,
    name: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and a string.
    let caller = unsafe { Caller::trusted("open") };
    get(&caller, out, name, Way::Open, flags, null(), unipc_topic::new)
}

/// As unipc_topic_open(), if its messages have this layout. The records that come need no check
/// then: their fields are what this program's compiler says.
///
/// out, name, flags: as in unipc_topic_open()
/// layout:           UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format
///
/// Returns 0.
/// Errors: as unipc_topic_open();
///   -EPROTO      its messages have another layout, or none: unipc_last_error() names the first field
///                that differs, with both offsets and both types
///   -EINVAL      the layout does not parse, or is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_open_layout(
    out: *mut *mut unipc_topic,
    name: *const c_char,
    layout: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and strings.
    let caller = unsafe { Caller::trusted("open_layout") };
    get_declared(&caller, out, name, layout, flags, unipc_topic::new)
}

/// Creates or opens a topic in memory that holds other things as well.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_topic_close().
/// shm:      a POSIX object, a file or a memfd, which may be closed afterwards
/// offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
/// how:      UNIPC_CHANNEL_OPEN, UNIPC_CHANNEL_CREATE or UNIPC_CHANNEL_OPEN_OR_CREATE
/// capacity: the least size of its ring in bytes, when creating
/// flags:    UNIPC_CHANNEL_ flags, or 0
/// opts:     NULL for the defaults; mode and huge_page_size are the memory's own
///
/// Returns 0.
/// Errors:
///   -EEXIST      there is one, and it was to be created
///   -ERANGE      it does not fit there, see unipc_topic_size()
///   -EBUSY       the bytes of its first page are not zero and no object
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
pub unsafe extern "C" fn unipc_topic_at(
    out: *mut *mut unipc_topic,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, an open handle and options.
    let caller = unsafe { Caller::trusted("at") };
    get_at(&caller, out, &At { shm, offset, how, capacity }, flags, opts, unipc_topic::new)
}

/// How many bytes a place for a topic takes, for unipc_topic_at(). It must begin on a page.
///
/// capacity: the least size of its ring in bytes
/// opts:     NULL for the defaults
///
/// Returns the size, or
///   -EINVAL  such a topic cannot be
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_size(
    capacity: usize,
    opts: *const unipc_channel_opts,
) -> ssize_t {
    // SAFETY: the header asks for options.
    let caller = unsafe { Caller::trusted("size") };
    size::<Topic>(&caller, capacity, opts)
}

/// Subscribes to a topic that is open here, wherever it lies.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_subscriber_close().
/// topic: a handle that no other thread is using
/// flags: UNIPC_CHANNEL_ flags, or 0
///
/// Returns 0.
/// Errors:
///   -EBUSY       all places for participants are taken
///   -EINVAL      unknown flags, the handle is the parent's; out or topic is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_subscribe(
    out: *mut *mut unipc_subscriber,
    topic: *const unipc_topic,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and an open handle.
    let caller = unsafe { Caller::trusted("subscribe") };
    caller.construct(out, || {
        let options = subscribing(&caller, flags)?;
        caller.handle(topic)?.topic.subscribe(&options).map(unipc_subscriber::new)
    })
}

/// As unipc_topic_open(), from a descriptor: a memfd that was inherited or received. The
/// descriptor is duplicated, the caller still owns it.
///
/// Returns 0.
/// Errors: as unipc_topic_open(); -EBADF. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_from_fd(
    out: *mut *mut unipc_topic,
    fd: c_int,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("from_fd") };
    receive(&caller, out, fd, flags, unipc_topic::new)
}

/// Publishs a message.
///
/// topic:   a handle that no other thread is using
/// msg:     its bytes; NULL is fine for none
/// len:     how many; 0 is a message too
/// timeout: how long to wait for room; NULL for ever, {0, 0} not at all
///
/// Returns 0.
/// Errors:
///   -EMSGSIZE   longer than the ring can hold, or not of the one size
///   -EAGAIN, -ETIMEDOUT  a subscriber of a reliable topic has not made room
///   -EINTR      a signal came; nothing was sent
///   -EFAULT     the file was truncated
///   -EINVAL     the handle is the parent's; a pointer is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_publish(
    topic: *mut unipc_topic,
    msg: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, bytes and a timeout.
    let caller = unsafe { Caller::trusted("publish") };
    caller.guard(|| {
        let topic = &mut caller.handle_mut(topic)?.topic;
        topic.publish(caller.bytes(msg, len)?, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Publishs messages of one size that lie in a row, with one wake-up.
///
/// topic:   a handle that no other thread is using
/// msgs:    len * count bytes
/// len:     the size of each, more than 0
/// count:   how many
/// timeout: how long to wait for room for the first
///
/// Returns how many were sent: as many as there was room for, at least one.
/// Errors: as unipc_topic_publish(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_publish_many(
    topic: *mut unipc_topic,
    msgs: *const c_void,
    len: usize,
    count: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, bytes and a timeout.
    let caller = unsafe { Caller::trusted("publish_many") };
    caller.guard(|| {
        let topic = &mut caller.handle_mut(topic)?.topic;
        let bytes = caller.bytes(msgs, row(&caller, len, count)?)?;
        topic.publish_row(bytes, len, caller.timeout(timeout)?).map(usize::cast_signed)
    })
}

/// Makes room for a message in the ring itself, to be written there and then committed or aborted.
/// Others who publish wait meanwhile. Nobody sees the message before it is committed.
///
/// topic:   a handle that no other thread is using
/// len:     how many bytes at most
/// room:    where their address goes
/// timeout: as in unipc_topic_publish()
///
/// Returns 0.
/// Errors: as unipc_topic_publish(); -EINVAL while something is reserved. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_reserve(
    topic: *mut unipc_topic,
    len: usize,
    room: *mut *mut c_void,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a place and a timeout.
    let caller = unsafe { Caller::trusted("reserve") };
    caller.guard(|| {
        let room = caller.output("room", room)?;
        let topic = &mut caller.handle_mut(topic)?.topic;
        room.set(topic.reserve(len, caller.timeout(timeout)?)?.cast());
        Ok(0)
    })
}

/// Sends the first len bytes of what was reserved. Since 0.1.
///
/// Returns 0; -EMSGSIZE for more than were reserved, -EINVAL when nothing is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_commit(topic: *mut unipc_topic, len: usize) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("commit") };
    caller.guard(|| caller.handle_mut(topic)?.topic.commit(len).map(|()| 0))
}

/// Gives up what was reserved. Since 0.1.
///
/// Returns 0; -EINVAL when nothing is reserved.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_abort(topic: *mut unipc_topic) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("abort") };
    caller.guard(|| caller.handle_mut(topic)?.topic.abort().map(|()| 0))
}

/// The name.
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_name(topic: *const unipc_topic) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(topic)?.name.as_ptr()))
}

/// What every message consists of, if whoever created the topic said so: a PEP 3118 format.
///
/// Returns a string that lives as long as the handle; NULL for messages of bytes, and for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_layout(topic: *const unipc_topic) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("layout") };
    caller.guard(|| Ok(told(caller.handle(topic)?.layout.as_ref())))
}

/// A descriptor that is readable while there is room: for poll(), select(), epoll or an event
/// loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
///
/// Use it as one that does not block: when it is readable, publish with {0, 0} until that is -EAGAIN,
/// which lets it tell of the next. Until it is asked for, and while it is readable, the other side
/// pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
/// descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
/// Room: for the message for which there was none the last time; in a topic that keeps the latest
/// messages there always is.
///
/// Returns it.
/// Errors:
///   -EMFILE, -ENFILE  there are no more descriptors
///   -EBUSY       no more threads may be started
///   -EINVAL      the handle is the parent's, or NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_fd(topic: *mut unipc_topic) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle_mut(topic)?.topic.fd()?.as_raw_fd()))
}

/// The descriptor of the memory, to be handed on (fork, exec, SCM_RIGHTS) and opened with
/// from_fd. It is close-on-exec and valid until the handle is closed.
///
/// Returns it, or -EINVAL when the handle is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_memory_fd(topic: *const unipc_topic) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("memory_fd") };
    caller.guard(|| Ok(caller.handle(topic)?.topic.memory_fd().as_raw_fd()))
}

/// Removes the topic of this name. Who has it open keeps it.
///
/// Returns 0.
/// Errors: as unipc_shm_unlink(). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| SharedMemory::unlink(caller.name(name)?).map(|()| 0))
}

/// Closes the handle; NULL is nothing. The topic stays. In a child of fork() it gives up the copy.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_topic_close(topic: *mut unipc_topic) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(topic);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queues: each message to exactly one.

mod transfer;

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::AsRawFd;
use std::ptr::null;

use libc::ssize_t;
use unipc_core::SharedMemory;
use unipc_core::channel::Queue;

pub use transfer::*;

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::open::{At, Way, get, get_at, get_declared, receive, size, told};
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
/// The arguments are those of unipc_queue_create(); opts matters when it creates, and opts.layout always.
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

/// As unipc_queue_open(), if its messages have this layout. The records that come need no check
/// then: their fields are what this program's compiler says.
///
/// out, name, flags: as in unipc_queue_open()
/// layout:           UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format
///
/// Returns 0.
/// Errors: as unipc_queue_open();
///   -EPROTO      its messages have another layout, or none: unipc_last_error() names the first field
///                that differs, with both offsets and both types
///   -EINVAL      the layout does not parse, or is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_open_layout(
    out: *mut *mut unipc_queue,
    name: *const c_char,
    layout: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and strings.
    let caller = unsafe { Caller::trusted("open_layout") };
    get_declared(&caller, out, name, layout, flags, unipc_queue::new)
}

/// Creates or opens a queue in memory that holds other things as well.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_queue_close().
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
///   -ERANGE      it does not fit there, see unipc_queue_size()
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
pub unsafe extern "C" fn unipc_queue_at(
    out: *mut *mut unipc_queue,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, an open handle and options.
    let caller = unsafe { Caller::trusted("at") };
    get_at(&caller, out, &At { shm, offset, how, capacity }, flags, opts, unipc_queue::new)
}

/// How many bytes a place for a queue takes, for unipc_queue_at(). It must begin on a page.
///
/// capacity: the least size of its ring in bytes
/// opts:     NULL for the defaults
///
/// Returns the size, or
///   -EINVAL  such a queue cannot be
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_size(
    capacity: usize,
    opts: *const unipc_channel_opts,
) -> ssize_t {
    // SAFETY: the header asks for options.
    let caller = unsafe { Caller::trusted("size") };
    size::<Queue>(&caller, capacity, opts)
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

/// The name.
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_name(queue: *const unipc_queue) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(queue)?.name.as_ptr()))
}

/// What every message consists of, if whoever created the queue said so: a PEP 3118 format.
///
/// Returns a string that lives as long as the handle; NULL for messages of bytes, and for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_queue_layout(queue: *const unipc_queue) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("layout") };
    caller.guard(|| Ok(told(caller.handle(queue)?.layout.as_ref())))
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Services: those who answer.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::fd::AsRawFd;
use std::ptr::null;

use libc::{ssize_t, timespec};
use unipc_core::channel::Service;
use unipc_core::{Result, SharedMemory};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::open::{At, Way, get, get_at, receive, size};
use super::{unipc_channel_opts, unipc_question, unipc_service};

/// Creates a service. It appears under its name only when it is complete, and stays when the handle is
/// closed, until it is unlinked.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_service_close().
/// name:     "/demo", "file:PATH", or "memfd:LABEL" for one without a name: hand its descriptor on
/// capacity: the least size in bytes of the ring of questions
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
pub unsafe extern "C" fn unipc_service_create(
    out: *mut *mut unipc_service,
    name: *const c_char,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a string and options.
    let caller = unsafe { Caller::trusted("create") };
    get(&caller, out, name, Way::Create(capacity), flags, opts, unipc_service::new)
}

/// Opens a service, or creates it when there is none.
///
/// The arguments are those of unipc_service_create(); opts matters only when it creates.
///
/// Returns 0.
/// Errors: those of unipc_service_create() and unipc_service_open().
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_open_or_create(
    out: *mut *mut unipc_service,
    name: *const c_char,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, a string and options.
    let caller = unsafe { Caller::trusted("open_or_create") };
    get(&caller, out, name, Way::OpenOrCreate(capacity), flags, opts, unipc_service::new)
}

/// Opens a service as one more server: each question goes to one of them.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_service_close().
/// name:  its name
/// flags: UNIPC_CHANNEL_ flags, or 0
///
/// Returns 0.
/// Errors:
///   -ENOENT      there is none
///   -EACCES      its mode does not let this user in
///   -EPROTO      it is no service, one of another version, or damaged
///   -EBUSY       all places for participants are taken
///   -EINVAL      no name, unknown flags; out or name is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_open(
    out: *mut *mut unipc_service,
    name: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and a string.
    let caller = unsafe { Caller::trusted("open") };
    get(&caller, out, name, Way::Open, flags, null(), unipc_service::new)
}

/// Creates or opens a service in memory that holds other things as well.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_service_close().
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
///   -ERANGE      it does not fit there, see unipc_service_size()
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
pub unsafe extern "C" fn unipc_service_at(
    out: *mut *mut unipc_service,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    capacity: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, an open handle and options.
    let caller = unsafe { Caller::trusted("at") };
    get_at(&caller, out, &At { shm, offset, how, capacity }, flags, opts, unipc_service::new)
}

/// How many bytes a place for a service takes, for unipc_service_at(). It must begin on a page.
///
/// capacity: the least size of its ring in bytes
/// opts:     NULL for the defaults
///
/// Returns the size, or
///   -EINVAL  such a service cannot be
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_size(
    capacity: usize,
    opts: *const unipc_channel_opts,
) -> ssize_t {
    // SAFETY: the header asks for options.
    let caller = unsafe { Caller::trusted("size") };
    size::<Service>(&caller, capacity, opts)
}

/// As unipc_service_open(), from a descriptor: a memfd that was inherited or received. The
/// descriptor is duplicated, the caller still owns it.
///
/// Returns 0.
/// Errors: as unipc_service_open(); -EBADF. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_from_fd(
    out: *mut *mut unipc_service,
    fd: c_int,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("from_fd") };
    receive(&caller, out, fd, flags, unipc_service::new)
}

/// Receives a question.
///
/// service:  a handle that no other thread is using
/// question: where it goes; NULL on failure. Close it with unipc_question_close().
/// timeout:  how long to wait for one; NULL for ever, {0, 0} not at all
///
/// Returns 0.
/// Errors:
///   -EAGAIN, -ETIMEDOUT  there is none
///   -EINTR      a signal came; nothing was received
///   -EPROTO     it is damaged
///   -EINVAL     the handle is the parent's; a pointer is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_recv(
    service: *mut unipc_service,
    question: *mut *mut unipc_question,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a place and a timeout.
    let caller = unsafe { Caller::trusted("recv") };
    caller.construct_boxed(question, || {
        let service = &mut caller.handle_mut(service)?.service;
        let mut received = Box::<unipc_question>::default();
        service.recv_into(&mut received.question, caller.timeout(timeout)?)?;
        Ok(received)
    })
}

/// The bytes of a question.
///
/// Returns their address, which is valid until the question is closed; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_question_data(question: *const unipc_question) -> *const c_void {
    // SAFETY: the header asks for a question.
    let caller = unsafe { Caller::trusted("data") };
    caller.live(question).map_or(null(), |it| it.question.bytes().as_ptr().cast())
}

/// How many bytes a question has.
///
/// Returns the number; 0 for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_question_size(question: *const unipc_question) -> usize {
    // SAFETY: the header asks for a question.
    let caller = unsafe { Caller::trusted("size") };
    caller.live(question).map_or(0, |it| it.question.bytes().len())
}

/// Has the time passed that the client gave? Then nobody waits for the answer.
///
/// Returns 1 or 0; -EINVAL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_question_has_expired(question: *const unipc_question) -> c_int {
    // SAFETY: the header asks for a question.
    let caller = unsafe { Caller::trusted("has_expired") };
    caller.guard(|| Ok(c_int::from(caller.handle(question)?.question.has_expired())))
}

/// Closes a question; NULL is nothing. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_question_close(question: *mut unipc_question) {
    // SAFETY: the header asks for a question that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(question);
}

/// Answers a question, for the last time. The question is still to be closed.
///
/// service:  a handle that no other thread is using
/// question: what unipc_service_recv() gave
/// msg:      the answer; NULL is fine for none
/// len:      how many bytes
/// timeout:  how long to wait for room in the client's ring
///
/// Returns 0.
/// Errors:
///   -EPIPE      the client is gone
///   -EMSGSIZE   longer than the client's ring can hold
///   -EAGAIN, -ETIMEDOUT  the client has not made room
///   -EINTR      a signal came; nothing was sent
///   -EINVAL     the handle is the parent's; a pointer is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_reply(
    service: *mut unipc_service,
    question: *const unipc_question,
    msg: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a question, bytes and a timeout.
    let caller = unsafe { Caller::trusted("reply") };
    caller.guard(|| {
        let question = &caller.handle(question)?.question;
        let (bytes, timeout) = (caller.bytes(msg, len)?, caller.timeout(timeout)?);
        caller.handle_mut(service)?.service.reply(question, bytes, timeout).map(|()| 0)
    })
}

/// Answers a part of a question; more parts, and a last reply, will follow.
///
/// The arguments, results and errors are those of unipc_service_reply(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_reply_part(
    service: *mut unipc_service,
    question: *const unipc_question,
    msg: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a question, bytes and a timeout.
    let caller = unsafe { Caller::trusted("reply_part") };
    caller.guard(|| {
        let question = &caller.handle(question)?.question;
        let (bytes, timeout) = (caller.bytes(msg, len)?, caller.timeout(timeout)?);
        caller.handle_mut(service)?.service.reply_part(question, bytes, timeout).map(|()| 0)
    })
}

/// Answers that it could not be done: the client's call fails with this errno, and these words.
///
/// service:  a handle that no other thread is using
/// question: what unipc_service_recv() gave
/// errno_:   an errno, more than 0
/// why:      words for people, or NULL
/// timeout:  as in unipc_service_reply()
///
/// Returns 0.
/// Errors: as unipc_service_reply(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_fail(
    service: *mut unipc_service,
    question: *const unipc_question,
    errno_: c_int,
    why: *const c_char,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a question, a string or NULL, and a timeout.
    let caller = unsafe { Caller::trusted("fail") };
    caller.guard(|| {
        let question = &caller.handle(question)?.question;
        let words = words(&caller, why)?;
        let timeout = caller.timeout(timeout)?;
        caller.handle_mut(service)?.service.fail(question, errno_, &words, timeout).map(|()| 0)
    })
}

fn words(caller: &Caller, why: *const c_char) -> Result<String> {
    if why.is_null() {
        return Ok(String::new());
    }
    Ok(caller.text("why", why)?.to_string_lossy().into_owned())
}

/// The name.
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_name(service: *const unipc_service) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(service)?.name.as_ptr()))
}

/// A descriptor that is readable while there is a question: for poll(), select(), epoll or an event
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
pub unsafe extern "C" fn unipc_service_fd(service: *mut unipc_service) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle_mut(service)?.service.fd()?.as_raw_fd()))
}

/// The descriptor of the memory, to be handed on (fork, exec, SCM_RIGHTS) and opened with
/// from_fd. It is close-on-exec and valid until the handle is closed.
///
/// Returns it, or -EINVAL when the handle is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_memory_fd(service: *const unipc_service) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("memory_fd") };
    caller.guard(|| Ok(caller.handle(service)?.service.memory_fd().as_raw_fd()))
}

/// Removes the service of this name. Who has it open keeps it.
///
/// Returns 0.
/// Errors: as unipc_shm_unlink(). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| SharedMemory::unlink(caller.name(name)?).map(|()| 0))
}

/// Closes the handle; NULL is nothing. The service stays. In a child of fork() it gives up the copy.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_service_close(service: *mut unipc_service) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(service);
}

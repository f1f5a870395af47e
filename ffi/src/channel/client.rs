// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients: those who ask.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::fd::AsRawFd;
use std::ptr::null;

use libc::{ssize_t, timespec};
use unipc_core::channel::Call;

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::open::{At, Way, get, get_at, receive};
use super::{unipc_channel_opts, unipc_client};

/// Opens a service to ask it.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_client_close().
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
pub unsafe extern "C" fn unipc_client_open(
    out: *mut *mut unipc_client,
    name: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place and a string.
    let caller = unsafe { Caller::trusted("open") };
    get(&caller, out, name, Way::Open, flags, null(), unipc_client::new)
}

/// Opens a service that lies in memory that holds other things as well, to ask it.
///
/// out:      where the handle goes; NULL on failure. Close it with unipc_client_close().
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
pub unsafe extern "C" fn unipc_client_at(
    out: *mut *mut unipc_client,
    shm: *const unipc_shm,
    offset: usize,
    flags: c_uint,
    opts: *const unipc_channel_opts,
) -> c_int {
    // SAFETY: the header asks for a place, an open handle and options.
    let caller = unsafe { Caller::trusted("at") };
    get_at(&caller, out, &At { shm, offset, how: 0, capacity: 0 }, flags, opts, unipc_client::new)
}

/// As unipc_client_open(), from a descriptor: a memfd that was inherited or received. The
/// descriptor is duplicated, the caller still owns it.
///
/// Returns 0.
/// Errors: as unipc_client_open(); -EBADF. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_from_fd(
    out: *mut *mut unipc_client,
    fd: c_int,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("from_fd") };
    receive(&caller, out, fd, flags, unipc_client::new)
}

/// Asks, and waits for the answer; one in parts comes whole.
///
/// client:   a handle that no other thread is using
/// question: its bytes; NULL is fine for none
/// len:      how many
/// buf:      where the answer goes
/// cap:      how many bytes fit
/// timeout:  how long to wait, for all of it; NULL for ever
///
/// Returns the answer's length.
/// Errors:
///   -EPIPE      the server that had taken the question died
///   -ETIMEDOUT, -EAGAIN  no answer in time; a late one is thrown away
///   -EMSGSIZE   the question is longer than the ring can hold; the answer does not fit and is
///               thrown away
///   -EBUSY      8 calls are open
///   -EINTR      a signal came; the answer is thrown away
///   -EINVAL     the handle is the parent's; a pointer is NULL
///   and whatever the server gave to unipc_service_fail(), whose words are in unipc_last_error()
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_call(
    client: *mut unipc_client,
    question: *const c_void,
    len: usize,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, bytes, room and a timeout.
    let caller = unsafe { Caller::trusted("call") };
    caller.guard(|| {
        let room = caller.room(buf.cast::<u8>(), cap)?;
        let (question, timeout) = (caller.bytes(question, len)?, caller.timeout(timeout)?);
        let answer = caller.handle_mut(client)?.client.call(question, timeout)?;
        give(&caller, &answer, room)
    })
}

/// Asks, and does not wait for the answer: unipc_client_wait() does.
///
/// client:   a handle that no other thread is using
/// question: its bytes; NULL is fine for none
/// len:      how many
/// timeout:  how long to wait for room, and for the answer; NULL for ever
///
/// Returns the call's number, 0 to 65535.
/// Errors: as unipc_client_call(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_begin(
    client: *mut unipc_client,
    question: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, bytes and a timeout.
    let caller = unsafe { Caller::trusted("begin") };
    caller.guard(|| {
        let (question, timeout) = (caller.bytes(question, len)?, caller.timeout(timeout)?);
        let call = caller.handle_mut(client)?.client.begin(question, timeout)?;
        Ok(c_int::from(call.number()))
    })
}

/// As unipc_client_begin(), with one time for sending the question and another, from now on too, for
/// having the answer.
///
/// client:   a handle that no other thread is using
/// question: its bytes; NULL is fine for none
/// len:      how many
/// timeout:  how long to wait for room; NULL for ever, {0, 0} not at all
/// answer:   how long somebody will wait for the answer; NULL for ever
///
/// Returns the call's number, 0 to 65535.
/// Errors: as unipc_client_call(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_begin_until(
    client: *mut unipc_client,
    question: *const c_void,
    len: usize,
    timeout: *const timespec,
    answer: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, bytes and timeouts.
    let caller = unsafe { Caller::trusted("begin_until") };
    caller.guard(|| {
        let question = caller.bytes(question, len)?;
        let (timeout, answer) = (caller.timeout(timeout)?, caller.timeout(answer)?);
        let call = caller.handle_mut(client)?.client.begin_until(question, timeout, answer)?;
        Ok(c_int::from(call.number()))
    })
}

/// Waits for the answer to a call, or for the next part of it.
///
/// client:  a handle that no other thread is using
/// call:    what unipc_client_begin() returned
/// buf:     where the answer goes
/// cap:     how many bytes fit
/// more:    where it goes whether more parts will follow, 1 or 0; NULL is fine
/// timeout: how long to wait; NULL for ever, {0, 0} not at all
///
/// Returns the answer's length.
/// Errors: as unipc_client_call(); -EINVAL when the call is over, as it is after -EPIPE and what the
/// server said. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_wait(
    client: *mut unipc_client,
    call: c_int,
    buf: *mut c_void,
    cap: usize,
    more: *mut c_int,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room, a place or NULL, and a timeout.
    let caller = unsafe { Caller::trusted("wait") };
    caller.guard(|| {
        let room = caller.room(buf.cast::<u8>(), cap)?;
        let (call, timeout) = (call_number(&caller, call)?, caller.timeout(timeout)?);
        caller.handle_mut(client)?.client.wait_with(call, timeout, |bytes, follow| {
            caller.give(more, c_int::from(follow));
            give(&caller, bytes, room)
        })?
    })
}

/// Is there an answer still to be waited for?
///
/// Returns 1 or 0; -EINVAL for a number that no call has, or NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_is_pending(
    client: *const unipc_client,
    call: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("is_pending") };
    caller.guard(|| {
        let call = call_number(&caller, call)?;
        Ok(c_int::from(caller.handle(client)?.client.is_pending(call)))
    })
}

/// No longer waits for the answer to a call; it is thrown away when it comes.
///
/// Returns 0; -EINVAL for a number that no call has, or NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_cancel(client: *mut unipc_client, call: c_int) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("cancel") };
    caller.guard(|| {
        let call = call_number(&caller, call)?;
        caller.handle_mut(client)?.client.cancel(call);
        Ok(0)
    })
}

pub(crate) fn call_number(caller: &Caller, call: c_int) -> unipc_core::Result<Call> {
    let number = u16::try_from(call);
    number.map(Call::from_number).map_err(|_| caller.invalid("call", "no call has this number"))
}

fn give(caller: &Caller, answer: &[u8], room: &mut [u8]) -> unipc_core::Result<ssize_t> {
    let there = room.len();
    let Some(room) = room.get_mut(..answer.len()) else {
        return Err(caller.too_small("buf", answer.len(), there));
    };
    room.copy_from_slice(answer);
    Ok(answer.len().cast_signed())
}

/// A descriptor that is readable while there is an answer: for poll(), select(), epoll or an event
/// loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
///
/// Use it as one that does not block: when it is readable, wait with {0, 0} for each of the open
/// calls until that is -EAGAIN, which lets it tell of the next. Until it is asked for, and while it is readable, the other side
/// pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
/// descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
/// The death of a server is told within 0.1 s.
///
/// Returns it.
/// Errors:
///   -EMFILE, -ENFILE  there are no more descriptors
///   -EBUSY       no more threads may be started
///   -EINVAL      the handle is the parent's, or NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_fd(client: *mut unipc_client) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle_mut(client)?.client.fd()?.as_raw_fd()))
}

/// The name.
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_name(client: *const unipc_client) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(client)?.name.as_ptr()))
}

/// Closes the handle; NULL is nothing. The service stays. In a child of fork() it gives up the copy.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_client_close(client: *mut unipc_client) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(client);
}

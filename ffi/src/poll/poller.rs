// SPDX-License-Identifier: MIT OR Apache-2.0
//! The wait.

use std::ffi::c_int;

use libc::{ssize_t, timespec};
use unipc_core::poll::{Poller, wait_any};

use super::boundary::{Caller, count};
use super::thing::waitable;
use super::{unipc_poller, unipc_waitable};

/// Waits until one of several things is ready. Nothing is taken: the call that takes should be a try,
/// since somebody else may be faster.
///
/// things:  what to wait for
/// n:       how many there are
/// timeout: how long; NULL for ever, {0, 0} not at all
///
/// Example:
///
///     static const struct timespec now = {0, 0};
///     unipc_waitable things[3];
///     char text[64];
///     things[0] = unipc_wait_queue(jobs);
///     things[1] = unipc_wait_mq(orders);
///     things[2] = unipc_wait_fd(0, UNIPC_WAIT_READ);
///     if (unipc_wait_any(things, 3, NULL) == 0)
///         unipc_queue_recv(jobs, text, sizeof text, &now);
///
/// Returns the index of the first thing that is ready.
/// Errors:
///   -EAGAIN, -ETIMEDOUT  none is
///   -EINTR       a signal came
///   -EINVAL      there is nothing to wait for, a handle or things is NULL; a thing without a descriptor
///                in a child of fork() that waits with its parent's poller
///   -EBADF       a descriptor is not open
///   -EOPNOTSUPP  a lock in the pthread form, which has no word for those who wait for several things
///   -EACCES      a System V object may not be looked at
///   -EMFILE, -ENFILE  there are no more descriptors
///   -EBUSY       no more threads may be started
/// Since 0.1. See poll(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_wait_any(
    things: *const unipc_waitable,
    n: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for things whose handles are open, and a timeout.
    let caller = unsafe { Caller::trusted("wait_any") };
    caller.guard(|| {
        let given = caller.values(things, n)?.iter();
        let things: Result<Vec<_>, _> = given.map(|&thing| waitable(&caller, thing)).collect();
        let which = wait_any(&things?, caller.timeout(timeout)?)?;
        Ok(c_int::try_from(which).unwrap_or(c_int::MAX))
    })
}

/// Makes a poller, for many waits for the same things. Close it with unipc_poller_close().
///
/// out: where the handle goes; NULL on failure
///
/// Returns 0, or -EINVAL when out is NULL. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_poller_open(out: *mut *mut unipc_poller) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("poller_open") };
    caller.construct(out, || Ok(unipc_poller { poller: Poller::new() }))
}

/// Waits for one more thing. Remove it before its handle or descriptor is closed.
///
/// poller: a handle that no other thread is using
/// thing:  what to wait for
/// key:    what unipc_poller_wait() calls it
///
/// Returns 0.
/// Errors: -EEXIST when there is one with this key; as unipc_wait_any(). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_poller_add(
    poller: *mut unipc_poller,
    thing: unipc_waitable,
    key: u64,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a thing whose handle is open.
    let caller = unsafe { Caller::trusted("poller_add") };
    caller.guard(|| {
        let poller = &mut caller.handle_mut(poller)?.poller;
        poller.add(waitable(&caller, thing)?.detached(), key).map(|()| 0)
    })
}

/// No longer waits for the thing with this key. Since 0.1.
///
/// Returns 0, or -ENOENT when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_poller_remove(poller: *mut unipc_poller, key: u64) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("poller_remove") };
    caller.guard(|| caller.handle_mut(poller)?.poller.remove(key).map(|()| 0))
}

/// Waits until something is ready.
///
/// poller:  a handle that no other thread is using
/// keys:    where the keys of what is ready go, in the order in which they were added
/// cap:     how many fit, at least one; what does not fit is told the next time
/// timeout: how long; NULL for ever, {0, 0} not at all
///
/// Returns how many keys there are, at least one.
/// Errors: as unipc_wait_any(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_poller_wait(
    poller: *mut unipc_poller,
    keys: *mut u64,
    cap: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room and a timeout.
    let caller = unsafe { Caller::trusted("poller_wait") };
    caller.guard(|| {
        let poller = &mut caller.handle_mut(poller)?.poller;
        let room = caller.room(keys, cap)?;
        if room.is_empty() {
            return Err(caller.invalid("cap", "there is no room for a key"));
        }
        let ready = poller.wait(caller.timeout(timeout)?)?;
        let fit = ready.len().min(room.len());
        room[..fit].copy_from_slice(&ready[..fit]);
        Ok(count(fit))
    })
}

/// Closes the handle; NULL is nothing. What it waited for stays. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_poller_close(poller: *mut unipc_poller) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("poller_close") };
    caller.destroy(poller);
}

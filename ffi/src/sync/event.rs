// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flag.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::Event;

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{How, Uses, fill, open_as, unipc_event, unipc_sync_opts};

/// What of the options it has a use for.
const USES: Uses = Uses { event: true, ..Uses::NONE };

/// Opens or creates an event in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_event_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64; it takes unipc_event_size()
///         bytes from there, and data go behind them
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors:
///   -EEXIST      UNIPC_SYNC_CREATE, and there is one
///   -EBUSY       the bytes are not zero and no object: fill them with zeros first
///   -EPROTO      there is none, or another kind or version of object
///   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
///                is NULL
///   -ERANGE      it does not fit into the memory
///   -EACCES      the memory is mapped read-only
///   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
///   -EINTR       a signal came while it waited for a creator
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_open(
    out: *mut *mut unipc_event,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("event_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = Event::options().mode(how.mode).auto_reset(how.opts.auto_reset != 0);
        open_as!(options, how, place).map(unipc_event::new)
    })
}

/// Opens or creates an event under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_event_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_event_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_open_named(
    out: *mut *mut unipc_event,
    name: *const c_char,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("event_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = Event::options().mode(how.mode).auto_reset(how.opts.auto_reset != 0);
        open_as!(options, how, place).map(unipc_event::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_close(handle: *mut unipc_event) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("event_close") };
    caller.destroy(handle);
}

/// How many bytes an event takes in the robust form. In the pthread form it is the C library's size.
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_event_size() -> usize {
    Event::SIZE
}

/// Sets the flag, and wakes whom it lets pass: all who wait, or with automatic reset one. Async-signal-safe
/// while it succeeds.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EFAULT  the file behind the memory was truncated
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_set(handle: *const unipc_event) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("event_set") };
    caller.guard(|| caller.handle(handle)?.object.set().map(|()| 0))
}

/// Takes the flag back.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EFAULT  the file behind the memory was truncated
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_reset(handle: *const unipc_event) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("event_reset") };
    caller.guard(|| caller.handle(handle)?.object.reset().map(|()| 0))
}

/// Waits until the flag is set. With automatic reset the one that passes takes it back.
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns 0.
/// Errors:
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_wait(
    handle: *const unipc_event,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("event_wait") };
    caller.guard(|| caller.handle(handle)?.object.wait(caller.timeout(timeout)?).map(|()| 0))
}

/// Is it set at this moment?
///
/// handle: a handle
///
/// Returns 1 when it is, 0 when it is not.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_is_set(handle: *const unipc_event) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("event_is_set") };
    caller.guard(|| Ok(caller.handle(handle)?.object.is_set().into()))
}

/// The threads that sleep at the object, as far as there was room in it; of those who died they may be
/// stale.
///
/// handle: a handle
/// tids:   gets up to cap numbers; may be NULL when cap is 0
/// cap:    how many there is room for
///
/// Returns how many there are.
/// Errors:
///   -EINVAL  handle is NULL, or tids is and cap is not 0
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_event_waiters(
    handle: *const unipc_event,
    tids: *mut u32,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the numbers.
    let caller = unsafe { Caller::trusted("event_waiters") };
    caller.guard(|| fill(&caller, caller.handle(handle)?.object.waiters(), tids, cap))
}

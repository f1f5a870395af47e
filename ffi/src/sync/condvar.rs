// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for a change.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::{Acquired, Condvar};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{How, Uses, fill, news, open_as, unipc_condvar, unipc_mutex, unipc_sync_opts};

/// What of the options it has a use for.
const USES: Uses = Uses { form: true, ..Uses::NONE };

/// Opens or creates a condition variable in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_condvar_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_condvar_size()
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
pub unsafe extern "C" fn unipc_condvar_open(
    out: *mut *mut unipc_condvar,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("condvar_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = Condvar::options().form(how.form).mode(how.mode);
        open_as!(options, how, place).map(unipc_condvar::new)
    })
}

/// Opens or creates a condition variable under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_condvar_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_condvar_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_condvar_open_named(
    out: *mut *mut unipc_condvar,
    name: *const c_char,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("condvar_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = Condvar::options().form(how.form).mode(how.mode);
        open_as!(options, how, place).map(unipc_condvar::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_condvar_close(handle: *mut unipc_condvar) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("condvar_close") };
    caller.destroy(handle);
}

/// How many bytes a condition variable takes in the robust form. In the pthread form it is the C library's size.
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_condvar_size() -> usize {
    Condvar::SIZE
}

/// Unlocks the mutex, waits for a notice, and locks again.
///
/// The wait may end without a notice: always look again at what you wait for.
///
/// handle:  a handle
/// mutex:   a mutex of the same form, which the calling thread holds, once
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns UNIPC_LOCKED, or UNIPC_OWNER_DIED when the mutex is held again and a holder died meanwhile.
/// Errors: after each but -ENOTRECOVERABLE the mutex is held again, as before; unipc_mutex_status() tells
/// whether a holder died meanwhile.
///   -ETIMEDOUT  the time is over
///   -EAGAIN     the timeout is {0, 0}
///   -EINTR      a signal came; not in the pthread form, which goes on waiting
///   -EPERM      the calling thread does not hold the mutex
///   -EINVAL     a handle is NULL, the timeout is none, the forms differ, or the mutex is locked more than once
///   -ENOTRECOVERABLE  the mutex was retired meanwhile, and is not held
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_condvar_wait(
    handle: *const unipc_condvar,
    mutex: *const unipc_mutex,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for open handles, and a timespec or NULL.
    let caller = unsafe { Caller::trusted("condvar_wait") };
    caller.guard(|| {
        let mut acquired = Acquired::Clean;
        let (condvar, mutex) = (&caller.handle(handle)?.object, &caller.handle(mutex)?.object);
        condvar.wait_raw(mutex, caller.timeout(timeout)?, &mut acquired)?;
        Ok(news(acquired))
    })
}

/// Wakes one of those who wait.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EFAULT  the file behind the memory was truncated
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_condvar_notify_one(handle: *const unipc_condvar) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("condvar_notify_one") };
    caller.guard(|| caller.handle(handle)?.object.notify_one().map(|()| 0))
}

/// Wakes all who wait.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EFAULT  the file behind the memory was truncated
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_condvar_notify_all(handle: *const unipc_condvar) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("condvar_notify_all") };
    caller.guard(|| caller.handle(handle)?.object.notify_all().map(|()| 0))
}

/// The threads that sleep at the object, as far as there was room in it; of those who died they may be
/// stale. None are known in the pthread form.
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
pub unsafe extern "C" fn unipc_condvar_waiters(
    handle: *const unipc_condvar,
    tids: *mut u32,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the numbers.
    let caller = unsafe { Caller::trusted("condvar_waiters") };
    caller.guard(|| fill(&caller, caller.handle(handle)?.object.waiters(), tids, cap))
}

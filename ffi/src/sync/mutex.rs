// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mutual exclusion.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::Mutex;

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{
    How, Uses, fill, news, open_as, unipc_mutex, unipc_sync_holder, unipc_sync_opts,
    unipc_sync_status,
};

/// What of the options it has a use for.
const USES: Uses = Uses { form: true, mutex: true, ..Uses::NONE };

/// Opens or creates a mutex in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_mutex_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_mutex_size()
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
pub unsafe extern "C" fn unipc_mutex_open(
    out: *mut *mut unipc_mutex,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("mutex_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = Mutex::options().form(how.form).mode(how.mode);
        let options = options.kind(how.kind(&caller)?).priority_inheritance(how.opts.inherit != 0);
        open_as!(options, how, place).map(unipc_mutex::new)
    })
}

/// Opens or creates a mutex under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_mutex_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_mutex_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_open_named(
    out: *mut *mut unipc_mutex,
    name: *const c_char,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("mutex_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = Mutex::options().form(how.form).mode(how.mode);
        let options = options.kind(how.kind(&caller)?).priority_inheritance(how.opts.inherit != 0);
        open_as!(options, how, place).map(unipc_mutex::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_close(handle: *mut unipc_mutex) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("mutex_close") };
    caller.destroy(handle);
}

/// How many bytes a mutex takes in the robust form. In the pthread form it is the C library's size.
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_mutex_size() -> usize {
    Mutex::SIZE
}

/// Locks the mutex for the calling thread.
///
/// When the last holder died, the lock is held all the same, and UNIPC_OWNER_DIED says so: repair the data,
/// then call unipc_mutex_recovered(). Unlocking without that retires the mutex.
///
/// Not async-signal-safe. A child of fork() holds nothing.
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: it is held in both cases.
/// Errors:
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came; not in the pthread form, which goes on waiting
///   -EDEADLK    the calling thread holds it already
///   -ENOTRECOVERABLE  nobody repaired what a dead holder left: it is retired
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_lock(
    handle: *const unipc_mutex,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("mutex_lock") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(handle)
        && caller.is_timeout(timeout)
        && it.object.lock_at_once()
    {
        return 0;
    }
    caller.seldom(move |it| it.handle(handle)?.object.lock_raw(it.timeout(timeout)?).map(news))
}

/// Unlocks the mutex.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   the calling thread does not hold it
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_unlock(handle: *const unipc_mutex) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("mutex_unlock") };
    // The usual case is done before anything can fail.
    let live = caller.live(handle);
    let seldom = move || caller.seldom(move |it| it.handle(handle)?.object.unlock().map(|()| 0));
    match live {
        Some(it) => it.object.unlock_or(0, seldom),
        None => seldom(),
    }
}

/// Says that what the mutex guards is whole again, after its last holder died.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   the calling thread does not hold it
///   -EINVAL  nobody died; handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_recovered(handle: *const unipc_mutex) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("mutex_recovered") };
    caller.guard(|| caller.handle(handle)?.object.recovered().map(|()| 0))
}

/// Unlocks, and leaves the data to the next one as if this thread had died: it will be told so.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM       the calling thread does not hold it
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_abandon(handle: *const unipc_mutex) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("mutex_abandon") };
    caller.guard(|| caller.handle(handle)?.object.abandon().map(|()| 0))
}

/// Who holds it, and whether somebody has died, a moment ago.
///
/// handle: a handle
/// status: where it goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mutex_status(
    handle: *const unipc_mutex,
    status: *mut unipc_sync_status,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the result.
    let caller = unsafe { Caller::trusted("mutex_status") };
    caller.guard(|| {
        let status = caller.output("status", status)?;
        let seen = caller.handle(handle)?.object.status();
        status.set(unipc_sync_status {
            holder: seen.holder.map(unipc_sync_holder::from).unwrap_or_default(),
            owner_died: seen.owner_died.into(),
            retired: seen.retired.into(),
        });
        Ok(0)
    })
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
pub unsafe extern "C" fn unipc_mutex_waiters(
    handle: *const unipc_mutex,
    tids: *mut u32,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the numbers.
    let caller = unsafe { Caller::trusted("mutex_waiters") };
    caller.guard(|| fill(&caller, caller.handle(handle)?.object.status().waiters, tids, cap))
}

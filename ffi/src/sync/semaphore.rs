// SPDX-License-Identifier: MIT OR Apache-2.0
//! Permits.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::{Acquired, Semaphore};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{
    How, Uses, fill, news, open_as, unipc_sync_holder, unipc_sync_opts, unipc_sync_semaphore,
};

/// What of the options it has a use for.
const USES: Uses = Uses { form: true, max: true, ..Uses::NONE };

/// Opens or creates a semaphore in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_sync_semaphore_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_sync_semaphore_size()
///         bytes from there, and data go behind them
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// value:  how many permits there are at first; not looked at by UNIPC_SYNC_OPEN
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
pub unsafe extern "C" fn unipc_sync_semaphore_open(
    out: *mut *mut unipc_sync_semaphore,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    value: u32,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("sync_semaphore_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = Semaphore::options().form(how.form).mode(how.mode);
        let options = if how.opts.max == 0 { options } else { options.max(how.opts.max) };
        open_as!(options, how, place, value).map(unipc_sync_semaphore::new)
    })
}

/// Opens or creates a semaphore under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_sync_semaphore_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// value:  how many permits there are at first; not looked at by UNIPC_SYNC_OPEN
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_sync_semaphore_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_open_named(
    out: *mut *mut unipc_sync_semaphore,
    name: *const c_char,
    how: c_int,
    value: u32,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("sync_semaphore_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = Semaphore::options().form(how.form).mode(how.mode);
        let options = if how.opts.max == 0 { options } else { options.max(how.opts.max) };
        open_as!(options, how, place, value).map(unipc_sync_semaphore::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_close(handle: *mut unipc_sync_semaphore) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("sync_semaphore_close") };
    caller.destroy(handle);
}

/// How many bytes a semaphore takes in the robust form. In the pthread form it is the C library's size.
///
/// max: opts.max, or what it is by default: the first number of permits, but at least 64
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_sync_semaphore_size(max: u32) -> usize {
    Semaphore::size(max)
}

/// Takes a permit, which the calling thread holds until unipc_sync_semaphore_release(). When it dies, the permit
/// goes to the next, which is told so by UNIPC_OWNER_DIED. In the pthread form it is the same as
/// unipc_sync_semaphore_wait().
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: the permit is held in both cases.
/// Errors:
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_acquire(
    handle: *const unipc_sync_semaphore,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("sync_semaphore_acquire") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(handle)
        && caller.is_timeout(timeout)
        && it.object.acquire_at_once()
    {
        return news(Acquired::Clean);
    }
    caller.seldom(move |it| it.handle(handle)?.object.acquire_raw(it.timeout(timeout)?).map(news))
}

/// Gives back the permit that the calling thread took last. In the pthread form it is the same as
/// unipc_sync_semaphore_post().
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM      the calling thread holds none
///   -EOVERFLOW  pthread form: SEM_VALUE_MAX is reached
///   -EINVAL     handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_release(
    handle: *const unipc_sync_semaphore,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("sync_semaphore_release") };
    // The usual case is done before anything can fail.
    let live = caller.live(handle);
    let seldom = move || caller.seldom(move |it| it.handle(handle)?.object.release().map(|()| 0));
    match live {
        Some(it) => it.object.release_or(0, seldom),
        None => seldom(),
    }
}

/// Takes a permit for good, as sem_wait() does: only unipc_sync_semaphore_post() makes another.
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
pub unsafe extern "C" fn unipc_sync_semaphore_wait(
    handle: *const unipc_sync_semaphore,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("sync_semaphore_wait") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(handle)
        && caller.is_timeout(timeout)
        && it.object.wait_at_once()
    {
        return 0;
    }
    caller.seldom(move |it| it.handle(handle)?.object.wait(it.timeout(timeout)?).map(|()| 0))
}

/// Adds a permit, as sem_post() does. Async-signal-safe while it succeeds.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EOVERFLOW  there are as many as there can be
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_post(handle: *const unipc_sync_semaphore) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("sync_semaphore_post") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(handle)
        && it.object.post_at_once()
    {
        return 0;
    }
    caller.seldom(move |it| it.handle(handle)?.object.post().map(|()| 0))
}

/// How many permits are free at this moment.
///
/// handle: a handle
///
/// Returns how many.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_value(handle: *const unipc_sync_semaphore) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("sync_semaphore_value") };
    caller
        .guard(|| Ok(c_int::try_from(caller.handle(handle)?.object.value()).unwrap_or(c_int::MAX)))
}

/// How many permits there can be.
///
/// handle: a handle
///
/// Returns how many.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_max(handle: *const unipc_sync_semaphore) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("sync_semaphore_max") };
    caller.guard(|| Ok(c_int::try_from(caller.handle(handle)?.object.max()).unwrap_or(c_int::MAX)))
}

/// The threads that hold permits, once for each. In the pthread form nobody is known.
///
/// handle:  a handle
/// holders: gets up to cap threads; may be NULL when cap is 0
/// cap:     how many there is room for
///
/// Returns how many there are.
/// Errors:
///   -EINVAL  handle is NULL, or holders is and cap is not 0
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sync_semaphore_holders(
    handle: *const unipc_sync_semaphore,
    holders: *mut unipc_sync_holder,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the threads.
    let caller = unsafe { Caller::trusted("sync_semaphore_holders") };
    caller.guard(|| {
        fill(&caller, super::holders(caller.handle(handle)?.object.holders()), holders, cap)
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
pub unsafe extern "C" fn unipc_sync_semaphore_waiters(
    handle: *const unipc_sync_semaphore,
    tids: *mut u32,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the numbers.
    let caller = unsafe { Caller::trusted("sync_semaphore_waiters") };
    caller.guard(|| fill(&caller, caller.handle(handle)?.object.waiters(), tids, cap))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Done once.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::{Acquired, Once};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{
    How, Uses, fill, open_as, unipc_once, unipc_once_news, unipc_sync_holder, unipc_sync_opts,
};

/// What of the options it has a use for.
const USES: Uses = Uses::NONE;

/// Opens or creates a once in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_once_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64; it takes unipc_once_size()
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
pub unsafe extern "C" fn unipc_once_open(
    out: *mut *mut unipc_once,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("once_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = Once::options().mode(how.mode);
        open_as!(options, how, place).map(unipc_once::new)
    })
}

/// Opens or creates a once under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_once_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_once_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_open_named(
    out: *mut *mut unipc_once,
    name: *const c_char,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("once_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = Once::options().mode(how.mode);
        open_as!(options, how, place).map(unipc_once::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_close(handle: *mut unipc_once) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("once_close") };
    caller.destroy(handle);
}

/// How many bytes a once takes in the robust form. In the pthread form it is the C library's size.
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_once_size() -> usize {
    Once::SIZE
}

/// Is it done? If not, and nobody is doing it, it is the calling thread's to do, until it calls
/// unipc_once_complete() or unipc_once_abandon(). Whoever else begins waits for that. When the thread dies, the
/// next begins anew.
///
/// Example:
///
///     if (unipc_once_begin(once, NULL) > 0) {
///         build_table();
///         unipc_once_complete(once);
///     }
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns UNIPC_ONCE_DONE, UNIPC_ONCE_BEGIN or UNIPC_ONCE_BEGIN_AGAIN.
/// Errors:
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came
///   -EDEADLK    the calling thread is doing it
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_begin(
    handle: *const unipc_once,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("once_begin") };
    caller.guard(|| {
        let begun = caller.handle(handle)?.object.begin(caller.timeout(timeout)?)?;
        let news = match begun {
            None => unipc_once_news::UNIPC_ONCE_DONE,
            Some(Acquired::Clean) => unipc_once_news::UNIPC_ONCE_BEGIN,
            Some(Acquired::OwnerDied) => unipc_once_news::UNIPC_ONCE_BEGIN_AGAIN,
        };
        Ok(news as c_int)
    })
}

/// Says that it is done.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   the calling thread is not doing it
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_complete(handle: *const unipc_once) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("once_complete") };
    caller.guard(|| caller.handle(handle)?.object.complete().map(|()| 0))
}

/// Leaves it to the next.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   the calling thread is not doing it
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_abandon(handle: *const unipc_once) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("once_abandon") };
    caller.guard(|| caller.handle(handle)?.object.abandon().map(|()| 0))
}

/// Is it done?
///
/// handle: a handle
///
/// Returns 1 when it is, 0 when it is not.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_is_done(handle: *const unipc_once) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("once_is_done") };
    caller.guard(|| Ok(caller.handle(handle)?.object.is_done().into()))
}

/// Who is doing it.
///
/// handle: a handle
/// holder: gets the thread
///
/// Returns 1, or 0 when nobody is, and holder is not written.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_once_holder(
    handle: *const unipc_once,
    holder: *mut unipc_sync_holder,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the result.
    let caller = unsafe { Caller::trusted("once_holder") };
    caller.guard(|| {
        let place = caller.output("holder", holder)?;
        let Some(holder) = caller.handle(handle)?.object.holder() else { return Ok(0) };
        place.set(holder.into());
        Ok(1)
    })
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
pub unsafe extern "C" fn unipc_once_waiters(
    handle: *const unipc_once,
    tids: *mut u32,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the numbers.
    let caller = unsafe { Caller::trusted("once_waiters") };
    caller.guard(|| fill(&caller, caller.handle(handle)?.object.waiters(), tids, cap))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meeting.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::Barrier;

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{How, Uses, fill, open_as, unipc_barrier, unipc_sync_holder, unipc_sync_opts};

/// What of the options it has a use for.
const USES: Uses = Uses { form: true, ..Uses::NONE };

/// Opens or creates a barrier in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_barrier_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_barrier_size()
///         bytes from there, and data go behind them
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// parties:how many parties it is for, 1 to 65536; not looked at by UNIPC_SYNC_OPEN
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
pub unsafe extern "C" fn unipc_barrier_open(
    out: *mut *mut unipc_barrier,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    parties: u32,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("barrier_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = Barrier::options().form(how.form).mode(how.mode);
        open_as!(options, how, place, parties).map(unipc_barrier::new)
    })
}

/// Opens or creates a barrier under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_barrier_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// parties:how many parties it is for, 1 to 65536; not looked at by UNIPC_SYNC_OPEN
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_barrier_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_open_named(
    out: *mut *mut unipc_barrier,
    name: *const c_char,
    how: c_int,
    parties: u32,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("barrier_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = Barrier::options().form(how.form).mode(how.mode);
        open_as!(options, how, place, parties).map(unipc_barrier::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_close(handle: *mut unipc_barrier) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("barrier_close") };
    caller.destroy(handle);
}

/// How many bytes a barrier takes in the robust form. In the pthread form it is the C library's size.
///
/// parties: how many parties it is for
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_barrier_size(parties: u32) -> usize {
    Barrier::size(parties)
}

/// Arrives, and waits until all parties have.
///
/// A party that dies while it waits breaks the barrier, and so does one that has called unipc_barrier_join()
/// whenever it dies. A wait that ends early takes the arrival back and breaks nothing.
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns 1 to one of the parties, the last, and 0 to the others.
/// Errors:
///   -EOWNERDEAD  the barrier is broken; unipc_barrier_reset() makes it whole
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came; not in the pthread form, which goes on waiting
///   -EBUSY      more threads than it has parties use it
///   -EOPNOTSUPP  it has the pthread form, which waits for ever or not at all
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_wait(
    handle: *const unipc_barrier,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("barrier_wait") };
    caller.guard(|| caller.handle(handle)?.object.wait(caller.timeout(timeout)?).map(c_int::from))
}

/// Makes the calling thread known as a party: from now on its death breaks the barrier, also between its waits,
/// and so does its end without unipc_barrier_leave().
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EALREADY    it is known
///   -EBUSY       all places are taken
///   -EOWNERDEAD  the barrier is broken
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_join(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_join") };
    caller.guard(|| caller.handle(handle)?.object.join().map(|()| 0))
}

/// Ends what unipc_barrier_join() began.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM       the calling thread has not joined
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_leave(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_leave") };
    caller.guard(|| caller.handle(handle)?.object.leave().map(|()| 0))
}

/// Breaks the barrier: all who wait, and all who come, get -EOWNERDEAD.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_abort(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_abort") };
    caller.guard(|| caller.handle(handle)?.object.abort().map(|()| 0))
}

/// Makes a broken barrier whole again. Who still waits there gets -EOWNERDEAD.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_reset(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_reset") };
    caller.guard(|| caller.handle(handle)?.object.reset().map(|()| 0))
}

/// Is it broken? A barrier in the pthread form does not know.
///
/// handle: a handle
///
/// Returns 1 when it is, 0 when it is not.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_is_broken(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_is_broken") };
    caller.guard(|| Ok(caller.handle(handle)?.object.is_broken().into()))
}

/// How many wait in this round; 0 in the pthread form.
///
/// handle: a handle
///
/// Returns how many.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_arrived(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_arrived") };
    caller.guard(|| {
        Ok(c_int::try_from(caller.handle(handle)?.object.arrived()).unwrap_or(c_int::MAX))
    })
}

/// How many parties it is for; 0 for one in the pthread form that was only opened.
///
/// handle: a handle
///
/// Returns how many.
/// Errors:
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_barrier_parties(handle: *const unipc_barrier) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("barrier_parties") };
    caller.guard(|| {
        Ok(c_int::try_from(caller.handle(handle)?.object.parties()).unwrap_or(c_int::MAX))
    })
}

/// The threads that have joined or wait. In the pthread form nobody is known.
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
pub unsafe extern "C" fn unipc_barrier_holders(
    handle: *const unipc_barrier,
    holders: *mut unipc_sync_holder,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the threads.
    let caller = unsafe { Caller::trusted("barrier_holders") };
    caller.guard(|| {
        fill(&caller, super::holders(caller.handle(handle)?.object.holders()), holders, cap)
    })
}

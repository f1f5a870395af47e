// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readers and writers.

use std::ffi::{c_char, c_int};

use libc::timespec;
use unipc_core::sync::{Acquired, RwLock};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::{
    How, Uses, fill, news, open_as, unipc_rwlock, unipc_sync_holder, unipc_sync_opts,
    unipc_sync_status,
};

/// What of the options it has a use for.
const USES: Uses = Uses { form: true, max: true, ..Uses::NONE };

/// Opens or creates a read-write lock in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_rwlock_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_rwlock_size()
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
pub unsafe extern "C" fn unipc_rwlock_open(
    out: *mut *mut unipc_rwlock,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("rwlock_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = (caller.handle(shm)?.memory(), offset);
        let options = RwLock::options().form(how.form).mode(how.mode);
        let options = if how.opts.max == 0 { options } else { options.readers(how.opts.max) };
        open_as!(options, how, place).map(unipc_rwlock::new)
    })
}

/// Opens or creates a read-write lock under a name of its own, in a small segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_rwlock_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_rwlock_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_open_named(
    out: *mut *mut unipc_rwlock,
    name: *const c_char,
    how: c_int,
    opts: *const unipc_sync_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("rwlock_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts, USES)?;
        let place = caller.name(name)?;
        let options = RwLock::options().form(how.form).mode(how.mode);
        let options = if how.opts.max == 0 { options } else { options.readers(how.opts.max) };
        open_as!(options, how, place).map(unipc_rwlock::new)
    })
}

/// Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
/// handle gives it back or the thread ends.
///
/// handle: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_close(handle: *mut unipc_rwlock) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("rwlock_close") };
    caller.destroy(handle);
}

/// How many bytes a read-write lock takes in the robust form. In the pthread form it is the C library's size.
///
/// readers: opts.max, or the 60 that it is by default
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_rwlock_size(readers: u32) -> usize {
    RwLock::size(readers)
}

/// Locks for reading, together with other readers.
///
/// A writer that waits keeps new readers out: a thread that reads must not ask to read again. (The pthread
/// form prefers readers, as glibc does.) UNIPC_OWNER_DIED: a writer died, and no writer has repaired yet.
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: it is held in both cases.
/// Errors:
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came; not in the pthread form, which goes on waiting
///   -EDEADLK    the calling thread writes
///   -ENOTRECOVERABLE  nobody repaired what a dead holder left: it is retired
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_read(
    handle: *const unipc_rwlock,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("rwlock_read") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(handle)
        && caller.is_timeout(timeout)
        && it.object.read_at_once()
    {
        return news(Acquired::Clean);
    }
    caller.seldom(move |it| it.handle(handle)?.object.read_slowly(it.timeout(timeout)?).map(news))
}

/// Locks for writing, alone.
///
/// UNIPC_OWNER_DIED: the last writer died. Repair the data, then call unipc_rwlock_recovered(); unlocking
/// without that retires the lock.
///
/// handle: a handle
/// timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
///
/// Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: it is held in both cases.
/// Errors:
///   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came; not in the pthread form, which goes on waiting
///   -EDEADLK    the calling thread reads or writes
///   -ENOTRECOVERABLE  nobody repaired what a dead holder left: it is retired
///   -EFAULT     the file behind the memory was truncated
///   -EINVAL     handle is NULL, or the timeout is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_write(
    handle: *const unipc_rwlock,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle and valid pointers.
    let caller = unsafe { Caller::trusted("rwlock_write") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(handle)
        && caller.is_timeout(timeout)
        && it.object.write_at_once()
    {
        return news(Acquired::Clean);
    }
    caller.seldom(move |it| it.handle(handle)?.object.write_slowly(it.timeout(timeout)?).map(news))
}

/// Ends what the calling thread has: its writing, or its latest reading.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   it has neither; not noticed in the pthread form
///   -EINVAL  handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_unlock(handle: *const unipc_rwlock) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("rwlock_unlock") };
    // The usual case is done before anything can fail.
    let live = caller.live(handle);
    let seldom = move || caller.seldom(move |it| it.handle(handle)?.object.unlock().map(|()| 0));
    match live {
        Some(it) => it.object.unlock_or(0, seldom),
        None => seldom(),
    }
}

/// Says, as the writer, that the data are whole again after a writer died.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM       the calling thread does not write
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      nobody died; handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_recovered(handle: *const unipc_rwlock) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("rwlock_recovered") };
    caller.guard(|| caller.handle(handle)?.object.recovered().map(|()| 0))
}

/// Ends the writing, and leaves the data to the next one as if this thread had died.
///
/// handle: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM       the calling thread does not write
///   -EOPNOTSUPP  it has the pthread form
///   -EINVAL      handle is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_rwlock_abandon(handle: *const unipc_rwlock) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("rwlock_abandon") };
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
pub unsafe extern "C" fn unipc_rwlock_status(
    handle: *const unipc_rwlock,
    status: *mut unipc_sync_status,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the result.
    let caller = unsafe { Caller::trusted("rwlock_status") };
    caller.guard(|| {
        let status = caller.output("status", status)?;
        let seen = caller.handle(handle)?.object.status();
        status.set(unipc_sync_status {
            holder: seen.writer.map(unipc_sync_holder::from).unwrap_or_default(),
            owner_died: seen.owner_died.into(),
            retired: seen.retired.into(),
        });
        Ok(0)
    })
}

/// The threads that read. In the pthread form nobody is known.
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
pub unsafe extern "C" fn unipc_rwlock_readers(
    handle: *const unipc_rwlock,
    holders: *mut unipc_sync_holder,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the threads.
    let caller = unsafe { Caller::trusted("rwlock_readers") };
    caller.guard(|| {
        fill(&caller, super::holders(caller.handle(handle)?.object.status().readers), holders, cap)
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
pub unsafe extern "C" fn unipc_rwlock_waiters(
    handle: *const unipc_rwlock,
    tids: *mut u32,
    cap: usize,
) -> isize {
    // SAFETY: the header asks for an open handle and room for the numbers.
    let caller = unsafe { Caller::trusted("rwlock_waiters") };
    caller.guard(|| fill(&caller, caller.handle(handle)?.object.status().waiters, tids, cap))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V sets: getting one, operating on it.

use std::ffi::{c_char, c_int, c_uint};

use libc::{sembuf, timespec};
use unipc_core::sem::Operation;

use super::boundary::Caller;
use super::open::{OF_SETS, options};
use super::{unipc_sem_opts, unipc_semset};

/// Creates a System V set.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_semset_close().
/// name:   "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private"
/// values: what its semaphores begin with
/// count:  how many they are, at least 1
/// flags:  UNIPC_SEM_REPLACE, UNIPC_SEM_REMOVE_ON_CLOSE, UNIPC_SEM_OWN_ONLY, or 0
/// opts:   NULL for the defaults
///
/// Nobody gets to see the set before it has its values, even if the creator dies meanwhile.
///
/// Returns 0.
/// Errors:
///   -EEXIST      the key is taken
///   -EINVAL      no name, count is 0 or above SEMMSL, unknown flags, a name that cannot be created,
///                mode 0611; out, name or values is NULL
///   -ERANGE      a value above SEMVMX, 32767
///   -ENOSPC      SEMMNI or SEMMNS is reached
///   -EOPNOTSUPP  not a System V name
///   -EINTR       a signal handler ran
///   -E2BIG       opts uses fields that this version of the library does not know
/// Since 0.1. See semget(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_create(
    out: *mut *mut unipc_semset,
    name: *const c_char,
    values: *const u16,
    count: usize,
    flags: c_uint,
    opts: *const unipc_sem_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, values, and options that know their size.
    let caller = unsafe { Caller::trusted("create") };
    caller.construct(out, || {
        let options = options(&caller, flags, OF_SETS, opts)?;
        let values = caller.values(values, count)?;
        options.create_set(caller.name(name)?, values).map(unipc_semset::new)
    })
}

/// Opens a System V set that exists, whoever made it.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_semset_close().
/// name:  as for unipc_semset_create(), and "sysv:id=42"
/// flags: as for unipc_semset_create()
/// opts:  NULL for the defaults
///
/// Returns 0.
/// Errors:
///   -ENOENT      no set has this key
///   -EINVAL      no name, unknown flags, no set has this identifier; out or name is NULL
///   -ETIMEDOUT   its creator is alive and does not finish (-EAGAIN for {0, 0})
///   -EPERM       it belongs to another user, and UNIPC_SEM_OWN_ONLY is set; or it was left behind
///                unfinished by another user
///   -EOPNOTSUPP  not a System V name
///   -EINTR       a signal handler ran
///   -E2BIG       opts uses fields that this version of the library does not know
/// Since 0.1. See semget(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_open(
    out: *mut *mut unipc_semset,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_sem_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open") };
    caller.construct(out, || {
        let options = options(&caller, flags, OF_SETS, opts)?;
        options.open_set(caller.name(name)?).map(unipc_semset::new)
    })
}

/// Opens a System V set, or creates it with these values when there is none.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_semset_close().
/// name:   as for unipc_semset_create()
/// values: what the semaphores of a new set begin with
/// count:  how many they are; a set that exists must have at least so many
/// flags:  as for unipc_semset_create()
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_semset_create() without -EEXIST, as unipc_semset_open() without -ENOENT, and
///   -EINVAL  the set exists and has fewer semaphores
///   -EBUSY   others create and remove it all the time
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_open_or_create(
    out: *mut *mut unipc_semset,
    name: *const c_char,
    values: *const u16,
    count: usize,
    flags: c_uint,
    opts: *const unipc_sem_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, values, and options that know their size.
    let caller = unsafe { Caller::trusted("open_or_create") };
    caller.construct(out, || {
        let options = options(&caller, flags, OF_SETS, opts)?;
        let values = caller.values(values, count)?;
        options.open_or_create_set(caller.name(name)?, values).map(unipc_semset::new)
    })
}

/// Closes the handle. The set itself stays; see unipc_sem_unlink() and unipc_semset_remove().
///
/// set: a handle, gone afterwards with its name; NULL is fine
///
/// What was operated on with SEM_UNDO is undone when the process ends, not here.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_close(set: *mut unipc_semset) {
    // SAFETY: the header asks for a handle that is closed once.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(set);
}

/// Does all of the operations in one step, or none, waiting until all can be done.
///
/// set:        a handle
/// operations: as semop(2) takes them: struct sembuf of <sys/sem.h>, with the flags IPC_NOWAIT and
///             SEM_UNDO
/// count:      how many
/// timeout:    how long to wait, by the monotonic clock; NULL: for ever; {0, 0}: not at all
///
/// A positive sem_op gives, a negative one takes and waits until it can, 0 waits until the value is 0.
///
/// Example:
///
///     struct sembuf both[] = {{0, -1, SEM_UNDO}, {2, -2, SEM_UNDO}};
///     if (unipc_semset_operate(set, both, 2, &(struct timespec){1, 0}) < 0)
///         fprintf(stderr, "%s\n", unipc_last_error());
///
/// Returns 0. Or, with nothing done,
///   -EAGAIN     it would have to wait, and the timeout is {0, 0} or an operation says IPC_NOWAIT
///   -ETIMEDOUT  it could not be done in time
///   -EINTR      a signal handler ran
///   -EIDRM      the set was removed, before or meanwhile
///   -E2BIG      more operations than SEMOPM
///   -EFBIG      the set has no semaphore of this number
///   -ERANGE     a value, or what is to be undone, would pass SEMVMX, 32767
///   -ENOSPC     no room for another record of what to undo
///   -EACCES     the set's mode does not let this user in
///   -EINVAL     no such time; count is 0; set or operations is NULL
/// Any number of threads may wait. Since 0.1. See semop(2), semtimedop(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_operate(
    set: *const unipc_semset,
    operations: *const sembuf,
    count: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, as many operations as told, and a time or NULL.
    let caller = unsafe { Caller::trusted("operate") };
    caller.quick(set, |set| {
        // An operation is laid out as a sembuf.
        let operations = caller.values(operations.cast::<Operation>(), count)?;
        set.set.operate(operations, caller.timeout(timeout)?)
    })
}

/// Takes units of one semaphore, waiting until there are as many. Nothing is undone at the process's
/// end; unipc_semset_operate() does that.
///
/// set:     a handle
/// index:   which semaphore
/// amount:  how many units, 1 to 32767
/// timeout: as for unipc_semset_operate()
///
/// Returns 0. Errors: as unipc_semset_operate(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_acquire(
    set: *const unipc_semset,
    index: u16,
    amount: u16,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a time or NULL.
    let caller = unsafe { Caller::trusted("acquire") };
    caller.guard(|| {
        let timeout = caller.timeout(timeout)?;
        caller.handle(set)?.set.acquire(index, amount, timeout).map(|()| 0)
    })
}

/// Gives units to one semaphore.
///
/// set:    a handle
/// index:  which semaphore
/// amount: how many units, 1 to 32767
///
/// Returns 0. Errors: as unipc_semset_operate(). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_release(
    set: *const unipc_semset,
    index: u16,
    amount: u16,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("release") };
    caller.guard(|| caller.handle(set)?.set.release(index, amount).map(|()| 0))
}

/// Waits until the value of one semaphore is 0.
///
/// set:     a handle
/// index:   which semaphore
/// timeout: as for unipc_semset_operate()
///
/// Returns 0. Errors: as unipc_semset_operate(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_wait_zero(
    set: *const unipc_semset,
    index: u16,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a time or NULL.
    let caller = unsafe { Caller::trusted("wait_zero") };
    caller.guard(|| {
        let timeout = caller.timeout(timeout)?;
        caller.handle(set)?.set.wait_zero(index, timeout).map(|()| 0)
    })
}

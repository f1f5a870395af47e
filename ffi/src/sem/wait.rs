// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taking and giving.

use std::ffi::{c_int, c_uint};

use libc::timespec;

use super::boundary::Caller;
use super::unipc_sem;

/// Takes one unit, waiting until there is one.
///
/// sem:     a handle
/// timeout: how long to wait, by the monotonic clock; NULL: for ever; {0, 0}: not at all
///
/// Returns 0: the unit is the caller's. Or
///   -EAGAIN     there is none, and the timeout is {0, 0}
///   -ETIMEDOUT  there was none in time
///   -EINTR      a signal handler ran; nothing was taken
///   -EIDRM      the System V set was removed, before or meanwhile
///   -EACCES     its mode does not let this user change it (System V)
///   -ENOSPC     UNIPC_SEM_UNDO, and the kernel has no room for another record of what to undo
///   -EINVAL     no such time; sem is NULL
/// Any number of threads may wait. Since 0.1. See sem_wait(3), sem_clockwait(3), semtimedop(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_acquire(
    sem: *const unipc_sem,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a time or NULL.
    let caller = unsafe { Caller::trusted("acquire") };
    caller.quick(sem, |sem| sem.semaphore.acquire(caller.timeout(timeout)?))
}

/// Gives one unit, and wakes one who waits. Any process may, whoever has acquired.
///
/// sem: a handle
///
/// Returns 0. Or
///   -EOVERFLOW  the value is the highest already: POSIX 2147483647, System V 32767, binary 1
///   -EIDRM      the System V set was removed
///   -EACCES     its mode does not let this user change it (System V)
///   -EINVAL     sem is NULL
/// Async-signal-safe while it succeeds. Since 0.1. See sem_post(3), semop(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_release(sem: *const unipc_sem) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("release") };
    caller.quick(sem, |sem| sem.semaphore.release())
}

/// The value now, 0 or more; it may be another by the time it is looked at.
///
/// sem:   a handle
/// value: where it goes
///
/// Returns 0. Or
///   -EIDRM   the System V set was removed
///   -EACCES  its mode does not let this user read it (System V)
///   -EINVAL  sem or value is NULL
/// Since 0.1. See sem_getvalue(3), semctl(2) GETVAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_value(sem: *const unipc_sem, value: *mut c_uint) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the value.
    let caller = unsafe { Caller::trusted("value") };
    caller.guard(|| {
        let value = caller.output("value", value)?;
        value.set(caller.handle(sem)?.semaphore.value()?);
        Ok(0)
    })
}

/// Sets the value of a System V semaphore. Forgets what processes have to undo for it: a holder that
/// dies afterwards gives nothing back.
///
/// sem:   a handle
/// value: 0 to 32767
///
/// Returns 0. Or
///   -ERANGE      above SEMVMX, 32767
///   -EIDRM       the set was removed
///   -EACCES      its mode does not let this user change it
///   -EOPNOTSUPP  a POSIX semaphore's value moves by acquiring and releasing alone
///   -EINVAL      sem is NULL
/// Since 0.1. See semctl(2) SETVAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_set_value(sem: *const unipc_sem, value: u16) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_value") };
    caller.guard(|| caller.handle(sem)?.semaphore.set_value(value).map(|()| 0))
}

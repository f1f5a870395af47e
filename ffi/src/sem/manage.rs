// SPDX-License-Identifier: MIT OR Apache-2.0
//! Removing, and what a handle is.

use std::ffi::{c_char, c_int};

use unipc_core::{Error, ErrorKind, Result, Semaphore};

use super::boundary::Caller;
use super::unipc_sem;

/// Removes the semaphore, or the System V set, of a name. Who has a POSIX semaphore open keeps it; a
/// set goes at once, and who waits for it is told -EIDRM.
///
/// name: a POSIX or System V name
///
/// Returns 0.
/// Errors:
///   -ENOENT         there is none
///   -EINVAL         no name, NULL, sysv:private; no set has this identifier
///   -EACCES, -EPERM it is somebody else's
///   -EOPNOTSUPP     another kind of name
/// Since 0.1. See sem_unlink(3), semctl(2) IPC_RMID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| Semaphore::unlink(caller.name(name)?).map(|()| 0))
}

/// Removes this very semaphore, not another one that has taken its name; of System V its whole set.
///
/// sem: a handle
///
/// Returns 0.
/// Errors:
///   -ESTALE         the name belongs to another semaphore now, which stays
///   -ENOENT         it is gone already (-EIDRM for System V)
///   -EACCES, -EPERM it is somebody else's
///   -EOPNOTSUPP     a semaphore in shared memory goes with its memory
///   -EINVAL         sem is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_remove(sem: *const unipc_sem) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("remove") };
    caller.guard(|| caller.handle(sem)?.semaphore.remove().map(|()| 0))
}

/// The name in its one spelling; of a private set "sysv:id=NUMBER", in shared memory the memory's.
///
/// sem: a handle
///
/// Returns a string that lives until unipc_sem_close(); NULL when sem is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_name(sem: *const unipc_sem) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(sem)?.name.as_ptr()))
}

/// What the semaphore is.
///
/// sem: a handle
///
/// Returns UNIPC_SEM_SYSTEM_V, UNIPC_SEM_POSIX or UNIPC_SEM_MEMORY; -EINVAL when sem is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_backing(sem: *const unipc_sem) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("backing") };
    caller.guard(|| Ok(caller.handle(sem)?.semaphore.backing() as c_int))
}

/// The identifier of the System V set, as ipcs -s shows it.
///
/// sem: a handle
///
/// Returns the identifier. Or
///   -EOPNOTSUPP  a POSIX semaphore has none
///   -EINVAL      sem is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_id(sem: *const unipc_sem) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("id") };
    caller.guard(|| {
        let semaphore = &caller.handle(sem)?.semaphore;
        system_v(semaphore, "id").map(unipc_core::SemaphoreSet::id)
    })
}

/// Which of its System V set the semaphore is.
///
/// sem: a handle
///
/// Returns the index; 0 for POSIX; -EINVAL when sem is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_index(sem: *const unipc_sem) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("index") };
    caller.guard(|| Ok(caller.handle(sem)?.semaphore.index().into()))
}

fn system_v<'a>(
    semaphore: &'a Semaphore,
    operation: &'static str,
) -> Result<&'a unipc_core::SemaphoreSet> {
    let why = ErrorKind::Unsupported("only System V has identifiers".into());
    semaphore.set().ok_or_else(|| Error::new(operation, semaphore.name(), why))
}

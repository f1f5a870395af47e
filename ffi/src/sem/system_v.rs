// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V sets: all that semctl(2) tells and does, limits and usage.

use std::ffi::{c_char, c_int};

use libc::ssize_t;
use unipc_core::SemaphoreSet;
use unipc_core::sem::{Status, limits, usage};
use unipc_core::sysv::Change;

use super::boundary::Caller;
use super::{
    unipc_sem_information, unipc_sem_limit_values, unipc_sem_usage_values, unipc_semset,
    unipc_semset_status,
};

/// In unipc_semset_set(): leave this as it is.
const UNCHANGED: u32 = u32::MAX;

/// The name in its one spelling; of a private set "sysv:id=NUMBER".
///
/// set: a handle
///
/// Returns a string that lives until unipc_semset_close(); NULL when set is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_name(set: *const unipc_semset) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(set)?.name.as_ptr()))
}

/// The identifier, as ipcs -s shows it.
///
/// set: a handle
///
/// Returns the identifier; -EINVAL when set is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_id(set: *const unipc_semset) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("id") };
    caller.guard(|| Ok(caller.handle(set)?.set.id()))
}

/// How many semaphores the set has.
///
/// set: a handle
///
/// Returns the number; 0 when set is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_count(set: *const unipc_semset) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("count") };
    caller.guard(|| Ok(caller.handle(set)?.set.len()))
}

/// The value of one semaphore.
///
/// set:   a handle
/// index: which semaphore
///
/// Returns the value, 0 to 32767. Or
///   -EINVAL  the set has no such semaphore; set is NULL
///   -EIDRM   the set was removed
///   -EACCES  its mode does not let this user read it
/// Since 0.1. See semctl(2) GETVAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_value(set: *const unipc_semset, index: u16) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("value") };
    caller.guard(|| caller.handle(set)?.set.value(index).map(c_int::from))
}

/// Sets one semaphore, and wakes those whose turn comes by it. Forgets what processes have to undo for
/// it: a holder that dies afterwards gives nothing back. Set values while nobody holds any.
///
/// set:   a handle
/// index: which semaphore
/// value: 0 to 32767
///
/// Returns 0. Or
///   -ERANGE  above SEMVMX, 32767
///   -EINVAL  the set has no such semaphore; set is NULL
///   -EIDRM   the set was removed
///   -EACCES  its mode does not let this user change it
/// Since 0.1. See semctl(2) SETVAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_set_value(
    set: *const unipc_semset,
    index: u16,
    value: u16,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_value") };
    caller.guard(|| caller.handle(set)?.set.set_value(index, value).map(|()| 0))
}

/// All values, read in one step.
///
/// set:    a handle
/// values: where they go; may be NULL when cap is 0
/// cap:    for how many there is room
///
/// Returns how many semaphores there are, of which values holds the first cap. Or
///   -EIDRM   the set was removed
///   -EACCES  its mode does not let this user read it
///   -EINVAL  set or values is NULL
/// Since 0.1. See semctl(2) GETALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_values(
    set: *const unipc_semset,
    values: *mut u16,
    cap: usize,
) -> ssize_t {
    // SAFETY: the header asks for an open handle and room for `cap` values.
    let caller = unsafe { Caller::trusted("values") };
    caller.guard(|| {
        let room = caller.room(values, cap)?;
        let found = caller.handle(set)?.set.values()?;
        for (place, value) in room.iter_mut().zip(&found) {
            *place = *value;
        }
        Ok(found.len().cast_signed())
    })
}

/// Sets all values in one step. Forgets what processes have to undo, as unipc_semset_set_value() does.
///
/// set:    a handle
/// values: one for each semaphore
/// count:  how many
///
/// Returns 0. Or
///   -ERANGE  one is above SEMVMX, 32767; then none is set
///   -EINVAL  the set has another number of semaphores; set or values is NULL
///   -EIDRM   the set was removed
///   -EACCES  its mode does not let this user change it
/// Since 0.1. See semctl(2) SETALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_set_values(
    set: *const unipc_semset,
    values: *const u16,
    count: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle and as many values as told.
    let caller = unsafe { Caller::trusted("set_values") };
    caller.guard(|| {
        let values = caller.values(values, count)?;
        caller.handle(set)?.set.set_values(values).map(|()| 0)
    })
}

/// Value, last process and waiters of one semaphore.
///
/// set:   a handle
/// index: which semaphore
/// out:   where that goes
///
/// Returns 0.
/// Errors: as unipc_semset_value()
/// Since 0.1. See semctl(2) GETVAL, GETPID, GETNCNT, GETZCNT: four calls, between which things may change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_info(
    set: *const unipc_semset,
    index: u16,
    out: *mut unipc_sem_information,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the information.
    let caller = unsafe { Caller::trusted("info") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let info = caller.handle(set)?.set.info(index)?;
        out.set(unipc_sem_information {
            value: info.value.into(),
            last_pid: info.last_pid,
            waiting_increase: info.waiting_increase,
            waiting_zero: info.waiting_zero,
            reserved: [0; 4],
        });
        Ok(0)
    })
}

/// What the kernel knows of the set.
///
/// set: a handle
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EIDRM   the set was removed
///   -EACCES  its mode does not let this user read it
///   -EINVAL  set or out is NULL
/// Since 0.1. See semctl(2) IPC_STAT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_stat(
    set: *const unipc_semset,
    out: *mut unipc_semset_status,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the status.
    let caller = unsafe { Caller::trusted("stat") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        out.set(caller.handle(set)?.set.stat()?.into());
        Ok(0)
    })
}

/// Changes owner, group or mode of the set.
///
/// set:  a handle
/// uid:  the new owner; UINT32_MAX: unchanged
/// gid:  the new group; UINT32_MAX: unchanged
/// mode: the new permission bits; UINT32_MAX: unchanged
///
/// Returns 0.
/// Errors:
///   -EPERM   the caller is neither owner nor creator nor privileged
///   -EIDRM   the set was removed
///   -EINVAL  a mode beyond 0777, or 0611, which marks a set that is being made; set is NULL
/// Since 0.1. See semctl(2) IPC_SET.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_set(
    set: *const unipc_semset,
    uid: u32,
    gid: u32,
    mode: u32,
) -> c_int {
    let given = |value| (value != UNCHANGED).then_some(value);
    let change = Change { uid: given(uid), gid: given(gid), mode: given(mode) };
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set") };
    caller.guard(|| caller.handle(set)?.set.set(change).map(|()| 0))
}

/// Removes the set at once. Who waits for it is told -EIDRM, and who uses it later, too.
///
/// set: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   the caller is neither owner nor creator nor privileged
///   -EIDRM   it is gone already
///   -EINVAL  set is NULL
/// Since 0.1. See semctl(2) IPC_RMID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_remove(set: *const unipc_semset) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("remove") };
    caller.guard(|| caller.handle(set)?.set.remove().map(|()| 0))
}

/// All System V sets of this IPC namespace, those of other users too, as ipcs -s lists them.
///
/// out: where they go; may be NULL when cap is 0
/// cap: for how many there is room
///
/// Returns how many there are, of which out holds the first cap. Sets come and go meanwhile:
/// with room to spare, the answer says how many were filled.
/// Errors:
///   -EINVAL  out is NULL
/// Since 0.1. See semctl(2) SEM_STAT_ANY (Linux 4.17).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_semset_list(out: *mut unipc_semset_status, cap: usize) -> ssize_t {
    // SAFETY: the header asks for room for `cap` values.
    let caller = unsafe { Caller::trusted("list") };
    caller.guard(|| {
        let room = caller.room(out, cap)?;
        let found = SemaphoreSet::list()?;
        for (place, status) in room.iter_mut().zip(&found) {
            *place = (*status).into();
        }
        Ok(found.len().cast_signed())
    })
}

/// The limits of System V semaphores in this IPC namespace.
///
/// out: where they go
///
/// Returns 0.
/// Errors:
///   -EINVAL  out is NULL
///   -ENOSYS  this kernel has no System V IPC
/// Since 0.1. See semctl(2) IPC_INFO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_limits(out: *mut unipc_sem_limit_values) -> c_int {
    // SAFETY: the header asks for a place for the limits.
    let caller = unsafe { Caller::trusted("limits") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let limits = limits()?;
        out.set(unipc_sem_limit_values {
            semmsl: limits.semmsl,
            semmns: limits.semmns,
            semopm: limits.semopm,
            semmni: limits.semmni,
            semvmx: limits.semvmx,
            ..Default::default()
        });
        Ok(0)
    })
}

/// What System V semaphores use in this IPC namespace.
///
/// out: where that goes
///
/// Returns 0.
/// Errors: as unipc_sem_limits()
/// Since 0.1. See semctl(2) SEM_INFO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_usage(out: *mut unipc_sem_usage_values) -> c_int {
    // SAFETY: the header asks for a place for the usage.
    let caller = unsafe { Caller::trusted("usage") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let usage = usage()?;
        out.set(unipc_sem_usage_values {
            sets: usage.sets,
            semaphores: usage.semaphores,
            ..Default::default()
        });
        Ok(0)
    })
}

impl From<Status> for unipc_semset_status {
    fn from(status: Status) -> Self {
        Self {
            id: status.id,
            key: status.permissions.key,
            uid: status.permissions.uid,
            gid: status.permissions.gid,
            cuid: status.permissions.cuid,
            cgid: status.permissions.cgid,
            mode: status.permissions.mode,
            sequence: status.permissions.sequence,
            count: status.count,
            operation_time: status.operation_time,
            change_time: status.change_time,
            reserved: [0; 4],
        }
    }
}

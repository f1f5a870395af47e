// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V segments by identifier, limits and usage.

use std::ffi::c_int;

use libc::ssize_t;
use unipc_core::shm::{Status, SystemV, limits, usage};
use unipc_core::sysv::Change;

use super::boundary::{Caller, guard};
use super::{unipc_shm_limit_values, unipc_shm_sysv_status, unipc_shm_usage_values};

/// In unipc_shm_sysv_set(): leave this as it is.
const UNCHANGED: u32 = u32::MAX;

/// What the kernel knows of a System V segment.
///
/// id:  its identifier, from unipc_shm_id() or ipcs -m
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  no segment has this identifier; out is NULL
///   -EACCES  no permission to read
/// Since 0.1. See shmctl(2) IPC_STAT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_sysv_stat(id: c_int, out: *mut unipc_shm_sysv_status) -> c_int {
    // SAFETY: the header asks for a place for the status.
    let caller = unsafe { Caller::trusted("stat") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        out.set(SystemV::from_id(id).stat()?.into());
        Ok(0)
    })
}

/// Changes owner, group or mode of a System V segment.
///
/// id:   its identifier
/// uid:  the new owner; UINT32_MAX: unchanged
/// gid:  the new group; UINT32_MAX: unchanged
/// mode: the new permission bits; UINT32_MAX: unchanged
///
/// Returns 0.
/// Errors:
///   -EPERM   the caller is neither owner nor creator nor privileged
///   -EINVAL  no segment has this identifier; a mode beyond 0777
///   -EACCES  no permission to read
/// Since 0.1. See shmctl(2) IPC_SET.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_shm_sysv_set(id: c_int, uid: u32, gid: u32, mode: u32) -> c_int {
    let given = |value| (value != UNCHANGED).then_some(value);
    let change = Change { uid: given(uid), gid: given(gid), mode: given(mode) };
    guard("set", || SystemV::from_id(id).set(change).map(|()| 0))
}

/// Removes a System V segment: its key is free at once, the segment goes with its last attachment.
///
/// id: its identifier
///
/// Returns 0.
/// Errors:
///   -EPERM   the caller is neither owner nor creator nor privileged
///   -EINVAL  no segment has this identifier
/// Since 0.1. See shmctl(2) IPC_RMID.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_shm_sysv_remove(id: c_int) -> c_int {
    guard("remove", || SystemV::from_id(id).remove().map(|()| 0))
}

/// Keeps a System V segment in memory, for all who attach it.
///
/// id: its identifier
///
/// Returns 0.
/// Errors:
///   -EPERM, -ENOMEM  the caller may not, or RLIMIT_MEMLOCK does not allow it
///   -EINVAL  no segment has this identifier
/// Since 0.1. See shmctl(2) SHM_LOCK.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_shm_sysv_lock(id: c_int) -> c_int {
    guard("lock", || SystemV::from_id(id).lock().map(|()| 0))
}

/// Undoes unipc_shm_sysv_lock().
///
/// id: its identifier
///
/// Returns 0.
/// Errors: as unipc_shm_sysv_lock()
/// Since 0.1. See shmctl(2) SHM_UNLOCK.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_shm_sysv_unlock(id: c_int) -> c_int {
    guard("unlock", || SystemV::from_id(id).unlock().map(|()| 0))
}

/// All System V segments of this IPC namespace, those of other users too, as ipcs -m lists them.
///
/// out: where they go; may be NULL when cap is 0
/// cap: for how many there is room
///
/// Returns how many there are, of which out holds the first cap. Segments come and go meanwhile:
/// with room to spare, the answer says how many were filled.
/// Errors:
///   -EINVAL  out is NULL
/// Since 0.1. See shmctl(2) SHM_STAT_ANY (Linux 4.17).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_sysv_list(
    out: *mut unipc_shm_sysv_status,
    cap: usize,
) -> ssize_t {
    // SAFETY: the header asks for room for `cap` values.
    let caller = unsafe { Caller::trusted("list") };
    caller.guard(|| {
        let room = caller.room(out, cap)?;
        let found = SystemV::list()?;
        for (place, status) in room.iter_mut().zip(&found) {
            *place = (*status).into();
        }
        Ok(found.len().cast_signed())
    })
}

/// The limits of System V shared memory in this IPC namespace.
///
/// out: where they go
///
/// Returns 0.
/// Errors:
///   -EINVAL  out is NULL
///   -ENOSYS  this kernel has no System V IPC
/// Since 0.1. See shmctl(2) IPC_INFO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_limits(out: *mut unipc_shm_limit_values) -> c_int {
    // SAFETY: the header asks for a place for the limits.
    let caller = unsafe { Caller::trusted("limits") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let limits = limits()?;
        out.set(unipc_shm_limit_values {
            shmmax: limits.shmmax,
            shmmin: limits.shmmin,
            shmmni: limits.shmmni,
            shmall: limits.shmall,
            ..Default::default()
        });
        Ok(0)
    })
}

/// What System V shared memory uses in this IPC namespace.
///
/// out: where that goes
///
/// Returns 0.
/// Errors: as unipc_shm_limits()
/// Since 0.1. See shmctl(2) SHM_INFO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_usage(out: *mut unipc_shm_usage_values) -> c_int {
    // SAFETY: the header asks for a place for the usage.
    let caller = unsafe { Caller::trusted("usage") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let usage = usage()?;
        out.set(unipc_shm_usage_values {
            segments: usage.segments,
            pages: usage.pages,
            resident: usage.resident,
            swapped: usage.swapped,
            ..Default::default()
        });
        Ok(0)
    })
}

impl From<Status> for unipc_shm_sysv_status {
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
            size: status.size as u64,
            attached: status.attached,
            attach_time: status.attach_time,
            detach_time: status.detach_time,
            change_time: status.change_time,
            creator_pid: status.creator_pid,
            last_pid: status.last_pid,
            removed: status.removed.into(),
            locked: status.locked.into(),
            reserved: [0; 4],
        }
    }
}

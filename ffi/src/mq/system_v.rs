// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V queues by identifier, limits and usage.

use std::ffi::c_int;

use libc::ssize_t;
use unipc_core::mq::{Change, Status, SystemV, limits, usage};

use super::boundary::{Caller, guard};
use super::{unipc_mq_limit_values, unipc_mq_sysv_status, unipc_mq_usage_values};

/// In unipc_mq_sysv_set(): leave this as it is.
const UNCHANGED: u32 = u32::MAX;

/// What the kernel knows of a System V queue.
///
/// id:  its identifier, from unipc_mq_id() or ipcs -q
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  no queue has this identifier; out is NULL
///   -EACCES  no permission to read
/// Since 0.1. See msgctl(2) IPC_STAT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_sysv_stat(id: c_int, out: *mut unipc_mq_sysv_status) -> c_int {
    // SAFETY: the header asks for a place for the status.
    let caller = unsafe { Caller::trusted("stat") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        out.set(SystemV::from_id(id).stat()?.into());
        Ok(0)
    })
}

/// Changes owner, group, mode or capacity of a System V queue.
///
/// id:        its identifier
/// uid:       the new owner; UINT32_MAX: unchanged
/// gid:       the new group; UINT32_MAX: unchanged
/// mode:      the new permission bits; UINT32_MAX: unchanged
/// max_bytes: how many bytes all messages together may have (msg_qbytes); UINT64_MAX: unchanged.
///            A lower number than there are keeps the messages; nothing can be sent until enough were
///            received
///
/// Returns 0.
/// Errors:
///   -EPERM   the caller is neither owner nor creator nor privileged; more than MSGMNB and he is not
///            privileged
///   -EINVAL  no queue has this identifier; a mode beyond 0777
///   -ERANGE  more than INT_MAX bytes
///   -EACCES  the queue cannot be looked at
/// Since 0.1. See msgctl(2) IPC_SET.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_mq_sysv_set(
    id: c_int,
    uid: u32,
    gid: u32,
    mode: u32,
    max_bytes: u64,
) -> c_int {
    let given = |value| (value != UNCHANGED).then_some(value);
    let max_bytes = (max_bytes != u64::MAX).then_some(max_bytes);
    let change = Change { uid: given(uid), gid: given(gid), mode: given(mode), max_bytes };
    guard("set", || SystemV::from_id(id).set(change).map(|()| 0))
}

/// Removes a System V queue at once, with its messages. Who waits at it gets -EIDRM.
///
/// id: its identifier
///
/// Returns 0.
/// Errors:
///   -EPERM   the caller is neither owner nor creator nor privileged
///   -EINVAL  no queue has this identifier
/// Since 0.1. See msgctl(2) IPC_RMID.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_mq_sysv_remove(id: c_int) -> c_int {
    guard("remove", || SystemV::from_id(id).remove().map(|()| 0))
}

/// All System V queues of this IPC namespace, those of other users too, as ipcs -q lists them.
///
/// out: where they go; may be NULL when cap is 0
/// cap: for how many there is room
///
/// Returns how many there are, of which out holds the first cap. Queues come and go meanwhile: with
/// room to spare, the answer says how many were filled.
/// Errors:
///   -EINVAL  out is NULL
/// Since 0.1. See msgctl(2) MSG_STAT_ANY (Linux 4.17).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_sysv_list(out: *mut unipc_mq_sysv_status, cap: usize) -> ssize_t {
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

/// The limits of message queues in this IPC namespace.
///
/// out: where they go
///
/// Returns 0.
/// Errors:
///   -EINVAL  out is NULL
///   -ENOSYS  this kernel has no System V IPC
/// Since 0.1. See msgctl(2) IPC_INFO, mq_overview(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_limits(out: *mut unipc_mq_limit_values) -> c_int {
    // SAFETY: the header asks for a place for the limits.
    let caller = unsafe { Caller::trusted("limits") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let limits = limits()?;
        let posix = limits.posix;
        let of = |value: fn(unipc_core::mq::PosixLimits) -> u64| posix.map_or(0, value);
        out.set(unipc_mq_limit_values {
            msgmax: limits.msgmax,
            msgmnb: limits.msgmnb,
            msgmni: limits.msgmni,
            msg_max: of(|posix| posix.msg_max),
            msgsize_max: of(|posix| posix.msgsize_max),
            queues_max: of(|posix| posix.queues_max),
            msg_default: of(|posix| posix.msg_default),
            msgsize_default: of(|posix| posix.msgsize_default),
            rlimit_msgqueue: of(|posix| posix.rlimit_msgqueue.unwrap_or(u64::MAX)),
            prio_max: of(|posix| posix.prio_max),
            ..Default::default()
        });
        Ok(0)
    })
}

/// What System V queues use in this IPC namespace.
///
/// out: where that goes
///
/// Returns 0.
/// Errors: as unipc_mq_limits()
/// Since 0.1. See msgctl(2) MSG_INFO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_usage(out: *mut unipc_mq_usage_values) -> c_int {
    // SAFETY: the header asks for a place for the usage.
    let caller = unsafe { Caller::trusted("usage") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let usage = usage()?;
        out.set(unipc_mq_usage_values {
            queues: usage.queues,
            messages: usage.messages,
            bytes: usage.bytes,
            ..Default::default()
        });
        Ok(0)
    })
}

impl From<Status> for unipc_mq_sysv_status {
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
            send_time: status.send_time,
            receive_time: status.receive_time,
            change_time: status.change_time,
            bytes: status.bytes,
            messages: status.messages,
            max_bytes: status.max_bytes,
            last_send_pid: status.last_send_pid,
            last_receive_pid: status.last_receive_pid,
            reserved: [0; 4],
        }
    }
}

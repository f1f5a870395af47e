// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V queues by identifier, limits and usage: plain functions, of which `unipc.mq` makes classes.

use pyo3::prelude::*;
use unipc::mq::{self, Change, SystemV};

use crate::error::raise;

/// Every field of `struct msqid_ds`, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Status {
    id: i32,
    key: i32,
    uid: u32,
    gid: u32,
    cuid: u32,
    cgid: u32,
    mode: u32,
    sequence: u32,
    send_time: Option<i64>,
    receive_time: Option<i64>,
    change_time: Option<i64>,
    bytes: u64,
    messages: u64,
    max_bytes: u64,
    last_send_pid: i32,
    last_receive_pid: i32,
}

impl From<mq::Status> for Status {
    fn from(status: mq::Status) -> Self {
        let permissions = status.permissions;
        let time = |seconds: i64| (seconds != 0).then_some(seconds);
        Self {
            id: status.id,
            key: permissions.key,
            uid: permissions.uid,
            gid: permissions.gid,
            cuid: permissions.cuid,
            cgid: permissions.cgid,
            mode: permissions.mode,
            sequence: permissions.sequence,
            send_time: time(status.send_time),
            receive_time: time(status.receive_time),
            change_time: time(status.change_time),
            bytes: status.bytes,
            messages: status.messages,
            max_bytes: status.max_bytes,
            last_send_pid: status.last_send_pid,
            last_receive_pid: status.last_receive_pid,
        }
    }
}

/// The limits of message queues, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Limits {
    msgmax: u64,
    msgmnb: u64,
    msgmni: u64,
    msg_max: Option<u64>,
    msgsize_max: Option<u64>,
    queues_max: Option<u64>,
    msg_default: Option<u64>,
    msgsize_default: Option<u64>,
    rlimit_msgqueue: Option<u64>,
    prio_max: Option<u64>,
}

/// What System V queues use, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Usage {
    queues: u64,
    messages: u64,
    bytes: u64,
}

#[pyfunction]
pub(crate) fn system_v_queue_stat(queue: i32) -> PyResult<Status> {
    SystemV::from_id(queue).stat().map(Status::from).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_queue_set(
    queue: i32,
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<u32>,
    max_bytes: Option<u64>,
) -> PyResult<()> {
    SystemV::from_id(queue).set(Change { uid, gid, mode, max_bytes }).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_queue_remove(queue: i32) -> PyResult<()> {
    SystemV::from_id(queue).remove().map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_queue_list(py: Python<'_>) -> PyResult<Vec<Status>> {
    let list = py.detach(SystemV::list).map_err(raise)?;
    Ok(list.into_iter().map(Status::from).collect())
}

#[pyfunction]
pub(crate) fn mq_limits() -> PyResult<Limits> {
    let mq::Limits { msgmax, msgmnb, msgmni, posix } = mq::limits().map_err(raise)?;
    Ok(Limits {
        msgmax,
        msgmnb,
        msgmni,
        msg_max: posix.map(|posix| posix.msg_max),
        msgsize_max: posix.map(|posix| posix.msgsize_max),
        queues_max: posix.map(|posix| posix.queues_max),
        msg_default: posix.map(|posix| posix.msg_default),
        msgsize_default: posix.map(|posix| posix.msgsize_default),
        rlimit_msgqueue: posix.and_then(|posix| posix.rlimit_msgqueue),
        prio_max: posix.map(|posix| posix.prio_max),
    })
}

#[pyfunction]
pub(crate) fn mq_usage() -> PyResult<Usage> {
    let mq::Usage { queues, messages, bytes } = mq::usage().map_err(raise)?;
    Ok(Usage { queues, messages, bytes })
}

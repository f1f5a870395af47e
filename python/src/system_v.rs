// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V segments by identifier: plain functions, which `unipc.SystemV` puts into a class.

use pyo3::prelude::*;
use unipc::shm::{self, SystemV};
use unipc::sysv::Change;

use crate::error::raise;

/// Every field of `struct shmid_ds`, as a dictionary.
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
    size: usize,
    attach_time: Option<i64>,
    detach_time: Option<i64>,
    change_time: Option<i64>,
    creator_pid: i32,
    last_pid: i32,
    attached: u64,
    removed: bool,
    locked: bool,
}

impl From<shm::Status> for Status {
    fn from(status: shm::Status) -> Self {
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
            size: status.size,
            attach_time: time(status.attach_time),
            detach_time: time(status.detach_time),
            change_time: time(status.change_time),
            creator_pid: status.creator_pid,
            last_pid: status.last_pid,
            attached: status.attached,
            removed: status.removed,
            locked: status.locked,
        }
    }
}

/// The limits of System V shared memory, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Limits {
    shmmax: u64,
    shmmin: u64,
    shmmni: u64,
    shmall: u64,
}

/// What System V shared memory uses, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Usage {
    segments: u64,
    pages: u64,
    resident: u64,
    swapped: u64,
}

#[pyfunction]
pub(crate) fn system_v_stat(segment: i32) -> PyResult<Status> {
    SystemV::from_id(segment).stat().map(Status::from).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_set(
    segment: i32,
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<u32>,
) -> PyResult<()> {
    SystemV::from_id(segment).set(Change { uid, gid, mode }).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_remove(py: Python<'_>, segment: i32) -> PyResult<()> {
    py.detach(|| SystemV::from_id(segment).remove()).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_lock(py: Python<'_>, segment: i32) -> PyResult<()> {
    py.detach(|| SystemV::from_id(segment).lock()).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_unlock(py: Python<'_>, segment: i32) -> PyResult<()> {
    py.detach(|| SystemV::from_id(segment).unlock()).map_err(raise)
}

#[pyfunction]
pub(crate) fn system_v_list(py: Python<'_>) -> PyResult<Vec<Status>> {
    let list = py.detach(SystemV::list).map_err(raise)?;
    Ok(list.into_iter().map(Status::from).collect())
}

#[pyfunction]
pub(crate) fn shm_limits() -> PyResult<Limits> {
    let shm::Limits { shmmax, shmmin, shmmni, shmall } = shm::limits().map_err(raise)?;
    Ok(Limits { shmmax, shmmin, shmmni, shmall })
}

#[pyfunction]
pub(crate) fn shm_usage() -> PyResult<Usage> {
    let shm::Usage { segments, pages, resident, swapped } = shm::usage().map_err(raise)?;
    Ok(Usage { segments, pages, resident, swapped })
}

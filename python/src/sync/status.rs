// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is to be seen of an object from outside.

use pyo3::prelude::*;
use unipc::sync::Holder;

/// A thread that holds something: `pid` and `tid` in its own PID namespace, and `start_time` in clock ticks since
/// boot, as in `/proc/PID/stat`. 0 where it is not known.
#[pyclass(frozen, eq, get_all, module = "unipc.sync")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ThreadId {
    pid: u32,
    tid: u32,
    start_time: u64,
}

#[pymethods]
impl ThreadId {
    fn __repr__(&self) -> String {
        format!(
            "<unipc.sync.ThreadId pid={} tid={} start_time={}>",
            self.pid, self.tid, self.start_time
        )
    }
}

impl From<Holder> for ThreadId {
    fn from(holder: Holder) -> Self {
        Self { pid: holder.pid, tid: holder.tid, start_time: holder.start_time }
    }
}

pub(crate) fn threads(holders: Vec<Holder>) -> Vec<ThreadId> {
    holders.into_iter().map(ThreadId::from).collect()
}

/// What is to be seen of a mutex: `holder` (a `ThreadId` or None), `owner_died`, `retired`, and the numbers of
/// `waiters`, as far as there was room.
#[pyclass(frozen, get_all, module = "unipc.sync")]
pub(crate) struct MutexStatus {
    holder: Option<ThreadId>,
    owner_died: bool,
    retired: bool,
    waiters: Vec<u32>,
}

#[pymethods]
impl MutexStatus {
    fn __repr__(&self) -> String {
        let holder = self.holder.as_ref().map_or("None".into(), ThreadId::__repr__);
        format!(
            "<unipc.sync.MutexStatus holder={holder} owner_died={} retired={} waiters={:?}>",
            python(self.owner_died),
            python(self.retired),
            self.waiters
        )
    }
}

impl From<unipc::sync::MutexStatus> for MutexStatus {
    fn from(seen: unipc::sync::MutexStatus) -> Self {
        Self {
            holder: seen.holder.map(ThreadId::from),
            owner_died: seen.owner_died,
            retired: seen.retired,
            waiters: seen.waiters,
        }
    }
}

/// What is to be seen of a read-write lock: `writer` (a `ThreadId` or None), `readers`, `owner_died`, `retired`, and
/// the numbers of `waiters`, as far as there was room.
#[pyclass(frozen, get_all, module = "unipc.sync")]
pub(crate) struct RwLockStatus {
    writer: Option<ThreadId>,
    readers: Vec<ThreadId>,
    owner_died: bool,
    retired: bool,
    waiters: Vec<u32>,
}

#[pymethods]
impl RwLockStatus {
    fn __repr__(&self) -> String {
        let writer = self.writer.as_ref().map_or("None".into(), ThreadId::__repr__);
        format!(
            "<unipc.sync.RwLockStatus writer={writer} readers={} owner_died={} retired={} waiters={:?}>",
            self.readers.len(),
            python(self.owner_died),
            python(self.retired),
            self.waiters
        )
    }
}

impl From<unipc::sync::RwLockStatus> for RwLockStatus {
    fn from(seen: unipc::sync::RwLockStatus) -> Self {
        Self {
            writer: seen.writer.map(ThreadId::from),
            readers: threads(seen.readers),
            owner_died: seen.owner_died,
            retired: seen.retired,
            waiters: seen.waiters,
        }
    }
}

/// As Python writes it.
fn python(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

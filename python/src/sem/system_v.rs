// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that semctl(2) tells and does, limits and usage.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use unipc::sem::{self, Info, Status};
use unipc::sysv::Change;

use super::{SemaphoreSet, helper};
use crate::error::raise;

/// Every field of `struct semid_ds`, as keyword arguments of the class that Python has for it.
fn status<'py>(py: Python<'py>, status: &Status) -> PyResult<Bound<'py, PyAny>> {
    let permissions = status.permissions;
    let time = |seconds: i64| (seconds != 0).then_some(seconds);
    let fields = PyDict::new(py);
    fields.set_item("id", status.id)?;
    fields.set_item("key", permissions.key)?;
    fields.set_item("uid", permissions.uid)?;
    fields.set_item("gid", permissions.gid)?;
    fields.set_item("cuid", permissions.cuid)?;
    fields.set_item("cgid", permissions.cgid)?;
    fields.set_item("mode", permissions.mode)?;
    fields.set_item("sequence", permissions.sequence)?;
    fields.set_item("count", status.count)?;
    fields.set_item("operation_time", time(status.operation_time))?;
    fields.set_item("change_time", time(status.change_time))?;
    helper(py, intern!(py, "SemaphoreSetStatus"))?.call((), Some(&fields))
}

#[pymethods]
impl SemaphoreSet {
    /// The value of one semaphore (`GETVAL`). Raises `OSError` with `EINVAL` when the set has no such semaphore.
    fn value(&self, index: u16) -> PyResult<u16> {
        self.at_once(|set| set.value(index))?.map_err(raise)
    }

    /// Sets one semaphore (`SETVAL`), and wakes those whose turn comes by it.
    ///
    /// Forgets what processes have to undo for it: a holder that dies afterwards gives nothing back. Set values while
    /// nobody holds any. Raises `OSError`: `ERANGE` above 32767, `EINVAL` when the set has no such semaphore.
    fn set_value(&self, index: u16, value: u16) -> PyResult<()> {
        self.at_once(|set| set.set_value(index, value))?.map_err(raise)
    }

    /// All values, read in one step (`GETALL`). Assigning a list sets all in one step (`SETALL`), and forgets what
    /// processes have to undo, as `set_value` does: `EINVAL` unless there are as many, `ERANGE` above 32767.
    #[getter]
    fn values(&self) -> PyResult<Vec<u16>> {
        self.at_once(|set| set.values())?.map_err(raise)
    }

    #[setter]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn set_values(&self, values: Vec<u16>) -> PyResult<()> {
        self.at_once(|set| set.set_values(&values))?.map_err(raise)
    }

    /// Value, last process and waiters of one semaphore (`GETVAL`, `GETPID`, `GETNCNT`, `GETZCNT`): four calls, between
    /// which things may change.
    fn info<'py>(&self, py: Python<'py>, index: u16) -> PyResult<Bound<'py, PyAny>> {
        let info = self.at_once(|set| set.info(index))?.map_err(raise)?;
        let Info { value, last_pid, waiting_increase, waiting_zero } = info;
        let class = helper(py, intern!(py, "SemaphoreInfo"))?;
        class.call1((value, last_pid, waiting_increase, waiting_zero))
    }

    /// What the kernel knows of the set (`IPC_STAT`).
    fn stat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        status(py, &self.at_once(|set| set.stat())?.map_err(raise)?)
    }

    /// A new owner, group or mode (`IPC_SET`); None leaves it as it is. For owner and creator only (`EPERM`).
    #[pyo3(signature = (*, uid = None, gid = None, mode = None))]
    fn set(&self, uid: Option<u32>, gid: Option<u32>, mode: Option<u32>) -> PyResult<()> {
        self.at_once(|set| set.set(Change { uid, gid, mode }))?.map_err(raise)
    }

    /// Removes the set at once (`IPC_RMID`). Who waits for it, or uses it later, gets `RemovedError`.
    fn remove(&self) -> PyResult<()> {
        self.at_once(|set| set.remove())?.map_err(raise)
    }

    /// All sets of this IPC namespace, those of other users too (Linux 4.17), as `ipcs -s` lists them.
    #[staticmethod]
    fn list(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
        let found = py.detach(unipc::SemaphoreSet::list).map_err(raise)?;
        found.iter().map(|found| status(py, found)).collect()
    }
}

/// The limits of System V semaphores, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Limits {
    semmsl: u64,
    semmns: u64,
    semopm: u64,
    semmni: u64,
    semvmx: u64,
}

/// What System V semaphores use, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Usage {
    sets: u64,
    semaphores: u64,
}

#[pyfunction]
pub(crate) fn sem_limits() -> PyResult<Limits> {
    let sem::Limits { semmsl, semmns, semopm, semmni, semvmx } = sem::limits().map_err(raise)?;
    Ok(Limits { semmsl, semmns, semopm, semmni, semvmx })
}

#[pyfunction]
pub(crate) fn sem_usage() -> PyResult<Usage> {
    let sem::Usage { sets, semaphores } = sem::usage().map_err(raise)?;
    Ok(Usage { sets, semaphores })
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `with lock:` and `with lock.locked(...):`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use unipc::lock::{Guard, Range, Sharing};
use unipc::{ErrorKind, Timeout};

use super::{FileLock, Wanted, patiently, seconds, sharing};
use crate::error::raise;
use crate::wait::{TimeoutArgument, wait};

/// Where a `with` block stands.
#[derive(Debug, Default)]
pub(super) enum Entered {
    #[default]
    No,
    /// Somebody is waiting for the lock.
    Soon,
    Yes(Guard<Arc<unipc::lock::FileLock>>),
}

/// Takes the lock for a block, of which there is one at a time.
fn enter_as(
    py: Python<'_>,
    lock: &FileLock,
    entered: &Mutex<Entered>,
    wanted: Wanted,
) -> PyResult<()> {
    let handle = lock.get()?;
    let mut state = look(py, entered);
    if !matches!(*state, Entered::No) {
        return Err(PyRuntimeError::new_err(format!(
            "a block of {} was entered already: one handle is one owner, so open one for each thread",
            lock.name.display()
        )));
    }
    let take = |left| handle.lock_owned(wanted.range, wanted.sharing, left);
    // Attached to the interpreter and the state in hand, which in the usual case is all.
    let error = match take(Timeout::TRY) {
        Ok(guard) => {
            *state = Entered::Yes(guard);
            return Ok(());
        }
        Err(error) => error,
    };
    if wanted.timeout == Timeout::TRY || *error.kind() != ErrorKind::WouldBlock {
        return Err(raise(error));
    }
    *state = Entered::Soon;
    drop(state);
    let (state, result) = match wait(py, wanted.timeout, take) {
        Ok(guard) => (Entered::Yes(guard), Ok(())),
        Err(error) => (Entered::No, Err(error)),
    };
    *look(py, entered) = state;
    result
}

/// Gives the lock back at the end of a block.
fn leave_from(py: Python<'_>, entered: &Mutex<Entered>) -> PyResult<()> {
    let guard = taken_out(&mut look(py, entered), Entered::No)?;
    guard.release().map_err(raise)
}

/// The guard of a block that was entered, with the state that it leaves behind. Whoever waits meanwhile goes on waiting.
fn taken_out(state: &mut Entered, left: Entered) -> PyResult<Guard<Arc<unipc::lock::FileLock>>> {
    match std::mem::replace(state, left) {
        Entered::Yes(guard) => Ok(guard),
        other => {
            *state = other;
            Err(PyRuntimeError::new_err("this block was not entered"))
        }
    }
}

fn look<'a>(py: Python<'_>, entered: &'a Mutex<Entered>) -> MutexGuard<'a, Entered> {
    entered.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
}

/// `with lock:`: exclusive, the whole file, as long as it takes.
pub(super) fn enter(lock: &FileLock, py: Python<'_>) -> PyResult<()> {
    let wanted =
        Wanted { range: Range::ALL, sharing: Sharing::Exclusive, timeout: Timeout::Forever };
    enter_as(py, lock, &lock.entered, wanted)
}

pub(super) fn leave(lock: &FileLock, py: Python<'_>) -> PyResult<()> {
    leave_from(py, &lock.entered)
}

/// What `FileLock.locked` gives: a context manager, which may be used several times, one after the other.
#[pyclass(frozen, module = "unipc")]
pub(crate) struct LockGuard {
    lock: Py<FileLock>,
    wanted: Wanted,
    entered: Mutex<Entered>,
}

impl LockGuard {
    pub(super) fn new(lock: Py<FileLock>, wanted: Wanted) -> Self {
        Self { lock, wanted, entered: Mutex::default() }
    }
}

#[pymethods]
impl LockGuard {
    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let guard = slf.get();
        enter_as(slf.py(), guard.lock.get(), &guard.entered, guard.wanted)?;
        Ok(slf)
    }

    // Three arguments, and not a tuple of them, which Python would make for the call.
    #[pyo3(signature = (_kind = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        leave_from(py, &self.entered)
    }

    /// Makes the lock of the block shared or exclusive, which may have to wait for others.
    ///
    /// A record lock stays as it is when that fails. `LockKind.FLOCK` gives up what it has first: another owner may get
    /// in between, and after a failure nothing is locked (`held` is False). Two owners of shared locks that both want
    /// theirs exclusive wait for each other for ever: give a timeout.
    ///
    /// Raises `OSError` as `FileLock.locked` does; `RuntimeError` outside of a block.
    #[pyo3(signature = (*, shared, timeout = None))]
    fn convert(
        &self,
        py: Python<'_>,
        shared: bool,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let mut guard = taken_out(&mut look(py, &self.entered), Entered::Soon)?;
        let converted =
            patiently(py, seconds(timeout), |left| guard.convert(sharing(shared), left));
        *look(py, &self.entered) = Entered::Yes(guard);
        converted
    }

    /// Is it shared? Outside of a block: will it be?
    #[getter]
    fn shared(&self, py: Python<'_>) -> bool {
        match &*look(py, &self.entered) {
            Entered::Yes(guard) => guard.sharing() == Sharing::Shared,
            Entered::No | Entered::Soon => self.wanted.sharing == Sharing::Shared,
        }
    }

    /// Is the lock held? False outside of a block, and inside when a conversion of `LockKind.FLOCK` has lost it.
    #[getter]
    fn held(&self, py: Python<'_>) -> bool {
        matches!(&*look(py, &self.entered), Entered::Yes(guard) if guard.is_held())
    }
}

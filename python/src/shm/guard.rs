// SPDX-License-Identifier: MIT OR Apache-2.0
//! `with shm.guarded():` around work on views.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::SharedMemory;
use crate::error::raise;

/// What `SharedMemory.guarded()` gives: a context manager, which may be entered several times and by several threads.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct Guard {
    owner: Py<SharedMemory>,
    /// How often it was entered and not left.
    entered: AtomicUsize,
}

#[pymethods]
impl SharedMemory {
    /// A context manager for work on views of a file that others may truncate.
    ///
    /// Inside, a page that the file has lost reads as zeros instead of killing the process by SIGBUS; at the end the
    /// loss is an `OSError` with `EFAULT`, and what was read or written since the beginning is void. It covers
    /// accesses of all threads to this mapping; blocks may nest and overlap. A SIGBUS for any other address goes to
    /// the handler that was there before; one that is installed after the first block (`signal.signal`,
    /// `faulthandler.enable`) takes the guard away. `read_at`, `write_at` and the like need no guard: they raise
    /// `EFAULT` by themselves. A thread that touches the memory must not block SIGBUS: the kernel ends a process that
    /// faults while it is blocked, also in an array, a lock or a channel that lies there.
    ///
    /// >>> import unipc
    /// >>> with unipc.SharedMemory.create("memfd:guarded", 4096) as shm:
    /// ...     with shm.guarded():
    /// ...         first = memoryview(shm)[0]
    fn guarded(slf: Py<Self>) -> Guard {
        Guard { owner: slf, entered: AtomicUsize::new(0) }
    }
}

#[pymethods]
impl Guard {
    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let guard = slf.get();
        guard.owner.get().enter(slf.py(), |shm| {
            // Ended by `leave`, in another call.
            std::mem::forget(shm.begin_access());
            Ok(())
        })?;
        // SYNC: a count alone; nothing else is published by it.
        guard.entered.fetch_add(1, Ordering::Relaxed);
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        if !self.take() {
            return Err(PyRuntimeError::new_err("this guard was not entered"));
        }
        self.leave(py)
    }
}

impl Guard {
    /// One entry less, if there is one.
    fn take(&self) -> bool {
        // SYNC: a count alone; nothing else is published by it.
        self.entered
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1))
            .is_ok()
    }

    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        let owner = self.owner.get();
        // Cannot be closed: this guard counts as a user.
        let shm = owner.get(py)?;
        let ended = shm.end_access();
        drop(shm);
        owner.leave();
        ended.map_err(raise)
    }
}

impl Drop for Guard {
    /// A block that was abandoned half-way, such as a generator's, must not keep the mapping for ever.
    fn drop(&mut self) {
        while self.take() {
            // Nobody is there to be told.
            let _ = Python::attach(|py| self.leave(py));
        }
    }
}

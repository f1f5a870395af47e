// SPDX-License-Identifier: MIT OR Apache-2.0
//! `for batch in queue.batches(1000)`.

use pyo3::intern;
use pyo3::prelude::*;

use crate::aio::Waiter;

/// Messages as they come, for ever, many at a time.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct Batches {
    end: Py<PyAny>,
    count: usize,
}

impl Batches {
    pub(super) fn of(end: Py<PyAny>, count: usize) -> PyResult<Self> {
        if count == 0 {
            return Err(pyo3::exceptions::PyValueError::new_err("count is 1 or more"));
        }
        Ok(Self { end, count })
    }
}

#[pymethods]
impl Batches {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.end.bind(py).call_method1(intern!(py, "recv_many"), (self.count,))
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<Waiter> {
        let end = self.end.bind(py);
        Waiter::of_end(end, end, "recv_many", (self.count, py.None(), 0))
    }
}

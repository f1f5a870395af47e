// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is in the way.

use pyo3::prelude::*;
use unipc::lock::{Holder, Sharing};

use super::kind_object;

/// A lock that is in the way of another one, as `FileLock.holder` tells it.
#[pyclass(frozen, eq, module = "unipc")]
#[derive(PartialEq)]
pub(crate) struct LockHolder(pub(super) Holder);

#[pymethods]
impl LockHolder {
    /// The process that took it; None for an OFD lock, which belongs to no process, and for processes that cannot be
    /// seen from here.
    #[getter]
    fn pid(&self) -> Option<i32> {
        self.0.pid
    }

    /// Its `LockKind`.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        kind_object(py, self.0.kind)
    }

    /// Is it shared, so that it is in the way of exclusive locks alone?
    #[getter]
    fn shared(&self) -> bool {
        self.0.sharing == Sharing::Shared
    }

    /// The first byte that it covers.
    #[getter]
    fn start(&self) -> u64 {
        self.0.range.start()
    }

    /// How many bytes it covers; None: to the end of the file, wherever that will be.
    #[getter]
    fn length(&self) -> Option<u64> {
        self.0.range.length()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let kind = kind_object(py, self.0.kind)?;
        let kind: String = kind.getattr("name")?.extract()?;
        let optional = |number: Option<String>| number.unwrap_or_else(|| "None".to_owned());
        Ok(format!(
            "LockHolder(pid={}, kind=LockKind.{kind}, shared={}, start={}, length={})",
            optional(self.pid().map(|pid| pid.to_string())),
            if self.shared() { "True" } else { "False" },
            self.start(),
            optional(self.length().map(|length| length.to_string())),
        ))
    }
}

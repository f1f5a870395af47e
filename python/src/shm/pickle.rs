// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handles on their way to another process: `unipc.shm` has what happens there.

use std::sync::atomic::Ordering;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unipc::shm::Backing;

use super::open::Source;
use super::{SharedMemory, helper};

#[pymethods]
impl SharedMemory {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (this, py) = (slf.get(), slf.py());
        this.get(py)?;
        let class = slf.get_type();
        // SYNC: relaxed is enough: who pickles while another thread resizes has no order to ask for.
        let resized = this.whole.load(Ordering::Relaxed);
        let reopen = if resized { this.reopen.whole() } else { this.reopen };
        let by_descriptor = match this.backing {
            Backing::Anonymous => {
                return Err(PyTypeError::new_err(
                    "anonymous memory cannot be pickled: fork inherits it, and memfd:LABEL can be passed",
                ));
            }
            Backing::Memfd => true,
            Backing::SystemV | Backing::Posix | Backing::File => this.source == Source::Descriptor,
        };
        if by_descriptor {
            let descriptor = helper(py, intern!(py, "_descriptor_for_child"))?.call1((slf,))?;
            let function = helper(py, intern!(py, "_receive"))?;
            return (function, (class, descriptor, reopen)).into_pyobject(py);
        }
        let function = helper(py, intern!(py, "_attach"))?;
        (function, (class, this.name.to_os_string(), reopen)).into_pyobject(py)
    }
}

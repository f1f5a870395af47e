// SPDX-License-Identifier: MIT OR Apache-2.0
//! The buffer protocol: the mapping's own bytes for memoryview, NumPy and ctypes.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::atomic::Ordering;

use pyo3::ffi;
use pyo3::prelude::*;

use super::SharedMemory;
use crate::buffer::export;

#[pymethods]
impl SharedMemory {
    // SAFETY: called by Python's buffer protocol alone, which passes a view to fill and gives each back once.
    unsafe fn __getbuffer__(
        slf: &Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let handle = slf.get();
        // NumPy's ndarray(buffer=...) asks for contiguous bytes without a format, gives the buffer back at once, and
        // uses the address for as long as it holds our object. Nobody else asks in these words.
        let contiguous = flags & ffi::PyBUF_ANY_CONTIGUOUS == ffi::PyBUF_ANY_CONTIGUOUS;
        let address_kept = contiguous && flags & ffi::PyBUF_FORMAT == 0;
        handle.enter(slf.py(), |shm| {
            // SYNC: relaxed is enough, the lock orders it.
            handle.address_kept.fetch_or(address_kept, Ordering::Relaxed);
            let bytes = (shm.as_ptr(), shm.len());
            // SAFETY: Python passes a valid view, and the mapping neither moves nor goes while there are users.
            unsafe { export(slf, view, bytes, handle.read_only, flags) }
        })
    }

    // SAFETY: Python calls it once for each buffer it got; nothing is done with the view, which has nothing to free.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
        self.leave();
    }
}

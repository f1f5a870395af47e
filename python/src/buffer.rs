// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that Python objects lend each other (the buffer protocol), and descriptors that callers lend us.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::{Error, ErrorKind};

use crate::error::raise;

/// The bytes of an object that has the buffer protocol, lent to us until this is dropped.
///
/// They are asked for as plain bytes (`PyBUF_SIMPLE`): without a shape, which a structure of ctypes has none of, and
/// without a format, which numpy would write first.
pub(crate) struct Lent<'py> {
    view: ffi::Py_buffer,
    /// Giving it back needs the interpreter.
    _py: Python<'py>,
}

impl<'py> Lent<'py> {
    /// To read from. Errors: `TypeError` without the protocol, `BufferError` when the bytes lie scattered.
    pub(crate) fn readable(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut view = MaybeUninit::<ffi::Py_buffer>::uninit();
        // SAFETY: the object is alive, and there is room for the description.
        let got = unsafe {
            ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), ffi::PyBUF_SIMPLE)
        };
        if got != 0 {
            return Err(not_lent(object));
        }
        // SAFETY: the call succeeded, so it has filled the description.
        Ok(Self { view: unsafe { view.assume_init() }, _py: object.py() })
    }

    /// To write into. Errors: also `BufferError` when it is read-only.
    pub(crate) fn writable(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let lent = Self::readable(object)?;
        if lent.view.readonly != 0 {
            return Err(PyBufferError::new_err(
                "the buffer is read-only; nothing can be read into it",
            ));
        }
        Ok(lent)
    }

    pub(crate) fn len(&self) -> usize {
        self.view.len.cast_unsigned()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self.len() {
            0 => &[],
            // SAFETY: the exporter keeps these bytes in place until the buffer is released. Another thread may
            // change them meanwhile, as with every copy in Python; the core only copies from the address.
            length => unsafe { std::slice::from_raw_parts(self.view.buf.cast(), length) },
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self.len() {
            0 => &mut [],
            // SAFETY: as in `bytes`, and the exporter said that they may be written.
            length => unsafe { std::slice::from_raw_parts_mut(self.view.buf.cast(), length) },
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // SAFETY: the description is one that was got, and is given back once, with the interpreter at hand.
        unsafe { ffi::PyBuffer_Release(&raw mut self.view) };
    }
}

/// Why the bytes were not lent. Each exporter says in its own way that they do not lie side by side.
#[cold]
fn not_lent(object: &Bound<'_, PyAny>) -> PyErr {
    let error = PyErr::fetch(object.py());
    match PyUntypedBuffer::get(object) {
        Ok(buffer) if !buffer.is_c_contiguous() => {
            PyBufferError::new_err("the buffer's bytes do not lie side by side; copy it first")
        }
        _ => error,
    }
}

/// Describes `length` bytes at `start`, which `owner` keeps in place, to whoever asked with `flags`.
///
/// Errors: `BufferError` when writing was asked for and `read_only` forbids it.
///
/// # Safety
///
/// `view` must be a valid pointer as `PyObject_GetBuffer` gets one; the bytes must stay mapped until it is released.
pub(crate) unsafe fn export(
    owner: &Bound<'_, PyAny>,
    view: *mut ffi::Py_buffer,
    (start, length): (*mut u8, usize),
    read_only: bool,
    flags: c_int,
) -> PyResult<()> {
    let length = length.cast_signed();
    // SAFETY: all arguments are what the caller promises; the function takes its own reference to the owner.
    let result = unsafe {
        ffi::PyBuffer_FillInfo(view, owner.as_ptr(), start.cast(), length, read_only.into(), flags)
    };
    if result == 0 { Ok(()) } else { Err(PyErr::fetch(owner.py())) }
}

/// A `bytes` object of `length` bytes that `fill` writes, without zeros in between: for large copies they would cost
/// as much as the copy. `fill` must write all of them, or fail.
pub(crate) fn new_bytes(
    py: Python<'_>,
    length: usize,
    fill: impl FnOnce(&mut [MaybeUninit<u8>]) -> PyResult<()>,
) -> PyResult<Bound<'_, PyBytes>> {
    let size = ffi::Py_ssize_t::try_from(length)?;
    // SAFETY: a NULL pointer asks for an object whose bytes are not set.
    let object = unsafe { ffi::PyBytes_FromStringAndSize(std::ptr::null(), size) };
    // SAFETY: a new reference, or NULL with an exception set.
    let object = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
    // SAFETY: it is a bytes object, which keeps its bytes in one place.
    let start = unsafe { ffi::PyBytes_AsString(object.as_ptr()) };
    // SAFETY: nobody else has seen the new object, so its `length` bytes are ours until it is returned.
    let bytes = unsafe { std::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), length) };
    fill(bytes)?;
    Ok(object.cast_into()?)
}

/// A descriptor of our own for what the caller's descriptor refers to.
pub(crate) fn duplicate(fd: RawFd) -> PyResult<OwnedFd> {
    let failed =
        |errno| raise(Error::new("from_fd", format_args!("fd {fd}"), ErrorKind::Os(errno)));
    if fd < 0 {
        return Err(failed(libc::EBADF));
    }
    // SAFETY: the number is only handed to fcntl, which refuses one that is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed
        .try_clone_to_owned()
        .map_err(|error| failed(error.raw_os_error().unwrap_or(libc::EBADF)))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Array`.
#![allow(unsafe_code, reason = "the buffer protocol")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::ffi::c_int;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::record;

use super::{Layout, LayoutArgument, lend, options, reopen};
use crate::buffer::{duplicate, export, new_bytes};
use crate::error::raise;
use crate::name::NameArgument;
use crate::shm::SharedMemory;
use crate::sync::{How, PlaceArgument, Site};

/// Records in a row, with a header that tells their layout: C, Python and Rust open them without agreeing on anything but the name.
///
/// `place` is a name, or a `SharedMemory` with an `offset` (a multiple of 64); `layout` is whatever `Layout` takes.
///
/// >>> import os
/// >>> from unipc import Array
/// >>> name = f"/array-{os.getpid()}"
/// >>> frames = Array.create(name, "T{Q:t_ns:(8)f:channels:}", 1000)
/// >>> frames.numpy()["channels"][3] = 0.5
/// >>> import unipc
/// >>> unipc.open(name).numpy()["channels"].sum()      # in any process: nothing is declared
/// np.float32(4.0)
/// >>> Array.open(name, "T{Q:t_ns:(4)f:channels:}")
/// Traceback (most recent call last):
///     ...
/// unipc.LayoutError: [Errno 71] ... "channels" is float32[8] at offset 8 in the object, float32[4] at offset 8 ...
/// >>> Array.unlink(name)
///
/// `numpy()` and `memoryview(array)` are the records themselves, without a copy, and keep them mapped, also when the array is closed.
///
/// Lifetime: `close` never removes; `with` closes at its end. The array stays until `unlink`, or a reboot. Threads: any. fork: a child
/// goes on using it. Pickled, it is opened again by its place.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Array {
    /// Whose mapping stays while somebody may look at it.
    object: record::Array,
    closed: AtomicBool,
    site: Option<Site>,
}

impl Array {
    fn new(array: record::Array, site: Option<Site>) -> Self {
        Self { object: array, closed: AtomicBool::new(false), site }
    }

    fn get(&self) -> PyResult<&record::Array> {
        // SYNC: relaxed is enough: who closes while another thread calls has no order to ask for.
        if self.closed.load(Ordering::Relaxed) {
            let why = format!("the array {} is closed", self.object.label());
            return Err(PyValueError::new_err(why));
        }
        Ok(&self.object)
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        layout: Option<&record::Layout>,
        count: usize,
        options: &record::Options,
    ) -> PyResult<Self> {
        let place = PlaceArgument::new(place, offset)?;
        let array = place.reach(|place| match (how, layout) {
            (How::Create, Some(layout)) => options.create_array(place, layout, count),
            (How::OpenOrCreate, Some(layout)) => options.open_or_create_array(place, layout, count),
            _ => options.open_array(place, layout),
        })?;
        Ok(Self::new(array, Some(place.site())))
    }

    /// The index of a record, from the end if it is negative.
    fn index(&self, index: isize) -> PyResult<usize> {
        let count = self.object.len();
        let from_end = count.checked_add_signed(index).filter(|_| index < 0);
        usize::try_from(index).ok().or(from_end).filter(|&index| index < count).ok_or_else(|| {
            PyIndexError::new_err(format!("there is no record {index}: there are {count}"))
        })
    }
}

#[pymethods]
impl Array {
    /// Creates an array of `count` records.
    ///
    /// `mode` are the permission bits of a segment that is created for it alone. New records are zeros, or what lay in the memory.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes of its header are not zero, `ERANGE` when it does not
    /// fit, `EINVAL` for no records or an offset that is no multiple of 64.
    #[staticmethod]
    #[pyo3(signature = (place, layout, count, offset = 0, *, mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        layout: LayoutArgument,
        count: usize,
        offset: usize,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::Create, place, offset, Some(&layout.0), count, &options(mode)?)
    }

    /// Opens the array, whatever its records are, or only with this layout. `read_only` needs no permission to write.
    ///
    /// Raises `LayoutError` when there is no array, or its layout differs (the first field that does is named);
    /// `FileNotFoundError`, `PermissionError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, layout = None, offset = 0, *, read_only = false))]
    fn open(
        place: &Bound<'_, PyAny>,
        layout: Option<LayoutArgument>,
        offset: usize,
        read_only: bool,
    ) -> PyResult<Self> {
        let options = record::Options::new().read_only(read_only);
        let layout = layout.as_ref().map(|layout| &*layout.0);
        Self::at(How::Open, place, offset, layout, 1, &options)
    }

    /// Opens the array, or creates it when there is none; the arguments are those of `create`. Raises as both do; `LayoutError` also
    /// when it has fewer records.
    #[staticmethod]
    #[pyo3(signature = (place, layout, count, offset = 0, *, mode = 0o600))]
    fn open_or_create(
        place: &Bound<'_, PyAny>,
        layout: LayoutArgument,
        count: usize,
        offset: usize,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::OpenOrCreate, place, offset, Some(&layout.0), count, &options(mode)?)
    }

    /// Opens the array that a descriptor refers to: a memfd that was inherited or received. The descriptor stays the caller's.
    #[staticmethod]
    #[pyo3(signature = (fd, layout = None))]
    fn from_fd(fd: RawFd, layout: Option<LayoutArgument>) -> PyResult<Self> {
        let layout = layout.as_ref().map(|layout| &*layout.0);
        let array = record::Array::from_fd(duplicate(fd)?, layout).map_err(raise)?;
        Ok(Self::new(array, None))
    }

    /// Lays a layout over raw memory from `offset` on, which has no header: `count` records, or as many as there is room for.
    ///
    /// >>> from unipc import Array, SharedMemory
    /// >>> people = Array.over(SharedMemory.create("anon:", 80), "T{4s:name:i:age:}")
    /// >>> len(people)
    /// 10
    ///
    /// Raises `OSError`: `ERANGE` when they do not fit, `EINVAL` when there is room for none or C could not read them there.
    #[staticmethod]
    #[pyo3(signature = (memory, layout, count = None, offset = 0))]
    fn over(
        memory: &Bound<'_, SharedMemory>,
        layout: LayoutArgument,
        count: Option<usize>,
        offset: usize,
    ) -> PyResult<Self> {
        let shm = memory.get().memory(memory.py())?;
        let array = record::Array::over(&shm, offset, &layout.0, count).map_err(raise)?;
        Ok(Self::new(array, None))
    }

    /// How many bytes an array of `count` such records takes, with its header.
    #[staticmethod]
    fn size_for(layout: LayoutArgument, count: usize) -> PyResult<usize> {
        record::Array::size_for(&layout.0, count).map_err(raise)
    }

    /// Removes the array of this name; who has it open keeps it.
    #[staticmethod]
    fn unlink(name: NameArgument) -> PyResult<()> {
        record::Array::unlink(name.0).map_err(raise)
    }

    /// What a record consists of.
    #[getter]
    fn layout(&self) -> Layout {
        Layout::new(Arc::new(self.object.layout().clone()))
    }

    /// Is it mapped for reading only?
    #[getter]
    fn read_only(&self) -> bool {
        self.object.is_read_only()
    }

    /// How errors call it: its name, or the memory's name and the offset.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __len__(&self) -> usize {
        self.object.len()
    }

    /// The records as a numpy array, without a copy: of the layout's dtype, read-only if they are. Raises `ImportError` without numpy.
    fn numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().get()?;
        let py = slf.py();
        py.import(intern!(py, "unipc._layout"))?.call_method1(intern!(py, "numpy_of"), (slf,))
    }

    /// A copy of the bytes of a record. Raises `IndexError` when there is no such record, `OSError` with `EFAULT` when the file lost it.
    fn read<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyBytes>> {
        let (array, index) = (self.get()?, self.index(index)?);
        new_bytes(py, array.layout().size(), |bytes| array.read_uninit(index, bytes).map_err(raise))
    }

    /// Makes a record of bytes, of exactly its size. Raises as `read`, and `PermissionError` when the array is read-only.
    fn write(&self, index: isize, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let (array, index) = (self.get()?, self.index(index)?);
        lend(record, |bytes| array.write_at(index, bytes).map_err(raise))
    }

    /// The descriptor of the memory, to be handed on. Raises `OSError` with `EOPNOTSUPP` where there is none.
    fn fileno(&self) -> PyResult<RawFd> {
        let array = self.get()?;
        array.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| super::cell::no_descriptor(array.label()))
    }

    /// Closes it. Views stay valid, and keep the records mapped.
    fn close(&self) {
        // SYNC: as in `get`.
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Is it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.get().is_err()
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        slf.get()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        let (label, count) = (self.object.label(), self.object.len());
        let closed = if self.closed() { ", closed" } else { "" };
        format!("<unipc.Array {label:?}, {count} records of {}{closed}>", self.object.layout())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (handle, py) = (slf.get(), slf.py());
        let Some(site) = &handle.site else {
            return Err(pyo3::exceptions::PyTypeError::new_err(
                "an array without a place of its own cannot be pickled: hand on its memory",
            ));
        };
        let (place, offset) = site.arguments(py);
        reopen(py, "Array", place, offset, handle.object.is_read_only())
    }

    // SAFETY: called by Python's buffer protocol alone, which passes a view to fill and gives each back once.
    unsafe fn __getbuffer__(
        slf: &Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let array = slf.get().get()?;
        let bytes = (array.as_ptr(), array.size());
        // SAFETY: Python passes a valid view; the mapping stays as long as this object, which the view refers to.
        unsafe { export(slf, view, bytes, array.is_read_only(), flags) }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Cell`.
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::sync::Form;
use unipc::{Error, ErrorKind, Timeout, record};

use super::{Layout, LayoutArgument, lend, options, reopen};
use crate::buffer::{Lent, duplicate, new_bytes};
use crate::error::raise;
use crate::name::NameArgument;
use crate::sync::{How, PlaceArgument, Site, in_pieces, look};
use crate::wait::{TimeoutArgument, limit, wait};

/// One record, of which everybody always gets a whole copy: readers never wait for writers, nor writers for readers.
///
/// `place`, `offset`, `layout` and `mode` are as for `Array`. A new cell holds zeros.
///
/// >>> import os
/// >>> from unipc import Cell
/// >>> name = f"/cell-{os.getpid()}"
/// >>> robot = Cell.create(name, "T{d:x:d:y:}")
/// >>> robot.set((1.0, 2.0))
/// >>> viewer = Cell.open(name)            # in any process, in any language
/// >>> viewer.get()["y"]
/// np.float64(2.0)
/// >>> viewer.version
/// 1
/// >>> Cell.unlink(name)
///
/// A writer that is killed, at any moment, leaves the value before. Several writers take turns.
///
/// `read` and `write` are bytes; `get` and `set` go through numpy.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Cell {
    object: record::Cell,
    closed: AtomicBool,
    site: Option<Site>,
}

pub(super) fn no_descriptor(label: &str) -> PyErr {
    let why = ErrorKind::Unsupported("System V and anonymous memory have no descriptor".into());
    raise(Error::new("fileno", label, why))
}

impl Cell {
    fn get_cell(&self) -> PyResult<&record::Cell> {
        // SYNC: relaxed is enough: who closes while another thread calls has no order to ask for.
        if self.closed.load(Ordering::Relaxed) {
            let why = format!("the cell {} is closed", self.object.label());
            return Err(PyValueError::new_err(why));
        }
        Ok(&self.object)
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        layout: Option<&record::Layout>,
        options: &record::Options,
    ) -> PyResult<Self> {
        let place = PlaceArgument::new(place, offset)?;
        let cell = place.reach(|place| match (how, layout) {
            (How::Create, Some(layout)) => options.create_cell(place, layout),
            (How::OpenOrCreate, Some(layout)) => options.open_or_create_cell(place, layout),
            _ => options.open_cell(place, layout),
        })?;
        Ok(Self { object: cell, closed: AtomicBool::new(false), site: Some(place.site()) })
    }

    fn write_bytes(&self, py: Python<'_>, bytes: &[u8], timeout: Timeout) -> PyResult<()> {
        let cell = self.get_cell()?;
        // Others have their turn for as long as a copy takes, so there is seldom anything to wait for.
        match cell.write(bytes, Timeout::TRY) {
            Err(error) if *error.kind() == ErrorKind::WouldBlock && timeout != Timeout::TRY => {
                let write = |left| cell.write(bytes, left);
                wait(py, timeout, |left| in_pieces(left, look(Form::Robust), &write))
            }
            other => other.map_err(raise),
        }
    }
}

#[pymethods]
impl Cell {
    /// Creates a cell. Raises as `Array.create`.
    #[staticmethod]
    #[pyo3(signature = (place, layout, offset = 0, *, mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        layout: LayoutArgument,
        offset: usize,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::Create, place, offset, Some(&layout.0), &options(mode)?)
    }

    /// Opens the cell, whatever its record is, or only with this layout. Raises as `Array.open`.
    #[staticmethod]
    #[pyo3(signature = (place, layout = None, offset = 0, *, read_only = false))]
    fn open(
        place: &Bound<'_, PyAny>,
        layout: Option<LayoutArgument>,
        offset: usize,
        read_only: bool,
    ) -> PyResult<Self> {
        let options = record::Options::new().read_only(read_only);
        Self::at(How::Open, place, offset, layout.as_ref().map(|it| &*it.0), &options)
    }

    /// Opens the cell, or creates it when there is none. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (place, layout, offset = 0, *, mode = 0o600))]
    fn open_or_create(
        place: &Bound<'_, PyAny>,
        layout: LayoutArgument,
        offset: usize,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::OpenOrCreate, place, offset, Some(&layout.0), &options(mode)?)
    }

    /// Opens the cell that a descriptor refers to: a memfd that was inherited or received. The descriptor stays the caller's.
    #[staticmethod]
    #[pyo3(signature = (fd, layout = None))]
    fn from_fd(fd: RawFd, layout: Option<LayoutArgument>) -> PyResult<Self> {
        let layout = layout.as_ref().map(|layout| &*layout.0);
        let cell = record::Cell::from_fd(duplicate(fd)?, layout).map_err(raise)?;
        Ok(Self { object: cell, closed: AtomicBool::new(false), site: None })
    }

    /// How many bytes a cell for such a record takes, with its header.
    #[staticmethod]
    fn size_for(layout: LayoutArgument) -> PyResult<usize> {
        record::Cell::size_for(&layout.0).map_err(raise)
    }

    /// Removes the cell of this name; who has it open keeps it.
    #[staticmethod]
    fn unlink(name: NameArgument) -> PyResult<()> {
        record::Cell::unlink(name.0).map_err(raise)
    }

    /// What the record consists of.
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

    /// How many values have been published.
    #[getter]
    fn version(&self) -> PyResult<u64> {
        self.get_cell()?.version().map_err(raise)
    }

    /// The bytes of the latest value.
    ///
    /// Raises `OSError`: `EFAULT` when the file lost its pages, `EBUSY` when writers are so much faster that no whole value was found in
    /// 65536 attempts.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let cell = self.get_cell()?;
        new_bytes(py, cell.layout().size(), |bytes| {
            cell.read_uninit(bytes).map(drop).map_err(raise)
        })
    }

    /// Copies the bytes of the latest value into a buffer of exactly its size; which one it is, as `version` counts.
    fn read_into(&self, buffer: &Bound<'_, PyAny>) -> PyResult<u64> {
        self.get_cell()?.read(Lent::writable(buffer)?.bytes_mut()).map_err(raise)
    }

    /// Publishes the bytes of a value, of exactly its size. `timeout` is for other writers' turns.
    ///
    /// Raises `PermissionError` when the cell is read-only; `TimeoutError` (`BlockingIOError` for 0) when another writer kept its turn.
    #[pyo3(signature = (record, timeout = None))]
    fn write(&self, record: &Bound<'_, PyAny>, timeout: Option<TimeoutArgument>) -> PyResult<()> {
        lend(record, |bytes| self.write_bytes(record.py(), bytes, limit(timeout)))
    }

    /// The latest value as numpy has it: a scalar, a record with fields, or an array. Raises `ImportError` without numpy.
    fn get<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        py.import(intern!(py, "unipc._layout"))?.call_method1(intern!(py, "value_of"), (slf,))
    }

    /// Publishes a value: what numpy makes a record of, such as a number, or a tuple of the fields. Raises as `write`.
    #[pyo3(signature = (value, timeout = None))]
    fn set(
        slf: &Bound<'_, Self>,
        value: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let py = slf.py();
        let made = (slf.getattr(intern!(py, "layout"))?, value);
        let helpers = py.import(intern!(py, "unipc._layout"))?;
        let record = helpers.call_method1(intern!(py, "record_bytes"), made)?;
        lend(&record, |bytes| slf.get().write_bytes(py, bytes, limit(timeout)))
    }

    /// The descriptor of the memory, to be handed on. Raises `OSError` with `EOPNOTSUPP` where there is none.
    fn fileno(&self) -> PyResult<RawFd> {
        let cell = self.get_cell()?;
        cell.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| no_descriptor(cell.label()))
    }

    /// Closes it.
    fn close(&self) {
        // SYNC: as in `get_cell`.
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Is it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.get_cell().is_err()
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        slf.get_cell()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        let closed = if self.closed() { ", closed" } else { "" };
        format!("<unipc.Cell {:?}, {}{closed}>", self.object.label(), self.object.layout())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (handle, py) = (slf.get(), slf.py());
        let Some(site) = &handle.site else {
            let why = "a cell without a place of its own cannot be pickled: hand on its memory";
            return Err(PyTypeError::new_err(why));
        };
        let (place, offset) = site.arguments(py);
        reopen(py, "Cell", place, offset, handle.object.is_read_only())
    }
}

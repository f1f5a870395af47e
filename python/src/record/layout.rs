// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Layout`.

#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use unipc::{Error, record};

use super::LayoutArgument;
use crate::error::raise;

/// What a record consists of: name, offset, type and shape of each field; size and alignment.
///
/// Made from what states it: a numpy dtype, a `ctypes` type, a class with annotated fields, a PEP 3118 format, or another `Layout`.
///
/// >>> import ctypes
/// >>> from unipc import Layout
/// >>> class People(ctypes.Structure):
/// ...     _fields_ = [("name", ctypes.c_char * 4), ("age", ctypes.c_int)]
/// >>> Layout(People)
/// Layout('T{<4s:name:<i:age:}')
/// >>> Layout(People) == Layout("T{4s:name:i:age:}")
/// True
/// >>> from unipc.record import char, i32
/// >>> class Person:
/// ...     name: char[4]
/// ...     age: i32
/// >>> Layout(Person) == Layout(People)
/// True
///
/// The fields that a class inherits come first.
///
/// `layout[4]` is an array of these. `shm.array(layout)` lays it over raw memory.
///
/// Raises `TypeError`, or `OSError` with `EINVAL`, for what means nothing to other processes: pointers, Python objects, unicode text,
/// another byte order than this machine's.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Layout(Arc<record::Layout>);

impl Layout {
    pub(crate) fn new(layout: Arc<record::Layout>) -> Self {
        Self(layout)
    }

    fn made(layout: unipc::Result<record::Layout>) -> PyResult<Self> {
        layout.map(Arc::new).map(Self).map_err(raise)
    }
}

/// The layout that an object states.
pub(super) fn of(object: &Bound<'_, PyAny>) -> PyResult<Arc<record::Layout>> {
    if let Ok(layout) = object.cast::<Layout>() {
        return Ok(Arc::clone(&layout.get().0));
    }
    if let Ok(format) = object.cast::<PyString>() {
        return record::Layout::parse(format.to_str()?).map(Arc::new).map_err(raise);
    }
    let py = object.py();
    let helper = py.import(intern!(py, "unipc._layout"))?.getattr(intern!(py, "layout_of"))?;
    let layout = helper.call1((object,))?;
    let layout = layout.cast::<Layout>().map_err(|_| PyTypeError::new_err("not a layout"))?;
    Ok(Arc::clone(&layout.get().0))
}

#[pymethods]
impl Layout {
    #[new]
    fn py_new(what: LayoutArgument) -> Self {
        Self(what.0)
    }

    /// A record of `size` bytes with fields `(name, offset, layout)`.
    ///
    /// Raises `OSError` with `EINVAL` when two overlap or have one name, when one reaches beyond the size, or a name is no identifier.
    #[staticmethod]
    fn structure(size: usize, fields: Vec<(String, usize, LayoutArgument)>) -> PyResult<Self> {
        let fields = fields.into_iter().map(|(name, offset, layout)| {
            record::Field::new(name, offset, record::Layout::clone(&layout.0))
        });
        Self::made(record::Layout::structure(size, fields))
    }

    /// A record with fields `(name, layout)`, laid out as C does it.
    ///
    /// >>> from unipc import Layout
    /// >>> Layout.aligned([("kind", "B"), ("value", "d")])
    /// Layout('T{<B:kind:7x<d:value:}')
    #[staticmethod]
    fn aligned(fields: Vec<(String, LayoutArgument)>) -> PyResult<Self> {
        let fields = fields.into_iter().map(|(name, it)| (name, record::Layout::clone(&it.0)));
        Self::made(record::Layout::aligned(fields))
    }

    /// The PEP 3118 format in which it is stored.
    #[getter]
    fn format(&self) -> String {
        self.0.to_string()
    }

    /// How many bytes a record takes, padding included.
    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    /// Of what a record's address must be a multiple for C.
    #[getter]
    fn alignment(&self) -> usize {
        self.0.alignment()
    }

    /// The dimensions, where it is an array; otherwise ().
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.shape())
    }

    /// The fields of a structure: `(name, offset, layout)` in the order of their offsets. None of them for other types.
    #[getter]
    fn fields(&self) -> Vec<(String, usize, Self)> {
        let field = |field: &record::Field| {
            (field.name().to_owned(), field.offset(), Self(Arc::new(field.layout().clone())))
        };
        self.0.fields().iter().map(field).collect()
    }

    /// How many bytes an element takes: all of them, but for arrays.
    #[getter]
    fn element_size(&self) -> usize {
        self.0.element_size()
    }

    /// The type in words: `int32[3]`.
    #[getter]
    fn type_name(&self) -> String {
        self.0.type_name()
    }

    /// The numpy dtype of a record. Raises `ImportError` without numpy.
    ///
    /// >>> from unipc import Layout
    /// >>> Layout("T{4s:name:i:age:}").dtype.fields["age"]
    /// (dtype('int32'), 4)
    #[getter]
    fn dtype<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        py.import(intern!(py, "unipc._layout"))?.call_method1(intern!(py, "dtype_of"), (slf,))
    }

    /// A ctypes type for the record. `name` is what the class of a structure is called.
    ///
    /// >>> from unipc import Layout
    /// >>> people = (Layout("T{4s:name:i:age:}").ctypes("People") * 2)()
    /// >>> people[1].age = 21
    ///
    /// Raises `TypeError` for what ctypes has no type for: half floats, complex numbers, a structure that is laid out by hand with
    /// gaps that C would not leave.
    #[pyo3(signature = (name = "Record"))]
    fn ctypes<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        py.import(intern!(py, "unipc._layout"))?.call_method1(intern!(py, "ctypes_of"), (slf, name))
    }

    /// The declaration of `struct name` in C, with a `_Static_assert` for its size and each offset.
    ///
    /// >>> from unipc import Layout
    /// >>> print(Layout("T{4s:name:i:age:}").c("people").split("_Static")[0], end="")
    /// struct people {
    ///     char name[4];
    ///     int32_t age;
    /// };
    fn c(&self, name: &str) -> PyResult<String> {
        self.0.to_c(name).map_err(raise)
    }

    /// Raises `LayoutError` when `other`, the layout of an object, differs: the first field that does is named, with both offsets and
    /// both types.
    fn check(&self, other: LayoutArgument) -> PyResult<()> {
        let checked = self.0.check(&other.0);
        checked.map_err(|kind| raise(Error::new("check", other.0, kind)))
    }

    /// An array of these.
    fn __getitem__(&self, shape: &Bound<'_, PyAny>) -> PyResult<Self> {
        let shape: Vec<usize> = match shape.cast::<PyTuple>() {
            Ok(shape) => shape.extract()?,
            Err(_) => vec![shape.extract()?],
        };
        let mut layout = record::Layout::clone(&self.0);
        for &count in shape.iter().rev() {
            layout = layout.repeated(count).map_err(raise)?;
        }
        Ok(Self(Arc::new(layout)))
    }

    fn __eq__(&self, other: PyRef<'_, Self>) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("Layout('{}')", self.0)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String,)) {
        (slf.get_type().into_any(), (slf.get().0.to_string(),))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Views that know what the bytes mean: NumPy arrays and ctypes objects.

use pyo3::exceptions::{PyImportError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::{SharedMemory, helper};
use crate::error::raise;

/// How many elements, and in which form: one number, lengths, or None for as many as fit.
enum Shape<'py> {
    All,
    Flat(isize),
    Lengths(Bound<'py, PyTuple>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Shape<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_none() {
            return Ok(Self::All);
        }
        match object.cast::<PyTuple>() {
            Ok(lengths) => Ok(Self::Lengths(lengths.to_owned())),
            Err(_) => object.extract().map(Self::Flat),
        }
    }
}

/// The three functions of NumPy that make an array; None where it is not installed.
struct Numpy {
    dtype: Py<PyAny>,
    frombuffer: Py<PyAny>,
    empty: Py<PyAny>,
}

fn numpy(py: Python<'_>) -> PyResult<Option<&Numpy>> {
    static NUMPY: PyOnceLock<Numpy> = PyOnceLock::new();
    let found = NUMPY.get_or_try_init(py, || {
        let module = py.import("numpy")?;
        Ok(Numpy {
            dtype: module.getattr("dtype")?.unbind(),
            frombuffer: module.getattr("frombuffer")?.unbind(),
            empty: module.getattr("empty")?.unbind(),
        })
    });
    match found {
        Err(error) if error_is_import(py, &error) => Ok(None),
        other => other.map(Some),
    }
}

fn error_is_import(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyImportError>(py)
}

impl SharedMemory {
    /// How many elements of this size the shape has, after a check that they fit.
    fn count(
        &self,
        py: Python<'_>,
        size: usize,
        shape: &Shape<'_>,
        offset: usize,
    ) -> PyResult<usize> {
        if size == 0 {
            return Err(PyValueError::new_err("elements of 0 bytes do not fill anything"));
        }
        let shm = self.get(py)?;
        let count = match shape {
            // Not even one may fit, as the check will say.
            Shape::All => (shm.len().saturating_sub(offset) / size).max(1),
            Shape::Flat(count) => length(*count)?,
            Shape::Lengths(lengths) => {
                lengths.iter().try_fold(1_usize, |product: usize, one| {
                    Ok::<_, PyErr>(product.saturating_mul(length(one.extract()?)?))
                })?
            }
        };
        // What no address space holds lies outside as well.
        shm.ptr_at(offset, count.saturating_mul(size)).map_err(raise)?;
        Ok(count)
    }
}

fn length(number: isize) -> PyResult<usize> {
    usize::try_from(number).map_err(|_| PyValueError::new_err("a shape has no negative lengths"))
}

#[pymethods]
impl SharedMemory {
    /// A NumPy array on the bytes from `offset` on, without copying; read-only if the mapping is.
    ///
    /// `dtype` is whatever `numpy.dtype` takes; `shape` counts elements, None for as many as fit. Without NumPy the
    /// result is a memoryview, and `dtype` one of the letters of the `struct` module ("i", "d", "B").
    ///
    /// The array counts as a view: `close` is a `BufferError` until it is gone.
    ///
    /// Raises `OSError` with `ERANGE` when the elements do not fit.
    ///
    /// >>> from unipc import SharedMemory
    /// >>> with SharedMemory.create("anon:", 80) as shm:
    /// ...     squares = shm.array("i", 10)
    /// ...     for i in range(10):
    /// ...         squares[i] = i * i
    /// ...     shm.array("i", offset=8)[:3].tolist()
    /// ...     del squares
    /// [4, 9, 16]
    #[pyo3(signature = (dtype, shape = None, offset = 0))]
    fn array<'py>(
        slf: &Bound<'py, Self>,
        dtype: &Bound<'py, PyAny>,
        shape: Option<Shape<'py>>,
        offset: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let shape = shape.unwrap_or(Shape::All);
        let Some(numpy) = numpy(py)? else {
            return memoryview(slf, dtype, &shape, offset);
        };
        if matches!(shape, Shape::All) && offset == 0 {
            // What is asked for most, in one call. NumPy refuses elements that do not fill the bytes to the end.
            match numpy.frombuffer.bind(py).call1((slf, dtype)) {
                Err(error) if error.is_instance_of::<PyValueError>(py) => {}
                other => return other,
            }
        }
        let kind = &numpy.dtype.bind(py).call1((dtype,))?;
        let size: usize = kind.getattr(intern!(py, "itemsize"))?.extract()?;
        let count = slf.get().count(py, size, &shape, offset)?;
        let flat = if count == 0 {
            numpy.empty.bind(py).call1((0, kind))?
        } else {
            numpy.frombuffer.bind(py).call1((slf, kind, count, offset))?
        };
        match shape {
            Shape::Lengths(lengths) => {
                // An element may be an array itself, whose dimensions come last.
                let own = kind.getattr(intern!(py, "shape"))?.cast_into::<PyTuple>()?;
                let shape = lengths.as_sequence().concat(own.as_sequence())?;
                flat.call_method1(intern!(py, "reshape"), (shape,))
            }
            Shape::All | Shape::Flat(_) => Ok(flat),
        }
    }

    /// A ctypes object (a structure, an array of structures, an integer) on the bytes at `offset`, without copying.
    ///
    /// It counts as a view: `close` is a `BufferError` until it is gone.
    ///
    /// Raises `OSError` with `ERANGE` when it does not fit; `TypeError` on a read-only mapping, because ctypes has no
    /// read-only objects.
    ///
    /// >>> import ctypes
    /// >>> from unipc import SharedMemory
    /// >>> class People(ctypes.Structure):
    /// ...     _fields_ = [("name", ctypes.c_char * 4), ("age", ctypes.c_int)]
    /// >>> with SharedMemory.create("anon:", 80) as shm:
    /// ...     people = shm.view(People * 10)
    /// ...     people[1].name, people[1].age = b"c", 21
    /// ...     shm.load_u32(12)
    /// ...     del people
    /// 21
    #[pyo3(signature = (kind, offset = 0))]
    fn view<'py>(
        slf: &Bound<'py, Self>,
        kind: &Bound<'py, PyAny>,
        offset: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let size: usize = py.import("ctypes")?.call_method1("sizeof", (kind,))?.extract()?;
        slf.get().get(py)?.ptr_at(offset, size).map_err(raise)?;
        if slf.get().read_only {
            let called =
                kind.getattr("__name__").map_or("the type".into(), |name| name.to_string());
            return Err(PyTypeError::new_err(format!(
                "{} is mapped read-only and ctypes objects can be written: copy with \
                 {called}.from_buffer_copy(shm, offset), or use array() for a read-only view",
                slf.get().name
            )));
        }
        kind.call_method1("from_buffer", (slf, offset))
    }
}

/// What `array` gives where there is no NumPy.
fn memoryview<'py>(
    slf: &Bound<'py, SharedMemory>,
    code: &Bound<'py, PyAny>,
    shape: &Shape<'py>,
    offset: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let size = helper(py, intern!(py, "_size_of"))?.call1((code,))?.extract()?;
    let count = slf.get().count(py, size, shape, offset)?;
    let keywords = PyDict::new(py);
    if let Shape::Lengths(lengths) = shape {
        keywords.set_item("shape", lengths)?;
    }
    let bytes = helper(py, intern!(py, "_bytes_at"))?.call1((slf, offset, count * size))?;
    bytes.call_method("cast", (code,), Some(&keywords))
}

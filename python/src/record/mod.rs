// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in shared memory: the classes of `unipc.record`.

mod array;
mod cell;
mod directory;
mod layout;

use std::sync::Arc;

use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::record::Options;

pub(crate) use array::Array;
pub(crate) use cell::Cell;
pub(crate) use directory::{PlaceTable, kind_at};
pub(crate) use layout::Layout;

use crate::buffer::Lent;
use crate::sync::mode;

/// A layout as Python gives it: whatever `Layout` takes.
pub(crate) struct LayoutArgument(pub(crate) Arc<unipc::record::Layout>);

impl<'a, 'py> FromPyObject<'a, 'py> for LayoutArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        layout::of(&object).map(Self)
    }
}

/// The bytes of an object, lent or copied: those that do not lie side by side can only be copied.
pub(crate) fn lend<R>(
    object: &Bound<'_, PyAny>,
    work: impl FnOnce(&[u8]) -> PyResult<R>,
) -> PyResult<R> {
    let py = object.py();
    match Lent::readable(object) {
        Err(error) if error.is_instance_of::<PyBufferError>(py) => {
            let copy = py.get_type::<PyBytes>().call1((object,))?;
            work(copy.cast::<PyBytes>()?.as_bytes())
        }
        lent => work(lent?.bytes()),
    }
}

fn options(bits: u32) -> PyResult<Options> {
    Ok(Options::new().mode(mode(bits)?))
}

/// What opens the object in the process to which it was pickled: `unipc.record._reopen` with what it needs.
fn reopen<'py>(
    py: Python<'py>,
    class: &'static str,
    place: Py<PyAny>,
    offset: usize,
    read_only: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
    let function = py.import("unipc.record")?.getattr("_reopen")?;
    Ok((function, (class, place, offset, read_only).into_pyobject(py)?))
}

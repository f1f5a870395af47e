// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages that are records: what is sent becomes bytes, and what comes numpy records.

use std::mem::MaybeUninit;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use unipc::record::Layout;

use super::many;
use crate::buffer::Lent;
use crate::record;

/// The layout of a channel's messages.
pub(super) struct Records {
    layout: Arc<Layout>,
    dtype: PyOnceLock<Py<PyAny>>,
}

impl Records {
    pub(super) fn of(layout: Option<&Layout>) -> Option<Self> {
        let layout = Arc::new(layout?.clone());
        Some(Self { layout, dtype: PyOnceLock::new() })
    }

    pub(super) fn layout(&self) -> record::Layout {
        record::Layout::new(Arc::clone(&self.layout))
    }

    /// The numpy dtype of a record. Errors: `ImportError` without numpy.
    pub(super) fn dtype<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let made = self.dtype.get_or_try_init(py, || {
            let helpers = py.import(intern!(py, "unipc._layout"))?;
            let dtype = helpers.call_method1(intern!(py, "dtype_of"), (self.layout(),))?;
            Ok::<_, PyErr>(dtype.unbind())
        })?;
        Ok(made.bind(py))
    }

    /// One record: what `receive` puts into a row of one.
    pub(super) fn one<'py>(
        &self,
        py: Python<'py>,
        receive: impl FnOnce(&mut [MaybeUninit<u8>], usize) -> PyResult<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        many::array(py, 1, self.dtype(py)?, receive)?.get_item(0)
    }
}

/// The bytes of a message: of anything that lends or copies them; with a layout also of what numpy makes a record of.
pub(super) fn with_bytes<R>(
    records: Option<&Records>,
    message: &Bound<'_, PyAny>,
    work: impl FnOnce(&[u8]) -> PyResult<R>,
) -> PyResult<R> {
    if let Ok(bytes) = message.cast_exact::<PyBytes>() {
        return work(bytes.as_bytes());
    }
    let Some(records) = records else {
        return work(Lent::readable(message)?.bytes());
    };
    let py = message.py();
    match Lent::readable(message) {
        Ok(lent) => work(lent.bytes()),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let helpers = py.import(intern!(py, "unipc._layout"))?;
            let made = (records.layout(), message);
            let bytes = helpers.call_method1(intern!(py, "record_bytes"), made)?;
            work(bytes.cast::<PyBytes>()?.as_bytes())
        }
        Err(_) => record::lend(message, work),
    }
}

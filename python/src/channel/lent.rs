// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages where they lie: views into the ring, for the time of a `with` block.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyMemoryView, PyTuple};
use unipc::Timeout;
use unipc::channel::{QueueReceiver, QueueSender, Subscriber, Topic};

use super::half::Half;
use crate::buffer::export;
use crate::error::raise;

/// Ends what was lent: True when the block ended well.
type End = Box<dyn FnOnce(bool) -> unipc::Result<()> + Send>;

/// A message that is lent, or room for one: `with` gives a memoryview of it.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct Loan {
    address: usize,
    length: usize,
    read_only: bool,
    end: Mutex<Option<End>>,
    views: AtomicUsize,
    /// What `with` gave.
    given: Mutex<Option<Py<PyMemoryView>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Loan {
    fn new(address: usize, length: usize, read_only: bool, end: End) -> Self {
        let (end, given) = (Mutex::new(Some(end)), Mutex::new(None));
        Self { address, length, read_only, end, views: AtomicUsize::new(0), given }
    }

    /// A queue's next message.
    pub(super) fn of_queue(
        py: Python<'_>,
        owner: &Arc<Half<QueueReceiver>>,
        timeout: Timeout,
    ) -> PyResult<Self> {
        let (mut half, (address, length)) = owner.call_and_keep(py, timeout, |half, left| {
            half.peek(left).map(|(address, length)| (address.expose_provenance(), length))
        })?;
        let owner = Arc::clone(owner);
        Ok(Self::new(
            address,
            length,
            true,
            Box::new(move |well| {
                let result = if well { half.release() } else { half.leave() };
                owner.put(half);
                result
            }),
        ))
    }

    /// A subscriber's next message.
    pub(super) fn of_topic(
        py: Python<'_>,
        owner: &Arc<Half<Subscriber>>,
        timeout: Timeout,
    ) -> PyResult<Self> {
        let (mut half, (address, length)) = owner.call_and_keep(py, timeout, |half, left| {
            half.peek(left).map(|(address, length)| (address.expose_provenance(), length))
        })?;
        let owner = Arc::clone(owner);
        Ok(Self::new(
            address,
            length,
            true,
            Box::new(move |well| {
                let result = if well { half.release().map(drop) } else { half.leave() };
                owner.put(half);
                result
            }),
        ))
    }

    /// Room in a queue.
    pub(super) fn in_queue(
        py: Python<'_>,
        owner: &Arc<Half<QueueSender>>,
        size: usize,
        timeout: Timeout,
    ) -> PyResult<Self> {
        let (mut half, address) = owner.call_and_keep(py, timeout, |half, left| {
            half.reserve(size, left).map(<*mut u8>::expose_provenance)
        })?;
        let owner = Arc::clone(owner);
        Ok(Self::new(
            address,
            size,
            false,
            Box::new(move |well| {
                let result = if well { half.commit(size) } else { half.abort() };
                owner.put(half);
                result
            }),
        ))
    }

    /// Room in a topic.
    pub(super) fn in_topic(
        py: Python<'_>,
        owner: &Arc<Half<Topic>>,
        size: usize,
        timeout: Timeout,
    ) -> PyResult<Self> {
        let (mut half, address) = owner.call_and_keep(py, timeout, |half, left| {
            half.reserve(size, left).map(<*mut u8>::expose_provenance)
        })?;
        let owner = Arc::clone(owner);
        Ok(Self::new(
            address,
            size,
            false,
            Box::new(move |well| {
                let result = if well { half.commit(size) } else { half.abort() };
                owner.put(half);
                result
            }),
        ))
    }

    /// Errors: `BufferError` while there are views; nothing is ended then.
    fn finish(&self, well: bool) -> PyResult<()> {
        // SYNC: pairs with the release in `__releasebuffer__`.
        match self.views.load(Ordering::Acquire) {
            0 => {}
            views => {
                return Err(PyBufferError::new_err(format!(
                    "{views} views of the message are alive; delete or release them before the block ends"
                )));
            }
        }
        let end = locked(&self.end).take();
        end.map_or(Ok(()), |end| end(well).map_err(raise))
    }
}

#[pymethods]
impl Loan {
    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyMemoryView>> {
        let view = PyMemoryView::from(slf.as_any())?;
        *locked(&slf.get().given) = Some(view.clone().unbind());
        Ok(view)
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let given = locked(&self.given).take();
        if let Some(view) = given {
            // An error when something was made of it that is alive, as an array.
            view.bind(py).call_method0(intern!(py, "release"))?;
        }
        self.finish(exception.get_item(0).is_ok_and(|kind| kind.is_none()))
    }

    fn __len__(&self) -> usize {
        self.length
    }

    // SAFETY: called by Python's buffer protocol alone, which passes a view to fill and gives each back once.
    unsafe fn __getbuffer__(
        slf: &Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let this = slf.get();
        if locked(&this.end).is_none() {
            return Err(PyValueError::new_err("the block that this belongs to has ended"));
        }
        let start = std::ptr::with_exposed_provenance_mut(this.address);
        // SAFETY: Python passes a valid view; the ring stays mapped and the bytes are this object's until it is ended, which
        // views prevent.
        unsafe { export(slf, view, (start, this.length), this.read_only, flags) }?;
        // SYNC: relaxed is enough, the interpreter orders it.
        this.views.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    // SAFETY: as above; nothing is done with the view, which has nothing to free.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
        // SYNC: release pairs with the acquire in `finish`.
        self.views.fetch_sub(1, Ordering::Release);
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let _ = self.finish(false);
    }
}

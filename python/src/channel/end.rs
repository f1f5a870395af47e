// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the ends of channels have in common.

use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use pyo3::PyClass;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unipc::Name;

use super::half::Half;
use crate::error::{closed, raise};
use crate::shm::SharedMemory;
use crate::sync::Site;

/// A half, whatever it does.
trait Closing: Send + Sync {
    fn name(&self) -> &Name;
    fn is_closed(&self) -> bool;
    fn close(&self);
}

impl<T: Send> Closing for Half<T> {
    fn name(&self) -> &Name {
        self.name()
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn close(&self) {
        self.close();
    }
}

/// An end of a channel: `Queue`, `Topic`, `Subscriber`, `Service`, `Client`.
#[pyclass(frozen, subclass, weakref, module = "unipc._native")]
pub(crate) struct ChannelEnd {
    class: &'static str,
    half: Arc<dyn Closing>,
    /// Where there are two of them.
    other: Option<Arc<dyn Closing>>,
    /// From where another process opens it, where that is known.
    origin: Option<Origin>,
}

/// What opens an end again.
#[derive(Clone)]
pub(super) struct Origin {
    site: Arc<Site>,
    spin: bool,
}

impl Origin {
    /// Not of a descriptor, which has no place.
    pub(super) fn new(site: Option<Site>, spin: bool) -> Option<Self> {
        site.map(|site| Self { site: Arc::new(site), spin })
    }
}

impl ChannelEnd {
    /// An end with one half.
    pub(super) fn of<T: Send + 'static>(class: &'static str, half: &Arc<Half<T>>) -> Self {
        Self { class, half: Arc::clone(half) as Arc<dyn Closing>, other: None, origin: None }
    }

    /// Which can be opened from there.
    pub(super) fn from(self, origin: Option<Origin>) -> Self {
        Self { origin, ..self }
    }

    /// For another end of the same channel.
    pub(super) fn origin(&self, spin: bool) -> Option<Origin> {
        self.origin.clone().map(|origin| Origin { spin, ..origin })
    }

    /// With another one.
    pub(super) fn and<T: Send + 'static>(self, other: &Arc<Half<T>>) -> Self {
        Self { other: Some(Arc::clone(other) as Arc<dyn Closing>), ..self }
    }

    /// The object of a class that extends this one.
    pub(super) fn extended<C>(self, py: Python<'_>, end: C) -> PyResult<Py<C>>
    where
        C: PyClass<BaseType = Self>,
        PyClassInitializer<C>: From<(C, Self)>,
    {
        Py::new(py, (end, self))
    }
}

#[pymethods]
impl ChannelEnd {
    /// The channel's name.
    #[getter]
    fn name(&self) -> OsString {
        self.half.name().to_os_string()
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.half.is_closed()
    }

    /// Closes the handle; the channel stays. A call that another thread is in goes on to its end.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            self.half.close();
            if let Some(other) = &self.other {
                other.close();
            }
        });
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        if slf.get().closed() {
            return Err(closed(slf.get().half.name()));
        }
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    /// What opens it in the process to which it is pickled. A memfd has no name by which that could be done.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        if self.closed() {
            return Err(closed(self.half.name()));
        }
        let origin = self.origin.as_ref().map(|it| (it.site.arguments(py), it.spin));
        let Some(((place, offset), spin)) = origin.filter(|((place, _), _)| {
            let is_memory = place.bind(py).is_instance_of::<SharedMemory>();
            is_memory || !matches!(self.half.name(), Name::Memfd(_))
        }) else {
            return Err(PyTypeError::new_err(
                "an end of a channel without a name cannot be pickled: pass its memory_fd and open that there, or \
                 create it in a SharedMemory, which can be pickled",
            ));
        };
        let function = py.import("unipc._channel")?.getattr("_reopen")?;
        (function, (self.class, place, offset, spin)).into_pyobject(py)
    }

    fn __repr__(&self) -> String {
        let closed = if self.closed() { " closed" } else { "" };
        format!("<unipc.{} '{}'{closed}>", self.class, self.half.name())
    }
}

/// A descriptor of a channel's memory that is this end's own.
pub(super) fn memory(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    fd.try_clone_to_owned().ok()
}

/// Removes the channel of this name.
pub(super) fn unlink(py: Python<'_>, name: &Name) -> PyResult<()> {
    py.detach(|| unipc::SharedMemory::unlink(name)).map_err(raise)
}

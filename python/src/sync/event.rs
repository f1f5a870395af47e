// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flag.

use pyo3::prelude::*;
use unipc::Timeout;

use super::get;
use crate::aio::Waiter;
use crate::error::raise;
use crate::wait::TimeoutArgument;

use super::{How, PlaceArgument, Site};

/// A flag that is set or not, and for which any number of threads of any process wait.
///
/// `auto_reset`: each `set` lets one waiter pass, instead of all until `reset`. `place`, `offset` and `mode` are as for `Mutex`.
/// In a `SharedMemory` it takes `Event.SIZE` bytes (256) from `offset` on: data go behind them.
///
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import Event
/// >>> ready = Event(SharedMemory.create("anon:", 4096))
/// >>> ready.wait(timeout=0)
/// False
/// >>> ready.set()
/// >>> ready.wait()
/// True
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct Event {
    pub(crate) object: unipc::sync::Event,
    site: Site,
}

impl Event {
    fn options() -> unipc::sync::EventOptions {
        unipc::sync::Event::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        options: &unipc::sync::EventOptions,
    ) -> PyResult<Self> {
        let place = PlaceArgument::new(place, offset)?;
        let object = place.reach(|place| match how {
            How::Open => options.open(place),
            How::Create => options.create(place),
            How::OpenOrCreate => options.open_or_create(place),
        })?;
        Ok(Self { object, site: place.site() })
    }
}

#[pymethods]
impl Event {
    /// How many bytes it takes in the robust form.
    #[classattr]
    const SIZE: usize = unipc::sync::Event::SIZE;

    #[new]
    #[pyo3(signature = (place, offset = 0, *, auto_reset = false, mode = 0o600))]
    fn new(place: &Bound<'_, PyAny>, offset: usize, auto_reset: bool, mode: u32) -> PyResult<Self> {
        Self::at(
            How::OpenOrCreate,
            place,
            offset,
            &Self::options().auto_reset(auto_reset).mode(super::mode(mode)?),
        )
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, auto_reset = false, mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        offset: usize,
        auto_reset: bool,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(
            How::Create,
            place,
            offset,
            &Self::options().auto_reset(auto_reset).mode(super::mode(mode)?),
        )
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0))]
    fn open(place: &Bound<'_, PyAny>, offset: usize) -> PyResult<Self> {
        Self::at(How::Open, place, offset, &Self::options())
    }

    /// Sets the flag, and wakes whom it lets pass: all who wait, or with `auto_reset` one.
    fn set(&self) -> PyResult<()> {
        self.object.set().map_err(raise)
    }

    /// Takes the flag back.
    fn reset(&self) -> PyResult<()> {
        self.object.reset().map_err(raise)
    }

    /// Waits until it is set; False when the time is over. With `auto_reset` the one that passes takes it back.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        let got = get(py, timeout.0, unipc::sync::Form::Robust, |left| self.object.wait(left))?;
        Ok(got.is_some())
    }

    /// Is it set at this moment?
    fn is_set(&self) -> bool {
        self.object.is_set()
    }

    /// Does it reset by itself?
    #[getter]
    fn auto_reset(&self) -> bool {
        self.object.is_auto_reset()
    }

    /// The numbers of threads that sleep, as far as there was room.
    fn waiters(&self) -> Vec<u32> {
        self.object.waiters()
    }

    /// Waits in a task of asyncio until it is set: `await event.wait_async()`. Cancelled, it leaves nothing behind.
    fn wait_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_lock(slf, slf, "wait")
    }

    /// How errors call it: the name of the memory, and the offset in it.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __repr__(&self) -> String {
        format!("<unipc.sync.Event {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let (place, offset) = slf.get().site.arguments(slf.py());
        super::reopen(slf.py(), "Event", place, offset, None)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Done once.

use pyo3::prelude::*;
use unipc::Timeout;
use unipc::sync::{Acquired, Form};

use super::status::ThreadId;
use crate::error::raise;
use crate::wait::{TimeoutArgument, wait};

use super::{How, PlaceArgument, Site, in_pieces, look};

/// Something that one thread of one process does, and for which all others wait.
///
/// `place`, `offset` and `mode` are as for `Mutex`. When the one that does it dies, the next begins anew.
/// In a `SharedMemory` it takes `Once.SIZE` bytes (256) from `offset` on: data go behind them.
///
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import Once
/// >>> once = Once(SharedMemory.create("anon:", 4096))
/// >>> once.call(lambda: print("made"))
/// made
/// True
/// >>> once.call(lambda: print("made"))
/// False
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct Once {
    pub(crate) object: unipc::sync::Once,
    site: Site,
}

impl Once {
    fn options() -> unipc::sync::OnceOptions {
        unipc::sync::Once::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        options: &unipc::sync::OnceOptions,
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
impl Once {
    /// How many bytes it takes in the robust form.
    #[classattr]
    const SIZE: usize = unipc::sync::Once::SIZE;

    #[new]
    #[pyo3(signature = (place, offset = 0, *, mode = 0o600))]
    fn new(place: &Bound<'_, PyAny>, offset: usize, mode: u32) -> PyResult<Self> {
        Self::at(How::OpenOrCreate, place, offset, &Self::options().mode(super::mode(mode)?))
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, mode = 0o600))]
    fn create(place: &Bound<'_, PyAny>, offset: usize, mode: u32) -> PyResult<Self> {
        Self::at(How::Create, place, offset, &Self::options().mode(super::mode(mode)?))
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0))]
    fn open(place: &Bound<'_, PyAny>, offset: usize) -> PyResult<Self> {
        Self::at(How::Open, place, offset, &Self::options())
    }

    /// "done"; or "begin", and it is this thread's to do until it calls `complete` or `abandon`; or "begin again", when somebody
    /// who died has begun before.
    ///
    /// Raises `TimeoutError` (`BlockingIOError` for 0) when somebody is doing it and the time is over; `OSError`: `EDEADLK` when that is
    /// this thread.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn begin(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<&'static str> {
        if self.object.is_done() {
            return Ok("done");
        }
        let begin = |left| self.object.begin(left);
        Ok(match wait(py, timeout.0, |left| in_pieces(left, look(Form::Robust), &begin))? {
            None => "done",
            Some(Acquired::Clean) => "begin",
            Some(Acquired::OwnerDied) => "begin again",
        })
    }

    /// Says that it is done. Raises `PermissionError` when this thread is not doing it.
    fn complete(&self) -> PyResult<()> {
        self.object.complete().map_err(raise)
    }

    /// Leaves it to the next. Raises `PermissionError` when this thread is not doing it.
    fn abandon(&self) -> PyResult<()> {
        self.object.abandon().map_err(raise)
    }

    /// Calls `function()` unless it was done; True when this call did it. When it raises, the next call does it again.
    #[pyo3(signature = (function, timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, function, timeout=None)")]
    fn call(&self, function: &Bound<'_, PyAny>, timeout: TimeoutArgument) -> PyResult<bool> {
        if self.begin(function.py(), timeout)? == "done" {
            return Ok(false);
        }
        match function.call0() {
            Ok(_) => self.complete().map(|()| true),
            Err(error) => {
                self.abandon()?;
                Err(error)
            }
        }
    }

    /// Is it done?
    #[getter]
    fn done(&self) -> bool {
        self.object.is_done()
    }

    /// Who is doing it.
    fn holder(&self) -> Option<ThreadId> {
        self.object.holder().map(ThreadId::from)
    }

    /// The numbers of threads that sleep, as far as there was room.
    fn waiters(&self) -> Vec<u32> {
        self.object.waiters()
    }

    /// How errors call it: the name of the memory, and the offset in it.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __repr__(&self) -> String {
        format!("<unipc.sync.Once {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let (place, offset) = slf.get().site.arguments(slf.py());
        super::reopen(slf.py(), "Once", place, offset, None)
    }
}

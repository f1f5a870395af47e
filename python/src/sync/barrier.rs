// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meeting.

use pyo3::prelude::*;
use unipc::Timeout;
use unipc::sync::Form;

use super::status::{ThreadId, threads};
use crate::error::raise;
use crate::wait::{TimeoutArgument, wait};

use super::{How, PlaceArgument, Site, form_name, in_pieces, look};

/// A barrier: each of its parties waits until all have arrived.
///
/// `parties` is 1 to 65536; `place`, `offset`, `form` and `mode` are as for `Mutex`.
/// In a `SharedMemory` it takes `Barrier.size(parties)` bytes (256, and 64 for each party) from `offset` on: data go behind them.
///
/// A party that dies while it waits breaks the barrier, and so does one that has called `join` whenever it dies.
///
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import Barrier
/// >>> barrier = Barrier(SharedMemory.create("anon:", 4096), 1)
/// >>> barrier.wait()
/// True
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct Barrier {
    object: unipc::sync::Barrier,
    site: Site,
}

impl Barrier {
    fn options() -> unipc::sync::BarrierOptions {
        unipc::sync::Barrier::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        parties: u32,
        options: &unipc::sync::BarrierOptions,
    ) -> PyResult<Self> {
        let place = PlaceArgument::new(place, offset)?;
        let object = place.reach(|place| match how {
            How::Open => options.open(place),
            How::Create => options.create(place, parties),
            How::OpenOrCreate => options.open_or_create(place, parties),
        })?;
        Ok(Self { object, site: place.site() })
    }
}

#[pymethods]
impl Barrier {
    /// How many bytes one for so many takes in the robust form.
    #[staticmethod]

    fn size(parties: u32) -> usize {
        unipc::sync::Barrier::size(parties)
    }

    #[new]
    #[pyo3(signature = (place, parties, offset = 0, *, form = "robust", mode = 0o600))]
    fn new(
        place: &Bound<'_, PyAny>,
        parties: u32,
        offset: usize,
        form: &str,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(
            How::OpenOrCreate,
            place,
            offset,
            parties,
            &Self::options().form(super::form(form)?).mode(super::mode(mode)?),
        )
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, parties, offset = 0, *, form = "robust", mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        parties: u32,
        offset: usize,
        form: &str,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(
            How::Create,
            place,
            offset,
            parties,
            &Self::options().form(super::form(form)?).mode(super::mode(mode)?),
        )
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust"))]
    fn open(place: &Bound<'_, PyAny>, offset: usize, form: &str) -> PyResult<Self> {
        Self::at(How::Open, place, offset, 0, &Self::options().form(super::form(form)?))
    }

    /// Arrives, and waits until all parties have. True for one of them, the last.
    ///
    /// Raises `OwnerDiedError` when the barrier is broken; `TimeoutError` (`BlockingIOError` for 0) when the time is over, which takes the
    /// arrival back and breaks nothing; `OSError`: `EBUSY` when more threads than parties use it. The pthread form waits
    /// for ever, and Ctrl-C does not end it.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        let form = self.object.form();
        wait(py, timeout.0, |left| match form {
            Form::Robust => in_pieces(left, look(form), &|left| self.object.wait(left)),
            // It has no time limit.
            Form::Pthread => self.object.wait(left),
        })
    }

    /// Makes this thread known as a party: from now on its death breaks the barrier, also between its waits, and so does its end without
    /// `leave`.
    fn join(&self) -> PyResult<()> {
        self.object.join().map_err(raise)
    }

    /// Ends what `join` began. Raises `PermissionError` when this thread has not joined.
    fn leave(&self) -> PyResult<()> {
        self.object.leave().map_err(raise)
    }

    /// Breaks the barrier: all who wait, and all who come, get `OwnerDiedError`.
    fn abort(&self) -> PyResult<()> {
        self.object.abort().map_err(raise)
    }

    /// Makes a broken barrier whole again. Who still waits there gets `OwnerDiedError`.
    fn reset(&self) -> PyResult<()> {
        self.object.reset().map_err(raise)
    }

    /// Is it broken? A pthread barrier does not know.
    #[getter]
    fn broken(&self) -> bool {
        self.object.is_broken()
    }

    /// How many parties it is for; 0 for a pthread barrier that was only opened.
    #[getter]
    fn parties(&self) -> u32 {
        self.object.parties()
    }

    /// How many wait in this round.
    #[getter]
    fn arrived(&self) -> u32 {
        self.object.arrived()
    }

    /// The threads that have joined or wait.
    fn holders(&self) -> Vec<ThreadId> {
        threads(self.object.holders())
    }

    /// "robust" or "pthread".
    #[getter]
    fn form(&self) -> &'static str {
        form_name(self.object.form())
    }

    /// How errors call it: the name of the memory, and the offset in it.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __repr__(&self) -> String {
        format!("<unipc.sync.Barrier {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let this = slf.get();
        let (place, offset) = this.site.arguments(slf.py());
        super::reopen(slf.py(), "Barrier", place, offset, Some(this.form()))
    }
}

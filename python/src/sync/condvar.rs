// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for a change.

use pyo3::prelude::*;
use unipc::sync::Acquired;
use unipc::{ErrorKind, Timeout};

use super::mutex::Mutex;
use super::{is_over, look};
use crate::error::raise;
use crate::handle::check_signals;
use crate::wait::TimeoutArgument;

use super::{How, PlaceArgument, Site, form_name};

/// A condition variable: threads of any process wait for a change of what a `Mutex` guards.
///
/// `place`, `offset`, `form` and `mode` are as for `Mutex`, which must have the same form.
/// In a `SharedMemory` it takes `Condvar.SIZE` bytes (256) from `offset` on: data go behind them.
///
/// A waiter that is killed leaves nothing behind; should it have been the one that a notice woke, the notice comes to another.
///
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import Condvar, Mutex
/// >>> shm = SharedMemory.create("anon:", 4096)
/// >>> mutex, filled = Mutex(shm, 0), Condvar(shm, Mutex.SIZE)
/// >>> with mutex:
/// ...     filled.wait_for(mutex, lambda: shm.load_u32(1024) > 0, timeout=0.01)
/// False
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct Condvar {
    object: unipc::sync::Condvar,
    site: Site,
}

impl Condvar {
    fn options() -> unipc::sync::CondvarOptions {
        unipc::sync::Condvar::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        options: &unipc::sync::CondvarOptions,
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
impl Condvar {
    /// How many bytes it takes in the robust form.
    #[classattr]
    const SIZE: usize = unipc::sync::Condvar::SIZE;

    #[new]
    #[pyo3(signature = (place, offset = 0, *, form = "robust", mode = 0o600))]
    fn new(place: &Bound<'_, PyAny>, offset: usize, form: &str, mode: u32) -> PyResult<Self> {
        Self::at(
            How::OpenOrCreate,
            place,
            offset,
            &Self::options().form(super::form(form)?).mode(super::mode(mode)?),
        )
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust", mode = 0o600))]
    fn create(place: &Bound<'_, PyAny>, offset: usize, form: &str, mode: u32) -> PyResult<Self> {
        Self::at(
            How::Create,
            place,
            offset,
            &Self::options().form(super::form(form)?).mode(super::mode(mode)?),
        )
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust"))]
    fn open(place: &Bound<'_, PyAny>, offset: usize, form: &str) -> PyResult<Self> {
        Self::at(How::Open, place, offset, &Self::options().form(super::form(form)?))
    }

    /// Unlocks the mutex, waits for a notice, and locks again. False when the time is over, also then with the mutex held. It may end
    /// without a notice: always look again at what you wait for, or use `wait_for`. `mutex.owner_died` tells whether a holder
    /// died meanwhile.
    ///
    /// Raises `PermissionError` when this thread does not hold the mutex; `NotRecoverableError` when it was retired meanwhile, and is
    /// not held; `OSError`: `EINVAL` when the forms differ or it is locked more than once.
    #[pyo3(signature = (mutex, timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, mutex, timeout=None)")]
    fn wait(&self, py: Python<'_>, mutex: &Mutex, timeout: TimeoutArgument) -> PyResult<bool> {
        let look = look(self.object.form());
        let left = match timeout.0 {
            Timeout::Forever => Timeout::After(look),
            Timeout::After(left) => Timeout::After(left.min(look)),
        };
        let mut acquired = Acquired::Clean;
        let waited = py.detach(|| self.object.wait_raw(mutex.object(), left, &mut acquired));
        match waited {
            Ok(()) => Ok(true),
            // The caller looks again at what it waits for, which may have come meanwhile.
            Err(error) if error.errno() == libc::EINTR => check_signals(py).map(|()| true),
            Err(error) if *error.kind() == ErrorKind::TimedOut && left != timeout.0 => {
                check_signals(py).map(|()| true)
            }
            Err(error) if is_over(error.kind()) => Ok(false),
            Err(error) => Err(raise(error)),
        }
    }

    /// Waits until `predicate()` is true, and gives what it gave; what it gave last when the time is over.
    #[pyo3(signature = (mutex, predicate, timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, mutex, predicate, timeout=None)")]
    fn wait_for<'py>(
        &self,
        mutex: &Mutex,
        predicate: &Bound<'py, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyAny>> {
        let deadline = timeout.0.deadline();
        loop {
            let result = predicate.call0()?;
            if result.is_truthy()? || deadline.has_passed() {
                return Ok(result);
            }
            self.wait(predicate.py(), mutex, TimeoutArgument(deadline.remaining()))?;
        }
    }

    /// Wakes one of those who wait.
    fn notify_one(&self) -> PyResult<()> {
        self.object.notify_one().map_err(raise)
    }

    /// Wakes all who wait.
    fn notify_all(&self) -> PyResult<()> {
        self.object.notify_all().map_err(raise)
    }

    /// The numbers of threads that sleep, as far as there was room; none in the pthread form.
    fn waiters(&self) -> Vec<u32> {
        self.object.waiters()
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
        format!("<unipc.sync.Condvar {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let this = slf.get();
        let (place, offset) = this.site.arguments(slf.py());
        super::reopen(slf.py(), "Condvar", place, offset, Some(this.form()))
    }
}

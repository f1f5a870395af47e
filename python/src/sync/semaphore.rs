// SPDX-License-Identifier: MIT OR Apache-2.0
//! Permits.

use pyo3::prelude::*;
use unipc::Timeout;
use unipc::sync::SemaphoreOptions;

use super::status::{ThreadId, threads};
use super::{get, mode as permissions};
use crate::aio::Waiter;
use crate::error::raise;
use crate::wait::TimeoutArgument;

use super::{How, PlaceArgument, Site, form_name};

/// A counting semaphore whose every permit knows its holder.
///
/// It is used in two ways. `acquire` and `release`, or `with semaphore:`: a thread holds a permit for a while, and when it
/// dies the permit comes back. `wait` and `post`: one makes tokens, another takes them for good.
///
/// `value`: how many permits there are at first. `max`: how many there can be, up to 65536; as many as at first, but at least 64, unless
/// said otherwise; not for the pthread form, a `sem_t`. `place`, `offset`, `form` and `mode` are as for `Mutex`.
/// In a `SharedMemory` it takes `Semaphore.size(max)` bytes (256, and 64 for each permit that there can be) from `offset` on: data go behind them.
///
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import Semaphore
/// >>> seats = Semaphore(SharedMemory.create("anon:", 8192), 3)
/// >>> with seats:
/// ...     seats.value
/// 2
/// >>> seats.post()
/// >>> seats.value
/// 4
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct SyncSemaphore {
    pub(crate) object: unipc::sync::Semaphore,
    site: Site,
}

impl SyncSemaphore {
    fn options() -> unipc::sync::SemaphoreOptions {
        unipc::sync::Semaphore::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        value: u32,
        options: &unipc::sync::SemaphoreOptions,
    ) -> PyResult<Self> {
        let place = PlaceArgument::new(place, offset)?;
        let object = place.reach(|place| match how {
            How::Open => options.open(place),
            How::Create => options.create(place, value),
            How::OpenOrCreate => options.open_or_create(place, value),
        })?;
        Ok(Self { object, site: place.site() })
    }
}

fn options(form: &str, max: Option<u32>, mode: u32) -> PyResult<SemaphoreOptions> {
    let options = SyncSemaphore::options().form(super::form(form)?).mode(permissions(mode)?);
    Ok(match max {
        None => options,
        Some(max) => options.max(max),
    })
}

#[pymethods]
impl SyncSemaphore {
    /// How many bytes one for so many takes in the robust form.
    #[staticmethod]

    fn size(max: u32) -> usize {
        unipc::sync::Semaphore::size(max)
    }

    #[new]
    #[pyo3(signature = (place, value, offset = 0, *, form = "robust", max = None, mode = 0o600))]
    fn new(
        place: &Bound<'_, PyAny>,
        value: u32,
        offset: usize,
        form: &str,
        max: Option<u32>,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::OpenOrCreate, place, offset, value, &options(form, max, mode)?)
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, value, offset = 0, *, form = "robust", max = None, mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        value: u32,
        offset: usize,
        form: &str,
        max: Option<u32>,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::Create, place, offset, value, &options(form, max, mode)?)
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust"))]
    fn open(place: &Bound<'_, PyAny>, offset: usize, form: &str) -> PyResult<Self> {
        Self::at(How::Open, place, offset, 0, &Self::options().form(super::form(form)?))
    }

    /// Takes a permit, which this thread holds until `release`; False when the time is over. When the thread dies, the permit goes to the
    /// next. In the pthread form it is the same as `wait`.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn acquire(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        if self.object.acquire_at_once() {
            return Ok(true);
        }
        let got = get(py, timeout.0, self.object.form(), |left| self.object.acquire_raw(left))?;
        Ok(got.is_some())
    }

    /// Gives back the permit that this thread took last. In the pthread form it is the same as `post`.
    ///
    /// Raises `PermissionError` when this thread holds none.
    fn release(&self) -> PyResult<()> {
        self.object.release().map_err(raise)
    }

    /// Takes a permit for good, as `sem_wait` does; False when the time is over. Only `post` makes another.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        let got = get(py, timeout.0, self.object.form(), |left| self.object.wait(left))?;
        Ok(got.is_some())
    }

    /// Adds a permit, as `sem_post` does.
    ///
    /// Raises `OSError` with `EOVERFLOW`, when there are as many as there can be.
    fn post(&self) -> PyResult<()> {
        self.object.post().map_err(raise)
    }

    /// How many permits are free at this moment.
    #[getter]
    fn value(&self) -> u32 {
        self.object.value()
    }

    /// How many permits there can be.
    #[getter]
    fn max(&self) -> u32 {
        self.object.max()
    }

    /// The threads that hold permits, once for each; nobody is known in the pthread form.
    fn holders(&self) -> Vec<ThreadId> {
        threads(self.object.holders())
    }

    /// The numbers of threads that sleep, as far as there was room; none in the pthread form.
    fn waiters(&self) -> Vec<u32> {
        self.object.waiters()
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().acquire(slf.py(), TimeoutArgument(Timeout::Forever))?;
        Ok(slf)
    }

    // Three arguments, and not a tuple of them, which Python would make for the call.
    #[pyo3(signature = (_kind = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.release()
    }

    /// "robust" or "pthread".
    #[getter]
    fn form(&self) -> &'static str {
        form_name(self.object.form())
    }

    /// Takes a permit in a task of asyncio: `await semaphore.acquire_async()`. Other tasks run meanwhile, in the loop's own thread, and it is that thread that
    /// holds it. Cancelled, it has taken nothing and leaves nothing behind. Raises as `acquire`; `OSError` with `EOPNOTSUPP` in the pthread form.
    fn acquire_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_lock(slf, slf, "acquire")
    }

    /// Takes a permit for good in a task of asyncio; see `acquire_async`.
    fn wait_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_lock(slf, slf, "wait")
    }

    /// How errors call it: the name of the memory, and the offset in it.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __repr__(&self) -> String {
        format!("<unipc.sync.Semaphore {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let this = slf.get();
        let (place, offset) = this.site.arguments(slf.py());
        super::reopen(slf.py(), "Semaphore", place, offset, Some(this.form()))
    }
}

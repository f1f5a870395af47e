// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readers and writers.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unipc::Timeout;
use unipc::sync::{Acquired, RwLockOptions};

use super::status::RwLockStatus;
use super::{get, mode as permissions};
use crate::aio::Waiter;
use crate::error::{OwnerDiedError, raise};
use crate::wait::TimeoutArgument;

use super::{How, PlaceArgument, Site, form_name};

/// A lock that any number of readers have together, or one writer alone.
///
/// `place`, `offset`, `form` and `mode` are as for `Mutex`. `readers`: how many can read at once (60 unless said otherwise), not for the
/// pthread form.
/// In a `SharedMemory` it takes `RwLock.size(readers)` bytes (4096 for 60 readers) from `offset` on: data go behind them.
///
/// Writers are preferred. A reader that dies has left; when a writer dies, all who come next are told, until a writer repairs.
///
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import RwLock
/// >>> lock = RwLock(SharedMemory.create("anon:", 8192))
/// >>> with lock.read(), lock.read():
/// ...     len(lock.status().readers)
/// 2
/// >>> with lock.write():
/// ...     lock.status().writer is not None
/// True
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct RwLock {
    pub(crate) object: unipc::sync::RwLock,
    site: Site,
}

impl RwLock {
    fn options() -> unipc::sync::RwLockOptions {
        unipc::sync::RwLock::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        options: &unipc::sync::RwLockOptions,
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

fn options(form: &str, readers: Option<u32>, mode: u32) -> PyResult<RwLockOptions> {
    let options = RwLock::options().form(super::form(form)?).mode(permissions(mode)?);
    Ok(match readers {
        None => options,
        Some(readers) => options.readers(readers),
    })
}

#[pymethods]
impl RwLock {
    /// How many bytes one for so many takes in the robust form.
    #[staticmethod]
    #[pyo3(signature = (readers = 60))]
    fn size(readers: u32) -> usize {
        unipc::sync::RwLock::size(readers)
    }

    #[new]
    #[pyo3(signature = (place, offset = 0, *, form = "robust", readers = None, mode = 0o600))]
    fn new(
        place: &Bound<'_, PyAny>,
        offset: usize,
        form: &str,
        readers: Option<u32>,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::OpenOrCreate, place, offset, &options(form, readers, mode)?)
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust", readers = None, mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        offset: usize,
        form: &str,
        readers: Option<u32>,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::Create, place, offset, &options(form, readers, mode)?)
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust"))]
    fn open(place: &Bound<'_, PyAny>, offset: usize, form: &str) -> PyResult<Self> {
        Self::at(How::Open, place, offset, &Self::options().form(super::form(form)?))
    }

    /// Locks for reading, together with other readers; False when the time is over. `owner_died` tells whether a writer died.
    ///
    /// A writer that waits keeps new readers out, so a thread that reads must not ask to read again.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn read_lock(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        if self.object.read_at_once() {
            return Ok(true);
        }
        let got = get(py, timeout.0, self.object.form(), |left| self.object.read_slowly(left))?;
        Ok(got.is_some())
    }

    /// Locks for writing, alone; False when the time is over. After a writer died: repair the data and call `recovered`, for `unlock`
    /// without that retires the lock.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn write_lock(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        if self.object.write_at_once() {
            return Ok(true);
        }
        let got = get(py, timeout.0, self.object.form(), |left| self.object.write_slowly(left))?;
        Ok(got.is_some())
    }

    /// Ends what this thread has: its writing, or its latest reading.
    ///
    /// Raises `PermissionError` when it has neither.
    fn unlock(&self) -> PyResult<()> {
        self.object.unlock().map_err(raise)
    }

    /// Says, as the writer, that the data are whole again after a writer died.
    fn recovered(&self) -> PyResult<()> {
        self.object.recovered().map_err(raise)
    }

    /// Ends the writing, and leaves the data to the next one as if this thread had died.
    fn abandon(&self) -> PyResult<()> {
        self.object.abandon().map_err(raise)
    }

    /// Did a writer die, and has no writer said since that the data are whole?
    #[getter]
    fn owner_died(&self) -> bool {
        self.object.status().owner_died
    }

    /// A block that reads: `with lock.read():`. After a writer died it raises `OwnerDiedError`.
    fn read(slf: Py<Self>) -> RwLockSide {
        RwLockSide { lock: slf, side: Side::Read }
    }

    /// A block that writes: `with lock.write():`. After a writer died it raises `OwnerDiedError`, and leaves the lock for whoever
    /// repairs.
    fn write(slf: Py<Self>) -> RwLockSide {
        RwLockSide { lock: slf, side: Side::Write }
    }

    /// A block that writes also after a writer died, and says `recovered` when it ends well. `as died` tells whether one did.
    fn repair(slf: Py<Self>) -> RwLockSide {
        RwLockSide { lock: slf, side: Side::Repair }
    }

    /// Who has it and who waits, a moment ago; nothing is known in the pthread form.
    fn status(&self) -> RwLockStatus {
        self.object.status().into()
    }

    /// "robust" or "pthread".
    #[getter]
    fn form(&self) -> &'static str {
        form_name(self.object.form())
    }

    /// Locks to read in a task of asyncio: `await lock.read_lock_async()`. Other tasks run meanwhile, in the loop's own thread, and it is that thread that
    /// holds it. Cancelled, it has taken nothing and leaves nothing behind. Raises as `read_lock`; `OSError` with `EOPNOTSUPP` in the pthread form.
    fn read_lock_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_lock(slf, slf, "read_lock")
    }

    /// Locks to write in a task of asyncio: `await lock.write_lock_async()`. Other tasks run meanwhile, in the loop's own thread, and it is that thread that
    /// holds it. Cancelled, it has taken nothing and leaves nothing behind. Raises as `write_lock`; `OSError` with `EOPNOTSUPP` in the pthread form.
    fn write_lock_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_lock((slf, "w").into_pyobject(slf.py())?.as_any(), slf, "write_lock")
    }

    /// How errors call it: the name of the memory, and the offset in it.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __repr__(&self) -> String {
        format!("<unipc.sync.RwLock {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let this = slf.get();
        let (place, offset) = this.site.arguments(slf.py());
        super::reopen(slf.py(), "RwLock", place, offset, Some(this.form()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Read,
    Write,
    Repair,
}

/// The blocks of `RwLock.read`, `RwLock.write` and `RwLock.repair`.
#[pyclass(frozen, module = "unipc.sync")]
pub(crate) struct RwLockSide {
    lock: Py<RwLock>,
    side: Side,
}

#[pymethods]
impl RwLockSide {
    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        let lock = &self.lock.get().object;
        let got = get(py, Timeout::Forever, lock.form(), |left| match self.side {
            Side::Read => lock.read_raw(left),
            Side::Write | Side::Repair => lock.write_raw(left),
        })?;
        let died = got == Some(Acquired::OwnerDied);
        if !died || self.side == Side::Repair {
            return Ok(died);
        }
        let left = if self.side == Side::Read { lock.unlock() } else { lock.abandon() };
        left.map_err(raise)?;
        let why = "the last writer died: repair the data in `with lock.repair():`";
        Err(OwnerDiedError::new_err((libc::EOWNERDEAD, why, lock.label().to_owned())))
    }

    #[pyo3(signature = (kind = None, *_rest))]
    fn __exit__(
        &self,
        kind: Option<&Bound<'_, PyAny>>,
        _rest: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let lock = &self.lock.get().object;
        let left = if self.side == Side::Repair && lock.status().owner_died {
            if kind.is_some() {
                lock.abandon()
            } else {
                lock.recovered().and_then(|()| lock.unlock())
            }
        } else {
            lock.unlock()
        };
        left.map_err(raise)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mutual exclusion.

use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::types::PyTuple;
use unipc::sync::{Acquired, MutexKind, MutexOptions};
use unipc::{Error, ErrorKind, Timeout};

use super::status::MutexStatus;
use super::{get, mode as permissions};
use crate::aio::Waiter;
use crate::error::{OwnerDiedError, raise};
use crate::wait::TimeoutArgument;

use super::{How, PlaceArgument, Site, form_name};

/// A lock for one thread at a time, of any process, which survives its holder's death.
///
/// `place` is a `SharedMemory`, in which it takes `Mutex.SIZE` bytes (256) from `offset` on, a multiple of 64: data go behind them.
/// Or it is a name, under which a small segment is made for it alone; `SharedMemory.unlink(name)` removes that. It is opened, or
/// created when there is none.
///
/// kind        what happens when the holder locks again: "error-checking" raises `OSError` with `EDEADLK`, "normal" waits for
///             itself, "recursive" counts
/// form        "robust": this library's own, which survives every death; "pthread": a `pthread_mutex_t`, for programs that know
///             only libc
/// `priority_inheritance`  let the holder run with the priority of the most urgent waiter; pthread form alone
/// mode        the permissions of a segment that is made for it
///
/// `with mutex:` locks and unlocks. When the last holder was killed, it raises `OwnerDiedError` instead, and leaves the lock for
/// whoever repairs the data: `with mutex.repair():` locks in any case, and says that the data are whole when the block ends
/// well. (In the pthread form that `with` retires the mutex, since libc offers nothing between.)
///
/// Threads: it is held by a thread, which alone can unlock it. Waiting lets other threads run. fork: the child holds nothing.
/// pickle: opens the same mutex again.
///
/// >>> import os
/// >>> from unipc import SharedMemory
/// >>> from unipc.sync import Mutex
/// >>> shm = SharedMemory.create("anon:", 4096)
/// >>> mutex, data = Mutex(shm, 0), Mutex.SIZE
/// >>> with mutex:
/// ...     shm.write_at(data, b"one at a time")
/// ...     mutex.status().holder.pid == os.getpid()
/// True
/// >>> mutex.lock(timeout=0)
/// True
/// >>> mutex.unlock()
#[pyclass(frozen, weakref, module = "unipc.sync")]
pub(crate) struct Mutex {
    pub(crate) object: unipc::sync::Mutex,
    site: Site,
}

impl Mutex {
    fn options() -> unipc::sync::MutexOptions {
        unipc::sync::Mutex::options()
    }

    fn at(
        how: How,
        place: &Bound<'_, PyAny>,
        offset: usize,
        options: &unipc::sync::MutexOptions,
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

fn options(kind: &str, form: &str, inherit: bool, mode: u32) -> PyResult<MutexOptions> {
    let kind = match kind {
        "error-checking" => MutexKind::ErrorChecking,
        "normal" => MutexKind::Normal,
        "recursive" => MutexKind::Recursive,
        other => {
            let known = "\"error-checking\", \"normal\" or \"recursive\"";
            return Err(PyValueError::new_err(format!("kind is {known}, not {other:?}")));
        }
    };
    let options = Mutex::options().kind(kind).form(super::form(form)?);
    Ok(options.priority_inheritance(inherit).mode(permissions(mode)?))
}

impl Mutex {
    pub(super) fn object(&self) -> &unipc::sync::Mutex {
        &self.object
    }

    fn lock_for_ever(&self, py: Python<'_>) -> PyResult<Acquired> {
        if self.object.lock_at_once() {
            return Ok(Acquired::Clean);
        }
        let form = self.object.form();
        let got = get(py, Timeout::Forever, form, |left| self.object.lock_raw(left))?;
        // For ever has no end but this.
        Ok(got.unwrap_or(Acquired::Clean))
    }

    fn enter(&self, py: Python<'_>) -> PyResult<()> {
        match self.lock_for_ever(py)? {
            Acquired::Clean => Ok(()),
            Acquired::OwnerDied => Err(self.refuse()),
        }
    }

    /// Leaves the lock to whoever repairs.
    #[cold]
    fn refuse(&self) -> PyErr {
        if self.object.abandon().is_err() {
            // The pthread form is retired by this.
            let _ = self.object.unlock();
        }
        let error = Error::new("lock", self.object.label(), ErrorKind::Os(libc::EOWNERDEAD));
        let advice = "the last holder died: repair the data in `with mutex.repair():`";
        OwnerDiedError::new_err((
            error.errno(),
            format!("{}; {advice}", error.kind()),
            self.object.label().to_owned(),
        ))
    }
}

#[pymethods]
impl Mutex {
    /// How many bytes it takes in the robust form.
    #[classattr]
    const SIZE: usize = unipc::sync::Mutex::SIZE;

    #[new]
    #[pyo3(signature = (place, offset = 0, *, kind = "error-checking", form = "robust", priority_inheritance = false, mode = 0o600))]
    fn new(
        place: &Bound<'_, PyAny>,
        offset: usize,
        kind: &str,
        form: &str,
        priority_inheritance: bool,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(
            How::OpenOrCreate,
            place,
            offset,
            &options(kind, form, priority_inheritance, mode)?,
        )
    }

    /// Creates it where there are zeros. The arguments are those of the class.
    ///
    /// Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes are not zero.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, kind = "error-checking", form = "robust", priority_inheritance = false, mode = 0o600))]
    fn create(
        place: &Bound<'_, PyAny>,
        offset: usize,
        kind: &str,
        form: &str,
        priority_inheritance: bool,
        mode: u32,
    ) -> PyResult<Self> {
        Self::at(How::Create, place, offset, &options(kind, form, priority_inheritance, mode)?)
    }

    /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Raises `LayoutError` when there is none, or another kind or version of object; `FileNotFoundError` for a name.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, form = "robust"))]
    fn open(place: &Bound<'_, PyAny>, offset: usize, form: &str) -> PyResult<Self> {
        Self::at(How::Open, place, offset, &Self::options().form(super::form(form)?))
    }

    /// Locks; False when the time is over (0: at once). After it `owner_died` tells whether the last holder was killed: then repair
    /// the data and call `recovered`, for `unlock` without that retires the mutex.
    ///
    /// Raises `NotRecoverableError` when it is retired; `OSError`: `EDEADLK` when this thread holds it.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn lock(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        if self.object.lock_at_once() {
            return Ok(true);
        }
        let got = get(py, timeout.0, self.object.form(), |left| self.object.lock_raw(left))?;
        Ok(got.is_some())
    }

    /// The same as `lock`, as `threading.Lock` calls it.
    #[pyo3(signature = (timeout = TimeoutArgument(Timeout::Forever)), text_signature = "($self, timeout=None)")]
    fn acquire(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<bool> {
        if self.object.lock_at_once() {
            return Ok(true);
        }
        let got = get(py, timeout.0, self.object.form(), |left| self.object.lock_raw(left))?;
        Ok(got.is_some())
    }

    /// Unlocks.
    ///
    /// Raises `PermissionError` when this thread does not hold it.
    fn unlock(&self) -> PyResult<()> {
        self.object.unlock().map_err(raise)
    }

    /// The same as `unlock`, as `threading.Lock` calls it.
    fn release(&self) -> PyResult<()> {
        self.object.unlock().map_err(raise)
    }

    /// Says that the data are whole again, after the last holder died.
    ///
    /// Raises `PermissionError` when this thread does not hold it; `OSError`: `EINVAL` when nobody died.
    fn recovered(&self) -> PyResult<()> {
        self.object.recovered().map_err(raise)
    }

    /// Unlocks, and leaves the data to the next one as if this thread had died. Not in the pthread form.
    fn abandon(&self) -> PyResult<()> {
        self.object.abandon().map_err(raise)
    }

    /// Did the last holder die, and has nobody said since that the data are whole?
    #[getter]
    fn owner_died(&self) -> bool {
        self.object.status().owner_died
    }

    /// A block that locks also after the last holder died, and says `recovered` when it ends well. `as died` tells whether one did.
    /// When it ends by an exception, the data are left as if this thread had died.
    ///
    /// >>> from unipc import SharedMemory
    /// >>> from unipc.sync import Mutex
    /// >>> mutex = Mutex(SharedMemory.create("anon:", 4096))
    /// >>> with mutex.repair() as died:
    /// ...     print(died)
    /// False
    fn repair(slf: Py<Self>) -> MutexRepair {
        MutexRepair { mutex: slf, died: AtomicBool::new(false) }
    }

    /// Who holds it and who waits, a moment ago.
    fn status(&self) -> MutexStatus {
        self.object.status().into()
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().enter(slf.py())?;
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
        self.object.unlock().map_err(raise)
    }

    /// "robust" or "pthread".
    #[getter]
    fn form(&self) -> &'static str {
        form_name(self.object.form())
    }

    /// Locks in a task of asyncio: `await mutex.acquire_async()`. Other tasks run meanwhile, in the loop's own thread, and it is that thread that
    /// holds it: for another task of it the mutex is locked by itself (`EDEADLK`). Cancelled, it has taken nothing and leaves nothing behind. Raises as `lock`; `OSError` with `EOPNOTSUPP` in the pthread form.
    fn acquire_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_lock(slf, slf, "acquire")
    }

    /// How errors call it: the name of the memory, and the offset in it.
    #[getter]
    fn label(&self) -> &str {
        self.object.label()
    }

    fn __repr__(&self) -> String {
        format!("<unipc.sync.Mutex {:?}>", self.object.label())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
        let this = slf.get();
        let (place, offset) = this.site.arguments(slf.py());
        super::reopen(slf.py(), "Mutex", place, offset, Some(this.form()))
    }
}

/// The block of `Mutex.repair`.
#[pyclass(frozen, module = "unipc.sync")]
pub(crate) struct MutexRepair {
    mutex: Py<Mutex>,
    died: AtomicBool,
}

#[pymethods]
impl MutexRepair {
    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        let died = self.mutex.get().lock_for_ever(py)? == Acquired::OwnerDied;
        // SYNC: only the thread that holds the mutex uses it.
        self.died.store(died, Ordering::Relaxed);
        Ok(died)
    }

    #[pyo3(signature = (kind = None, *_rest))]
    fn __exit__(
        &self,
        kind: Option<&Bound<'_, PyAny>>,
        _rest: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let mutex = &self.mutex.get().object;
        let died = self.died.load(Ordering::Relaxed);
        let left = if died && kind.is_some() {
            mutex.abandon().or_else(|_| mutex.unlock())
        } else if died {
            // Whoever called `recovered` in the block has said it already.
            let _ = mutex.recovered();
            mutex.unlock()
        } else {
            mutex.unlock()
        };
        left.map_err(raise)
    }
}

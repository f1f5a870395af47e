// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.SharedMemory`.
//!
//! A call takes a reference to the mapping and works without the lock, so that `close` in another thread ends the
//! handle at once and the mapping after the last call. Whatever needs the mapping for itself (`resize`, `refresh`)
//! or ends it (`close`) counts the views and guards first.

mod access;
mod array;
mod buffer;
mod guard;
mod open;
mod pages;
mod pickle;
mod place;

use std::ffi::OsString;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::exceptions::PyBufferError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::{PyString, PyTuple};
use unipc::shm::Backing;
use unipc::{Error, ErrorKind, Name};

pub(crate) use guard::Guard;
pub(crate) use open::Opened;
use open::{Reopen, Source};
pub(crate) use place::User;

use crate::error::{closed, raise};

/// Mapped shared memory: POSIX, System V, a file, a memfd or anonymous, by its name.
///
/// Get one from `create`, `open`, `open_or_create` or `from_fd`. The bytes are raw: exactly those that were asked for,
/// without a header, so that programs in other languages share them.
///
/// Bytes are reached by copies (`read_at`, `write_at`), by views that copy nothing (`array` for NumPy, `view` for
/// ctypes, `memoryview(shm)`), and by atomics (`load_u32`, `add_u32` and their kin).
///
/// Lifetime: `close` unmaps and never removes; `with` closes at its end. A view keeps the mapping: `close` with live
/// views is a `BufferError`. A handle that was forgotten is closed when it is collected. Attaching and leaving never
/// removes the object; `unlink` and `remove` do.
///
/// Use `array` rather than `numpy.ndarray(buffer=shm)`: NumPy does not tell how long the latter lives. `close` then
/// leaves the memory mapped until the handle is collected, and `resize` is refused. (`torch.frombuffer(shm)` cannot
/// even be noticed; use `torch.from_numpy(shm.array(...))`.)
///
/// Mapping at an address of the caller's choice is not offered in Python: store offsets, never addresses.
///
/// Threads: any thread may call any method at any time; calls that take long let other threads run. `close` during a
/// call in another thread lets that call finish. The bytes themselves need a lock, or the atomics.
///
/// fork: the child's handle goes on working; closing it affects the child alone. Do not fork while another thread
/// resizes. exec ends the mapping; the descriptor is close-on-exec.
///
/// pickle: gives the name and the options, and attaches again on the other side. A memfd, or an object that came by
/// `from_fd`, can be pickled only as an argument of a `multiprocessing` process that is being started, which passes
/// the descriptor; anonymous memory not at all.
///
/// >>> import os
/// >>> from unipc import SharedMemory
/// >>> name = f"/class-{os.getpid()}"
/// >>> shm = SharedMemory.create(name, 80)
/// >>> view = memoryview(shm).cast("i")
/// >>> view[0] = 20
/// >>> shm.load_u32(0)
/// 20
/// >>> shm.close()
/// Traceback (most recent call last):
///     ...
/// BufferError: ... is in use: views (memoryview, array, ctypes object) or open guards, 1 in all; ...
/// >>> view.release()
/// >>> shm.close()
/// >>> SharedMemory.unlink(name)
// This class itself is the public one, not a Python class on top of it: making an object of a subclass would cost as
// much as the system calls that attach the memory.
#[pyclass(frozen, subclass, weakref, module = "unipc")]
pub(crate) struct SharedMemory {
    open: Mutex<Option<Arc<unipc::SharedMemory>>>,
    /// Buffers that were lent and guards that were entered.
    users: AtomicUsize,
    /// Somebody gave a buffer back and kept its address, as NumPy's `ndarray(buffer=...)` does.
    address_kept: AtomicBool,
    /// What `close` could not unmap for that reason: it goes with this object, which such an array keeps alive.
    remains: OnceLock<Arc<unipc::SharedMemory>>,
    /// How the same object is attached again, in another process.
    reopen: Reopen,
    /// All of the object was mapped later, whatever `reopen` says of the size.
    whole: AtomicBool,
    source: Source,
    // What stays true after closing.
    name: Name,
    backing: Backing,
    read_only: bool,
    id: Option<i32>,
}

/// Unmapping fewer bytes than this is over before another thread could have been let in.
const LONG_UNMAPPING: usize = 4 << 20;

/// May closing wait, for a disk or because of many pages?
fn takes_long(shm: &unipc::SharedMemory) -> bool {
    shm.backing() == Backing::File || shm.len() > LONG_UNMAPPING
}

/// What is written in Python, in `unipc.shm`.
fn helper<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("unipc.shm").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

impl SharedMemory {
    fn new(shm: unipc::SharedMemory, source: Source, reopen: Reopen) -> Self {
        Self {
            users: AtomicUsize::new(0),
            address_kept: AtomicBool::new(false),
            remains: OnceLock::new(),
            reopen,
            whole: AtomicBool::new(false),
            source,
            name: shm.name().clone(),
            backing: shm.backing(),
            read_only: shm.is_read_only(),
            id: shm.system_v().map(unipc::shm::SystemV::id),
            open: Mutex::new(Some(Arc::new(shm))),
        }
    }

    fn handle(&self, py: Python<'_>) -> MutexGuard<'_, Option<Arc<unipc::SharedMemory>>> {
        // What a panic could have left half-done is behind the Arc, not under the lock.
        self.open.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// The mapping, kept for the time of one call whatever other threads do with the handle.
    fn get(&self, py: Python<'_>) -> PyResult<Arc<unipc::SharedMemory>> {
        self.handle(py).clone().ok_or_else(|| closed(&self.name))
    }

    /// The mapping, for what lies in it.
    pub(crate) fn memory(&self, py: Python<'_>) -> PyResult<Arc<unipc::SharedMemory>> {
        self.get(py)
    }

    /// A call that may take long or wait for a disk: other Python threads run meanwhile.
    fn call<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&unipc::SharedMemory) -> unipc::Result<R> + Send,
    ) -> PyResult<R> {
        let shm = self.get(py)?;
        // Moved in, so that unmapping, should this be the last reference, happens detached too.
        py.detach(move || work(&shm)).map_err(raise)
    }

    /// A call that only looks at the handle or touches a few bytes.
    fn glance<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&unipc::SharedMemory) -> unipc::Result<R>,
    ) -> PyResult<R> {
        work(&*self.get(py)?).map_err(raise)
    }

    /// A call that maps all of the object anew, so that nobody else may be using the mapping.
    fn exclusive<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut unipc::SharedMemory) -> unipc::Result<R> + Send,
    ) -> PyResult<R> {
        let mut open = self.handle(py);
        let shared = open.as_mut().ok_or_else(|| closed(&self.name))?;
        self.check_unused()?;
        // SYNC: relaxed is enough, the lock orders it.
        if self.address_kept.load(Ordering::Relaxed) {
            return Err(PyBufferError::new_err(format!(
                "a numpy.ndarray(buffer=...) may be using {0}, which NumPy does not tell; use array() instead, or \
                 another handle of {0}",
                self.name
            )));
        }
        let shm = Arc::get_mut(shared).ok_or_else(|| {
            let name = &self.name;
            PyBufferError::new_err(format!("another thread is in a call on {name}"))
        })?;
        let result = py.detach(|| work(shm)).map_err(raise)?;
        // SYNC: relaxed is enough, the lock orders it.
        self.whole.store(true, Ordering::Relaxed);
        Ok(result)
    }

    /// Nobody may hold an address into the mapping. Call it with the lock held.
    fn check_unused(&self) -> PyResult<()> {
        // SYNC: pairs with the release in `leave`; users come only under the lock.
        match self.users.load(Ordering::Acquire) {
            0 => Ok(()),
            users => Err(PyBufferError::new_err(format!(
                "{} is in use: views (memoryview, array, ctypes object) or open guards, {users} in all; delete or release them first",
                self.name
            ))),
        }
    }

    /// Lets somebody use the mapping beyond this call; it ends with `leave`.
    fn enter<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&unipc::SharedMemory) -> PyResult<R>,
    ) -> PyResult<R> {
        let open = self.handle(py);
        let shm = open.as_ref().ok_or_else(|| closed(&self.name))?;
        let result = work(shm)?;
        // SYNC: relaxed is enough, the lock orders it.
        self.users.fetch_add(1, Ordering::Relaxed);
        Ok(result)
    }

    fn leave(&self) {
        // SYNC: release pairs with the acquire in `check_unused`: what was done through the view comes before.
        self.users.fetch_sub(1, Ordering::Release);
    }

    /// The backing as `unipc.Backing` has it.
    fn backing_word(&self) -> &'static str {
        match self.backing {
            Backing::SystemV => "sysv",
            Backing::Posix => "posix",
            Backing::File => "file",
            Backing::Memfd => "memfd",
            Backing::Anonymous => "anon",
        }
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> PyErr {
        raise(Error::new(operation, &self.name, kind))
    }
}

#[pymethods]
impl SharedMemory {
    /// How many bytes may be touched; the same as `len(shm)`.
    ///
    /// Those asked for, cut at the end of the object; with `slack` up to the end of its last page.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<usize> {
        self.glance(py, |shm| Ok(shm.len()))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.size(py)
    }

    /// How much of the address space the mapping takes, in bytes: whole pages.
    #[getter]
    fn mapped_size(&self, py: Python<'_>) -> PyResult<usize> {
        self.glance(py, |shm| Ok(shm.mapped_len()))
    }

    /// The name in its one spelling; of a private segment `sysv:id=NUMBER`. Bytes that are not UTF-8 are decoded as by
    /// `os.fsdecode`.
    #[getter]
    fn name(&self) -> OsString {
        self.name.to_os_string()
    }

    /// What the memory consists of.
    #[getter]
    fn backing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        helper(py, intern!(py, "Backing"))?.call1((self.backing_word(),))
    }

    /// The segment behind System V memory, with what only System V has; None for other backings.
    #[getter]
    fn system_v<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.id.map(|id| helper(py, intern!(py, "SystemV"))?.call1((id,))).transpose()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (this, py) = (slf.get(), slf.py());
        let size = match this.handle(py).as_ref() {
            Some(shm) => format!("{} bytes", shm.len()),
            None => "closed".to_owned(),
        };
        let class = slf.get_type().name()?;
        let name = PyString::new(py, &this.name.to_string());
        Ok(format!("<unipc.{class} {} {} {size}>", name.repr()?, this.backing_word()))
    }

    /// Is the mapping read-only? Then so are all views.
    #[getter]
    fn read_only(&self) -> bool {
        self.read_only
    }

    /// The identifier of a System V segment, as `ipcs` shows it; None for other backings.
    #[getter]
    fn id(&self) -> Option<i32> {
        self.id
    }

    /// Was it closed?
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        self.handle(py).is_none()
    }

    /// The descriptor behind POSIX, file and memfd memory: close-on-exec, valid until `close`.
    ///
    /// Of a POSIX object, the first call after opening puts the position at the first byte, also that of a duplicate.
    ///
    /// Raises `OSError`: `EOPNOTSUPP` for System V and anonymous memory, which have none.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        let shm = self.get(py)?;
        shm.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| {
            let why = "System V segments and anonymous memory have no descriptor";
            self.failed("fileno", ErrorKind::Unsupported(why.into()))
        })
    }

    /// Unmaps the memory and closes its descriptor. Closing twice is fine; the object itself stays.
    ///
    /// A call that another thread is in goes on to its end, and the memory is unmapped after it.
    ///
    /// Raises `BufferError` while views (memoryview, array, ctypes object) are alive or a `guarded()` block is open:
    /// nothing is closed then.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let mut open = self.handle(py);
        self.check_unused()?;
        let last = open.take();
        // SYNC: relaxed is enough, the lock orders it.
        if let (Some(shm), true) = (&last, self.address_kept.load(Ordering::Relaxed)) {
            self.remains.get_or_init(|| Arc::clone(shm));
        }
        drop(open);
        if last.as_ref().is_some_and(|shm| takes_long(shm)) {
            py.detach(|| drop(last));
        }
        Ok(())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().get(slf.py())?;
        Ok(slf)
    }

    /// Closes. When the block ends with an exception while views are alive, the exception is the news: then the last
    /// view closes.
    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let raised = exception.get_item(0).is_ok_and(|kind| !kind.is_none());
        match self.close(py) {
            Err(error) if raised && error.is_instance_of::<PyBufferError>(py) => Ok(()),
            other => other,
        }
    }

    /// The seals of a memfd. Raises `OSError` with `EOPNOTSUPP` for other backings.
    #[getter]
    fn seals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bits = self.glance(py, |shm| shm.seals().map(unipc::shm::Seals::bits))?;
        helper(py, intern!(py, "Seals"))?.call1((bits,))
    }

    /// Seals a memfd against the given `Seals`, for everybody and for good. Sealing twice is fine.
    ///
    /// Raises `OSError`: `EPERM` when it is sealed against sealing, `EBUSY` for `Seals.WRITE` while a writable mapping
    /// exists (this one included), `EOPNOTSUPP` for other backings. See `F_ADD_SEALS` in fcntl(2).
    fn add_seals(&self, py: Python<'_>, seals: i32) -> PyResult<()> {
        let seals = open::seals(seals)?;
        self.glance(py, |shm| shm.add_seals(seals))
    }

    /// A new descriptor of a memfd that nobody can write through, to give to a peer that must only read.
    ///
    /// The memfd is first sealed against future writing, shrinking and growing, because a peer of the same user could
    /// otherwise reopen the descriptor for writing through /proc. Mappings that exist stay writable. The caller closes
    /// the descriptor.
    ///
    /// Raises `OSError`: `EPERM` when it is sealed against sealing, `EOPNOTSUPP` for other backings.
    fn read_only_fd(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.call(py, unipc::SharedMemory::read_only_fd).map(IntoRawFd::into_raw_fd)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native base class of `unipc.SharedMemory`.
//!
//! A call takes a reference to the mapping and works without the lock, so that `close` in another thread ends the
//! handle at once and the mapping after the last call. Whatever needs the mapping for itself (`resize`, `refresh`)
//! or ends it (`close`) counts the views and guards first.

mod access;
mod guard;
mod open;
mod pages;
mod view;

use std::ffi::OsString;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyTuple;
use unipc::shm::Backing;
use unipc::{Error, ErrorKind};

pub(crate) use guard::Guard;
pub(crate) use open::Opened;
use open::{Reopen, Source};

use crate::error::{closed, raise};

/// What stands behind `unipc.SharedMemory`; see there.
#[pyclass(frozen, subclass, weakref, module = "unipc._native")]
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
    source: Source,
    // What stays true after closing.
    name: OsString,
    backing: Backing,
    read_only: bool,
    id: Option<i32>,
}

impl SharedMemory {
    fn new(shm: unipc::SharedMemory, source: Source, reopen: Reopen) -> Self {
        Self {
            users: AtomicUsize::new(0),
            address_kept: AtomicBool::new(false),
            remains: OnceLock::new(),
            reopen,
            source,
            name: shm.name().to_os_string(),
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

    /// A call that moves the mapping, so that nobody else may be using it.
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
                self.name.display()
            )));
        }
        let shm = Arc::get_mut(shared).ok_or_else(|| {
            let name = self.name.display();
            PyBufferError::new_err(format!("another thread is in a call on {name}"))
        })?;
        py.detach(|| work(shm)).map_err(raise)
    }

    /// Nobody may hold an address into the mapping. Call it with the lock held.
    fn check_unused(&self) -> PyResult<()> {
        // SYNC: pairs with the release in `leave`; users come only under the lock.
        match self.users.load(Ordering::Acquire) {
            0 => Ok(()),
            users => Err(PyBufferError::new_err(format!(
                "{} is in use: views (memoryview, array, ctypes object) or open guards, {users} in all; delete or release them first",
                self.name.display()
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

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> PyErr {
        raise(Error::new(operation, self.name.display(), kind))
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
        self.name.clone()
    }

    #[getter]
    fn _backing(&self) -> &'static str {
        match self.backing {
            Backing::SystemV => "sysv",
            Backing::Posix => "posix",
            Backing::File => "file",
            Backing::Memfd => "memfd",
            Backing::Anonymous => "anon",
        }
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
        py.detach(|| drop(last));
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

    /// The seals of a memfd, as bits.
    #[getter]
    fn _seals(&self, py: Python<'_>) -> PyResult<i32> {
        self.glance(py, |shm| shm.seals().map(unipc::shm::Seals::bits))
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

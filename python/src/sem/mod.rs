// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Semaphore` and `unipc.SemaphoreSet`.
//!
//! A call that succeeds at once stays attached to the interpreter; only who has to wait detaches, with a reference of
//! his own, so that `close` in another thread does not wait for him.

mod open;
mod set;
mod system_v;
mod wait;

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};
use unipc::Name;
use unipc::sem::{Backing, Holdings, OwnedGuard};

pub(crate) use open::OpenedSemaphore;
use open::Reopen;
pub(crate) use set::{OpenedSemaphoreSet, SemaphoreSet};
pub(crate) use system_v::{sem_limits, sem_usage};
pub(crate) use wait::Hold;

use crate::error::{closed, raise};
use crate::shm;

/// A semaphore: units that processes and threads take and give back, and wait for.
///
/// Get one from `create`, `open` or `open_or_create`, by a POSIX name ("/demo") or a System V one ("sysv:..."); from
/// `create_in` or `open_in` inside shared memory; or from a `SemaphoreSet`, `set[2]`. Value, acquire, release and
/// timeout mean the same for all of them, and programs that never heard of this library use the same objects.
///
/// `with semaphore:` takes one unit for a block; `with semaphore.hold(timeout=1):` does so with a limit. `acquire` and
/// `release` are for what one takes and another gives.
///
/// What a crash does: of System V semaphores the kernel gives back what a `with` block holds when its process dies, by
/// SIGKILL too (`undo=False` turns that off, `undo=True` adds `acquire` and `release`). Nobody knows who holds a POSIX
/// semaphore: when its holder dies, all others wait for ever, or until their timeout. What must survive its holder, such as
/// a lock, belongs on System V.
///
/// Lifetime: `close` ends the handle and never removes; `unlink` and `remove` do. `with` is about holding, not closing:
/// a handle that was forgotten is closed when it is collected.
///
/// Threads: any thread may call any method at any time, and who waits lets others run. Signal handlers run while it waits,
/// and Ctrl-C ends it.
///
/// fork: the child's handle goes on working; leaving a `with` block that its parent entered gives nothing back there.
///
/// pickle: gives the name and the options, and opens again on the other side. A semaphore in shared memory cannot be
/// pickled: send the memory and the offset.
///
/// >>> import os
/// >>> from unipc import Semaphore
/// >>> name = f"/semaphore-{os.getpid()}"
/// >>> semaphore = Semaphore.create(name, 1)
/// >>> with semaphore:
/// ...     semaphore.acquire(timeout=0)        # the only unit is taken
/// False
/// >>> semaphore.value
/// 1
/// >>> Semaphore.unlink(name)
#[pyclass(frozen, subclass, weakref, module = "unipc")]
pub(crate) struct Semaphore {
    open: Open,
    /// Of the `with` blocks that were entered and not left, where it lies in memory.
    guards: Mutex<Vec<OwnedGuard>>,
    /// How many times more no try is made, see `acquire`.
    in_vain: AtomicU32,
    /// How the same object is opened again, in another process.
    reopen: Reopen,
    /// The memory that it lies in, until it is closed.
    memory: Mutex<Option<shm::User>>,
    // What stays true after closing.
    name: Name,
    backing: Backing,
    id: Option<i32>,
    index: u16,
}

/// The semaphore behind a handle. What has a name of its own costs nothing to keep, and is kept until the handle is
/// collected, so that calls need no lock. What lies in memory is given up by `close`, so that the memory can be.
enum Open {
    Kept {
        semaphore: Arc<unipc::Semaphore>,
        closed: AtomicBool,
        /// Of the `with` blocks that were entered and not left.
        held: Holdings,
    },
    InMemory(RwLock<Option<Arc<unipc::Semaphore>>>),
}

impl Open {
    fn new(semaphore: unipc::Semaphore) -> Self {
        let semaphore = Arc::new(semaphore);
        if semaphore.backing() == Backing::Memory {
            return Self::InMemory(RwLock::new(Some(semaphore)));
        }
        Self::Kept { semaphore, closed: AtomicBool::new(false), held: Holdings::default() }
    }

    #[inline]
    fn with<R>(&self, work: impl FnOnce(&Arc<unipc::Semaphore>) -> R) -> Option<R> {
        match self {
            // SYNC: pairs with the release in `close`.
            Self::Kept { semaphore, closed, .. } => {
                (!closed.load(Ordering::Acquire)).then(|| work(semaphore))
            }
            Self::InMemory(open) => {
                open.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(work)
            }
        }
    }

    fn close(&self) {
        match self {
            Self::Kept { semaphore, closed, .. } => {
                // SYNC: release pairs with the acquire in `with`.
                if !closed.swap(true, Ordering::Release) {
                    semaphore.close();
                }
            }
            Self::InMemory(open) => {
                drop(open.write().unwrap_or_else(PoisonError::into_inner).take());
            }
        }
    }
}

/// What is written in Python, in `unipc.sem`.
fn helper<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("unipc.sem").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

impl Semaphore {
    fn new(semaphore: unipc::Semaphore, reopen: Reopen, memory: Option<shm::User>) -> Self {
        Self {
            guards: Mutex::default(),
            in_vain: AtomicU32::new(0),
            reopen,
            memory: Mutex::new(memory),
            name: semaphore.name().clone(),
            backing: semaphore.backing(),
            id: semaphore.set().map(unipc::SemaphoreSet::id),
            index: semaphore.index(),
            open: Open::new(semaphore),
        }
    }

    /// For a call that does not wait. (The lock is never held for longer than that, so it does not wait either.)
    #[inline]
    fn at_once<R>(&self, work: impl FnOnce(&Arc<unipc::Semaphore>) -> R) -> PyResult<R> {
        self.open.with(work).ok_or_else(|| closed(&self.name))
    }

    /// For a call that may wait, in which the handle may be closed.
    pub(crate) fn get(&self) -> PyResult<Arc<unipc::Semaphore>> {
        self.at_once(Arc::clone)
    }
}

impl Drop for Semaphore {
    /// A block that was abandoned half-way, such as a generator's, must not keep its unit for ever.
    fn drop(&mut self) {
        if let Open::Kept { semaphore, held, .. } = &self.open {
            while held.give_back(semaphore).is_ok_and(|more| more) {}
        }
    }
}

#[pymethods]
impl Semaphore {
    /// The value now, 0 or more; it may be another by the time it is looked at.
    ///
    /// Setting it is for System V alone (`SETVAL`), and forgets what processes have to undo: a holder that dies afterwards
    /// gives nothing back.
    ///
    /// Raises `OSError`: `EIDRM` (`RemovedError`) when the System V set was removed, `EACCES`; when setting also `ERANGE`
    /// above 32767, `EOPNOTSUPP` for POSIX. See `sem_getvalue(3)`, semctl(2).
    ///
    /// >>> from unipc import Semaphore
    /// >>> semaphore = Semaphore.create("sysv:private", 3, remove_on_close=True)
    /// >>> semaphore.value = 5
    /// >>> semaphore.value
    /// 5
    /// >>> semaphore.close()
    #[getter]
    fn value(&self) -> PyResult<u32> {
        self.at_once(|semaphore| semaphore.value())?.map_err(raise)
    }

    #[setter]
    fn set_value(&self, value: u16) -> PyResult<()> {
        self.at_once(|semaphore| semaphore.set_value(value))?.map_err(raise)
    }

    /// The name in its one spelling; of a private set `sysv:id=NUMBER`, in shared memory the memory's.
    #[getter]
    fn name(&self) -> OsString {
        self.name.to_os_string()
    }

    /// What it is: "posix", "sysv", or "memory" for a POSIX semaphore in shared memory.
    #[getter]
    fn backing(&self) -> &'static str {
        match self.backing {
            Backing::SystemV => "sysv",
            Backing::Posix => "posix",
            Backing::Memory => "memory",
        }
    }

    /// The identifier of the System V set, as `ipcs` shows it; None for POSIX.
    #[getter]
    fn id(&self) -> Option<i32> {
        self.id
    }

    /// Which of its System V set it is; 0 for POSIX.
    #[getter]
    fn index(&self) -> u16 {
        self.index
    }

    /// The System V set that it belongs to, with what only System V has; None for POSIX.
    #[getter]
    fn set(&self) -> PyResult<Option<SemaphoreSet>> {
        let set = self.at_once(|semaphore| semaphore.set().map(unipc::SemaphoreSet::again))?;
        Ok(set.map(SemaphoreSet::new))
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.open.with(|_| ()).is_none()
    }

    /// Ends the handle. Closing twice is fine; the semaphore itself stays, with what was acquired.
    ///
    /// Threads that wait on it go on waiting, and blocks that hold it give it back at their ends.
    fn close(&self) {
        self.open.close();
        drop(self.memory.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Removes this very semaphore; of System V its whole set, and who waits for that gets `RemovedError`.
    ///
    /// Raises `OSError`: `ESTALE` when the name belongs to another one by now, `ENOENT` (`EIDRM` for System V) when it is gone
    /// already, `EACCES` or `EPERM`, `EOPNOTSUPP` in shared memory.
    fn remove(&self) -> PyResult<()> {
        self.at_once(|semaphore| semaphore.remove())?.map_err(raise)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let class = slf.get_type().qualname()?;
        let state = match this.at_once(|semaphore| semaphore.value()) {
            Err(_) => "closed".to_owned(),
            Ok(Ok(value)) => format!("value {value}"),
            Ok(Err(error)) => unipc::errname(error.errno()),
        };
        let which = match this.backing {
            Backing::SystemV => format!(" {}", this.index),
            Backing::Posix | Backing::Memory => String::new(),
        };
        let name = this.name.to_os_string().into_pyobject(slf.py())?.repr()?;
        Ok(format!("<unipc.{class} {name} {}{which} {state}>", this.backing()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (this, py) = (slf.get(), slf.py());
        this.get()?;
        if this.backing == Backing::Memory {
            return Err(PyTypeError::new_err(
                "a semaphore in shared memory cannot be pickled: send the memory and the offset",
            ));
        }
        let function = helper(py, intern!(py, "_open"))?;
        (function, (slf.get_type(), this.name(), this.reopen)).into_pyobject(py)
    }
}

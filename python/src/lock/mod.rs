// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.FileLock`: locks on files.
//!
//! `close` ends the handle at once, and the file after the last call that another thread is in and the last `with` block.

mod guard;
mod holder;
mod open;

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use unipc::lock::{Kind, Range, Sharing};
use unipc::{ErrorKind, Timeout};

use guard::Entered;
pub(crate) use guard::LockGuard;
pub(crate) use holder::LockHolder;

use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::wait::{TimeoutArgument, wait};

/// A lock on a file: OFD record locks unless said otherwise, POSIX record locks, or `flock`. See `LockKind`.
///
/// Made by `open_or_create(name)`, `open(name)`, `create(name)` and `from_fd(fd)`. The name is `file:PATH`; the file is
/// created with mode 0600, exactly, a symbolic link is not followed, and it is never removed: one who waits for the old
/// file and one who made a new one of its name would both get "the" lock.
///
/// `with lock:` locks the whole file exclusively, as long as it takes; `with lock.locked(...):` does it shared, for a
/// range of bytes, or with a timeout; `acquire` and `release` are the two halves. All locks are advisory, and the kernel
/// drops them when their owner dies.
///
/// One handle is one owner: what it has locked it can lock again at once, which converts it. So threads that are to
/// exclude each other open a handle each (and not by `LockKind.POSIX`, whose owner is the process). A handle
/// that is in a `with lock:` already raises `RuntimeError` for a second one.
///
/// The kernel has no time limit for locks. A wait with a timeout tries first; then a timer interrupts the
/// call that waits, with a real-time signal that nobody else uses. Nobody polls, other Python threads run meanwhile,
/// and Ctrl-C ends it.
///
/// fork: parent and child own OFD locks and `flock` together; POSIX locks stay with the parent. A `with` block that the
/// child leaves unlocks nothing. exec: the descriptor is close-on-exec, which ends the locks. Pickling or
/// copying gives a new handle for the same name, without its locks; one from a descriptor cannot be pickled.
///
/// >>> import os, tempfile, unipc
/// >>> path = os.path.join(tempfile.gettempdir(), f"demo-{os.getpid()}.lock")
/// >>> lock = unipc.FileLock.open_or_create(f"file:{path}")
/// >>> with lock:
/// ...     print("nobody else has it now")
/// nobody else has it now
/// >>> lock.acquire(shared=True, start=0, length=100, timeout=0.5)
/// True
/// >>> other = unipc.FileLock.open(f"file:{path}")
/// >>> other.acquire(start=99, timeout=0)
/// False
/// >>> other.holder(start=99)
/// LockHolder(pid=None, kind=LockKind.OFD, shared=True, start=0, length=100)
/// >>> lock.close(); other.close(); os.unlink(path)
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct FileLock {
    /// A `with` block has a share of its own, since it goes on after closing.
    handle: Handle<Arc<unipc::lock::FileLock>>,
    /// `with lock:`.
    entered: Mutex<Entered>,
    // What stays true after closing.
    name: OsString,
    kind: Kind,
    read_only: bool,
    /// Can another process open the same by its name?
    named: bool,
}

/// What every locking method takes.
#[derive(Clone, Copy)]
struct Wanted {
    range: Range,
    sharing: Sharing,
    timeout: Timeout,
}

impl Wanted {
    fn new(
        shared: bool,
        start: u64,
        length: Option<u64>,
        timeout: Option<TimeoutArgument>,
    ) -> Self {
        Self {
            range: Range::new(start, length),
            sharing: sharing(shared),
            timeout: seconds(timeout),
        }
    }
}

fn seconds(timeout: Option<TimeoutArgument>) -> Timeout {
    timeout.map_or(Timeout::Forever, |timeout| timeout.0)
}

fn sharing(shared: bool) -> Sharing {
    if shared { Sharing::Shared } else { Sharing::Exclusive }
}

/// The member of `unipc.LockKind`.
fn kind_object(py: Python<'_>, kind: Kind) -> PyResult<Bound<'_, PyAny>> {
    let word = match kind {
        Kind::Ofd => "ofd",
        Kind::Posix => "posix",
        Kind::Flock => "flock",
    };
    py.import(intern!(py, "unipc.lock"))?.getattr(intern!(py, "LockKind"))?.call1((word,))
}

/// Does what may wait: first without waiting and attached to the interpreter, which in the usual case is all.
fn patiently<R: Send>(
    py: Python<'_>,
    timeout: Timeout,
    mut work: impl FnMut(Timeout) -> unipc::Result<R> + Send,
) -> PyResult<R> {
    match work(Timeout::TRY) {
        Err(error) if timeout != Timeout::TRY && *error.kind() == ErrorKind::WouldBlock => {
            wait(py, timeout, work)
        }
        other => other.map_err(raise),
    }
}

impl FileLock {
    /// The lock, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, Arc<unipc::lock::FileLock>>> {
        self.handle.get(&self.name.display())
    }
}

#[pymethods]
impl FileLock {
    /// Locks bytes `start` to `start + length`, or to the end of the file, wherever that will be; True when it has them.
    ///
    /// `timeout` is in seconds: None waits for ever, 0 does not wait. False: somebody else has them, all the time.
    ///
    /// What this owner has locked of these bytes is converted between shared and exclusive: a record lock
    /// at once or not at all. `LockKind.FLOCK` gives up what it has first, so that another owner may get it, and after
    /// False nothing is locked; it takes the whole file only.
    ///
    /// Raises `OSError`: `EDEADLK` (POSIX record locks) when who has it waits for a lock of this process, `EBADF` when the
    /// descriptor is not open for writing (exclusive record lock) or reading (shared), `ENOLCK`, `EOPNOTSUPP` for a
    /// range with flock, `EINVAL` for length 0, `EAGAIN` when a wait cannot get a timer (`RLIMIT_SIGPENDING`). See fcntl(2),
    /// flock(2).
    #[pyo3(signature = (*, shared = false, start = 0, length = None, timeout = None))]
    fn acquire(
        &self,
        py: Python<'_>,
        shared: bool,
        start: u64,
        length: Option<u64>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<bool> {
        let lock = self.get()?;
        let Wanted { range, sharing, timeout } = Wanted::new(shared, start, length, timeout);
        let take = |left| lock.acquire(range, sharing, left).map(|()| true);
        // Attached to the interpreter, which in the usual case is all.
        match take(Timeout::TRY) {
            Ok(_) => return Ok(true),
            Err(error) if *error.kind() != ErrorKind::WouldBlock => return Err(raise(error)),
            Err(_) if timeout == Timeout::TRY => return Ok(false),
            Err(_) => {}
        }
        wait(py, timeout, |left| match take(left) {
            Err(error) if *error.kind() == ErrorKind::TimedOut => Ok(false),
            other => other,
        })
    }

    /// Unlocks bytes `start` to `start + length`, or to the end of the file. Of a larger range the rest stays locked; bytes
    /// that are not locked are fine.
    ///
    /// Raises `OSError`: `EINVAL`, `EOPNOTSUPP` as `acquire`; `ENOLCK` when one lock would become two and there are too many.
    #[pyo3(signature = (*, start = 0, length = None))]
    fn release(&self, start: u64, length: Option<u64>) -> PyResult<()> {
        self.get()?.release(Range::new(start, length)).map_err(raise)
    }

    /// A context manager that locks as `acquire` does, and unlocks at the end of its block.
    ///
    /// It gives a `LockGuard`, which converts the lock. Raises `OSError` as `acquire` does; where that gives False,
    /// `TimeoutError`, or `BlockingIOError` when the timeout is 0.
    ///
    /// >>> import os, tempfile, unipc
    /// >>> path = os.path.join(tempfile.gettempdir(), f"locked-{os.getpid()}.lock")
    /// >>> lock = unipc.FileLock.open_or_create(f"file:{path}")
    /// >>> with lock.locked(shared=True, timeout=1) as guard:
    /// ...     guard.convert(shared=False, timeout=1)
    /// ...     guard.shared
    /// False
    /// >>> lock.close(); os.unlink(path)
    #[pyo3(signature = (*, shared = false, start = 0, length = None, timeout = None))]
    fn locked(
        slf: Py<Self>,
        shared: bool,
        start: u64,
        length: Option<u64>,
        timeout: Option<TimeoutArgument>,
    ) -> LockGuard {
        LockGuard::new(slf, Wanted::new(shared, start, length, timeout))
    }

    /// A lock of another owner that would make this one wait for these bytes now; None when there is none. By the time of
    /// the answer that may have changed.
    ///
    /// The kernel tells it for record locks. For `LockKind.FLOCK`, `/proc/locks` is read: it may name a process that has
    /// gone, and shows no locks of other pid namespaces.
    #[pyo3(signature = (*, shared = false, start = 0, length = None))]
    fn holder(
        &self,
        shared: bool,
        start: u64,
        length: Option<u64>,
    ) -> PyResult<Option<LockHolder>> {
        let found = self.get()?.holder(Range::new(start, length), sharing(shared));
        found.map(|holder| holder.map(LockHolder)).map_err(raise)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        guard::enter(slf.get(), slf.py())?;
        Ok(slf)
    }

    // Three arguments, and not a tuple of them, which Python would make for the call.
    #[pyo3(signature = (_kind = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        guard::leave(self, py)
    }

    /// The name of the file; of a descriptor what the kernel calls it.
    #[getter]
    fn name(&self) -> OsString {
        self.name.clone()
    }

    /// Which kind of locks it takes.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        kind_object(py, self.kind)
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The descriptor of the file: close-on-exec, valid until `close`.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_fd().as_raw_fd())
    }

    /// Closes the file, which ends its locks; with `LockKind.POSIX`, all that this process has on the file. The file stays.
    /// Closing twice is fine.
    ///
    /// A call that another thread is in and a `with` block go on to their end, and the file is closed after them.
    fn close(&self) {
        drop(self.handle.close());
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let state = if self.handle.is_closed() { ", closed" } else { "" };
        let kind = kind_object(py, self.kind)?.repr()?.to_string();
        let kind = kind.trim_start_matches('<').split(':').next().unwrap_or_default().to_owned();
        Ok(format!("<unipc.FileLock {}, {kind}{state}>", self.name.display()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        if !self.named {
            return Err(PyTypeError::new_err(
                "a FileLock from a descriptor cannot be pickled: send the descriptor, or open it by name there",
            ));
        }
        let reopen = py.import(intern!(py, "unipc.lock"))?.getattr(intern!(py, "_reopen"))?;
        let arguments = (self.name(), self.kind(py)?, self.read_only).into_pyobject(py)?;
        Ok((reopen, arguments.into_any()))
    }
}

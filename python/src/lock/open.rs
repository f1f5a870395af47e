// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a lock file: by name, created or not, or by a descriptor.

use std::os::fd::RawFd;
use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use unipc::Mode;
use unipc::lock::{Kind, Options};

use super::FileLock;
use crate::buffer::duplicate;
use crate::error::raise;
use crate::handle::Handle;
use crate::name::NameArgument;

/// The kind with this value of a `LockKind`.
fn kind_of(word: &str) -> PyResult<Kind> {
    match word {
        "ofd" => Ok(Kind::Ofd),
        "posix" => Ok(Kind::Posix),
        "flock" => Ok(Kind::Flock),
        other => Err(PyValueError::new_err(format!("kind is a LockKind, not {other:?}"))),
    }
}

impl FileLock {
    fn new(lock: unipc::lock::FileLock, read_only: bool, named: bool) -> Self {
        Self {
            entered: Mutex::default(),
            name: lock.name().to_os_string(),
            kind: lock.kind(),
            read_only,
            named,
            handle: Handle::new(Arc::new(lock)),
        }
    }
}

#[pymethods]
impl FileLock {
    /// Opens the file, or creates it, empty, when there is none; what is in it stays.
    ///
    /// - `kind`: which locks, a `LockKind`.
    /// - `mode`: when it creates, the permission bits, exact whatever the umask.
    ///
    /// Raises `OSError`: `EACCES` (`PermissionError`); `EMEDIUMTYPE` when the name is that of a symbolic link, directory, FIFO,
    /// socket or device; `EOPNOTSUPP` for names that are no files; `ENOSPC`, `EROFS`.
    #[staticmethod]
    #[pyo3(signature = (name, *, kind = "ofd", mode = 0o600))]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn open_or_create(py: Python<'_>, name: NameArgument, kind: &str, mode: u32) -> PyResult<Self> {
        let options = Options::default().kind(kind_of(kind)?).mode(Mode::new(mode).map_err(raise)?);
        let lock = py.detach(|| options.open_or_create(&name.0)).map_err(raise)?;
        Ok(Self::new(lock, false, true))
    }

    /// Creates the file, which must not exist; it appears with its mode already set.
    ///
    /// Raises `OSError` as `open_or_create`; `EEXIST` (`FileExistsError`) when something has the name, be it a symbolic
    /// link.
    #[staticmethod]
    #[pyo3(signature = (name, *, kind = "ofd", mode = 0o600))]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn create(py: Python<'_>, name: NameArgument, kind: &str, mode: u32) -> PyResult<Self> {
        let options = Options::default().kind(kind_of(kind)?).mode(Mode::new(mode).map_err(raise)?);
        let lock = py.detach(|| options.create(&name.0)).map_err(raise)?;
        Ok(Self::new(lock, false, true))
    }

    /// Opens an existing file.
    ///
    /// `read_only` needs no write permission and allows a directory (for `LockKind.FLOCK`), but no exclusive record lock.
    ///
    /// Raises `OSError` as `open_or_create`; `ENOENT` (`FileNotFoundError`) when there is none.
    #[staticmethod]
    #[pyo3(name = "open", signature = (name, *, kind = "ofd", read_only = false))]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn open_existing(
        py: Python<'_>,
        name: NameArgument,
        kind: &str,
        read_only: bool,
    ) -> PyResult<Self> {
        let options = Options::default().kind(kind_of(kind)?).read_only(read_only);
        let lock = py.detach(|| options.open(&name.0)).map_err(raise)?;
        Ok(Self::new(lock, read_only, true))
    }

    /// Locks on a file that is open already: `fd` is a number or an object with `fileno()`, as every file of Python is.
    ///
    /// The descriptor is duplicated; the caller still owns the original. OFD locks and `flock` belong to both;
    /// with `LockKind.POSIX`, closing either ends all locks that this process has on the file.
    ///
    /// Raises `OSError`: `EBADF`; later, what a descriptor that is not open for writing cannot do.
    ///
    /// >>> import tempfile, unipc
    /// >>> with tempfile.TemporaryFile() as file:
    /// ...     with unipc.FileLock.from_fd(file):
    /// ...         file.write(b"alone")
    /// 5
    #[staticmethod]
    #[pyo3(signature = (fd, *, kind = "ofd"))]
    fn from_fd(fd: &Bound<'_, PyAny>, kind: &str) -> PyResult<Self> {
        let number: RawFd = match fd.getattr_opt(intern!(fd.py(), "fileno"))? {
            Some(fileno) => fileno.call0()?.extract()?,
            None => fd.extract()?,
        };
        let lock =
            Options::default().kind(kind_of(kind)?).from_fd(duplicate(number)?).map_err(raise)?;
        Ok(Self::new(lock, false, false))
    }
}

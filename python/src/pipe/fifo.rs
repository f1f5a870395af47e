// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Fifo`.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use unipc::{Mode, Timeout};

use super::PipeEnd;
use crate::error::raise;
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, wait};

const FOREVER: TimeoutArgument = TimeoutArgument(Timeout::Forever);

/// A FIFO by name, `file:PATH`. It opens nothing by itself; `reader` and `writer` do.
///
/// Opening waits for the other side: that is how two programs meet. The name stays until `unlink`; the bytes live in the
/// kernel and are gone when nobody has the FIFO open any more.
///
/// >>> import os, tempfile
/// >>> from unipc import Fifo
/// >>> name = f"file:{tempfile.gettempdir()}/demo-{os.getpid()}.fifo"
/// >>> fifo = Fifo.create(name)
/// >>> reader = fifo.reader(timeout=0)    # without a writer
/// >>> writer = fifo.writer()             # the reader is there
/// >>> writer.write(b"hello"), reader.read()
/// (5, b'hello')
/// >>> Fifo.unlink(name)
#[pyclass(frozen, eq, module = "unipc")]
#[derive(PartialEq)]
pub(crate) struct Fifo {
    fifo: unipc::pipe::Fifo,
}

#[pymethods]
impl Fifo {
    /// Creates a FIFO with exactly this mode, whatever the umask is. It is never visible with another one.
    ///
    /// Raises `OSError`: `FileExistsError` when something has the name; `EACCES`, `ENAMETOOLONG`, `ENOENT`, `ENOSPC`,
    /// `ENOTDIR`, `EROFS` from the file system; `EOPNOTSUPP` for names that are no files. See mkfifo(3).
    #[classmethod]
    #[pyo3(signature = (name, *, mode = 0o600))]
    #[allow(clippy::needless_pass_by_value, reason = "as PyO3 gives it")]
    fn create(_cls: &Bound<'_, PyType>, name: NameArgument, mode: u32) -> PyResult<Self> {
        let mode = Mode::new(mode).map_err(raise)?;
        let fifo = unipc::pipe::Fifo::create_with(name.0, mode).map_err(raise)?;
        Ok(Self { fifo })
    }

    /// A FIFO that exists, whoever made it.
    ///
    /// Raises `OSError`: `FileNotFoundError`; `EMEDIUMTYPE` when something else has the name.
    #[classmethod]
    #[allow(clippy::needless_pass_by_value, reason = "as PyO3 gives it")]
    fn open(_cls: &Bound<'_, PyType>, name: NameArgument) -> PyResult<Self> {
        Ok(Self { fifo: unipc::pipe::Fifo::open(name.0).map_err(raise)? })
    }

    /// Opens the FIFO if there is one, else creates it with exactly `mode`.
    ///
    /// Raises as `open` and `create`.
    #[classmethod]
    #[pyo3(signature = (name, *, mode = 0o600))]
    #[allow(clippy::needless_pass_by_value, reason = "as PyO3 gives it")]
    fn open_or_create(_cls: &Bound<'_, PyType>, name: NameArgument, mode: u32) -> PyResult<Self> {
        let mode = Mode::new(mode).map_err(raise)?;
        let fifo = unipc::pipe::Fifo::open_or_create(name.0, mode).map_err(raise)?;
        Ok(Self { fifo })
    }

    /// Removes the name. Who has the FIFO open goes on using it.
    ///
    /// Raises `OSError`: `FileNotFoundError`, `PermissionError`, `EROFS`; `EMEDIUMTYPE` when something else has the name.
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value, reason = "as PyO3 gives it")]
    fn unlink(name: NameArgument) -> PyResult<()> {
        unipc::pipe::Fifo::unlink(name.0).map_err(raise)
    }

    /// The name, `file:PATH`.
    #[getter]
    fn name(&self) -> OsString {
        self.fifo.name().to_os_string()
    }

    /// Opens the FIFO for reading and returns a `PipeEnd`. Waits until somebody has it open for writing, at most `timeout`
    /// seconds; 0 does not wait and succeeds at once: then reading waits for the first writer.
    ///
    /// Raises `OSError`: `TimeoutError`, `FileNotFoundError`, `PermissionError`, `EMEDIUMTYPE`.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn reader(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<PipeEnd> {
        wait(py, timeout.0, |left| self.fifo.reader(left)).map(PipeEnd::new)
    }

    /// Opens the FIFO for writing and returns a `PipeEnd`. Waits until somebody has it open for reading, at most `timeout`
    /// seconds.
    ///
    /// Raises `OSError`: `ENXIO` when nobody has and `timeout` is 0; else as `reader`.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn writer(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<PipeEnd> {
        wait(py, timeout.0, |left| self.fifo.writer(left)).map(PipeEnd::new)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.fifo.name().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("unipc.Fifo.open('{}')", self.fifo.name())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let open = slf.get_type().getattr("open")?;
        Ok((open, PyTuple::new(slf.py(), [slf.get().name()])?))
    }
}

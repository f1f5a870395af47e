// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.PipeEnd`: what an end is; reading and writing are in `transfer`.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use unipc::pipe::End;

use crate::buffer::duplicate;
use crate::error::raise;
use crate::handle::{Handle, Open};

/// One end of a pipe or of a FIFO, or either end of a duplex.
///
/// `unipc.pipe.pipe()`, `unipc.pipe.duplex()`, `Fifo.reader()` and `Fifo.writer()` make them. An end has a descriptor
/// (`fileno`), which is close-on-exec, so that it can be polled and given to a `subprocess`; `makefile` puts a file object
/// on it.
///
/// Every call that may wait takes a `timeout` in seconds: None is for ever, 0 a try (`BlockingIOError`), and
/// `TimeoutError` says that the time is over. Writing where nobody reads is `BrokenPipeError`, and no signal unless
/// `set_sigpipe` allows one.
///
/// Threads may use one end at once: each byte is read once, and writes of up to `PIPE_BUF` bytes stay together. A child of
/// `os.fork` has the end too; as long as any process keeps a writing end open, the readers see no end of the stream:
/// close in each process what it does not use. Under the start method "spawn", `multiprocessing` passes an end on to the
/// processes it starts; else it cannot be pickled.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct PipeEnd {
    handle: Handle<End>,
    /// What stays true after closing.
    name: String,
}

impl PipeEnd {
    pub(crate) fn new(end: impl Into<End>) -> Self {
        let end = end.into();
        Self { name: end.name(), handle: Handle::new(end) }
    }

    /// The end, kept for the time of one call whatever other threads do with the handle.
    #[inline]
    pub(crate) fn get(&self) -> PyResult<Open<'_, End>> {
        self.handle.get(&self.name)
    }

    fn glance<R>(&self, work: impl FnOnce(&End) -> unipc::Result<R>) -> PyResult<R> {
        work(&*self.get()?).map_err(raise)
    }
}

/// A copy of the descriptor of a number, or of an object that has `fileno()`.
pub(crate) fn duplicate_of(file: &Bound<'_, PyAny>) -> PyResult<OwnedFd> {
    let number: RawFd = match file.getattr_opt(intern!(file.py(), "fileno"))? {
        Some(fileno) => fileno.call0()?.extract()?,
        None => file.extract()?,
    };
    duplicate(number)
}

#[pymethods]
impl PipeEnd {
    /// An end of a descriptor that was inherited or received: of a pipe, a FIFO or a stream socket.
    ///
    /// `fd` is a number or an object with `fileno()`. It is duplicated; the caller still owns the original.
    ///
    /// Raises `OSError`: `EBADF`, `EOPNOTSUPP` for something else.
    #[classmethod]
    fn from_fd(_cls: &Bound<'_, PyType>, fd: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::new(End::from_fd(duplicate_of(fd)?).map_err(raise)?))
    }

    /// `file:PATH` of a FIFO that was opened by name, else `pipe fd N`.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The descriptor: close-on-exec, valid until `close`.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_raw_fd())
    }

    /// May it be read from?
    fn readable(&self) -> PyResult<bool> {
        self.glance(End::access).map(|(reads, _)| reads)
    }

    /// May it be written to?
    fn writable(&self) -> PyResult<bool> {
        self.glance(End::access).map(|(_, writes)| writes)
    }

    /// How many bytes wait to be read: `FIONREAD`.
    #[getter]
    fn waiting(&self) -> PyResult<usize> {
        self.glance(End::waiting)
    }

    /// How many bytes the pipe holds at most, from either end: 65536 unless changed.
    ///
    /// Raises `OSError`: `EBADF` for one of a duplex, which is no pipe. See `F_GETPIPE_SZ` in fcntl(2).
    #[getter]
    fn capacity(&self) -> PyResult<usize> {
        self.glance(End::capacity)
    }

    /// Lets the pipe hold `size` bytes, and returns what it holds then: the next power of two, at least a page.
    ///
    /// Raises `OSError`: `EPERM` above `capacity_limit()` or above what this user may have, `EBUSY` when more bytes wait,
    /// `EBADF` for one of a duplex. See `F_SETPIPE_SZ` in fcntl(2).
    fn set_capacity(&self, size: usize) -> PyResult<usize> {
        self.glance(|end| end.set_capacity(size))
    }

    /// Keeps the stream from ending: a writing end is held open beside this reading one, so that a read waits when all
    /// other writers have gone, for the next to come. Twice is as once; it lasts until `close`.
    ///
    /// Raises `OSError`: `ENXIO` for one of a duplex, `ENOENT` without /proc.
    fn keep_open(&self) -> PyResult<()> {
        self.glance(End::keep_open)
    }

    /// Ends what this end of a duplex writes; it can still read. The other end sees the end of the stream.
    ///
    /// Raises `OSError`: `ENOTSOCK` for the end of a pipe: close it instead. See shutdown(2).
    fn finish_writing(&self) -> PyResult<()> {
        self.glance(End::finish_writing)
    }

    /// Lets programs that this process executes inherit the descriptor, or not (as at the beginning).
    ///
    /// `subprocess` does it by itself for `stdin`, `stdout` and `pass_fds`.
    fn set_inheritable(&self, inheritable: bool) -> PyResult<()> {
        self.glance(|end| end.set_inheritable(inheritable))
    }

    /// May writes to this end raise SIGPIPE? See `set_sigpipe`.
    #[getter]
    fn sigpipe(&self) -> PyResult<bool> {
        self.glance(|end| Ok(end.sigpipe()))
    }

    /// Lets writes to this end without a timeout raise SIGPIPE, as `os.write` does, or not (as at the beginning). No matter
    /// for one of a duplex, which costs nothing and never raises it.
    ///
    /// Without readers there is `BrokenPipeError` in either case. The beginning is safe whatever the process makes of the
    /// signal, but of a few bytes it takes 100 to 120 ns more in the kernel (a tenth of a write and a read). Python ignores
    /// SIGPIPE from its start; a program that leaves it so spares that and gets no signal with True, one that
    /// wants to end as `yes | head` does (`signal.signal(signal.SIGPIPE, signal.SIG_DFL)`) has that. It is of this object,
    /// not of the descriptor; `dup` gives one that begins with the same.
    ///
    /// >>> from unipc.pipe import pipe
    /// >>> reader, writer = pipe()
    /// >>> writer.set_sigpipe(True)
    /// >>> reader.close()
    /// >>> writer.write(b"x")
    /// Traceback (most recent call last):
    ///     ...
    /// BrokenPipeError: ...
    fn set_sigpipe(&self, allowed: bool) -> PyResult<()> {
        self.glance(|end| {
            end.set_sigpipe(allowed);
            Ok(())
        })
    }

    /// Another descriptor of the same end. The stream ends when both are closed.
    fn dup(&self) -> PyResult<Self> {
        self.glance(End::try_clone).map(Self::new)
    }

    /// A file object on a copy of the descriptor; the arguments are those of `open`.
    ///
    /// The stream ends when the file and this end are both closed.
    ///
    /// >>> from unipc.pipe import pipe
    /// >>> reader, writer = pipe()
    /// >>> with writer, writer.makefile("w") as file:
    /// ...     print("one", "two", file=file)
    /// >>> with reader.makefile() as file:
    /// ...     file.read()
    /// 'one two\n'
    #[pyo3(signature = (mode = "r", **options))]
    fn makefile<'py>(
        &self,
        py: Python<'py>,
        mode: &str,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let copy: OwnedFd = self.glance(End::try_clone)?.into();
        let open = py.import(intern!(py, "io"))?.getattr(intern!(py, "open"))?;
        let file = open.call((copy.as_raw_fd(), mode), options)?;
        // The file closes it from now on.
        let _ = std::os::fd::IntoRawFd::into_raw_fd(copy);
        Ok(file)
    }

    /// Closes the end. Closing twice is fine. A call that another thread is in goes on to its end.
    fn close(&self) {
        drop(self.handle.close());
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().get()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        let state = if self.closed() { " closed" } else { "" };
        format!("<unipc.PipeEnd {}{state}>", self.name)
    }

    /// Only for a process that `multiprocessing` is spawning.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = slf.py();
        let spawning = py
            .import("multiprocessing.context")?
            .call_method0("get_spawning_popen")
            .is_ok_and(|popen| !popen.is_none());
        if !spawning {
            return Err(PyTypeError::new_err(
                "cannot pickle 'unipc.PipeEnd' object: only multiprocessing passes it on, to a process that it starts",
            ));
        }
        let copy = py
            .import("multiprocessing.reduction")?
            .call_method1("DupFd", (slf.get().fileno()?,))?;
        let rebuild = py.import("unipc.pipe")?.getattr("_rebuild")?;
        Ok((rebuild, PyTuple::new(py, [copy])?.into_any()))
    }
}

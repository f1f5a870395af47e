// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native base class of `unipc.Pty`.

use std::ffi::OsString;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use unipc::Timeout;

use super::terminal::{Size, bits_of, modes_of, size_of, tuple_of};
use super::{FOREVER, Process, check_keywords, command, label_of, raised, room, wait_for};
use crate::buffer::Lent;
use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::wait::{TimeoutArgument, wait};

/// What stands behind `unipc.Pty`; see there.
#[pyclass(frozen, subclass, weakref, module = "unipc._native")]
pub(crate) struct Pty {
    handle: Handle<unipc::pipe::Pty>,
    /// What stays true after closing.
    label: String,
    process: Option<Py<Process>>,
    name: OsString,
}

impl Pty {
    /// The terminal, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, unipc::pipe::Pty>> {
        self.handle.get(&self.label)
    }
}

#[pymethods]
impl Pty {
    #[new]
    #[pyo3(signature = (command = None, size = (24, 80, 0, 0), **options), text_signature = "(command=None, size=(24, 80, 0, 0), **options)")]
    fn new(
        py: Python<'_>,
        command: Option<&Bound<'_, PyAny>>,
        size: Size,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        check_keywords(options)?;
        let pty = match command {
            Some(command) => {
                let program = self::command(command, options)?;
                unipc::pipe::Pty::spawn(program, size_of(size))
            }
            None if options.is_some_and(|options| !options.is_empty()) => {
                return Err(PyTypeError::new_err(
                    "without a command there is nothing to be told to it",
                ));
            }
            None => unipc::pipe::Pty::open(size_of(size)),
        };
        let pty = pty.map_err(raise)?;
        let label = command.map_or(Ok(String::new()), label_of)?;
        let process = pty.process().map(|process| Py::new(py, Process::new(process, &label)));
        let (process, name) = (process.transpose()?, pty.name().as_os_str().to_owned());
        let label = format!("Pty {}", name.display());
        Ok(Self { handle: Handle::new(pty), label, process, name })
    }

    /// The path of the other side: `/dev/pts/N`.
    #[getter]
    fn name(&self) -> OsString {
        self.name.clone()
    }

    /// A new descriptor of the other side, a terminal to give to a program: close-on-exec, the caller's to close. While it is
    /// open no hang-up is seen here.
    fn slave(&self) -> PyResult<RawFd> {
        self.get()?.slave().map(IntoRawFd::into_raw_fd).map_err(raise)
    }

    /// Reads what is there, at most `size` bytes; waits for the first. b"" is the end: the other side has hung up.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError`.
    #[pyo3(signature = (size = 65536, timeout = FOREVER), text_signature = "($self, size=65536, timeout=None)")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let pty = self.get()?;
        let mut room = room(size)?;
        let count = wait(py, timeout.0, |left| pty.read(&mut room, left))?;
        Ok(PyBytes::new(py, &room[..count]))
    }

    /// Reads the next line, without its newline (but with the carriage return that a terminal puts before it); None at the end.
    ///
    /// Raises `OSError` as `read`; `EMSGSIZE` for a line of more than 1 MiB, whose bytes stay for `read`.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn read_line<'py>(
        &self,
        py: Python<'py>,
        timeout: TimeoutArgument,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let pty = self.get()?;
        let line = wait(py, timeout.0, |left| pty.read_line(left))?;
        Ok(line.map(|line| PyBytes::new(py, &line)))
    }

    /// Writes all bytes, as if they were typed. In canonical mode the terminal keeps 4095 bytes of a line that has not ended,
    /// and drops the rest. Bytes of other threads wait until these have gone.
    ///
    /// Raises `OSError`: `EDEADLK` in the handler of a signal that came in the midst of a write of the same thread;
    /// `TimeoutError`, `BlockingIOError`: a part may have gone. That nobody
    /// holds the other side is no error: the kernel takes what is typed then, for the next who opens it.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let pty = self.get()?;
        let lent = Lent::readable(data)?;
        let mut writing = pty.begin(lent.bytes());
        wait(py, timeout.0, |left| writing.go_on(left))
    }

    /// Ends the input, as Ctrl-D does: in canonical mode a program that reads next at the beginning of a line gets nothing. The
    /// terminal stays.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn end_of_file(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<()> {
        let pty = self.get()?;
        wait(py, timeout.0, |left| pty.end_of_file(left))
    }

    fn _window_size(&self) -> PyResult<Size> {
        self.get()?.window_size().map(tuple_of).map_err(raise)
    }

    fn _set_window_size(&self, size: Size) -> PyResult<()> {
        self.get()?.set_window_size(size_of(size)).map_err(raise)
    }

    fn _modes(&self) -> PyResult<u32> {
        self.get()?.modes().map(bits_of).map_err(raise)
    }

    /// Changes what the line discipline does, at once, to these `TerminalModes`; what they do not name stays.
    fn set_modes(&self, py: Python<'_>, modes: u32) -> PyResult<()> {
        let (pty, modes) = (self.get()?, modes_of(modes)?);
        wait(py, Timeout::Forever, |_| pty.set_modes(modes))
    }

    /// Hangs up, so that the programs of the session get SIGHUP, waits for the program and returns how it ended: 0 to 255, or -N
    /// for signal N; None if there was no program. Closing twice is fine.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError`: the program goes on, and `close` may be called again.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn close(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<Option<i32>> {
        if let Some(pty) = self.handle.close() {
            pty.hang_up();
        }
        let process = self.process.as_ref();
        process.map(|it| wait_for(py, &it.get().process, timeout.0)).transpose()
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The program on the other side; None if none was started.
    #[getter]
    fn process(&self, py: Python<'_>) -> Option<Py<Process>> {
        self.process.as_ref().map(|process| process.clone_ref(py))
    }

    /// Was something read already that no poll of the descriptor shows? Perhaps a part of a line.
    #[getter]
    fn has_buffered(&self) -> PyResult<bool> {
        Ok(self.get()?.has_buffered())
    }

    /// The master's descriptor: non-blocking, close-on-exec, valid until `close`. See `has_buffered`.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.fd().map_err(raise)?.as_raw_fd())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().get()?;
        Ok(slf)
    }

    /// Hangs up, and waits for the program unless the block ends with an exception.
    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        if let Some(pty) = self.handle.close() {
            pty.hang_up();
        }
        if let (false, Some(process)) = (raised(exception), &self.process) {
            wait_for(py, &process.get().process, Timeout::Forever)?;
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        let state = if self.handle.is_closed() { " closed" } else { "" };
        format!("<unipc.{}{state}>", self.label)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Shell`: popen and pclose.

use std::os::fd::{AsRawFd, RawFd};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use unipc::Timeout;

use super::{FOREVER, Process, check_keywords, command, label_of, raised, room, wait_for};
use crate::buffer::Lent;
use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::wait::{TimeoutArgument, wait};

/// A program whose output is read (`mode="r"`) or whose input is written (`mode="w"`): popen(3) and pclose(3).
///
/// The command is a sequence of words, or with `shell=True` a line for `sh -c`; the other keywords are those of `spawn`.
/// The program runs beside this one; `close` waits for it and returns how it ended, 0 to 255 or -N for signal N.
///
/// Every call that may wait takes a `timeout` in seconds: None is for ever, 0 a try (`BlockingIOError`), and
/// `TimeoutError` says that the time is over. Writing to a program that has ended or closed its input is
/// `BrokenPipeError` that tells how it ended, never a signal. Iterating gives the lines.
///
/// `with` closes; when the block ends with an exception it does not wait. Dropping closes and does not wait; no
/// zombie remains. Threads may use it at once. It cannot be pickled; a child of `os.fork` has the pipe too, and while it has a writing end
/// the program sees no end of its input.
///
/// >>> import unipc
/// >>> with unipc.Shell(["printf", "one\ntwo\n"]) as shell:
/// ...     list(shell)
/// [b'one', b'two']
/// >>> shell = unipc.Shell("cat > /dev/null; exit 3", "w", shell=True)
/// >>> shell.write(b"hello")
/// >>> shell.close()
/// 3
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Shell {
    handle: Handle<unipc::pipe::Shell>,
    /// What stays true after closing.
    label: String,
    process: Py<Process>,
    mode: &'static str,
}

impl Shell {
    /// The shell, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, unipc::pipe::Shell>> {
        self.handle.get(&self.label)
    }
}

#[pymethods]
impl Shell {
    #[new]
    #[pyo3(signature = (command, mode = "r", **options), text_signature = "(command, mode='r', *, shell=False, stdin=None, stdout=None, stderr=None, pass_fds=(), env=None, cwd=None, new_group=False)")]
    fn new(
        py: Python<'_>,
        command: &Bound<'_, PyAny>,
        mode: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        check_keywords(options)?;
        let program = self::command(command, options)?;
        let (shell, mode) = match mode {
            "r" => (unipc::pipe::Shell::reader(program), "r"),
            "w" => (unipc::pipe::Shell::writer(program), "w"),
            _ => return Err(PyValueError::new_err("mode is 'r' or 'w'")),
        };
        let shell = shell.map_err(raise)?;
        let label = label_of(command)?;
        let process = Py::new(py, Process::new(shell.process(), &label))?;
        Ok(Self { handle: Handle::new(shell), label, process, mode })
    }

    /// Reads what is there, at most `size` bytes; waits for the first. b"" is the end.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError`; `EBADF` when the shell writes.
    #[pyo3(signature = (size = 65536, timeout = FOREVER), text_signature = "($self, size=65536, timeout=None)")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let shell = self.get()?;
        let mut room = room(size)?;
        let count = wait(py, timeout.0, |left| shell.read(&mut room, left))?;
        Ok(PyBytes::new(py, &room[..count]))
    }

    /// Reads the next line, without its newline; None at the end. A last line may have no newline.
    ///
    /// Raises `OSError` as `read`; `EMSGSIZE` for a line of more than 1 MiB, whose bytes stay for `read`. What has come of a
    /// line when the time is over stays.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn read_line<'py>(
        &self,
        py: Python<'py>,
        timeout: TimeoutArgument,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let shell = self.get()?;
        let line = wait(py, timeout.0, |left| shell.read_line(left))?;
        Ok(line.map(|line| PyBytes::new(py, &line)))
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.read_line(py, FOREVER)
    }

    /// Writes all bytes. Those of other threads wait until they have gone.
    ///
    /// Raises `OSError`: `EDEADLK` in the handler of a signal that came in the midst of a write of the same thread;
    /// `BrokenPipeError` when the program has ended or closed its input; `TimeoutError`, `BlockingIOError`:
    /// a part may have gone; `EBADF` when the shell reads.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let shell = self.get()?;
        let lent = Lent::readable(data)?;
        let mut writing = shell.begin(lent.bytes());
        wait(py, timeout.0, |left| writing.go_on(left))
    }

    /// Closes the pipe, waits for the program and returns how it ended: 0 to 255, or -N for signal N. Closing twice is fine.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError`: the pipe is closed, the program goes on, and `close` may be
    /// called again.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn close(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<i32> {
        if let Some(shell) = self.handle.close() {
            shell.end();
        }
        wait_for(py, &self.process.get().process, timeout.0)
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The program.
    #[getter]
    fn process(&self, py: Python<'_>) -> Py<Process> {
        self.process.clone_ref(py)
    }

    /// "r" or "w".
    #[getter]
    fn mode(&self) -> &'static str {
        self.mode
    }

    /// The pipe's descriptor: close-on-exec, valid until `close`. A line that was read already is not seen by a poll: read with
    /// a timeout of 0 until `BlockingIOError` before.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.fd().map_err(raise)?.as_raw_fd())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().get()?;
        Ok(slf)
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        if let Some(shell) = self.handle.close() {
            shell.end();
        }
        if !raised(exception) {
            wait_for(py, &self.process.get().process, Timeout::Forever)?;
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        let state = if self.handle.is_closed() { " closed" } else { "" };
        format!("<unipc.Shell {} {:?}{state}>", self.label, self.mode)
    }
}

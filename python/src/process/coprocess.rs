// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Coprocess`: a filter at the other end of two pipes.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use unipc::pipe::CoprocessOptions;
use unipc::{ErrorKind, Timeout};

use super::{FOREVER, Process, check_keywords, command, label_of, raised, room, wait_for};
use crate::buffer::Lent;
use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::wait::{TimeoutArgument, wait};

/// For answers of so many bytes there is room from the start: as many as a pipe holds.
const ROOM: usize = 64 << 10;

/// A filter as a coprocess: what is written goes to its standard input, and what it puts out is read.
///
/// The command is a sequence of words, or with `shell=True` a line for `sh -c`; `line_limit` says how many bytes a line of the
/// filter may have; the other keywords are those of `spawn`.
///
/// `exchange` sends a line and returns the answer. A filter that dies is `BrokenPipeError` with how it ended in the text, never a
/// signal and never a wait for what cannot come. Full pipes do no harm: a write that finds no room reads what the filter puts
/// out and keeps it for the next read, up to 64 MiB (then it is `ENOBUFS`).
///
/// Many filters put out whole blocks into a pipe and lines to a terminal: with `terminal=True` the filter's standard output is a
/// pseudoterminal in raw mode, so that each line comes at once, as it was written.
///
/// Every call that may wait takes a `timeout` in seconds: None is for ever, 0 a try (`BlockingIOError`), and
/// `TimeoutError` says that the time is over; after it the answer may still come, and would be taken for the next one.
///
/// `with` closes; when the block ends with an exception it does not wait. Dropping closes both pipes and does not wait; no
/// zombie remains. Threads may use it at once: a line, and an exchange, is not mixed with those of others. It cannot be pickled;
/// after `os.fork` only one of the two may use it.
///
/// >>> import unipc
/// >>> with unipc.Coprocess(["cat"]) as filter:
/// ...     filter.exchange(b"hello")
/// b'hello'
/// >>> unipc.Coprocess(["sort"]).communicate(b"b\na\n")
/// b'a\nb\n'
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Coprocess {
    handle: Handle<unipc::pipe::Coprocess>,
    /// What stays true after closing.
    label: String,
    process: Py<Process>,
    /// Room for answers, while nobody is using it.
    room: Mutex<Vec<u8>>,
}

/// An answer, and where it is.
enum Answer {
    InRoom(usize),
    Long(Vec<u8>),
}

impl Coprocess {
    /// The coprocess, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, unipc::pipe::Coprocess>> {
        self.handle.get(&self.label)
    }

    /// Room for an answer: that of the last one, if nobody else has it.
    fn take_room(&self) -> Vec<u8> {
        let kept = self.room.try_lock().map(|mut kept| std::mem::take(&mut *kept));
        kept.ok().filter(|kept| !kept.is_empty()).unwrap_or_else(|| vec![0; ROOM])
    }

    fn keep_room(&self, room: Vec<u8>) {
        if let Ok(mut kept) = self.room.try_lock() {
            *kept = room;
        }
    }
}

#[pymethods]
impl Coprocess {
    #[new]
    #[pyo3(signature = (command, *, terminal = false, line_limit = 1 << 20, **options), text_signature = "(command, *, terminal=False, line_limit=1048576, shell=False, stdin=None, stdout=None, stderr=None, pass_fds=(), env=None, cwd=None, new_group=False)")]
    fn new(
        py: Python<'_>,
        command: &Bound<'_, PyAny>,
        terminal: bool,
        line_limit: usize,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        check_keywords(options)?;
        let program = self::command(command, options)?;
        let how = CoprocessOptions::new().terminal(terminal).line_limit(line_limit);
        let coprocess = how.spawn(program).map_err(raise)?;
        let label = label_of(command)?;
        let process = Py::new(py, Process::new(coprocess.process(), &label))?;
        Ok(Self { handle: Handle::new(coprocess), label, process, room: Mutex::default() })
    }

    /// Sends a line, to which the newline is added, and returns the line that comes in answer, without it.
    ///
    /// Raises `OSError`: `BrokenPipeError` when the filter has ended, or closed its input or output; `EINVAL` for a line with a
    /// newline in it; `EMSGSIZE` for an answer beyond the limit; `TimeoutError`, `BlockingIOError`; `EDEADLK` in the
    /// handler of a signal that came in the midst of a write or exchange of the same thread.
    #[pyo3(signature = (line, timeout = FOREVER), text_signature = "($self, line, timeout=None)")]
    fn exchange<'py>(
        &self,
        py: Python<'py>,
        line: &Bound<'py, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let coprocess = self.get()?;
        let lent = Lent::readable(line)?;
        let mut exchange = coprocess.begin_line(lent.bytes()).map_err(raise)?;
        let mut room = self.take_room();
        let answer = wait(py, timeout.0, |left| match exchange.receive_into(&mut room, left) {
            // It stays the next line.
            Err(error) if *error.kind() == ErrorKind::Os(libc::EMSGSIZE) => {
                exchange.receive(left, |answer| Ok(Answer::Long(answer.to_vec())))
            }
            length => length.map(Answer::InRoom),
        })?;
        let answer = match answer {
            Answer::InRoom(length) => PyBytes::new(py, &room[..length]),
            Answer::Long(answer) => {
                // The next one is perhaps as long.
                room.resize(answer.len() + 1, 0);
                PyBytes::new(py, &answer)
            }
        };
        self.keep_room(room);
        Ok(answer)
    }

    /// Writes a line, to which the newline is added.
    ///
    /// Raises `OSError` as `write`; `EINVAL` for a line with a newline in it.
    #[pyo3(signature = (line, timeout = FOREVER), text_signature = "($self, line, timeout=None)")]
    fn write_line(
        &self,
        py: Python<'_>,
        line: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let coprocess = self.get()?;
        let lent = Lent::readable(line)?;
        let mut sending = coprocess.begin_line(lent.bytes()).map_err(raise)?;
        wait(py, timeout.0, |left| sending.send(left))
    }

    /// Writes all bytes.
    ///
    /// Raises `OSError`: `BrokenPipeError` when the filter has ended or closed its input; `ENOBUFS` when it has put out 64 MiB
    /// meanwhile that nobody has read; `TimeoutError`, `BlockingIOError`: a part may have gone; `EBADF` after `end_input`;
    /// `EDEADLK` in the handler of a signal that came in the midst of a write or exchange of the same thread.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let coprocess = self.get()?;
        let lent = Lent::readable(data)?;
        let mut sending = coprocess.begin(lent.bytes());
        wait(py, timeout.0, |left| sending.send(left))
    }

    /// Reads what is there, at most `size` bytes; waits for the first. b"" is the end.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError`.
    #[pyo3(signature = (size = 65536, timeout = FOREVER), text_signature = "($self, size=65536, timeout=None)")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let coprocess = self.get()?;
        let mut room = room(size)?;
        let count = wait(py, timeout.0, |left| coprocess.read(&mut room, left))?;
        Ok(PyBytes::new(py, &room[..count]))
    }

    /// Reads the next line, without its newline; None at the end. A last line may have no newline.
    ///
    /// Raises `OSError` as `read`; `EMSGSIZE` for a line beyond the limit, whose bytes stay for `read`. What has come of a
    /// line when the time is over stays.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn read_line<'py>(
        &self,
        py: Python<'py>,
        timeout: TimeoutArgument,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let coprocess = self.get()?;
        let line = wait(py, timeout.0, |left| coprocess.read_line(left))?;
        Ok(line.map(|line| PyBytes::new(py, &line)))
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.read_line(py, FOREVER)
    }

    /// Writes all bytes, ends the input, and returns all that the filter puts out until it closes its output.
    ///
    /// A filter that stops reading early (`head`) is fine. Raises `OSError`: `ENOBUFS`, `TimeoutError`, `BlockingIOError`.
    #[pyo3(signature = (data = None, timeout = FOREVER), text_signature = "($self, data=None, timeout=None)")]
    fn communicate<'py>(
        &self,
        py: Python<'py>,
        data: Option<&Bound<'py, PyAny>>,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let coprocess = self.get()?;
        let lent = data.map(Lent::readable).transpose()?;
        let bytes = lent.as_ref().map_or(&[][..], Lent::bytes);
        let mut talk = coprocess.begin_communication(bytes);
        wait(py, timeout.0, |left| talk.finish(left))?;
        Ok(PyBytes::new(py, talk.output()))
    }

    /// Ends the filter's input, so that one that reads all before it answers (`sort`) answers now.
    fn end_input(&self) -> PyResult<()> {
        self.get()?.end_input();
        Ok(())
    }

    /// Closes both pipes, waits for the filter and returns how it ended: 0 to 255, or -N for signal N. Closing twice is fine.
    ///
    /// A filter that still has something to say gets EPIPE or SIGPIPE. Raises `OSError`: `TimeoutError`, `BlockingIOError`: the
    /// pipes are closed, the filter goes on, and `close` may be called again.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn close(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<i32> {
        if let Some(coprocess) = self.handle.close() {
            coprocess.end();
        }
        wait_for(py, &self.process.get().process, timeout.0)
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The filter.
    #[getter]
    fn process(&self, py: Python<'_>) -> Py<Process> {
        self.process.clone_ref(py)
    }

    /// Was something read already that no poll of the descriptor shows? Perhaps a part of a line.
    #[getter]
    fn has_buffered(&self) -> PyResult<bool> {
        Ok(self.get()?.has_buffered())
    }

    /// The descriptor from which the filter's output comes: close-on-exec, valid until `close`. See `has_buffered`.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.fd().map_err(raise)?.as_raw_fd())
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().get()?;
        Ok(slf)
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        if let Some(coprocess) = self.handle.close() {
            coprocess.end();
        }
        if !raised(exception) {
            wait_for(py, &self.process.get().process, Timeout::Forever)?;
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        let state = if self.handle.is_closed() { " closed" } else { "" };
        format!("<unipc.Coprocess {}{state}>", self.label)
    }
}

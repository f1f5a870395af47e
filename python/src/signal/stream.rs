// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as a stream with a descriptor.

use std::os::fd::{AsRawFd, RawFd};

use pyo3::prelude::*;
use pyo3::types::{PySet, PyTuple};
use unipc::signal::Stream;

use super::argument::{SetArgument, numbers};
use super::{SignalInfo, helper, limit, take};
use crate::error::raise;
use crate::handle::{Handle, Open, check_signals};
use crate::wait::TimeoutArgument;

/// Signals as a stream with a descriptor: signalfd(2). Made by `Stream.open`.
///
/// They come lowest number first, those of one real-time number in the order of sending, with sender, value and code.
/// `open` blocks them in the calling thread, since a signal that no one blocks acts instead of coming here; threads
/// that are started later inherit that. Open it in the main thread, before others start. Where threads run already (a
/// numerical library may have started some at its import), see `Counter`, which needs no mask. Handlers that were set
/// with the signal module stay, and do not run for what comes here; Ctrl-C is KeyboardInterrupt unless SIGINT is in
/// the set.
///
/// Iterating waits for ever; `async for` waits with the event loop, `await anext(stream)` for one. `fileno()` polls.
/// Any number of threads and tasks may read; each signal goes to one of them. Closing it in the thread that opened it
/// unblocks what it has blocked and no other stream of that thread wants, and what is pending then acts. A child of fork that
/// reads takes its own signals. It cannot be pickled.
///
/// >>> import os
/// >>> from unipc import signal
/// >>> with signal.Stream.open({"SIGUSR1", "RTMIN+2"}) as stream:
/// ...     signal.queue(os.getpid(), "RTMIN+2", 7)
/// ...     info = stream.read(timeout=10)
/// >>> info
/// SignalInfo(SIGRTMIN+2, SI_QUEUE, pid=..., uid=..., value=7)
#[pyclass(frozen, weakref, module = "unipc.signal")]
pub(crate) struct SignalStream(Handle<Stream>);

impl SignalStream {
    /// The stream, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, Stream>> {
        self.0.get(&"the stream")
    }
}

#[pymethods]
impl SignalStream {
    /// Opens a stream of these signals: numbers, names, or one of them.
    ///
    /// keep_mask    leave the thread's mask alone; the program blocks the signals itself
    ///
    /// Raises OSError: EINVAL when there is nothing in the set to wait for, EMFILE, ENFILE.
    #[staticmethod]
    #[pyo3(signature = (signals, *, keep_mask = false))]
    fn open(signals: SetArgument, keep_mask: bool) -> PyResult<Self> {
        let open = if keep_mask { Stream::open_keeping_mask } else { Stream::open };
        open(signals.0).map(|stream| Self(Handle::new(stream))).map_err(raise)
    }

    /// Takes the next signal. `timeout` is in seconds; None is for ever, 0 a try.
    ///
    /// Raises TimeoutError, BlockingIOError for a try. Handlers of other signals run meanwhile.
    #[pyo3(signature = (timeout = None))]
    fn read(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<SignalInfo> {
        let stream = self.get()?;
        take(py, limit(timeout), |left| stream.read(left)).map(SignalInfo::from)
    }

    /// Takes up to `most` signals, in order; waits until there is one.
    ///
    /// Raises as `read` does.
    #[pyo3(signature = (most = 64, timeout = None))]
    fn read_many(
        &self,
        py: Python<'_>,
        most: usize,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Vec<SignalInfo>> {
        let stream = self.get()?;
        let taken = take(py, limit(timeout), |left| stream.read_many(most, left))?;
        Ok(taken.into_iter().map(SignalInfo::from).collect())
    }

    /// From now on these signals come, through the same descriptor. What is new is blocked in the thread that opened the
    /// stream, if it is the one that calls (not with `keep_mask`).
    fn change(&self, signals: SetArgument) -> PyResult<()> {
        self.get()?.change(signals.0).map_err(raise)
    }

    /// The numbers of the signals that come.
    #[getter]
    fn signals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PySet>> {
        numbers(py, self.get()?.set())
    }

    /// The descriptor, to poll it; it stays the stream's.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_raw_fd())
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Closes it; again is fine. In the thread that opened it, what it has blocked is unblocked, and what is pending
    /// acts. Tasks that wait for it get ValueError; close it in their loop's thread.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let taken = slf.get().0.close();
        if let Some(stream) = taken {
            helper(py, "_closing")?.call1((slf,))?;
            // Not only when it is dropped: that another thread may do, which reads from it.
            stream.close();
            drop(stream);
            check_signals(py)?;
        }
        Ok(())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Self>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        Self::close(slf)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<SignalInfo> {
        self.read(py, None)
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let read = slf.getattr("read")?;
        helper(slf.py(), "_next")?.call1((slf, read))
    }

    fn __repr__(&self) -> String {
        self.0.open().map_or_else(
            || "<unipc.signal.Stream, closed>".into(),
            |stream| {
                format!("<unipc.signal.Stream of {}, fd {}>", stream.set(), stream.as_raw_fd())
            },
        )
    }
}

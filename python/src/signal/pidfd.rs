// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that cannot be mistaken for others.

use std::os::fd::{AsFd, AsRawFd, RawFd};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unipc::signal;

use super::argument::{SignalArgument, value};
use crate::buffer::duplicate;
use crate::error::raise;
use crate::handle::{Handle, Open};

/// A descriptor of a process: pidfd_open(2). Made by `PidFd.open`, `PidFd.open_started`, `PidFd.from_fd`.
///
/// Numbers of processes are used again; a descriptor stays with the one process, and raises ProcessLookupError when that
/// has ended. `fileno()` polls: it is readable once the process has ended, so it can be given to an event loop or a
/// selector. That the number was still the right process's when it was opened, only the parent knows, before it has
/// waited for it; others keep `start_time` with the number, and use `open_started`.
///
/// Threads may share it. A child of fork may use it as well. It cannot be pickled.
///
/// >>> import subprocess
/// >>> import os
/// >>> from unipc import signal
/// >>> child = subprocess.Popen(["sleep", "60"])
/// >>> with signal.PidFd.open(child.pid) as process:
/// ...     process.send("SIGTERM")
/// >>> child.wait()
/// -15
#[pyclass(frozen, module = "unipc.signal")]
pub(crate) struct PidFd(Handle<signal::PidFd>);

impl PidFd {
    fn new(process: signal::PidFd) -> Self {
        Self(Handle::new(process))
    }

    fn get(&self) -> PyResult<Open<'_, signal::PidFd>> {
        self.0.get(&"the pidfd")
    }
}

#[pymethods]
impl PidFd {
    /// Opens the process that has this number now. Raises ProcessLookupError; OSError with EINVAL for a thread's number.
    #[staticmethod]
    fn open(pid: i32) -> PyResult<Self> {
        signal::PidFd::open(pid).map(Self::new).map_err(raise)
    }

    /// Opens the process that has this number, if it is the one that was started then: what `start_time` gave of it.
    ///
    /// Raises ProcessLookupError too when the number belongs to another process now.
    #[staticmethod]
    fn open_started(pid: i32, started: u64) -> PyResult<Self> {
        signal::PidFd::open_started(pid, started).map(Self::new).map_err(raise)
    }

    /// Takes a descriptor that came from elsewhere, such as os.pidfd_open; it is duplicated, and stays yours.
    ///
    /// Calls raise OSError with EBADF if it is none of a process.
    #[staticmethod]
    fn from_fd(fd: &Bound<'_, PyAny>) -> PyResult<Self> {
        let number: RawFd = match fd.getattr_opt(intern!(fd.py(), "fileno"))? {
            Some(fileno) => fileno.call0()?.extract()?,
            None => fd.extract()?,
        };
        Ok(Self::new(signal::PidFd::from_fd(duplicate(number)?)))
    }

    /// Sends a signal. Raises ProcessLookupError when the process has ended, PermissionError.
    fn send(&self, signal: SignalArgument) -> PyResult<()> {
        self.get()?.send(signal.0).map_err(raise)
    }

    /// Sends a signal with an int, or with a pointer, as `unipc.signal.queue` does.
    #[pyo3(signature = (signal, value = 0, *, pointer = None))]
    fn queue(&self, signal: SignalArgument, value: i32, pointer: Option<usize>) -> PyResult<()> {
        self.get()?.queue(signal.0, self::value(value, pointer)).map_err(raise)
    }

    /// Sends a signal to every process of the group that the process leads (Linux 6.9).
    fn send_group(&self, signal: SignalArgument) -> PyResult<()> {
        self.get()?.send_group(signal.0).map_err(raise)
    }

    /// The process's number; None when it has ended and was waited for.
    #[getter]
    fn pid(&self) -> PyResult<Option<i32>> {
        self.get()?.pid().map_err(raise)
    }

    /// Does it run still? False once it has ended, whether somebody has waited for it or not.
    fn is_alive(&self) -> PyResult<bool> {
        self.get()?.is_alive().map_err(raise)
    }

    /// The descriptor, to poll it; it stays the handle's.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_fd().as_raw_fd())
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Closes the descriptor; again is fine. The process goes on.
    fn close(&self) {
        drop(self.0.close());
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        self.0.open().map_or_else(
            || "<unipc.signal.PidFd, closed>".into(),
            |process| match process.pid() {
                Ok(Some(pid)) => format!("<unipc.signal.PidFd of process {pid}>"),
                _ => "<unipc.signal.PidFd of a process that has ended>".into(),
            },
        )
    }
}

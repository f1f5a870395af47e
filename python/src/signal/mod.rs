// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals: plain functions, which `unipc.signal` gives their names, and four classes.
#![allow(clippy::doc_markdown, reason = "the comments are Python's docstrings")]

mod argument;
mod counter;
mod function;
mod info;
mod pidfd;
mod stream;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use unipc::Timeout;

pub(crate) use counter::SignalCounter;
pub(crate) use function::*;
pub(crate) use info::SignalInfo;
pub(crate) use pidfd::PidFd;
pub(crate) use stream::SignalStream;

use crate::error::raise;
use crate::wait::{TimeoutArgument, wait};

/// What is written in Python, in `unipc.signal`.
fn helper<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("unipc.signal").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

/// Takes what is there without letting other threads in, which costs more than the call; waits for it only if need be.
fn take<R: Send>(
    py: Python<'_>,
    timeout: Timeout,
    mut work: impl FnMut(Timeout) -> unipc::Result<R> + Send,
) -> PyResult<R> {
    match work(Timeout::TRY) {
        Err(error) if error.errno() == libc::EAGAIN && timeout != Timeout::TRY => {
            wait(py, timeout, work)
        }
        other => other.map_err(raise),
    }
}

fn limit(timeout: Option<TimeoutArgument>) -> Timeout {
    timeout.map_or(Timeout::Forever, |timeout| timeout.0)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Turnstile`.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use unipc::Timeout;
use unipc::pipe::Side;

use super::end::duplicate_of;
use crate::error::{closed, raise};
use crate::wait::{TimeoutArgument, wait};

const FOREVER: TimeoutArgument = TimeoutArgument(Timeout::Forever);

/// Two pipes through which a parent and its child take turns (`TELL_WAIT` and its kin).
///
/// Make it before `os.fork`; then the process that made it is the parent, and any other the child. Whoever waits for a
/// peer that ends hears so (`BrokenPipeError`) instead of waiting for ever: each side closes what belongs to the other
/// when it calls for the first time, or with `choose`. Each telling is kept until it is waited for.
///
/// A third process that has inherited the pipes keeps a dead peer from being noticed: fork it before the turnstile is
/// made, or let it `close` its copy. One call at a time; a wait that another thread is in ends before the next call.
///
/// >>> import os
/// >>> from unipc import Turnstile
/// >>> with Turnstile() as turnstile:
/// ...     if os.fork() == 0:
/// ...         turnstile.wait_parent()
/// ...         turnstile.tell_parent()
/// ...         os._exit(0)
/// ...     turnstile.tell_child()
/// ...     turnstile.wait_child()
/// >>> os.wait()[1]
/// 0
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Turnstile {
    open: Mutex<Option<unipc::pipe::Turnstile>>,
}

fn side(side: &str) -> PyResult<Side> {
    match side {
        "parent" => Ok(Side::Parent),
        "child" => Ok(Side::Child),
        _ => Err(PyValueError::new_err(format!("a side is 'parent' or 'child', not {side:?}"))),
    }
}

impl Turnstile {
    fn new_open(turnstile: unipc::pipe::Turnstile) -> Self {
        Self { open: Mutex::new(Some(turnstile)) }
    }

    /// The lock is held during the call alone, not while handlers of signals run.
    fn call<R: Send>(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        mut work: impl FnMut(&mut unipc::pipe::Turnstile, Timeout) -> unipc::Result<R> + Send,
    ) -> PyResult<R> {
        wait(py, timeout, |left| {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.as_mut().map(|turnstile| work(turnstile, left)).transpose()
        })?
        .ok_or_else(|| closed(&"the turnstile"))
    }
}

#[pymethods]
impl Turnstile {
    #[new]
    fn new() -> PyResult<Self> {
        unipc::pipe::Turnstile::new().map(Self::new_open).map_err(raise)
    }

    /// One side, "parent" or "child", of descriptors that were inherited through exec or received: `hear` is read, `tell`
    /// is written. They are numbers or objects with `fileno()`, and are duplicated: close the originals.
    ///
    /// Raises `OSError`: `EBADF` when they are not open, or the other way; `EOPNOTSUPP` when they are no pipes.
    #[classmethod]
    fn from_fds(
        _cls: &Bound<'_, PyType>,
        which: &str,
        hear: &Bound<'_, PyAny>,
        tell: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (hear, tell) = (duplicate_of(hear)?, duplicate_of(tell)?);
        unipc::pipe::Turnstile::from_fds(side(which)?, hear, tell)
            .map(Self::new_open)
            .map_err(raise)
    }

    /// Says which side this process is, "parent" or "child", after fork, and closes what belongs to the other. The other
    /// methods do it by themselves; call it when this process may end before its first one, or forks again.
    ///
    /// Raises `OSError`: `EINVAL` when it is the other side already.
    fn choose(&self, py: Python<'_>, which: &str) -> PyResult<()> {
        let which = side(which)?;
        self.call(py, Timeout::Forever, |turnstile, _| turnstile.choose(which))
    }

    /// The descriptors of a side, that is what it hears and what it tells, to hand them to a program that is executed;
    /// None when they were closed. They stay the turnstile's, and are close-on-exec.
    fn fds(&self, py: Python<'_>, which: &str) -> PyResult<Option<(RawFd, RawFd)>> {
        let which = side(which)?;
        self.call(py, Timeout::Forever, |turnstile, _| {
            Ok(turnstile.fds(which).map(|(hear, tell)| (hear.as_raw_fd(), tell.as_raw_fd())))
        })
    }

    /// The child tells the parent to go on.
    ///
    /// Raises `OSError`: `BrokenPipeError` when the parent has ended; `EINVAL` in the parent.
    fn tell_parent(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Timeout::Forever, |turnstile, _| turnstile.tell_parent())
    }

    /// The child waits until the parent tells it to go on, at most `timeout` seconds.
    ///
    /// Raises `OSError`: `BrokenPipeError` when the parent has ended without telling; `TimeoutError`, `BlockingIOError`;
    /// `EINVAL` in the parent.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn wait_parent(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<()> {
        self.call(py, timeout.0, unipc::pipe::Turnstile::wait_parent)
    }

    /// The parent tells the child to go on.
    ///
    /// Raises `OSError`: `BrokenPipeError` when the child has ended; `EINVAL` in the child.
    fn tell_child(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Timeout::Forever, |turnstile, _| turnstile.tell_child())
    }

    /// The parent waits until the child tells it to go on, at most `timeout` seconds.
    ///
    /// Raises `OSError`: `BrokenPipeError` when the child has ended without telling; `TimeoutError`, `BlockingIOError`;
    /// `EINVAL` in the child.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn wait_child(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<()> {
        self.call(py, timeout.0, unipc::pipe::Turnstile::wait_child)
    }

    /// Closes this process's ends; the peer hears that this side has ended. Closing twice is fine.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.open.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }
}

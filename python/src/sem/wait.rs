// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taking and giving: at once where it can be, else detached from the interpreter.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use unipc::Timeout;
use unipc::sem::OwnedGuard;

use super::{Open, Semaphore};
use crate::error::raise;
use crate::wait::{TimeoutArgument, wait};

/// Did it succeed? No when it was not to be had at once, or in time.
pub(super) fn in_time(result: unipc::Result<()>) -> unipc::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if [libc::EAGAIN, libc::ETIMEDOUT].contains(&error.errno()) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn given(timeout: Option<TimeoutArgument>) -> Timeout {
    timeout.map_or(Timeout::Forever, |timeout| timeout.0)
}

/// How often one does not try, after a try in vain.
const IN_VAIN: u32 = 16;

impl Semaphore {
    /// Is it worth a try before other threads are let in? Not when the last one was in vain, for a while: the units come
    /// slowly then, and the try costs as much as letting them in.
    fn worth_a_try(&self) -> bool {
        // SYNC: a guess that orders nothing.
        let left = self.in_vain.load(Ordering::Relaxed);
        if left > 0 {
            // SYNC: as above.
            self.in_vain.store(left - 1, Ordering::Relaxed);
        }
        left == 0
    }

    fn tried_in_vain(&self) {
        // SYNC: as above.
        self.in_vain.store(IN_VAIN, Ordering::Relaxed);
    }

    fn take_held(&self, py: Python<'_>, timeout: Timeout) -> PyResult<OwnedGuard> {
        match self.at_once(|semaphore| semaphore.hold_owned(Timeout::TRY))? {
            Err(error) if error.errno() == libc::EAGAIN && timeout != Timeout::TRY => {}
            other => return other.map_err(raise),
        }
        let semaphore = self.get()?;
        wait(py, timeout, move |left| semaphore.hold_owned(left))
    }
}

#[pymethods]
impl Semaphore {
    /// Takes one unit, waiting until there is one. True when it was taken; False when there was none in time.
    ///
    /// - `blocking`: False takes a unit only if there is one now.
    /// - `timeout`: seconds to wait, by the monotonic clock; None for ever, 0 as `blocking=False`.
    ///
    /// Nothing is undone should this process die (unless the handle has `undo=True`); `with` and `hold` are for what the
    /// same process gives back.
    ///
    /// Raises `OSError`: `EIDRM` (`RemovedError`) when the System V set was removed, before or meanwhile; `EACCES`;
    /// `EINVAL` for a timeout that is negative. `ValueError` for one although `blocking` is False. See `sem_wait(3)`,
    /// semop(2).
    ///
    /// >>> from unipc import Semaphore
    /// >>> semaphore = Semaphore.create("sysv:private", 1, remove_on_close=True)
    /// >>> semaphore.acquire()
    /// True
    /// >>> semaphore.acquire(timeout=0.01)
    /// False
    /// >>> semaphore.close()
    #[pyo3(signature = (blocking = true, timeout = None))]
    fn acquire(
        &self,
        py: Python<'_>,
        blocking: bool,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<bool> {
        if !blocking && timeout.is_some() {
            return Err(PyValueError::new_err(
                "a timeout says how long to block: blocking is False",
            ));
        }
        let timeout = given(timeout);
        let only_try = !blocking || timeout == Timeout::TRY;
        if only_try || self.worth_a_try() {
            let taken = self.at_once(|semaphore| semaphore.try_acquire())?.map_err(raise)?;
            if taken || only_try {
                return Ok(taken);
            }
            self.tried_in_vain();
        }
        let semaphore = self.get()?;
        wait(py, timeout, move |left| in_time(semaphore.acquire(left)))
    }

    /// Gives one unit, and wakes one who waits. Any process may, whoever has acquired.
    ///
    /// Raises `OSError`: `EOVERFLOW` when the value is the highest already (POSIX 2147483647, System V 32767, binary 1);
    /// `EIDRM` (`RemovedError`) when the System V set was removed; `EACCES`. See `sem_post(3)`, semop(2).
    fn release(&self) -> PyResult<()> {
        self.at_once(|semaphore| semaphore.release())?.map_err(raise)
    }

    /// A context manager that takes one unit for a block, as `with semaphore:` does, within a time.
    ///
    /// - `timeout`: seconds to wait; None for ever, 0 not at all.
    ///
    /// Entering raises `TimeoutError` when there was no unit in time, `BlockingIOError` for 0; and as `acquire`.
    ///
    /// >>> from unipc import Semaphore
    /// >>> semaphore = Semaphore.create("sysv:private", 1, remove_on_close=True)
    /// >>> with semaphore.hold(timeout=1):
    /// ...     semaphore.value
    /// 0
    /// >>> semaphore.close()
    #[pyo3(signature = (timeout = None))]
    fn hold(slf: Py<Self>, timeout: Option<TimeoutArgument>) -> Hold {
        Hold { semaphore: slf, timeout: given(timeout), held: Mutex::default() }
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let (this, py) = (slf.get(), slf.py());
        let Open::Kept { held, .. } = &this.open else {
            push(&this.guards, this.take_held(py, Timeout::Forever)?);
            return Ok(slf);
        };
        match this.at_once(|semaphore| held.take(semaphore, Timeout::TRY))? {
            Err(error) if error.errno() == libc::EAGAIN => {}
            other => return other.map(|()| slf).map_err(raise),
        }
        let semaphore = this.get()?;
        wait(py, Timeout::Forever, move |left| held.take(&semaphore, left))?;
        Ok(slf)
    }

    /// Gives the unit back; in a child of fork that did not take it, nothing.
    // Three arguments, and not a tuple of them, which Python would make for the call.
    #[pyo3(signature = (_kind = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        match &self.open {
            // Closed or not: what is held is given back.
            Open::Kept { semaphore, held, .. } => {
                let given = held.give_back(semaphore).map_err(raise)?;
                given.then_some(()).ok_or_else(not_entered)
            }
            Open::InMemory(_) => pop(&self.guards),
        }
    }
}

/// What `Semaphore.hold()` gives: a context manager, which may be entered several times and by several threads.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct Hold {
    semaphore: Py<Semaphore>,
    timeout: Timeout,
    held: Mutex<Vec<OwnedGuard>>,
}

#[pymethods]
impl Hold {
    fn __enter__(slf: &Bound<'_, Self>) -> PyResult<Py<Semaphore>> {
        let (this, py) = (slf.get(), slf.py());
        let guard = this.semaphore.get().take_held(py, this.timeout)?;
        push(&this.held, guard);
        Ok(this.semaphore.clone_ref(py))
    }

    // Three arguments, and not a tuple of them, which Python would make for the call.
    #[pyo3(signature = (_kind = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        pop(&self.held)
    }
}

fn push(held: &Mutex<Vec<OwnedGuard>>, guard: OwnedGuard) {
    held.lock().unwrap_or_else(PoisonError::into_inner).push(guard);
}

/// All guards of one semaphore are alike, so that it does not matter whose is the last.
fn pop(held: &Mutex<Vec<OwnedGuard>>) -> PyResult<()> {
    let guard = held.lock().unwrap_or_else(PoisonError::into_inner).pop();
    guard.ok_or_else(not_entered)?.release().map_err(raise)
}

fn not_entered() -> PyErr {
    PyRuntimeError::new_err("it was not entered")
}

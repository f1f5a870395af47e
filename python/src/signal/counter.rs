// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that are counted.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, RawFd};

use pyo3::prelude::*;
use pyo3::types::{PySet, PyTuple};
use unipc::signal::{Counter, Set};

use super::argument::{SetArgument, by_number, numbers};
use super::{helper, limit, take};
use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::wait::TimeoutArgument;

/// Counts signals without blocking them, in whatever thread they arrive. Made by `Counter.open`.
///
/// The only code that runs in the signal handler adds one and makes a descriptor readable; no Python code does. So it
/// needs no mask, and works where threads run already. It does not tell the sender or the value: that is what `Stream`
/// and `wait` are for. Signals of one number that come while one is pending merge, unless they are real-time signals.
///
/// A handler that the signal module has installed is not replaced, unless asked for; SIGINT has one from the start.
/// Closing puts back what was in force before, unless something else was installed since. signal.getsignal() does not
/// know of counters.
///
/// Iterating waits for ever; `async for` waits with the event loop, `await anext(counter)` for one dictionary. `fileno()`
/// polls. Any number of threads and tasks may wait; each count is taken once. A child of fork counts its own signals; it
/// calls `take` before it polls. It cannot be pickled.
///
/// >>> import os
/// >>> from unipc import signal
/// >>> with signal.Counter.open("SIGUSR2") as counter:
/// ...     signal.raise_signal("SIGUSR2")
/// ...     signal.raise_signal("SIGUSR2")
/// ...     print(counter.wait())
/// {12: 2}
#[pyclass(frozen, weakref, module = "unipc.signal")]
pub(crate) struct SignalCounter(Handle<Counter>);

impl SignalCounter {
    /// The counter, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, Counter>> {
        self.0.get(&"the counter")
    }
}

#[pymethods]
impl SignalCounter {
    /// Counts these signals from now on: numbers, names, or one of them.
    ///
    /// restart          system calls that the signal interrupts go on (SA_RESTART); Python's own do in any case
    /// one_shot         count one signal; the next does what it does by itself (SA_RESETHAND)
    /// replace          replace a handler that is installed, of Python's too; it comes back at closing
    /// no_child_stop    SIGCHLD: count children that end, not those that stop (SA_NOCLDSTOP)
    /// no_child_wait    SIGCHLD: children that end leave no zombie (SA_NOCLDWAIT)
    /// no_defer         do not block the signal while it is counted (SA_NODEFER)
    /// mask             what else is blocked while one is counted (sa_mask)
    ///
    /// Raises OSError: EBUSY when one of them has a handler or a counter, EINVAL, EMFILE, ENFILE.
    #[staticmethod]
    #[pyo3(signature = (
        signals, *, restart = true, one_shot = false, replace = false, no_child_stop = false,
        no_child_wait = false, no_defer = false, mask = None,
    ))]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools, reason = "keywords")]
    fn open(
        signals: SetArgument,
        restart: bool,
        one_shot: bool,
        replace: bool,
        no_child_stop: bool,
        no_child_wait: bool,
        no_defer: bool,
        mask: Option<SetArgument>,
    ) -> PyResult<Self> {
        Counter::options()
            .restart(restart)
            .one_shot(one_shot)
            .replace(replace)
            .no_child_stop(no_child_stop)
            .no_child_wait(no_child_wait)
            .no_defer(no_defer)
            .mask(mask.map_or(Set::EMPTY, |mask| mask.0))
            .open(signals.0)
            .map(|counter| Self(Handle::new(counter)))
            .map_err(raise)
    }

    /// Waits until one of the signals has come, and takes the counts: a dictionary from number to count.
    ///
    /// `timeout` is in seconds; None is for ever, 0 a try. Raises TimeoutError, BlockingIOError for a try. Handlers of
    /// other signals run meanwhile.
    #[pyo3(signature = (timeout = None))]
    fn wait(
        &self,
        py: Python<'_>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<BTreeMap<i32, u64>> {
        let counter = self.get()?;
        take(py, limit(timeout), |left| counter.wait(left)).map(|counts| by_number(&counts))
    }

    /// Takes the counts, without waiting: a dictionary from number to count, perhaps empty.
    fn take(&self) -> PyResult<BTreeMap<i32, u64>> {
        self.get()?.take().map(|counts| by_number(&counts)).map_err(raise)
    }

    /// The numbers of the signals that are counted.
    #[getter]
    fn signals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PySet>> {
        numbers(py, self.get()?.set())
    }

    /// The descriptor, to poll it; it stays the counter's.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_raw_fd())
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Ends the counting, and puts back what was in force before; again is fine. Tasks that wait for it get ValueError;
    /// close it in their loop's thread.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let taken = slf.get().0.close();
        if taken.is_some() {
            helper(py, "_closing")?.call1((slf,))?;
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

    fn __next__(&self, py: Python<'_>) -> PyResult<BTreeMap<i32, u64>> {
        self.wait(py, None)
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let wait = slf.getattr("wait")?;
        helper(slf.py(), "_next")?.call1((slf, wait))
    }

    fn __repr__(&self) -> String {
        self.0.open().map_or_else(
            || "<unipc.signal.Counter, closed>".into(),
            |counter| {
                format!("<unipc.signal.Counter of {}, fd {}>", counter.set(), counter.as_raw_fd())
            },
        )
    }
}

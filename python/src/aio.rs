// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the methods whose names end in `_async` return: coroutines that try, and wait in asyncio's loop where that is in vain.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyBlockingIOError, PyRuntimeError, PyRuntimeWarning, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::raise;
use crate::poll::waitable;

/// So often in a row something was ready and could not be had; then it is another process's for a while.
const IN_VAIN: u32 = 3;
/// That while, in seconds.
const PAUSE: f64 = 0.002;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One descriptor for all that the tasks of a loop wait for and that has none.
///
/// fork: it is the parent's.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct LoopBell {
    bell: Mutex<unipc::poll::LoopBell>,
    alarms: Mutex<BTreeMap<u64, Py<Alarm>>>,
}

impl LoopBell {
    /// Waits for a thing; None when it is ready now.
    fn arm(
        slf: &Bound<'_, Self>,
        thing: &Bound<'_, PyAny>,
        of_loop: Bound<'_, PyAny>,
    ) -> PyResult<Option<Py<Alarm>>> {
        let thing = waitable(thing)?;
        let Some(number) = locked(&slf.get().bell).arm(&thing).map_err(raise)? else {
            return Ok(None);
        };
        let alarm = Py::new(slf.py(), Alarm::new(of_loop, Some((slf.clone().unbind(), number))))?;
        locked(&slf.get().alarms).insert(number, alarm.clone_ref(slf.py()));
        Ok(Some(alarm))
    }

    fn disarm(&self, number: u64) {
        if locked(&self.alarms).remove(&number).is_some() {
            locked(&self.bell).disarm(number);
        }
    }

    fn take(&self, numbers: &[u64]) -> Vec<Py<Alarm>> {
        let mut alarms = locked(&self.alarms);
        numbers.iter().filter_map(|number| alarms.remove(number)).collect()
    }
}

#[pymethods]
impl LoopBell {
    /// Of the thread that calls. `direct`: by `io_uring`, where that can be had.
    #[new]
    #[pyo3(signature = (*, direct = true))]
    fn new(direct: bool) -> PyResult<Self> {
        let bell = if direct {
            unipc::poll::LoopBell::new()
        } else {
            unipc::poll::LoopBell::with_helper()
        };
        Ok(Self { bell: Mutex::new(bell.map_err(raise)?), alarms: Mutex::default() })
    }

    /// Does the loop's own thread sleep on the words, by `io_uring`?
    #[getter]
    fn is_direct(&self) -> bool {
        locked(&self.bell).is_direct()
    }

    /// How many wait.
    fn __len__(&self) -> usize {
        locked(&self.alarms).len()
    }

    /// The descriptor, close-on-exec: readable when `rung` shall be called.
    fn fileno(&self) -> RawFd {
        locked(&self.bell).as_fd().as_raw_fd()
    }

    /// Lets those go on whose things are ready: the first of them at once, since who waits alone shall not wait for the loop's next round.
    fn rung(&self, py: Python<'_>) -> PyResult<()> {
        let glanced = locked(&self.bell).glance();
        // Nobody stays untold because of an error with another one.
        let mut result = Ok(());
        for (place, alarm) in self.take(&glanced).iter().enumerate() {
            let alarm = alarm.bind(py);
            let told = if place == 0 { Alarm::tell_at_once(alarm) } else { Alarm::tell(alarm) };
            result = result.and(told);
        }
        // Python runs without the lock.
        let rung = locked(&self.bell).rung();
        for alarm in self.take(&rung.map_err(raise)?) {
            result = result.and(Alarm::tell(alarm.bind(py)));
        }
        result
    }
}

/// What a task waits for, as asyncio's `Future` is: until a bell is rung, or for a while.
#[pyclass(frozen, weakref, module = "unipc._native")]
pub(crate) struct Alarm {
    of_loop: Py<PyAny>,
    armed: Option<(Py<LoopBell>, u64)>,
    state: Mutex<AlarmState>,
}

#[derive(Default)]
struct AlarmState {
    is_blocking: bool,
    end: Option<End>,
    callbacks: Vec<Callback>,
}

/// How a wait ended.
enum End {
    Told,
    /// With this message.
    Cancelled(Option<Py<PyAny>>),
}

/// What is called at the end, and in which context.
type Callback = (Py<PyAny>, Option<Py<PyAny>>);

impl Alarm {
    fn new(of_loop: Bound<'_, PyAny>, armed: Option<(Py<LoopBell>, u64)>) -> Self {
        let state = AlarmState { is_blocking: true, ..AlarmState::default() };
        Self { of_loop: of_loop.unbind(), armed, state: Mutex::new(state) }
    }

    /// Nobody waits any more. The thing may be ready all the same.
    fn disarm(&self) {
        if let Some((bell, number)) = &self.armed {
            bell.get().disarm(*number);
        }
    }

    /// It is done: the callbacks, unless it was done before.
    fn finish(&self, end: End) -> Vec<Callback> {
        let mut state = locked(&self.state);
        if state.end.is_some() {
            return Vec::new();
        }
        state.end = Some(end);
        std::mem::take(&mut state.callbacks)
    }

    /// Lets the loop call it in its next round.
    fn call_soon(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "context"), context)?;
        let of_loop = slf.get().of_loop.bind(py);
        of_loop.call_method(intern!(py, "call_soon"), (callback, slf), Some(&keywords))?;
        Ok(())
    }

    fn tell(slf: &Bound<'_, Self>) -> PyResult<()> {
        for (callback, context) in slf.get().finish(End::Told) {
            Self::call_soon(slf, callback, context)?;
        }
        Ok(())
    }

    /// In the loop's thread, when no task runs.
    fn tell_at_once(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        for (callback, context) in slf.get().finish(End::Told) {
            match context {
                Some(context) => context.call_method1(py, intern!(py, "run"), (callback, slf))?,
                None => callback.call1(py, (slf,))?,
            };
        }
        Ok(())
    }
}

#[pymethods]
impl Alarm {
    #[getter(_asyncio_future_blocking)]
    fn is_blocking(&self) -> bool {
        locked(&self.state).is_blocking
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, value: bool) {
        locked(&self.state).is_blocking = value;
    }

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.of_loop.clone_ref(py)
    }

    fn done(&self) -> bool {
        locked(&self.state).end.is_some()
    }

    fn cancelled(&self) -> bool {
        matches!(locked(&self.state).end, Some(End::Cancelled(_)))
    }

    fn result(&self, py: Python<'_>) -> PyResult<()> {
        let state = locked(&self.state);
        let errors = |name| py.import(intern!(py, "asyncio"))?.getattr(name);
        let error = match &state.end {
            Some(End::Told) => return Ok(()),
            Some(End::Cancelled(None)) => errors("CancelledError")?.call0()?,
            Some(End::Cancelled(Some(message))) => errors("CancelledError")?.call1((message,))?,
            None => errors("InvalidStateError")?.call0()?,
        };
        Err(PyErr::from_value(error))
    }

    fn exception(&self, py: Python<'_>) -> PyResult<()> {
        self.result(py)
    }

    #[pyo3(signature = (callback, /, *, context = None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let mut state = locked(&slf.get().state);
        if state.end.is_some() {
            drop(state);
            return Self::call_soon(slf, callback, context);
        }
        state.callbacks.push((callback, context));
        Ok(())
    }

    fn remove_done_callback(&self, callback: &Bound<'_, PyAny>) -> usize {
        let mut state = locked(&self.state);
        let before = state.callbacks.len();
        state.callbacks.retain(|(it, _)| !it.is(callback));
        before - state.callbacks.len()
    }

    /// Returns whether it was not done yet.
    #[pyo3(signature = (msg = None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let this = slf.get();
        if this.done() {
            return Ok(false);
        }
        this.disarm();
        // It is a task that cancels, and two cannot run at a time.
        for (callback, context) in this.finish(End::Cancelled(msg)) {
            Self::call_soon(slf, callback, context)?;
        }
        Ok(true)
    }

    #[pyo3(name = "tell")]
    fn py_tell(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::tell(slf)
    }
}

/// A coroutine: tries until that is not in vain, and waits in between until the thing is ready.
///
/// `attempt` is called with `arguments`; it is in vain when it raises `BlockingIOError`. `contested`: somebody else may be faster, again and again.
#[pyclass(frozen, weakref, module = "unipc._native")]
pub(crate) struct Waiter {
    /// None while it runs, and when it is over.
    body: Mutex<Option<Body>>,
}

/// What comes next.
#[derive(PartialEq)]
enum Step {
    /// The first attempt.
    Begin,
    Attempt,
    /// A wait, after a pause.
    Wait,
}

struct Body {
    thing: Py<PyAny>,
    attempt: Py<PyAny>,
    arguments: Py<PyTuple>,
    /// Somebody else may be faster, again and again.
    is_contested: bool,
    /// What is given tells whether it was in vain.
    is_of_lock: bool,
    step: Step,
    in_vain: u32,
    alarm: Option<Py<Alarm>>,
}

impl Waiter {
    /// Calls a method of a channel's end until it does not raise `BlockingIOError`, and waits for `thing` in between.
    pub(crate) fn of_end<'py>(
        thing: &Bound<'py, PyAny>,
        end: &Bound<'py, PyAny>,
        method: &str,
        arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
    ) -> PyResult<Self> {
        let (attempt, arguments) = (end.getattr(method)?, arguments.into_pyobject(thing.py())?);
        Ok(Self::new(thing.clone().unbind(), attempt.unbind(), arguments.unbind(), true))
    }

    /// Calls a method of a lock or its kin until it says that it was not in vain.
    pub(crate) fn of_lock<'py>(
        thing: &Bound<'py, PyAny>,
        lock: &Bound<'py, PyAny>,
        method: &str,
    ) -> PyResult<Self> {
        let waiter = Self::of_end(thing, lock, method, (0,))?;
        if let Some(body) = &mut *locked(&waiter.body) {
            (body.is_contested, body.is_of_lock) = (false, true);
        }
        Ok(waiter)
    }
}

impl Body {
    /// What the attempt gave.
    fn attempt(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.attempt.bind(py).call1(self.arguments.bind(py)) {
            Ok(given) if self.is_of_lock => Ok(given.is_truthy()?.then(|| py.None())),
            Ok(given) => Ok(Some(given.unbind())),
            Err(error) if error.is_instance_of::<PyBlockingIOError>(py) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the task waits for next.
    fn wait(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let pair = py.import(intern!(py, "unipc._aio"))?.getattr(intern!(py, "bell"))?.call0()?;
        let (of_loop, bell): (Bound<'_, PyAny>, Bound<'_, LoopBell>) = pair.extract()?;
        if self.is_contested && self.in_vain >= IN_VAIN && self.step != Step::Wait {
            self.step = Step::Wait;
            let alarm = Py::new(py, Alarm::new(of_loop.clone(), None))?;
            let tell = alarm.getattr(py, intern!(py, "tell"))?;
            of_loop.call_method1(intern!(py, "call_later"), (PAUSE, tell))?;
            return Ok(alarm.into_any());
        }
        self.step = Step::Attempt;
        self.in_vain += 1;
        let alarm = LoopBell::arm(&bell, self.thing.bind(py), of_loop)?;
        self.alarm = alarm.as_ref().map(|alarm| alarm.clone_ref(py));
        // Without anything to wait for the task goes on in the loop's next round.
        Ok(alarm.map_or_else(|| py.None(), Py::into_any))
    }

    fn disarm(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            alarm.get().disarm();
        }
    }
}

#[pymethods]
impl Waiter {
    #[new]
    #[pyo3(signature = (thing, attempt, arguments, contested = true))]
    fn new(thing: Py<PyAny>, attempt: Py<PyAny>, arguments: Py<PyTuple>, contested: bool) -> Self {
        let body = Body {
            thing,
            attempt,
            arguments,
            is_contested: contested,
            is_of_lock: false,
            step: Step::Begin,
            in_vain: 0,
            alarm: None,
        };
        Self { body: Mutex::new(Some(body)) }
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Goes on to the next wait. Raises `StopIteration` with what was had.
    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let Some(mut body) = locked(&self.body).take() else {
            return Err(PyRuntimeError::new_err("it was awaited already"));
        };
        body.disarm();
        if body.step != Step::Wait
            && let Some(result) = body.attempt(py)?
        {
            return Err(PyStopIteration::new_err((result,)));
        }
        let next = body.wait(py)?;
        *locked(&self.body) = Some(body);
        Ok(next)
    }

    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let _ = value;
        self.__next__(py)
    }

    /// Ends it with an exception, as when the task is cancelled.
    #[pyo3(signature = (kind, value = None, traceback = None, /))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = traceback;
        self.close();
        if !kind.is_callable() {
            return Err(PyErr::from_value(kind.clone()));
        }
        match value {
            None => Err(PyErr::from_value(kind.call0()?)),
            Some(value) if value.is_instance(kind)? => Err(PyErr::from_value(value.clone())),
            Some(value) if value.is_none() => Err(PyErr::from_value(kind.call0()?)),
            Some(value) => Err(PyErr::from_value(kind.call1((value,))?)),
        }
    }

    /// Waits no more.
    fn close(&self) {
        if let Some(mut body) = locked(&self.body).take() {
            body.disarm();
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let Some(mut body) = locked(&self.body).take() else { return };
        body.disarm();
        if body.step == Step::Begin {
            Python::attach(|py| {
                // An exception that is on its way through the frame which had this coroutine.
                let pending = PyErr::take(py);
                let kind = py.get_type::<PyRuntimeWarning>();
                let warned = PyErr::warn(py, &kind, c"coroutine of unipc was never awaited", 1);
                if let Err(error) = warned {
                    error.write_unraisable(py, None);
                }
                if let Some(pending) = pending {
                    pending.restore(py);
                }
            });
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Client`.
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Timeout;
use unipc::channel::Options;
use unipc::poll::{Wait, Waitable};

use super::end::{ChannelEnd, Origin};
use super::half::Half;
use super::{Found, reach, receive};
use crate::buffer::Lent;
use crate::error::raise;
use crate::sync::How;
use crate::wait::{TimeoutArgument, limit};

/// Asks questions of a `Service`.
///
/// Get one from `open` or `from_fd`. `call` asks and waits, `call_async` in a task of asyncio; `begin` asks and gives a `Call`, of which 8 can
/// be open at a time.
///
/// Waiting, lifetime, fork and pickle: as `Queue`. Threads: any thread may call any method at any time; a client each is faster.
#[pyclass(frozen, extends = ChannelEnd, module = "unipc")]
pub(crate) struct Client {
    half: Arc<Half<unipc::channel::Client>>,
    forgotten: Arc<Forgotten>,
}

/// A call that was begun.
#[pyclass(frozen, module = "unipc")]
pub(crate) struct Call {
    begun: unipc::channel::Call,
    client: Arc<Half<unipc::channel::Client>>,
    forgotten: Arc<Forgotten>,
    is_over: AtomicBool,
}

/// Calls that are open and that nobody can wait for any more, since Python has collected them. Whoever finds no place for
/// another one cancels them.
#[derive(Default)]
struct Forgotten(Mutex<Vec<unipc::channel::Call>>);

impl Forgotten {
    fn calls(&self) -> Vec<unipc::channel::Call> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, call: unipc::channel::Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl Client {
    fn new(py: Python<'_>, found: Found<unipc::channel::Client>, spin: bool) -> PyResult<Py<Self>> {
        let (client, site) = found;
        let name = client.name().clone();
        // Its waits for an answer are made of slices anyway, and between two of them other threads come in.
        let half = Arc::new(Half::new(client, name, true));
        let end = ChannelEnd::of("Client", &half).from(Origin::new(site, spin));
        end.extended(py, Self { half, forgotten: Arc::default() })
    }
}

impl Client {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>, write: bool) -> PyResult<Waitable<'static>> {
        if !write {
            let answers = |half: &mut unipc::channel::Client, _| Ok(half.waitable()?.detached());
            return self.half.call(py, Timeout::Forever, answers);
        }
        self.half.call(py, Timeout::Forever, |half, _| Ok(Waitable::to_ask(half).detached()))
    }
}

#[pymethods]
impl Client {
    /// Opens the service to ask it. Raises as `Queue.open`.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, spin = false))]
    fn open(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        offset: usize,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = Options::new().spin(spin);
        Self::new(py, reach(How::Open, place, offset, 0, &options)?, spin)
    }

    /// Opens the service that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, spin = false))]
    fn from_fd(py: Python<'_>, fd: RawFd, spin: bool) -> PyResult<Py<Self>> {
        Self::new(py, receive(py, &Options::new().spin(spin), fd)?, spin)
    }

    /// Asks, and waits for the answer; one in parts comes whole.
    ///
    /// Raises `BrokenPipeError` when the server that had taken the question died, `TimeoutError` when no answer came in time,
    /// `OSError` with the errno and words that the server gave to `Question.fail`; as `Queue.send` otherwise.
    #[pyo3(signature = (question, timeout = None))]
    fn call(
        &self,
        py: Python<'_>,
        question: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Py<PyBytes>> {
        let deadline = limit(timeout).deadline();
        let call = self.begin(py, question, timeout)?;
        let mut whole = Vec::new();
        loop {
            let left = match deadline.remaining() {
                Timeout::TRY if limit(timeout) != Timeout::TRY => {
                    Timeout::After(std::time::Duration::from_nanos(1))
                }
                other => other,
            };
            match call.answer(py, left) {
                Ok(part) => {
                    whole.extend(part.bytes);
                    if !part.more {
                        return Ok(PyBytes::new(py, &whole).unbind());
                    }
                }
                Err(error) => {
                    let _ = call.cancel(py);
                    return Err(error);
                }
            }
        }
    }

    /// Asks in a task of asyncio, and waits for the answer. Other tasks run meanwhile, in the loop's own thread, and may ask as well: 8 calls
    /// are under way at a time, and the next ones take turns. `timeout` in seconds, for all of it. Cancelled, it leaves nothing behind, and the
    /// answer is thrown away when it comes; do that before closing.
    ///
    /// Raises as `call`; `OSError` with `EBUSY` when calls that were begun otherwise take all the places.
    ///
    /// >>> import asyncio
    /// >>> from unipc import Client, Service
    /// >>> service = Service.create("memfd:calls")
    /// >>> client = Client.from_fd(service.memory_fd)      # in any process
    /// >>> async def serve(count):
    /// ...     async for question in service:
    /// ...         question.reply(question.data.upper())
    /// ...         count -= 1
    /// ...         if not count:
    /// ...             return
    /// >>> async def ask():
    /// ...     calls = [client.call_async(text, timeout=10) for text in (b"one", b"two")]
    /// ...     return (await asyncio.gather(serve(2), *calls))[1:]
    /// >>> asyncio.run(ask())
    /// [b'ONE', b'TWO']
    #[pyo3(signature = (question, timeout = None))]
    fn call_async<'py>(
        slf: &Bound<'py, Self>,
        question: &Bound<'py, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "call", (slf, question, timeout))
    }

    /// Asks, and does not wait for the answer: the `Call` does. `timeout` is for both. Raises as `call`; `OSError` with `EBUSY` when 8 calls
    /// are open. A call that nobody has any more is open no more.
    #[pyo3(signature = (question, timeout = None))]
    fn begin(
        &self,
        py: Python<'_>,
        question: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Call> {
        self.begin_until(py, question, timeout, timeout)
    }

    /// As `begin`, with one time for sending the question and another, from now on too, for having the answer.
    #[pyo3(signature = (question, timeout = None, answer_timeout = None))]
    fn begin_until(
        &self,
        py: Python<'_>,
        question: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
        answer_timeout: Option<TimeoutArgument>,
    ) -> PyResult<Call> {
        let lent = Lent::readable(question)?;
        let (bytes, until) = (lent.bytes(), limit(answer_timeout));
        let ask =
            |half: &mut unipc::channel::Client, left| match half.begin_until(bytes, left, until) {
                Err(error) if error.errno() == libc::EBUSY => {
                    self.forgotten.calls().into_iter().for_each(|call| half.cancel(call));
                    half.begin_until(bytes, left, until)
                }
                other => other,
            };
        let begun = self.half.call(py, limit(timeout), ask)?;
        let (client, forgotten) = (Arc::clone(&self.half), Arc::clone(&self.forgotten));
        Ok(Call { begun, client, forgotten, is_over: false.into() })
    }

    /// The descriptor that is readable while there is an answer: for `select`, `selectors`, asyncio's `add_reader`, another event loop.
    /// It is made by the first call, close-on-exec, and the handle's own.
    ///
    /// Use it as one that does not block: when it is readable, wait with `timeout=0` for each of the open calls until that raises
    /// `BlockingIOError`, which lets it tell of the next. The death of a server is told within 0.1 s.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.half.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }
}

impl Call {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>) -> PyResult<Waitable<'static>> {
        let answer = |half: &mut unipc::channel::Client, _| {
            Ok(Waitable::answer(half, self.begun).detached())
        };
        self.client.call(py, Timeout::Forever, answer)
    }

    fn answer(&self, py: Python<'_>, timeout: Timeout) -> PyResult<unipc::channel::Answer> {
        let waited =
            self.client.receive(py, timeout, |half, left| match half.wait(self.begun, left) {
                // The server's own errno, whatever it is: not a reason to wait again.
                Err(error) if !half.is_pending(self.begun) => Ok(Err(error)),
                other => other.map(Ok),
            })?;
        if waited.as_ref().map_or(true, |answer| !answer.more) {
            self.end();
        }
        waited.map_err(raise)
    }

    fn end(&self) {
        // SYNC: the interpreter orders it.
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Its number is nobody else's as long as it is open.
        if !*self.is_over.get_mut() {
            self.forgotten.add(self.begun);
        }
    }
}

#[pymethods]
impl Call {
    /// The descriptor of its client.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.client.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }

    /// Waits for the answer, or for the next part of it: its bytes, and whether more parts will follow.
    ///
    /// Raises as `Client.call`, and the call is over after `BrokenPipeError` and what the server said; `OSError` with `EINVAL` when it is over.
    #[pyo3(signature = (timeout = None))]
    fn wait(
        &self,
        py: Python<'_>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<(Py<PyBytes>, bool)> {
        let answer = self.answer(py, limit(timeout))?;
        Ok((PyBytes::new(py, &answer.bytes).unbind(), answer.more))
    }

    /// Waits in a task of asyncio for the answer, or for the next part of it; see `Queue.recv_async`. Raises as `wait`.
    fn wait_async<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "answer", (slf,))
    }

    /// Is there an answer still to be waited for?
    #[getter]
    fn is_pending(&self, py: Python<'_>) -> PyResult<bool> {
        self.client.call(py, Timeout::Forever, |half, _| Ok(half.is_pending(self.begun)))
    }

    /// No longer waits for the answer; it is thrown away when it comes.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.client.call(py, Timeout::Forever, |half, _| {
            half.cancel(self.begun);
            Ok(())
        })?;
        self.end();
        Ok(())
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Service` and `unipc.Client`.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::Timeout;
use unipc::channel::{Options, ServiceReceiver, ServiceSender};
use unipc::poll::Waitable;

use super::creating;
use super::half::Half;
use crate::buffer::{Lent, duplicate};
use crate::error::{closed, raise};
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, limit};

/// Answers questions: request and reply in shared memory, with clients and servers in any process and language.
///
/// Get one from `create`, `open`, `open_or_create` or `from_fd`. Several servers may answer on one name: each question goes to one of
/// them. A question is answered with `question.reply`, in parts with `question.part`, or with `question.fail`.
///
/// Waiting, lifetime, threads and fork: as `Queue`.
///
/// >>> import os, threading
/// >>> from unipc import Client, Service
/// >>> name = f"/class-service-{os.getpid()}"
/// >>> service = Service.create(name)
/// >>> def serve():
/// ...     question = service.recv()
/// ...     question.reply(question.data.upper())
/// >>> server = threading.Thread(target=serve)
/// >>> server.start()
/// >>> with Client.open(name) as client:       # in any process
/// ...     client.call(b"hello")
/// b'HELLO'
/// >>> server.join()
/// >>> service.close()
/// >>> Service.unlink(name)
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Service {
    half: Arc<Half<ServiceReceiver>>,
    sender: Arc<Half<ServiceSender>>,
    memory: Option<OwnedFd>,
}

/// Asks questions of a `Service`.
///
/// Get one from `open` or `from_fd`. `call` asks and waits, `call_async` in a task of asyncio; `begin` asks and gives a `Call`, of which 8 can
/// be open at a time.
///
/// Waiting, lifetime and fork: as `Queue`. Threads: any thread may call any method at any time; a client each is faster.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Client {
    half: Arc<Half<unipc::channel::Client>>,
}

/// A question that a service has received.
#[pyclass(frozen, module = "unipc")]
pub(crate) struct Question {
    question: unipc::channel::Question,
    service: Arc<Half<ServiceSender>>,
}

/// A call that was begun.
#[pyclass(frozen, module = "unipc")]
pub(crate) struct Call {
    call: unipc::channel::Call,
    client: Arc<Half<unipc::channel::Client>>,
}

impl Service {
    fn new(service: unipc::channel::Service, spin: bool) -> Self {
        let (memory, name) =
            (service.memory_fd().try_clone_to_owned().ok(), service.name().clone());
        let (receiver, sender) = service.split();
        let half = Arc::new(Half::new(receiver, name.clone(), spin));
        Self { half, sender: Arc::new(Half::new(sender, name, spin)), memory }
    }
}

impl Client {
    fn new(client: unipc::channel::Client) -> Self {
        let name = client.name().clone();
        // Its waits for an answer are made of slices anyway, and between two of them other threads come in.
        Self { half: Arc::new(Half::new(client, name, true)) }
    }
}

impl Service {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>) -> PyResult<Waitable<'static>> {
        self.half.waitable(py)
    }
}

#[pymethods]
impl Service {
    /// Creates the service `name`, with room for `capacity` bytes of questions.
    ///
    /// - `reply_capacity`: the least size in bytes of the ring of answers that each participant has.
    /// - the others, and what it raises: as in `Queue.create`.
    #[staticmethod]
    #[pyo3(signature = (
        name, capacity = 1_048_576, *, reply_capacity = 16384, mode = 0o600, participants = 64, spin = false,
    ))]
    fn create(
        py: Python<'_>,
        name: NameArgument,
        capacity: usize,
        reply_capacity: usize,
        mode: u32,
        participants: u32,
        spin: bool,
    ) -> PyResult<Self> {
        let options = creating(mode, 0, participants)?.reply_capacity(reply_capacity).spin(spin);
        Ok(Self::new(py.detach(|| options.create(name.0, capacity)).map_err(raise)?, spin))
    }

    /// Opens the service `name` as one more server. Raises as `Queue.open`.
    #[staticmethod]
    #[pyo3(signature = (name, *, spin = false))]
    fn open(py: Python<'_>, name: NameArgument, spin: bool) -> PyResult<Self> {
        let options = Options::new().spin(spin);
        Ok(Self::new(py.detach(|| options.open(name.0)).map_err(raise)?, spin))
    }

    /// Opens the service, or creates it when there is none; the arguments are those of `create`. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (
        name, capacity = 1_048_576, *, reply_capacity = 16384, mode = 0o600, participants = 64, spin = false,
    ))]
    fn open_or_create(
        py: Python<'_>,
        name: NameArgument,
        capacity: usize,
        reply_capacity: usize,
        mode: u32,
        participants: u32,
        spin: bool,
    ) -> PyResult<Self> {
        let options = creating(mode, 0, participants)?.reply_capacity(reply_capacity).spin(spin);
        Ok(Self::new(py.detach(|| options.open_or_create(name.0, capacity)).map_err(raise)?, spin))
    }

    /// Opens the service that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, spin = false))]
    fn from_fd(py: Python<'_>, fd: RawFd, spin: bool) -> PyResult<Self> {
        let (options, fd) = (Options::new().spin(spin), duplicate(fd)?);
        Ok(Self::new(py.detach(|| options.from_fd(fd)).map_err(raise)?, spin))
    }

    /// Removes the service of this name; who has it open keeps it. Raises `OSError`, `ENOENT` when there is none.
    #[staticmethod]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        py.detach(|| unipc::SharedMemory::unlink(&name.0)).map_err(raise)
    }

    /// Receives the next question. Raises as `Queue.recv`.
    #[pyo3(signature = (timeout = None))]
    fn recv(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Question> {
        let question = self.half.call(py, limit(timeout), unipc::channel::ServiceReceiver::recv)?;
        Ok(Question { question, service: Arc::clone(&self.sender) })
    }

    /// Questions as they come, for ever: `for question in service`.
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Question> {
        self.recv(py, None)
    }

    /// The service's name.
    #[getter]
    fn name(&self) -> OsString {
        self.half.name().to_os_string()
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.half.is_closed()
    }

    /// The descriptor of the memory, to be handed on: close-on-exec.
    #[getter]
    fn memory_fd(&self) -> PyResult<RawFd> {
        match &self.memory {
            Some(fd) if !self.half.is_closed() => Ok(fd.as_raw_fd()),
            _ => Err(closed(self.half.name())),
        }
    }

    /// The descriptor that is readable while there is a question: for `select`, `selectors`, asyncio's `add_reader`, another event loop.
    /// It is made by the first call, close-on-exec, and the handle's own.
    ///
    /// Use it as one that does not block: when it is readable, receive with `timeout=0` until that raises `BlockingIOError`, which lets it
    /// tell of the next.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.half.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }

    /// Receives the next question in a task of asyncio: `await service.recv_async()`. Other tasks run meanwhile, in the loop's own thread. Cancelled, it has
    /// taken nothing and leaves nothing behind; do that before closing. Raises as `recv`.
    fn recv_async<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "recv", (slf,))
    }

    /// Questions as they come, for ever: `async for question in service`.
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "recv", (slf,))
    }

    /// Closes the handle; the service stays. A call that another thread is in goes on to its end.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            self.half.close();
            self.sender.close();
        });
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        if slf.get().half.is_closed() {
            return Err(closed(slf.get().half.name()));
        }
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let closed = if self.half.is_closed() { " closed" } else { "" };
        format!("<unipc.Service '{}'{closed}>", self.half.name())
    }
}

#[pymethods]
impl Question {
    /// What was asked.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.question.bytes())
    }

    /// Has the time passed that the client gave? Then nobody waits for the answer.
    #[getter]
    fn has_expired(&self) -> bool {
        self.question.has_expired()
    }

    /// Answers, for the last time.
    ///
    /// Raises `BrokenPipeError` when the client is gone, `OSError` with `EMSGSIZE` when the answer is longer than the client's ring,
    /// `BlockingIOError` or `TimeoutError` when the client has not made room.
    #[pyo3(signature = (answer = None, timeout = None))]
    fn reply(
        &self,
        py: Python<'_>,
        answer: Option<&Bound<'_, PyAny>>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let lent = answer.map(Lent::readable).transpose()?;
        let bytes = lent.as_ref().map_or(&[][..], Lent::bytes);
        self.service.call(py, limit(timeout), |half, left| half.reply(&self.question, bytes, left))
    }

    /// Answers a part; more parts, and a last `reply`, will follow. Raises as `reply`.
    #[pyo3(signature = (answer, timeout = None))]
    fn part(
        &self,
        py: Python<'_>,
        answer: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let lent = Lent::readable(answer)?;
        let bytes = lent.bytes();
        let work = |half: &mut ServiceSender, left| half.reply_part(&self.question, bytes, left);
        self.service.call(py, limit(timeout), work)
    }

    /// Answers that it could not be done: the client's call raises `OSError` with this errno, and these words. Raises as `reply`.
    #[pyo3(signature = (errno, why = "", timeout = None))]
    fn fail(
        &self,
        py: Python<'_>,
        errno: i32,
        why: &str,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let work = |half: &mut ServiceSender, left| half.fail(&self.question, errno, why, left);
        self.service.call(py, limit(timeout), work)
    }

    fn __repr__(&self) -> String {
        format!("<unipc.Question of {} bytes>", self.question.bytes().len())
    }
}

impl Client {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>, write: bool) -> PyResult<Waitable<'static>> {
        if !write {
            return self.half.waitable(py);
        }
        self.half.call(py, Timeout::Forever, |half, _| Ok(Waitable::to_ask(half).detached()))
    }
}

#[pymethods]
impl Client {
    /// Opens the service `name` to ask it. Raises as `Queue.open`.
    #[staticmethod]
    #[pyo3(signature = (name, *, spin = false))]
    fn open(py: Python<'_>, name: NameArgument, spin: bool) -> PyResult<Self> {
        let options = Options::new().spin(spin);
        Ok(Self::new(py.detach(|| options.open(name.0)).map_err(raise)?))
    }

    /// Opens the service that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, spin = false))]
    fn from_fd(py: Python<'_>, fd: RawFd, spin: bool) -> PyResult<Self> {
        let (options, fd) = (Options::new().spin(spin), duplicate(fd)?);
        Ok(Self::new(py.detach(|| options.from_fd(fd)).map_err(raise)?))
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
    /// are open.
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
        let ask = |half: &mut unipc::channel::Client, left| half.begin_until(bytes, left, until);
        let call = self.half.call(py, limit(timeout), ask)?;
        Ok(Call { call, client: Arc::clone(&self.half) })
    }

    /// The service's name.
    #[getter]
    fn name(&self) -> OsString {
        self.half.name().to_os_string()
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.half.is_closed()
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

    /// Closes the handle; the service stays. A call that another thread is in goes on to its end.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.half.close());
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        if slf.get().half.is_closed() {
            return Err(closed(slf.get().half.name()));
        }
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let closed = if self.half.is_closed() { " closed" } else { "" };
        format!("<unipc.Client '{}'{closed}>", self.half.name())
    }
}

impl Call {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>) -> PyResult<Waitable<'static>> {
        let answer =
            |half: &mut unipc::channel::Client, _| Ok(Waitable::answer(half, self.call).detached());
        self.client.call(py, Timeout::Forever, answer)
    }

    fn answer(&self, py: Python<'_>, timeout: Timeout) -> PyResult<unipc::channel::Answer> {
        let waited =
            self.client.call(py, timeout, |half, left| match half.wait(self.call, left) {
                // The server's own errno, whatever it is: not a reason to wait again.
                Err(error) if !half.is_pending(self.call) => Ok(Err(error)),
                other => other.map(Ok),
            })?;
        waited.map_err(raise)
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
        self.client.call(py, Timeout::Forever, |half, _| Ok(half.is_pending(self.call)))
    }

    /// No longer waits for the answer; it is thrown away when it comes.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.client.call(py, Timeout::Forever, |half, _| {
            half.cancel(self.call);
            Ok(())
        })
    }
}

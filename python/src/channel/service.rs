// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Service`.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Timeout;
use unipc::channel::{Options, ServiceReceiver, ServiceSender};
use unipc::poll::Waitable;

use super::end::{ChannelEnd, Origin, memory, unlink};
use super::half::Half;
use super::{Found, creating, reach, receive, size};
use crate::aio::Waiter;
use crate::buffer::Lent;
use crate::name::NameArgument;
use crate::sync::How;
use crate::wait::{TimeoutArgument, limit};

/// Answers questions: request and reply in shared memory, with clients and servers in any process and language.
///
/// Get one from `create`, `open`, `open_or_create` or `from_fd`. Several servers may answer on one name: each question goes to one of
/// them. A question is answered with `question.reply`, in parts with `question.part`, or with `question.fail`.
///
/// Waiting, lifetime, threads, fork and pickle: as `Queue`.
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
#[pyclass(frozen, extends = ChannelEnd, module = "unipc")]
pub(crate) struct Service {
    half: Arc<Half<ServiceReceiver>>,
    sender: Arc<Half<ServiceSender>>,
}

/// A question that a service has received.
#[pyclass(frozen, module = "unipc")]
pub(crate) struct Question {
    question: unipc::channel::Question,
    service: Arc<Half<ServiceSender>>,
}

impl Service {
    fn new(
        py: Python<'_>,
        found: Found<unipc::channel::Service>,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let (service, site) = found;
        let (memory, name) = (memory(service.memory_fd()), service.name().clone());
        let (receiver, sender) = service.split();
        let half = Arc::new(Half::to_wait_for(receiver, name.clone(), spin)?.with_memory(memory));
        let sender = Arc::new(Half::new(sender, name, spin));
        let end = ChannelEnd::of("Service", &half).and(&sender).from(Origin::new(site, spin));
        end.extended(py, Self { half, sender })
    }
}

impl Service {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self) -> PyResult<Waitable<'static>> {
        self.half.waitable()
    }
}

#[pymethods]
impl Service {
    /// Creates a service with room for `capacity` bytes of questions.
    ///
    /// - `reply_capacity`: the least size in bytes of the ring of answers that each participant has.
    /// - the others, and what it raises: as in `Queue.create`.
    #[staticmethod]
    #[pyo3(signature = (
        place, capacity = 1_048_576, offset = 0, *, reply_capacity = 16384, mode = 0o600, participants = 64, spin = false,
        huge_pages = None,
    ))]
    fn create(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        capacity: usize,
        offset: usize,
        reply_capacity: usize,
        mode: u32,
        participants: u32,
        spin: bool,
        huge_pages: Option<usize>,
    ) -> PyResult<Py<Self>> {
        let options =
            creating(mode, participants, huge_pages)?.reply_capacity(reply_capacity).spin(spin);
        let end = reach(How::Create, place, offset, capacity, &options)?;
        Self::new(py, end, spin)
    }

    /// Opens the service as one more server. Raises as `Queue.open`.
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

    /// Opens the service, or creates it when there is none; the arguments are those of `create`. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (
        place, capacity = 1_048_576, offset = 0, *, reply_capacity = 16384, mode = 0o600, participants = 64, spin = false,
        huge_pages = None,
    ))]
    fn open_or_create(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        capacity: usize,
        offset: usize,
        reply_capacity: usize,
        mode: u32,
        participants: u32,
        spin: bool,
        huge_pages: Option<usize>,
    ) -> PyResult<Py<Self>> {
        let options =
            creating(mode, participants, huge_pages)?.reply_capacity(reply_capacity).spin(spin);
        let end = reach(How::OpenOrCreate, place, offset, capacity, &options)?;
        Self::new(py, end, spin)
    }

    /// Opens the service that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, spin = false))]
    fn from_fd(py: Python<'_>, fd: RawFd, spin: bool) -> PyResult<Py<Self>> {
        let options = Options::new().spin(spin);
        Self::new(py, receive(py, &options, fd)?, spin)
    }

    /// How many bytes a place for such a channel takes; it must begin on a page. The arguments are those of `create`.
    #[staticmethod]
    #[pyo3(signature = (capacity = 1_048_576, *, reply_capacity = 16384, participants = 64))]
    fn size_for(capacity: usize, reply_capacity: usize, participants: u32) -> PyResult<usize> {
        let options = creating(0o600, participants, None)?.reply_capacity(reply_capacity);
        size::<unipc::channel::Service>(&options, capacity)
    }

    /// Removes the service of this name; who has it open keeps it. Raises `OSError`, `ENOENT` when there is none.
    #[staticmethod]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        unlink(py, &name.0)
    }

    /// Receives the next question. Raises as `Queue.recv`.
    #[pyo3(signature = (timeout = None))]
    fn recv(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Question> {
        let question =
            self.half.receive(py, limit(timeout), unipc::channel::ServiceReceiver::recv)?;
        Ok(Question { question, service: Arc::clone(&self.sender) })
    }

    /// Questions as they come, for ever: `for question in service`.
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Question> {
        self.recv(py, None)
    }

    /// The descriptor of the memory, to be handed on: close-on-exec.
    #[getter]
    fn memory_fd(&self) -> PyResult<RawFd> {
        self.half.memory_fd()
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
    fn recv_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "recv", (0,))
    }

    /// Questions as they come, for ever: `async for question in service`.
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "recv", (0,))
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

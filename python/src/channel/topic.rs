// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Topic` and `unipc.Subscriber`.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#![allow(clippy::fn_params_excessive_bools, reason = "keyword arguments in Python")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::Timeout;
use unipc::channel::Options;
use unipc::poll::Waitable;

use super::half::Half;
use super::lent::Loan;
use super::{bytes, creating, many, start};
use crate::buffer::{Lent, duplicate};
use crate::error::{closed, raise};
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, limit};

/// A topic in shared memory, to publish on: each message goes to every `Subscriber`, in any process and language.
///
/// Get one from `create`, `open`, `open_or_create` or `from_fd`. A topic keeps the latest messages: a publisher never waits, and a
/// subscriber that is too slow is told how many it lost. With `reliable` publishers wait for the slowest living subscriber.
///
/// Waiting, lifetime, threads and fork: as `Queue`.
///
/// >>> import os
/// >>> from unipc import Subscriber, Topic
/// >>> name = f"/class-topic-{os.getpid()}"
/// >>> frames = Topic.create(name)
/// >>> camera = Subscriber.open(name)          # in any process
/// >>> frames.publish(b"frame 1")
/// >>> camera.recv(), camera.lost
/// (b'frame 1', 0)
/// >>> camera.close(); frames.close()
/// >>> Topic.unlink(name)
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Topic {
    half: Arc<Half<unipc::channel::Topic>>,
    memory: Option<OwnedFd>,
}

/// A subscriber of a `Topic`, with a position of its own.
///
/// Get one from `open` or `from_fd`. It begins with the next message, or with the oldest that is still there. `lost` tells how many
/// messages were overwritten before this subscriber came to read them.
///
/// Waiting, lifetime, threads and fork: as `Queue`.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Subscriber {
    half: Arc<Half<unipc::channel::Subscriber>>,
    lost: AtomicU64,
}

impl Topic {
    fn new(topic: unipc::channel::Topic, spin: bool) -> Self {
        let (memory, name) = (topic.memory_fd().try_clone_to_owned().ok(), topic.name().clone());
        Self { half: Arc::new(Half::new(topic, name, spin)), memory }
    }
}

impl Subscriber {
    fn new(subscriber: unipc::channel::Subscriber, spin: bool) -> Self {
        let name = subscriber.name().clone();
        Self { half: Arc::new(Half::new(subscriber, name, spin)), lost: AtomicU64::new(0) }
    }

    fn lose(&self, messages: u64) {
        // SYNC: a figure alone.
        self.lost.fetch_add(messages, Ordering::Relaxed);
    }
}

impl Topic {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>) -> PyResult<Waitable<'static>> {
        self.half.waitable(py)
    }
}

#[pymethods]
impl Topic {
    /// Creates the topic `name`, with a ring of at least `capacity` bytes: what a subscriber can be behind.
    ///
    /// - `reliable`: publishers wait for the slowest living subscriber, so that nobody loses a message.
    /// - the others, and what it raises: as in `Queue.create`.
    #[staticmethod]
    #[pyo3(signature = (
        name, capacity = 1_048_576, *, reliable = false, message_size = 0, mode = 0o600, participants = 64, spin = false,
    ))]
    fn create(
        py: Python<'_>,
        name: NameArgument,
        capacity: usize,
        reliable: bool,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
    ) -> PyResult<Self> {
        let options = creating(mode, message_size, participants)?.reliable(reliable).spin(spin);
        Ok(Self::new(py.detach(|| options.create(name.0, capacity)).map_err(raise)?, spin))
    }

    /// Opens the topic `name` to publish on it. Raises as `Queue.open`.
    #[staticmethod]
    #[pyo3(signature = (name, *, spin = false))]
    fn open(py: Python<'_>, name: NameArgument, spin: bool) -> PyResult<Self> {
        let options = Options::new().spin(spin);
        Ok(Self::new(py.detach(|| options.open(name.0)).map_err(raise)?, spin))
    }

    /// Opens the topic, or creates it when there is none; the arguments are those of `create`. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (
        name, capacity = 1_048_576, *, reliable = false, message_size = 0, mode = 0o600, participants = 64, spin = false,
    ))]
    fn open_or_create(
        py: Python<'_>,
        name: NameArgument,
        capacity: usize,
        reliable: bool,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
    ) -> PyResult<Self> {
        let options = creating(mode, message_size, participants)?.reliable(reliable).spin(spin);
        Ok(Self::new(py.detach(|| options.open_or_create(name.0, capacity)).map_err(raise)?, spin))
    }

    /// Opens the topic that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, spin = false))]
    fn from_fd(py: Python<'_>, fd: RawFd, spin: bool) -> PyResult<Self> {
        let (options, fd) = (Options::new().spin(spin), duplicate(fd)?);
        Ok(Self::new(py.detach(|| options.from_fd(fd)).map_err(raise)?, spin))
    }

    /// Removes the topic of this name; who has it open keeps it. Raises `OSError`, `ENOENT` when there is none.
    #[staticmethod]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        py.detach(|| unipc::SharedMemory::unlink(&name.0)).map_err(raise)
    }

    /// Publishes a message: bytes or anything that has the buffer protocol. Only a reliable topic can make it wait.
    ///
    /// Raises as `Queue.send`.
    #[pyo3(signature = (data, timeout = None))]
    fn publish(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let lent = Lent::readable(data)?;
        let bytes = lent.bytes();
        self.half.call(py, limit(timeout), |half, left| half.publish(bytes, left))
    }

    /// Publishes many messages, as `Queue.send_many` sends them; how many.
    #[pyo3(signature = (messages, timeout = None))]
    fn publish_many(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        many::send(
            py,
            messages,
            limit(timeout),
            |row, size, timeout| {
                self.half.call(py, timeout, |half, left| half.publish_row(row, size, left))
            },
            |message, timeout| {
                self.half.call(py, timeout, |half, left| half.publish(message, left))
            },
        )
    }

    /// Makes room for a message in the ring itself, to be published at the end of the block; see `Queue.reserve`.
    #[pyo3(signature = (size, timeout = None))]
    fn reserve(
        &self,
        py: Python<'_>,
        size: usize,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Loan> {
        Loan::in_topic(py, &self.half, size, limit(timeout))
    }

    /// The topic's name.
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

    /// The descriptor that is readable while there is room for the message for which there was none the last time: for `select`, `selectors`, asyncio's `add_reader`, another event loop.
    /// It is made by the first call, close-on-exec, and the handle's own.
    ///
    /// Use it as one that does not block: when it is readable, publish with `timeout=0` until that raises `BlockingIOError`, which lets it
    /// tell of the next.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.half.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }

    /// Publishes a message in a task of asyncio; see `Queue.recv_async`. Raises as `publish`.
    fn publish_async<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "publish", (slf, data))
    }

    /// Closes the handle; the topic stays. A call that another thread is in goes on to its end.
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
        format!("<unipc.Topic '{}'{closed}>", self.half.name())
    }
}

impl Subscriber {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>) -> PyResult<Waitable<'static>> {
        self.half.waitable(py)
    }
}

#[pymethods]
impl Subscriber {
    /// Subscribes to the topic `name`.
    ///
    /// - `oldest`: begin with the oldest message that is still there, not with the next one.
    /// - `spin`: never sleep, which takes a processor while waiting, and the least time.
    ///
    /// Raises as `Queue.open`.
    #[staticmethod]
    #[pyo3(signature = (name, *, oldest = false, spin = false))]
    fn open(py: Python<'_>, name: NameArgument, oldest: bool, spin: bool) -> PyResult<Self> {
        let options = Options::new().start(start(oldest)).spin(spin);
        Ok(Self::new(py.detach(|| options.open(name.0)).map_err(raise)?, spin))
    }

    /// Subscribes to the topic that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, oldest = false, spin = false))]
    fn from_fd(py: Python<'_>, fd: RawFd, oldest: bool, spin: bool) -> PyResult<Self> {
        let (options, fd) = (Options::new().start(start(oldest)).spin(spin), duplicate(fd)?);
        Ok(Self::new(py.detach(|| options.from_fd(fd)).map_err(raise)?, spin))
    }

    /// Receives the next message. Raises as `Queue.recv`.
    #[pyo3(signature = (timeout = None))]
    fn recv(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Py<PyBytes>> {
        let (message, received) =
            self.half.call(py, limit(timeout), |half, left| half.recv_with(left, bytes))?;
        self.lose(received.lost);
        message
    }

    /// Receives the next message into `buffer`; its length.
    ///
    /// Raises as `recv`, and `OSError` with `EMSGSIZE` when it does not fit: it can be received again.
    #[pyo3(signature = (buffer, timeout = None))]
    fn recv_into(
        &self,
        py: Python<'_>,
        buffer: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        let mut buffer = Lent::writable(buffer)?;
        let room = many::uninitialised(buffer.bytes_mut());
        let received =
            self.half.call(py, limit(timeout), |half, left| half.recv_into(room, left))?;
        self.lose(received.lost);
        Ok(received.length)
    }

    /// Receives the messages that are there, at least one, at most `count`: a list of bytes, or with `dtype` a NumPy array. See
    /// `Queue.recv_many`.
    #[pyo3(signature = (count, dtype = None, timeout = None))]
    fn recv_many<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        dtype: Option<&Bound<'py, PyAny>>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = limit(timeout);
        let Some(dtype) = dtype else {
            return many::list(py, count, timeout, |timeout| {
                let (message, received) =
                    self.half.call(py, timeout, |half, left| half.recv_with(left, bytes))?;
                self.lose(received.lost);
                message
            });
        };
        many::array(py, count, dtype, |room, size| {
            let (count, lost) =
                self.half.call(py, timeout, |half, left| half.recv_row(room, size, left))?;
            self.lose(lost);
            Ok(count)
        })
    }

    /// Lends the next message where it lies, as `Queue.peek` does. A publisher of a topic that keeps the latest does not wait for it: the
    /// end of the block raises `OSError` with `EOVERFLOW` when it was overwritten meanwhile.
    #[pyo3(signature = (timeout = None))]
    fn peek(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Loan> {
        Loan::of_topic(py, &self.half, limit(timeout))
    }

    /// How many messages this subscriber has lost so far. Always 0 in a reliable topic.
    #[getter]
    fn lost(&self) -> u64 {
        // SYNC: a figure alone.
        self.lost.load(Ordering::Relaxed)
    }

    /// Messages as they come, for ever: `for message in subscriber`.
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        self.recv(py, None)
    }

    /// The topic's name.
    #[getter]
    fn name(&self) -> OsString {
        self.half.name().to_os_string()
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.half.is_closed()
    }

    /// The descriptor that is readable while there is a message: for `select`, `selectors`, asyncio's `add_reader`, another event loop.
    /// It is made by the first call, close-on-exec, and the handle's own.
    ///
    /// Use it as one that does not block: when it is readable, receive with `timeout=0` until that raises `BlockingIOError`, which lets it
    /// tell of the next.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.half.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }

    /// Receives the next message in a task of asyncio: `await subscriber.recv_async()`. Other tasks run meanwhile, in the loop's own thread. Cancelled, it has
    /// taken nothing and leaves nothing behind; do that before closing. Raises as `recv`.
    fn recv_async<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "recv", (slf,))
    }

    /// Messages as they come, for ever: `async for message in subscriber`.
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "recv", (slf,))
    }

    /// Closes the handle; the topic stays. A call that another thread is in goes on to its end.
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
        format!("<unipc.Subscriber '{}'{closed}>", self.half.name())
    }
}

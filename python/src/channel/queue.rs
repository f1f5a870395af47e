// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Queue`.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Timeout;
use unipc::channel::{QueueReceiver, QueueSender};
use unipc::poll::Waitable;

use super::batches::Batches;
use super::end::{ChannelEnd, Memory, unlink};
use super::half::Half;
use super::lent::Loan;
use super::records::{Records, with_bytes};
use super::{bytes, creating, many, opening};
use crate::buffer::{Lent, duplicate};
use crate::error::raise;
use crate::name::NameArgument;
use crate::record::{Layout, LayoutArgument};
use crate::wait::{TimeoutArgument, limit};

/// A queue of messages in shared memory: many may send, many may receive, in any process and language, and each message goes to
/// exactly one of them, in the order in which they were sent.
///
/// Get one from `create`, `open`, `open_or_create` or `from_fd`. A message is bytes; with `message_size` all have one size.
///
/// A full queue makes senders wait; nothing is ever lost silently. A process that is killed, at any moment, loses what it had not
/// sent, and what it had not received stays for the others. No call is made into the kernel while nobody sleeps.
///
/// Waiting: `timeout` is in seconds, on the monotonic clock; None is for ever, 0 a try (`BlockingIOError`). Other threads run
/// meanwhile, signal handlers too, and Ctrl-C ends it.
///
/// Lifetime: `close` never removes; `with` closes at its end. The queue and what is in it stay until `unlink`, or a reboot.
///
/// Threads: any thread may call any method at any time. Two that send, or two that receive, take turns; a handle each is faster.
///
/// fork: the handle is the parent's; a child opens its own.
///
/// >>> import os
/// >>> from unipc import Queue
/// >>> name = f"/class-queue-{os.getpid()}"
/// >>> q = Queue.open_or_create(name)
/// >>> q.send(b"hello")
/// >>> q.recv()                        # in any process
/// b'hello'
/// >>> q.recv(timeout=0)
/// Traceback (most recent call last):
///     ...
/// BlockingIOError: [Errno 11] it cannot be done without waiting: '/class-queue-...'
/// >>> q.close()
/// >>> Queue.unlink(name)
#[pyclass(frozen, extends = ChannelEnd, module = "unipc")]
pub(crate) struct Queue {
    sender: Arc<Half<QueueSender>>,
    receiver: Arc<Half<QueueReceiver>>,
    memory: Memory,
    records: Option<Records>,
}

impl Queue {
    fn new(py: Python<'_>, queue: unipc::channel::Queue, spin: bool) -> PyResult<Py<Self>> {
        let (memory, name) = (Memory::of(queue.memory_fd()), queue.name().clone());
        let records = Records::of(queue.layout());
        let (sender, receiver) = queue.split();
        let sender = Arc::new(Half::new(sender, name.clone(), spin));
        let receiver = Arc::new(Half::new(receiver, name, spin));
        let end = ChannelEnd::of("Queue", &sender).and(&receiver);
        end.extended(py, Self { sender, receiver, memory, records })
    }

    fn receive_row(
        &self,
        py: Python<'_>,
        room: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> PyResult<usize> {
        self.receiver.call(py, timeout, |half, left| half.recv_row(room, size, left))
    }

    fn receive_bytes(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Py<PyBytes>> {
        self.receiver.call(py, timeout, |half, left| half.recv_with(left, bytes))?
    }
}

impl Queue {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, py: Python<'_>, write: bool) -> PyResult<Waitable<'static>> {
        if write { self.sender.waitable(py) } else { self.receiver.waitable(py) }
    }
}

#[pymethods]
impl Queue {
    /// Creates the queue `name`, with a ring of at least `capacity` bytes: what can be under way at a time.
    ///
    /// - `layout`: every message is a record of this layout, which is whatever `Layout` takes; it is stored in the queue.
    /// - `message_size`: every message has this size in bytes, which is fastest; 0 for messages of any size.
    /// - `mode`: the permission bits, exact whatever the umask, from the first moment on.
    /// - `participants`: how many handles there can be at a time, in all processes together.
    /// - `spin`: never sleep, which takes a processor while waiting, and the least time.
    ///
    /// `name` is a POSIX name (`/jobs`), `file:PATH`, or `memfd:LABEL` for a queue without a name, whose `fileno` is handed on.
    ///
    /// Raises `OSError`: `EEXIST` (`FileExistsError`) when the name is taken, `ENOSPC`, `ENOMEM`, `EINVAL`; `EOPNOTSUPP` for names of
    /// System V and anonymous memory.
    #[staticmethod]
    #[pyo3(signature = (
        name, capacity = 1_048_576, *, layout = None, message_size = 0, mode = 0o600, participants = 64, spin = false,
    ))]
    fn create(
        py: Python<'_>,
        name: NameArgument,
        capacity: usize,
        layout: Option<LayoutArgument>,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = creating(mode, message_size, participants, layout)?.spin(spin);
        let end = py.detach(|| options.create(name.0, capacity)).map_err(raise)?;
        Self::new(py, end, spin)
    }

    /// Opens the queue `name`, whatever its messages are, or only with this layout.
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`), `EACCES` (`PermissionError`); `EPROTO` (`LayoutError`) when it is no queue, one
    /// of another version, or its layout differs (the first field that does is named); `EBUSY` when all places for participants are taken.
    #[staticmethod]
    #[pyo3(signature = (name, *, layout = None, spin = false))]
    fn open(
        py: Python<'_>,
        name: NameArgument,
        layout: Option<LayoutArgument>,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = opening(layout, spin);
        Self::new(py, py.detach(|| options.open(name.0)).map_err(raise)?, spin)
    }

    /// Opens the queue, or creates it when there is none; the arguments are those of `create`. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (
        name, capacity = 1_048_576, *, layout = None, message_size = 0, mode = 0o600, participants = 64, spin = false,
    ))]
    fn open_or_create(
        py: Python<'_>,
        name: NameArgument,
        capacity: usize,
        layout: Option<LayoutArgument>,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = creating(mode, message_size, participants, layout)?.spin(spin);
        let end = py.detach(|| options.open_or_create(name.0, capacity)).map_err(raise)?;
        Self::new(py, end, spin)
    }

    /// Opens the queue that a descriptor refers to: a memfd that was inherited or received. It is duplicated; the caller still owns
    /// the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, layout = None, spin = false))]
    fn from_fd(
        py: Python<'_>,
        fd: RawFd,
        layout: Option<LayoutArgument>,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let (options, fd) = (opening(layout, spin), duplicate(fd)?);
        Self::new(py, py.detach(|| options.from_fd(fd)).map_err(raise)?, spin)
    }

    /// Removes the queue of this name; who has it open keeps it. Raises `OSError`, `ENOENT` when there is none.
    #[staticmethod]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        unlink(py, &name.0)
    }

    /// Sends a message: bytes or anything that has the buffer protocol. Waits while the queue is full.
    ///
    /// With a layout a message is a record: a numpy record, a ctypes structure, its bytes, or what numpy makes one of, as a tuple.
    ///
    /// Raises `BlockingIOError` when it is full and `timeout` is 0, `TimeoutError` when it was full all the time; `OSError`: `EMSGSIZE` when
    /// the message is longer than the ring can hold, or not of the one size. Nothing was sent then.
    #[pyo3(signature = (data, timeout = None))]
    fn send(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let timeout = limit(timeout);
        with_bytes(self.records.as_ref(), data, |bytes| {
            self.sender.call(py, timeout, |half, left| half.send(bytes, left))
        })
    }

    /// Sends many messages, with one wake-up for as many as there is room for. Returns how many: all of them, unless the time was over
    /// after some.
    ///
    /// `messages` is a NumPy array, or another buffer, whose elements along the first axis are the messages; or an iterable of bytes.
    ///
    /// Raises as `send`, when not even one was sent in time; `timeout` is for all together.
    ///
    /// >>> import unipc
    /// >>> q = unipc.Queue.create("memfd:many", message_size=8)
    /// >>> q.send_many(memoryview(bytes(range(24))).cast("q"))
    /// 3
    /// >>> [message[0] for message in q.recv_many(10)]
    /// [0, 8, 16]
    #[pyo3(signature = (messages, timeout = None))]
    fn send_many(
        &self,
        py: Python<'_>,
        messages: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        many::send(
            py,
            messages,
            self.records.as_ref(),
            limit(timeout),
            |row, size, timeout| {
                self.sender.call(py, timeout, |half, left| half.send_row(row, size, left))
            },
            |message, timeout| self.sender.call(py, timeout, |half, left| half.send(message, left)),
        )
    }

    /// Receives a message: bytes; with a layout a numpy record. Waits while there is none.
    ///
    /// Raises `BlockingIOError` when there is none and `timeout` is 0, `TimeoutError` when none came in time; `LayoutError` when the ring is
    /// damaged; `ImportError` for a record without numpy (`recv_into` does without).
    #[pyo3(signature = (timeout = None))]
    fn recv<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = limit(timeout);
        match &self.records {
            Some(records) => {
                records.one(py, |room, size| self.receive_row(py, room, size, timeout))
            }
            None => Ok(self.receive_bytes(py, timeout)?.into_bound(py).into_any()),
        }
    }

    /// Receives a message into `buffer`; its length.
    ///
    /// Raises as `recv`, and `OSError` with `EMSGSIZE` when it does not fit: it stays in the queue.
    #[pyo3(signature = (buffer, timeout = None))]
    fn recv_into(
        &self,
        py: Python<'_>,
        buffer: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        let mut buffer = Lent::writable(buffer)?;
        let room = many::uninitialised(buffer.bytes_mut());
        self.receiver.call(py, limit(timeout), |half, left| half.recv_into(room, left))
    }

    /// Receives the messages that are there, at least one, at most `count`: a list of bytes.
    ///
    /// With a layout, or with `dtype`, a NumPy array of the messages, each of which must be one element of it: one call, one copy.
    ///
    /// >>> import unipc
    /// >>> q = unipc.Queue.create("memfd:records", layout="T{d:x:i:n:}")
    /// >>> q.send((0.5, 3))
    /// >>> q.recv_many(1000)["n"]
    /// array([3], dtype=int32)
    ///
    /// Raises as `recv`; `OSError` with `EMSGSIZE` when the first is not of the dtype's size.
    #[pyo3(signature = (count, dtype = None, timeout = None))]
    fn recv_many<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        dtype: Option<&Bound<'py, PyAny>>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = limit(timeout);
        match many::dtype(py, dtype, self.records.as_ref())? {
            Some(dtype) => many::array(py, count, dtype, |room, size| {
                self.receive_row(py, room, size, timeout)
            }),
            None => many::list(py, count, timeout, |timeout| self.receive_bytes(py, timeout)),
        }
    }

    /// Messages as they come, for ever, many at a time: `for batch in queue.batches(1000)`, or `async for`. Each batch is what
    /// `recv_many(count)` gives.
    fn batches(slf: &Bound<'_, Self>, count: usize) -> PyResult<Batches> {
        Batches::of(slf.clone().unbind().into_any(), count)
    }

    /// Lends the next message where it lies: `with queue.peek() as view:` gives a read-only memoryview, and takes the message at the
    /// end of the block. If the block ends with an exception the message stays in the queue. Others who receive wait meanwhile.
    ///
    /// Raises as `recv`.
    ///
    /// >>> import unipc
    /// >>> q = unipc.Queue.create("memfd:peek")
    /// >>> q.send(b"hello")
    /// >>> with q.peek() as view:
    /// ...     bytes(view[1:3])
    /// b'el'
    #[pyo3(signature = (timeout = None))]
    fn peek(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Loan> {
        Loan::of_queue(py, &self.receiver, limit(timeout))
    }

    /// Makes room for a message of at most `size` bytes in the ring itself: `with queue.reserve(n) as view:` gives a memoryview to write
    /// to, and sends it at the end of the block. If the block ends with an exception nothing is sent. Others who send wait meanwhile.
    ///
    /// Raises as `send`.
    ///
    /// >>> import unipc
    /// >>> q = unipc.Queue.create("memfd:reserve")
    /// >>> with q.reserve(5) as view:
    /// ...     view[:] = b"hello"
    /// >>> q.recv()
    /// b'hello'
    #[pyo3(signature = (size, timeout = None))]
    fn reserve(
        &self,
        py: Python<'_>,
        size: usize,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Loan> {
        Loan::in_queue(py, &self.sender, size, limit(timeout))
    }

    /// Messages as they come, for ever: `for message in queue`.
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.recv(py, None)
    }

    /// What every message consists of, if whoever created the queue said so; None for messages of bytes.
    #[getter]
    fn layout(&self) -> Option<Layout> {
        self.records.as_ref().map(Records::layout)
    }

    /// The descriptor of the memory, to be handed on: close-on-exec. (It does not tell when a message comes; `fileno` does.)
    #[getter]
    fn memory_fd(&self) -> PyResult<RawFd> {
        self.memory.number(&self.sender)
    }

    /// The descriptor that is readable while there is a message: for `select`, `selectors`, asyncio's `add_reader`, another event loop.
    /// It is made by the first call, close-on-exec, and the handle's own.
    ///
    /// Use it as one that does not block: when it is readable, receive with `timeout=0` until that raises `BlockingIOError`, which lets it
    /// tell of the next.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.receiver.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }

    /// The descriptor that is readable while there is room for the message for which there was none the last time: for `select`, `selectors`, asyncio's `add_reader`, another event loop.
    /// It is made by the first call, close-on-exec, and the handle's own.
    ///
    /// Use it as one that does not block: when it is readable, send with `timeout=0` until that raises `BlockingIOError`, which lets it
    /// tell of the next.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    fn send_fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        self.sender.call(py, Timeout::Forever, |half, _| Ok(half.fd()?.as_raw_fd()))
    }

    /// Receives a message in a task of asyncio: `await queue.recv_async()`. Other tasks run meanwhile, in the loop's own thread. Cancelled, it has
    /// taken nothing and leaves nothing behind; do that before closing. Raises as `recv`.
    fn recv_async<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "recv", (slf,))
    }

    /// Sends a message in a task of asyncio; see `recv_async`. Raises as `send`.
    fn send_async<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "send", (slf, data))
    }

    /// Messages as they come, for ever: `async for message in queue`.
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::poll::coroutine(slf.py(), "recv", (slf,))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Queue`.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

mod transfer;

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use pyo3::prelude::*;
use unipc::Timeout;
use unipc::channel::{QueueReceiver, QueueSender};
use unipc::poll::Waitable;

use super::end::{ChannelEnd, Origin, memory, unlink};
use super::half::Half;
use super::records::Records;
use super::{Found, creating, of_messages, opening, reach, receive, size};
use crate::aio::Waiter;
use crate::name::NameArgument;
use crate::record::{Layout, LayoutArgument};
use crate::sync::How;

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
/// fork: the handle is the parent's; a child opens its own. pickle: opens the same channel again, by its name or in its `SharedMemory`, so
/// that it can be an argument of `multiprocessing`; what has neither cannot be pickled, and its `memory_fd` is passed.
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
    records: Option<Records>,
}

impl Queue {
    fn new(py: Python<'_>, found: Found<unipc::channel::Queue>, spin: bool) -> PyResult<Py<Self>> {
        let (queue, site) = found;
        let (memory, name) = (memory(queue.memory_fd()), queue.name().clone());
        let records = Records::of(queue.layout());
        let (sender, receiver) = queue.split();
        let sender = Arc::new(Half::to_wait_for(sender, name.clone(), spin)?.with_memory(memory));
        let receiver = Arc::new(Half::to_wait_for(receiver, name, spin)?);
        let end = ChannelEnd::of("Queue", &sender).and(&receiver).from(Origin::new(site, spin));
        end.extended(py, Self { sender, receiver, records })
    }
}

impl Queue {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self, write: bool) -> PyResult<Waitable<'static>> {
        if write { self.sender.waitable() } else { self.receiver.waitable() }
    }
}

#[pymethods]
impl Queue {
    /// Creates a queue with a ring of at least `capacity` bytes: what can be under way at a time.
    ///
    /// - `layout`: every message is a record of this layout, which is whatever `Layout` takes; it is stored in the queue.
    /// - `message_size`: every message has this size in bytes, which is fastest; 0 for messages of any size.
    /// - `mode`: the permission bits, exact whatever the umask, from the first moment on.
    /// - `participants`: how many handles there can be at a time, in all processes together.
    /// - `spin`: never sleep, which takes a processor while waiting, and the least time.
    ///
    /// - `huge_pages`: lie in pages of this size in bytes, two at least (`memfd:`, or a file on hugetlbfs).
    ///
    /// `place` is a POSIX name (`/jobs`), `file:PATH`, or `memfd:LABEL` for a queue without a name, whose `memory_fd` is handed on; or a
    /// `SharedMemory` with an `offset` that is a multiple of its pages. `Directory.place("jobs", Queue)` finds one.
    ///
    /// Raises `OSError`: `EEXIST` (`FileExistsError`) when there is one, `ENOSPC` (also when so many huge pages are not free), `ENOMEM`,
    /// `EINVAL`; `EOPNOTSUPP` for System V and anonymous memory; in memory `ERANGE` when it does not fit (`size_for`), `EBUSY` when the bytes
    /// of its first page are not zero.
    #[staticmethod]
    #[pyo3(signature = (
        place, capacity = 1_048_576, offset = 0, *, layout = None, message_size = 0, mode = 0o600, participants = 64, spin = false,
        huge_pages = None,
    ))]
    fn create(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        capacity: usize,
        offset: usize,
        layout: Option<LayoutArgument>,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
        huge_pages: Option<usize>,
    ) -> PyResult<Py<Self>> {
        let options = creating(mode, participants, huge_pages)?.spin(spin);
        let options = of_messages(options, layout.as_ref(), message_size);
        let end = reach(How::Create, place, offset, capacity, &options)?;
        Self::new(py, end, spin)
    }

    /// Opens the queue, whatever its messages are, or only with this layout.
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`), `EACCES` (`PermissionError`); `EPROTO` (`LayoutError`) when it is no queue, one
    /// of another version, or its layout differs (the first field that does is named); `EBUSY` when all places for participants are taken.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, layout = None, spin = false))]
    fn open(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        offset: usize,
        layout: Option<LayoutArgument>,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = opening(layout.as_ref(), spin);
        Self::new(py, reach(How::Open, place, offset, 0, &options)?, spin)
    }

    /// Opens the queue, or creates it when there is none; the arguments are those of `create`. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (
        place, capacity = 1_048_576, offset = 0, *, layout = None, message_size = 0, mode = 0o600, participants = 64, spin = false,
        huge_pages = None,
    ))]
    fn open_or_create(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        capacity: usize,
        offset: usize,
        layout: Option<LayoutArgument>,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
        huge_pages: Option<usize>,
    ) -> PyResult<Py<Self>> {
        let options = creating(mode, participants, huge_pages)?.spin(spin);
        let options = of_messages(options, layout.as_ref(), message_size);
        let end = reach(How::OpenOrCreate, place, offset, capacity, &options)?;
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
        let options = opening(layout.as_ref(), spin);
        Self::new(py, receive(py, &options, fd)?, spin)
    }

    /// How many bytes a place for such a channel takes; it must begin on a page. The arguments are those of `create`.
    #[staticmethod]
    #[pyo3(signature = (capacity = 1_048_576, *, layout = None, message_size = 0, participants = 64))]
    fn size_for(
        capacity: usize,
        layout: Option<LayoutArgument>,
        message_size: u32,
        participants: u32,
    ) -> PyResult<usize> {
        let options = creating(0o600, participants, None)?;
        let options = of_messages(options, layout.as_ref(), message_size);
        size::<unipc::channel::Queue>(&options, capacity)
    }

    /// Removes the queue of this name; who has it open keeps it. Raises `OSError`, `ENOENT` when there is none.
    #[staticmethod]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        unlink(py, &name.0)
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
        self.sender.memory_fd()
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
    fn recv_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "recv", (0,))
    }

    /// Sends a message in a task of asyncio; see `recv_async`. Raises as `send`.
    fn send_async<'py>(slf: &Bound<'py, Self>, data: &Bound<'py, PyAny>) -> PyResult<Waiter> {
        Waiter::of_end((slf, "w").into_pyobject(slf.py())?.as_any(), slf, "send", (data, 0))
    }

    /// Messages as they come, for ever: `async for message in queue`.
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "recv", (0,))
    }
}

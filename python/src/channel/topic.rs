// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Topic`.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#![allow(clippy::fn_params_excessive_bools, reason = "keyword arguments in Python")]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use pyo3::prelude::*;
use unipc::Timeout;
use unipc::poll::Waitable;

use super::batches::Batches;
use super::end::{ChannelEnd, Origin, memory, unlink};
use super::half::Half;
use super::lent::Loan;
use super::records::{Records, with_bytes};
use super::subscriber::Subscriber;
use super::{Found, creating, many, of_messages, opening, reach, receive, size, start};
use crate::aio::Waiter;
use crate::name::NameArgument;
use crate::record::{Layout, LayoutArgument};
use crate::sync::How;
use crate::wait::{TimeoutArgument, limit};

/// A topic in shared memory, to publish on: each message goes to every `Subscriber`, in any process and language.
///
/// Get one from `create`, `open`, `open_or_create` or `from_fd`. A topic keeps the latest messages: a publisher never waits, and a
/// subscriber that is too slow is told how many it lost. With `reliable` publishers wait for the slowest living subscriber.
///
/// Waiting, lifetime, threads, fork and pickle: as `Queue`.
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
#[pyclass(frozen, extends = ChannelEnd, module = "unipc")]
pub(crate) struct Topic {
    half: Arc<Half<unipc::channel::Topic>>,
    records: Option<Records>,
}

impl Topic {
    fn new(py: Python<'_>, found: Found<unipc::channel::Topic>, spin: bool) -> PyResult<Py<Self>> {
        let (topic, site) = found;
        let (memory, name) = (memory(topic.memory_fd()), topic.name().clone());
        let records = Records::of(topic.layout());
        let half = Arc::new(Half::to_wait_for(topic, name, spin)?.with_memory(memory));
        let end = ChannelEnd::of("Topic", &half).from(Origin::new(site, spin));
        end.extended(py, Self { half, records })
    }
}

impl Topic {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self) -> PyResult<Waitable<'static>> {
        self.half.waitable()
    }
}

#[pymethods]
impl Topic {
    /// Creates a topic with a ring of at least `capacity` bytes: what a subscriber can be behind.
    ///
    /// - `reliable`: publishers wait for the slowest living subscriber, so that nobody loses a message.
    /// - the others, and what it raises: as in `Queue.create`.
    #[staticmethod]
    #[pyo3(signature = (
        place, capacity = 1_048_576, offset = 0, *, reliable = false, layout = None, message_size = 0, mode = 0o600, participants = 64, spin = false,
        huge_pages = None,
    ))]
    fn create(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        capacity: usize,
        offset: usize,
        reliable: bool,
        layout: Option<LayoutArgument>,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
        huge_pages: Option<usize>,
    ) -> PyResult<Py<Self>> {
        let options = creating(mode, participants, huge_pages)?.reliable(reliable).spin(spin);
        let options = of_messages(options, layout.as_ref(), message_size);
        let end = reach(How::Create, place, offset, capacity, &options)?;
        Self::new(py, end, spin)
    }

    /// Opens the topic to publish on it. Raises as `Queue.open`.
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

    /// Opens the topic, or creates it when there is none; the arguments are those of `create`. Raises as both do.
    #[staticmethod]
    #[pyo3(signature = (
        place, capacity = 1_048_576, offset = 0, *, reliable = false, layout = None, message_size = 0, mode = 0o600, participants = 64, spin = false,
        huge_pages = None,
    ))]
    fn open_or_create(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        capacity: usize,
        offset: usize,
        reliable: bool,
        layout: Option<LayoutArgument>,
        message_size: u32,
        mode: u32,
        participants: u32,
        spin: bool,
        huge_pages: Option<usize>,
    ) -> PyResult<Py<Self>> {
        let options = creating(mode, participants, huge_pages)?.reliable(reliable).spin(spin);
        let options = of_messages(options, layout.as_ref(), message_size);
        let end = reach(How::OpenOrCreate, place, offset, capacity, &options)?;
        Self::new(py, end, spin)
    }

    /// Opens the topic that a descriptor refers to. It is duplicated; the caller still owns the original.
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
        size::<unipc::channel::Topic>(&options, capacity)
    }

    /// Removes the topic of this name; who has it open keeps it. Raises `OSError`, `ENOENT` when there is none.
    #[staticmethod]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        unlink(py, &name.0)
    }

    /// Publishes a message: bytes or anything that has the buffer protocol; with a layout also a record, as `Queue.send` does. Only a reliable topic can make it wait.
    ///
    /// Raises as `Queue.send`.
    #[pyo3(signature = (data, timeout = None))]
    fn publish(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let timeout = limit(timeout);
        with_bytes(self.records.as_ref(), data, |bytes| {
            self.half.call(py, timeout, |half, left| half.publish(bytes, left))
        })
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
            self.records.as_ref(),
            limit(timeout),
            |row, size, timeout| {
                self.half.call(py, timeout, |half, left| half.publish_row(row, size, left))
            },
            |all, timeout| self.half.call(py, timeout, |half, left| half.publish_each(all, left)),
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

    /// What every message consists of, if whoever created the topic said so; None for messages of bytes.
    #[getter]
    fn layout(&self) -> Option<Layout> {
        self.records.as_ref().map(Records::layout)
    }

    /// Subscribes, and gives messages as they come from now on, for ever, many at a time: `for batch in topic.batches(1000)`. See
    /// `Subscriber.batches`.
    fn batches(slf: &Bound<'_, Self>, count: usize) -> PyResult<Batches> {
        Batches::of(Self::subscribe(slf, false, false)?.into_any(), count)
    }

    /// Subscribes to this topic, wherever it lies; the arguments are those of `Subscriber.open`.
    ///
    /// Raises `OSError`: `EBUSY` when all places for participants are taken, `EINVAL` in a child of fork.
    #[pyo3(signature = (*, oldest = false, spin = false))]
    fn subscribe(slf: &Bound<'_, Self>, oldest: bool, spin: bool) -> PyResult<Py<Subscriber>> {
        let (this, py) = (slf.get(), slf.py());
        let options = opening(None, spin).start(start(oldest));
        let subscribe = |topic: &mut unipc::channel::Topic, _| topic.subscribe(&options);
        let subscriber = this.half.call(py, Timeout::Forever, subscribe)?;
        Subscriber::new(py, subscriber, slf.as_super().get().origin(spin), spin)
    }

    /// The descriptor of the memory, to be handed on: close-on-exec.
    #[getter]
    fn memory_fd(&self) -> PyResult<RawFd> {
        self.half.memory_fd()
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
    fn publish_async<'py>(slf: &Bound<'py, Self>, data: &Bound<'py, PyAny>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "publish", (data, 0))
    }
}

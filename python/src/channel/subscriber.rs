// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Subscriber`.
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Timeout;
use unipc::poll::Waitable;

use super::batches::Batches;
use super::end::{ChannelEnd, Origin};
use super::half::Half;
use super::lent::Loan;
use super::records::Records;
use super::{bytes, many, opening, reach, receive, start};
use crate::aio::Waiter;
use crate::buffer::Lent;
use crate::record::{Layout, LayoutArgument};
use crate::sync::How;
use crate::wait::{TimeoutArgument, limit};

/// A subscriber of a `Topic`, with a position of its own.
///
/// Get one from `open` or `from_fd`. It begins with the next message, or with the oldest that is still there. `lost` tells how many
/// messages were overwritten before this subscriber came to read them.
///
/// Waiting, lifetime, threads, fork and pickle: as `Queue`.
#[pyclass(frozen, extends = ChannelEnd, module = "unipc")]
pub(crate) struct Subscriber {
    half: Arc<Half<unipc::channel::Subscriber>>,
    lost: AtomicU64,
    records: Option<Records>,
}

impl Subscriber {
    pub(super) fn new(
        py: Python<'_>,
        subscriber: unipc::channel::Subscriber,
        origin: Option<Origin>,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let (name, records) = (subscriber.name().clone(), Records::of(subscriber.layout()));
        let half = Arc::new(Half::to_wait_for(subscriber, name, spin)?);
        let end = ChannelEnd::of("Subscriber", &half).from(origin);
        end.extended(py, Self { half, lost: AtomicU64::new(0), records })
    }

    fn lose(&self, messages: u64) {
        // SYNC: a figure alone.
        self.lost.fetch_add(messages, Ordering::Relaxed);
    }

    fn receive_row(
        &self,
        py: Python<'_>,
        room: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> PyResult<usize> {
        let (count, lost) =
            self.half.receive(py, timeout, |half, left| half.recv_row(room, size, left))?;
        self.lose(lost);
        Ok(count)
    }

    fn receive_bytes(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Py<PyBytes>> {
        let (message, received) =
            self.half.receive(py, timeout, |half, left| half.recv_with(left, bytes))?;
        self.lose(received.lost);
        message
    }
}

impl Subscriber {
    /// To wait for it among other things.
    pub(crate) fn waitable(&self) -> PyResult<Waitable<'static>> {
        self.half.waitable()
    }
}

#[pymethods]
impl Subscriber {
    /// Subscribes to the topic, whatever its messages are, or only with this layout.
    ///
    /// - `oldest`: begin with the oldest message that is still there, not with the next one.
    /// - `spin`: never sleep, which takes a processor while waiting, and the least time.
    ///
    /// Raises as `Queue.open`.
    #[staticmethod]
    #[pyo3(signature = (place, offset = 0, *, layout = None, oldest = false, spin = false))]
    fn open(
        py: Python<'_>,
        place: &Bound<'_, PyAny>,
        offset: usize,
        layout: Option<LayoutArgument>,
        oldest: bool,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = opening(layout.as_ref(), spin).start(start(oldest));
        let (subscriber, site) = reach(How::Open, place, offset, 0, &options)?;
        Self::new(py, subscriber, Origin::new(site, spin), spin)
    }

    /// Subscribes to the topic that a descriptor refers to. It is duplicated; the caller still owns the original.
    #[staticmethod]
    #[pyo3(signature = (fd, *, layout = None, oldest = false, spin = false))]
    fn from_fd(
        py: Python<'_>,
        fd: RawFd,
        layout: Option<LayoutArgument>,
        oldest: bool,
        spin: bool,
    ) -> PyResult<Py<Self>> {
        let options = opening(layout.as_ref(), spin).start(start(oldest));
        Self::new(py, receive(py, &options, fd)?.0, None, spin)
    }

    /// Receives the next message: bytes; with a layout a numpy record. Raises as `Queue.recv`.
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
            self.half.receive(py, limit(timeout), |half, left| half.recv_into(room, left))?;
        self.lose(received.lost);
        Ok(received.length)
    }

    /// Receives the messages that are there, at least one, at most `count`: a list of bytes; with a layout, or with `dtype`, a NumPy array. See
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
        match many::dtype(py, dtype, self.records.as_ref())? {
            Some(dtype) => many::array(py, count, dtype, |room, size| {
                self.receive_row(py, room, size, timeout)
            }),
            None => many::list(py, count, timeout, |timeout| self.receive_bytes(py, timeout)),
        }
    }

    /// Messages as they come, for ever, many at a time: `for batch in subscriber.batches(1000)`, or `async for`. Each batch is what
    /// `recv_many(count)` gives.
    fn batches(slf: &Bound<'_, Self>, count: usize) -> PyResult<Batches> {
        Batches::of(slf.clone().unbind().into_any(), count)
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

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.recv(py, None)
    }

    /// What every message consists of, if whoever created the topic said so; None for messages of bytes.
    #[getter]
    fn layout(&self) -> Option<Layout> {
        self.records.as_ref().map(Records::layout)
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
    fn recv_async(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "recv", (0,))
    }

    /// Messages as they come, for ever: `async for message in subscriber`.
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(slf: &Bound<'_, Self>) -> PyResult<Waiter> {
        Waiter::of_end(slf, slf, "recv", (0,))
    }
}

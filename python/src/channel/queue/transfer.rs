// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes through a queue.

use std::mem::MaybeUninit;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use unipc::Timeout;

use super::super::batches::Batches;
use super::super::lent::Loan;
use super::super::records::with_bytes;
use super::super::{bytes, many};
use super::Queue;
use crate::buffer::Lent;
use crate::wait::{TimeoutArgument, limit};

impl Queue {
    fn receive_row(
        &self,
        py: Python<'_>,
        room: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> PyResult<usize> {
        self.receiver.receive(py, timeout, |half, left| half.recv_row(room, size, left))
    }

    /// A list of at most `count` messages, which are taken together.
    fn receive_list<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        timeout: Timeout,
    ) -> PyResult<Bound<'py, PyAny>> {
        let count = many::at_least_one(count)?;
        let (mut messages, mut failed) = (Vec::new(), None);
        self.receiver.receive(py, timeout, |half, left| {
            half.recv_each(count, left, |length, copy| match bytes(length, copy) {
                Ok(message) => {
                    messages.push(message);
                    true
                }
                Err(error) => {
                    failed = Some(error);
                    false
                }
            })
        })?;
        match failed {
            Some(error) if messages.is_empty() => Err(error),
            _ => Ok(PyList::new(py, messages)?.into_any()),
        }
    }

    fn receive_bytes(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Py<PyBytes>> {
        self.receiver.receive(py, timeout, |half, left| half.recv_with(left, bytes))?
    }
}

#[pymethods]
impl Queue {
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
            |all, timeout| self.sender.call(py, timeout, |half, left| half.send_each(all, left)),
            |message, timeout| self.sender.call(py, timeout, |half, left| half.send(message, left)),
        )
    }

    /// Receives a message: bytes; with a layout a numpy record. Waits while there is none.
    ///
    /// Raises `BlockingIOError` when there is none and `timeout` is 0, `TimeoutError` when none came in time; `LayoutError` when the ring is
    /// damaged; `ImportError` for a record without numpy (`recv_into` does without).
    #[pyo3(signature = (timeout = None))]
    pub(super) fn recv<'py>(
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
        self.receiver.receive(py, limit(timeout), |half, left| half.recv_into(room, left))
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
            None => self.receive_list(py, count, timeout),
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
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving. Each call first tries without letting other threads run, which is most of the time enough.

use std::sync::atomic::Ordering;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Timeout;
use unipc::mq::{Received, Want};

use super::MessageQueue;
use crate::buffer::Lent;
use crate::error::raise;
use crate::wait::{TimeoutArgument, limit, wait};

/// When a receiver has found nothing, how many times the next ones wait at once instead of trying first.
const IN_VAIN: u8 = 15;

fn send(
    py: Python<'_>,
    queue: &unipc::MessageQueue,
    tag: i64,
    data: &[u8],
    timeout: Timeout,
) -> PyResult<()> {
    if timeout == Timeout::TRY {
        return queue.send(tag, data, timeout).map_err(raise);
    }
    if queue.try_send(tag, data).map_err(raise)? {
        return Ok(());
    }
    wait(py, timeout, |left| queue.send(tag, data, left))
}

impl MessageQueue {
    /// Is it worth a try before other threads are let in? Not when the last one was in vain, for a while: the messages
    /// come slowly then, and the try costs as much as letting them in.
    fn worth_a_try(&self) -> bool {
        // SYNC: a guess that orders nothing.
        let left = self.in_vain.load(Ordering::Relaxed);
        if left > 0 {
            // SYNC: as above.
            self.in_vain.store(left - 1, Ordering::Relaxed);
        }
        left == 0
    }

    fn tried_in_vain(&self) {
        // SYNC: as above.
        self.in_vain.store(IN_VAIN, Ordering::Relaxed);
    }

    /// Receives into memory that was lent: at once if that is worth a try, and then waiting.
    pub(super) fn receive_with(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        bytes: &mut [u8],
        receive: impl Fn(&mut [u8], Timeout) -> unipc::Result<Received> + Sync,
    ) -> PyResult<Received> {
        if timeout == Timeout::TRY || self.worth_a_try() {
            match receive(bytes, Timeout::TRY) {
                Err(error) if timeout != Timeout::TRY && error.errno() == libc::EAGAIN => {
                    self.tried_in_vain();
                }
                other => return other.map_err(raise),
            }
        }
        wait(py, timeout, |left| receive(bytes, left))
    }
}

pub(super) fn of(received: Received) -> (usize, i64) {
    (received.len, received.tag)
}

pub(super) fn wanted(want: i64, excluded: Option<i64>) -> PyResult<Want> {
    match (want, excluded) {
        (want, None) => Ok(Want::from(want)),
        (0, Some(tag)) => Ok(Want::Except(tag)),
        (_, Some(_)) => Err(PyTypeError::new_err("give either want or excluded")),
    }
}

#[pymethods]
impl MessageQueue {
    /// Sends a message: bytes or anything that has the buffer protocol. Waits while the queue is full.
    ///
    /// `tag` is its type (System V, 1 or more) or its priority (POSIX, 0 to 32767); None is the lowest. A message of 0 bytes is
    /// fine. Nobody need be waiting for it, and it outlives this process.
    ///
    /// Raises `BlockingIOError` when the queue is full and `timeout` is 0, `TimeoutError` when it was full all the time,
    /// `RemovedError` when the System V queue was removed; `OSError`: `EINVAL` for a tag that cannot be, and for a System V
    /// message that is longer than `MSGMAX` or than all the queue, `EMSGSIZE` for a POSIX message that is longer than `max_size`,
    /// `EACCES` or `EBADF` when this handle may not send. Nothing was sent then. See `msgsnd(2)`, `mq_send(3)`.
    #[pyo3(signature = (data, tag = None, timeout = None))]
    fn send(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        tag: Option<i64>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let (queue, timeout) = (self.get()?, limit(timeout));
        let tag = tag.unwrap_or(self.lowest_tag);
        match data.cast_exact::<PyBytes>() {
            Ok(bytes) => send(py, &queue, tag, bytes.as_bytes(), timeout),
            Err(_) => send(py, &queue, tag, Lent::readable(data)?.bytes(), timeout),
        }
    }

    /// Receives a message, however long it is: its bytes and its tag. Waits while none is there that is wanted.
    ///
    /// - `want`: 0 is any message: the oldest, and at a POSIX queue the oldest of the highest priority. At a System V queue a
    ///   positive number is the oldest of this type, a negative one the oldest of the lowest type up to `-want`.
    /// - `excluded`: instead of `want`, at a System V queue: the oldest of any type but this one (`MSG_EXCEPT`).
    ///
    /// Raises `BlockingIOError` when there is none and `timeout` is 0, `TimeoutError` when none came in time, `RemovedError` when
    /// the System V queue was removed; `OSError`: `EOPNOTSUPP` for a choice that a POSIX queue does not know, `EACCES` or `EBADF`
    /// when this handle may not receive. No message was taken then. See `msgrcv(2)`, `mq_receive(3)`.
    ///
    /// >>> import unipc
    /// >>> with unipc.MessageQueue.create("sysv:private", remove_on_close=True) as queue:
    /// ...     for tag, data in (3, b"third"), (1, b"first"), (2, b""):
    /// ...         queue.send(data, tag)
    /// ...     queue.receive(-2), queue.receive(excluded=3), queue.receive(3)
    /// ((b'first', 1), (b'', 2), (b'third', 3))
    #[pyo3(signature = (want = 0, timeout = None, *, excluded = None))]
    fn receive(
        &self,
        py: Python<'_>,
        want: i64,
        timeout: Option<TimeoutArgument>,
        excluded: Option<i64>,
    ) -> PyResult<(Py<PyBytes>, i64)> {
        let (queue, timeout) = (self.get()?, limit(timeout));
        let want = wanted(want, excluded)?;
        let bytes = |tag, data: &[u8]| (PyBytes::new(py, data).unbind(), tag);
        if timeout == Timeout::TRY {
            return queue.receive_with(want, timeout, bytes).map_err(raise);
        }
        if self.worth_a_try() {
            if let Some(message) = queue.try_receive_with(want, bytes).map_err(raise)? {
                return Ok(message);
            }
            self.tried_in_vain();
        }
        wait(py, timeout, |left| {
            queue.receive_with(want, left, |tag, data| {
                Python::attach(|py| (PyBytes::new(py, data).unbind(), tag))
            })
        })
    }

    /// Receives a message into `buffer`: how long it is, and its tag. Waits while none is there that is wanted.
    ///
    /// - `want`, `excluded`: as in `receive`.
    /// - `truncate`: cut a message that is longer than `buffer` (`MSG_NOERROR`). Then the length tells how long it was: more than
    ///   `buffer` has when a part of it is lost.
    ///
    /// Raises as `receive`, and `OSError` when `buffer` is too short: `E2BIG` (System V; the message stays in the queue) or
    /// `EMSGSIZE` (a POSIX queue wants `max_size` bytes); `BufferError` when `buffer` cannot be written.
    #[pyo3(signature = (
        buffer, want = 0, timeout = None, *, excluded = None, truncate = false,
    ))]
    fn receive_into(
        &self,
        py: Python<'_>,
        buffer: &Bound<'_, PyAny>,
        want: i64,
        timeout: Option<TimeoutArgument>,
        excluded: Option<i64>,
        truncate: bool,
    ) -> PyResult<(usize, i64)> {
        let (queue, timeout) = (self.get()?, limit(timeout));
        let want = wanted(want, excluded)?;
        let mut buffer = Lent::writable(buffer)?;
        self.receive_with(py, timeout, buffer.bytes_mut(), |bytes, timeout| {
            if truncate {
                queue.receive_truncated(want, bytes, timeout)
            } else {
                queue.receive_into(want, bytes, timeout)
            }
        })
        .map(of)
    }

    /// The message at place `index` of a System V queue, 0 being the oldest, as bytes and tag; it stays in the queue
    /// (`MSG_COPY`). None when there are not so many. Never waits.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for a POSIX queue, and where the kernel was built without it.
    #[pyo3(signature = (index = 0))]
    fn peek(&self, py: Python<'_>, index: usize) -> PyResult<Option<(Py<PyBytes>, i64)>> {
        let message = self.get()?.peek(index).map_err(raise)?;
        Ok(message.map(|message| (PyBytes::new(py, &message.data).unbind(), message.tag)))
    }
}

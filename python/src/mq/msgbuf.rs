// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving with memory that is laid out as the kernel has it.

use pyo3::prelude::*;
use unipc::Timeout;

use super::MessageQueue;
use super::transfer::{of, wanted};
use crate::buffer::Lent;
use crate::error::raise;
use crate::wait::{TimeoutArgument, limit, wait};

#[pymethods]
impl MessageQueue {
    /// Sends a message that lies in memory as `msgsnd(2)` wants it: `msgbuf` is anything with the buffer protocol that begins
    /// with the type (a C `long`, 1 or more), and behind it has the bytes. Waits while the queue is full. Of System V alone.
    ///
    /// `send` copies the bytes behind a type of its own first; large messages are sent faster so. Whoever receives it sees no
    /// difference.
    ///
    /// Raises as `send`; also `OSError` with `EOPNOTSUPP` for a POSIX queue, and `EINVAL` for a type below 1.
    ///
    /// >>> import ctypes, unipc
    /// >>> class Frame(ctypes.Structure):           # a struct msgbuf
    /// ...     _fields_ = [("type", ctypes.c_long), ("pixels", ctypes.c_uint8 * 4000)]
    /// >>> with unipc.MessageQueue.create("sysv:private", remove_on_close=True) as queue:
    /// ...     frame = Frame(type=7)
    /// ...     frame.pixels[3999] = 255             # the message is made where it is sent from
    /// ...     queue.send_msgbuf(frame)
    /// ...     same = Frame()
    /// ...     queue.receive_msgbuf(same)
    /// (4000, 7)
    /// >>> same.type, same.pixels[3999]
    /// (7, 255)
    #[pyo3(signature = (msgbuf, timeout = None))]
    fn send_msgbuf(
        &self,
        py: Python<'_>,
        msgbuf: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let (queue, timeout) = (self.get()?, limit(timeout));
        let msgbuf = Lent::readable(msgbuf)?;
        let bytes = msgbuf.bytes();
        match queue.send_msgbuf(bytes, Timeout::TRY) {
            Err(error) if timeout != Timeout::TRY && error.errno() == libc::EAGAIN => {
                wait(py, timeout, |left| queue.send_msgbuf(bytes, left))
            }
            other => other.map_err(raise),
        }
    }

    /// Receives a message into memory as `msgrcv(2)` fills it: its type goes to the first bytes of `msgbuf` (a C `long`), its
    /// bytes behind it. Returns how many bytes it has, without the type, and its type. Waits while none is there that is
    /// wanted. Of System V alone.
    ///
    /// `receive_into` copies the bytes from there to their place; large messages are received faster so.
    ///
    /// - `want`, `excluded`: as in `receive`.
    /// - `truncate`: cut a message that is longer than there is room for (`MSG_NOERROR`). The kernel does not tell whether it
    ///   was.
    ///
    /// Raises as `receive_into`; also `OSError` with `EOPNOTSUPP` for a POSIX queue. `send_msgbuf` has an example.
    #[pyo3(signature = (
        msgbuf, want = 0, timeout = None, *, excluded = None, truncate = false,
    ))]
    fn receive_msgbuf(
        &self,
        py: Python<'_>,
        msgbuf: &Bound<'_, PyAny>,
        want: i64,
        timeout: Option<TimeoutArgument>,
        excluded: Option<i64>,
        truncate: bool,
    ) -> PyResult<(usize, i64)> {
        let (queue, timeout) = (self.get()?, limit(timeout));
        let want = wanted(want, excluded)?;
        let mut msgbuf = Lent::writable(msgbuf)?;
        self.receive_with(py, timeout, msgbuf.bytes_mut(), |bytes, timeout| {
            if truncate {
                queue.receive_msgbuf_truncated(want, bytes, timeout)
            } else {
                queue.receive_msgbuf(want, bytes, timeout)
            }
        })
        .map(of)
    }

    /// Copies the message at place `index` of a System V queue, 0 being the oldest, into memory that `receive_msgbuf` could
    /// fill; it stays in the queue (`MSG_COPY`). Returns how many bytes it has, and its type; None when there are not so
    /// many. Never waits.
    ///
    /// Raises as `peek`; also `OSError` with `E2BIG` when the message is longer than there is room for.
    #[pyo3(signature = (msgbuf, index = 0))]
    fn peek_msgbuf(
        &self,
        msgbuf: &Bound<'_, PyAny>,
        index: usize,
    ) -> PyResult<Option<(usize, i64)>> {
        let mut msgbuf = Lent::writable(msgbuf)?;
        let peeked = self.get()?.peek_msgbuf(index, msgbuf.bytes_mut()).map_err(raise)?;
        Ok(peeked.map(of))
    }
}

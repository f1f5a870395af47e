// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages as `msgsnd` and `msgrcv` have them: in one piece of memory, the type before the bytes.

use super::system_v;
use super::{Access, MessageQueue, Queue, Received, Want};
use crate::error::{ErrorKind, Result};
use crate::time::Timeout;

/// How many bytes the type takes at the start of a `struct msgbuf`: those of a C `long`.
#[doc(alias = "mtype")]
pub const TYPE_SIZE: usize = crate::sys::msg::TYPE;

impl MessageQueue {
    /// Sends a message that lies in memory as the kernel wants it, a `struct msgbuf`: the type (a C `long`, [`TYPE_SIZE`]
    /// bytes in the machine's order, 1 or more), and behind it the bytes. Waits while the queue is full. Of System V alone.
    ///
    /// [`MessageQueue::send`] copies the bytes behind a type of its own first; large messages are sent faster so. Whoever
    /// receives it sees no difference. The memory may lie at any address.
    ///
    /// Errors: as [`MessageQueue::send`]; also `EOPNOTSUPP` for a POSIX queue, and `EINVAL` for a type below 1 and for less
    /// than [`TYPE_SIZE`] bytes.
    ///
    /// [msgsnd(2)](https://man7.org/linux/man-pages/man2/msgop.2.html)
    ///
    /// ```
    /// use unipc::mq::{TYPE_SIZE, Want};
    /// use unipc::{MessageQueue, Timeout};
    ///
    /// # fn main() -> unipc::Result<()> {
    /// let queue = MessageQueue::options().remove_on_drop(true).create("sysv:private")?;
    /// let mut msgbuf = vec![0; TYPE_SIZE + 4096];
    /// msgbuf[..TYPE_SIZE].copy_from_slice(&libc::c_long::to_ne_bytes(7));
    /// msgbuf[TYPE_SIZE..].fill(b'x'); // the message is made where it is sent from
    /// queue.send_msgbuf(&msgbuf, Timeout::Forever)?;
    ///
    /// let mut room = [0; TYPE_SIZE + 8000];
    /// let received = queue.receive_msgbuf(Want::Any, &mut room, Timeout::Forever)?;
    /// assert_eq!((received.tag, received.len), (7, 4096));
    /// assert_eq!(room[TYPE_SIZE..][..received.len], [b'x'; 4096]);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "msgsnd")]
    #[doc(alias = "msgbuf")]
    #[inline]
    pub fn send_msgbuf(&self, msgbuf: &[u8], timeout: Timeout) -> Result<()> {
        let sent =
            self.of_msgbufs(Access::Receive).and_then(|queue| queue.send_msgbuf(msgbuf, timeout));
        sent.map_err(|kind| self.not_sent(kind, msgbuf.len().saturating_sub(TYPE_SIZE)))
    }

    /// Receives a message into memory as the kernel fills it, a `struct msgbuf`: its type goes to the first [`TYPE_SIZE`]
    /// bytes, its bytes behind it. Waits while none is there that is wanted. Of System V alone.
    ///
    /// [`MessageQueue::receive_into`] copies the bytes from there to their place; large messages are received faster so. A
    /// message that is longer than `msgbuf` stays in the queue.
    ///
    /// Errors: as [`MessageQueue::receive_into`]; also `EOPNOTSUPP` for a POSIX queue, and `EINVAL` for less than
    /// [`TYPE_SIZE`] bytes.
    ///
    /// [msgrcv(2)](https://man7.org/linux/man-pages/man2/msgop.2.html). An example is at [`MessageQueue::send_msgbuf`].
    #[doc(alias = "msgrcv")]
    #[inline]
    pub fn receive_msgbuf(
        &self,
        want: Want,
        msgbuf: &mut [u8],
        timeout: Timeout,
    ) -> Result<Received> {
        self.received_msgbuf(want, msgbuf, false, timeout)
    }

    /// As [`MessageQueue::receive_msgbuf`], but a message that is longer than `msgbuf` is cut (`MSG_NOERROR`).
    ///
    /// The kernel does not tell whether it was: [`Received::len`] is never more than there is room for.
    /// [`MessageQueue::receive_truncated`] tells how long it was.
    ///
    /// Errors: as [`MessageQueue::receive_msgbuf`], without `E2BIG`.
    #[doc(alias = "MSG_NOERROR")]
    #[inline]
    pub fn receive_msgbuf_truncated(
        &self,
        want: Want,
        msgbuf: &mut [u8],
        timeout: Timeout,
    ) -> Result<Received> {
        self.received_msgbuf(want, msgbuf, true, timeout)
    }

    /// Copies the message at place `index` of a System V queue, 0 being the oldest, into memory that
    /// [`MessageQueue::receive_msgbuf`] could fill; it stays in the queue (`MSG_COPY`). `None` when there are not so many.
    /// Never waits.
    ///
    /// Errors: as [`MessageQueue::peek`]; also `E2BIG` when the message is longer than `msgbuf`, and `EINVAL` for less than
    /// [`TYPE_SIZE`] bytes.
    #[doc(alias = "MSG_COPY")]
    pub fn peek_msgbuf(&self, index: usize, msgbuf: &mut [u8]) -> Result<Option<Received>> {
        let peeked =
            self.of_msgbufs(Access::Send).and_then(|queue| queue.peek_msgbuf(index, msgbuf));
        peeked.map_err(|kind| self.not_taken("peek", kind))
    }

    #[allow(clippy::inline_always, reason = "the processor foresees no return after a system call")]
    #[inline(always)]
    fn received_msgbuf(
        &self,
        want: Want,
        msgbuf: &mut [u8],
        truncate: bool,
        timeout: Timeout,
    ) -> Result<Received> {
        let received = self
            .of_msgbufs(Access::Send)
            .and_then(|queue| queue.receive_msgbuf(want, msgbuf, truncate, timeout));
        received.map_err(|kind| self.not_taken("receive", kind))
    }

    /// The queue, if it is one that has a `struct msgbuf`, and the handle is for more than `other`.
    #[inline]
    fn of_msgbufs(&self, other: Access) -> Result<&system_v::Queue, ErrorKind> {
        match &self.queue {
            Queue::SystemV(_) if self.access == other => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => Ok(queue),
            Queue::Posix(_) => Err(no_msgbuf()),
        }
    }
}

#[cold]
fn no_msgbuf() -> ErrorKind {
    ErrorKind::unsupported(
        "a struct msgbuf is of System V; send and receive_into copy nothing at a POSIX queue",
    )
}

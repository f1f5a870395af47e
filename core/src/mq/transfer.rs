// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving, with the one rule for waits that holds for both kinds of queue.

use std::ptr;

use super::{Access, Message, MessageQueue, Queue, Received, Want, limits};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::mqueue::Inbox;
use crate::time::Timeout;

/// Room for a message of any length, which is not copied to a place that is known.
const ANY: (usize, *const u8) = (usize::MAX, ptr::null());

impl MessageQueue {
    /// Sends a message: `tag` is its type (System V, 1 or more) or its priority (POSIX, 0 to 32767). Waits while the queue
    /// is full.
    ///
    /// A message of 0 bytes is fine. Nobody need be waiting for it, and it outlives this process.
    ///
    /// Errors: `EAGAIN` when the queue is full and `timeout` is [`Timeout::TRY`], `ETIMEDOUT` when it was full all the
    /// time; `EINTR`; `EIDRM` when the System V queue was removed; `EINVAL` for another tag, and for a System V message
    /// that is longer than `MSGMAX` or than all the queue; `EMSGSIZE` for a POSIX message that is longer than
    /// [`MessageQueue::max_size`]; `EACCES` without write permission (System V), `EBADF` for a handle that only receives;
    /// `ENOMEM`. Nothing was sent then.
    ///
    /// [msgsnd(2)](https://man7.org/linux/man-pages/man2/msgop.2.html), [mq_send(3)](https://man7.org/linux/man-pages/man3/mq_send.3.html)
    #[doc(alias = "msgsnd")]
    #[doc(alias = "mq_send")]
    #[doc(alias = "mq_timedsend")]
    #[inline]
    pub fn send(&self, tag: i64, data: &[u8], timeout: Timeout) -> Result<()> {
        let sent = match &self.queue {
            Queue::Posix(queue) => queue.send(tag, data, timeout),
            Queue::SystemV(_) if self.access == Access::Receive => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => queue.send(tag, data, timeout),
        };
        sent.map_err(|kind| self.not_sent(kind, data.len()))
    }

    /// Receives a message, however long it is. Waits while none is there that is wanted.
    ///
    /// Errors: `EAGAIN` when there is none and `timeout` is [`Timeout::TRY`], `ETIMEDOUT` when none came in time; `EINTR`;
    /// `EIDRM` when the System V queue was removed; `EINVAL` for a type that none can be, `EOPNOTSUPP` for a choice that a
    /// POSIX queue does not know; `EACCES` without read permission (System V), `EBADF` for a handle that only sends. No
    /// message was taken then.
    ///
    /// [msgrcv(2)](https://man7.org/linux/man-pages/man2/msgop.2.html), [mq_receive(3)](https://man7.org/linux/man-pages/man3/mq_receive.3.html)
    #[doc(alias = "msgrcv")]
    #[doc(alias = "mq_receive")]
    #[doc(alias = "mq_timedreceive")]
    pub fn receive(&self, want: Want, timeout: Timeout) -> Result<Message> {
        self.receive_with(want, timeout, |tag, data| Message { tag, data: data.to_vec() })
    }

    /// Receives a message, however long it is, and hands its tag and bytes to `take` where they landed, without taking
    /// memory for it. The message is out of the queue whatever `take` does.
    ///
    /// Errors: as [`MessageQueue::receive`].
    #[inline]
    pub fn receive_with<R>(
        &self,
        want: Want,
        timeout: Timeout,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<R> {
        let received = match &self.queue {
            Queue::Posix(queue) => want.check_posix().and_then(|()| queue.receive(timeout, take)),
            Queue::SystemV(_) if self.access == Access::Send => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => queue.receive(want, ANY, timeout, take),
        };
        received.map_err(|kind| self.not_taken("receive", kind))
    }

    /// As [`MessageQueue::send`] with [`Timeout::TRY`], but a full queue is no error: false.
    ///
    /// Errors: as [`MessageQueue::send`], without `EAGAIN`.
    #[inline]
    pub fn try_send(&self, tag: i64, data: &[u8]) -> Result<bool> {
        let sent = match &self.queue {
            Queue::Posix(queue) => queue.send(tag, data, Timeout::TRY),
            Queue::SystemV(_) if self.access == Access::Receive => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => queue.send(tag, data, Timeout::TRY),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(ErrorKind::WouldBlock) => Ok(false),
            Err(kind) => Err(self.not_sent(kind, data.len())),
        }
    }

    /// As [`MessageQueue::receive_with`] with [`Timeout::TRY`], but that there is no message is no error: `None`.
    ///
    /// Errors: as [`MessageQueue::receive`], without `EAGAIN`.
    #[inline]
    pub fn try_receive_with<R>(
        &self,
        want: Want,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<Option<R>> {
        let received = match &self.queue {
            Queue::Posix(queue) => {
                want.check_posix().and_then(|()| queue.receive(Timeout::TRY, take))
            }
            Queue::SystemV(_) if self.access == Access::Send => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => queue.receive(want, ANY, Timeout::TRY, take),
        };
        match received {
            Ok(taken) => Ok(Some(taken)),
            Err(ErrorKind::WouldBlock) => Ok(None),
            Err(kind) => Err(self.not_taken("receive", kind)),
        }
    }

    /// Receives a message into `buffer`, which must be large enough for it; a message that is too long stays in the queue.
    /// A POSIX queue wants a buffer for the largest message it can hold, [`MessageQueue::max_size`].
    ///
    /// Errors: as [`MessageQueue::receive`], and `E2BIG` (System V) or `EMSGSIZE` (POSIX) when `buffer` is too short.
    #[inline]
    pub fn receive_into(
        &self,
        want: Want,
        buffer: &mut [u8],
        timeout: Timeout,
    ) -> Result<Received> {
        let received = match &self.queue {
            Queue::Posix(queue) => want.check_posix().and_then(|()| {
                let mut inbox = Inbox::over(buffer);
                queue.receive_into(&mut inbox, timeout)?;
                Ok(Received { tag: inbox.priority().into(), len: inbox.data().len() })
            }),
            Queue::SystemV(_) if self.access == Access::Send => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => {
                let room = (buffer.len(), buffer.as_ptr());
                queue.receive(want, room, timeout, |tag, data| {
                    buffer[..data.len()].copy_from_slice(data);
                    Received { tag, len: data.len() }
                })
            }
        };
        received.map_err(|kind| self.not_taken("receive", kind))
    }

    /// Receives a message into `buffer`, and cuts it if it is longer (as `MSG_NOERROR` does, which POSIX lacks). How long it
    /// was is told: [`Received::len`] is more than `buffer` has when a part of it is lost.
    ///
    /// Errors: as [`MessageQueue::receive`].
    #[doc(alias = "MSG_NOERROR")]
    pub fn receive_truncated(
        &self,
        want: Want,
        buffer: &mut [u8],
        timeout: Timeout,
    ) -> Result<Received> {
        self.receive_with(want, timeout, |tag, data| {
            let kept = buffer.len().min(data.len());
            buffer[..kept].copy_from_slice(&data[..kept]);
            Received { tag, len: data.len() }
        })
    }

    /// The message at place `index` of a System V queue, 0 being the oldest; it stays in the queue (`MSG_COPY`). `None`
    /// when there are not so many. Never waits.
    ///
    /// Errors: `EOPNOTSUPP` for a POSIX queue, and on a kernel without `CONFIG_CHECKPOINT_RESTORE`; `EIDRM`, `EACCES`.
    #[doc(alias = "MSG_COPY")]
    pub fn peek(&self, index: usize) -> Result<Option<Message>> {
        let peeked = match &self.queue {
            Queue::Posix(_) => Err(ErrorKind::unsupported(
                "a POSIX queue shows no message without giving it; messages() counts them",
            )),
            Queue::SystemV(_) if self.access == Access::Send => Err(ErrorKind::Os(libc::EBADF)),
            Queue::SystemV(queue) => {
                queue.peek(index, |tag, data| Message { tag, data: data.to_vec() })
            }
        };
        peeked.map_err(|kind| self.refused("peek", kind))
    }

    #[cold]
    pub(super) fn not_sent(&self, kind: ErrorKind, length: usize) -> Error {
        let advice = match (&kind, &self.queue) {
            (ErrorKind::Os(libc::EINVAL), Queue::SystemV(_)) => limits::too_long(self, length),
            (ErrorKind::Os(libc::EMSGSIZE), Queue::Posix(queue)) => Some(format!(
                "the message has {length} bytes, this queue takes max_size: {} bytes",
                queue.max_size
            )),
            _ => None,
        };
        let error = self.refused("send", kind);
        match advice {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }

    #[cold]
    pub(super) fn not_taken(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let advice = match (&kind, &self.queue) {
            (ErrorKind::Os(libc::E2BIG), _) => {
                Some("the message is longer than the buffer and stays in the queue".to_owned())
            }
            (ErrorKind::Os(libc::EMSGSIZE), Queue::Posix(queue)) => Some(format!(
                "a buffer for any message of this queue has max_size: {} bytes",
                queue.max_size
            )),
            _ => None,
        };
        let error = self.refused(operation, kind);
        match advice {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }

    fn refused(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let advice = match (&kind, self.access) {
            (ErrorKind::Removed, _) => "somebody has removed the queue",
            (ErrorKind::Os(libc::EBADF), Access::Receive) => "the handle is for receiving alone",
            (ErrorKind::Os(libc::EBADF), Access::Send) => "the handle is for sending alone",
            (ErrorKind::Os(libc::EACCES), _) => "the queue's mode does not let this user",
            _ => return self.failed(operation, kind),
        };
        self.failed(operation, kind).with_advice(advice)
    }
}

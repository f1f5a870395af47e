// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages where the caller has them as the kernel wants them, the type before the bytes: nothing is copied here.

use libc::c_long;
use nix::errno::Errno;

use super::Queue;
use super::queue::not_there;
use crate::error::ErrorKind;
use crate::interrupt;
use crate::mq::message::no_type;
use crate::mq::{Received, Want};
use crate::sys::msg::{self, MSG_COPY, TYPE};
use crate::time::Timeout;

impl Queue {
    #[inline]
    pub(in crate::mq) fn send_msgbuf(
        &self,
        msgbuf: &[u8],
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let call = |flags| msg::msgsnd_msgbuf(self.id.id, msgbuf, flags);
        let sent = self.deliver(msgbuf.len().saturating_sub(TYPE), timeout, call);
        sent.map_err(|kind| not_sent(kind, msgbuf))
    }

    #[inline]
    pub(in crate::mq) fn receive_msgbuf(
        &self,
        want: Want,
        msgbuf: &mut [u8],
        truncate: bool,
        timeout: Timeout,
    ) -> Result<Received, ErrorKind> {
        let (want, flags) = want.raw()?;
        let flags = if truncate { flags | libc::MSG_NOERROR } else { flags };
        // Who waits for ever makes one call.
        let at_once = if timeout == Timeout::Forever { 0 } else { libc::IPC_NOWAIT };
        let received = match msg::msgrcv_msgbuf(self.id.id, msgbuf, want, flags | at_once) {
            Ok(length) => Ok(length),
            Err(errno) => self.receive_msgbuf_later(errno, msgbuf, (want, flags), timeout),
        };
        received.map(|length| told(msgbuf, length))
    }

    /// When it could not be done at once.
    #[cold]
    #[inline(never)]
    fn receive_msgbuf_later(
        &self,
        errno: Errno,
        msgbuf: &mut [u8],
        (want, flags): (c_long, i32),
        timeout: Timeout,
    ) -> Result<usize, ErrorKind> {
        let received = match errno {
            Errno::ENOMSG if timeout == Timeout::TRY => Err(timeout.expired()),
            Errno::ENOMSG => interrupt::until(timeout.deadline(), || {
                msg::msgrcv_msgbuf(self.id.id, msgbuf, want, flags)
            }),
            errno => Err(errno.into()),
        };
        received.map_err(|kind| self.not_received(kind, msgbuf))
    }

    pub(in crate::mq) fn peek_msgbuf(
        &self,
        index: usize,
        msgbuf: &mut [u8],
    ) -> Result<Option<Received>, ErrorKind> {
        let Ok(index) = c_long::try_from(index) else {
            return Ok(None);
        };
        match msg::msgrcv_msgbuf(self.id.id, msgbuf, index, MSG_COPY | libc::IPC_NOWAIT) {
            Ok(length) => Ok(Some(told(msgbuf, length))),
            Err(errno) => not_there(self.not_received(errno.into(), msgbuf)),
        }
    }

    #[cold]
    fn not_received(&self, kind: ErrorKind, msgbuf: &[u8]) -> ErrorKind {
        match self.explained(kind) {
            ErrorKind::Os(libc::EINVAL) if msgbuf.len() < TYPE => no_room_for_the_type(),
            other => other,
        }
    }
}

/// What was received is told by the type that the kernel wrote, and by what the call returned.
#[inline]
fn told(msgbuf: &[u8], length: usize) -> Received {
    #[allow(clippy::useless_conversion, reason = "libcs differ in the width")]
    let tag = msg::type_of(msgbuf).unwrap_or_default().into();
    Received { tag, len: length }
}

#[cold]
fn not_sent(kind: ErrorKind, msgbuf: &[u8]) -> ErrorKind {
    match (kind, msg::type_of(msgbuf)) {
        (ErrorKind::Os(libc::EINVAL), None) => no_room_for_the_type(),
        #[allow(clippy::useless_conversion, reason = "libcs differ in the width")]
        (ErrorKind::Os(libc::EINVAL), Some(tag)) if tag < 1 => no_type(tag.into()),
        (kind, _) => kind,
    }
}

fn no_room_for_the_type() -> ErrorKind {
    ErrorKind::invalid(format!("a msgbuf begins with the type, which takes {TYPE} bytes"))
}

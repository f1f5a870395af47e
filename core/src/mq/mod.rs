// SPDX-License-Identifier: MIT OR Apache-2.0
//! Message queues, System V and POSIX, behind one type.
//!
//! | | `/demo`: POSIX | `sysv:…`: System V |
//! |---|---|---|
//! | a message's tag | its priority, 0 to 32767 | its type, 1 or more |
//! | who comes first | the highest priority, then the oldest | the oldest, or as [`Want`] says |
//! | how much there may be | messages, and bytes of one: fixed at creation | bytes of all (`msg_qbytes`) |
//! | descriptor to poll | [`MessageQueue::fd`] | none |
//! | of its own | [`MessageQueue::notify_signal`], [`MessageQueue::posix_stat`] | [`Want`], [`MessageQueue::peek`], [`MessageQueue::send_msgbuf`], [`SystemV`] |
//!
//! Both keep the boundaries of messages, both are the kernel's: what was sent stays, whoever ends, until it is
//! received, or the queue removed, or the machine rebooted. Each message goes to one receiver.
//!
//! ```
//! use unipc::{MessageQueue, Timeout, mq::Want};
//!
//! # fn main() -> unipc::Result<()> {
//! let name = format!("/doc-mq-{}", std::process::id());
//! let sender = MessageQueue::create(name.as_str())?;
//! sender.send(1, b"hello", Timeout::Forever)?;
//!
//! let receiver = MessageQueue::open(name.as_str())?; // in any process
//! let message = receiver.receive(Want::Any, Timeout::Forever)?;
//! assert_eq!((message.tag, message.data.as_slice()), (1, &b"hello"[..]));
//!
//! MessageQueue::unlink(name.as_str())?; // closing alone never removes
//! # Ok(())
//! # }
//! ```
//!
//! # Time limits
//!
//! A wait with a limit loses no message and burns no time.
//!
//! - System V has no limit of its own: the call is made without waiting first, and then again, waiting, with a timer that
//!   interrupts it. A `msgsnd` or `msgrcv` that is interrupted has sent or taken nothing, which the kernel decides under
//!   the queue's lock; nobody holds a message on the caller's behalf, as a helper thread would.
//! - POSIX has one, on a clock that can be set, which is therefore not used: the call is made without waiting, and when it
//!   cannot be done the queue's descriptor is polled, with a limit on the monotonic clock, and the call made again. When
//!   several wait so, all wake up, one gets the message and the others go on waiting. A caller who waits for ever stands
//!   in the kernel's own line instead, and is served before those who poll.

mod exact;
mod get;
mod limits;
mod message;
mod msgbuf;
mod notify;
mod options;
mod posix;
mod remove;
mod spare;
mod system_v;
mod transfer;

use std::os::fd::{AsFd, BorrowedFd};

pub use limits::{Limits, PosixLimits, Usage, limits, usage};
pub use message::{Message, Received, Want};
pub use msgbuf::TYPE_SIZE;
pub use options::Options;
pub use posix::{Notification, PosixStatus};
pub use system_v::{Change, Status, SystemV};

use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;

/// What a [`MessageQueue`] is to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Backing {
    /// A System V queue: `msgget`.
    SystemV = 1,
    /// A POSIX queue: `mq_open`.
    Posix = 2,
}

/// What the handle may be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Access {
    #[default]
    Both,
    Send,
    Receive,
}

#[derive(Debug)]
enum Queue {
    SystemV(system_v::Queue),
    Posix(posix::Queue),
}

/// An open message queue. Dropping it closes; the queue and its messages stay until it is unlinked.
///
/// Threads: `Sync`; any number may send and receive through one handle at once.
///
/// fork: a child inherits the handle and may use it; its drop affects the child alone. A notification is the parent's.
/// exec: the descriptor of a POSIX queue is close-on-exec.
#[derive(Debug)]
pub struct MessageQueue {
    queue: Queue,
    name: Name,
    access: Access,
    /// The process that asked for removal on drop; a child of fork must not carry it out.
    remover: Option<u32>,
}

impl MessageQueue {
    /// The name: of a private System V queue its identifier.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What the queue is to the kernel.
    pub fn backing(&self) -> Backing {
        match self.queue {
            Queue::SystemV(_) => Backing::SystemV,
            Queue::Posix(_) => Backing::Posix,
        }
    }

    /// The lowest tag that a message can have: type 1 of System V, priority 0 of POSIX.
    pub fn lowest_tag(&self) -> i64 {
        match self.queue {
            Queue::SystemV(_) => 1,
            Queue::Posix(_) => 0,
        }
    }

    /// The descriptor of a POSIX queue, valid as long as `self`: readable when there is a message, writable when there is
    /// room for one. For poll, select and epoll; to a System V queue belongs none.
    ///
    /// It may be ready and the call still have to wait, when somebody else was faster: use [`crate::Timeout::TRY`].
    #[doc(alias = "mqd_t")]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.queue {
            Queue::SystemV(_) => None,
            Queue::Posix(queue) => Some(queue.fd.as_fd()),
        }
    }

    /// The identifier of a System V queue, as `ipcs -q` shows it.
    pub fn id(&self) -> Option<i32> {
        self.system_v().map(SystemV::id)
    }

    /// The System V queue, with what only System V has: `stat`, `set`.
    pub fn system_v(&self) -> Option<SystemV> {
        match &self.queue {
            Queue::SystemV(queue) => Some(queue.id),
            Queue::Posix(_) => None,
        }
    }

    /// How many messages wait to be received.
    ///
    /// Errors: `EIDRM` when the System V queue was removed, `EACCES` when it may not be read.
    #[doc(alias = "mq_curmsgs")]
    #[doc(alias = "msg_qnum")]
    pub fn messages(&self) -> Result<u64> {
        match &self.queue {
            Queue::SystemV(queue) => queue
                .status()
                .map(|status| status.messages)
                .map_err(|kind| self.failed("messages", kind)),
            Queue::Posix(_) => self.posix_stat().map(|status| status.messages),
        }
    }

    /// The largest message that can be sent, in bytes: `mq_msgsize` of a POSIX queue, for ever the same; `MSGMAX` of the
    /// system for System V.
    #[doc(alias = "mq_msgsize")]
    #[doc(alias = "MSGMAX")]
    pub fn max_size(&self) -> Result<usize> {
        match &self.queue {
            Queue::SystemV(_) => limits::msgmax().map_err(|kind| self.failed("max_size", kind)),
            Queue::Posix(queue) => Ok(queue.max_size),
        }
    }

    fn failed(&self, operation: &'static str, kind: impl Into<ErrorKind>) -> Error {
        kind.into().during(operation, &self.name)
    }
}

impl Drop for MessageQueue {
    fn drop(&mut self) {
        if self.remover.is_some_and(|remover| remover == std::process::id()) {
            // Somebody else may have removed it already, which is what was wanted.
            let _ = self.remove();
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The calls that get a message queue.

use super::{MessageQueue, Options, Queue, limits, posix, system_v};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SystemVName};
use crate::open::Disposition;

impl Options {
    /// [`MessageQueue::create`] with these options.
    pub fn create(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<MessageQueue> {
        self.get(name.try_into().map_err(Into::into)?, Disposition::Create, "create")
    }

    /// [`MessageQueue::open`] with these options.
    pub fn open(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<MessageQueue> {
        self.get(name.try_into().map_err(Into::into)?, Disposition::Open, "open")
    }

    /// [`MessageQueue::open_or_create`] with these options.
    pub fn open_or_create(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
    ) -> Result<MessageQueue> {
        self.get(name.try_into().map_err(Into::into)?, Disposition::OpenOrCreate, "open_or_create")
    }

    fn get(
        &self,
        name: Name,
        disposition: Disposition,
        operation: &'static str,
    ) -> Result<MessageQueue> {
        let got = self.check(&name, disposition).and_then(|()| match &name {
            Name::Posix(posix) => posix::get(self, posix, disposition).map(Queue::Posix),
            Name::SystemV(wanted) => system_v::get(self, wanted, disposition).map(Queue::SystemV),
            Name::File(_) | Name::Memfd(_) | Name::Anonymous | Name::Socket(_) => Err(no_queue()),
        });
        match got {
            Ok(queue) => Ok(self.handle(queue, name)),
            Err(kind) => {
                Err(limits::explain(kind.during(operation, &name), &name, self, disposition))
            }
        }
    }

    fn handle(&self, queue: Queue, name: Name) -> MessageQueue {
        let name = match (&name, &queue) {
            (Name::SystemV(SystemVName::Private), Queue::SystemV(queue)) => {
                Name::of_id(queue.id.id())
            }
            _ => name,
        };
        MessageQueue {
            queue,
            name,
            access: self.access(),
            remover: self.remove_on_drop.then(std::process::id),
        }
    }
}

/// What is neither a POSIX nor a System V name names no queue.
pub(super) fn no_queue() -> ErrorKind {
    ErrorKind::unsupported("a message queue is a POSIX (/NAME) or a System V (sysv:...) object")
}

impl MessageQueue {
    /// Creates the queue `name`, empty, for sending and receiving.
    ///
    /// It has its mode from the first moment on, whatever the umask is.
    ///
    /// Errors: `EEXIST` when the name is taken; `EINVAL` for a POSIX queue that is larger than the system allows, and for a
    /// name that cannot be created (`sysv:id=42`); `ENOSPC` when there are too many queues, `EMFILE` when this user's POSIX
    /// queues would take more bytes than `RLIMIT_MSGQUEUE`, or too many descriptors are open; `EOPNOTSUPP` for `file:`,
    /// `memfd:` and `anon:`. The text names the limit.
    ///
    /// [mq_open(3)](https://man7.org/linux/man-pages/man3/mq_open.3.html), [msgget(2)](https://man7.org/linux/man-pages/man2/msgget.2.html)
    #[doc(alias = "mq_open")]
    #[doc(alias = "msgget")]
    pub fn create(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().create(name)
    }

    /// Opens the queue `name`, for sending and receiving.
    ///
    /// Errors: `ENOENT` when there is none (`EINVAL` for a System V identifier), `EACCES` when its mode does not let this
    /// user both send and receive; by identifier only reading is checked here.
    pub fn open(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(name)
    }

    /// Opens the queue, or creates it when there is none.
    ///
    /// Errors: those of both; `EINVAL` when a POSIX queue exists and holds less than the options ask for.
    pub fn open_or_create(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().open_or_create(name)
    }

    /// How, if not by default.
    ///
    /// ```
    /// # use unipc::MessageQueue;
    /// let refused = MessageQueue::options().send_only(true).open("/no-such-queue");
    /// assert_eq!(refused.unwrap_err().errno(), libc::ENOENT);
    /// ```
    pub fn options() -> Options {
        Options::new()
    }
}

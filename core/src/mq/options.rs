// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to create or open a message queue, where the defaults do not do.

use nix::unistd::geteuid;

use super::Access;
use crate::error::ErrorKind;
use crate::name::Name;
use crate::open::{Disposition, Mode};

/// The options of [`super::MessageQueue`]; one set serves any number of calls.
///
/// ```
/// use unipc::{MessageQueue, Mode};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/options-mq-{}", std::process::id());
/// let queue = MessageQueue::options()
///     .max_messages(4)
///     .max_size(256)
///     .mode(Mode::new(0o640)?)
///     .remove_on_drop(true)
///     .create(name.as_str())?;
/// # Ok(())
/// # }
/// ```
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(super) max_messages: Option<usize>,
    pub(super) max_size: Option<usize>,
    pub(super) mode: Mode,
    send_only: bool,
    receive_only: bool,
    pub(super) replace: bool,
    pub(super) remove_on_drop: bool,
    own_only: bool,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $kind:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: $kind) -> Self {
            self.$name = $name;
            self
        }
    )*};
}

impl Options {
    /// The defaults: for sending and receiving, mode 0600, as large as the system makes queues.
    pub fn new() -> Self {
        Self::default()
    }

    /// When creating a POSIX queue: how many messages may wait in it (`mq_maxmsg`). `msg_default` of the system, usually
    /// 10, unless said otherwise. [`super::limits`] tells how many an ordinary user may ask for.
    #[doc(alias = "mq_maxmsg")]
    #[must_use]
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = Some(messages);
        self
    }

    /// When creating a POSIX queue: the largest message in bytes (`mq_msgsize`). `msgsize_default` of the system, usually
    /// 8192, unless said otherwise. Buffers for receiving must have as many.
    #[doc(alias = "mq_msgsize")]
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = Some(bytes);
        self
    }

    setters! {
        /// When creating: the permission bits, exact whatever the umask is.
        mode: Mode;
        /// Open for sending alone (`O_WRONLY`), which needs write permission alone.
        send_only: bool;
        /// Open for receiving alone (`O_RDONLY`), which needs read permission alone.
        receive_only: bool;
        /// When creating: remove a queue that has the name. Who has the old POSIX queue open keeps it; who waits at the old
        /// System V queue gets `EIDRM`.
        replace: bool;
        /// Remove the queue when the handle is dropped (not in a child of fork).
        remove_on_drop: bool;
        /// Refuse an existing queue that belongs to neither this user nor root: `EPERM`.
        own_only: bool;
    }

    pub(super) fn access(&self) -> Access {
        match (self.send_only, self.receive_only) {
            (true, _) => Access::Send,
            (_, true) => Access::Receive,
            _ => Access::Both,
        }
    }

    /// What contradicts itself whatever the queue is like.
    pub(super) fn check(&self, name: &Name, disposition: Disposition) -> Result<(), ErrorKind> {
        let sized = self.max_messages.is_some() || self.max_size.is_some();
        if self.send_only && self.receive_only {
            return Err(ErrorKind::invalid(
                "for sending alone and for receiving alone: neither is left",
            ));
        }
        if self.replace && disposition != Disposition::Create {
            return Err(ErrorKind::invalid("only creating can replace"));
        }
        if sized && disposition == Disposition::Open {
            return Err(ErrorKind::invalid("a queue that exists has its size already"));
        }
        if sized && matches!(name, Name::SystemV(_)) {
            return Err(ErrorKind::unsupported(
                "max_messages and max_size are of POSIX queues; a System V queue has one limit, msg_qbytes, which set() changes",
            ));
        }
        if self.max_messages == Some(0) || self.max_size == Some(0) {
            return Err(ErrorKind::invalid(
                "a queue holds at least one message of at least one byte",
            ));
        }
        Ok(())
    }

    pub(super) fn looks_at_owner(&self) -> bool {
        self.own_only
    }

    /// Refuses somebody else's queue, if that was asked for.
    pub(super) fn check_owner(&self, owner: u32) -> Result<(), ErrorKind> {
        let me = geteuid().as_raw();
        if self.own_only && owner != me && owner != 0 {
            let why = format!("it belongs to user {owner}, this process is user {me}");
            return Err(ErrorKind::Untrusted(why.into()));
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Removing queues: explicit, by name or through a handle, never by closing.

use nix::errno::Errno;

use super::{MessageQueue, Queue, SystemV, get, system_v};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SystemVName};
use crate::sys::mqueue;

impl MessageQueue {
    /// Removes the queue of this name. A System V queue is gone at once, and who waits at it gets `EIDRM`; who has a POSIX
    /// queue open keeps it, with its messages, until he leaves.
    ///
    /// Errors: `ENOENT` (`EINVAL` for a System V identifier) when there is none, `EACCES` or `EPERM` when it is somebody
    /// else's, `EOPNOTSUPP` for `file:`, `memfd:` and `anon:`.
    ///
    /// [mq_unlink(3)](https://man7.org/linux/man-pages/man3/mq_unlink.3.html), `msgctl(IPC_RMID)`
    #[doc(alias = "mq_unlink")]
    #[doc(alias = "IPC_RMID")]
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        let name = name.try_into().map_err(Into::into)?;
        let removed = match &name {
            Name::Posix(posix) => mqueue::mq_unlink(posix).map_err(ErrorKind::from),
            Name::SystemV(SystemVName::Id(id)) => return SystemV::from_id(*id).remove(),
            Name::SystemV(SystemVName::Private) => {
                Err(ErrorKind::invalid("sysv:private names no queue: use sysv:id=NUMBER"))
            }
            Name::SystemV(SystemVName::Key(key)) => system_v::unlink(*key),
            Name::SystemV(SystemVName::Ftok { path, project }) => {
                system_v::key_of(path, *project).and_then(system_v::unlink)
            }
            Name::File(_) | Name::Memfd(_) | Name::Anonymous | Name::Socket(_) => {
                Err(get::no_queue())
            }
        };
        removed.map_err(|kind| kind.during("unlink", &name))
    }

    /// Removes this very queue, not another one that has taken its name.
    ///
    /// Errors: `ESTALE` when the name belongs to another POSIX queue by now, `ENOENT` (`EINVAL` for System V) when it is
    /// gone already, `EACCES` or `EPERM` when it is somebody else's.
    pub fn remove(&self) -> Result<()> {
        let removed = match (&self.queue, &self.name) {
            (Queue::SystemV(queue), _) => return queue.id.remove(),
            (Queue::Posix(queue), Name::Posix(name)) => queue.is_linked().and_then(|linked| {
                if linked { mqueue::mq_unlink(name) } else { Err(Errno::ENOENT) }
            }),
            (Queue::Posix(_), _) => Ok(()),
        };
        removed.map_err(|errno| match (errno, &self.name) {
            (Errno::ENOENT, Name::Posix(name)) if is_taken(name) => {
                self.failed("remove", ErrorKind::Replaced)
            }
            _ => self.failed("remove", errno),
        })
    }
}

/// Does any queue have this name? It is not opened, since closing it would end a notification that this process has asked
/// for: the kernel looks first whether the name is free, and then refuses to make a queue for no message.
fn is_taken(name: &crate::name::PosixName) -> bool {
    let flags = libc::O_RDONLY | libc::O_CREAT | libc::O_EXCL;
    matches!(mqueue::mq_open(name, flags, 0, Some((0, 0))), Err(Errno::EEXIST))
}

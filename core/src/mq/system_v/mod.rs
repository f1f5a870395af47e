// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V queues by identifier: everything that `msgctl` can tell and do.
//!
//! [msgctl(2)](https://man7.org/linux/man-pages/man2/msgctl.2.html)

mod get;
mod msgbuf;
mod queue;

use nix::errno::Errno;

pub(super) use get::{get, key_of, unlink};
pub(super) use queue::Queue;

use super::limits;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::msg;
use crate::sysv::{self, Permissions};

/// A System V queue, by identifier. Holding one keeps nothing alive: it may be removed by anybody who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemV {
    id: i32,
}

/// What the kernel knows of a queue: every field of [`struct msqid_ds`](https://man7.org/linux/man-pages/man2/msgctl.2.html).
#[doc(alias = "msqid_ds")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The identifier.
    pub id: i32,
    /// Key, owner, creator, mode (`msg_perm`).
    pub permissions: Permissions,
    /// When a message was last sent, in seconds since 1970; 0 for never (`msg_stime`).
    pub send_time: i64,
    /// When a message was last received; 0 for never (`msg_rtime`).
    pub receive_time: i64,
    /// When it was created or last changed by `set` (`msg_ctime`).
    pub change_time: i64,
    /// Bytes of the messages that wait in it (`msg_cbytes`).
    pub bytes: u64,
    /// How many messages wait in it (`msg_qnum`).
    pub messages: u64,
    /// How many bytes all its messages together may have, and how many messages there may be (`msg_qbytes`).
    pub max_bytes: u64,
    /// Who sent last; 0 for nobody (`msg_lspid`).
    pub last_send_pid: i32,
    /// Who received last; 0 for nobody (`msg_lrpid`).
    pub last_receive_pid: i32,
}

/// What `IPC_SET` is to change; `None` leaves a field as it is.
#[doc(alias = "IPC_SET")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// The new owner.
    pub uid: Option<u32>,
    /// The new group.
    pub gid: Option<u32>,
    /// The new permission bits.
    pub mode: Option<u32>,
    /// How many bytes all messages together may have (`msg_qbytes`).
    pub max_bytes: Option<u64>,
}

impl SystemV {
    /// The queue with this identifier, unchecked.
    pub fn from_id(id: i32) -> Self {
        Self { id }
    }

    /// The identifier, unique until the queue is gone and for long after.
    pub fn id(self) -> i32 {
        self.id
    }

    /// `msgctl(IPC_STAT)`.
    ///
    /// Errors: `EINVAL` when there is no such queue, `EACCES` without read permission.
    #[doc(alias = "IPC_STAT")]
    pub fn stat(self) -> Result<Status> {
        let status = msg::msgctl_stat(self.id).map_err(|errno| self.failed("stat", errno))?;
        Ok(Status::new(self.id, &status))
    }

    /// `msgctl(IPC_SET)`: a new owner, group, mode or capacity.
    ///
    /// A lower capacity than the messages already take keeps them; nothing can be sent until enough were received.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged, and for more bytes than `MSGMNB` unless he is
    /// privileged; `EINVAL` when there is no such queue, or for a mode beyond 0777; `ERANGE` for more bytes than 2147483647.
    #[doc(alias = "IPC_SET")]
    #[doc(alias = "msg_qbytes")]
    pub fn set(self, change: Change) -> Result<()> {
        let failed = |errno| self.failed("set", errno);
        let mut status = self.raw_status().map_err(failed)?;
        let Change { uid, gid, mode, max_bytes } = change;
        sysv::Change { uid, gid, mode }.apply(&mut status.msg_perm)?;
        if let Some(bytes) = max_bytes {
            // The kernel takes the number as an int, and would cut a larger one.
            let bytes =
                u32::try_from(bytes).ok().filter(|&bytes| bytes <= i32::MAX.cast_unsigned());
            let bytes = bytes.ok_or_else(|| {
                failed(Errno::ERANGE).with_advice("a queue has at most 2147483647 bytes")
            })?;
            status.msg_qbytes = bytes.into();
        }
        msg::msgctl_set(self.id, &status).map_err(|errno| {
            let error = failed(errno);
            match (errno, max_bytes, limits::msgmnb()) {
                (Errno::EPERM, Some(bytes), Some(msgmnb)) if bytes > msgmnb => error.with_advice(
                    format!("MSGMNB is {msgmnb} bytes: only CAP_SYS_RESOURCE may go beyond (/proc/sys/kernel/msgmnb)"),
                ),
                _ => error,
            }
        })
    }

    /// `msgctl(IPC_RMID)`: the queue goes at once, with its messages. Who waits at it gets `EIDRM`.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged; `EINVAL` when there is no such queue.
    #[doc(alias = "IPC_RMID")]
    pub fn remove(self) -> Result<()> {
        msg::msgctl_remove(self.id).map_err(|errno| self.failed("remove", errno))
    }

    /// All queues of this IPC namespace, those of other users too (`MSG_STAT_ANY`, Linux 4.17), as `ipcs -q` lists them.
    #[doc(alias = "ipcs")]
    #[doc(alias = "MSG_STAT_ANY")]
    pub fn list() -> Result<Vec<Status>> {
        let failed = |errno: Errno| ErrorKind::from(errno).during("list", "sysv:");
        let (last, _) = msg::msgctl_usage().map_err(failed)?;
        let mut found = Vec::new();
        for slot in 0..=last {
            match msg::msgctl_stat_any(slot) {
                Ok((id, status)) => found.push(Status::new(id, &status)),
                // An empty slot, or a queue that went away this moment.
                Err(Errno::EINVAL | Errno::EIDRM) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(found)
    }

    /// `IPC_STAT`, or what `MSG_STAT_ANY` shows of it: an owner may change a queue that he may not read.
    fn raw_status(self) -> nix::Result<libc::msqid_ds> {
        match msg::msgctl_stat(self.id) {
            Err(Errno::EACCES) => {
                let (last, _) = msg::msgctl_usage()?;
                let seen = |slot| msg::msgctl_stat_any(slot).ok();
                let mine = (0..=last).filter_map(seen).find(|(id, _)| *id == self.id);
                mine.map(|(_, status)| status).ok_or(Errno::EACCES)
            }
            other => other,
        }
    }

    /// Was the queue removed? Its identifier means nothing for long after.
    pub(super) fn is_gone(self) -> bool {
        matches!(msg::msgctl_stat(self.id), Err(Errno::EINVAL | Errno::EIDRM))
    }

    fn failed(self, operation: &'static str, errno: Errno) -> Error {
        let error = ErrorKind::from(errno).during(operation, Name::of_id(self.id));
        // EINVAL also means a user or mode that cannot be; then the queue is there.
        if self.is_gone() { error.with_advice("no queue has this identifier") } else { error }
    }
}

impl Status {
    // The fields' widths differ between libcs; all of them fit.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn new(id: i32, status: &libc::msqid_ds) -> Self {
        Self {
            id,
            permissions: Permissions::new(&status.msg_perm),
            send_time: status.msg_stime as i64,
            receive_time: status.msg_rtime as i64,
            change_time: status.msg_ctime as i64,
            bytes: status.__msg_cbytes as u64,
            messages: status.msg_qnum as u64,
            max_bytes: status.msg_qbytes as u64,
            last_send_pid: status.msg_lspid,
            last_receive_pid: status.msg_lrpid,
        }
    }
}

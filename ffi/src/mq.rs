// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/mq.h: message queues. The types are here, the functions in the modules.

mod manage;
mod msgbuf;
mod open;
mod system_v;
mod transfer;

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

use unipc_core::MessageQueue;

pub use manage::*;
pub use msgbuf::*;
pub use open::*;
pub use system_v::*;
pub use transfer::*;

use super::boundary;
use boundary::SizeFirst;

/// An open message queue. A handle belongs to the process; a child of fork() has its own copy.
#[derive(Debug)]
pub struct unipc_mq {
    pub(crate) queue: MessageQueue,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

impl unipc_mq {
    fn new(queue: MessageQueue) -> Self {
        // Names hold no NUL.
        let name = CString::new(queue.name().to_os_string().into_vec()).unwrap_or_default();
        Self { queue, name }
    }
}

/// Flags for creating, opening and receiving.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_mq_flag {
    /// Open for sending alone (O_WRONLY), which needs write permission alone.
    UNIPC_MQ_SEND_ONLY = 1 << 0,
    /// Open for receiving alone (O_RDONLY), which needs read permission alone.
    UNIPC_MQ_RECEIVE_ONLY = 1 << 1,
    /// When creating: remove a queue that has the name, then create. Who has the old POSIX queue open
    /// keeps it; who waits at the old System V queue gets -EIDRM.
    UNIPC_MQ_REPLACE = 1 << 2,
    /// Remove the queue when this handle is closed (not by a child of fork()).
    UNIPC_MQ_REMOVE_ON_CLOSE = 1 << 3,
    /// Refuse an existing queue that belongs to neither this user nor root: -EPERM.
    UNIPC_MQ_OWN_ONLY = 1 << 4,
    /// For unipc_mq_receive() and unipc_mq_receive_msgbuf(): cut a message that is longer than the buffer (MSG_NOERROR).
    UNIPC_MQ_TRUNCATE = 1 << 5,
    /// For the same, System V: any type but want, which is more than 0 (MSG_EXCEPT).
    UNIPC_MQ_EXCEPT = 1 << 6,
}

/// How to create or open, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_MQ_OPTS() or UNIPC_MQ_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_mq_opts {
    /// sizeof(unipc_mq_opts).
    pub sz: usize,
    /// When creating a POSIX queue: how many messages may wait in it. 0: msg_default, usually 10.
    pub max_messages: usize,
    /// When creating a POSIX queue: the largest message in bytes. 0: msgsize_default, usually 8192.
    pub max_size: usize,
    /// When creating: permission bits, exact whatever the umask. 0: 0600. UNIPC_MODE_NONE: none.
    pub mode: u32,
    /// Not used: 0.
    pub reserved: u32,
}

const _: () = assert!(
    size_of::<unipc_mq_opts>() == 3 * size_of::<usize>() + 2 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_mq_opts {}

/// What is known of a POSIX queue: struct mq_attr, and what its file in /dev/mqueue says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_mq_posix_status {
    /// How many messages it can hold (mq_maxmsg).
    pub max_messages: u64,
    /// The largest message in bytes (mq_msgsize).
    pub max_size: u64,
    /// How many messages wait in it (mq_curmsgs).
    pub messages: u64,
    /// Bytes of these messages (QSIZE); UINT64_MAX: unknown, the handle is for sending alone.
    pub bytes: u64,
    /// 1: the open file description is non-blocking (mq_flags), which the functions here ignore.
    pub non_blocking: u32,
    /// Owner's user.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// The nine permission bits.
    pub mode: u32,
    /// Which process has asked to be notified; 0: none, or the handle is for sending alone.
    pub notify_pid: i32,
    /// How it is notified: SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD.
    pub notify_method: i32,
    /// By which signal; 0: by none.
    pub notify_signal: i32,
    /// Not used: 0.
    pub unused: u32,
    /// When a message was last received or the file read, in seconds since 1970.
    pub access_time: i64,
    /// When it was created, or a message last sent or received.
    pub change_time: i64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// What the kernel knows of a System V queue: all of struct msqid_ds and its struct ipc_perm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_mq_sysv_status {
    /// The identifier.
    pub id: i32,
    /// The key; 0 for a private queue.
    pub key: i32,
    /// Owner's user.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Creator's user.
    pub cuid: u32,
    /// Creator's group.
    pub cgid: u32,
    /// The nine permission bits.
    pub mode: u32,
    /// How often the kernel has reused the slot; part of the identifier (__seq).
    pub sequence: u32,
    /// When a message was last sent, in seconds since 1970; 0: never (msg_stime).
    pub send_time: i64,
    /// When a message was last received; 0: never (msg_rtime).
    pub receive_time: i64,
    /// When it was created or last changed by unipc_mq_sysv_set() (msg_ctime).
    pub change_time: i64,
    /// Bytes of the messages that wait in it (msg_cbytes).
    pub bytes: u64,
    /// How many messages wait in it (msg_qnum).
    pub messages: u64,
    /// How many bytes all of them together may have, and how many there may be (msg_qbytes).
    pub max_bytes: u64,
    /// Who sent last; 0: nobody (msg_lspid).
    pub last_send_pid: i32,
    /// Who received last; 0: nobody (msg_lrpid).
    pub last_receive_pid: i32,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// The limits of message queues, as ipcs -l, /proc/sys/kernel/msg* and /proc/sys/fs/mqueue have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_mq_limit_values {
    /// MSGMAX: the largest System V message, in bytes.
    pub msgmax: u64,
    /// MSGMNB: the bytes of a new System V queue; more than that only the privileged may set.
    pub msgmnb: u64,
    /// MSGMNI: how many System V queues there may be.
    pub msgmni: u64,
    /// How many messages an unprivileged user's POSIX queue may hold. 0, as in all that follow: the
    /// system does not tell.
    pub msg_max: u64,
    /// The largest message of an unprivileged user's POSIX queue, in bytes.
    pub msgsize_max: u64,
    /// How many POSIX queues there may be.
    pub queues_max: u64,
    /// How many messages a POSIX queue holds unless its creator says otherwise.
    pub msg_default: u64,
    /// The largest message of a POSIX queue unless its creator says otherwise.
    pub msgsize_default: u64,
    /// RLIMIT_MSGQUEUE: how many bytes all POSIX queues of this user may take; UINT64_MAX: no limit.
    pub rlimit_msgqueue: u64,
    /// MQ_PRIO_MAX: how many priorities there are.
    pub prio_max: u64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// What System V queues use, as ipcs -u has it (MSG_INFO).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_mq_usage_values {
    /// How many queues exist.
    pub queues: u64,
    /// How many messages wait in all of them.
    pub messages: u64,
    /// Bytes of those messages.
    pub bytes: u64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much there may be, how much there is, and errors that name the limit that was hit.

use nix::sys::resource::{Resource, getrlimit};

use super::posix::PRIORITIES;
use super::{MessageQueue, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SystemVName};
use crate::open::Disposition;
use crate::sys::msg;

/// Where the limits of POSIX queues are.
const POSIX_LIMITS: &str = "/proc/sys/fs/mqueue";

/// What the kernel takes for the administration of one message and one priority: a `struct msg_msg` and a
/// `struct posix_msg_tree_node`, on 64-bit machines.
const PER_MESSAGE: u64 = 48 + 48;

/// The limits of message queues in this IPC namespace, as `ipcs -l` and `/proc/sys` have them.
#[doc(alias = "msginfo")]
#[doc(alias = "IPC_INFO")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `MSGMAX`: the largest System V message, in bytes.
    pub msgmax: u64,
    /// `MSGMNB`: the `msg_qbytes` of a new System V queue, in bytes; more than that only the privileged may set.
    pub msgmnb: u64,
    /// `MSGMNI`: how many System V queues there may be.
    pub msgmni: u64,
    /// Those of POSIX queues; `None` where the kernel or /proc does not have them.
    pub posix: Option<PosixLimits>,
}

/// The limits of POSIX queues, `/proc/sys/fs/mqueue`. See [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PosixLimits {
    /// How many messages an unprivileged user's queue may hold.
    pub msg_max: u64,
    /// The largest message of an unprivileged user's queue, in bytes.
    pub msgsize_max: u64,
    /// How many queues there may be.
    pub queues_max: u64,
    /// How many messages a queue holds unless its creator says otherwise.
    pub msg_default: u64,
    /// The largest message of a queue in bytes unless its creator says otherwise.
    pub msgsize_default: u64,
    /// How many bytes all queues of this user may take (`RLIMIT_MSGQUEUE`); `None` for no limit.
    pub rlimit_msgqueue: Option<u64>,
    /// How many priorities there are (`MQ_PRIO_MAX`); they begin with 0.
    pub prio_max: u64,
}

/// What System V queues use in this IPC namespace (`MSG_INFO`).
#[doc(alias = "MSG_INFO")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How many queues exist.
    pub queues: u64,
    /// How many messages wait in all of them.
    pub messages: u64,
    /// Bytes of those messages.
    pub bytes: u64,
}

/// The limits. Errors: none on a kernel with System V IPC; `ENOSYS` without.
pub fn limits() -> Result<Limits> {
    let raw =
        msg::msgctl_limits().map_err(|errno| ErrorKind::from(errno).during("limits", "sysv:"))?;
    Ok(Limits {
        msgmax: count(raw.msgmax),
        msgmnb: count(raw.msgmnb),
        msgmni: count(raw.msgmni),
        posix: posix(),
    })
}

/// The usage. Errors: as [`limits`].
pub fn usage() -> Result<Usage> {
    let (_, raw) =
        msg::msgctl_usage().map_err(|errno| ErrorKind::from(errno).during("usage", "sysv:"))?;
    // The names are those of other uses that the structure has.
    Ok(Usage { queues: count(raw.msgpool), messages: count(raw.msgmap), bytes: count(raw.msgtql) })
}

fn count(number: i32) -> u64 {
    number.max(0).cast_unsigned().into()
}

fn posix() -> Option<PosixLimits> {
    let (limit, _) = getrlimit(Resource::RLIMIT_MSGQUEUE).ok()?;
    Some(PosixLimits {
        msg_max: posix_limit("msg_max")?,
        msgsize_max: posix_limit("msgsize_max")?,
        queues_max: posix_limit("queues_max")?,
        msg_default: posix_limit("msg_default")?,
        msgsize_default: posix_limit("msgsize_default")?,
        rlimit_msgqueue: (limit != nix::sys::resource::RLIM_INFINITY).then_some(limit),
        prio_max: PRIORITIES.cast_unsigned(),
    })
}

fn posix_limit(name: &str) -> Option<u64> {
    std::fs::read_to_string(format!("{POSIX_LIMITS}/{name}")).ok()?.trim().parse().ok()
}

/// What `mq_open` takes when it is told nothing: the defaults, cut at what is allowed.
pub(super) fn posix_defaults() -> (usize, usize) {
    let of = |default: &str, max: &str, otherwise| {
        let value = posix_limit(default)?.min(posix_limit(max)?);
        usize::try_from(value).ok().or(Some(otherwise))
    };
    let messages = of("msg_default", "msg_max", 10).unwrap_or(10);
    (messages, of("msgsize_default", "msgsize_max", 8192).unwrap_or(8192))
}

pub(super) fn msgmax() -> Result<usize, ErrorKind> {
    let raw = msg::msgctl_limits()?;
    Ok(usize::try_from(raw.msgmax).unwrap_or(0))
}

pub(super) fn msgmnb() -> Option<u64> {
    msg::msgctl_limits().ok().map(|raw| count(raw.msgmnb))
}

/// Why a System V message of this length cannot be sent.
pub(super) fn too_long(queue: &MessageQueue, length: usize) -> Option<String> {
    let msgmax = msgmax().ok()?;
    if length > msgmax {
        return Some(format!(
            "the message has {length} bytes, MSGMAX is {msgmax} (/proc/sys/kernel/msgmax)"
        ));
    }
    let max_bytes = queue.system_v()?.stat().ok()?.max_bytes;
    (length as u64 > max_bytes).then(|| {
        format!("the message has {length} bytes, msg_qbytes of the queue is {max_bytes}: it would wait for ever")
    })
}

/// Adds to an error of create or open what the reader can do about it.
pub(super) fn explain(
    error: Error,
    name: &Name,
    options: &Options,
    disposition: Disposition,
) -> Error {
    let advice = match (error.kind(), name) {
        (ErrorKind::Os(libc::EEXIST), _) => {
            Some("the name is taken; open it, use open_or_create, or replace it".to_owned())
        }
        (ErrorKind::Os(libc::ENOENT), Name::SystemV(SystemVName::Ftok { path, .. }))
            if !path.exists() =>
        {
            let path = path.display();
            Some(format!("the key is made of {path}, which does not exist: touch {path}"))
        }
        (ErrorKind::Os(libc::ENOENT), Name::SystemV(_)) => Some("no queue has this key".to_owned()),
        (ErrorKind::Os(libc::EINVAL), Name::SystemV(_)) => {
            Some("no queue has this identifier".to_owned())
        }
        (ErrorKind::Os(libc::ENOENT), Name::Posix(_)) => {
            Some("nobody has created it, or it was unlinked".to_owned())
        }
        (ErrorKind::Os(libc::EACCES), _) => Some(
            "its mode does not let this user both send and receive; send_only and receive_only need less"
                .to_owned(),
        ),
        (ErrorKind::Os(libc::ENOSPC), Name::SystemV(_)) => too_many_queues(),
        (ErrorKind::Os(libc::ENOSPC), Name::Posix(_)) => posix_limit("queues_max").map(|max| {
            format!("queues_max is {max}: so many POSIX queues exist; remove unused ones ({POSIX_LIMITS}/queues_max)")
        }),
        (ErrorKind::Os(libc::EMFILE), Name::Posix(_)) if disposition != Disposition::Open => {
            too_much_memory(options)
        }
        (ErrorKind::Os(libc::EINVAL | libc::EOVERFLOW | libc::ENOMEM), Name::Posix(_)) => {
            too_large(options)
        }
        _ => None,
    };
    match advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

fn too_many_queues() -> Option<String> {
    let (limits, usage) = (limits().ok()?, usage().ok()?);
    Some(format!(
        "MSGMNI is {}: {} queues exist; remove unused ones (ipcs -q, ipcrm)",
        limits.msgmni, usage.queues
    ))
}

/// `EMFILE` of `mq_open` has two causes.
fn too_much_memory(options: &Options) -> Option<String> {
    if std::fs::File::open("/dev/null").is_err() {
        let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        return Some(format!("RLIMIT_NOFILE is {limit} descriptors (ulimit -n)"));
    }
    let (limit, _) = getrlimit(Resource::RLIMIT_MSGQUEUE).ok()?;
    let (messages, size) = posix_defaults();
    let messages = options.max_messages.unwrap_or(messages) as u64;
    let size = options.max_size.unwrap_or(size) as u64;
    let bytes = messages.saturating_mul(size.saturating_add(PER_MESSAGE));
    Some(format!(
        "RLIMIT_MSGQUEUE is {limit} bytes for all queues of this user (ulimit -q); this one takes about {bytes}"
    ))
}

fn too_large(options: &Options) -> Option<String> {
    let (messages, size) = (posix_limit("msg_max")?, posix_limit("msgsize_max")?);
    let asked = |name, asked: Option<usize>, max| {
        let asked = asked.filter(|&asked| asked as u64 > max)?;
        Some(format!(
            "{asked} were asked for, {name} is {max} ({POSIX_LIMITS}/{name}); only CAP_SYS_RESOURCE may go beyond, and not without end"
        ))
    };
    asked("msg_max", options.max_messages, messages)
        .or_else(|| asked("msgsize_max", options.max_size, size))
}

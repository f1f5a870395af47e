// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a queue is, what is in it, who is told of it, and its removal.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::AsRawFd;

use unipc_core::mq::PosixStatus;
use unipc_core::{Error, ErrorKind, MessageQueue};

use super::boundary::Caller;
use super::{unipc_mq, unipc_mq_posix_status};

/// The name: of a private System V queue "sysv:id=NUMBER".
///
/// mq: a handle
///
/// Returns a string that lives as long as the handle; NULL if mq is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_name(mq: *const unipc_mq) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(mq)?.name.as_ptr()))
}

/// What the queue is to the kernel.
///
/// mq: a handle
///
/// Returns UNIPC_BACKING_SYSTEM_V or UNIPC_BACKING_POSIX; -EINVAL if mq is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_backing(mq: *const unipc_mq) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("backing") };
    caller.guard(|| Ok(caller.handle(mq)?.queue.backing() as c_int))
}

/// The descriptor of a POSIX queue, for poll(), select() and epoll: readable when there is a message,
/// writable when there is room for one.
///
/// mq: a handle
///
/// It may be ready and the call still have to wait, when somebody else was faster: use a timeout of
/// {0, 0}.
///
/// Returns the descriptor, close-on-exec, which belongs to the handle and is valid until it is closed. Or
///   -EOPNOTSUPP  a System V queue has none
///   -EINVAL      mq is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_fd(mq: *const unipc_mq) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        queue.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| {
            let why = "a System V queue has no descriptor";
            Error::new("fd", queue.name(), ErrorKind::Unsupported(why.into()))
        })
    })
}

/// The identifier of a System V queue, as ipcs -q shows it.
///
/// mq: a handle
///
/// Returns the identifier, or
///   -EOPNOTSUPP  a POSIX queue has none
///   -EINVAL      mq is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_id(mq: *const unipc_mq) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("id") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        queue.id().ok_or_else(|| {
            let why = "a POSIX queue has no identifier";
            Error::new("id", queue.name(), ErrorKind::Unsupported(why.into()))
        })
    })
}

/// The largest message that can be sent, in bytes: of a POSIX queue for ever the same, of all System V
/// queues MSGMAX.
///
/// mq: a handle
///
/// Returns that; 0 if mq is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_max_size(mq: *const unipc_mq) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("max_size") };
    caller.guard(|| caller.handle(mq)?.queue.max_size())
}

/// How many messages wait to be received.
///
/// mq:  a handle
/// out: where the number goes
///
/// Returns 0.
/// Errors:
///   -EIDRM   the System V queue was removed
///   -EACCES  no permission to read (System V)
///   -EINVAL  mq or out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_messages(mq: *const unipc_mq, out: *mut u64) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the number.
    let caller = unsafe { Caller::trusted("messages") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        caller.output("out", out)?.set(queue.messages()?);
        Ok(0)
    })
}

/// All that is known of a POSIX queue. Of a System V queue see unipc_mq_sysv_stat().
///
/// mq:  a handle
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  it is a System V queue
///   -EINVAL      mq or out is NULL
/// Since 0.1. See mq_getattr(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_posix_stat(
    mq: *const unipc_mq,
    out: *mut unipc_mq_posix_status,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the status.
    let caller = unsafe { Caller::trusted("posix_stat") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        caller.output("out", out)?.set(queue.posix_stat()?.into());
        Ok(0)
    })
}

/// Asks for a signal when a message comes to the POSIX queue while it is empty and nobody waits at it.
///
/// mq:     a handle
/// signal: which
/// value:  comes with it, as si_value.sival_int; si_pid is the sender's
///
/// It comes once. Then ask again, and after that receive, with a timeout of {0, 0}, until the queue is
/// empty: the other way round a message could come in between, unnoticed. unipc_mq_fd() needs none of
/// this. Closing any handle of the queue ends it.
///
/// Returns 0.
/// Errors:
///   -EBUSY       this or another process has asked already
///   -EINVAL      no such signal; mq is NULL
///   -EOPNOTSUPP  it is a System V queue
/// Since 0.1. See mq_notify(3) SIGEV_SIGNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_notify_signal(
    mq: *const unipc_mq,
    signal: c_int,
    value: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("notify_signal") };
    caller.guard(|| caller.handle(mq)?.queue.notify_signal(signal, value).map(|()| 0))
}

/// Has a function called when a message comes to the POSIX queue while it is empty and nobody waits at
/// it, once, on a thread of its own that has all signals blocked.
///
/// mq:       a handle
/// function: what to call; it must not unwind or leave by longjmp()
/// argument: what it is given; must be usable by another thread until the function has returned
///
/// It is never called when the notification is cancelled or a handle of the queue closed before.
///
/// Returns 0.
/// Errors:
///   -EBUSY       this or another process has asked already
///   -EAGAIN      there can be no more threads
///   -EMFILE      too many descriptors are open
///   -EINVAL      mq or function is NULL
///   -EOPNOTSUPP  it is a System V queue
/// Since 0.1. See mq_notify(3) SIGEV_THREAD.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_notify_thread(
    mq: *const unipc_mq,
    function: Option<unsafe extern "C" fn(argument: *mut c_void)>,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for a function and an argument that fit another thread.
    let caller = unsafe { Caller::trusted("notify_thread") };
    caller.guard(|| {
        let queue = &caller.handle(mq)?.queue;
        let call = caller.callback("function", function, argument)?;
        queue.notify_thread(call).map(|()| 0)
    })
}

/// Ends the notification of a POSIX queue that this process has asked for; fine if it has not.
///
/// mq: a handle
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  it is a System V queue
///   -EINVAL      mq is NULL
/// Since 0.1. See mq_notify(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_cancel_notification(mq: *const unipc_mq) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("cancel_notification") };
    caller.guard(|| caller.handle(mq)?.queue.cancel_notification().map(|()| 0))
}

/// Removes the queue of a name. A System V queue is gone at once, and who waits at it gets -EIDRM; who
/// has a POSIX queue open keeps it, with its messages, until he leaves.
///
/// name: any name of a queue
///
/// Returns 0.
/// Errors:
///   -ENOENT          there is none
///   -EINVAL          no name, NULL, sysv:private; no queue has this identifier
///   -EACCES, -EPERM  it is somebody else's
///   -EOPNOTSUPP      only POSIX and System V names stand for queues
/// Since 0.1. See mq_unlink(3), msgctl(2) IPC_RMID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| MessageQueue::unlink(caller.name(name)?).map(|()| 0))
}

/// Removes this very queue, not another one that has taken its name before the call.
///
/// mq: a handle
///
/// Returns 0.
/// Errors:
///   -ESTALE          the name belongs to another POSIX queue now, which stays
///   -ENOENT          it is gone already (-EINVAL for System V)
///   -EACCES, -EPERM  it is somebody else's
///   -EINVAL          mq is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_remove(mq: *const unipc_mq) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("remove") };
    caller.guard(|| caller.handle(mq)?.queue.remove().map(|()| 0))
}

impl From<PosixStatus> for unipc_mq_posix_status {
    fn from(status: PosixStatus) -> Self {
        let notification = status.notification;
        Self {
            max_messages: status.max_messages,
            max_size: status.max_size,
            messages: status.messages,
            bytes: status.bytes.unwrap_or(u64::MAX),
            non_blocking: status.non_blocking.into(),
            uid: status.uid,
            gid: status.gid,
            mode: status.mode,
            notify_pid: notification.map_or(0, |notification| notification.pid),
            notify_method: notification.map_or(0, |notification| notification.method),
            notify_signal: notification.map_or(0, |notification| notification.signal),
            access_time: status.access_time,
            change_time: status.change_time,
            ..Self::default()
        }
    }
}

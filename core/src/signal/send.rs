// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending by number: to a process, a group, a thread, and to oneself.

use std::fmt;

use super::{Signal, Value, stat};
use crate::error::{Error, ErrorKind, Result};
use crate::sys;

/// [`kill(pid, sig)`](https://man7.org/linux/man-pages/man2/kill.2.html) - sends a signal to a process.
///
/// A number may belong to another process by now; a child's cannot before it has been waited for. Where that matters
/// use [`super::PidFd`]. A standard signal that is pending already is not pending twice.
///
/// Errors: `ESRCH` nobody has this number; `EPERM` the process is another user's; `EINVAL` for a `pid` that is not
/// positive, which kill(2) would take for whole groups.
///
/// ```
/// use unipc::signal::{self, Set, Signal};
/// use unipc::Timeout;
/// let _blocked = signal::block(Set::from(Signal::USR1))?;
/// signal::send(std::process::id().try_into().unwrap(), Signal::USR1)?;
/// let info = signal::wait(Set::from(Signal::USR1), Timeout::Forever)?;
/// assert_eq!((info.cause(), info.pid.cast_unsigned()), ("SI_USER", std::process::id()));
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "kill")]
#[inline]
pub fn send(pid: i32, signal: Signal) -> Result<()> {
    let sent = positive(pid).and_then(|()| Ok(sys::signal::kill(pid, signal.number())?));
    sent.map_err(|kind| explain(kind, "send", signal, &pid))
}

/// `kill(pid, 0)`: may this process signal that one, which must exist? A process that has ended and was not waited
/// for (a zombie) exists.
///
/// Errors: as [`send`].
pub fn probe(pid: i32) -> Result<()> {
    let asked = positive(pid).and_then(|()| Ok(sys::signal::kill(pid, 0)?));
    asked.map_err(|kind| explain(kind, "probe", "0", &pid))
}

/// [`killpg(group, sig)`](https://man7.org/linux/man-pages/man3/killpg.3.html) - sends a signal to every process of a
/// group; 0 is the caller's own.
///
/// Errors: `ESRCH` there is no such group; `EPERM` all its processes are other users'; `EINVAL` for a negative number
/// and for 1, with which kill(2) would signal every process of the machine.
#[doc(alias = "killpg")]
#[inline]
pub fn send_group(group: i32, signal: Signal) -> Result<()> {
    let sent = if group == 1 || group < 0 {
        Err(ErrorKind::invalid("a process group has a number above 1, or is 0 for the caller's"))
    } else {
        sys::signal::kill(-group, signal.number()).map_err(ErrorKind::from)
    };
    sent.map_err(|kind| explain(kind, "send_group", signal, &group))
}

/// [`tgkill(pid, thread, sig)`](https://man7.org/linux/man-pages/man2/tgkill.2.html) - sends a signal to one thread,
/// by the number that `gettid` gives there.
///
/// Only that thread can take it. What it does is done to the whole process: a thread cannot be killed alone.
///
/// Errors: as [`send`]; `ESRCH` too when the thread is not the process's.
#[doc(alias = "tgkill")]
#[doc(alias = "pthread_kill")]
#[inline]
pub fn send_thread(pid: i32, thread: i32, signal: Signal) -> Result<()> {
    let sent = positive(pid)
        .and_then(|()| positive(thread))
        .and_then(|()| Ok(sys::signal::kill_thread(pid, thread, signal.number())?));
    sent.map_err(|kind| explain(kind, "send_thread", signal, &Thread(pid, thread)))
}

/// [`raise(sig)`](https://man7.org/linux/man-pages/man3/raise.3.html) - sends a signal to the calling thread. If it is
/// not blocked, it has acted when this returns.
///
/// Errors: none in practice.
#[doc(alias = "abort")]
#[inline]
pub fn raise(signal: Signal) -> Result<()> {
    sys::signal::raise(signal.number())
        .map_err(|errno| ErrorKind::from(errno).during("raise", signal))
}

/// [`sigqueue(pid, sig, value)`](https://man7.org/linux/man-pages/man3/sigqueue.3.html) - sends a signal with a value.
///
/// Real-time signals queue: each is taken once, lowest number first, those of one number in the order of sending.
/// Standard signals carry values too, but one that is pending already swallows the next, value and all.
///
/// Errors: `EAGAIN` so many signals are queued for the receiver's user that `RLIMIT_SIGPENDING` allows no more, and
/// nothing was sent; otherwise as [`send`].
///
/// ```
/// use unipc::signal::{self, Set, Signal};
/// use unipc::Timeout;
/// let signal = Signal::realtime(1)?;
/// let _blocked = signal::block(Set::from(signal))?;
/// signal::queue(std::process::id().try_into().unwrap(), signal, 42)?;
/// assert_eq!(signal::wait(Set::from(signal), Timeout::Forever)?.value.int(), 42);
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "sigqueue")]
#[inline]
pub fn queue(pid: i32, signal: Signal, value: impl Into<Value>) -> Result<()> {
    let raw = value.into().raw();
    let sent = positive(pid).and_then(|()| Ok(sys::signal::queue(pid, signal.number(), raw)?));
    sent.map_err(|kind| explain_queue(kind, signal, &pid))
}

/// `rt_tgsigqueueinfo(2)`: as [`queue`], to one thread, as [`send_thread`].
///
/// Errors: as [`queue`].
#[doc(alias = "rt_tgsigqueueinfo")]
#[doc(alias = "pthread_sigqueue")]
#[inline]
pub fn queue_thread(pid: i32, thread: i32, signal: Signal, value: impl Into<Value>) -> Result<()> {
    let raw = value.into().raw();
    let sent = positive(pid)
        .and_then(|()| positive(thread))
        .and_then(|()| Ok(sys::signal::queue_thread(pid, thread, signal.number(), raw)?));
    sent.map_err(|kind| explain_queue(kind, signal, &Thread(pid, thread)))
}

/// Numbers that are not positive mean groups, or everybody.
#[inline]
pub(super) fn positive(pid: i32) -> Result<(), ErrorKind> {
    if pid > 0 {
        return Ok(());
    }
    Err(not_positive())
}

#[cold]
fn not_positive() -> ErrorKind {
    ErrorKind::invalid("a process has a positive number; send_group is for groups")
}

/// A thread as errors name it.
struct Thread(i32, i32);

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} thread {}", self.0, self.1)
    }
}

/// Whom an error is about.
pub(super) trait Receiver: fmt::Display {
    /// Its process, if its number is known.
    fn pid(&self) -> Option<i32>;
}

impl Receiver for i32 {
    fn pid(&self) -> Option<i32> {
        Some(*self)
    }
}

impl Receiver for Thread {
    fn pid(&self) -> Option<i32> {
        Some(self.0)
    }
}

/// Adds what the reader can do about it.
#[cold]
pub(super) fn explain(
    kind: ErrorKind,
    operation: &'static str,
    signal: impl fmt::Display,
    to: &impl Receiver,
) -> Error {
    let advice = match kind {
        ErrorKind::Os(libc::ESRCH) => "nobody has this number, or it has ended",
        ErrorKind::Os(libc::EPERM) => {
            "it belongs to another user: that takes CAP_KILL (SIGCONT may be sent within a session)"
        }
        ErrorKind::Os(libc::EBADF) => "it is not the descriptor of a process",
        _ => return kind.during(operation, format_args!("{signal} to {to}")),
    };
    kind.during(operation, format_args!("{signal} to {to}")).with_advice(advice)
}

/// The same for a queue, which has a limit: the receiver's, for all that is queued for its user.
#[cold]
pub(super) fn explain_queue(kind: ErrorKind, signal: Signal, to: &impl Receiver) -> Error {
    if kind.errno() != libc::EAGAIN {
        return explain(kind, "queue", signal, to);
    }
    let error = kind.during("queue", format_args!("{signal} to {to}"));
    match to.pid().and_then(|pid| stat(pid).ok()) {
        Some(status) => error.with_advice(format!(
            "RLIMIT_SIGPENDING of the receiver is {}: {} signals are queued for its user; let them be taken, or \
             raise the limit (ulimit -i)",
            status.queue_limit, status.queued
        )),
        None => error.with_advice("RLIMIT_SIGPENDING of the receiver is reached (ulimit -i)"),
    }
}

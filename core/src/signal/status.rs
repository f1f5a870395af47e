// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a process has pending, blocked, ignored and caught; which signals are taken.

use super::{Set, Signal};
use crate::error::{ErrorKind, Result};
use crate::{interrupt, sys};

/// The signals of a process or thread, as [`/proc/PID/status`](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html)
/// has them. The sets may hold the C library's own signals, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// `SigQ`: how many signals are queued for all processes of its user.
    pub queued: u64,
    /// `SigQ`: how many there may be, `RLIMIT_SIGPENDING` of this process.
    pub queue_limit: u64,
    /// `SigPnd`: pending for the thread.
    pub pending: Set,
    /// `ShdPnd`: pending for the process.
    pub shared_pending: Set,
    /// `SigBlk`: blocked by the thread.
    pub blocked: Set,
    /// `SigIgn`: ignored by the process.
    pub ignored: Set,
    /// `SigCgt`: for these it has handlers.
    pub caught: Set,
}

/// The signals of a process, or of a thread, by number; 0 is the calling thread.
///
/// Of a process it is the first thread whose mask is told. Anybody may look, unless /proc is mounted with `hidepid`.
///
/// Errors: `ESRCH`; `EACCES`.
///
/// ```
/// use unipc::signal::{self, Set, Signal};
/// let _blocked = signal::block(Set::from(Signal::USR1))?;
/// assert!(signal::stat(0)?.blocked.contains(Signal::USR1));
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "SigBlk")]
#[doc(alias = "SigCgt")]
#[doc(alias = "RLIMIT_SIGPENDING")]
pub fn stat(pid: i32) -> Result<Status> {
    read(pid).map_err(|kind| {
        let nobody = kind.errno() == libc::ESRCH;
        let error = kind.during("stat", pid);
        if nobody { error.with_advice("nobody has this number, or it has ended") } else { error }
    })
}

fn read(pid: i32) -> Result<Status, ErrorKind> {
    let path = match pid {
        0 => "/proc/thread-self/status".to_owned(),
        1.. => format!("/proc/{pid}/status"),
        _ => return Err(ErrorKind::invalid("a process has a positive number")),
    };
    let text = sys::told_by_proc(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ENOENT) | None => ErrorKind::Os(libc::ESRCH),
        Some(errno) => ErrorKind::Os(errno),
    })?;
    parse(&text).ok_or(ErrorKind::Os(libc::ESRCH))
}

fn parse(text: &str) -> Option<Status> {
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let set = |name: &str| u64::from_str_radix(field(name)?, 16).ok().map(Set::from_bits);
    let (queued, limit) = field("SigQ")?.split_once('/')?;
    Some(Status {
        queued: queued.parse().ok()?,
        queue_limit: limit.parse().ok()?,
        pending: set("SigPnd")?,
        shared_pending: set("ShdPnd")?,
        blocked: set("SigBlk")?,
        ignored: set("SigIgn")?,
        caught: set("SigCgt")?,
    })
}

/// The signals that a program must leave alone: those between the standard and the real-time ones, which the C library
/// uses for its threads, and the one that this library has taken for time limits (see [`timeout_signal`]).
pub fn reserved() -> Set {
    match timeout_signal() {
        Some(signal) => Set::reserved() | signal,
        None => Set::reserved(),
    }
}

/// The real-time signal with which this library ends system calls that know no time limit (`msgsnd`, `flock` …);
/// `None` as long as no such limit was needed.
///
/// At the first one it takes the highest real-time signal that has no disposition, and keeps it. It is sent to the
/// waiting thread alone, by a timer, and its handler does nothing. A program that needs a certain number gives it a
/// disposition before, or later: then the library takes another. A thread that blocks every signal gets it nevertheless,
/// while it waits. A child of fork has it too, a program that is executed has not.
pub fn timeout_signal() -> Option<Signal> {
    interrupt::in_use().map(Signal::known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_any_order_and_a_name_that_looks_like_one() {
        let text = "Name:\tSigQ: 9/9\nSigCgt:\t0000000180000000\nSigQ:\t2/96365\nSigPnd:\t0000000000000000\n\
                    ShdPnd:\t0000000000000200\nSigBlk:\tfffffffe7ffbfeff\nSigIgn:\t0000000000001000\n";
        let status = parse(text).unwrap();
        assert_eq!((status.queued, status.queue_limit), (2, 96365));
        assert_eq!(status.shared_pending, Set::from(Signal::USR1));
        assert_eq!(status.ignored, Set::from(Signal::PIPE));
        assert!(status.caught.iter().all(Signal::is_reserved));
        assert_eq!(status.blocked.len(), 60);
        assert_eq!(parse("SigQ:\t2\n"), None);
    }
}

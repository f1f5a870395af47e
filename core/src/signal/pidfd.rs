// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending to a process that cannot be mistaken for another: by descriptor.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::PollFlags;

use super::send::{Receiver, explain, explain_queue, positive};
use super::{Signal, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::signal::{Siginfo, TO_GROUP};
use crate::time::Timeout;
use crate::{fd, sys};

/// A descriptor of a process: [`pidfd_open(2)`](https://man7.org/linux/man-pages/man2/pidfd_open.2.html) (Linux 5.3).
///
/// Numbers of processes are used again; a descriptor stays with the one process, and says `ESRCH` when that has
/// ended. It polls: readable once the process has ended. Close-on-exec.
///
/// What it cannot tell is whether the number that it was opened with was still that of the process that was meant.
/// It was, if that is a child which has not been waited for. Otherwise keep [`start_time`] with the number, and open
/// with [`PidFd::open_started`].
///
/// Threads: `Sync`, all methods may run at once. fork: a child may use it as well.
///
/// ```
/// use unipc::signal::{PidFd, Signal};
/// let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
/// let process = PidFd::open(child.id().try_into().unwrap())?;
/// process.send(Signal::TERM)?;
/// child.wait().unwrap();
/// assert_eq!(process.send(Signal::TERM).unwrap_err().errno(), libc::ESRCH);
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "pidfd_open")]
#[derive(Debug)]
pub struct PidFd<F: AsFd = OwnedFd>(F);

impl PidFd {
    /// Opens the process that has this number now.
    ///
    /// Errors: `ESRCH`; `EINVAL` it is not positive or is a thread's; `EMFILE`, `ENFILE`; `ENOSYS` before Linux 5.3.
    pub fn open(pid: i32) -> Result<Self> {
        let opened = positive(pid).and_then(|()| match sys::signal::pidfd_open(pid) {
            // Since Linux 6.9 for a thread that is not the first, which has the wrong kind, too.
            Err(Errno::EINVAL | Errno::ENOENT) => {
                Err(ErrorKind::invalid("this is the number of a thread, not of a process"))
            }
            other => Ok(other?),
        });
        opened.map(Self).map_err(|kind| open_failed(kind, pid))
    }

    /// Opens the process that has this number, if it is the one that was started then: what [`start_time`] gave of it.
    ///
    /// Errors: `ESRCH` too when the number belongs to a younger process; otherwise as [`PidFd::open`].
    pub fn open_started(pid: i32, started: u64) -> Result<Self> {
        let opened = Self::open(pid)?;
        // The descriptor holds whatever it is, so what is read now cannot change owner.
        match start_time(pid) {
            Ok(now) if now == started && opened.is_alive()? => Ok(opened),
            _ => Err(open_failed(Errno::ESRCH.into(), pid)),
        }
    }
}

impl<F: AsFd> PidFd<F> {
    /// Takes a descriptor that came from elsewhere (`clone3`, `SCM_RIGHTS`, another library), or borrows it.
    ///
    /// Calls say `EBADF` if it is none of a process.
    #[inline]
    pub fn from_fd(fd: F) -> Self {
        Self(fd)
    }

    /// [`pidfd_send_signal`](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html): sends a signal.
    ///
    /// Errors: `ESRCH` the process has ended and was waited for; `EPERM` it is another user's.
    #[doc(alias = "pidfd_send_signal")]
    #[inline]
    pub fn send(&self, signal: Signal) -> Result<()> {
        sys::signal::pidfd_send(self.as_fd(), signal.number(), None, 0)
            .map_err(|errno| explain(errno.into(), "send", signal, self))
    }

    /// Sends a signal with a value, as [`super::queue`] does.
    ///
    /// Errors: as [`super::queue`].
    #[inline]
    pub fn queue(&self, signal: Signal, value: impl Into<Value>) -> Result<()> {
        let info = Siginfo::queued(signal.number(), value.into().raw());
        sys::signal::pidfd_send(self.as_fd(), signal.number(), Some(&info), 0)
            .map_err(|errno| explain_queue(errno.into(), signal, self))
    }

    /// Sends a signal to every process of the group that the process leads (Linux 6.9).
    ///
    /// Errors: `EOPNOTSUPP` on an older kernel; `ESRCH` it leads no group; otherwise as [`PidFd::send`].
    pub fn send_group(&self, signal: Signal) -> Result<()> {
        let sent = match sys::signal::pidfd_send(self.as_fd(), signal.number(), None, TO_GROUP) {
            Err(Errno::EINVAL) => {
                Err(ErrorKind::unsupported("signalling a group by descriptor takes Linux 6.9"))
            }
            other => other.map_err(ErrorKind::from),
        };
        sent.map_err(|kind| explain(kind, "send_group", signal, self))
    }

    /// The process's number; `None` when it has ended and was waited for, or lives in a namespace that is hidden here.
    ///
    /// Errors: `EBADF` it is not the descriptor of a process; `ENOENT` without /proc.
    pub fn pid(&self) -> Result<Option<i32>> {
        self.check("pid")?;
        let path = format!("/proc/self/fdinfo/{}", self.as_fd().as_raw_fd());
        let text = std::fs::read_to_string(&path).map_err(|error| {
            ErrorKind::Os(error.raw_os_error().unwrap_or(libc::EIO)).during("pid", &path)
        })?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pid:"));
        Ok(line.and_then(|number| number.trim().parse().ok()).filter(|&pid: &i32| pid > 0))
    }

    /// Does it run still? False once it has ended, whether somebody has waited for it or not.
    ///
    /// Errors: `EBADF` it is not the descriptor of a process; `EINTR`.
    pub fn is_alive(&self) -> Result<bool> {
        // Anything can be polled.
        self.check("is_alive")?;
        fd::wait(self.as_fd(), PollFlags::POLLIN, Timeout::TRY.deadline())
            .map(|events| events.is_empty())
            .map_err(|errno| ErrorKind::from(errno).during("is_alive", self))
    }

    /// Is it the descriptor of a process, alive or not? The kernel looks at that before anything else.
    fn check(&self, operation: &'static str) -> Result<()> {
        match sys::signal::pidfd_send(self.as_fd(), 0, None, 0) {
            Err(Errno::EBADF) => Err(ErrorKind::from(Errno::EBADF)
                .during(operation, self)
                .with_advice("it is not the descriptor of a process")),
            _ => Ok(()),
        }
    }

    /// Gives the descriptor up.
    pub fn into_fd(self) -> F {
        self.0
    }
}

/// When the process of this number was started: clock ticks since the machine was. With the number it names one
/// process for good, as long as the machine runs.
///
/// Errors: `ESRCH`; `EINVAL` for a number that is not positive.
pub fn start_time(pid: i32) -> Result<u64> {
    let failed = |kind: ErrorKind| kind.during("start_time", pid);
    positive(pid).map_err(failed)?;
    let text =
        sys::told_by_proc(format!("/proc/{pid}/stat")).map_err(|_| failed(Errno::ESRCH.into()))?;
    // The second field is a name in parentheses, which may hold anything.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
    let started = fields.and_then(|mut fields| fields.nth(19)).and_then(|field| field.parse().ok());
    started.ok_or_else(|| failed(Errno::ESRCH.into()))
}

fn open_failed(kind: ErrorKind, pid: i32) -> Error {
    let nobody = kind.errno() == libc::ESRCH;
    let error = kind.during("open", format_args!("pidfd of {pid}"));
    if nobody { error.with_advice("nobody has this number, or not since then") } else { error }
}

impl<F: AsFd> AsFd for PidFd<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<F: AsFd> fmt::Display for PidFd<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pidfd {}", self.as_fd().as_raw_fd())
    }
}

impl<F: AsFd> Receiver for PidFd<F> {
    fn pid(&self) -> Option<i32> {
        Self::pid(self).ok().flatten()
    }
}

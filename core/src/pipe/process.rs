// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running program: waited for by its descriptor, signalled by it, and never left as a zombie.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::poll::PollFlags;

use super::orphan::{self, Orphan};
use crate::error::{Error, ErrorKind, Result};
use crate::fd;
use crate::sys::spawn::{Which, pidfd_open, pidfd_send_signal, reap, sleep_until_end};
use crate::time::Timeout;

/// A program that this process has started.
///
/// It is known by a descriptor (`pidfd`), not by a number that the kernel could give to another process:
/// waiting and signalling go through that descriptor. No handler for SIGCHLD is needed, and one that the
/// program has is not disturbed.
///
/// Dropping: the program goes on, and is taken away when it ends, so that no zombie remains: at once if it
/// has ended, else by a thread that sleeps until then; and where no thread can be had, when the next program is started
/// or dropped after that. [`Process::wait`] is how to learn how it ended.
///
/// Threads: all functions may be called at once. fork: the program is no child of a child of this process;
/// waiting there fails with `ECHILD`.
#[doc(alias = "pidfd_open")]
pub struct Process {
    pid: libc::pid_t,
    /// Nothing when the kernel had taken the process away before it could be opened.
    pidfd: Option<OwnedFd>,
    label: String,
    ended: Mutex<Ended>,
}

/// What is known of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    NotYet,
    With(ExitStatus),
    /// Somebody else took the child away, or SIGCHLD is ignored.
    Unknown,
}

impl Process {
    pub(super) fn new(pid: libc::pid_t, label: String) -> Result<Self> {
        orphan::take_away_left();
        match pidfd_open(pid) {
            Ok(pidfd) => Ok(Self { pid, pidfd: Some(pidfd), label, ended: Ended::NotYet.into() }),
            // Only where SIGCHLD is ignored is a child gone before it was waited for.
            Err(Errno::ESRCH) => Ok(Self { pid, pidfd: None, label, ended: Ended::Unknown.into() }),
            Err(errno) => {
                // It cannot be watched, so it must not run.
                orphan::end(pid);
                Err(ErrorKind::from(errno).during("pidfd_open", label))
            }
        }
    }

    /// The process identifier. Once the process has been waited for, the kernel may give the number to another one.
    #[doc(alias = "getpid")]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// How it ended, if it has; does not wait.
    ///
    /// Errors: `ECHILD` as in [`Process::wait`].
    #[doc(alias = "WNOHANG")]
    pub fn status(&self) -> Result<Option<ExitStatus>> {
        let mut ended = self.ended();
        if let (Ended::NotYet, Some(pidfd)) = (*ended, &self.pidfd) {
            match reap(Which::Opened(pidfd.as_fd()), false) {
                Ok(None) => return Ok(None),
                Ok(Some(status)) => *ended = Ended::With(ExitStatus::from_raw(status)),
                Err(Errno::ECHILD) => *ended = Ended::Unknown,
                Err(errno) => return Err(ErrorKind::from(errno).during("wait", &self.label)),
            }
        }
        match *ended {
            Ended::With(status) => Ok(Some(status)),
            _ => Err(ErrorKind::Os(libc::ECHILD).during("wait", &self.label).with_advice(
                "how it ended is lost: SIGCHLD is ignored, another part of the program has waited for it, or this is a \
                 child of fork",
            )),
        }
    }

    /// Waits until the program has ended: how it ended. It may be asked again, by other threads too.
    ///
    /// Errors: `ETIMEDOUT`, or `EAGAIN` for a try, when it still runs; `EINTR`; `ECHILD` when how it ended is lost:
    /// this process ignores SIGCHLD, another part of it has waited for any child, or it is a child of fork.
    /// See waitid(2).
    #[doc(alias = "waitpid")]
    #[doc(alias = "waitid")]
    pub fn wait(&self, timeout: Timeout) -> Result<ExitStatus> {
        if timeout == Timeout::Forever {
            self.sleep_until_it_ends()?;
        }
        // A child of fork learns here that it cannot wait.
        if let Some(status) = self.status()? {
            return Ok(status);
        }
        let deadline = timeout.deadline();
        while let Some(pidfd) = &self.pidfd {
            let there = fd::wait(pidfd.as_fd(), PollFlags::POLLIN, deadline)
                .map_err(|errno| self.failed("wait", errno.into()))?;
            if let Some(status) = self.status()? {
                return Ok(status);
            }
            if there.is_empty() {
                break;
            }
        }
        Err(self.failed("wait", timeout.expired()))
    }

    /// Leaves the status for [`Process::status`], since several threads may be asleep here.
    fn sleep_until_it_ends(&self) -> Result<()> {
        let (Ended::NotYet, Some(pidfd)) = (*self.ended(), &self.pidfd) else {
            return Ok(());
        };
        match sleep_until_end(pidfd.as_fd()) {
            // Who finds nothing to wait for is told why by the status.
            Ok(()) | Err(Errno::ECHILD) => Ok(()),
            Err(errno) => Err(self.failed("wait", errno.into())),
        }
    }

    /// Sends a signal to the program; 0 only asks whether it is there.
    ///
    /// Errors: `ESRCH` when it has ended and was waited for; `EPERM` when it has changed its user; `EINVAL` for what
    /// is no signal. See `pidfd_send_signal(2)`.
    #[doc(alias = "pidfd_send_signal")]
    pub fn signal(&self, signal: i32) -> Result<()> {
        let sent = match &self.pidfd {
            Some(pidfd) => pidfd_send_signal(pidfd.as_fd(), signal),
            None => Err(Errno::ESRCH),
        };
        sent.map_err(|errno| self.failed("signal", errno.into()))
    }

    /// Ends the program with SIGKILL, which it cannot prevent; one that has ended already is fine. Wait for it then.
    #[doc(alias = "SIGKILL")]
    pub fn kill(&self) -> Result<()> {
        match self.signal(libc::SIGKILL) {
            Err(error) if error.errno() == libc::ESRCH => Ok(()),
            other => other,
        }
    }

    /// Lets the program go its own way: it is not waited for, and is no zombie when it ends. The same as dropping.
    pub fn detach(self) {}

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The descriptor that becomes readable when the program has ended; nothing when that was before it could be had.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// In words, how it ended or that it runs. Waits a moment for a program that is about to end.
    pub(super) fn fate(&self, patience: Timeout) -> String {
        match self.wait(patience) {
            Ok(status) => format!("{} has ended: {status}", self.label),
            Err(error) if error.errno() == libc::ECHILD => {
                format!("{} has ended, and its status is lost", self.label)
            }
            Err(_) => format!("{} still runs (process {})", self.label, self.pid),
        }
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        // A plain value: nothing can be half-done.
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.label)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        orphan::take_away_left();
        let is_gone = match self.status() {
            Ok(status) => status.is_some(),
            // Somebody else has taken it away.
            Err(error) => error.errno() == libc::ECHILD,
        };
        if !is_gone && let Some(pidfd) = self.pidfd.take() {
            Orphan::Opened(pidfd).take_away_later();
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({} {}: ", self.pid, self.label)?;
        match *self.ended() {
            Ended::NotYet => write!(f, "not waited for)"),
            Ended::With(status) => write!(f, "{status})"),
            Ended::Unknown => write!(f, "status lost)"),
        }
    }
}

/// How a program ended in one number, as C and Python have it: 0 to 255 is what it gave to `exit`, -N means that
/// signal N has killed it.
///
/// ```
/// use unipc::Timeout;
/// use unipc::pipe::{Command, status_number};
///
/// let status = |line| Command::shell(line).spawn()?.wait(Timeout::Forever).map(status_number);
/// assert_eq!((status("exit 3")?, status("kill -9 $$")?), (3, -9));
/// # Ok::<(), unipc::Error>(())
/// ```
pub fn status_number(status: ExitStatus) -> i32 {
    // A program that was waited for has ended by the one or the other.
    status.code().unwrap_or_else(|| -status.signal().unwrap_or(0))
}

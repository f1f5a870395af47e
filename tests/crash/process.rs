// SPDX-License-Identifier: MIT OR Apache-2.0
//! Children made by fork without exec: warm, so that hundreds a second can be killed.
//!
//! The runner has one thread, therefore a child may allocate and use the library like any program.
#![allow(unsafe_code, reason = "fork, signals and their settings exist only as raw calls")]

use std::io::{Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long a child may take before it counts as hung.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A child, killed and reaped when dropped.
#[derive(Debug)]
pub(crate) struct Child {
    pid: i32,
    reaped: bool,
}

/// How a child ended or why it stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Exited(i32),
    Killed(i32),
    Stopped(i32),
}

impl Child {
    /// Runs `work` in a child, which exits with status 0, or with 101 after a panic.
    pub(crate) fn run(work: impl FnOnce()) -> Self {
        // SAFETY: this process has one thread, so the child's copy of memory is consistent.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", Error::last_os_error());
        if pid > 0 {
            return Self { pid, reaped: false };
        }
        // SAFETY: a setting of this process: it dies with the runner, even if that is killed.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        alarm(WATCHDOG);
        let status = if catch_unwind(AssertUnwindSafe(work)).is_ok() { 0 } else { 101 };
        // SAFETY: ends this process at once, without the exit handlers that belong to the runner.
        unsafe { libc::_exit(status) }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn kill(&self) {
        // SAFETY: the child is not reaped yet, so the number is still its own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
    }

    /// Waits until the child ends or, traced, stops.
    pub(crate) fn wait(&mut self) -> Status {
        let status = wait(self.pid);
        self.reaped = !matches!(status, Status::Stopped(_));
        status
    }

    /// The same for the child and its threads, where they are traced and it is the only child: which, and how.
    pub(crate) fn wait_for_threads(&mut self) -> (i32, Status) {
        let (pid, status) = wait_for(ANYBODY);
        self.reaped = pid == self.pid && !matches!(status, Status::Stopped(_));
        (pid, status)
    }
}

/// Waits until this process, a child or one that is traced, ends or stops.
pub(crate) fn wait(pid: i32) -> Status {
    wait_for(pid).1
}

/// For `waitpid`: whoever it is.
const ANYBODY: i32 = -1;

fn wait_for(pid: i32) -> (i32, Status) {
    let mut raw = 0;
    let who = loop {
        // SAFETY: the process is ours to wait for, and the status is written to a local.
        let who = unsafe { libc::waitpid(pid, &raw mut raw, 0) };
        if who > 0 {
            break who;
        }
        let error = Error::last_os_error();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "waitpid: {error}");
    };
    let status = if libc::WIFSTOPPED(raw) {
        Status::Stopped(libc::WSTOPSIG(raw))
    } else if libc::WIFSIGNALED(raw) {
        Status::Killed(libc::WTERMSIG(raw))
    } else {
        Status::Exited(libc::WEXITSTATUS(raw))
    };
    (who, status)
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            while matches!(self.wait(), Status::Stopped(_)) {}
        }
    }
}

/// Has SIGALRM end this process, should it still run by then.
pub(crate) fn alarm(after: Duration) {
    let seconds = u32::try_from(after.as_secs()).unwrap_or(u32::MAX);
    // SAFETY: sets a timer of this process.
    unsafe { libc::alarm(seconds) };
}

/// Sets the file mode creation mask, which must have no influence on what the library makes.
pub(crate) fn umask(mask: u32) {
    // SAFETY: a setting of this process.
    unsafe { libc::umask(mask) };
}

/// Nanoseconds on the clock that all processes share and nobody sets.
pub(crate) fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists and the result is a local.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

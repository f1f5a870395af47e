// SPDX-License-Identifier: MIT OR Apache-2.0
//! Another process, made by fork, that talks to the test over pipes: one byte each way at a time.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unsafe_code, reason = "fork and signals are raw calls")]

use std::fs;
use std::io::{Error, PipeReader, PipeWriter, Read, Write, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hung.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// One side of the conversation.
#[derive(Debug)]
pub(crate) struct Link {
    from: PipeReader,
    to: PipeWriter,
}

impl Link {
    /// Goes on only after the other side's `tell`.
    pub(crate) fn hear(&mut self) {
        self.from.read_exact(&mut [0]).expect("the other side lives");
    }

    pub(crate) fn tell(&mut self) {
        self.to.write_all(&[1]).expect("the other side lives");
    }
}

/// The other process: killed and reaped when dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) pid: i32,
    link: Link,
    reaped: bool,
}

impl Peer {
    /// Runs `work` in a child, which ends with it. It must not fail.
    pub(crate) fn run(work: impl FnOnce(&mut Link)) -> Self {
        let (ours, to) = pipe().expect("a pipe");
        let (from, theirs) = pipe().expect("a pipe");
        // SAFETY: the child runs `work` alone, without the locks of other threads but the allocator's, which the C
        // library keeps usable.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", Error::last_os_error());
        if pid == 0 {
            drop((ours, theirs));
            // SAFETY: SIGALRM ends this process, should it hang.
            unsafe { libc::alarm(u32::try_from(WATCHDOG.as_secs()).unwrap_or(60)) };
            let ended = catch_unwind(AssertUnwindSafe(|| work(&mut Link { from, to })));
            // SAFETY: ends this process without the exit handlers of the test program.
            unsafe { libc::_exit(i32::from(ended.is_err())) }
        }
        Self { pid, link: Link { from: ours, to: theirs }, reaped: false }
    }

    pub(crate) fn hear(&mut self) {
        self.link.hear();
    }

    pub(crate) fn tell(&mut self) {
        self.link.tell();
    }

    /// Returns when it sleeps in a system call.
    pub(crate) fn asleep(&self) {
        asleep(&format!("/proc/{}/status", self.pid));
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        // SAFETY: it is not reaped yet, so the number is still its own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        self.reap();
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn ends(mut self) {
        assert_eq!(self.reap(), 0, "the other process failed");
    }

    fn reap(&mut self) -> i32 {
        let mut status = 0;
        // SAFETY: it is a child of this process; the status is a local.
        while unsafe { libc::waitpid(self.pid, &raw mut status, 0) } != self.pid {
            assert_eq!(Error::last_os_error().raw_os_error(), Some(libc::EINTR));
        }
        self.reaped = true;
        status
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if !self.reaped {
            // SAFETY: as in `kill`.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            self.reap();
        }
    }
}

/// Returns when the thread or process with this status file sleeps.
pub(crate) fn asleep(status: &str) {
    let deadline = Instant::now() + WATCHDOG;
    while !fs::read_to_string(status).expect("it lives").contains("State:\tS") {
        assert!(Instant::now() < deadline, "{status}: it does not wait");
        std::thread::yield_now();
    }
}

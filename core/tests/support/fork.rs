// SPDX-License-Identifier: MIT OR Apache-2.0
//! Children of fork that do some work and end.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unsafe_code, reason = "fork is unsafe")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

/// Seconds after which a child counts as hung.
const WATCHDOG: u32 = 60;

/// Runs `work` in a child of fork: exit status 0 when it returned, 1 when it panicked.
pub(crate) fn fork(work: impl FnOnce()) -> Pid {
    // SAFETY: the child allocates and makes system calls; the C library's allocator stands a fork.
    match unsafe { nix::unistd::fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            // SAFETY: SIGALRM ends this process, should it hang.
            unsafe { libc::alarm(WATCHDOG) };
            let ended = catch_unwind(AssertUnwindSafe(work));
            // SAFETY: ends the process without what belongs to the test program.
            unsafe { libc::_exit(i32::from(ended.is_err())) }
        }
    }
}

/// Waits for the child, which must have succeeded.
pub(crate) fn succeeded(child: Pid) {
    assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
}

/// Ends the child at once and waits until it is gone.
pub(crate) fn killed(child: Pid) {
    kill(child, Signal::SIGKILL).expect("the child is there");
    let status = waitpid(child, None);
    assert_eq!(status, Ok(WaitStatus::Signaled(child, Signal::SIGKILL, false)));
}

/// Returns when the process sleeps in a system call.
pub(crate) fn asleep(pid: Pid) {
    loop {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        if status.contains("State:\tS") {
            return;
        }
        std::thread::yield_now();
    }
}

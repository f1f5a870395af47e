// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals: sending, taking, counting, dispositions; masks that come back, limits, fork, threads, storms.
#![allow(unsafe_code, reason = "plain libc stands for the other side")]

mod action;
#[path = "../support/child.rs"]
mod child;
mod counter;
mod hammer;
mod mask;
mod pidfd;
mod send;
#[path = "../support/storm.rs"]
mod storm;
mod stream;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use unipc::Timeout;
use unipc::signal::Signal;

/// Long enough for whatever has to happen; a wait that takes it has failed.
const SOON: Timeout = Timeout::After(Duration::from_secs(30));

/// Runs the test in a process that has one thread and nobody else's signals.
fn solo(test: &str, work: impl FnOnce()) {
    child::succeeds_alone(test, || {
        let ended = in_fork(work);
        assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    });
}

/// Runs `work` in a child of fork; how that ended.
fn in_fork(work: impl FnOnce()) -> WaitStatus {
    // SAFETY: the child goes on with what glibc allows after fork, and ends by _exit.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(work));
            // SAFETY: ends this process at once.
            unsafe { libc::_exit(if ended.is_ok() { 0 } else { 101 }) }
        }
    }
}

/// Starts `work` in a child of fork; its number.
fn start(work: impl FnOnce()) -> i32 {
    // SAFETY: as in `in_fork`.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child.as_raw(),
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(work));
            // SAFETY: ends this process at once.
            unsafe { libc::_exit(if ended.is_ok() { 0 } else { 101 }) }
        }
    }
}

/// Drops what a child of fork has inherited and uses no more; the parent's own is another process's.
fn drop_inherited<T>(value: &T) {
    // SAFETY: the child ends by _exit, so that nothing drops it again.
    drop(unsafe { std::ptr::from_ref(value).read() });
}

fn ended(pid: i32) -> WaitStatus {
    waitpid(nix::unistd::Pid::from_raw(pid), None).unwrap()
}

fn ended_well(pid: i32) {
    let status = ended(pid);
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
}

/// A user of its own, in a namespace, for whom nothing is queued yet, and so many signals may be; false, and said so,
/// where that is forbidden.
fn own_queue(test: &str, limit: u64) -> bool {
    // SAFETY: takes an integer; this process has one thread.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        child::skip(test, format!("unshare: {}", std::io::Error::last_os_error()));
        return false;
    }
    let most = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: the limit is alive.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_SIGPENDING, &raw const most) }, 0);
    true
}

fn me() -> i32 {
    std::process::id().cast_signed()
}

/// `SIGRTMIN` plus this much.
fn rt(offset: u32) -> Signal {
    Signal::realtime(offset).unwrap()
}

/// Returns when the process sleeps in a system call.
fn asleep(pid: i32) {
    let state = || std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    while !state().contains("State:\tS") {
        std::thread::yield_now();
    }
}

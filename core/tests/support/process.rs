// SPDX-License-Identifier: MIT OR Apache-2.0
//! Children by fork, and how to see that somebody waits.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unsafe_code, reason = "fork is a raw call")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// A child of fork; killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Child(Pid);

impl Child {
    /// Runs `work` in a child, whose exit status is 0 when it returns and 101 when it panics.
    pub(crate) fn run(work: impl FnOnce()) -> Self {
        // SAFETY: the child uses what a child may use of a process with threads, as far as glibc goes: memory and locks are its own.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => Self(child),
            ForkResult::Child => {
                // SAFETY: SIGALRM ends the child, should it hang.
                unsafe { libc::alarm(60) };
                let ended = catch_unwind(AssertUnwindSafe(work));
                // SAFETY: no destructors of the parent's run.
                unsafe { libc::_exit(if ended.is_ok() { 0 } else { 101 }) }
            }
        }
    }

    /// Runs `work` in a child, which then lives on until it is killed. Returns when the work is done.
    pub(crate) fn that_stays(work: impl FnOnce()) -> Self {
        let (mut hear, mut tell) = std::io::pipe().unwrap();
        let child = Self::run(|| {
            work();
            std::io::Write::write_all(&mut tell, b"x").unwrap();
            loop {
                nix::unistd::pause();
            }
        });
        drop(tell);
        std::io::Read::read_exact(&mut hear, &mut [0]).unwrap();
        child
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.as_raw().cast_unsigned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.0, signal).unwrap();
    }

    /// SIGKILL, and the wait for the end.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        assert!(matches!(self.wait(), WaitStatus::Signaled(_, Signal::SIGKILL, _)));
    }

    /// Must end by itself, well.
    pub(crate) fn succeeds(mut self) {
        assert_eq!(self.wait(), WaitStatus::Exited(self.0, 0));
        std::mem::forget(self);
    }

    /// Waits until the child sleeps.
    pub(crate) fn asleep(&self) {
        asleep(self.pid(), self.pid());
    }

    fn wait(&mut self) -> WaitStatus {
        loop {
            match waitpid(self.0, None) {
                Err(nix::errno::Errno::EINTR) => {}
                other => return other.unwrap(),
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if kill(self.0, Signal::SIGKILL).is_ok() {
            let _ = waitpid(self.0, None);
        }
    }
}

/// Waits until a thread sleeps in a call of futex.
pub(crate) fn asleep(pid: u32, tid: u32) {
    let path = format!("/proc/{pid}/task/{tid}/syscall");
    let futex = [libc::SYS_futex, libc::SYS_futex_waitv].map(|number| format!("{number} "));
    loop {
        let now = std::fs::read_to_string(&path).unwrap();
        if futex.iter().any(|number| now.starts_with(number)) {
            return;
        }
        std::thread::yield_now();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stops a child at each of its system calls, between two marks that it sets itself with SIGSTOP.
//!
//! [ptrace(2)](https://man7.org/linux/man-pages/man2/ptrace.2.html). The child calls [`allow`], prepares, calls
//! [`mark`], does what is to be watched, and calls [`mark`] again. A process that it starts as `vfork(2)` does, which
//! works on its memory while it stands still, is followed until it has executed its program or ended; the threads that it
//! starts, if that is asked for.
#![allow(unsafe_code, reason = "ptrace exists only as a raw call")]

use std::io::Error;
use std::mem::MaybeUninit;

use crate::process::{self, Child, Status};

/// Where a traced child stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Before this system call, with these arguments.
    Entry { call: i64, arguments: [u64; 6] },
    /// After it.
    Exit,
    /// At its second mark, or past it.
    End,
    /// It ended before.
    Ended(Status),
}

const SYSCALL_STOP: i32 = libc::SIGTRAP | 0x80;

/// In the child: lets the parent trace it.
pub(crate) fn allow() {
    // SAFETY: a setting of this process; the other arguments are not used.
    let result = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    assert_eq!(result, 0, "ptrace: {}", Error::last_os_error());
}

/// In the child's first thread: begins or ends what is watched, by one system call.
///
/// The signal is for this thread. One for the process could be taken by another, which is not traced and would stop the
/// process for good.
pub(crate) fn mark(pid: i32) {
    // SAFETY: stops this thread, which its tracer continues.
    unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, libc::SIGSTOP) };
}

/// May processes here trace their children? Some containers forbid it.
pub(crate) fn is_possible() -> bool {
    let mut child = Child::run(allow);
    child.wait() == Status::Exited(0)
}

/// In the parent: a child that stands at its first mark.
#[derive(Debug)]
pub(crate) struct Traced<'a> {
    child: &'a mut Child,
    /// The process that works on the child's memory at present.
    borrower: Option<i32>,
    /// Who stopped last, where the child's threads are followed.
    thread: Option<i32>,
}

impl<'a> Traced<'a> {
    /// Waits for the first mark.
    pub(crate) fn new(child: &'a mut Child) -> Result<Self, Status> {
        match child.wait() {
            Status::Stopped(libc::SIGSTOP) => {}
            other => return Err(other),
        }
        let traced = Self { child, borrower: None, thread: None };
        traced.set_options(
            libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACEVFORK | libc::PTRACE_O_TRACEEXEC,
        );
        Ok(traced)
    }

    /// Whatever else, the child dies with its tracer.
    fn set_options(&self, options: i32) {
        let options = options | libc::PTRACE_O_EXITKILL;
        // SAFETY: the child is traced and stopped; the options are a number.
        unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, self.child.pid(), 0, options) };
    }

    /// Follows the threads that it starts, and no processes.
    pub(crate) fn follow_threads(&mut self) {
        self.set_options(libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE);
        self.thread = Some(self.child.pid());
    }

    /// Was the last stop that of a thread which the child has started?
    pub(crate) fn is_in_thread(&self) -> bool {
        self.thread.is_some_and(|thread| thread != self.child.pid())
    }

    /// Continues to the next entry into or exit from a system call.
    pub(crate) fn next(&mut self) -> Stop {
        if self.thread.is_some() {
            return self.next_of_threads();
        }
        if let Some(stop) = self.borrower.and_then(|pid| self.next_of_borrower(pid)) {
            return stop;
        }
        let mut signal = 0;
        loop {
            resume(libc::PTRACE_SYSCALL, self.child.pid(), signal);
            match self.child.wait() {
                Status::Stopped(SYSCALL_STOP) => return self.where_it_stands(),
                Status::Stopped(libc::SIGSTOP) => return Stop::End,
                Status::Stopped(libc::SIGTRAP) => {
                    let pid = self.started();
                    self.borrower = Some(pid);
                    // The stop with which it begins.
                    process::wait(pid);
                    if let Some(stop) = self.next_of_borrower(pid) {
                        return stop;
                    }
                    signal = 0;
                }
                Status::Stopped(other) => signal = other,
                ended => return Stop::Ended(ended),
            }
        }
    }

    /// Continues who stopped last to the next stop of anybody; the others run.
    fn next_of_threads(&mut self) -> Stop {
        let mut signal = 0;
        loop {
            resume(libc::PTRACE_SYSCALL, self.pid(), signal);
            let (pid, status) = self.child.wait_for_threads();
            self.thread = Some(pid);
            signal = match status {
                Status::Stopped(SYSCALL_STOP) => return self.where_it_stands(),
                // One has started a thread, which begins.
                Status::Stopped(libc::SIGTRAP | libc::SIGSTOP) => 0,
                Status::Stopped(other) => other,
                ended if pid == self.child.pid() => return Stop::Ended(ended),
                // A thread has ended: there is nothing to resume.
                _ => 0,
            };
        }
    }

    /// The process that the child has just started.
    fn started(&self) -> i32 {
        let mut pid: libc::c_ulong = 0;
        // SAFETY: the child is traced and stopped; the number is written to the local.
        unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, self.child.pid(), 0, &raw mut pid) };
        i32::try_from(pid).expect("a process has a number")
    }

    /// Continues the borrower to its next stop; `None` when it has the memory no more.
    fn next_of_borrower(&mut self, pid: i32) -> Option<Stop> {
        let mut signal = 0;
        loop {
            resume(libc::PTRACE_SYSCALL, pid, signal);
            match process::wait(pid) {
                Status::Stopped(SYSCALL_STOP) => return Some(self.where_it_stands()),
                Status::Stopped(libc::SIGTRAP) => {
                    // SAFETY: it is traced and stopped, in its new program, and goes on untraced.
                    unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, 0, 0) };
                    break;
                }
                Status::Stopped(other) => signal = other,
                Status::Exited(_) | Status::Killed(_) => break,
            }
        }
        self.borrower = None;
        None
    }

    /// Who stands still and is looked at.
    fn pid(&self) -> i32 {
        self.thread.or(self.borrower).unwrap_or(self.child.pid())
    }

    /// Runs one instruction; a system call is one, however long it sleeps.
    pub(crate) fn instruction(&mut self) -> Stop {
        // SAFETY: the child is traced and stopped; no signal is handed on.
        unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, self.child.pid(), 0, 0) };
        match self.child.wait() {
            // A child of its own may end meanwhile.
            Status::Stopped(libc::SIGTRAP | libc::SIGCHLD) => Stop::Exit,
            Status::Stopped(libc::SIGSTOP) => Stop::End,
            other => Stop::Ended(other),
        }
    }

    /// Lets the child run on to its end; the threads that it starts from here on are not traced.
    pub(crate) fn finish(mut self) -> Status {
        self.set_options(0);
        let mut signal = 0;
        loop {
            resume(libc::PTRACE_CONT, self.pid(), signal);
            let (pid, status) = self.child.wait_for_threads();
            self.thread = Some(pid);
            signal = match status {
                // The second mark itself; and where a thread stood or begins.
                Status::Stopped(libc::SIGSTOP | libc::SIGTRAP | SYSCALL_STOP) => 0,
                Status::Stopped(other) => other,
                ended if pid == self.child.pid() => return ended,
                _ => 0,
            };
        }
    }

    /// After a system call: what it has returned, an error as a negative number.
    pub(crate) fn returned(&self) -> i64 {
        // SAFETY: at an exit this is the part of the union that is filled; numbers in any case.
        unsafe { self.info().u.exit }.sval
    }

    /// What the kernel tells of the system call before or after which it stands.
    fn info(&self) -> libc::ptrace_syscall_info {
        let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
        let size = size_of::<libc::ptrace_syscall_info>();
        // SAFETY: the kernel writes at most `size` bytes to the local.
        unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, self.pid(), size, info.as_mut_ptr()) };
        // SAFETY: zeros, or what the kernel wrote over them: numbers in any case.
        unsafe { info.assume_init() }
    }

    fn where_it_stands(&self) -> Stop {
        let info = self.info();
        if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
            return Stop::Exit;
        }
        // SAFETY: at an entry this is the part of the union that is filled.
        let entry = unsafe { info.u.entry };
        let signal = entry.args[2] == u64::from(libc::SIGSTOP.cast_unsigned());
        if entry.nr.cast_signed() == libc::SYS_tgkill && signal {
            return Stop::End;
        }
        Stop::Entry { call: entry.nr.cast_signed(), arguments: entry.args }
    }
}

/// Lets one who is traced and stopped go on with the signal that was on its way to it.
fn resume(how: libc::c_uint, pid: i32, signal: i32) {
    // SAFETY: the request takes numbers alone; without such a thread it fails.
    unsafe { libc::ptrace(how, pid, 0, i64::from(signal)) };
}

#[cfg(target_arch = "x86_64")]
impl Traced<'_> {
    /// At an entry: the call is not made and fails with `errno` instead. Who made it then stands at the exit.
    pub(crate) fn fail(&mut self, errno: i32) {
        use std::mem::offset_of;

        // A number that no system call has: the kernel does nothing.
        self.set_register(offset_of!(libc::user_regs_struct, orig_rax), -1);
        resume(libc::PTRACE_SYSCALL, self.pid(), 0);
        // Nothing comes before the exit, but SIGKILL.
        let status = process::wait(self.pid());
        assert_eq!(status, Status::Stopped(SYSCALL_STOP), "the exit");
        self.set_register(offset_of!(libc::user_regs_struct, rax), -i64::from(errno));
    }

    fn set_register(&mut self, offset: usize, value: i64) {
        // SAFETY: the child is traced and stopped, and the offset is that of a register.
        let result = unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.pid(), offset, value) };
        assert_eq!(result, 0, "ptrace: {}", Error::last_os_error());
    }
}

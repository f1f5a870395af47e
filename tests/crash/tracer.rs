// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stops a child at each of its system calls, between two marks that it sets itself with SIGSTOP.
//!
//! [ptrace(2)](https://man7.org/linux/man-pages/man2/ptrace.2.html). The child calls [`allow`], prepares, calls
//! [`mark`], does what is to be watched, and calls [`mark`] again. A process that it starts as `vfork(2)` does, which
//! works on its memory while it stands still, is followed until it has executed its program or ended.
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

/// In the child: begins or ends what is watched, by one system call.
pub(crate) fn mark(pid: i32) {
    // SAFETY: stops this process, which its tracer continues.
    unsafe { libc::kill(pid, libc::SIGSTOP) };
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
}

impl<'a> Traced<'a> {
    /// Waits for the first mark.
    pub(crate) fn new(child: &'a mut Child) -> Result<Self, Status> {
        match child.wait() {
            Status::Stopped(libc::SIGSTOP) => {}
            other => return Err(other),
        }
        let traced = Self { child, borrower: None };
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

    /// Continues to the next entry into or exit from a system call.
    pub(crate) fn next(&mut self) -> Stop {
        if let Some(stop) = self.borrower.and_then(|pid| self.next_of_borrower(pid)) {
            return stop;
        }
        let mut signal = 0;
        loop {
            // SAFETY: the child is traced and stopped; it is given the signal that was on its way to it.
            unsafe { libc::ptrace(libc::PTRACE_SYSCALL, self.child.pid(), 0, i64::from(signal)) };
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
            // SAFETY: it is traced and stopped; it is given the signal that was on its way to it.
            unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid, 0, i64::from(signal)) };
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
        self.borrower.unwrap_or(self.child.pid())
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

    /// Lets the child run on to its end, untraced.
    pub(crate) fn finish(self) -> Status {
        self.set_options(0);
        let mut signal = 0;
        loop {
            // SAFETY: the child is traced and stopped; it is given the signal that was on its way to it.
            unsafe { libc::ptrace(libc::PTRACE_CONT, self.child.pid(), 0, i64::from(signal)) };
            match self.child.wait() {
                // The second mark itself.
                Status::Stopped(libc::SIGSTOP) => signal = 0,
                Status::Stopped(other) => signal = other,
                ended => return ended,
            }
        }
    }

    fn where_it_stands(&self) -> Stop {
        let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
        let size = size_of::<libc::ptrace_syscall_info>();
        // SAFETY: the kernel writes at most `size` bytes to the local.
        unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, self.pid(), size, info.as_mut_ptr()) };
        // SAFETY: zeros, or what the kernel wrote over them: numbers in any case.
        let info = unsafe { info.assume_init() };
        if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
            return Stop::Exit;
        }
        // SAFETY: at an entry this is the part of the union that is filled.
        let entry = unsafe { info.u.entry };
        let signal = entry.args[1] == u64::from(libc::SIGSTOP.cast_unsigned());
        if entry.nr.cast_signed() == libc::SYS_kill && signal {
            return Stop::End;
        }
        Stop::Entry { call: entry.nr.cast_signed(), arguments: entry.args }
    }
}

#[cfg(target_arch = "x86_64")]
impl Traced<'_> {
    /// At an entry: the call is not made and fails with `errno` instead. The child then stands at the exit.
    pub(crate) fn fail(&mut self, errno: i32) -> Stop {
        use std::mem::offset_of;

        // A number that no system call has: the kernel does nothing.
        self.set_register(offset_of!(libc::user_regs_struct, orig_rax), -1);
        let stop = self.next();
        if stop == Stop::Exit {
            self.set_register(offset_of!(libc::user_regs_struct, rax), -i64::from(errno));
        }
        stop
    }

    fn set_register(&mut self, offset: usize, value: i64) {
        // SAFETY: the child is traced and stopped, and the offset is that of a register.
        let result = unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.pid(), offset, value) };
        assert_eq!(result, 0, "ptrace: {}", Error::last_os_error());
    }
}

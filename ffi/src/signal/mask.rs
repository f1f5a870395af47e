// SPDX-License-Identifier: MIT OR Apache-2.0
//! Masks, what is pending, waiting; the signals of any process.

use std::ffi::c_int;

use libc::{pid_t, sigset_t, timespec};
use unipc_core::Result;
use unipc_core::signal::{self, Masked, Set};

use super::boundary::{Caller, guard};
use super::{unipc_signal_info, unipc_signal_status};

/// Blocks signals in the calling thread: they stay pending, a standard signal once, a real-time
/// signal as often as it is sent.
///
/// set:    which, besides those that are blocked already
/// before: where the mask of before goes, for unipc_signal_set_mask(); may be NULL
///
/// Each thread has its own mask and inherits that of the thread that starts it. A signal for the
/// process goes to any thread that does not block it: block before other threads start. A program
/// that is executed keeps the mask. SIGKILL and SIGSTOP cannot be blocked.
///
/// Returns 0.
/// Errors:
///   -EINVAL  set is NULL
/// Since 0.1. See pthread_sigmask(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_block(set: *const sigset_t, before: *mut sigset_t) -> c_int {
    // SAFETY: the header asks for a set and a place for another.
    let caller = unsafe { Caller::trusted("block") };
    change(&caller, set, before, libc::SIG_BLOCK, signal::block)
}

/// Lets the calling thread have signals. What is pending acts before this returns.
///
/// set:    which
/// before: where the mask of before goes; may be NULL
///
/// Returns 0.
/// Errors:
///   -EINVAL  set is NULL
/// Since 0.1. See pthread_sigmask(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_unblock(
    set: *const sigset_t,
    before: *mut sigset_t,
) -> c_int {
    // SAFETY: the header asks for a set and a place for another.
    let caller = unsafe { Caller::trusted("unblock") };
    change(&caller, set, before, libc::SIG_UNBLOCK, signal::unblock)
}

/// Blocks these signals in the calling thread and no others.
///
/// set:    which
/// before: where the mask of before goes; may be NULL
///
/// Returns 0.
/// Errors:
///   -EINVAL  set is NULL
/// Since 0.1. See pthread_sigmask(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_set_mask(
    set: *const sigset_t,
    before: *mut sigset_t,
) -> c_int {
    // SAFETY: the header asks for a set and a place for another.
    let caller = unsafe { Caller::trusted("set_mask") };
    change(&caller, set, before, libc::SIG_SETMASK, signal::set_mask)
}

/// What the calling thread blocks.
///
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  out is NULL
/// Since 0.1. See pthread_sigmask(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_mask(out: *mut sigset_t) -> c_int {
    // SAFETY: the header asks for a place for a set.
    let caller = unsafe { Caller::trusted("mask") };
    tell(&caller, out, signal::mask)
}

/// What was sent to the calling thread or its process and is blocked.
///
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  out is NULL
/// Since 0.1. See sigpending(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_pending(out: *mut sigset_t) -> c_int {
    // SAFETY: the header asks for a place for a set.
    let caller = unsafe { Caller::trusted("pending") };
    tell(&caller, out, signal::pending)
}

/// Takes a signal, waiting for it if need be: lowest number first, those of one real-time number in
/// the order of sending.
///
/// set:     of which one is taken; they must be blocked, in every thread
/// info:    where goes what it brought along; may be NULL
/// timeout: relative, on the monotonic clock; NULL for ever, {0, 0} a try
///
/// Returns the signal's number. Or
///   -EAGAIN     none is there, and timeout is {0, 0}
///   -ETIMEDOUT  none came in time
///   -EINTR      another signal was handled, the process was stopped and continued, or another thread
///               that waits was faster
///   -EINVAL     there is nothing in the set to wait for; a bad timeout; set is NULL
/// Since 0.1. See sigtimedwait(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_wait(
    set: *const sigset_t,
    info: *mut unipc_signal_info,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for a set, a place for the news and a timespec.
    let caller = unsafe { Caller::trusted("wait") };
    caller.guard(|| {
        let taken = signal::wait(caller.signals(set)?, caller.timeout(timeout)?)?;
        caller.give(info, (&taken).into());
        Ok(taken.signal.number())
    })
}

/// The signals of a process or thread: what is pending, blocked, ignored, caught.
///
/// pid: its number; 0 is the calling thread. Of a process it is the first thread whose mask is told.
/// out: where that goes. The sets may hold the C library's own signals, which sigismember() tells.
///
/// Returns 0.
/// Errors:
///   -ESRCH   nobody has this number
///   -EACCES  /proc is mounted with hidepid
///   -EINVAL  pid is negative; out is NULL
/// Since 0.1. See proc_pid_status(5).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stat(pid: pid_t, out: *mut unipc_signal_status) -> c_int {
    // SAFETY: the header asks for a place for the status.
    let caller = unsafe { Caller::trusted("stat") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let status = signal::stat(pid)?;
        out.set(unipc_signal_status {
            queued: status.queued,
            queue_limit: status.queue_limit,
            pending: status.pending.into(),
            shared_pending: status.shared_pending.into(),
            blocked: status.blocked.into(),
            ignored: status.ignored.into(),
            caught: status.caught.into(),
        });
        Ok(0)
    })
}

/// The signals that a program must leave alone: those that the C library uses for its threads, and
/// the one of unipc_signal_timeout_signal().
///
/// out: where they go
///
/// Returns 0.
/// Errors:
///   -EINVAL  out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_reserved(out: *mut sigset_t) -> c_int {
    // SAFETY: the header asks for a place for a set.
    let caller = unsafe { Caller::trusted("reserved") };
    tell(&caller, out, || Ok(signal::reserved()))
}

/// The real-time signal with which this library ends system calls that know no time limit (msgsnd,
/// flock ...). At the first such limit it takes the highest one that has no disposition, and keeps it;
/// if the program gives it a handler later, it takes another. Its handler does nothing.
///
/// Returns its number; 0 as long as none was needed. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_timeout_signal() -> c_int {
    guard("timeout_signal", || Ok(signal::timeout_signal().map_or(0, signal::Signal::number)))
}

#[inline]
fn change(
    caller: &Caller,
    set: *const sigset_t,
    before: *mut sigset_t,
    how: c_int,
    change: impl FnOnce(Set) -> Result<Masked>,
) -> c_int {
    caller.guard(|| {
        let set = caller.signals(set)?;
        if before.is_null() {
            signal::change_for_good(how, set);
            return Ok(0);
        }
        let masked = change(set)?;
        caller.give(before, masked.before().into());
        masked.keep();
        Ok(0)
    })
}

fn tell(caller: &Caller, out: *mut sigset_t, ask: impl FnOnce() -> Result<Set>) -> c_int {
    caller.guard(|| {
        let out = caller.output("out", out)?;
        out.set(ask()?.into());
        Ok(0)
    })
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending by number.

use std::ffi::{c_int, c_void};

use libc::pid_t;
use unipc_core::signal::{self, Signal, Value};

use super::boundary::guard;

/// Sends a signal to a process.
///
/// pid: its number, positive
/// sig: the signal
///
/// A number may belong to another process by now; a child's cannot before it has been waited for.
/// Where that matters use unipc_signal_pidfd_open(). A standard signal that is pending already does
/// not become pending twice.
///
/// Returns 0.
/// Errors:
///   -ESRCH   nobody has this number
///   -EPERM   it is another user's
///   -EINVAL  it is no signal; pid is not positive (kill() would take it for whole groups)
/// Async-signal-safe. Since 0.1. See kill(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_send(pid: pid_t, sig: c_int) -> c_int {
    guard("send", || signal::send(pid, Signal::new(sig)?).map(|()| 0))
}

/// Tells whether a process exists and may be signalled, without sending anything. A process that
/// has ended and was not waited for exists.
///
/// pid: its number, positive
///
/// Returns 0.
/// Errors: as unipc_signal_send()
/// Async-signal-safe. Since 0.1. See kill(2), signal 0.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_probe(pid: pid_t) -> c_int {
    guard("probe", || signal::probe(pid).map(|()| 0))
}

/// Sends a signal to every process of a group.
///
/// group: its number; 0 is the caller's own
/// sig:   the signal
///
/// Returns 0.
/// Errors:
///   -ESRCH   there is no such group
///   -EPERM   all its processes are other users'
///   -EINVAL  it is no signal; group is negative, or 1, with which kill() would signal everybody
/// Async-signal-safe. Since 0.1. See killpg(3).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_send_group(group: pid_t, sig: c_int) -> c_int {
    guard("send_group", || signal::send_group(group, Signal::new(sig)?).map(|()| 0))
}

/// Sends a signal to one thread, which alone can take it. What it does is done to the process.
///
/// pid:    the thread's process
/// thread: its number, as gettid() gives it there
/// sig:    the signal
///
/// Returns 0.
/// Errors: as unipc_signal_send(), and
///   -ESRCH  the process has no such thread
/// Async-signal-safe. Since 0.1. See tgkill(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_send_thread(pid: pid_t, thread: pid_t, sig: c_int) -> c_int {
    guard("send_thread", || signal::send_thread(pid, thread, Signal::new(sig)?).map(|()| 0))
}

/// Sends a signal to the calling thread. Unless it is blocked, it has acted when this returns.
///
/// sig: the signal
///
/// Returns 0.
/// Errors:
///   -EINVAL  it is no signal
/// Async-signal-safe. Since 0.1. See raise(3).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_raise(sig: c_int) -> c_int {
    guard("raise", || signal::raise(Signal::new(sig)?).map(|()| 0))
}

/// Sends a signal with a number.
///
/// pid:   the receiver, positive
/// sig:   the signal; real-time signals queue, others are swallowed when they are pending already
/// value: info.value at the receiver
///
/// Returns 0.
/// Errors: as unipc_signal_send(), and
///   -EAGAIN  the receiver's RLIMIT_SIGPENDING allows no more; nothing was sent.
///            unipc_last_error() tells the limit and how many are queued
/// Async-signal-safe. Since 0.1. See sigqueue(3).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_queue(pid: pid_t, sig: c_int, value: c_int) -> c_int {
    guard("queue", || signal::queue(pid, Signal::new(sig)?, value).map(|()| 0))
}

/// Sends a signal with a pointer, which means something in the process that made it alone.
///
/// pid:     the receiver, positive
/// sig:     the signal
/// pointer: info.pointer at the receiver; it is not followed
///
/// Returns 0.
/// Errors: as unipc_signal_queue()
/// Async-signal-safe. Since 0.1. See sigqueue(3).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_queue_pointer(
    pid: pid_t,
    sig: c_int,
    pointer: *mut c_void,
) -> c_int {
    let value = Value::from_pointer(pointer.addr());
    guard("queue", || signal::queue(pid, Signal::new(sig)?, value).map(|()| 0))
}

/// Sends a signal with a number to one thread, which alone can take it.
///
/// pid:    the thread's process
/// thread: its number, as gettid() gives it there
/// sig:    the signal
/// value:  info.value at the receiver
///
/// Returns 0.
/// Errors: as unipc_signal_queue(), and
///   -ESRCH  the process has no such thread
/// Async-signal-safe. Since 0.1. See rt_tgsigqueueinfo(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_queue_thread(
    pid: pid_t,
    thread: pid_t,
    sig: c_int,
    value: c_int,
) -> c_int {
    guard("queue", || signal::queue_thread(pid, thread, Signal::new(sig)?, value).map(|()| 0))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending by descriptor.

use std::ffi::{c_int, c_void};
use std::os::fd::{BorrowedFd, IntoRawFd};

use libc::pid_t;
use unipc_core::signal::{PidFd, Signal, Value, start_time};
use unipc_core::{Error, ErrorKind, Result};

use super::boundary::{Caller, guard};

/// A descriptor of a process, which never comes to mean another one. It polls: readable once the
/// process has ended.
///
/// pid: its number, positive. That it is still the one that was meant, only the parent knows, before
///      it has waited for it; others keep unipc_signal_start_time() with it, and use
///      unipc_signal_pidfd_open_started().
///
/// Returns a descriptor, close-on-exec, which is the caller's to close. Or
///   -ESRCH   nobody has this number
///   -EINVAL  it is not positive, or a thread's
///   -EMFILE, -ENFILE  too many descriptors are open
///   -ENOSYS  before Linux 5.3
/// Since 0.1. See pidfd_open(2).
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_open(pid: pid_t) -> c_int {
    guard("pidfd_open", || Ok(PidFd::open(pid)?.into_fd().into_raw_fd()))
}

/// A descriptor of the process that has this number, if it is the one that was started then.
///
/// pid:     its number, positive
/// started: what unipc_signal_start_time() gave
///
/// Returns as unipc_signal_pidfd_open(), and
///   -ESRCH  the number belongs to another process now, or that one has ended
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_open_started(pid: pid_t, started: u64) -> c_int {
    guard("pidfd_open", || Ok(PidFd::open_started(pid, started)?.into_fd().into_raw_fd()))
}

/// When a process was started. With its number it names it for good, as long as the machine runs.
///
/// pid: its number
/// out: where the time goes, in clock ticks since the machine was started
///
/// Returns 0.
/// Errors:
///   -ESRCH   nobody has this number
///   -EINVAL  pid is not positive; out is NULL
/// Since 0.1. See proc_pid_stat(5).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_start_time(pid: pid_t, out: *mut u64) -> c_int {
    // SAFETY: the header asks for a place for the time.
    let caller = unsafe { Caller::trusted("start_time") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        out.set(start_time(pid)?);
        Ok(0)
    })
}

/// Sends a signal to the process of a descriptor.
///
/// pidfd: of unipc_signal_pidfd_open(), pidfd_open() or clone3()
/// sig:   the signal
///
/// Returns 0.
/// Errors:
///   -ESRCH   it has ended
///   -EPERM   it is another user's
///   -EBADF   it is not the descriptor of a process
///   -EINVAL  it is no signal
/// Async-signal-safe. Since 0.1. See pidfd_send_signal(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_send(pidfd: c_int, sig: c_int) -> c_int {
    guard("pidfd_send", || borrow(pidfd)?.send(Signal::new(sig)?).map(|()| 0))
}

/// Sends a signal with a number to the process of a descriptor.
///
/// pidfd: as for unipc_signal_pidfd_send()
/// sig:   the signal
/// value: info.value at the receiver
///
/// Returns 0.
/// Errors: as unipc_signal_pidfd_send(), and
///   -EAGAIN  the receiver's RLIMIT_SIGPENDING allows no more; nothing was sent
/// Async-signal-safe. Since 0.1. See pidfd_send_signal(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_queue(pidfd: c_int, sig: c_int, value: c_int) -> c_int {
    guard("pidfd_queue", || borrow(pidfd)?.queue(Signal::new(sig)?, value).map(|()| 0))
}

/// Sends a signal with a pointer to the process of a descriptor.
///
/// pidfd:   as for unipc_signal_pidfd_send()
/// sig:     the signal
/// pointer: info.pointer at the receiver; it is not followed
///
/// Returns 0.
/// Errors: as unipc_signal_pidfd_queue()
/// Async-signal-safe. Since 0.1. See pidfd_send_signal(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_queue_pointer(
    pidfd: c_int,
    sig: c_int,
    pointer: *mut c_void,
) -> c_int {
    let value = Value::from_pointer(pointer.addr());
    guard("pidfd_queue", || borrow(pidfd)?.queue(Signal::new(sig)?, value).map(|()| 0))
}

/// Sends a signal to every process of the group that the process of a descriptor leads.
///
/// pidfd: as for unipc_signal_pidfd_send()
/// sig:   the signal
///
/// Returns 0.
/// Errors: as unipc_signal_pidfd_send(), and
///   -EOPNOTSUPP  before Linux 6.9
///   -ESRCH       it leads no group
/// Async-signal-safe. Since 0.1. See pidfd_send_signal(2), PIDFD_SIGNAL_PROCESS_GROUP.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_send_group(pidfd: c_int, sig: c_int) -> c_int {
    guard("pidfd_send_group", || borrow(pidfd)?.send_group(Signal::new(sig)?).map(|()| 0))
}

/// The number of the process of a descriptor.
///
/// pidfd: as for unipc_signal_pidfd_send()
///
/// Returns the number; 0 when it has ended and was waited for, or lives in a namespace that is hidden
/// here. Or
///   -EBADF   it is not open, or not the descriptor of a process
///   -ENOENT  there is no /proc
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_pid(pidfd: c_int) -> c_int {
    guard("pidfd_pid", || Ok(borrow(pidfd)?.pid()?.unwrap_or(0)))
}

/// Tells whether the process of a descriptor runs still.
///
/// pidfd: as for unipc_signal_pidfd_send()
///
/// Returns 1 while it runs, 0 once it has ended, waited for or not. Or
///   -EBADF  it is not open, or not the descriptor of a process
///   -EINTR  a signal was handled
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_pidfd_is_alive(pidfd: c_int) -> c_int {
    guard("pidfd_is_alive", || Ok(borrow(pidfd)?.is_alive()?.into()))
}

/// The caller's descriptor, for the time of one call.
#[inline]
fn borrow(pidfd: c_int) -> Result<PidFd<BorrowedFd<'static>>> {
    if pidfd < 0 {
        return Err(Error::new("pidfd", pidfd, ErrorKind::Os(libc::EBADF)));
    }
    // SAFETY: the descriptor is used for one call, which says EBADF if it is not open.
    Ok(PidFd::from_fd(unsafe { BorrowedFd::borrow_raw(pidfd) }))
}

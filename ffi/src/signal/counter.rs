// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that are counted.

use std::ffi::{c_int, c_uint};
use std::os::fd::AsRawFd;

use libc::{sigset_t, timespec};
use unipc_core::signal::{Counter, Counts, Set};

use super::boundary::Caller;
use super::unipc_signal_flag::{
    UNIPC_SIGNAL_NO_CHILD_STOP, UNIPC_SIGNAL_NO_CHILD_WAIT, UNIPC_SIGNAL_NO_DEFER,
    UNIPC_SIGNAL_NO_RESTART, UNIPC_SIGNAL_ONE_SHOT, UNIPC_SIGNAL_REPLACE,
};
use super::{unipc_signal_counter, unipc_signal_counts};

/// Counts signals without blocking them, in whatever thread they arrive. The only code that runs in
/// the signal handler adds one and makes a descriptor readable; what the program does about it, it
/// does where it waits.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_signal_counter_close().
/// set:   which signals; one signal has one counter at a time in a process
/// flags: UNIPC_SIGNAL_ flags, or 0
/// mask:  what else is blocked while one is counted (sa_mask); NULL for nothing
///
/// Signals of one number that come while one is pending merge, unless they are real-time signals.
///
/// Returns 0.
/// Errors:
///   -EBUSY   one of them has a handler (see UNIPC_SIGNAL_REPLACE) or a counter
///   -EINVAL  the set is empty, or holds SIGKILL, SIGSTOP or one of the C library's; unknown flags;
///            a pointer is NULL
///   -EMFILE, -ENFILE  too many descriptors are open
/// Since 0.1. See sigaction(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_counter_open(
    out: *mut *mut unipc_signal_counter,
    set: *const sigset_t,
    flags: c_uint,
    mask: *const sigset_t,
) -> c_int {
    // SAFETY: the header asks for a place for the handle and for sets.
    let caller = unsafe { Caller::trusted("counter_open") };
    caller.construct(out, || {
        let known = [
            UNIPC_SIGNAL_NO_RESTART,
            UNIPC_SIGNAL_ONE_SHOT,
            UNIPC_SIGNAL_REPLACE,
            UNIPC_SIGNAL_NO_CHILD_STOP,
            UNIPC_SIGNAL_NO_CHILD_WAIT,
            UNIPC_SIGNAL_NO_DEFER,
        ]
        .map(|flag| flag as c_uint);
        let flags = caller.flags(flags, known.iter().fold(0, |all, flag| all | flag))?;
        let [no_restart, one_shot, replace, no_child_stop, no_child_wait, no_defer] =
            known.map(|flag| flags.has(flag));
        let mask = if mask.is_null() { Set::EMPTY } else { caller.signals(mask)? };
        Counter::options()
            .restart(!no_restart)
            .one_shot(one_shot)
            .replace(replace)
            .no_child_stop(no_child_stop)
            .no_child_wait(no_child_wait)
            .no_defer(no_defer)
            .mask(mask)
            .open(caller.signals(set)?)
            .map(|counter| unipc_signal_counter { counter })
    })
}

/// Waits until one of the signals has come, and takes the counts.
///
/// counter: a handle
/// counts:  where they go, by number
/// timeout: relative, on the monotonic clock; NULL for ever, {0, 0} a try
///
/// Returns how many different signals have come, 1 or more. Or
///   -EAGAIN     none has come, and timeout is {0, 0}
///   -ETIMEDOUT  none came in time
///   -EINTR      a signal was handled that is not counted here
///   -EINVAL     a bad timeout; a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_counter_wait(
    counter: *const unipc_signal_counter,
    counts: *mut unipc_signal_counts,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a place for the counts and a timespec.
    let caller = unsafe { Caller::trusted("counter_wait") };
    caller.guard(|| {
        let counter = &caller.handle(counter)?.counter;
        let out = caller.output("counts", counts)?;
        let taken = counter.wait(caller.timeout(timeout)?)?;
        out.set((&taken).into());
        Ok(different(&taken))
    })
}

/// Takes the counts, without waiting: perhaps of no signal at all.
///
/// counter: a handle
/// counts:  where they go, by number
///
/// Returns how many different signals have come, 0 or more. Or
///   -EINVAL  a pointer is NULL
///   -EMFILE, -ENFILE  in a child of fork(), which needs a descriptor of its own
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_counter_take(
    counter: *const unipc_signal_counter,
    counts: *mut unipc_signal_counts,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the counts.
    let caller = unsafe { Caller::trusted("counter_take") };
    caller.guard(|| {
        let counter = &caller.handle(counter)?.counter;
        let out = caller.output("counts", counts)?;
        let taken = counter.take()?;
        out.set((&taken).into());
        Ok(different(&taken))
    })
}

/// Which signals are counted.
///
/// counter: a handle
/// out:     where the set goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_counter_set(
    counter: *const unipc_signal_counter,
    out: *mut sigset_t,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the set.
    let caller = unsafe { Caller::trusted("counter_set") };
    caller.guard(|| {
        let set = caller.handle(counter)?.counter.set();
        caller.output("out", out)?.set(set.into());
        Ok(0)
    })
}

/// The descriptor: readable when something has been counted and not taken. To poll it; taking the
/// counts is what makes it not readable again. A child of fork() calls unipc_signal_counter_take()
/// before it polls.
///
/// counter: a handle
///
/// Returns the descriptor, close-on-exec, which stays the handle's. Or
///   -EINVAL  counter is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_counter_fd(counter: *const unipc_signal_counter) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("counter_fd") };
    caller.guard(|| Ok(caller.handle(counter)?.counter.as_raw_fd()))
}

/// Ends the counting: what was in force before is put back, unless something else was installed since.
///
/// counter: a handle, gone afterwards; NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_counter_close(counter: *mut unipc_signal_counter) {
    // SAFETY: the header asks for a handle that is closed once.
    let caller = unsafe { Caller::trusted("counter_close") };
    caller.destroy(counter);
}

fn different(counts: &Counts) -> c_int {
    // At most 64.
    c_int::try_from(counts.iter().count()).unwrap_or(c_int::MAX)
}

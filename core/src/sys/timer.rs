// SPDX-License-Identifier: MIT OR Apache-2.0
//! A timer that signals one thread, and the signal's empty handler.
//!
//! `timer_create(2)`, `sigaction(2)`, `pthread_sigmask(3)`: nix has the first only for whole processes.

use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

/// How often the signal comes after the first time.
const AGAIN: Duration = Duration::from_millis(1);

/// Does nothing: that it runs ends the system call.
extern "C" fn handler(_: libc::c_int) {}

/// Runs until it is dropped; signals the thread that started it.
#[derive(Debug)]
pub(crate) struct Timer(libc::timer_t);

impl Timer {
    /// The first signal comes after `first`.
    pub(crate) fn start(signal: i32, first: Duration) -> nix::Result<Self> {
        // SAFETY: a sigevent is integers and a pointer, of which zero is a value.
        let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = signal;
        event.sigev_notify_thread_id = nix::unistd::gettid().as_raw();
        let mut id: libc::timer_t = ptr::null_mut();
        // SAFETY: both pointers are to live values of the types that the call takes.
        let made =
            unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id) };
        Errno::result(made)?;
        let timer = Self(id);
        let setting = libc::itimerspec {
            it_interval: timespec(AGAIN),
            // All zeros would stop the timer.
            it_value: timespec(first.max(Duration::from_nanos(1))),
        };
        // SAFETY: the timer was just made, and `setting` lives as long as the call.
        let set = unsafe { libc::timer_settime(id, 0, &raw const setting, ptr::null_mut()) };
        Errno::result(set)?;
        Ok(timer)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer is this value's own. A signal still on its way comes when this call returns.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// A duration as the kernel takes it, cut at what its clock can express.
#[inline]
pub(crate) fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// Lets this thread have the signal, until the value is dropped.
pub(crate) fn unblock(signal: i32) -> nix::Result<Unblocked> {
    let mut before = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_UNBLOCK, Some(&only(signal)), Some(&mut before))?;
    Ok(Unblocked(before))
}

/// Gives the thread its mask back.
#[derive(Debug)]
pub(crate) struct Unblocked(SigSet);

impl Drop for Unblocked {
    fn drop(&mut self) {
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.0), None);
    }
}

/// The set of one signal, real-time ones too, which nix does not name.
fn only(signal: i32) -> SigSet {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is to room for a set, which the call fills.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set was made by sigemptyset; a number that is no signal changes nothing.
    unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    // SAFETY: sigemptyset has filled it.
    let set = unsafe { set.assume_init() };
    // SAFETY: it is a set of signals that this libc made.
    unsafe { SigSet::from_sigset_t_unchecked(set) }
}

#[cfg(test)]
pub(crate) fn is_blocked(set: &SigSet, signal: i32) -> bool {
    // SAFETY: the pointer is to a set that lives as long as the call.
    unsafe { libc::sigismember(set.as_ref(), signal) == 1 }
}

fn disposition(signal: i32) -> nix::Result<libc::sigaction> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the call only fills the room that the pointer is to.
    Errno::result(unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, so it is filled.
    Ok(unsafe { action.assume_init() })
}

/// Is the signal's handler the empty one?
pub(crate) fn is_ours(signal: i32) -> nix::Result<bool> {
    let ours = handler as extern "C" fn(libc::c_int);
    Ok(disposition(signal)?.sa_sigaction == ours as libc::sighandler_t)
}

/// Gives the signal the empty handler if it has none; false if it has.
pub(crate) fn take(signal: i32) -> nix::Result<bool> {
    if disposition(signal)?.sa_sigaction != libc::SIG_DFL {
        return Ok(false);
    }
    // SAFETY: a sigaction is integers, of which zero is a value: no flags, so that system calls end.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let ours = handler as extern "C" fn(libc::c_int);
    action.sa_sigaction = ours as libc::sighandler_t;
    // SAFETY: the handler is async-signal-safe, it does nothing; the pointer is to a live value.
    Errno::result(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })?;
    Ok(true)
}

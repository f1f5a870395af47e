// SPDX-License-Identifier: MIT OR Apache-2.0
//! A signal a thousand times a second, whose handler lets system calls end with EINTR: nothing may be lost by it.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unsafe_code, reason = "timers for one thread are raw calls")]

use std::mem::zeroed;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

static SIGNALS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: libc::c_int) {
    // SYNC: a counter alone; it orders nothing.
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Interrupts the thread that made it, while it lives. It takes SIGUSR1 of the whole process.
pub(crate) struct Storm(libc::timer_t);

impl Storm {
    pub(crate) fn new() -> Self {
        // SAFETY: a sigaction is integers, of which zero is a value.
        let mut action: libc::sigaction = unsafe { zeroed() };
        let handler = count as extern "C" fn(libc::c_int);
        action.sa_sigaction = handler as libc::sighandler_t;
        // SAFETY: the handler only adds to an atomic.
        let taken = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) };
        assert_eq!(taken, 0);
        // SAFETY: a sigevent is integers and a pointer, of which zero is a value.
        let mut event: libc::sigevent = unsafe { zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGUSR1;
        event.sigev_notify_thread_id = nix::unistd::gettid().as_raw();
        let mut id: libc::timer_t = ptr::null_mut();
        // SAFETY: both pointers are to live values.
        let made =
            unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id) };
        assert_eq!(made, 0);
        let every = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        let setting = libc::itimerspec { it_interval: every, it_value: every };
        // SAFETY: the timer was just made, and the setting lives as long as the call.
        assert_eq!(unsafe { libc::timer_settime(id, 0, &raw const setting, ptr::null_mut()) }, 0);
        Self(id)
    }

    /// How many signals came to this process since it began.
    pub(crate) fn signals() -> u64 {
        // SYNC: as above.
        SIGNALS.load(Ordering::Relaxed)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        // SAFETY: the timer is this value's own.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Calls again whenever a signal interrupts.
pub(crate) fn through<T>(mut call: impl FnMut() -> unipc::Result<T>) -> unipc::Result<T> {
    loop {
        match call() {
            Err(error) if error.errno() == libc::EINTR => {}
            other => return other,
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a thread does not want to be interrupted by.

use std::marker::PhantomData;

use nix::errno::Errno;

use super::{Info, Set};
use crate::error::{ErrorKind, Result};
use crate::sys;
use crate::time::Timeout;

/// Gives the thread its mask back when dropped. It cannot go to another thread.
///
/// Several of them end in the reverse order of their beginning, as blocks do.
#[must_use = "the mask is as before when this is dropped"]
#[derive(Debug)]
pub struct Masked {
    before: Set,
    // A mask is a thread's.
    _thread: PhantomData<*const ()>,
}

impl Masked {
    /// The mask that comes back.
    #[inline]
    pub fn before(&self) -> Set {
        self.before
    }

    /// Leaves the mask as it is now.
    #[inline]
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        sys::signal::change_thread_mask(libc::SIG_SETMASK, self.before.bits());
    }
}

/// `pthread_sigmask(SIG_BLOCK)`: holds these signals back from the calling thread until the guard is dropped.
///
/// They stay pending meanwhile: a standard signal once, however often it was sent; a real-time signal as often as it
/// was sent. `SIGKILL` and `SIGSTOP` cannot be held back, and the C library's own are left alone.
///
/// Threads: each has its own mask, which its threads inherit when they start. A signal for the process goes to any
/// thread that does not block it, so block it **before** other threads start, in the first one. fork and exec keep
/// the mask: a program that is executed starts with these signals blocked.
///
/// Errors: none in practice.
#[doc(alias = "pthread_sigmask")]
#[doc(alias = "sigprocmask")]
#[inline]
pub fn block(set: Set) -> Result<Masked> {
    change(libc::SIG_BLOCK, set, "block")
}

/// `pthread_sigmask(SIG_UNBLOCK)`: lets the calling thread have these signals until the guard is dropped. What is
/// pending acts before this returns.
///
/// Errors: none in practice.
#[inline]
pub fn unblock(set: Set) -> Result<Masked> {
    change(libc::SIG_UNBLOCK, set, "unblock")
}

/// `pthread_sigmask(SIG_SETMASK)`: the calling thread blocks these signals and no others until the guard is dropped.
///
/// Errors: none in practice.
#[inline]
pub fn set_mask(set: Set) -> Result<Masked> {
    change(libc::SIG_SETMASK, set, "set_mask")
}

/// What the calling thread blocks.
///
/// Errors: none in practice.
#[inline]
pub fn mask() -> Result<Set> {
    let mask = sys::signal::thread_mask(libc::SIG_BLOCK, None);
    mask.map(Set::from_bits).map_err(|errno| ErrorKind::from(errno).during("mask", "this thread"))
}

/// As [`block`] (`SIG_BLOCK`), [`unblock`] (`SIG_UNBLOCK`) or [`set_mask`] (`SIG_SETMASK`), where nobody asks what was before:
/// to tell that takes the kernel a fifth of the call.
#[doc(hidden)]
#[inline]
pub fn change_for_good(how: i32, set: Set) {
    sys::signal::change_thread_mask(how, (set - Set::reserved()).bits());
}

#[inline]
fn change(how: i32, set: Set, operation: &'static str) -> Result<Masked> {
    match sys::signal::thread_mask(how, Some((set - Set::reserved()).bits())) {
        Ok(before) => Ok(Masked { before: Set::from_bits(before), _thread: PhantomData }),
        Err(errno) => Err(ErrorKind::from(errno).during(operation, set)),
    }
}

/// [`sigpending`](https://man7.org/linux/man-pages/man2/sigpending.2.html) - what was sent to this thread or its
/// process and is blocked.
///
/// Errors: none in practice.
#[doc(alias = "sigpending")]
pub fn pending() -> Result<Set> {
    let pending = sys::signal::pending();
    pending
        .map(Set::from_bits)
        .map_err(|errno| ErrorKind::from(errno).during("pending", "this thread"))
}

/// [`sigtimedwait`](https://man7.org/linux/man-pages/man2/sigtimedwait.2.html) - takes one of these signals, waiting
/// for it if need be: the lowest number first, those of one real-time number in the order of sending.
///
/// Block them before, in every thread: a signal that comes while nobody waits would act otherwise. Each signal goes to
/// one of those who wait. A signal of the thread's own comes before those of the process. `SIGKILL` and `SIGSTOP`
/// cannot be waited for.
///
/// Errors: `EAGAIN` none is there, and `timeout` is [`Timeout::TRY`]; `ETIMEDOUT`; `EINTR` another signal was handled,
/// the process was stopped and continued, or of several threads that wait another one was faster; `EINVAL` there is
/// nothing in the set to wait for.
#[doc(alias = "sigwaitinfo")]
#[doc(alias = "sigtimedwait")]
#[doc(alias = "sigwait")]
#[inline]
pub fn wait(set: Set, timeout: Timeout) -> Result<Info> {
    let limit = match timeout {
        Timeout::Forever => None,
        Timeout::After(limit) => Some(limit),
    };
    let taken = set.waitable().and_then(|set| match sys::signal::wait(set.bits(), limit) {
        Ok(raw) => Ok(Info::from_siginfo(&raw)),
        Err(Errno::EAGAIN) => Err(timeout.expired()),
        Err(errno) => Err(errno.into()),
    });
    taken.map_err(|kind| kind.during("wait", set))
}

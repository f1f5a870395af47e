// SPDX-License-Identifier: MIT OR Apache-2.0
//! A time limit for system calls that have none: `msgsnd`, `msgrcv`, `flock`, `fcntl(F_SETLKW)`.
//!
//! A timer sends a real-time signal to the waiting thread alone when the time is over, and again every
//! millisecond until the call has returned, since the first might come before the thread sleeps. The
//! handler does nothing: the call ends with `EINTR`, and a call that ends so has changed nothing. No
//! message is taken and no lock is held by something left behind, as it would be with a helper thread,
//! and nobody polls.
//!
//! The signal is the highest real-time signal that has no disposition yet. A program that installs a
//! handler of its own for it later makes the next wait choose another.

use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;

use crate::error::ErrorKind;
use crate::sys::timer::{self, Timer};
use crate::time::{Deadline, Timeout};

/// The signal in use; 0 before the first wait.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Makes a blocking `call` that ends at the deadline; what it changes it must change at its very end, or not at all.
///
/// Errors: `TimedOut`; `EINTR` when another signal came; what the call itself says. `EAGAIN` when every
/// real-time signal is taken or `RLIMIT_SIGPENDING` allows no timer.
pub(crate) fn until<T>(
    deadline: Deadline,
    call: impl FnOnce() -> nix::Result<T>,
) -> Result<T, ErrorKind> {
    let Timeout::After(left) = deadline.remaining() else {
        return Ok(call()?);
    };
    let signal = signal()?;
    // Dropped in the reverse order: first the timer ends, then the thread's mask is as before.
    let _mask = timer::unblock(signal)?;
    let _timer = Timer::start(signal, left)?;
    match call() {
        Err(Errno::EINTR) if deadline.has_passed() => Err(ErrorKind::TimedOut),
        other => Ok(other?),
    }
}

/// The signal that is taken for this, if one was needed already.
pub(crate) fn in_use() -> Option<i32> {
    // SYNC: the number alone is shared, see below.
    let current = SIGNAL.load(Ordering::Relaxed);
    (current != 0 && timer::is_ours(current).unwrap_or(false)).then_some(current)
}

/// A signal whose handler is ours.
fn signal() -> nix::Result<i32> {
    // SYNC: the number alone is shared; the kernel's table of handlers says whether it is still ours.
    let current = SIGNAL.load(Ordering::Relaxed);
    if current != 0 && timer::is_ours(current)? {
        return Ok(current);
    }
    for candidate in (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev() {
        if timer::is_ours(candidate)? || timer::take(candidate)? {
            // SYNC: as above.
            SIGNAL.store(candidate, Ordering::Relaxed);
            return Ok(candidate);
        }
    }
    Err(Errno::EAGAIN)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

    use super::*;

    /// A call that only a signal ends.
    fn pause() -> nix::Result<()> {
        nix::poll::poll(&mut [], nix::poll::PollTimeout::NONE).map(drop)
    }

    #[test]
    fn a_call_without_end_ends_at_the_deadline() {
        let started = Instant::now();
        let limit = Duration::from_millis(20);
        let result = until(Timeout::After(limit).deadline(), pause);
        assert_eq!(result, Err(ErrorKind::TimedOut));
        assert!(started.elapsed() >= limit);
    }

    #[test]
    fn a_signal_that_came_before_the_call_is_sent_again() {
        let limit = Duration::from_millis(1);
        let result = until(Timeout::After(limit).deadline(), || {
            // The first signals come here, where nothing waits.
            let late = Instant::now() + 5 * limit;
            while Instant::now() < late {}
            pause()
        });
        assert_eq!(result, Err(ErrorKind::TimedOut));
    }

    #[test]
    fn a_thread_that_blocks_all_signals_is_ended_too_and_keeps_its_mask() {
        let mut before = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before)).unwrap();
        let result = until(Timeout::After(Duration::from_millis(5)).deadline(), pause);
        let mut after = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), Some(&mut after)).unwrap();
        assert_eq!(result, Err(ErrorKind::TimedOut));
        // SYNC: a number alone.
        let ours = SIGNAL.load(Ordering::Relaxed);
        assert!(timer::is_blocked(&after, ours));
    }

    #[test]
    fn a_call_that_returns_in_time_leaves_no_timer() {
        let limit = Timeout::After(Duration::from_millis(1));
        assert_eq!(until(limit.deadline(), || Ok(7)), Ok(7));
        // Were the timer still there, this sleep would be cut short.
        let pause = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
        let request = nix::sys::time::TimeSpec::from(pause);
        assert!(
            nix::time::clock_nanosleep(
                nix::time::ClockId::CLOCK_MONOTONIC,
                nix::time::ClockNanosleepFlags::empty(),
                &request
            )
            .is_ok()
        );
    }
}

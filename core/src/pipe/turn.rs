// SPDX-License-Identifier: MIT OR Apache-2.0
//! One thread at a time, in a wait that a time limit and a signal end.
//!
//! A mutex can do neither, and cannot be waited for together with a descriptor. Free, a turn costs two atomic
//! instructions; taken, it is a descriptor that becomes readable.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use nix::poll::PollFlags;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::source::lock;
use crate::error::{ErrorKind, Result};
use crate::stream::Limit;
use crate::sys::pid::this_thread;
use crate::time::Timeout;

/// What there is to be said of `EDEADLK`.
pub(super) const IN_THE_MIDST: &str =
    "this thread is in the midst of such a call: a handler of a signal must not make another one";

/// Who does something that others must not do meanwhile.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The thread that has it; 0 for nobody.
    owner: AtomicU64,
    waiters: AtomicU32,
    /// Made when somebody waits for the first time. Each end of a turn gives it one unit, if anybody waits.
    ended: OnceLock<EventFd>,
}

/// The turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken<'a>(&'a Turn);

/// Somebody who wants the turn. While it lives, the end of a turn is told.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    turn: &'a Turn,
    event: &'a EventFd,
}

impl Turn {
    pub(super) fn try_take(&self) -> Option<Taken<'_>> {
        // SYNC: pairs with the store in the drop of Taken; SeqCst because of the waiters, see there.
        let mine = this_thread();
        let free = self.owner.compare_exchange(0, mine, Ordering::SeqCst, Ordering::Relaxed);
        // Made only then: dropping one ends the turn.
        free.is_ok().then(|| Taken(self))
    }

    pub(super) fn is_taken(&self) -> bool {
        // SYNC: SeqCst, with `waiters`: see `waiter`.
        self.owner.load(Ordering::SeqCst) != 0
    }

    /// Errors: `EDEADLK` when this thread has it, as in the handler of a signal that came in the midst of a call; `EAGAIN`,
    /// `ETIMEDOUT`, `EINTR`.
    pub(super) fn take(&self, limit: &mut Limit) -> Result<Taken<'_>, ErrorKind> {
        if let Some(taken) = self.try_take() {
            return Ok(taken);
        }
        // SYNC: whether it is this thread alone, which knows that without others.
        if self.owner.load(Ordering::Relaxed) == this_thread() {
            return Err(ErrorKind::Os(libc::EDEADLK));
        }
        let waiter = self.waiter()?;
        loop {
            // Tried after it was announced, so that no end is missed in between.
            if let Some(taken) = self.try_take() {
                return Ok(taken);
            }
            limit.wait(waiter.as_fd(), PollFlags::POLLIN)?;
            waiter.heard();
        }
    }

    /// Announces that somebody waits. Try to take the turn after this, then wait.
    pub(super) fn waiter(&self) -> Result<Waiter<'_>, ErrorKind> {
        let event = if let Some(event) = self.ended.get() {
            event
        } else {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_SEMAPHORE;
            let new = EventFd::from_value_and_flags(0, flags)?;
            self.ended.get_or_init(|| new)
        };
        // SYNC: SeqCst, with `owner`: either the waiter finds the turn free, or who ends it finds the waiter.
        self.waiters.fetch_add(1, Ordering::SeqCst);
        Ok(Waiter { turn: self, event })
    }
}

impl Taken<'_> {
    /// The turn is this thread's from now on, which may be another one than took it.
    pub(super) fn keep(&self) {
        // SYNC: as in `Turn::take`; that it is taken does not change.
        self.0.owner.store(this_thread(), Ordering::Relaxed);
    }
}

impl Waiter<'_> {
    /// Takes one unit of what was told; another waiter may have been faster.
    pub(super) fn heard(&self) {
        let _ = self.event.read();
    }
}

impl AsFd for Waiter<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        // SYNC: as in `waiter`. One unit too many only makes somebody look once more.
        self.turn.waiters.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // SYNC: pairs with try_take. SeqCst, with `waiters`: see `waiter`.
        self.0.owner.store(0, Ordering::SeqCst);
        // SYNC: as above.
        let awaited = self.0.waiters.load(Ordering::SeqCst) > 0;
        if let (true, Some(event)) = (awaited, self.0.ended.get()) {
            // Full, it is readable all the same.
            let _ = event.write(1);
        }
    }
}

/// What one thread uses at a time, for faces in which any thread may call at any time. Waiting for another's use to end
/// counts as the call's own wait, which its time limit and a signal end.
#[doc(hidden)]
#[derive(Debug)]
pub struct OneByOne<T> {
    turn: Turn,
    /// Whoever has the turn finds it free.
    value: Mutex<T>,
}

impl<T> OneByOne<T> {
    /// A value that nobody uses yet.
    pub fn new(value: T) -> Self {
        Self { turn: Turn::default(), value: Mutex::new(value) }
    }

    /// Does `work`, which is given the time that is left, when nobody else uses the value.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`; what `work` says.
    pub fn with<R>(
        &self,
        operation: &'static str,
        timeout: Timeout,
        work: impl FnOnce(&mut T, Timeout) -> Result<R>,
    ) -> Result<R> {
        let (taken, left) = match self.turn.try_take() {
            Some(taken) => (taken, timeout),
            None => self.wait(timeout).map_err(|kind| kind.during(operation, "stream"))?,
        };
        let result = work(&mut lock(&self.value), left);
        drop(taken);
        result
    }

    #[cold]
    fn wait(&self, timeout: Timeout) -> Result<(Taken<'_>, Timeout), ErrorKind> {
        let mut limit = Limit::new(timeout);
        let taken = self.turn.take(&mut limit)?;
        let left = match limit.deadline().remaining() {
            // Not a try, which would fail with another errno than a wait whose time is over.
            Timeout::TRY if timeout != Timeout::TRY => Timeout::After(Duration::from_nanos(1)),
            left => left,
        };
        Ok((taken, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_a_refused_try_changes_nothing() {
        let turn = Turn::default();
        let taken = turn.try_take().unwrap();
        assert!(turn.try_take().is_none());
        assert!(turn.try_take().is_none() && turn.is_taken());
        let soon = || Limit::new(Timeout::After(Duration::from_millis(1)));
        let elsewhere = || turn.take(&mut soon()).unwrap_err();
        let refused = std::thread::scope(|scope| scope.spawn(elsewhere).join().unwrap());
        assert_eq!(refused, ErrorKind::TimedOut);
        assert_eq!(turn.take(&mut soon()).unwrap_err().errno(), libc::EDEADLK);
        // What goes on in another thread is that one's.
        std::thread::scope(|scope| scope.spawn(|| taken.keep()).join().unwrap());
        assert_eq!(turn.take(&mut soon()).unwrap_err(), ErrorKind::TimedOut);
        drop(taken);
        assert!(!turn.is_taken());
        let again = turn.take(&mut Limit::new(Timeout::TRY)).unwrap();
        drop(again);
    }

    #[test]
    fn nobody_is_forgotten() {
        let (turn, count) = (Turn::default(), std::sync::Mutex::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let taken = turn.take(&mut Limit::new(Timeout::Forever)).unwrap();
                        *count.try_lock().expect("nobody else has the turn") += 1;
                        drop(taken);
                    }
                });
            }
        });
        assert_eq!(*count.lock().unwrap(), 16_000);
    }
}

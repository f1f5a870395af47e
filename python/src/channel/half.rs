// SPDX-License-Identifier: MIT OR Apache-2.0
//! A part of a handle that serves one thread at a time, for objects that any thread may use.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use unipc::{Error, ErrorKind, Name, Timeout};

use crate::error::{closed, raise};
use crate::wait::wait;

/// The longest wait for another thread, or in a call that does not sleep, without a look at Python's signals.
const SLICE: Duration = Duration::from_millis(50);

#[derive(Debug)]
enum State<T> {
    Here(T),
    /// Another thread has it.
    Away,
    /// It goes when the other thread is done with it.
    Leaving,
    Closed,
}

/// Taken by the thread that uses it, and put back.
#[derive(Debug)]
pub(super) struct Half<T> {
    state: Mutex<State<T>>,
    back: Condvar,
    name: Name,
    /// Its waits never sleep, so that no signal ends them.
    restless: bool,
}

impl<T: Send> Half<T> {
    pub(super) fn new(half: T, name: Name, restless: bool) -> Self {
        Self { state: Mutex::new(State::Here(half)), back: Condvar::new(), name, restless }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it if it is there. `None` when another thread has it.
    pub(super) fn take(&self) -> PyResult<Option<T>> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Away) {
            State::Here(half) => Ok(Some(half)),
            State::Away => Ok(None),
            ended => {
                *state = ended;
                Err(closed(&self.name))
            }
        }
    }

    /// Waits for another thread. Errors: `EINTR` after a slice, so that the caller looks at Python's signals.
    fn take_within(&self, limit: Timeout) -> unipc::Result<T> {
        let limit = match limit {
            Timeout::After(left) => left.min(SLICE),
            Timeout::Forever => SLICE,
        };
        let failed = |errno| Error::new("wait", &self.name, ErrorKind::Os(errno));
        let away = |state: &mut State<T>| matches!(state, State::Away);
        let waited = self.back.wait_timeout_while(self.state(), limit, away);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Away) {
            State::Here(half) => Ok(half),
            State::Away if limit < SLICE => {
                Err(Error::new("wait", &self.name, ErrorKind::TimedOut))
            }
            State::Away => Err(failed(libc::EINTR)),
            ended => {
                *state = ended;
                Err(failed(libc::EBADF))
            }
        }
    }

    pub(super) fn put(&self, half: T) {
        let mut state = self.state();
        let leaving = matches!(*state, State::Leaving);
        *state = if leaving { State::Closed } else { State::Here(half) };
        drop(state);
        self.back.notify_one();
    }

    /// Does at once what can be done at once, and else waits, while other threads run.
    pub(super) fn call<R: Send>(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        mut work: impl FnMut(&mut T, Timeout) -> unipc::Result<R> + Send,
    ) -> PyResult<R> {
        let would_block = || Error::new("wait", &self.name, ErrorKind::WouldBlock);
        let at_once = match self.take()? {
            Some(mut half) => {
                let result = work(&mut half, Timeout::TRY);
                self.put(half);
                result
            }
            None => Err(would_block()),
        };
        match at_once {
            Err(error) if timeout != Timeout::TRY && error.errno() == libc::EAGAIN => {}
            other => return other.map_err(raise),
        }
        wait(py, timeout, |left| {
            let mut half = self.take_within(left)?;
            let slice = match left {
                Timeout::After(left) if left <= SLICE => Timeout::After(left),
                _ if self.restless => Timeout::After(SLICE),
                other => other,
            };
            let result = work(&mut half, slice);
            self.put(half);
            match result {
                // Not the end, only time to look at the signals.
                Err(error) if slice != left && error.errno() == libc::ETIMEDOUT => {
                    Err(Error::new("wait", &self.name, ErrorKind::Os(libc::EINTR)))
                }
                other => other,
            }
        })
    }

    /// As [`Half::call`], and keeps it when the work is done: the caller puts it back.
    pub(super) fn call_and_keep<R: Send>(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        mut work: impl FnMut(&mut T, Timeout) -> unipc::Result<R> + Send,
    ) -> PyResult<(T, R)> {
        // Until it is done it must be there for other threads, between two looks at Python's signals.
        wait(py, timeout, |left| {
            let mut half = self.take_within(left)?;
            let slice = match left {
                Timeout::After(left) => Timeout::After(left.min(SLICE)),
                Timeout::Forever => Timeout::After(SLICE),
            };
            match work(&mut half, slice) {
                Ok(result) => Ok((half, result)),
                Err(error) => {
                    self.put(half);
                    if slice != left && error.errno() == libc::ETIMEDOUT {
                        return Err(Error::new("wait", &self.name, ErrorKind::Os(libc::EINTR)));
                    }
                    Err(error)
                }
            }
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.state(), State::Closed | State::Leaving)
    }

    /// Closes it now, or when the thread that has it is done.
    pub(super) fn close(&self) {
        let mut state = self.state();
        let next = if matches!(*state, State::Away | State::Leaving) {
            State::Leaving
        } else {
            State::Closed
        };
        let before = std::mem::replace(&mut *state, next);
        drop(state);
        drop(before);
        self.back.notify_all();
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }
}

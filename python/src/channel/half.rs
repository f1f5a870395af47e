// SPDX-License-Identifier: MIT OR Apache-2.0
//! A part of a handle that serves one thread at a time, for objects that any thread may use.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use pyo3::prelude::*;
use unipc::channel::{Client, QueueReceiver, ServiceReceiver, Subscriber};
use unipc::poll::{Wait, Waitable};
use unipc::{Error, ErrorKind, Name, Timeout};

use crate::error::{closed, raise};
use crate::wait::wait;

/// The longest wait for another thread, or in a call that does not sleep, without a look at Python's signals.
const SLICE: Duration = Duration::from_millis(50);

/// How often a wait looks for a message before it lets other threads run: for about 2 µs. To let them takes nearly as long as an answer.
const LOOKS: u32 = 40;

/// What receives.
pub(super) trait Receives {
    /// How often a try looks once more.
    fn look_more(&mut self, times: u32);
}

macro_rules! receive {
    ($($kind:ty),*) => {$(
        impl Receives for $kind {
            fn look_more(&mut self, times: u32) {
                <$kind>::look_more(self, times);
            }
        }
    )*};
}

receive!(QueueReceiver, Subscriber, ServiceReceiver, Client);

#[derive(Debug)]
enum State<T> {
    Here(Box<T>),
    /// Another thread has it.
    Away,
    /// It goes when the other thread is done with it.
    Leaving,
    Closed,
}

#[derive(Debug)]
struct Place<T> {
    state: State<T>,
    /// How many threads wait for it.
    waiting: usize,
    /// Who put it back while others waited: the next one is one of them.
    last: Option<ThreadId>,
    beside: Beside,
}

/// What can be had until it is closed, also while another thread has the half.
#[derive(Debug, Default)]
struct Beside {
    /// The half, to wait for.
    thing: Option<Waitable<'static>>,
    /// The descriptor of its memory.
    memory: Option<OwnedFd>,
}

/// Taken by the thread that uses it, and put back.
#[derive(Debug)]
pub(super) struct Half<T> {
    place: Mutex<Place<T>>,
    back: Condvar,
    name: Name,
    /// The process that has it. Of a child of fork it is not.
    process: u32,
    /// Its waits are made of slices: no signal ends one that does not sleep, or other threads have to come in.
    sliced: bool,
}

impl<T: Send> Half<T> {
    pub(super) fn new(half: T, name: Name, sliced: bool) -> Self {
        let (state, beside) = (State::Here(Box::new(half)), Beside::default());
        let place = Place { state, waiting: 0, last: None, beside };
        let process = std::process::id();
        Self { place: Mutex::new(place), back: Condvar::new(), name, process, sliced }
    }

    /// One that can be waited for among other things.
    pub(super) fn to_wait_for(half: T, name: Name, sliced: bool) -> PyResult<Self>
    where
        T: Wait,
    {
        let thing = half.waitable().map_err(raise)?.detached();
        let made = Self::new(half, name, sliced);
        made.place().beside.thing = Some(thing);
        Ok(made)
    }

    /// The same with the descriptor of its memory.
    pub(super) fn with_memory(self, memory: Option<OwnedFd>) -> Self {
        self.place().beside.memory = memory;
        self
    }

    fn place(&self) -> MutexGuard<'_, Place<T>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it if it is there. `None` when another thread has it.
    pub(super) fn take(&self) -> PyResult<Option<Box<T>>> {
        let mut place = self.place();
        match std::mem::replace(&mut place.state, State::Away) {
            State::Here(half) => Ok(Some(half)),
            // It was another thread of the parent's, and does not come back.
            State::Away if std::process::id() != self.process => Err(raise(self.not_here())),
            State::Away => Ok(None),
            ended => {
                place.state = ended;
                Err(closed(&self.name))
            }
        }
    }

    #[cold]
    fn not_here(&self) -> Error {
        let why = "this handle is the parent's: open the channel anew in a child of fork";
        Error::new("wait", &self.name, ErrorKind::InvalidArgument(why.into()))
    }

    /// Waits for another thread. `None` when it was closed.
    ///
    /// Errors: `EINTR` after a slice, so that the caller looks at Python's signals.
    fn take_within(&self, limit: Timeout) -> unipc::Result<Option<Box<T>>> {
        let me = std::thread::current().id();
        let failed = |kind| Err(Error::new("wait", &self.name, kind));
        let slice = match limit {
            Timeout::After(left) => left.min(SLICE),
            Timeout::Forever => SLICE,
        };
        let not_mine = |place: &mut Place<T>| match place.state {
            State::Away => true,
            State::Here(_) => place.last == Some(me) && place.waiting > 1,
            State::Leaving | State::Closed => false,
        };
        let mut place = self.place();
        place.waiting += 1;
        let waited = self.back.wait_timeout_while(place, slice, not_mine);
        let (mut place, _) = waited.unwrap_or_else(PoisonError::into_inner);
        place.waiting -= 1;
        place.last = None;
        match std::mem::replace(&mut place.state, State::Away) {
            State::Here(half) => Ok(Some(half)),
            State::Away if limit == Timeout::TRY => failed(ErrorKind::WouldBlock),
            State::Away if limit == Timeout::After(slice) => failed(ErrorKind::TimedOut),
            State::Away => failed(ErrorKind::Os(libc::EINTR)),
            ended => {
                place.state = ended;
                Ok(None)
            }
        }
    }

    pub(super) fn put(&self, half: Box<T>) {
        let mut place = self.place();
        let leaving = matches!(place.state, State::Leaving);
        place.state = if leaving { State::Closed } else { State::Here(half) };
        let waiting = place.waiting > 0;
        place.last = waiting.then(|| std::thread::current().id());
        drop(place);
        if waiting {
            self.back.notify_all();
        }
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
        let done = wait(py, timeout, |left| {
            let Some(mut half) = self.take_within(left)? else { return Ok(None) };
            let slice = match left {
                Timeout::After(left) if left <= SLICE => Timeout::After(left),
                _ if self.sliced => Timeout::After(SLICE),
                other => other,
            };
            let result = work(&mut half, slice);
            self.put(half);
            result.map(Some).map_err(|error| self.after_slice(error, slice != left))
        })?;
        done.ok_or_else(|| closed(&self.name))
    }

    /// As [`Half::call`], of what receives: who waits looks for a while first, with other threads outside.
    pub(super) fn receive<R: Send>(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        mut work: impl FnMut(&mut T, Timeout) -> unipc::Result<R> + Send,
    ) -> PyResult<R>
    where
        T: Receives,
    {
        let looks = if timeout == Timeout::TRY { 0 } else { LOOKS };
        self.call(py, timeout, |half, left| {
            half.look_more(looks);
            work(half, left)
        })
    }

    /// The end of a slice is not the end, only time to look at the signals.
    fn after_slice(&self, error: Error, sliced: bool) -> Error {
        if sliced && error.errno() == libc::ETIMEDOUT {
            return Error::new("wait", &self.name, ErrorKind::Os(libc::EINTR));
        }
        error
    }

    /// As [`Half::call`], and keeps it when the work is done: the caller puts it back.
    pub(super) fn call_and_keep<R: Send>(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        mut work: impl FnMut(&mut T, Timeout) -> unipc::Result<R> + Send,
    ) -> PyResult<(Box<T>, R)> {
        if let Some(mut half) = self.take()? {
            match work(&mut half, Timeout::TRY) {
                Ok(result) => return Ok((half, result)),
                Err(error) => {
                    self.put(half);
                    if timeout == Timeout::TRY || error.errno() != libc::EAGAIN {
                        return Err(raise(error));
                    }
                }
            }
        }
        let kept = wait(py, timeout, |left| {
            let Some(mut half) = self.take_within(left)? else { return Ok(None) };
            let slice = match left {
                Timeout::After(left) => Timeout::After(left.min(SLICE)),
                Timeout::Forever => Timeout::After(SLICE),
            };
            match work(&mut half, slice) {
                Ok(result) => Ok(Some((half, result))),
                Err(error) => {
                    self.put(half);
                    Err(self.after_slice(error, slice != left))
                }
            }
        })?;
        kept.ok_or_else(|| closed(&self.name))
    }

    /// This, to wait for among other things: at once, whatever another thread does with it meanwhile.
    pub(super) fn waitable(&self) -> PyResult<Waitable<'static>> {
        self.place().beside.thing.clone().ok_or_else(|| closed(&self.name))
    }

    /// The number of the descriptor of its memory, as soon.
    pub(super) fn memory_fd(&self) -> PyResult<RawFd> {
        let place = self.place();
        place.beside.memory.as_ref().map(OwnedFd::as_raw_fd).ok_or_else(|| closed(&self.name))
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.place().state, State::Closed | State::Leaving)
    }

    /// Closes it now, or when the thread that has it is done.
    pub(super) fn close(&self) {
        let mut place = self.place();
        let next = if matches!(place.state, State::Away | State::Leaving) {
            State::Leaving
        } else {
            State::Closed
        };
        let before = std::mem::replace(&mut place.state, next);
        let beside = std::mem::take(&mut place.beside);
        drop(place);
        drop((before, beside));
        self.back.notify_all();
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for any of several things: what `unipc.poll` and the asynchronous methods stand on.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unipc::poll::{Wait, Waitable};
use unipc::{Error, ErrorKind, Timeout};

use crate::channel::{Call, Client, Queue, Service, Subscriber, Topic};
use crate::error::raise;
use crate::mq::MessageQueue;
use crate::sem::{Semaphore, SemaphoreSet};
use crate::sync::{Event, Mutex as Lock, Once, RwLock, SyncSemaphore};
use crate::wait::{TimeoutArgument, limit, wait};

/// The longest wait without a look at signals that came just before it began.
const SLICE: Duration = Duration::from_millis(500);

/// A coroutine of `unipc._aio`.
pub(crate) fn coroutine<'py>(
    py: Python<'py>,
    name: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("unipc._aio")?.getattr(name)?.call1(arguments)
}

/// An object, or a pair of it and of "r", "w", "rw", or the index of a semaphore in a set.
pub(crate) fn waitable(thing: &Bound<'_, PyAny>) -> PyResult<Waitable<'static>> {
    if let Ok(pair) = thing.cast::<PyTuple>() {
        let (object, how): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        if let Ok(set) = object.cast::<SemaphoreSet>() {
            let index: u16 = how.extract()?;
            let of_set = |set: &unipc::SemaphoreSet| Ok(Waitable::of_set(set, index)?.detached());
            return set.get().at_once(|set| of_set(set))?.map_err(raise);
        }
        return match how.extract::<&str>()? {
            "r" => of(&object, true, false),
            "w" => of(&object, false, true),
            "rw" => of(&object, true, true),
            other => Err(PyValueError::new_err(format!(
                "it is waited for \"r\", \"w\" or \"rw\", not {other:?}"
            ))),
        };
    }
    of(thing, true, false)
}

fn of(object: &Bound<'_, PyAny>, read: bool, write: bool) -> PyResult<Waitable<'static>> {
    let py = object.py();
    if let Ok(it) = object.cast::<Queue>() {
        return it.get().waitable(write && !read);
    }
    if let Ok(it) = object.cast::<RwLock>() {
        let lock = &it.get().object;
        let thing = if write { Waitable::to_write(lock) } else { lock.waitable() };
        return thing.map(Waitable::detached).map_err(raise);
    }
    if let Ok(it) = object.cast::<MessageQueue>() {
        let queue = it.get().get()?;
        let polled = queue.fd().map(|fd| Waitable::raw(fd.as_raw_fd(), read, write));
        return polled.map_or_else(|| detached(&*queue), Ok);
    }
    if let Ok(it) = object.cast::<Topic>() {
        return it.get().waitable();
    }
    if let Ok(it) = object.cast::<Subscriber>() {
        return it.get().waitable();
    }
    if let Ok(it) = object.cast::<Service>() {
        return it.get().waitable();
    }
    if let Ok(it) = object.cast::<Client>() {
        return it.get().waitable(py, write && !read);
    }
    if let Ok(it) = object.cast::<Call>() {
        return it.get().waitable(py);
    }
    if let Ok(it) = object.cast::<Lock>() {
        return detached(&it.get().object);
    }
    if let Ok(it) = object.cast::<SyncSemaphore>() {
        return detached(&it.get().object);
    }
    if let Ok(it) = object.cast::<Event>() {
        return detached(&it.get().object);
    }
    if let Ok(it) = object.cast::<Once>() {
        return detached(&it.get().object);
    }
    if let Ok(it) = object.cast::<Semaphore>() {
        return detached(&*it.get().get()?);
    }
    descriptor(object).map(|fd| Waitable::raw(fd, read, write))
}

fn detached(thing: &impl Wait) -> PyResult<Waitable<'static>> {
    thing.waitable().map(Waitable::detached).map_err(raise)
}

/// A number, or what has `fileno`.
fn descriptor(object: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    let number = match object.getattr("fileno") {
        Ok(fileno) => fileno.call0()?.extract::<RawFd>()?,
        Err(_) => object.extract::<RawFd>().map_err(|_| {
            let kind = object.get_type();
            PyTypeError::new_err(format!("{kind} cannot be waited for, and has no fileno()"))
        })?,
    };
    if number < 0 {
        return Err(PyValueError::new_err(format!("{number} is no descriptor")));
    }
    Ok(number)
}

/// The descriptor that stands for a thing, and whether it is to be read, and written; None where there is none.
#[pyfunction]
pub(crate) fn poll_descriptor(thing: &Bound<'_, PyAny>) -> PyResult<Option<(RawFd, bool, bool)>> {
    Ok(waitable(thing)?.descriptor())
}

/// Waits for things that are known by numbers. `unipc.Poller` is made of it.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct Poller {
    poller: Mutex<unipc::poll::Poller<'static>>,
}

impl Poller {
    /// Errors: `RuntimeError` when another thread waits.
    fn poller(&self) -> PyResult<MutexGuard<'_, unipc::poll::Poller<'static>>> {
        match self.poller.try_lock() {
            Ok(poller) => Ok(poller),
            Err(TryLockError::Poisoned(poller)) => Ok(poller.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(PyRuntimeError::new_err("another thread waits with this poller"))
            }
        }
    }
}

#[pymethods]
impl Poller {
    #[new]
    fn new() -> Self {
        Self { poller: Mutex::new(unipc::poll::Poller::new()) }
    }

    /// Waits for one more thing.
    fn add(&self, thing: &Bound<'_, PyAny>, key: u64) -> PyResult<()> {
        let thing = waitable(thing)?;
        self.poller()?.add(thing, key).map_err(raise)
    }

    /// No longer waits for the thing with this number.
    fn remove(&self, key: u64) -> PyResult<()> {
        self.poller()?.remove(key).map_err(raise)
    }

    /// Waits until something is ready: the numbers of all that is.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Vec<u64>> {
        drop(self.poller()?);
        wait(py, limit(timeout), |left| {
            let mut poller = self.poller.lock().unwrap_or_else(PoisonError::into_inner);
            let (slice, is_last) = match left {
                Timeout::After(left) if left <= SLICE => (left, true),
                _ => (SLICE, false),
            };
            poller.wait(Timeout::After(slice)).map_err(|error| match error.kind() {
                // Time to look at the signals.
                ErrorKind::TimedOut if !is_last => {
                    Error::new("wait", error.object(), ErrorKind::Os(libc::EINTR))
                }
                _ => error,
            })
        })
    }
}

/// A descriptor for one thing that has none, for somebody else's event loop: readable while it is ready.
///
/// `thing` is what `unipc.wait` takes: a lock, an event, a System V queue. (The ends of channels have a `fileno` of their own.)
///
/// >>> import select
/// >>> from unipc import Doorbell, Event, SharedMemory
/// >>> event = Event(SharedMemory.create("anon:", 4096))
/// >>> bell = Doorbell(event)
/// >>> select.select([bell], [], [], 0)[0] == [bell]
/// False
/// >>> event.set()
/// >>> select.select([bell], [], [])[0] == [bell]
/// True
/// >>> event.reset()
/// >>> bell.arm()                      # it was taken: tell of the next time
/// >>> bell.close()
///
/// fork: it is the parent's.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Doorbell {
    bell: Mutex<Option<unipc::poll::Doorbell>>,
}

impl Doorbell {
    fn with<R>(&self, work: impl FnOnce(&unipc::poll::Doorbell) -> R) -> PyResult<R> {
        let bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        bell.as_ref().map(work).ok_or_else(|| PyValueError::new_err("the doorbell is closed"))
    }
}

#[pymethods]
impl Doorbell {
    #[new]
    fn new(thing: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bell = unipc::poll::Doorbell::new(&waitable(thing)?).map_err(raise)?;
        Ok(Self { bell: Mutex::new(Some(bell)) })
    }

    /// The descriptor, close-on-exec, valid until `close`.
    fn fileno(&self) -> PyResult<RawFd> {
        self.with(|bell| bell.as_fd().as_raw_fd())
    }

    /// To be called when the thing could not be taken: the descriptor is not readable after this, until the thing is ready.
    fn arm(&self) -> PyResult<()> {
        self.with(unipc::poll::Doorbell::arm)?.map_err(raise)
    }

    /// Closes the descriptor; the thing stays.
    fn close(&self) {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }
}

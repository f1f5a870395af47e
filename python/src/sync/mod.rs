// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks in shared memory: the classes of `unipc.sync`.
//!
//! Each call first tries without waiting, with the interpreter held; only what has to wait lets other threads run.

mod barrier;
mod condvar;
mod event;
mod mutex;
mod once;
mod rwlock;
mod semaphore;
mod status;

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use unipc::sync::{Form, Place};
use unipc::{Error, ErrorKind, Mode, Name, Timeout};

pub(crate) use barrier::Barrier;
pub(crate) use condvar::Condvar;
pub(crate) use event::Event;
pub(crate) use mutex::{Mutex, MutexRepair};
pub(crate) use once::Once;
pub(crate) use rwlock::{RwLock, RwLockSide};
pub(crate) use semaphore::SyncSemaphore;
pub(crate) use status::{MutexStatus, RwLockStatus, ThreadId};

use crate::error::raise;
use crate::name::NameArgument;
use crate::shm::SharedMemory;
use crate::wait::wait;

/// How often a wait looks for signals: where the C library does not let them end it, and where one may have come just
/// before the wait began.
pub(crate) fn look(form: Form) -> Duration {
    match form {
        Form::Robust => Duration::from_millis(500),
        Form::Pthread => Duration::from_millis(50),
    }
}

/// Which of the three constructors.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Open,
    Create,
    OpenOrCreate,
}

/// Where an object was found, so that another process can find it again.
pub(crate) struct Site {
    place: Py<PyAny>,
    offset: usize,
}

/// A `SharedMemory` with an offset, or a name.
pub(crate) struct PlaceArgument<'py> {
    memory: Option<std::sync::Arc<unipc::SharedMemory>>,
    name: Option<Name>,
    object: Bound<'py, PyAny>,
    offset: usize,
}

impl<'py> PlaceArgument<'py> {
    pub(crate) fn new(object: &Bound<'py, PyAny>, offset: usize) -> PyResult<Self> {
        let object = object.clone();
        if let Ok(memory) = object.cast::<SharedMemory>() {
            let memory = Some(memory.get().memory(object.py())?);
            return Ok(Self { memory, name: None, object, offset });
        }
        if offset != 0 {
            let why = "an object under a name of its own has no offset: open the memory, then the object in it";
            return Err(PyValueError::new_err(why));
        }
        let NameArgument(name) = object.extract()?;
        Ok(Self { memory: None, name: Some(name), object, offset })
    }

    /// Opens the object with other threads running, since it may wait for a creator.
    pub(crate) fn reach<R: Send>(
        &self,
        work: impl Fn(Place<'_>) -> unipc::Result<R> + Sync,
    ) -> PyResult<R> {
        let (memory, name, offset, work) = (&self.memory, &self.name, self.offset, &work);
        wait(self.object.py(), Timeout::Forever, move |_| match (memory, name) {
            (Some(memory), _) => work(Place::from((&**memory, offset))),
            (None, Some(name)) => work(Place::from(name.clone())),
            (None, None) => Err(Error::new("open", "", ErrorKind::Internal("no place".into()))),
        })
    }

    pub(crate) fn site(&self) -> Site {
        Site { place: self.object.clone().unbind(), offset: self.offset }
    }
}

impl Site {
    /// For `__reduce__`: the arguments that open the same object in another process.
    pub(crate) fn arguments(&self, py: Python<'_>) -> (Py<PyAny>, usize) {
        (self.place.clone_ref(py), self.offset)
    }
}

pub(crate) fn form(text: &str) -> PyResult<Form> {
    match text {
        "robust" => Ok(Form::Robust),
        "pthread" => Ok(Form::Pthread),
        other => {
            Err(PyValueError::new_err(format!("form is \"robust\" or \"pthread\", not {other:?}")))
        }
    }
}

pub(crate) fn form_name(form: Form) -> &'static str {
    match form {
        Form::Robust => "robust",
        Form::Pthread => "pthread",
    }
}

pub(crate) fn mode(bits: u32) -> PyResult<Mode> {
    Mode::new(bits).map_err(raise)
}

/// Did the wait come to nothing because there was no time, or no more?
fn is_over(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Tries with the interpreter held, then waits without it. `None`: the time is over.
pub(crate) fn get<R: Send>(
    py: Python<'_>,
    timeout: Timeout,
    form: Form,
    work: impl Fn(Timeout) -> unipc::Result<R> + Sync,
) -> PyResult<Option<R>> {
    match work(Timeout::TRY) {
        Ok(result) => return Ok(Some(result)),
        Err(error) if *error.kind() != ErrorKind::WouldBlock => return Err(raise(error)),
        Err(_) if timeout == Timeout::TRY => return Ok(None),
        Err(_) => {}
    }
    wait(py, timeout, |left| match in_pieces(left, look(form), &work) {
        Ok(result) => Ok(Some(result)),
        Err(error) if is_over(error.kind()) => Ok(None),
        Err(error) => Err(error),
    })
}

/// Waits that no signal may end are made short, and end as if one had come.
pub(crate) fn in_pieces<R>(
    left: Timeout,
    look: Duration,
    work: &impl Fn(Timeout) -> unipc::Result<R>,
) -> unipc::Result<R> {
    let (piece, last) = match left {
        Timeout::After(left) if left <= look => (left, true),
        Timeout::After(_) | Timeout::Forever => (look, false),
    };
    work(Timeout::After(piece)).map_err(|error| match error.kind() {
        ErrorKind::TimedOut if !last => {
            Error::new("wait", error.object(), ErrorKind::Os(libc::EINTR))
        }
        _ => error,
    })
}

/// For `__reduce__`: `unipc.sync._reopen` with what it needs.
pub(crate) fn reopen<'py>(
    py: Python<'py>,
    class: &'static str,
    place: Py<PyAny>,
    offset: usize,
    form: Option<&'static str>,
) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyAny>,))> {
    let function = py.import("unipc.sync")?.getattr("_reopen")?;
    let what = (class, place, offset, form).into_pyobject(py)?.into_any();
    Ok((function, (what,)))
}

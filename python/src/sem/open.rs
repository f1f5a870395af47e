// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a semaphore: create, open, open-or-create, in shared memory; and removing it by name.
#![allow(
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "keyword arguments in Python, each an independent switch"
)]

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use unipc::sem::Options;
use unipc::{Mode, Timeout};

use super::Semaphore;
use crate::error::raise;
use crate::name::NameArgument;
use crate::shm;
use crate::wait::{TimeoutArgument, wait};

/// Carries what was opened from the class methods to `__new__` of a subclass that they were called on.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct OpenedSemaphore(Mutex<Option<Semaphore>>);

/// The keyword arguments with which `open` gets the same handle again.
#[derive(Clone, Copy, Default, IntoPyObject)]
pub(super) struct Reopen {
    pub(super) index: u16,
    pub(super) binary: bool,
    pub(super) undo: Option<bool>,
}

impl Reopen {
    fn options(self) -> Options {
        let options = Options::new().index(self.index).binary(self.binary);
        match self.undo {
            Some(undo) => options.undo(undo),
            None => options,
        }
    }
}

/// How long to wait for a creator, where that was given.
pub(super) fn waiting(options: Options, timeout: Option<TimeoutArgument>) -> Options {
    match timeout {
        Some(timeout) => options.creator_timeout(timeout.0),
        None => options,
    }
}

pub(super) fn mode(bits: u32) -> PyResult<Mode> {
    Mode::new(bits).map_err(raise)
}

/// Opens, and makes an object of the class that was asked.
fn open<'py>(
    class: &Bound<'py, PyType>,
    reopen: Reopen,
    work: impl Fn() -> unipc::Result<unipc::Semaphore> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    // A signal's handlers run, then it is tried again.
    let semaphore = wait(class.py(), Timeout::Forever, move |_| work())?;
    object(class, Semaphore::new(semaphore, reopen, None))
}

fn object<'py>(class: &Bound<'py, PyType>, semaphore: Semaphore) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    if class.is(py.get_type::<Semaphore>()) {
        return Ok(Bound::new(py, semaphore)?.into_any());
    }
    let opened = OpenedSemaphore(Mutex::new(Some(semaphore)));
    class.call_method1(intern!(py, "__new__"), (class, opened))
}

#[pymethods]
impl Semaphore {
    #[new]
    #[pyo3(signature = (*arguments, **keywords))]
    fn __new__(
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let opened = match (arguments.get_item(0), keywords) {
            (Ok(first), None) => first.cast_into::<OpenedSemaphore>().ok(),
            _ => None,
        };
        opened
            .and_then(|opened| opened.get().0.lock().unwrap_or_else(PoisonError::into_inner).take())
            .ok_or_else(|| {
                PyTypeError::new_err(
                    "use Semaphore.create(name, value), open(name), open_or_create(name, value), \
                     create_in(shm, offset, value) or open_in(shm, offset)",
                )
            })
    }

    /// Creates the semaphore `name` with `value` units.
    ///
    /// It appears under its name only when it is complete: nobody ever sees another value first, even if the creator dies.
    ///
    /// - `mode`: the permission bits, exact whatever the umask; using it needs read and write.
    /// - `replace`: remove an object that has the name, then create.
    /// - `remove_on_close`: remove it when this handle is closed (not in a child of fork).
    /// - `binary`: `release` raises `EOVERFLOW` when the value is 1 or more already; each handle for itself.
    /// - `undo`: System V: whether the kernel gives back at the process's end. None: what `with` and `hold` hold; True: also
    ///   what `acquire` and `release` did; False: nothing.
    ///
    /// Raises `OSError`: `EEXIST` (`FileExistsError`) when the name is taken; `EINVAL` for a value above 2147483647 (System
    /// V: 32767) or a name that cannot be created; `ENOSPC` when `SEMMNI`, `SEMMNS` or `/dev/shm` is full; `EACCES`;
    /// `ENAMETOOLONG`; `EOPNOTSUPP` for other kinds of names, and for `undo=True` with a POSIX name. See
    /// `sem_open(3)`, `semget(2)`.
    ///
    /// >>> import os, unipc
    /// >>> name = f"/create-sem-{os.getpid()}"
    /// >>> semaphore = unipc.Semaphore.create(name, 3, remove_on_close=True)
    /// >>> semaphore
    /// <unipc.Semaphore '/create-sem-...' posix value 3>
    /// >>> semaphore.close()
    #[classmethod]
    #[pyo3(signature = (
        name, value, *, mode = 0o600, replace = false, remove_on_close = false, binary = false, undo = None,
    ))]
    fn create<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        value: u32,
        mode: u32,
        replace: bool,
        remove_on_close: bool,
        binary: bool,
        undo: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen { index: 0, binary, undo };
        let options = reopen
            .options()
            .mode(self::mode(mode)?)
            .replace(replace)
            .remove_on_drop(remove_on_close);
        open(cls, reopen, move || options.create(&name.0, value))
    }

    /// Opens the semaphore `name`, whoever made it.
    ///
    /// - `index`: which of a System V set.
    /// - `own_only`: refuse one that belongs to neither this user nor root (`EPERM`).
    /// - `creator_timeout`: seconds to wait for a living creator of a System V set to finish it; None: 5. A dead one is
    ///   noticed at once. Of sets that other programs make it waits for new, untouched ones, a second at most.
    /// - the others: as in `create`.
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`), `EACCES` (`PermissionError`; a System V set tells that only to who
    /// operates on it), `EPROTO` (`LayoutError`) when the file is too short for a semaphore, `EINVAL` when the set has no
    /// such index, `ETIMEDOUT` (`TimeoutError`) when the creator does not finish.
    #[classmethod]
    #[pyo3(name = "open", signature = (
        name, *, index = 0, own_only = false, remove_on_close = false, binary = false, undo = None,
        creator_timeout = None,
    ))]
    fn open_existing<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        index: u16,
        own_only: bool,
        remove_on_close: bool,
        binary: bool,
        undo: Option<bool>,
        creator_timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen { index, binary, undo };
        let options = waiting(reopen.options(), creator_timeout)
            .own_only(own_only)
            .remove_on_drop(remove_on_close);
        open(cls, reopen, move || options.open(&name.0))
    }

    /// Opens the semaphore, or creates it with `value` units when there is none; never changes one that is there.
    ///
    /// The arguments are those of `create` and `open`. Raises `OSError` as both do.
    ///
    /// >>> import os, unipc
    /// >>> name = f"/either-sem-{os.getpid()}"
    /// >>> first = unipc.Semaphore.open_or_create(name, 2)
    /// >>> second = unipc.Semaphore.open_or_create(name, 7)
    /// >>> first.acquire(), second.value
    /// (True, 1)
    /// >>> unipc.Semaphore.unlink(name)
    #[classmethod]
    #[pyo3(signature = (
        name, value, *, mode = 0o600, own_only = false, remove_on_close = false, binary = false, undo = None,
        creator_timeout = None,
    ))]
    fn open_or_create<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        value: u32,
        mode: u32,
        own_only: bool,
        remove_on_close: bool,
        binary: bool,
        undo: Option<bool>,
        creator_timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen { index: 0, binary, undo };
        let options = waiting(reopen.options(), creator_timeout)
            .mode(self::mode(mode)?)
            .own_only(own_only)
            .remove_on_drop(remove_on_close);
        open(cls, reopen, move || options.open_or_create(&name.0, value))
    }

    /// Makes a semaphore in shared memory, as `sem_init(3)` does: 32 bytes at `offset`, a multiple of 8, which C programs use
    /// by their address.
    ///
    /// Once, before anybody uses it, who must find out about that by other means: a second call resets it. A holder that
    /// dies keeps what he holds. The memory counts it as a view: closing the memory first is a `BufferError`.
    ///
    /// Raises `OSError`: `ERANGE` when the bytes are not all inside, `EINVAL` when they are not aligned or the value is too
    /// high, `EACCES` when the memory is read-only.
    ///
    /// >>> from unipc import Semaphore, SharedMemory
    /// >>> with SharedMemory.create("memfd:sem", 4096) as shm:
    /// ...     semaphore = Semaphore.create_in(shm, 64, 1)
    /// ...     Semaphore.open_in(shm, 64).acquire()
    /// ...     semaphore.value
    /// ...     semaphore.close()
    /// True
    /// 0
    #[classmethod]
    #[pyo3(signature = (shm, offset, value, *, binary = false))]
    fn create_in<'py>(
        cls: &Bound<'py, PyType>,
        shm: &Bound<'py, shm::SharedMemory>,
        offset: usize,
        value: u32,
        binary: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen { binary, ..Reopen::default() };
        let (user, region) = shm::User::place(shm, offset, unipc::Semaphore::SIZE)?;
        let semaphore = reopen.options().create_in(region, value).map_err(raise)?;
        object(cls, Semaphore::new(semaphore, reopen, Some(user)))
    }

    /// Uses a semaphore that somebody made in shared memory, with `sem_init(3)` or `create_in`. Raises as `create_in` does.
    #[classmethod]
    #[pyo3(signature = (shm, offset, *, binary = false))]
    fn open_in<'py>(
        cls: &Bound<'py, PyType>,
        shm: &Bound<'py, shm::SharedMemory>,
        offset: usize,
        binary: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen { binary, ..Reopen::default() };
        let (user, region) = shm::User::place(shm, offset, unipc::Semaphore::SIZE)?;
        let semaphore = reopen.options().open_in(region).map_err(raise)?;
        object(cls, Semaphore::new(semaphore, reopen, Some(user)))
    }

    /// Removes the semaphore of this name. Whoever has a POSIX one open keeps it; a System V set goes at once, and who waits
    /// for it gets `RemovedError`.
    ///
    /// Raises `OSError`: `ENOENT` (`EINVAL` for a System V identifier) when there is none, `EACCES` or `EPERM` when it is
    /// somebody else's, `EOPNOTSUPP` for other kinds of names. See `sem_unlink(3)`, `semctl(2)`.
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn unlink(name: NameArgument) -> PyResult<()> {
        unipc::Semaphore::unlink(&name.0).map_err(raise)
    }
}

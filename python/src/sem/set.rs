// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.SemaphoreSet`: several System V semaphores that one call changes together.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use unipc::sem::{Operation, Options};
use unipc::{Name, Timeout};

use super::open::{Reopen, mode, waiting};
use super::wait::{given, in_time};
use super::{Semaphore, helper};
use crate::error::{closed, raise};
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, wait};

/// A set of System V semaphores, which one call changes together or not at all.
///
/// Get one from `create`, `open` or `open_or_create`. `set[2]` is the third of them as a `Semaphore`; `len(set)` says how
/// many there are.
///
/// Lifetime: `close`, and the end of `with`, leave the set; `remove` and `unlink` remove it at once, and who waits for
/// it gets `RemovedError`.
///
/// Threads: any thread may call any method at any time, and who waits lets others run. Signal handlers run while it waits,
/// and Ctrl-C ends it. fork: the child's handle goes on working; the kernel's records of what to undo are not inherited.
/// pickle: gives the name, and opens again on the other side.
///
/// All methods raise `OSError`: `EIDRM` (`RemovedError`) when the set was removed, `EACCES` when its mode does not let
/// this user in.
///
/// >>> from unipc import SemaphoreSet, SemFlag
/// >>> with SemaphoreSet.create("sysv:private", [1, 0, 5], remove_on_close=True) as forks:
/// ...     forks.operate([(0, -1, SemFlag.UNDO), (2, -2, SemFlag.UNDO)], timeout=1)
/// ...     forks.values
/// ...     forks[2].release()
/// ...     forks.info(2).value
/// [0, 0, 3]
/// 4
#[pyclass(frozen, subclass, weakref, module = "unipc")]
pub(crate) struct SemaphoreSet {
    open: RwLock<Option<Arc<unipc::SemaphoreSet>>>,
    name: Name,
    id: i32,
    count: usize,
}

/// Carries what was opened from the class methods to `__new__` of a subclass that they were called on.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct OpenedSemaphoreSet(Mutex<Option<SemaphoreSet>>);

fn open<'py>(
    class: &Bound<'py, PyType>,
    work: impl Fn() -> unipc::Result<unipc::SemaphoreSet> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    // A signal's handlers run, then it is tried again.
    let set = SemaphoreSet::new(wait(py, Timeout::Forever, move |_| work())?);
    if class.is(py.get_type::<SemaphoreSet>()) {
        return Ok(Bound::new(py, set)?.into_any());
    }
    let opened = OpenedSemaphoreSet(Mutex::new(Some(set)));
    class.call_method1(intern!(py, "__new__"), (class, opened))
}

/// `(index, delta)` or `(index, delta, flags)`, as `struct sembuf` has them.
struct OperationArgument(Operation);

impl<'a, 'py> FromPyObject<'a, 'py> for OperationArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let (index, delta, flags) = match object.cast::<PyTuple>().map(|tuple| tuple.len()) {
            Ok(2) => {
                let (index, delta) = object.extract()?;
                (index, delta, 0)
            }
            Ok(3) => object.extract()?,
            _ => {
                return Err(PyTypeError::new_err(
                    "an operation is a tuple: (index, delta) or (index, delta, flags)",
                ));
            }
        };
        Ok(Self(Operation::from_raw(index, delta, flags)))
    }
}

impl SemaphoreSet {
    pub(super) fn new(set: unipc::SemaphoreSet) -> Self {
        Self {
            name: set.name().clone(),
            id: set.id(),
            count: set.len(),
            open: RwLock::new(Some(Arc::new(set))),
        }
    }

    /// For a call that does not wait, as in `Semaphore`.
    pub(crate) fn at_once<R>(
        &self,
        work: impl FnOnce(&Arc<unipc::SemaphoreSet>) -> R,
    ) -> PyResult<R> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(work).ok_or_else(|| closed(&self.name))
    }

    /// Operates at once where that can be, else detached.
    fn perform(
        &self,
        py: Python<'_>,
        operations: Vec<Operation>,
        timeout: Timeout,
    ) -> PyResult<unipc::Result<()>> {
        match self.at_once(|set| set.operate(&operations, Timeout::TRY))? {
            Err(error) if error.errno() == libc::EAGAIN && timeout != Timeout::TRY => {}
            other => return Ok(other),
        }
        let set = self.at_once(Arc::clone)?;
        // An errno that is an answer is passed through; only an interruption is dealt with on the way.
        wait(py, timeout, move |left| match set.operate(&operations, left) {
            Err(error) if error.errno() == libc::EINTR => Err(error),
            other => Ok(other),
        })
    }
}

#[pymethods]
impl SemaphoreSet {
    #[new]
    #[pyo3(signature = (*arguments, **keywords))]
    fn __new__(
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let opened = match (arguments.get_item(0), keywords) {
            (Ok(first), None) => first.cast_into::<OpenedSemaphoreSet>().ok(),
            _ => None,
        };
        opened
            .and_then(|opened| opened.get().0.lock().unwrap_or_else(PoisonError::into_inner).take())
            .ok_or_else(|| {
                PyTypeError::new_err(
                    "use SemaphoreSet.create(name, values), open(name) or open_or_create(name, values)",
                )
            })
    }

    /// Creates a set whose semaphores begin with `values`. Nobody gets to see it before it has them, even if the creator dies.
    ///
    /// - `mode`: the permission bits. Not 0o611, which marks a set that is being made.
    /// - `replace`: remove a set that has the key, then create; who waits for that gets `RemovedError`.
    /// - `remove_on_close`: remove it when this handle is closed (not in a child of fork).
    ///
    /// Raises `OSError`: `EEXIST` (`FileExistsError`) when the key is taken; `EINVAL` for no value, for more than `SEMMSL`,
    /// or a name that cannot be created; `ERANGE` for a value above 32767; `ENOSPC` when `SEMMNI` or `SEMMNS` is used up;
    /// `EOPNOTSUPP` for a name that is not System V's. See `semget(2)`.
    #[classmethod]
    #[pyo3(signature = (name, values, *, mode = 0o600, replace = false, remove_on_close = false))]
    fn create<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        values: Vec<u16>,
        mode: u32,
        replace: bool,
        remove_on_close: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options =
            Options::new().mode(self::mode(mode)?).replace(replace).remove_on_drop(remove_on_close);
        open(cls, move || options.create_set(&name.0, &values))
    }

    /// Opens a set, whoever made it.
    ///
    /// - `own_only`: refuse one that belongs to neither this user nor root (`EPERM`).
    /// - `creator_timeout`: seconds to wait for a living creator to finish it; None: 5. A dead one is noticed at once. Of sets
    ///   that other programs make it waits for new, untouched ones, a second at most.
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`); `EINVAL` when no set has this identifier; `ETIMEDOUT`
    /// (`TimeoutError`) when the creator does not finish.
    #[classmethod]
    #[pyo3(name = "open", signature = (
        name, *, own_only = false, remove_on_close = false, creator_timeout = None,
    ))]
    fn open_existing<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        own_only: bool,
        remove_on_close: bool,
        creator_timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = waiting(Options::new(), creator_timeout)
            .own_only(own_only)
            .remove_on_drop(remove_on_close);
        open(cls, move || options.open_set(&name.0))
    }

    /// Opens the set, or creates it with `values` when there is none.
    ///
    /// The arguments are those of `create` and `open`. Raises `OSError` as both do; `EINVAL` when the set exists and has fewer
    /// semaphores.
    #[classmethod]
    #[pyo3(signature = (
        name, values, *, mode = 0o600, own_only = false, remove_on_close = false, creator_timeout = None,
    ))]
    fn open_or_create<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        values: Vec<u16>,
        mode: u32,
        own_only: bool,
        remove_on_close: bool,
        creator_timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = waiting(Options::new(), creator_timeout)
            .mode(self::mode(mode)?)
            .own_only(own_only)
            .remove_on_drop(remove_on_close);
        open(cls, move || options.open_or_create_set(&name.0, &values))
    }

    /// Removes the set of this name. Raises as `Semaphore.unlink` does.
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn unlink(name: NameArgument) -> PyResult<()> {
        unipc::SemaphoreSet::unlink(&name.0).map_err(raise)
    }

    /// Does all of the operations in one step, or none, waiting until all can be done.
    ///
    /// - `operations`: `(index, delta)` or `(index, delta, flags)`, as `struct sembuf` has them: a positive delta gives, a
    ///   negative one takes and waits until it can, 0 waits until the value is 0. The flags are `SemFlag.UNDO`, for what the
    ///   kernel shall undo when this process ends, and `SemFlag.NO_WAIT`.
    /// - `timeout`: seconds to wait, by the monotonic clock; None for ever, 0 not at all.
    ///
    /// Raises `OSError`: `ETIMEDOUT` (`TimeoutError`) when it could not be done in time; `EAGAIN` (`BlockingIOError`) when it
    /// could not be done at once and was not to wait; `E2BIG` for more than `SEMOPM`; `EFBIG` for an index that the set does
    /// not have; `ERANGE` when a value, or what is to be undone, would pass 32767; `ENOSPC` when there is no room for another
    /// record of undoing. See `semop(2)`.
    #[pyo3(signature = (operations, timeout = None))]
    fn operate(
        &self,
        py: Python<'_>,
        operations: Vec<OperationArgument>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let operations = operations.into_iter().map(|operation| operation.0);
        self.perform(py, operations.collect(), given(timeout))?.map_err(raise)
    }

    /// Takes `amount` of one semaphore, waiting until there is as much. True when it was taken; False when there was not
    /// enough in time. Nothing is undone at the process's end; `with set[index]:` and `operate` do that.
    ///
    /// Raises as `operate` does otherwise.
    #[pyo3(signature = (index, amount = 1, timeout = None))]
    fn acquire(
        &self,
        py: Python<'_>,
        index: u16,
        amount: u16,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<bool> {
        let taken = self.at_once(|set| in_time(set.acquire(index, amount, Timeout::TRY)))?;
        let (taken, timeout) = (taken.map_err(raise)?, given(timeout));
        if taken || timeout == Timeout::TRY {
            return Ok(taken);
        }
        let set = self.at_once(Arc::clone)?;
        wait(py, timeout, move |left| in_time(set.acquire(index, amount, left)))
    }

    /// Gives `amount` to one semaphore. Raises as `operate` does.
    #[pyo3(signature = (index, amount = 1))]
    fn release(&self, index: u16, amount: u16) -> PyResult<()> {
        self.at_once(|set| set.release(index, amount))?.map_err(raise)
    }

    /// Waits until the value of one semaphore is 0. True when it was; False when it was not in time.
    ///
    /// Raises as `operate` does otherwise.
    #[pyo3(signature = (index, timeout = None))]
    fn wait_zero(
        &self,
        py: Python<'_>,
        index: u16,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<bool> {
        let done = self.perform(py, vec![Operation::wait_zero(index)], given(timeout))?;
        in_time(done).map_err(raise)
    }

    fn __len__(&self) -> usize {
        self.count
    }

    /// One semaphore of the set, which leaves the set alone when it is closed.
    fn __getitem__(&self, index: isize) -> PyResult<Semaphore> {
        let count = self.count.cast_signed();
        let place = if index < 0 { index + count } else { index };
        let index = u16::try_from(place).ok().filter(|&place| usize::from(place) < self.count);
        let index = index.ok_or_else(|| {
            PyIndexError::new_err(format!("{} has {count} semaphores", self.name))
        })?;
        let semaphore = self.at_once(|set| set.semaphore(index))?.map_err(raise)?;
        Ok(Semaphore::new(semaphore, Reopen { index, ..Reopen::default() }, None))
    }

    /// The name in its one spelling; of a private set `sysv:id=NUMBER`.
    #[getter]
    fn name(&self) -> OsString {
        self.name.to_os_string()
    }

    /// The identifier, as `ipcs` shows it.
    #[getter]
    fn id(&self) -> i32 {
        self.id
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.open.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Ends the handle. Closing twice is fine; the set itself stays. Threads that wait on it go on waiting.
    fn close(&self) {
        let last = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(last);
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().at_once(|_| ())?;
        Ok(slf)
    }

    /// Closes.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let class = slf.get_type().qualname()?;
        let state = match this.at_once(|set| set.values()) {
            Err(_) => "closed".to_owned(),
            Ok(Ok(values)) => format!("{values:?}"),
            Ok(Err(error)) => unipc::errname(error.errno()),
        };
        let name = this.name.to_os_string().into_pyobject(slf.py())?.repr()?;
        Ok(format!("<unipc.{class} {name} {state}>"))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (this, py) = (slf.get(), slf.py());
        this.at_once(|_| ())?;
        let function = helper(py, intern!(py, "_open"))?;
        (function, (slf.get_type(), this.name(), PyDict::new(py))).into_pyobject(py)
    }
}

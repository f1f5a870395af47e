// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V sets: several semaphores that one call changes together, or not at all.

use nix::errno::Errno;
use zerocopy::IntoBytes;

use super::{Operation, Semaphore, birth, limits};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::semctl;
use crate::sys::{pid::process_id, timer};
use crate::time::{Deadline, Timeout};

/// How many operations are tried without an allocation.
const FEW: usize = 8;

/// A set of System V semaphores. Dropping it leaves the set; [`SemaphoreSet::remove`] removes it.
///
/// | of `semctl` | here |
/// |---|---|
/// | `GETVAL`, `SETVAL`, `GETALL`, `SETALL` | [`value`](Self::value), [`set_value`](Self::set_value), [`values`](Self::values), [`set_values`](Self::set_values) |
/// | `GETPID`, `GETNCNT`, `GETZCNT` | [`last_pid`](Self::last_pid), [`waiting_increase`](Self::waiting_increase), [`waiting_zero`](Self::waiting_zero); [`info`](Self::info) for all |
/// | `IPC_STAT`, `IPC_SET`, `IPC_RMID` | [`stat`](Self::stat), [`set`](Self::set), [`remove`](Self::remove) |
/// | `IPC_INFO`, `SEM_INFO`, `SEM_STAT_ANY` | [`limits`](super::limits()), [`usage`](super::usage), [`list`](Self::list) |
///
/// Threads: `Sync`; any number may operate and wait at once. fork: a child may use the handle; what it undoes at its end
/// is its own, since the kernel's records are not inherited. exec: the records stay with the process.
///
/// ```
/// use unipc::sem::Operation;
/// use unipc::{SemaphoreSet, Timeout};
///
/// # fn main() -> unipc::Result<()> {
/// let set = unipc::sem::Options::new().remove_on_drop(true).create_set("sysv:private", &[1, 0, 5])?;
/// // One of the first and two of the third, or nothing.
/// set.operate(&[Operation::new(0, -1), Operation::new(2, -2)], Timeout::TRY)?;
/// assert_eq!(set.values()?, [0, 0, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SemaphoreSet {
    id: i32,
    count: u16,
    name: Name,
    /// The process that asked for removal on drop; a child of fork must not carry it out.
    remover: Option<u32>,
}

impl SemaphoreSet {
    /// Creates a set with these values. Nobody gets to see it before it has them; see [`Options::create_set`].
    ///
    /// Errors: as [`Options::create_set`].
    ///
    /// [`Options::create_set`]: super::Options::create_set
    #[doc(alias = "semget")]
    pub fn create(name: impl TryInto<Name, Error: Into<Error>>, values: &[u16]) -> Result<Self> {
        super::Options::new().create_set(name, values)
    }

    /// Opens a set that exists. Errors: as [`Options::open_set`](super::Options::open_set).
    pub fn open(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        super::Options::new().open_set(name)
    }

    /// Opens the set, or creates it with these values. Errors: as
    /// [`Options::open_or_create_set`](super::Options::open_or_create_set).
    pub fn open_or_create(
        name: impl TryInto<Name, Error: Into<Error>>,
        values: &[u16],
    ) -> Result<Self> {
        super::Options::new().open_or_create_set(name, values)
    }

    /// Removes the set of this name, at once: who waits for it is told `EIDRM`.
    ///
    /// Errors: as [`Semaphore::unlink`].
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        let name = name.try_into().map_err(Into::into)?;
        if let Name::SystemV(_) = name {
            return Semaphore::unlink(name);
        }
        Err(super::get::not_a_set().during("unlink", &name))
    }

    pub(super) fn new(id: i32, count: u16, name: Name) -> Self {
        Self { id, count, name, remover: None }
    }

    pub(super) fn removed_on_drop(mut self, wanted: bool) -> Self {
        self.remover = wanted.then(process_id);
        self
    }

    /// The name: of a private set its identifier.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The identifier, as `ipcs` shows it.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// How many semaphores there are (`sem_nsems`).
    #[allow(clippy::len_without_is_empty, reason = "an empty set cannot exist")]
    pub fn len(&self) -> usize {
        self.count.into()
    }

    /// One semaphore of the set as a [`Semaphore`], which leaves the set alone when it is dropped.
    ///
    /// Errors: `EINVAL` when the set has no such semaphore.
    pub fn semaphore(&self, index: u16) -> Result<Semaphore> {
        if index >= self.count {
            return Err(self.failed("semaphore", self.no_such(index)));
        }
        Ok(Semaphore::of_set(self.again(), index))
    }

    /// A second handle on the same set, which does not remove it when it is dropped.
    pub fn again(&self) -> Self {
        Self::new(self.id, self.count, self.name.clone())
    }

    /// [`semop`, `semtimedop`](https://man7.org/linux/man-pages/man2/semop.2.html) - does all of the operations, or none,
    /// waiting until all can be done.
    ///
    /// `timeout` is measured by the monotonic clock.
    ///
    /// Errors: `EAGAIN` when it is a try, or an operation says [`no_wait`](Operation::no_wait), and it cannot be done
    /// at once; `ETIMEDOUT`; `EINTR`; `EIDRM` when the set was removed. `E2BIG`: more operations than `SEMOPM`;
    /// `EFBIG`: an index that the set does not have; `ERANGE`: a value, or what is to be undone, would pass `SEMVMX`;
    /// `ENOSPC`: no room for another record of undoing; `EACCES`; `EINVAL` without operations.
    #[doc(alias = "semop")]
    #[doc(alias = "semtimedop")]
    #[inline]
    pub fn operate(&self, operations: &[Operation], timeout: Timeout) -> Result<()> {
        self.perform(operations, timeout).map_err(|kind| {
            limits::explain_operation(self.failed("operate", kind), self, operations)
        })
    }

    #[inline]
    pub(super) fn perform(
        &self,
        operations: &[Operation],
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        if timeout == Timeout::TRY {
            return self.call_at_once(operations).map_err(|errno| match errno {
                Errno::EAGAIN => ErrorKind::WouldBlock,
                errno => self.told(errno),
            });
        }
        // Where some wait and some do not, the kernel says the same of both, and only the time tells them apart.
        let waits = |operation: &Operation| operation.waits();
        let all_wait = || operations.iter().all(waits);
        let is_mixed = timeout != Timeout::Forever && !all_wait() && operations.iter().any(waits);
        let deadline = is_mixed.then(|| timeout.deadline());
        self.call(operations, timeout).map_err(|errno| match errno {
            Errno::EAGAIN if deadline.map_or_else(all_wait, Deadline::has_passed) => {
                ErrorKind::TimedOut
            }
            Errno::EAGAIN => ErrorKind::WouldBlock,
            errno => self.told(errno),
        })
    }

    /// A try says so in each operation: with a time limit of 0 a signal that is pending would end it with `EINTR`.
    #[inline(never)]
    fn call_at_once(&self, operations: &[Operation]) -> nix::Result<()> {
        // Few, as nearly always, need no allocation.
        let mut few = [Operation::new(0, 0); FEW];
        let many: Vec<_>;
        let at_once = if let Some(places) = few.get_mut(..operations.len()) {
            for (place, operation) in places.iter_mut().zip(operations) {
                *place = operation.no_wait(true);
            }
            &*places
        } else {
            many = operations.iter().map(|operation| operation.no_wait(true)).collect();
            &many
        };
        semctl::semop(self.id, at_once.as_bytes())
    }

    /// As `perform`, for one operation that waits, unless it is a try.
    #[inline]
    pub(super) fn perform_one(
        &self,
        operation: Operation,
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let operation = operation.no_wait(timeout == Timeout::TRY);
        self.call(&[operation], timeout).map_err(|errno| match errno {
            Errno::EAGAIN if timeout != Timeout::Forever => timeout.expired(),
            errno => self.told(errno),
        })
    }

    #[inline]
    fn call(&self, operations: &[Operation], timeout: Timeout) -> nix::Result<()> {
        match timeout {
            Timeout::After(limit) if !limit.is_zero() => {
                semctl::semop_within(self.id, operations.as_bytes(), timer::timespec(limit))
            }
            _ => semctl::semop(self.id, operations.as_bytes()),
        }
    }

    /// Takes `amount` of one semaphore, waiting until there is as much. See [`SemaphoreSet::operate`].
    pub fn acquire(&self, index: u16, amount: u16, timeout: Timeout) -> Result<()> {
        let delta = self.delta("acquire", amount)?;
        self.operate(&[Operation::new(index, -delta)], timeout)
    }

    /// Gives `amount` back to one semaphore. Errors: as [`SemaphoreSet::operate`].
    pub fn release(&self, index: u16, amount: u16) -> Result<()> {
        let delta = self.delta("release", amount)?;
        self.operate(&[Operation::new(index, delta)], Timeout::Forever)
    }

    /// Waits until the value of one semaphore is 0. Errors: as [`SemaphoreSet::operate`].
    pub fn wait_zero(&self, index: u16, timeout: Timeout) -> Result<()> {
        self.operate(&[Operation::wait_zero(index)], timeout)
    }

    fn delta(&self, operation: &'static str, amount: u16) -> Result<i16> {
        match i16::try_from(amount) {
            Ok(delta) if delta > 0 => Ok(delta),
            _ => {
                let why = "an amount is a number from 1 to 32767";
                Err(self.failed(operation, ErrorKind::invalid(why)))
            }
        }
    }

    /// `GETVAL`: the value of one semaphore.
    ///
    /// Errors, here and in what follows: `EINVAL` when the set has no such semaphore, `EIDRM` when it was removed, `EACCES`.
    #[doc(alias = "GETVAL")]
    #[doc(alias = "semctl")]
    pub fn value(&self, index: u16) -> Result<u16> {
        // The kernel keeps values between 0 and SEMVMX, 32767.
        self.ask("value", index, libc::GETVAL).map(|value| u16::try_from(value).unwrap_or(u16::MAX))
    }

    /// `SETVAL`: sets one semaphore, and wakes those whose turn comes by it.
    ///
    /// Every process's record of what to undo for this semaphore is forgotten, as `semctl(2)` says: a holder that dies
    /// afterwards gives nothing back. Set values while nobody holds any.
    ///
    /// Errors: also `ERANGE` above `SEMVMX`, 32767.
    #[doc(alias = "SETVAL")]
    pub fn set_value(&self, index: u16, value: u16) -> Result<()> {
        semctl::set_value(self.id, index.into(), value.into()).map_err(|errno| {
            limits::explain_value(self.failed("set_value", self.told_of(index, errno)))
        })
    }

    /// `GETALL`: all values, read in one step.
    #[doc(alias = "GETALL")]
    pub fn values(&self) -> Result<Vec<u16>> {
        semctl::get_all(self.id).map_err(|errno| self.failed("values", self.told(errno)))
    }

    /// `SETALL`: sets all values in one step. Forgets what was to be undone, as [`SemaphoreSet::set_value`] does.
    ///
    /// Errors: `EINVAL` unless there are as many values as semaphores; `ERANGE` above `SEMVMX`, 32767.
    #[doc(alias = "SETALL")]
    pub fn set_values(&self, values: &[u16]) -> Result<()> {
        if values.len() != self.len() {
            let why = format!(
                "the set has {} semaphores, {} values were given",
                self.count,
                values.len()
            );
            return Err(self.failed("set_values", ErrorKind::invalid(why)));
        }
        semctl::set_all(self.id, values)
            .map_err(|errno| limits::explain_value(self.failed("set_values", self.told(errno))))
    }

    /// `GETPID`: the process that changed the semaphore last; 0 for none, or one of another PID namespace.
    #[doc(alias = "GETPID")]
    pub fn last_pid(&self, index: u16) -> Result<i32> {
        self.ask("last_pid", index, libc::GETPID)
    }

    /// `GETNCNT`: how many wait for the value to increase.
    #[doc(alias = "GETNCNT")]
    pub fn waiting_increase(&self, index: u16) -> Result<u32> {
        self.ask("waiting_increase", index, libc::GETNCNT).map(i32::cast_unsigned)
    }

    /// `GETZCNT`: how many wait for the value to become 0.
    #[doc(alias = "GETZCNT")]
    pub fn waiting_zero(&self, index: u16) -> Result<u32> {
        self.ask("waiting_zero", index, libc::GETZCNT).map(i32::cast_unsigned)
    }

    fn ask(&self, operation: &'static str, index: u16, command: i32) -> Result<i32> {
        semctl::get(self.id, index.into(), command)
            .map_err(|errno| self.failed(operation, self.told_of(index, errno)))
    }

    pub(super) fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.name)
    }

    /// A set that this handle had and that is no more was removed: the kernel says `EINVAL` when that was before the call.
    #[cold]
    pub(super) fn told(&self, errno: Errno) -> ErrorKind {
        match errno {
            Errno::EIDRM => ErrorKind::Removed,
            Errno::EINVAL if !birth::exists(self.id) => ErrorKind::Removed,
            errno => errno.into(),
        }
    }

    fn told_of(&self, index: u16, errno: Errno) -> ErrorKind {
        match self.told(errno) {
            ErrorKind::Os(libc::EINVAL) if index >= self.count => self.no_such(index),
            other => other,
        }
    }

    pub(super) fn no_such(&self, index: u16) -> ErrorKind {
        ErrorKind::invalid(format!("the set has {} semaphores, there is no {index}", self.count))
    }
}

impl Drop for SemaphoreSet {
    fn drop(&mut self) {
        if self.remover.is_some_and(|remover| remover == process_id()) {
            // Somebody else may have removed it already, which is what was wanted.
            let _ = semctl::remove(self.id);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores: a number of units that processes and threads take and give back, and wait for.
//!
//! | name | is | a dead holder's units |
//! |---|---|---|
//! | `/demo` | POSIX, a file in `/dev/shm` | stay taken |
//! | `sysv:…` | one of a System V set, which [`SemaphoreSet`] has at full fidelity | come back (`SEM_UNDO`) |
//! | in a [`Region`] of shared memory | POSIX, `sem_init(3)` | stay taken |
//!
//! Value, acquire, release, timeout and try mean the same for all of them; programs that never heard of this library
//! (`sem_open`, `semop`, `posix_ipc`, `sysv_ipc`, `ipcmk`) use the same objects.
//!
//! **What a crash does.** The kernel knows who holds a System V semaphore, if it is told: [`Semaphore::hold`] tells it.
//! When the holder dies, by SIGKILL too, its units come back and the next one goes on. Nobody knows who holds a POSIX
//! semaphore: when its holder dies, everybody else waits for ever, or until his timeout. Take POSIX semaphores for signals and
//! counts, and what must survive its holder, such as a lock, from System V; the robust mutex and semaphore in shared
//! memory will say, moreover, that the owner died.
//!
//! ```
//! use std::time::Duration;
//! use unipc::{Semaphore, Timeout};
//!
//! # fn main() -> unipc::Result<()> {
//! # let name = format!("sysv:{:#x}", 0x5000_0000 | std::process::id());
//! // A lock, in any process: opened, or created by the first who comes, never half-made.
//! let semaphore = Semaphore::open_or_create(name.as_str(), 1)?;
//! {
//!     let _held = semaphore.hold(Timeout::After(Duration::from_secs(1)))?;
//!     assert_eq!(semaphore.value()?, 0);
//! } // given back here; or by the kernel, should the process die before
//! assert_eq!(semaphore.value()?, 1);
//!
//! Semaphore::unlink(name.as_str())?; // closing alone never removes
//! # Ok(())
//! # }
//! ```

mod birth;
mod get;
mod guard;
mod limits;
mod operation;
mod options;
mod posix;
mod set;
mod status;

pub use guard::{Guard, Holdings, OwnedGuard};
pub use limits::{Limits, Usage, limits, usage};
pub use operation::Operation;
pub use options::Options;
pub use set::SemaphoreSet;
pub use status::{Info, Status};

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::map::{Placed, Region};
use crate::name::Name;
use crate::sys::pid::process_id;
use crate::sys::sem::Sem;
use crate::time::Timeout;

/// What a [`Semaphore`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Backing {
    /// One of a System V set.
    SystemV = 1,
    /// A POSIX semaphore with a name.
    Posix = 2,
    /// A POSIX semaphore in shared memory.
    Memory = 3,
}

#[derive(Debug)]
enum Kind {
    SystemV { set: SemaphoreSet, index: u16 },
    Posix { semaphore: Placed<Sem>, identity: posix::Identity },
    Memory(Placed<Sem>),
}

/// A semaphore. Dropping it closes it; the object stays until it is unlinked.
///
/// Threads: `Sync`; any number may acquire, wait and release at once. fork: a child may use the handle; what its parent
/// holds remains its parent's. exec: the handle ends; what is to be undone at the process's end is still undone then.
///
/// A POSIX semaphore is memory that whoever may write its file can also truncate, which is SIGBUS for all who use it,
/// as with `sem_open`; the mode, 0600 unless said otherwise, is what protects it.
#[derive(Debug)]
pub struct Semaphore {
    kind: Kind,
    name: Name,
    undo: Option<bool>,
    binary: bool,
    /// The process that asked for removal on drop, or 0; a child of fork must not carry it out.
    remover: AtomicU32,
}

impl Semaphore {
    /// How many bytes a semaphore takes in shared memory: `sizeof(sem_t)`.
    pub const SIZE: usize = size_of::<libc::sem_t>();

    /// At a multiple of how many bytes it must lie there.
    pub const ALIGNMENT: usize = align_of::<libc::sem_t>();

    /// Creates a semaphore with this value. Errors: as [`Options::create`].
    #[doc(alias = "sem_open")]
    pub fn create(name: impl TryInto<Name, Error: Into<Error>>, value: u32) -> Result<Self> {
        Options::new().create(name, value)
    }

    /// Opens a semaphore that exists. Errors: as [`Options::open`].
    #[doc(alias = "sem_open")]
    pub fn open(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(name)
    }

    /// Opens the semaphore, or creates it with this value when there is none. Errors: as [`Options::open_or_create`].
    pub fn open_or_create(
        name: impl TryInto<Name, Error: Into<Error>>,
        value: u32,
    ) -> Result<Self> {
        Options::new().open_or_create(name, value)
    }

    /// Makes a semaphore in shared memory. Errors: as [`Options::create_in`].
    #[doc(alias = "sem_init")]
    pub fn create_in(region: Region, value: u32) -> Result<Self> {
        Options::new().create_in(region, value)
    }

    /// Uses a semaphore that somebody made in shared memory. Errors: as [`Options::open_in`].
    pub fn open_in(region: Region) -> Result<Self> {
        Options::new().open_in(region)
    }

    /// How, if not by default.
    pub fn options() -> Options {
        Options::new()
    }

    fn of_set(set: SemaphoreSet, index: u16) -> Self {
        let name = set.name().clone();
        Self {
            kind: Kind::SystemV { set, index },
            name,
            undo: None,
            binary: false,
            remover: AtomicU32::new(0),
        }
    }

    /// Takes one unit, waiting until there is one: the P of Dijkstra, `sem_wait(3)`, `semop(2)` with -1.
    ///
    /// Nothing is undone should this process die ([`Options::undo`] changes that for System V); [`Semaphore::hold`] is for
    /// what the same process gives back.
    ///
    /// `timeout` is measured by the monotonic clock, whatever the wall clock does.
    ///
    /// Errors: `EAGAIN` when it is a try and the value is 0; `ETIMEDOUT`; `EINTR` when a signal handler ran; `EIDRM` when
    /// the System V set was removed, also while waiting; `EACCES`.
    #[doc(alias = "sem_wait")]
    #[doc(alias = "sem_timedwait")]
    #[doc(alias = "sem_clockwait")]
    #[doc(alias = "semop")]
    #[inline]
    pub fn acquire(&self, timeout: Timeout) -> Result<()> {
        self.take(self.undo == Some(true), timeout).map_err(|kind| self.explained("acquire", kind))
    }

    /// Takes one unit if there is one; false if not. Errors: as [`Semaphore::acquire`] without `EAGAIN`.
    #[doc(alias = "sem_trywait")]
    #[doc(alias = "IPC_NOWAIT")]
    pub fn try_acquire(&self) -> Result<bool> {
        match self.take(self.undo == Some(true), Timeout::TRY) {
            Ok(()) => Ok(true),
            Err(ErrorKind::WouldBlock) => Ok(false),
            Err(kind) => Err(self.explained("acquire", kind)),
        }
    }

    /// Takes one unit for a scope: the guard gives it back.
    ///
    /// Should the process die first, by whatever cause, the kernel gives a unit of a System V semaphore back
    /// (unless [`Options::undo`] is false). A POSIX semaphore then stays taken, see the [module](self).
    ///
    /// Errors: as [`Semaphore::acquire`]; `ENOSPC` when the kernel has no room for another record of what to undo.
    #[doc(alias = "SEM_UNDO")]
    pub fn hold(&self, timeout: Timeout) -> Result<Guard<'_>> {
        self.take_held(timeout)?;
        Ok(Guard::new(self))
    }

    /// As [`Semaphore::hold`], with a guard that shares the semaphore. Errors: as there.
    pub fn hold_owned(self: &Arc<Self>, timeout: Timeout) -> Result<OwnedGuard> {
        self.take_held(timeout)?;
        Ok(OwnedGuard::new(Arc::clone(self)))
    }

    fn take_held(&self, timeout: Timeout) -> Result<()> {
        self.take(self.undo != Some(false), timeout).map_err(|kind| self.explained("hold", kind))
    }

    fn give_back_held(&self) -> Result<()> {
        self.give(self.undo != Some(false)).map_err(|kind| self.explained("release", kind))
    }

    /// Gives one unit, and wakes one who waits: the V of Dijkstra, `sem_post(3)`, `semop(2)` with +1.
    ///
    /// Any process may, whoever has acquired. POSIX: async-signal-safe while it succeeds.
    ///
    /// Errors: `EOVERFLOW` when the value is the highest already (POSIX 2147483647, System V 32767, binary 1); `EIDRM` when
    /// the System V set was removed; `EACCES`.
    #[doc(alias = "sem_post")]
    #[inline]
    pub fn release(&self) -> Result<()> {
        self.give(self.undo == Some(true)).map_err(|kind| self.explained("release", kind))
    }

    /// The value now, 0 to the highest one; it may be another by the time it is looked at.
    ///
    /// How many wait is told apart, by System V only: [`SemaphoreSet::waiting_increase`].
    ///
    /// Errors: `EIDRM` when the System V set was removed; `EACCES`.
    #[doc(alias = "sem_getvalue")]
    #[doc(alias = "GETVAL")]
    pub fn value(&self) -> Result<u32> {
        match &self.kind {
            Kind::SystemV { set, index } => set.value(*index).map(u32::from),
            Kind::Posix { semaphore, .. } | Kind::Memory(semaphore) => {
                semaphore.value().map_err(|errno| self.failed("value", errno.into()))
            }
        }
    }

    /// A second handle on the same semaphore, which does not remove it when it is dropped.
    pub(crate) fn again(&self) -> Self {
        let kind = match &self.kind {
            Kind::SystemV { set, index } => Kind::SystemV { set: set.again(), index: *index },
            Kind::Posix { semaphore, identity } => {
                Kind::Posix { semaphore: semaphore.clone(), identity: *identity }
            }
            Kind::Memory(semaphore) => Kind::Memory(semaphore.clone()),
        };
        let (name, undo, binary) = (self.name.clone(), self.undo, self.binary);
        Self { kind, name, undo, binary, remover: AtomicU32::new(0) }
    }

    /// Removes the semaphore of this name. Who has a POSIX one open keeps it; a System V set goes at once, with all
    /// its semaphores, and who waits for it is told `EIDRM`.
    ///
    /// Errors: `ENOENT` (`EINVAL` for a System V identifier) when there is none, `EACCES` or `EPERM` when it is
    /// somebody else's, `EOPNOTSUPP` for names that are neither POSIX nor System V.
    #[doc(alias = "sem_unlink")]
    #[doc(alias = "IPC_RMID")]
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        let name = name.try_into().map_err(Into::into)?;
        let result = match &name {
            Name::Posix(file) => posix::path(file)
                .and_then(|path| nix::unistd::unlink(&path).map_err(ErrorKind::from)),
            _ => get::unlink(&name),
        };
        result.map_err(|kind| limits::explain(kind.during("unlink", &name), &name, 0))
    }

    /// Removes this very semaphore; of System V its whole set.
    ///
    /// Errors: `ESTALE` when the name belongs to another one by now, `ENOENT` (`EIDRM` for System V) when it is gone
    /// already, `EPERM`, `EACCES`; `EOPNOTSUPP` in shared memory, where it goes with the memory.
    pub fn remove(&self) -> Result<()> {
        let result = match (&self.kind, &self.name) {
            (Kind::SystemV { set, .. }, _) => return set.remove(),
            (Kind::Posix { identity, .. }, Name::Posix(file)) => {
                posix::path(file).and_then(|path| posix::remove(&path, *identity))
            }
            _ => Err(ErrorKind::unsupported("a semaphore in shared memory goes with its memory")),
        };
        result.map_err(|kind| self.failed("remove", kind))
    }

    /// Does now what dropping it would do: removes the object, if [`Options::remove_on_drop`] was asked for by this process.
    /// Once; for owners that cannot drop it yet.
    pub fn close(&self) {
        // SYNC: a number alone, taken by one.
        let remover = self.remover.swap(0, Ordering::Relaxed);
        if remover != 0 && remover == process_id() {
            // Somebody else may have removed it already, which is what was wanted.
            let _ = self.remove();
        }
    }

    /// The name: of a private set its identifier, of a semaphore in shared memory the memory's.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it is.
    pub fn backing(&self) -> Backing {
        match self.kind {
            Kind::SystemV { .. } => Backing::SystemV,
            Kind::Posix { .. } => Backing::Posix,
            Kind::Memory(_) => Backing::Memory,
        }
    }

    /// The System V set that it belongs to, with what only System V has; `None` for POSIX.
    pub fn set(&self) -> Option<&SemaphoreSet> {
        match &self.kind {
            Kind::SystemV { set, .. } => Some(set),
            Kind::Posix { .. } | Kind::Memory(_) => None,
        }
    }

    /// Which of the set it is; 0 for POSIX.
    pub fn index(&self) -> u16 {
        match self.kind {
            Kind::SystemV { index, .. } => index,
            Kind::Posix { .. } | Kind::Memory(_) => 0,
        }
    }

    /// Sets the value of a System V semaphore, see [`SemaphoreSet::set_value`] for what that forgets.
    ///
    /// Errors: as there; `EOPNOTSUPP` for POSIX semaphores, whose value only moves by acquiring and releasing.
    #[doc(alias = "SETVAL")]
    pub fn set_value(&self, value: u16) -> Result<()> {
        match &self.kind {
            Kind::SystemV { set, index } => set.set_value(*index, value),
            Kind::Posix { .. } | Kind::Memory(_) => {
                let why = "a POSIX semaphore's value moves by acquire and release alone";
                Err(self.failed("set_value", ErrorKind::unsupported(why)))
            }
        }
    }

    #[inline]
    fn take(&self, undo: bool, timeout: Timeout) -> Result<(), ErrorKind> {
        match &self.kind {
            Kind::Posix { semaphore, .. } | Kind::Memory(semaphore) => {
                posix::wait(semaphore, timeout)
            }
            Kind::SystemV { set, index } => {
                set.perform_one(Operation::new(*index, -1).undo(undo), timeout)
            }
        }
    }

    #[inline]
    fn give(&self, undo: bool) -> Result<(), ErrorKind> {
        match &self.kind {
            Kind::Posix { semaphore, .. } | Kind::Memory(semaphore) if !self.binary => {
                Ok(semaphore.post()?)
            }
            Kind::Posix { semaphore, .. } | Kind::Memory(semaphore) => {
                if semaphore.post_if_zero()? { Ok(()) } else { Err(Errno::EOVERFLOW.into()) }
            }
            Kind::SystemV { set, index } => {
                let give = Operation::new(*index, 1).undo(undo);
                let only_if_zero = Operation::wait_zero(*index).no_wait(true);
                let given = if self.binary {
                    set.perform(&[only_if_zero, give], Timeout::TRY)
                } else {
                    set.perform_one(give, Timeout::Forever)
                };
                given.map_err(|kind| match kind {
                    ErrorKind::Os(libc::ERANGE) | ErrorKind::WouldBlock => Errno::EOVERFLOW.into(),
                    other => other,
                })
            }
        }
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.name)
    }

    /// As `failed`, for what takes and gives: names the limit.
    #[cold]
    fn explained(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let error = self.failed(operation, kind);
        match self.set() {
            Some(set) if error.errno() != libc::EOVERFLOW => {
                limits::explain_operation(error, set, &[Operation::new(self.index(), 0)])
            }
            set => limits::explain_release(error, set.is_some(), self.binary),
        }
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        self.close();
    }
}

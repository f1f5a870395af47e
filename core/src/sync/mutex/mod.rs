// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mutual exclusion that survives its holder's death.

mod guard;
mod options;
mod robust;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::errno::Errno;

pub use guard::MutexGuard;
pub use options::{MutexKind, MutexOptions};
use robust::Quick;
pub(super) use robust::Robust;

use super::form::{self, Form};
use super::hold::{self, Entered};
use super::object::{HEAD, MAIN};
use super::place::Place;
use super::status::{self, Holder};
use super::watch;
use crate::error::{Error, ErrorKind, Result};
use crate::map::cell::{HOLDER, OWNER_DIED};
use crate::map::lines::LINE;
use crate::sys::pthread::{self, Foreign};
use crate::time::Timeout;
use crate::watch::Source;

/// A lock for one thread at a time, of any process.
///
/// ```
/// use unipc::sync::Mutex;
/// use unipc::{SharedMemory, Timeout};
///
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 4096)?;
/// let mutex = Mutex::create((&shm, 0))?; // others: Mutex::open((&shm, 0))
/// {
///     let mut guard = mutex.lock(Timeout::Forever)?;
///     if guard.owner_died() {
///         // Whoever held it was killed: repair the data, then say so.
///         guard.recovered()?;
///     }
///     shm.add_u32(Mutex::SIZE, 1)?; // the mutex lies before it
/// } // unlocked
/// # Ok(())
/// # }
/// ```
///
/// Death: when the holder dies, wherever it is (SIGKILL, `exec`, the end of its thread), the next to lock has the lock
/// and is told so. Unless it then says [`recovered`](Mutex::recovered) before it unlocks, the mutex is retired: every
/// further lock is `ENOTRECOVERABLE`.
///
/// Threads: it is held by a thread, which alone can unlock it. fork: the child holds nothing. Not for signal handlers.
///
/// Fairness: who sleeps is woken in the order of coming; between the wake and the entry somebody else may get in,
/// which has the lock then and wakes the next one.
#[doc(alias = "pthread_mutex_t")]
#[derive(Debug)]
pub struct Mutex {
    quick: Quick,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Robust(Robust),
    Pthread { foreign: Foreign<libc::pthread_mutex_t>, label: Box<str> },
}

/// How a lock was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the data may be inconsistent"]
pub enum Acquired {
    /// As it should be.
    Clean,
    /// The lock is held, and the last holder died or left without repairing: see [`Mutex::recovered`].
    OwnerDied,
}

impl From<Entered> for Acquired {
    fn from(entered: Entered) -> Self {
        match entered {
            Entered::Clean => Self::Clean,
            Entered::OwnerDied => Self::OwnerDied,
        }
    }
}

/// What is to be seen of a [`Mutex`] from outside.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutexStatus {
    /// Who holds it.
    pub holder: Option<Holder>,
    /// The last holder died, and nobody has said since that the data are whole.
    pub owner_died: bool,
    /// It can be locked no more.
    pub retired: bool,
    /// The numbers of threads that sleep, as far as there was room; of those who died meanwhile they may be stale.
    pub waiters: Vec<u32>,
}

impl Mutex {
    /// How many bytes it takes in the robust form, 256: data go behind them. In the pthread form it is `sizeof(pthread_mutex_t)`.
    pub const SIZE: usize = HEAD * LINE;

    /// Creates a mutex where there are zeros: at `(&shm, offset)`, a multiple of 64, or under a name of its own. It takes
    /// [`SIZE`](Self::SIZE) bytes (256) from there, and data go behind them.
    ///
    /// Errors: `EEXIST` when there is one; `EBUSY` when the bytes are not zero; `EINVAL` for an offset that is no multiple of
    /// 64; `ERANGE` when it does not fit; `EACCES` in read-only memory; under a name, those of
    /// [`SharedMemory::create`](crate::SharedMemory::create).
    #[doc(alias = "pthread_mutex_init")]
    pub fn create<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        MutexOptions::new().create(place)
    }

    /// Opens the mutex that is there. Where the bytes are zero it waits for up to a second for a creator.
    ///
    /// Errors: `EPROTO` when there is none, or another kind or version of object; `EINTR`; under a name, those of
    /// [`SharedMemory::open`](crate::SharedMemory::open).
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        MutexOptions::new().open(place)
    }

    /// Opens the mutex, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        MutexOptions::new().open_or_create(place)
    }

    /// How, if not by default.
    pub fn options() -> MutexOptions {
        MutexOptions::new()
    }

    /// Locks, and unlocks when the guard is dropped. A panic while it is held leaves it as a death would.
    ///
    /// Errors: as [`Mutex::lock_raw`].
    #[doc(alias = "pthread_mutex_lock")]
    #[doc(alias = "pthread_mutex_timedlock")]
    #[doc(alias = "pthread_mutex_trylock")]
    pub fn lock(&self, timeout: Timeout) -> Result<MutexGuard<'_>> {
        let acquired = self.lock_raw(timeout)?;
        Ok(MutexGuard::new(self, acquired))
    }

    /// Locks; [`Mutex::unlock`] ends it.
    ///
    /// Errors: `EAGAIN` when it was a try and somebody holds it; `ETIMEDOUT`; `EINTR` when a signal came (not in the pthread
    /// form, which goes on waiting); `EDEADLK` when this thread holds it; `ENOTRECOVERABLE` when it is retired; `EFAULT`
    /// when the file lost its pages.
    #[inline]
    pub fn lock_raw(&self, timeout: Timeout) -> Result<Acquired> {
        if self.lock_at_once() {
            return Ok(Acquired::Clean);
        }
        let locked = match &self.inner {
            Inner::Robust(robust) => robust.lock(timeout),
            Inner::Pthread { foreign, .. } => lock_foreign(foreign, timeout),
        };
        match locked {
            Ok(acquired) => Ok(acquired),
            Err(kind) => Err(self.failed("lock", kind)),
        }
    }

    /// Locks if that needs nothing but to be done; no error, no news. For the faces, before they prepare for more.
    #[doc(hidden)]
    #[inline]
    pub fn lock_at_once(&self) -> bool {
        robust::lock_at_once(&self.quick)
    }

    /// Unlocks and gives `done`, if that needs nothing but to be done; what `otherwise` gives, if not. For the faces: a call in
    /// `otherwise` comes last, and the quick way saves nothing for it.
    #[doc(hidden)]
    #[inline]
    pub fn unlock_or<R: Copy>(&self, done: R, otherwise: impl FnOnce() -> R) -> R {
        robust::unlock_or(&self.quick, done, otherwise)
    }

    /// That nobody holds it, to wait for. Errors: `EOPNOTSUPP` in the pthread form.
    pub(crate) fn source(&self) -> Result<Arc<dyn Source>> {
        match &self.inner {
            Inner::Robust(robust) => Ok(watch::held(&robust.object.lines, 0..0, |_| false)),
            Inner::Pthread { .. } => Err(self.failed("poll", watch::not_robust())),
        }
    }

    /// Unlocks. A mutex whose last holder died is retired by this, unless [`Mutex::recovered`] was called.
    ///
    /// Errors: `EPERM` when the calling thread does not hold it.
    #[doc(alias = "pthread_mutex_unlock")]
    #[inline]
    pub fn unlock(&self) -> Result<()> {
        if self.unlock_or(true, || false) {
            return Ok(());
        }
        let unlocked = match &self.inner {
            Inner::Robust(robust) => robust.unlock(),
            Inner::Pthread { foreign, .. } => foreign.unlock().map_err(ErrorKind::from),
        };
        match unlocked {
            Ok(()) => Ok(()),
            Err(kind) => Err(self.failed("unlock", kind)),
        }
    }

    /// Says that the data are whole again, after the last holder died.
    ///
    /// Errors: `EPERM` when the calling thread does not hold it; `EINVAL` when nobody died.
    #[doc(alias = "pthread_mutex_consistent")]
    pub fn recovered(&self) -> Result<()> {
        let said = match &self.inner {
            Inner::Robust(robust) => robust.recovered(),
            Inner::Pthread { foreign, .. } => foreign.consistent().map_err(ErrorKind::from),
        };
        said.map_err(|kind| self.failed("recovered", kind))
    }

    /// Unlocks and leaves the data to the next one as if this thread had died: it will be told so.
    ///
    /// Errors: `EPERM` when the calling thread does not hold it; `EOPNOTSUPP` in the pthread form.
    pub fn abandon(&self) -> Result<()> {
        let Inner::Robust(robust) = &self.inner else {
            let why = "the pthread form can only be unlocked, or its thread can end";
            return Err(self.failed("abandon", ErrorKind::unsupported(why)));
        };
        robust.abandon().map_err(|kind| self.failed("abandon", kind))
    }

    /// Who holds it and who waits, a moment ago. In the pthread form the holder's thread alone is known.
    pub fn status(&self) -> MutexStatus {
        match &self.inner {
            Inner::Robust(Robust { object, .. }) => {
                let cell = object.lines.cell(MAIN);
                let word = cell.word.load(Ordering::Relaxed);
                MutexStatus {
                    holder: status::holder(cell),
                    owner_died: word & OWNER_DIED != 0,
                    retired: hold::is_retired(word),
                    waiters: status::waiters(&object.lines),
                }
            }
            Inner::Pthread { foreign, .. } => {
                let (word, owner) = foreign.state();
                MutexStatus {
                    holder: Holder::of_thread(word & HOLDER),
                    owner_died: owner == pthread::INCONSISTENT || word & OWNER_DIED != 0,
                    retired: owner == pthread::RETIRED,
                    waiters: Vec::new(),
                }
            }
        }
    }

    /// Whose layout it has.
    pub fn form(&self) -> Form {
        match &self.inner {
            Inner::Robust(_) => Form::Robust,
            Inner::Pthread { .. } => Form::Pthread,
        }
    }

    /// How errors call it: the segment's name, and the offset in it.
    pub fn label(&self) -> &str {
        match &self.inner {
            Inner::Robust(robust) => &robust.object.label,
            Inner::Pthread { label, .. } => label,
        }
    }

    pub(super) fn robust(&self) -> Option<&Robust> {
        match &self.inner {
            Inner::Robust(robust) => Some(robust),
            Inner::Pthread { .. } => None,
        }
    }

    pub(super) fn foreign(&self) -> Option<&Foreign<libc::pthread_mutex_t>> {
        match &self.inner {
            Inner::Robust(_) => None,
            Inner::Pthread { foreign, .. } => Some(foreign),
        }
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        match &self.inner {
            Inner::Robust(robust) => robust.object.failed(operation, kind),
            Inner::Pthread { label, .. } => kind.during(operation, label),
        }
    }
}

fn lock_foreign(
    foreign: &Foreign<libc::pthread_mutex_t>,
    timeout: Timeout,
) -> Result<Acquired, ErrorKind> {
    let locked = match timeout {
        Timeout::TRY => foreign.try_lock(),
        _ => foreign.lock(timeout.deadline()),
    };
    foreign.check()?;
    match locked {
        Ok(()) => Ok(Acquired::Clean),
        Err(Errno::EOWNERDEAD) => Ok(Acquired::OwnerDied),
        Err(errno) => Err(form::kind_of(errno)),
    }
}

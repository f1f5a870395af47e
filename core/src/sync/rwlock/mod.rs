// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many readers or one writer, whoever of them dies.

mod guard;
mod options;
mod robust;
mod wait;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use guard::RwLockGuard;
use options::READERS;
pub use options::RwLockOptions;
use robust::{Quick, Robust};

use super::form::{self, Form};
use super::hold;
use super::mutex::Acquired;
use super::object::{HEAD, MAIN};
use super::status::{self, Holder};
use super::watch;
use crate::error::{Error, ErrorKind, Result};
use crate::map::cell::OWNER_DIED;
use crate::map::lines::LINE;
use crate::sys::pthread::Foreign;
use crate::time::Timeout;
use crate::watch::Source;

/// A lock that any number of readers hold together, or one writer alone.
///
/// Each reader writes into a line of its own, so that readers on several processors do not disturb each other.
///
/// ```
/// use unipc::sync::RwLock;
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 1 << 16)?;
/// let lock = RwLock::create((&shm, 0))?;
/// {
///     let _one = lock.read(Timeout::Forever)?;
///     let _two = lock.read(Timeout::Forever)?;
/// }
/// let _alone = lock.write(Timeout::Forever)?;
/// # Ok(())
/// # }
/// ```
///
/// Preference: writers. A writer that has come keeps new readers out, and waits for those that are in. So a thread that reads
/// must not ask to read again, as POSIX warns. (The pthread form prefers readers, as glibc does.)
///
/// Death: a reader that dies has left. When a writer dies, all who come next are told that it did, readers too, until a writer
/// says [`recovered`](RwLock::recovered); a writer that unlocks without that retires the lock (`ENOTRECOVERABLE`).
///
/// More readers at once than the lock has lines (60, see [`RwLockOptions::readers`]) wait for each other.
#[doc(alias = "pthread_rwlock_t")]
#[derive(Debug)]
pub struct RwLock {
    quick: Quick,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Robust(Robust),
    Pthread { foreign: Foreign<libc::pthread_rwlock_t>, label: Box<str> },
}

/// What is to be seen of an [`RwLock`] from outside.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RwLockStatus {
    /// Who writes, or waits for readers to leave so as to write.
    pub writer: Option<Holder>,
    /// Who reads.
    pub readers: Vec<Holder>,
    /// The last writer died, and nobody has said since that the data are whole.
    pub owner_died: bool,
    /// It can be locked no more.
    pub retired: bool,
    /// The numbers of threads that sleep, as far as there was room.
    pub waiters: Vec<u32>,
}

impl RwLock {
    /// How many bytes a lock for 60 readers takes in the robust form.
    pub const SIZE: usize = Self::size(READERS);

    /// How many bytes a lock for so many readers takes in the robust form.
    pub const fn size(readers: u32) -> usize {
        (HEAD + readers as usize) * LINE
    }

    /// Locks for reading, until the guard is dropped. Errors: as [`RwLock::read_raw`].
    #[doc(alias = "pthread_rwlock_rdlock")]
    pub fn read(&self, timeout: Timeout) -> Result<RwLockGuard<'_>> {
        let acquired = self.read_raw(timeout)?;
        Ok(RwLockGuard::new(self, acquired, false))
    }

    /// Locks for writing, until the guard is dropped. Errors: as [`RwLock::write_raw`].
    #[doc(alias = "pthread_rwlock_wrlock")]
    pub fn write(&self, timeout: Timeout) -> Result<RwLockGuard<'_>> {
        let acquired = self.write_raw(timeout)?;
        Ok(RwLockGuard::new(self, acquired, true))
    }

    /// Locks for reading; [`RwLock::unlock`] ends it.
    ///
    /// Errors: `EAGAIN` when it was a try; `ETIMEDOUT`; `EINTR` (not in the pthread form); `EDEADLK` when this thread writes;
    /// `ENOTRECOVERABLE` when it is retired; `EFAULT` when the file lost its pages.
    #[inline]
    pub fn read_raw(&self, timeout: Timeout) -> Result<Acquired> {
        if self.read_at_once() { Ok(Acquired::Clean) } else { self.read_slowly(timeout) }
    }

    /// Locks for writing; [`RwLock::unlock`] ends it.
    ///
    /// Errors: as [`RwLock::read_raw`]; `EDEADLK` also when this thread reads.
    #[inline]
    pub fn write_raw(&self, timeout: Timeout) -> Result<Acquired> {
        if self.write_at_once() { Ok(Acquired::Clean) } else { self.write_slowly(timeout) }
    }

    /// Locks for reading if that needs nothing but to be done. For the faces, before they prepare for more. When it says no,
    /// [`RwLock::read_slowly`] must come next in this thread: it may have begun.
    #[doc(hidden)]
    #[inline]
    #[must_use = "what was begun must be ended"]
    pub fn read_at_once(&self) -> bool {
        robust::read_at_once(&self.quick)
    }

    /// What comes next when [`RwLock::read_at_once`] has said no.
    #[doc(hidden)]
    #[cold]
    pub fn read_slowly(&self, timeout: Timeout) -> Result<Acquired> {
        let locked = match &self.inner {
            Inner::Robust(robust) => robust.read(&self.quick, timeout),
            Inner::Pthread { foreign, .. } => lock_foreign(foreign, false, timeout),
        };
        locked.map_err(|kind| self.failed("read", kind))
    }

    /// As [`RwLock::read_at_once`]; [`RwLock::write_slowly`] comes next.
    #[doc(hidden)]
    #[inline]
    #[must_use = "what was begun must be ended"]
    pub fn write_at_once(&self) -> bool {
        robust::write_at_once(&self.quick)
    }

    /// As [`RwLock::read_slowly`].
    #[doc(hidden)]
    #[cold]
    pub fn write_slowly(&self, timeout: Timeout) -> Result<Acquired> {
        let locked = match &self.inner {
            Inner::Robust(robust) => robust.write(timeout),
            Inner::Pthread { foreign, .. } => lock_foreign(foreign, true, timeout),
        };
        locked.map_err(|kind| self.failed("write", kind))
    }

    /// Unlocks and gives `done`, if that needs nothing but to be done; what `otherwise` gives, if not. For the faces: a call in
    /// `otherwise` comes last, and the quick way saves nothing for it.
    #[doc(hidden)]
    #[inline]
    pub fn unlock_or<R: Copy>(&self, done: R, otherwise: impl FnOnce() -> R) -> R {
        robust::unlock_or(&self.quick, done, otherwise)
    }

    /// Ends what the calling thread has: its writing, or its latest reading.
    ///
    /// Errors: `EPERM` when it has neither (not noticed in the pthread form).
    #[doc(alias = "pthread_rwlock_unlock")]
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

    /// Says, as the writer, that the data are whole again after a writer died.
    ///
    /// Errors: `EPERM` when the calling thread does not write; `EINVAL` when nobody died; `EOPNOTSUPP` in the pthread form.
    pub fn recovered(&self) -> Result<()> {
        let said = match &self.inner {
            Inner::Robust(robust) => robust.recovered(),
            Inner::Pthread { .. } => Err(not_robust()),
        };
        said.map_err(|kind| self.failed("recovered", kind))
    }

    /// Ends the writing and leaves the data to the next as if this thread had died.
    ///
    /// Errors: `EPERM` when the calling thread does not write; `EOPNOTSUPP` in the pthread form.
    pub fn abandon(&self) -> Result<()> {
        let said = match &self.inner {
            Inner::Robust(robust) => robust.abandon(),
            Inner::Pthread { .. } => Err(not_robust()),
        };
        said.map_err(|kind| self.failed("abandon", kind))
    }

    /// Who has it and who waits, a moment ago. In the pthread form nothing is known.
    pub fn status(&self) -> RwLockStatus {
        let Inner::Robust(Robust { object, .. }) = &self.inner else {
            return RwLockStatus {
                writer: None,
                readers: Vec::new(),
                owner_died: false,
                retired: false,
                waiters: Vec::new(),
            };
        };
        let cells = object.lines.cells();
        let word = cells[MAIN].word.load(Ordering::Relaxed);
        RwLockStatus {
            writer: status::holder(&cells[MAIN]),
            readers: cells[HEAD..].iter().filter_map(status::holder).collect(),
            owner_died: word & OWNER_DIED != 0,
            retired: hold::is_retired(word),
            waiters: status::waiters(&object.lines),
        }
    }

    /// That it can be read, or written, to wait for. Errors: `EOPNOTSUPP` in the pthread form.
    pub(crate) fn source(&self, write: bool) -> Result<Arc<dyn Source>> {
        let Inner::Robust(robust) = &self.inner else {
            return Err(self.failed("poll", watch::not_robust()));
        };
        let lines = &robust.object.lines;
        let readers = HEAD..lines.count();
        if write {
            Ok(watch::held(lines, readers, |_| false))
        } else {
            Ok(watch::to_read(lines, readers))
        }
    }

    /// Whose layout it has.
    pub fn form(&self) -> Form {
        match &self.inner {
            Inner::Robust(_) => Form::Robust,
            Inner::Pthread { .. } => Form::Pthread,
        }
    }

    /// How errors call it.
    pub fn label(&self) -> &str {
        match &self.inner {
            Inner::Robust(robust) => &robust.object.label,
            Inner::Pthread { label, .. } => label,
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

fn not_robust() -> ErrorKind {
    ErrorKind::unsupported("the pthread form does not notice deaths")
}

fn lock_foreign(
    foreign: &Foreign<libc::pthread_rwlock_t>,
    exclusive: bool,
    timeout: Timeout,
) -> Result<Acquired, ErrorKind> {
    let locked = match timeout {
        Timeout::TRY => foreign.try_lock(exclusive),
        _ => foreign.lock(exclusive, timeout.deadline()),
    };
    foreign.check()?;
    locked.map(|()| Acquired::Clean).map_err(form::kind_of)
}

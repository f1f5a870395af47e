// SPDX-License-Identifier: MIT OR Apache-2.0
//! Permits: so many threads at once, each known; or tokens that some make and others take.

mod options;
mod permit;
mod robust;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::errno::Errno;

pub use options::SemaphoreOptions;
pub use permit::Permit;
use robust::{Quick, Robust, hold, is_free, remove};

use super::form::{self, Form};
use super::mutex::Acquired;
use super::object::HEAD;
use super::status::{self, Holder};
use super::watch;
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::LINE;
use crate::sys::pthread::Foreign;
use crate::time::Timeout;
use crate::watch::Source;

/// A counting semaphore whose every permit knows its holder.
///
/// It is used in two ways. [`acquire`](Semaphore::acquire) and [`release`](Semaphore::release): a thread holds a permit for
/// a while, and when it dies the permit comes back. [`wait`](Semaphore::wait) and [`post`](Semaphore::post): one makes
/// tokens, another takes them for good.
///
/// ```
/// use unipc::sync::Semaphore;
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 1 << 16)?;
/// let seats = Semaphore::create((&shm, 0), 3)?; // three at once
/// let seat = seats.acquire(Timeout::Forever)?;
/// assert_eq!(seats.value(), 2);
/// drop(seat);
/// seats.post()?; // a fourth
/// assert_eq!(seats.value(), 4);
/// # Ok(())
/// # }
/// ```
///
/// Death: a permit that a dead thread held goes to the next, who is told so. The permits lie in a table of `max` lines of
/// 64 bytes, in which a thread looks for a free one from where it found the last.
///
/// Threads: a thread can hold several. fork: the child holds none. [`Semaphore::post`] may be called in a handler of signals.
///
/// Fairness: sleepers are woken in the order of coming; somebody who comes at that moment may be faster.
#[doc(alias = "sem_t")]
#[derive(Debug)]
pub struct Semaphore {
    quick: Quick,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Robust(Robust),
    Pthread { foreign: Foreign<libc::sem_t>, label: Box<str> },
}

impl Semaphore {
    /// The largest maximum of permits.
    pub const MAX: u32 = 1 << 16;

    /// How many bytes a semaphore with a maximum of `max` permits takes in the robust form.
    pub const fn size(max: u32) -> usize {
        (HEAD + max as usize) * LINE
    }

    /// Takes a permit, which the guard gives back.
    ///
    /// Errors: as [`Semaphore::acquire_raw`].
    pub fn acquire(&self, timeout: Timeout) -> Result<Permit<'_>> {
        let acquired = self.acquire_raw(timeout)?;
        Ok(Permit::new(self, acquired))
    }

    /// Takes a permit, which this thread holds until [`Semaphore::release`]. [`Acquired::OwnerDied`]: it is that of a dead thread.
    ///
    /// In the pthread form it is the same as [`Semaphore::wait`].
    ///
    /// Errors: `EAGAIN` when it was a try; `ETIMEDOUT`; `EINTR`; `EFAULT` when the file lost its pages.
    #[inline]
    pub fn acquire_raw(&self, timeout: Timeout) -> Result<Acquired> {
        if self.acquire_at_once() {
            return Ok(Acquired::Clean);
        }
        match &self.inner {
            Inner::Robust(robust) => robust.get(&self.quick, timeout, hold),
            Inner::Pthread { foreign, .. } => {
                wait_foreign(foreign, timeout).map(|()| Acquired::Clean)
            }
        }
        .map_err(|kind| self.failed("acquire", kind))
    }

    /// Takes a permit if that needs nothing but to be done. For the faces, before they prepare for more.
    #[doc(hidden)]
    #[inline]
    pub fn acquire_at_once(&self) -> bool {
        robust::acquire_at_once(&self.quick)
    }

    /// Gives a permit back and gives `done`, if that needs nothing but to be done; what `otherwise` gives, if not. For the faces: a call in
    /// `otherwise` comes last, and the quick way saves nothing for it.
    #[doc(hidden)]
    #[inline]
    pub fn release_or<R: Copy>(&self, done: R, otherwise: impl FnOnce() -> R) -> R {
        robust::release_or(&self.quick, done, otherwise)
    }

    /// Gives back the permit that this thread took last. In the pthread form it is the same as [`Semaphore::post`].
    ///
    /// Errors: `EPERM` when this thread holds none.
    #[inline]
    pub fn release(&self) -> Result<()> {
        if self.release_or(true, || false) {
            return Ok(());
        }
        match &self.inner {
            Inner::Robust(robust) => robust.release(),
            Inner::Pthread { foreign, .. } => foreign.post().map_err(ErrorKind::from),
        }
        .map_err(|kind| self.failed("release", kind))
    }

    /// Takes a permit for good: it comes back neither by death nor by [`Semaphore::release`], only by a [`Semaphore::post`].
    ///
    /// Errors: as [`Semaphore::acquire_raw`].
    #[doc(alias = "sem_wait")]
    #[doc(alias = "sem_timedwait")]
    #[doc(alias = "sem_trywait")]
    #[inline]
    pub fn wait(&self, timeout: Timeout) -> Result<()> {
        if self.wait_at_once() {
            return Ok(());
        }
        match &self.inner {
            Inner::Robust(robust) => robust.get(&self.quick, timeout, remove).map(drop),
            Inner::Pthread { foreign, .. } => wait_foreign(foreign, timeout),
        }
        .map_err(|kind| self.failed("wait", kind))
    }

    /// As [`Semaphore::acquire_at_once`], for a permit that is taken for good.
    #[doc(hidden)]
    #[inline]
    pub fn wait_at_once(&self) -> bool {
        robust::wait_at_once(&self.quick)
    }

    /// As [`Semaphore::acquire_at_once`], for adding one.
    #[doc(hidden)]
    #[inline]
    pub fn post_at_once(&self) -> bool {
        robust::post_at_once(&self.quick)
    }

    /// Adds a permit. Async-signal-safe while it succeeds.
    ///
    /// Errors: `EOVERFLOW` when there are as many as there can be.
    #[doc(alias = "sem_post")]
    #[inline]
    pub fn post(&self) -> Result<()> {
        if self.post_at_once() {
            return Ok(());
        }
        match &self.inner {
            Inner::Robust(robust) => robust.post(&self.quick),
            Inner::Pthread { foreign, .. } => foreign.post().map_err(ErrorKind::from),
        }
        .map_err(|kind| self.failed("post", kind))
    }

    /// How many permits are free at this moment.
    #[doc(alias = "sem_getvalue")]
    pub fn value(&self) -> u32 {
        match &self.inner {
            Inner::Robust(robust) => {
                let cells = &robust.object.lines.cells()[HEAD..];
                let free = cells.iter().filter(|cell| is_free(cell.word.load(Ordering::Relaxed)));
                u32::try_from(free.count()).unwrap_or(u32::MAX)
            }
            Inner::Pthread { foreign, .. } => foreign.value().unwrap_or(0),
        }
    }

    /// That a permit is free, to wait for. Errors: `EOPNOTSUPP` in the pthread form.
    pub(crate) fn source(&self) -> Result<Arc<dyn Source>> {
        let Inner::Robust(robust) = &self.inner else {
            return Err(self.failed("poll", watch::not_robust()));
        };
        let lines = &robust.object.lines;
        Ok(watch::gated(lines, HEAD..lines.count(), |lines| {
            let cells = &lines.cells()[HEAD..];
            cells.iter().any(|cell| is_free(cell.word.load(Ordering::SeqCst)))
        }))
    }

    /// How many permits there can be.
    pub fn max(&self) -> u32 {
        match &self.inner {
            Inner::Robust(robust) => u32::try_from(robust.permits()).unwrap_or(u32::MAX),
            Inner::Pthread { .. } => libc::c_int::MAX.cast_unsigned(),
        }
    }

    /// Who holds permits; nobody is known in the pthread form.
    pub fn holders(&self) -> Vec<Holder> {
        match &self.inner {
            Inner::Robust(robust) => {
                robust.object.lines.cells()[HEAD..].iter().filter_map(status::holder).collect()
            }
            Inner::Pthread { .. } => Vec::new(),
        }
    }

    /// The numbers of threads that sleep, as far as there was room; none in the pthread form.
    pub fn waiters(&self) -> Vec<u32> {
        match &self.inner {
            Inner::Robust(robust) => status::waiters(&robust.object.lines),
            Inner::Pthread { .. } => Vec::new(),
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

fn wait_foreign(foreign: &Foreign<libc::sem_t>, timeout: Timeout) -> Result<(), ErrorKind> {
    let waited = match timeout {
        Timeout::TRY => foreign.try_wait(),
        _ => foreign.wait(timeout.deadline()),
    };
    waited.map_err(|errno| match errno {
        Errno::EINTR => ErrorKind::Os(libc::EINTR),
        other => form::kind_of(other),
    })?;
    foreign.check()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting, with a mutex given up meanwhile, until somebody says that something has changed.

mod robust;

use nix::errno::Errno;

use super::form::{self, Form};
use super::gate::Gate;
use super::mutex::{Acquired, Mutex, MutexGuard};
use super::object::{HEAD, Kind, Object};
use super::options::{common_setters, constructors};
use super::place::Place;
use super::status;
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::LINE;
use crate::open::{Disposition, Mode};
use crate::sys::pthread::Foreign;
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"condvar\0",
    version: 1,
    operation: ["Condvar::open", "Condvar::create", "Condvar::open_or_create"],
};

/// How to create or open a [`Condvar`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct CondvarOptions {
    form: Form,
    mode: Mode,
}

/// A condition variable: threads of any process wait for a change of what a [`Mutex`] guards.
///
/// ```no_run
/// use unipc::sync::{Condvar, Mutex};
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// # let shm = SharedMemory::create("anon:", 4096)?;
/// let mutex = Mutex::open((&shm, 0))?;
/// let filled = Condvar::open((&shm, 256))?;
/// let mut guard = mutex.lock(Timeout::Forever)?;
/// while shm.load_u32(1024)? == 0 {
///     filled.wait(&mut guard, Timeout::Forever)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// A wait may end without a notice: always look again at what you wait for.
///
/// Death: a waiter that is killed leaves nothing behind. Should it have been the one that a notice woke, the notice comes to
/// another, at the latest with that one's next look (less than half a second). The mutex must be of the same form.
#[doc(alias = "pthread_cond_t")]
#[derive(Debug)]
pub struct Condvar(Inner);

#[derive(Debug)]
enum Inner {
    Robust(Object),
    Pthread { foreign: Foreign<libc::pthread_cond_t>, label: Box<str> },
}

constructors!(Condvar, CondvarOptions);

impl CondvarOptions {
    /// The defaults: robust, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
    ) -> Result<Condvar> {
        if self.form == Form::Pthread {
            let operation = KIND.operation[disposition as usize];
            let make = |foreign: &Foreign<libc::pthread_cond_t>| foreign.init();
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Condvar(Inner::Pthread { foreign, label }));
        }
        let object = KIND.establish(place, disposition, self.mode, HEAD, |_| ())?;
        Ok(Condvar(Inner::Robust(object)))
    }
}

impl Condvar {
    /// How many bytes it takes in the robust form. In the pthread form it is `sizeof(pthread_cond_t)`.
    pub const SIZE: usize = HEAD * LINE;

    /// Unlocks, waits for a notice, and locks again. The guard tells afterwards whether a holder died meanwhile.
    ///
    /// Errors: `ETIMEDOUT`, `EAGAIN` for a try, `EINTR`: the mutex is held again. `ENOTRECOVERABLE`: it is not, and never will be.
    /// `EINVAL` when the forms differ, or it is locked more than once.
    #[doc(alias = "pthread_cond_wait")]
    #[doc(alias = "pthread_cond_timedwait")]
    pub fn wait(&self, guard: &mut MutexGuard<'_>, timeout: Timeout) -> Result<()> {
        let mut acquired = Acquired::Clean;
        let result = self.wait_raw(guard.mutex(), timeout, &mut acquired);
        guard.note(acquired);
        result
    }

    /// As [`Condvar::wait`], with a mutex that was locked by [`Mutex::lock_raw`]. `acquired` tells how it was locked again, also
    /// when the wait fails.
    pub fn wait_raw(&self, mutex: &Mutex, timeout: Timeout, acquired: &mut Acquired) -> Result<()> {
        let waited = match (&self.0, mutex.robust(), mutex.foreign()) {
            (Inner::Robust(object), Some(mutex), _) => {
                robust::wait(object, mutex, timeout, acquired)
            }
            (Inner::Pthread { foreign, .. }, _, Some(mutex)) => {
                wait_foreign(foreign, mutex, timeout, acquired)
            }
            _ => Err(ErrorKind::invalid("condition variable and mutex are of different forms")),
        };
        waited.map_err(|kind| self.failed("wait", kind))
    }

    /// Wakes one waiter. Errors: `EFAULT` when the file lost its pages.
    #[doc(alias = "pthread_cond_signal")]
    pub fn notify_one(&self) -> Result<()> {
        self.notify("notify_one", false)
    }

    /// Wakes all waiters. Errors: as [`Condvar::notify_one`].
    #[doc(alias = "pthread_cond_broadcast")]
    pub fn notify_all(&self) -> Result<()> {
        self.notify("notify_all", true)
    }

    fn notify(&self, operation: &'static str, all: bool) -> Result<()> {
        let notified = match &self.0 {
            Inner::Robust(object) => {
                Gate::of(&object.lines).open(all);
                object.lines.check()
            }
            Inner::Pthread { foreign, .. } => foreign.wake(all).map_err(ErrorKind::from),
        };
        notified.map_err(|kind| self.failed(operation, kind))
    }

    /// The numbers of threads that sleep, as far as there was room; none in the pthread form.
    pub fn waiters(&self) -> Vec<u32> {
        match &self.0 {
            Inner::Robust(object) => status::waiters(&object.lines),
            Inner::Pthread { .. } => Vec::new(),
        }
    }

    /// Whose layout it has.
    pub fn form(&self) -> Form {
        match &self.0 {
            Inner::Robust(_) => Form::Robust,
            Inner::Pthread { .. } => Form::Pthread,
        }
    }

    /// How errors call it.
    pub fn label(&self) -> &str {
        match &self.0 {
            Inner::Robust(object) => &object.label,
            Inner::Pthread { label, .. } => label,
        }
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        match &self.0 {
            Inner::Robust(object) => object.failed(operation, kind),
            Inner::Pthread { label, .. } => kind.during(operation, label),
        }
    }
}

fn wait_foreign(
    foreign: &Foreign<libc::pthread_cond_t>,
    mutex: &Foreign<libc::pthread_mutex_t>,
    timeout: Timeout,
    acquired: &mut Acquired,
) -> Result<(), ErrorKind> {
    if timeout == Timeout::TRY {
        return Err(ErrorKind::WouldBlock);
    }
    match foreign.wait(mutex, timeout.deadline()) {
        Ok(()) => Ok(()),
        Err(Errno::EOWNERDEAD) => {
            *acquired = Acquired::OwnerDied;
            Ok(())
        }
        Err(errno) => Err(form::kind_of(errno)),
    }
}

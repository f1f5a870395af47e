// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mutual exclusion that survives its holder's death.

use std::marker::PhantomData;
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::form::{self, Form};
use super::hold::{self, Entered, RETIRED, Sleep, Spin};
use super::object::{HEAD, Kind, MAIN, Object, WAITING};
use super::place::Place;
use super::status::{self, Holder};
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::{HOLDER, LINE, OWNER_DIED};
use crate::open::{Disposition, Mode};
use crate::sys::pthread::{self, Foreign, MutexKind as ForeignKind};
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"mutex\0\0\0",
    version: 1,
    operation: ["Mutex::open", "Mutex::create", "Mutex::open_or_create"],
};

/// What a [`Mutex`] does when its holder locks it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
pub enum MutexKind {
    /// It says `EDEADLK` (`PTHREAD_MUTEX_ERRORCHECK`). In the robust form this costs nothing.
    #[default]
    ErrorChecking = 0,
    /// It waits for itself, as POSIX has it (`PTHREAD_MUTEX_NORMAL`): until the time is over.
    Normal = 1,
    /// It counts, and is free when it was unlocked as often (`PTHREAD_MUTEX_RECURSIVE`).
    Recursive = 2,
}

/// How to create or open a [`Mutex`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct MutexOptions {
    kind: MutexKind,
    form: Form,
    inherit: bool,
    mode: Mode,
}

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
///     shm.add_u32(1024, 1)?;
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
pub struct Mutex(Inner);

#[derive(Debug)]
enum Inner {
    Robust(Robust),
    Pthread { foreign: Foreign<libc::pthread_mutex_t>, label: String },
}

#[derive(Debug)]
pub(super) struct Robust {
    pub(super) object: Object,
    kind: MutexKind,
    spin: Spin,
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

impl MutexOptions {
    /// The defaults: error-checking, robust, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens when the holder locks again. When opening, the object's own kind counts.
    #[must_use]
    pub fn kind(mut self, kind: MutexKind) -> Self {
        self.kind = kind;
        self
    }

    /// Whose layout: this library's or the C library's.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Let the holder run with the priority of the most urgent waiter (`PTHREAD_PRIO_INHERIT`). Pthread form alone.
    #[must_use]
    pub fn priority_inheritance(mut self, inherit: bool) -> Self {
        self.inherit = inherit;
        self
    }

    /// The permissions of a segment that is created for the object alone.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
    ) -> Result<Mutex> {
        if self.form == Form::Pthread {
            let kind = ForeignKind { kind: self.kind.pthread(), inherit: self.inherit };
            let operation = KIND.operation[disposition as usize];
            let make = |foreign: &Foreign<libc::pthread_mutex_t>| foreign.init(kind);
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Mutex(Inner::Pthread { foreign, label }));
        }
        if self.inherit {
            let why = "priority inheritance is the pthread form's alone";
            return Err(ErrorKind::unsupported(why)
                .during(KIND.operation[disposition as usize], "priority_inheritance"));
        }
        let object = KIND.establish(place, disposition, self.mode, HEAD, |lines| {
            // SYNC: relaxed, the magic that comes later publishes it.
            lines.cell(MAIN).kind.store(self.kind as u32, Ordering::Relaxed);
        })?;
        let kind = match object.lines.cell(MAIN).kind.load(Ordering::Relaxed) {
            0 => MutexKind::ErrorChecking,
            1 => MutexKind::Normal,
            2 => MutexKind::Recursive,
            other => {
                let why = format!("there is no kind {other} of mutex");
                return Err(object.failed("Mutex::open", ErrorKind::Layout(why.into())));
            }
        };
        Ok(Mutex(Inner::Robust(Robust { object, kind, spin: Spin::default() })))
    }

    /// [`Mutex::create`] with these options.
    pub fn create<'a>(&self, place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Mutex> {
        self.get(place, Disposition::Create)
    }

    /// [`Mutex::open`] with these options, of which only the form counts.
    pub fn open<'a>(&self, place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Mutex> {
        self.get(place, Disposition::Open)
    }

    /// [`Mutex::open_or_create`] with these options.
    pub fn open_or_create<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
    ) -> Result<Mutex> {
        self.get(place, Disposition::OpenOrCreate)
    }
}

impl MutexKind {
    fn pthread(self) -> i32 {
        match self {
            Self::ErrorChecking => libc::PTHREAD_MUTEX_ERRORCHECK,
            Self::Normal => libc::PTHREAD_MUTEX_NORMAL,
            Self::Recursive => libc::PTHREAD_MUTEX_RECURSIVE,
        }
    }
}

impl Mutex {
    /// How many bytes it takes in the robust form. In the pthread form it is `sizeof(pthread_mutex_t)`.
    pub const SIZE: usize = HEAD * LINE;

    /// Creates a mutex where there are zeros: at `(&shm, offset)`, a multiple of 64, or under a name of its own.
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
        Ok(MutexGuard {
            mutex: self,
            owner_died: acquired == Acquired::OwnerDied,
            panicking: std::thread::panicking(),
            not_send: PhantomData,
        })
    }

    /// Locks; [`Mutex::unlock`] ends it.
    ///
    /// Errors: `EAGAIN` when it was a try and somebody holds it; `ETIMEDOUT`; `EINTR` when a signal came (not in the pthread
    /// form, which goes on waiting); `EDEADLK` when this thread holds it; `ENOTRECOVERABLE` when it is retired; `EFAULT`
    /// when the file lost its pages.
    #[inline]
    pub fn lock_raw(&self, timeout: Timeout) -> Result<Acquired> {
        match &self.0 {
            Inner::Robust(robust) => match robust.lock(timeout) {
                Ok(acquired) => Ok(acquired),
                Err(kind) => Err(self.failed("lock", kind)),
            },
            Inner::Pthread { foreign, .. } => {
                lock_foreign(foreign, timeout).map_err(|kind| self.failed("lock", kind))
            }
        }
    }

    /// Locks if that needs nothing but to be done; no error, no news. For the faces, before they prepare for more.
    #[doc(hidden)]
    #[inline]
    pub fn lock_at_once(&self) -> bool {
        match &self.0 {
            Inner::Robust(Robust { object, .. }) => {
                let lines = &object.lines;
                let taken = lines.attempt(MAIN).is_ok_and(|attempt| attempt.take(0, 0).is_ok());
                taken && lines.check().is_ok()
            }
            Inner::Pthread { .. } => false,
        }
    }

    /// As [`Mutex::lock_at_once`].
    #[doc(hidden)]
    #[inline]
    pub fn unlock_at_once(&self) -> bool {
        match &self.0 {
            Inner::Robust(robust) => robust.unlock().is_ok(),
            Inner::Pthread { .. } => false,
        }
    }

    /// Unlocks. A mutex whose last holder died is retired by this, unless [`Mutex::recovered`] was called.
    ///
    /// Errors: `EPERM` when the calling thread does not hold it.
    #[doc(alias = "pthread_mutex_unlock")]
    #[inline]
    pub fn unlock(&self) -> Result<()> {
        let unlocked = match &self.0 {
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
        let said = match &self.0 {
            Inner::Robust(robust) => robust.recovered(),
            Inner::Pthread { foreign, .. } => foreign.consistent().map_err(ErrorKind::from),
        };
        said.map_err(|kind| self.failed("recovered", kind))
    }

    /// Unlocks and leaves the data to the next one as if this thread had died: it will be told so.
    ///
    /// Errors: `EPERM` when the calling thread does not hold it; `EOPNOTSUPP` in the pthread form.
    pub fn abandon(&self) -> Result<()> {
        let Inner::Robust(robust) = &self.0 else {
            let why = "the pthread form can only be unlocked, or its thread can end";
            return Err(self.failed("abandon", ErrorKind::unsupported(why)));
        };
        robust.abandon().map_err(|kind| self.failed("abandon", kind))
    }

    /// Who holds it and who waits, a moment ago. In the pthread form the holder's thread alone is known.
    pub fn status(&self) -> MutexStatus {
        match &self.0 {
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
        match &self.0 {
            Inner::Robust(_) => Form::Robust,
            Inner::Pthread { .. } => Form::Pthread,
        }
    }

    /// How errors call it: the segment's name, and the offset in it.
    pub fn label(&self) -> &str {
        match &self.0 {
            Inner::Robust(robust) => &robust.object.label,
            Inner::Pthread { label, .. } => label,
        }
    }

    pub(super) fn robust(&self) -> Option<&Robust> {
        match &self.0 {
            Inner::Robust(robust) => Some(robust),
            Inner::Pthread { .. } => None,
        }
    }

    pub(super) fn foreign(&self) -> Option<&Foreign<libc::pthread_mutex_t>> {
        match &self.0 {
            Inner::Robust(_) => None,
            Inner::Pthread { foreign, .. } => Some(foreign),
        }
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        match &self.0 {
            Inner::Robust(robust) => robust.object.failed(operation, kind),
            Inner::Pthread { label, .. } => kind.during(operation, label),
        }
    }
}

impl Robust {
    #[inline]
    pub(super) fn lock(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        let attempt = lines.attempt(MAIN)?;
        if attempt.take(0, 0).is_err() {
            drop(attempt);
            return self.lock_slowly(timeout);
        }
        drop(attempt);
        lines.check()?;
        Ok(Acquired::Clean)
    }

    #[cold]
    fn lock_slowly(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        let cell = lines.cell(MAIN);
        lines.check()?;
        if self.kind != MutexKind::Normal && lines.is_mine(MAIN)? {
            if self.kind == MutexKind::ErrorChecking {
                return Err(ErrorKind::Os(libc::EDEADLK));
            }
            let count = cell.count.load(Ordering::Relaxed);
            let more = count.checked_add(1).ok_or(ErrorKind::Os(libc::EAGAIN))?;
            cell.count.store(more, Ordering::Relaxed);
            return Ok(Acquired::Clean);
        }
        let mut sleep = Sleep::new(timeout);
        let entered = hold::take(lines, MAIN, &mut sleep, Some(WAITING), &self.spin)?;
        if entered == Entered::OwnerDied {
            // How often the dead one had it.
            cell.count.store(0, Ordering::Relaxed);
        }
        lines.check()?;
        Ok(entered.into())
    }

    #[inline]
    pub(super) fn unlock(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let cell = lines.cell(MAIN);
        if self.kind == MutexKind::Recursive {
            let count = cell.count.load(Ordering::Relaxed);
            if count > 0 && lines.is_mine(MAIN)? {
                cell.count.store(count - 1, Ordering::Relaxed);
                return Ok(());
            }
        }
        if cell.word.load(Ordering::Relaxed) & OWNER_DIED == 0 {
            lines.give_back(MAIN, 0, 1)
        } else {
            lines.give_back(MAIN, RETIRED, i32::MAX)
        }
    }

    fn recovered(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        if !lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EPERM));
        }
        // SYNC: relaxed, the unlock that follows publishes it.
        let before = lines.cell(MAIN).word.fetch_and(!OWNER_DIED, Ordering::Relaxed);
        if before & OWNER_DIED == 0 {
            return Err(ErrorKind::invalid("no holder of it has died"));
        }
        Ok(())
    }

    fn abandon(&self) -> Result<(), ErrorKind> {
        self.object.lines.give_back(MAIN, OWNER_DIED, 1)
    }

    /// How often the calling thread has it locked beyond the first time.
    pub(super) fn depth(&self) -> Result<u32, ErrorKind> {
        if !self.object.lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EPERM));
        }
        Ok(self.object.lines.cell(MAIN).count.load(Ordering::Relaxed))
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

/// Holds a [`Mutex`] until it is dropped, in the thread that locked.
#[must_use = "it unlocks when it is dropped"]
#[derive(Debug)]
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    owner_died: bool,
    panicking: bool,
    not_send: PhantomData<*const ()>,
}

impl<'a> MutexGuard<'a> {
    /// Did the last holder die, so that the data may be inconsistent?
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// As [`Mutex::recovered`].
    pub fn recovered(&mut self) -> Result<()> {
        self.mutex.recovered()?;
        self.owner_died = false;
        Ok(())
    }

    /// As [`Mutex::abandon`].
    pub fn abandon(self) -> Result<()> {
        let mutex = self.mutex;
        std::mem::forget(self);
        mutex.abandon()
    }

    /// Unlocks and tells whether that went well, which dropping keeps quiet.
    pub fn unlock(self) -> Result<()> {
        let mutex = self.mutex;
        std::mem::forget(self);
        mutex.unlock()
    }

    pub(super) fn mutex(&self) -> &'a Mutex {
        self.mutex
    }

    pub(super) fn note(&mut self, acquired: Acquired) {
        self.owner_died |= acquired == Acquired::OwnerDied;
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        // An unwinding thread leaves its data half-changed, as a dead one would.
        if std::thread::panicking() && !self.panicking && self.mutex.abandon().is_ok() {
            return;
        }
        let _ = self.mutex.unlock();
    }
}

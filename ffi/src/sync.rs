// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/sync.h: locks in shared memory. The types are here, the functions in the modules.

mod barrier;
mod condvar;
mod event;
mod mutex;
mod once;
mod rwlock;
mod semaphore;

use std::ffi::c_int;

use unipc_core::sync::{
    Acquired, Barrier, Condvar, Event, Form, Holder, Mutex, MutexKind, Once, RwLock, Semaphore,
};
use unipc_core::{Mode, Result};

pub use barrier::*;
pub use condvar::*;
pub use event::*;
pub use mutex::*;
pub use once::*;
pub use rwlock::*;
pub use semaphore::*;

use super::boundary;
use boundary::{Caller, SizeFirst};

/// A lock for one thread at a time, of any process.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_mutex {
    pub(crate) object: Mutex,
}

impl unipc_mutex {
    fn new(object: Mutex) -> Self {
        Self { object }
    }
}

/// A condition variable: waiting for a change of what a mutex guards.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_condvar {
    object: Condvar,
}

impl unipc_condvar {
    fn new(object: Condvar) -> Self {
        Self { object }
    }
}

/// A lock that many readers have together, or one writer alone.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_rwlock {
    pub(crate) object: RwLock,
}

impl unipc_rwlock {
    fn new(object: RwLock) -> Self {
        Self { object }
    }
}

/// A point that a number of threads pass together.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_barrier {
    object: Barrier,
}

impl unipc_barrier {
    fn new(object: Barrier) -> Self {
        Self { object }
    }
}

/// Permits, each of which knows its holder.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_sync_semaphore {
    pub(crate) object: Semaphore,
}

impl unipc_sync_semaphore {
    fn new(object: Semaphore) -> Self {
        Self { object }
    }
}

/// A flag for which others wait.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_event {
    pub(crate) object: Event,
}

impl unipc_event {
    fn new(object: Event) -> Self {
        Self { object }
    }
}

/// Something that is done once among all processes.
///
/// A handle belongs to the process, the object to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_once {
    pub(crate) object: Once,
}

impl unipc_once {
    fn new(object: Once) -> Self {
        Self { object }
    }
}

/// What the functions that open do when there is an object, and when there is none.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_sync_how {
    /// Open the one that is there. Where the bytes are zero, wait for up to a second for a creator.
    UNIPC_SYNC_OPEN = 0,
    /// Create it where there are zeros.
    UNIPC_SYNC_CREATE = 1,
    /// Open it, or create it when there is none.
    UNIPC_SYNC_OPEN_OR_CREATE = 2,
}

/// Whose layout an object has.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_sync_form {
    /// This library's own, which survives every death. The default.
    UNIPC_SYNC_ROBUST = 0,
    /// The C library's own pthread_mutex_t, pthread_cond_t, pthread_rwlock_t, pthread_barrier_t or
    /// sem_t, process-shared, so that programs that know only libc use the same bytes. Only the
    /// mutex, which is a robust one, survives a death. Nothing tells what the bytes are: peers must
    /// be trusted, one of them creates, and the others open when that is done.
    UNIPC_SYNC_PTHREAD = 1,
}

/// What a mutex does when its holder locks it again.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_mutex_kind {
    /// It says -EDEADLK (PTHREAD_MUTEX_ERRORCHECK). The default.
    UNIPC_MUTEX_ERROR_CHECKING = 0,
    /// It waits for itself, until the time is over (PTHREAD_MUTEX_NORMAL).
    UNIPC_MUTEX_NORMAL = 1,
    /// It counts (PTHREAD_MUTEX_RECURSIVE).
    UNIPC_MUTEX_RECURSIVE = 2,
}

/// News of calls that have done their work.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_locked {
    /// As it should be.
    UNIPC_LOCKED = 0,
    /// It is held, and its last holder died or left without repairing: what it guards may be
    /// inconsistent.
    UNIPC_OWNER_DIED = 1,
}

/// News of unipc_once_begin().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_once_news {
    /// It is done.
    UNIPC_ONCE_DONE = 0,
    /// It is the caller's to do.
    UNIPC_ONCE_BEGIN = 1,
    /// It is the caller's to do, and somebody who died has begun before.
    UNIPC_ONCE_BEGIN_AGAIN = 2,
}

/// How to create or open, where the defaults do not do. A field that is zero has its default; one
/// that the object has no use for must be zero.
///
/// Make it with UNIPC_SYNC_OPTS() or UNIPC_SYNC_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_sync_opts {
    /// sizeof(unipc_sync_opts).
    pub sz: usize,
    /// When opening by name and creating: permission bits, exact whatever the umask. 0: 0600.
    pub mode: u32,
    /// UNIPC_SYNC_ROBUST or UNIPC_SYNC_PTHREAD. Not for events and once.
    pub form: u32,
    /// Mutex: a UNIPC_MUTEX_ kind. When opening, the object's own kind counts.
    pub kind: u32,
    /// Mutex: not 0 lets the holder run with the priority of the most urgent waiter. Pthread form alone.
    pub inherit: u32,
    /// Event: not 0 lets one waiter pass for each unipc_event_set(), instead of all.
    pub auto_reset: u32,
    /// Semaphore: how many permits there can be. 0: as many as at first, but at least 64.
    /// Read-write lock: how many can read at once. 0: 60. Robust form alone.
    pub max: u32,
}

const _: () = assert!(
    size_of::<unipc_sync_opts>() == size_of::<usize>() + 6 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_sync_opts {}

/// A thread that holds something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_sync_holder {
    /// Its process, in that process's own PID namespace. 0: not known.
    pub pid: u32,
    /// The thread, likewise. 0: nobody.
    pub tid: u32,
    /// When the thread began, in clock ticks since boot, as in /proc/PID/stat. 0: not known.
    pub start_time: u64,
}

impl From<Holder> for unipc_sync_holder {
    fn from(holder: Holder) -> Self {
        Self { pid: holder.pid, tid: holder.tid, start_time: holder.start_time }
    }
}

/// What is to be seen of a mutex or a read-write lock from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_sync_status {
    /// Who holds the mutex; who writes, or waits for readers to leave so as to write.
    pub holder: unipc_sync_holder,
    /// 1 when the last holder died, and nobody has said since that the data are whole.
    pub owner_died: u32,
    /// 1 when it can be locked no more.
    pub retired: u32,
}

/// How an object is opened, checked.
struct How {
    disposition: c_int,
    opts: unipc_sync_opts,
    form: Form,
    mode: Mode,
}

/// Which fields of the options an object has a use for.
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the options")]
#[derive(Clone, Copy)]
struct Uses {
    form: bool,
    mutex: bool,
    event: bool,
    max: bool,
}

impl Uses {
    const NONE: Self = Self { form: false, mutex: false, event: false, max: false };
}

impl How {
    fn new(caller: &Caller, how: c_int, opts: *const unipc_sync_opts, uses: Uses) -> Result<Self> {
        let opts = caller.options(opts)?;
        if !(0..=2).contains(&how) {
            return Err(caller.invalid("how", format!("{how} is no UNIPC_SYNC_ number")));
        }
        let form = match opts.form {
            0 => Form::Robust,
            1 => Form::Pthread,
            other => return Err(caller.invalid("opts.form", format!("{other} is no form"))),
        };
        let useless = [
            ("opts.form", opts.form, uses.form),
            ("opts.kind", opts.kind, uses.mutex),
            ("opts.inherit", opts.inherit, uses.mutex),
            ("opts.auto_reset", opts.auto_reset, uses.event),
            ("opts.max", opts.max, uses.max),
        ];
        for (field, value, used) in useless {
            if value != 0 && !used {
                return Err(caller.invalid(field, "this object has no use for it"));
            }
        }
        let mode = if opts.mode == 0 { Mode::PRIVATE } else { Mode::new(opts.mode)? };
        Ok(Self { disposition: how, opts, form, mode })
    }

    fn kind(&self, caller: &Caller) -> Result<MutexKind> {
        match self.opts.kind {
            0 => Ok(MutexKind::ErrorChecking),
            1 => Ok(MutexKind::Normal),
            2 => Ok(MutexKind::Recursive),
            other => Err(caller.invalid("opts.kind", format!("{other} is no kind of mutex"))),
        }
    }
}

/// Calls the one of three constructors that is meant.
macro_rules! open_as {
    ($options:expr, $how:expr, $place:expr $(, $argument:expr)?) => {
        match $how.disposition {
            0 => $options.open($place),
            1 => $options.create($place $(, $argument)?),
            _ => $options.open_or_create($place $(, $argument)?),
        }
    };
}

use open_as;

/// UNIPC_LOCKED or UNIPC_OWNER_DIED.
fn news(acquired: Acquired) -> c_int {
    match acquired {
        Acquired::Clean => unipc_locked::UNIPC_LOCKED as c_int,
        Acquired::OwnerDied => unipc_locked::UNIPC_OWNER_DIED as c_int,
    }
}

/// Gives as many as there is room for; the answer is how many there are.
fn fill<T>(caller: &Caller, all: Vec<T>, buffer: *mut T, capacity: usize) -> Result<isize> {
    let room = caller.room(buffer, capacity)?;
    let count = all.len();
    for (place, value) in room.iter_mut().zip(all) {
        *place = value;
    }
    Ok(isize::try_from(count).unwrap_or(isize::MAX))
}

fn holders(all: Vec<Holder>) -> Vec<unipc_sync_holder> {
    all.into_iter().map(unipc_sync_holder::from).collect()
}

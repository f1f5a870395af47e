// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C library's own process-shared objects, at bytes that others of its kind use too.
//!
//! All waits are on the monotonic clock; an absent deadline is for ever.
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "attributes are made, used and destroyed in one go"
)]

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use nix::errno::Errno;

use super::timer::timespec;
use crate::error::ErrorKind;
use crate::map::Map;
use crate::time::{Deadline, Timeout};

// The libc crate lacks these (glibc 2.30).
unsafe extern "C" {
    fn pthread_mutex_clocklock(
        mutex: *mut libc::pthread_mutex_t,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> libc::c_int;
    fn pthread_cond_clockwait(
        cond: *mut libc::pthread_cond_t,
        mutex: *mut libc::pthread_mutex_t,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> libc::c_int;
    fn pthread_rwlock_clockrdlock(
        lock: *mut libc::pthread_rwlock_t,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> libc::c_int;
    fn pthread_rwlock_clockwrlock(
        lock: *mut libc::pthread_rwlock_t,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> libc::c_int;
    fn sem_clockwait(
        sem: *mut libc::sem_t,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> libc::c_int;
}

/// glibc's mark on a mutex whose last holder died, while the next one has it.
pub(crate) const INCONSISTENT: u32 = 0x7fff_ffff;
/// glibc's mark on a mutex that can be locked no more.
pub(crate) const RETIRED: u32 = 0x7fff_fffe;

/// `PTHREAD_BARRIER_SERIAL_THREAD`.
const SERIAL: libc::c_int = -1;

/// One of the C library's objects in shared memory.
#[derive(Debug)]
pub(crate) struct Foreign<T> {
    /// Keeps the bytes mapped.
    map: Arc<Map>,
    at: NonNull<T>,
}

// SAFETY: the objects are made for use by many threads; the pointer is into the mapping that `map` keeps.
unsafe impl<T> Send for Foreign<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Foreign<T> {}

/// The kinds of mutex, as `pthread_mutexattr_settype` numbers them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MutexKind {
    pub(crate) kind: libc::c_int,
    pub(crate) inherit: bool,
}

fn check(result: libc::c_int) -> nix::Result<()> {
    if result == 0 { Ok(()) } else { Err(Errno::from_raw(result)) }
}

/// The moment as these calls want it; `None` for ever, or for a time that no clock reaches.
fn moment(deadline: Deadline) -> nix::Result<Option<libc::timespec>> {
    let Timeout::After(left) = deadline.remaining() else { return Ok(None) };
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?;
    Ok(Some(timespec(std::time::Duration::from(now).saturating_add(left))))
}

impl<T> Foreign<T> {
    /// The object at `offset`, which must be a multiple of 8 in memory.
    pub(crate) fn new(map: Arc<Map>, offset: usize) -> Result<Self, ErrorKind> {
        let at = map.ptr_at(offset, size_of::<T>())?.cast::<T>();
        let at =
            NonNull::new(at).filter(|at| at.addr().get().is_multiple_of(8)).ok_or_else(|| {
                ErrorKind::invalid(format!("offset {offset} is no multiple of 8 in memory"))
            })?;
        Ok(Self { map, at })
    }

    fn ptr(&self) -> *mut T {
        self.at.as_ptr()
    }

    /// Has the file lost pages?
    pub(crate) fn check(&self) -> Result<(), ErrorKind> {
        if self.map.has_fault() { Err(ErrorKind::Truncated) } else { Ok(()) }
    }

    /// Are all bytes zero, as if nothing had ever been made here?
    pub(crate) fn is_blank(&self) -> bool {
        let start = self.ptr().cast::<u8>();
        // SAFETY: `new` checked that the object lies inside; a volatile read assumes nothing about what others do.
        (0..size_of::<T>()).all(|at| unsafe { start.add(at).read_volatile() } == 0)
    }
}

impl Foreign<libc::pthread_mutex_t> {
    /// Makes a robust process-shared mutex.
    pub(crate) fn init(&self, kind: MutexKind) -> nix::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: each call gets the attributes that the first one made, and `ptr` is to room for a mutex.
        unsafe {
            check(libc::pthread_mutexattr_init(attributes))?;
            check(libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED))?;
            check(libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST))?;
            check(libc::pthread_mutexattr_settype(attributes, kind.kind))?;
            if kind.inherit {
                check(libc::pthread_mutexattr_setprotocol(attributes, libc::PTHREAD_PRIO_INHERIT))?;
            }
            let made = check(libc::pthread_mutex_init(self.ptr(), attributes));
            libc::pthread_mutexattr_destroy(attributes);
            made
        }
    }

    /// `EOWNERDEAD` means that it is held. `ETIMEDOUT`, `EDEADLK`, `ENOTRECOVERABLE`.
    pub(crate) fn lock(&self, deadline: Deadline) -> nix::Result<()> {
        match moment(deadline)? {
            // SAFETY: a mutex of the C library, in memory that stays mapped.
            None => check(unsafe { libc::pthread_mutex_lock(self.ptr()) }),
            // SAFETY: as above; the time lives as long as the call.
            Some(until) => check(unsafe {
                pthread_mutex_clocklock(self.ptr(), libc::CLOCK_MONOTONIC, &raw const until)
            }),
        }
    }

    /// `EBUSY` when it is held.
    pub(crate) fn try_lock(&self) -> nix::Result<()> {
        // SAFETY: as in `lock`.
        check(unsafe { libc::pthread_mutex_trylock(self.ptr()) })
    }

    pub(crate) fn unlock(&self) -> nix::Result<()> {
        // SAFETY: as in `lock`.
        check(unsafe { libc::pthread_mutex_unlock(self.ptr()) })
    }

    /// `EINVAL` when it is not inconsistent.
    pub(crate) fn consistent(&self) -> nix::Result<()> {
        // SAFETY: as in `lock`.
        check(unsafe { libc::pthread_mutex_consistent(self.ptr()) })
    }

    /// The word in which glibc keeps the holder's number, as the kernel's robust list wants it, and the one in which it
    /// keeps the holder's number again, [`INCONSISTENT`] or [`RETIRED`].
    pub(crate) fn state(&self) -> (u32, u32) {
        let words = self.ptr().cast::<u32>();
        // SAFETY: the first and the third word lie inside the object and are aligned.
        unsafe { (words.read_volatile(), words.add(2).read_volatile()) }
    }
}

impl Foreign<libc::pthread_cond_t> {
    pub(crate) fn init(&self) -> nix::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: each call gets the attributes that the first one made, and `ptr` is to room for a condition variable.
        unsafe {
            check(libc::pthread_condattr_init(attributes))?;
            check(libc::pthread_condattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED))?;
            check(libc::pthread_condattr_setclock(attributes, libc::CLOCK_MONOTONIC))?;
            let made = check(libc::pthread_cond_init(self.ptr(), attributes));
            libc::pthread_condattr_destroy(attributes);
            made
        }
    }

    pub(crate) fn wait(
        &self,
        mutex: &Foreign<libc::pthread_mutex_t>,
        deadline: Deadline,
    ) -> nix::Result<()> {
        match moment(deadline)? {
            // SAFETY: objects of the C library, in memory that stays mapped; the caller holds the mutex.
            None => check(unsafe { libc::pthread_cond_wait(self.ptr(), mutex.ptr()) }),
            // SAFETY: as above; the time lives as long as the call.
            Some(until) => check(unsafe {
                let until = &raw const until;
                pthread_cond_clockwait(self.ptr(), mutex.ptr(), libc::CLOCK_MONOTONIC, until)
            }),
        }
    }

    pub(crate) fn wake(&self, all: bool) -> nix::Result<()> {
        if all {
            // SAFETY: a condition variable of the C library, in memory that stays mapped.
            return check(unsafe { libc::pthread_cond_broadcast(self.ptr()) });
        }
        // SAFETY: as above.
        check(unsafe { libc::pthread_cond_signal(self.ptr()) })
    }
}

impl Foreign<libc::pthread_rwlock_t> {
    pub(crate) fn init(&self) -> nix::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: each call gets the attributes that the first one made, and `ptr` is to room for a lock.
        unsafe {
            check(libc::pthread_rwlockattr_init(attributes))?;
            check(libc::pthread_rwlockattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED))?;
            let made = check(libc::pthread_rwlock_init(self.ptr(), attributes));
            libc::pthread_rwlockattr_destroy(attributes);
            made
        }
    }

    pub(crate) fn lock(&self, exclusive: bool, deadline: Deadline) -> nix::Result<()> {
        let until = moment(deadline)?;
        // SAFETY: a lock of the C library, in memory that stays mapped; the time lives as long as the call.
        check(unsafe {
            match (until, exclusive) {
                (None, true) => libc::pthread_rwlock_wrlock(self.ptr()),
                (None, false) => libc::pthread_rwlock_rdlock(self.ptr()),
                (Some(until), true) => {
                    pthread_rwlock_clockwrlock(self.ptr(), libc::CLOCK_MONOTONIC, &raw const until)
                }
                (Some(until), false) => {
                    pthread_rwlock_clockrdlock(self.ptr(), libc::CLOCK_MONOTONIC, &raw const until)
                }
            }
        })
    }

    pub(crate) fn try_lock(&self, exclusive: bool) -> nix::Result<()> {
        if exclusive {
            // SAFETY: as in `lock`.
            return check(unsafe { libc::pthread_rwlock_trywrlock(self.ptr()) });
        }
        // SAFETY: as in `lock`.
        check(unsafe { libc::pthread_rwlock_tryrdlock(self.ptr()) })
    }

    pub(crate) fn unlock(&self) -> nix::Result<()> {
        // SAFETY: as in `lock`.
        check(unsafe { libc::pthread_rwlock_unlock(self.ptr()) })
    }
}

impl Foreign<libc::pthread_barrier_t> {
    pub(crate) fn init(&self, parties: u32) -> nix::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: each call gets the attributes that the first one made, and `ptr` is to room for a barrier.
        unsafe {
            check(libc::pthread_barrierattr_init(attributes))?;
            check(libc::pthread_barrierattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED))?;
            let made = check(libc::pthread_barrier_init(self.ptr(), attributes, parties));
            libc::pthread_barrierattr_destroy(attributes);
            made
        }
    }

    /// True for one of the parties.
    pub(crate) fn wait(&self) -> nix::Result<bool> {
        // SAFETY: a barrier of the C library, in memory that stays mapped.
        match unsafe { libc::pthread_barrier_wait(self.ptr()) } {
            SERIAL => Ok(true),
            other => check(other).map(|()| false),
        }
    }
}

impl Foreign<libc::sem_t> {
    pub(crate) fn init(&self, value: u32) -> nix::Result<()> {
        // SAFETY: `ptr` is to room for a semaphore.
        Errno::result(unsafe { libc::sem_init(self.ptr(), 1, value) }).map(drop)
    }

    /// `ETIMEDOUT`, `EINTR`.
    pub(crate) fn wait(&self, deadline: Deadline) -> nix::Result<()> {
        let result = match moment(deadline)? {
            // SAFETY: a semaphore of the C library, in memory that stays mapped.
            None => unsafe { libc::sem_wait(self.ptr()) },
            // SAFETY: as above; the time lives as long as the call.
            Some(until) => unsafe {
                sem_clockwait(self.ptr(), libc::CLOCK_MONOTONIC, &raw const until)
            },
        };
        Errno::result(result).map(drop)
    }

    /// `EAGAIN` at 0.
    pub(crate) fn try_wait(&self) -> nix::Result<()> {
        // SAFETY: as in `wait`.
        Errno::result(unsafe { libc::sem_trywait(self.ptr()) }).map(drop)
    }

    /// `EOVERFLOW`.
    pub(crate) fn post(&self) -> nix::Result<()> {
        // SAFETY: as in `wait`.
        Errno::result(unsafe { libc::sem_post(self.ptr()) }).map(drop)
    }

    pub(crate) fn value(&self) -> nix::Result<u32> {
        let mut value = 0;
        // SAFETY: as in `wait`; the place is a local.
        Errno::result(unsafe { libc::sem_getvalue(self.ptr(), &raw mut value) })?;
        Ok(value.try_into().unwrap_or(0))
    }
}

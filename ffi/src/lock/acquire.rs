// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locking, unlocking, and who is in the way.

use std::ffi::{c_int, c_uint};

use libc::timespec;
use unipc_core::Result;
use unipc_core::lock::{Range, Sharing};

use super::boundary::Caller;
use super::unipc_lock_sharing::{UNIPC_LOCK_EXCLUSIVE, UNIPC_LOCK_SHARED};
use super::{unipc_lock, unipc_lock_holder_info};

/// Locks some bytes of the file, or all of it.
///
/// lock:    a handle
/// sharing: UNIPC_LOCK_EXCLUSIVE or UNIPC_LOCK_SHARED
/// start:   the first byte; bytes need not exist. 0 for flock.
/// length:  how many bytes. 0: to the end of the file, wherever that will be. 0 for flock.
/// timeout: how long to wait, NULL for ever, {0, 0} not at all
///
/// What this owner has locked of these bytes is converted. A record lock is converted at once or
/// stays as it was; flock gives up what it has first, so that another owner may get it, and when the
/// call fails nothing is locked any more.
///
/// The kernel has no time limit for locks: a wait with one tries first, and is then interrupted by a
/// timer with a real-time signal that nobody else uses. Nobody polls, and nothing is held or
/// queued when the time is over.
///
/// Returns 0: it is locked, until unipc_lock_release() or unipc_lock_close().
/// Errors:
///   -EAGAIN      somebody else has it, and the timeout is {0, 0}; or a wait with a limit cannot get
///                a timer (RLIMIT_SIGPENDING)
///   -ETIMEDOUT   somebody else has had it all the time
///   -EINTR       a signal handler ran
///   -EDEADLK     UNIPC_LOCK_POSIX: who has it waits for a lock of this process
///   -EBADF       the descriptor is not open for writing (exclusive record lock) or reading (shared)
///   -ENOLCK      there are too many locks
///   -EOPNOTSUPP  a range with flock
///   -EOVERFLOW   start + length is beyond the largest file
///   -EINVAL      unknown sharing, a bad timeout; lock is NULL
/// Since 0.1. See fcntl(2), flock(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_acquire(
    lock: *const unipc_lock,
    sharing: c_uint,
    start: u64,
    length: u64,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a time or NULL.
    let caller = unsafe { Caller::trusted("acquire") };
    caller.guard(|| {
        let lock = &caller.handle(lock)?.lock;
        let sharing = self::sharing(&caller, sharing)?;
        lock.acquire(range(start, length), sharing, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Unlocks some bytes of the file, or all of it. Of a larger range the rest stays locked; bytes that are
/// not locked are fine.
///
/// lock:   a handle
/// start:  the first byte. 0 for flock.
/// length: how many bytes. 0: to the end of the file, wherever that will be. 0 for flock.
///
/// Returns 0.
/// Errors:
///   -ENOLCK      one lock would become two, and there are too many
///   -EOPNOTSUPP  a range with flock
///   -EOVERFLOW   start + length is beyond the largest file
///   -EINVAL      lock is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_release(
    lock: *const unipc_lock,
    start: u64,
    length: u64,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("release") };
    caller.guard(|| caller.handle(lock)?.lock.release(range(start, length)).map(|()| 0))
}

/// Tells a lock of another owner that would make this one wait for such a lock now. By the time of the
/// answer that may have changed.
///
/// lock, sharing, start, length: as for unipc_lock_acquire()
/// holder: where the first lock in the way is described
///
/// The kernel tells it for record locks (F_OFD_GETLK, F_GETLK). For flock, /proc/locks is read: it may
/// name a process that has gone, and shows no locks of other pid namespaces.
///
/// Returns 1: *holder says who is in the way. 0: nobody is, and *holder is as before.
/// Errors:
///   -EOPNOTSUPP  a range with flock
///   -EOVERFLOW   start + length is beyond the largest file
///   -EINVAL      unknown sharing; lock or holder is NULL
///   and, for flock, what reading /proc gives
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_holder(
    lock: *const unipc_lock,
    sharing: c_uint,
    start: u64,
    length: u64,
    holder: *mut unipc_lock_holder_info,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a place for the answer.
    let caller = unsafe { Caller::trusted("holder") };
    caller.guard(|| {
        let lock = &caller.handle(lock)?.lock;
        let place = caller.output("holder", holder)?;
        let sharing = self::sharing(&caller, sharing)?;
        let Some(found) = lock.holder(range(start, length), sharing)? else { return Ok(0) };
        place.set(unipc_lock_holder_info {
            pid: found.pid.unwrap_or(0),
            kind: found.kind as u32,
            sharing: found.sharing as u32,
            reserved: 0,
            start: found.range.start(),
            length: found.range.length().unwrap_or(0),
        });
        Ok(1)
    })
}

/// Length 0 is to the end, as in `struct flock`.
#[inline]
fn range(start: u64, length: u64) -> Range {
    Range::new(start, (length > 0).then_some(length))
}

#[inline]
fn sharing(caller: &Caller, number: c_uint) -> Result<Sharing> {
    if number == UNIPC_LOCK_EXCLUSIVE as c_uint {
        return Ok(Sharing::Exclusive);
    }
    if number == UNIPC_LOCK_SHARED as c_uint {
        return Ok(Sharing::Shared);
    }
    Err(caller.invalid("sharing", "it is UNIPC_LOCK_EXCLUSIVE or UNIPC_LOCK_SHARED"))
}

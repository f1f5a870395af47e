// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks in shared memory as C calls them.

use std::ptr::{null, null_mut};

use crate::ffi::shm::{unipc_shm, unipc_shm_close, unipc_shm_create};
use crate::ffi::sync::*;
use crate::null::INVALID;

/// The functions of locks in shared memory that were asked with NULL.
pub(crate) fn asked_with_null() -> Vec<&'static str> {
    const NOTHING: isize = INVALID as isize;
    let mut shm: *mut unipc_shm = null_mut();
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_shm_create(&raw mut shm, c"anon:".as_ptr(), 4096, 0, null()) }, 0);
    let mut mutex: *mut unipc_mutex = null_mut();
    let mut condvar: *mut unipc_condvar = null_mut();
    let mut rwlock: *mut unipc_rwlock = null_mut();
    let mut barrier: *mut unipc_barrier = null_mut();
    let mut semaphore: *mut unipc_sync_semaphore = null_mut();
    let mut event: *mut unipc_event = null_mut();
    let mut once: *mut unipc_once = null_mut();
    let asked = ask! {
        unipc_barrier_open(null_mut(), shm, 0, 2, 3, null()) -> INVALID;
        unipc_barrier_open(&raw mut barrier, null(), 0, 2, 3, null()) -> INVALID;
        unipc_barrier_open_named(null_mut(), c"anon:".as_ptr(), 2, 3, null()) -> INVALID;
        unipc_barrier_open_named(&raw mut barrier, null(), 2, 3, null()) -> INVALID;
        unipc_barrier_wait(null(), null()) -> INVALID;
        unipc_barrier_join(null()) -> INVALID;
        unipc_barrier_leave(null()) -> INVALID;
        unipc_barrier_abort(null()) -> INVALID;
        unipc_barrier_reset(null()) -> INVALID;
        unipc_barrier_is_broken(null()) -> INVALID;
        unipc_barrier_arrived(null()) -> INVALID;
        unipc_barrier_parties(null()) -> INVALID;
        unipc_barrier_holders(null(), null_mut(), 0) -> NOTHING;
        unipc_condvar_open(null_mut(), shm, 0, 2, null()) -> INVALID;
        unipc_condvar_open(&raw mut condvar, null(), 0, 2, null()) -> INVALID;
        unipc_condvar_open_named(null_mut(), c"anon:".as_ptr(), 2, null()) -> INVALID;
        unipc_condvar_open_named(&raw mut condvar, null(), 2, null()) -> INVALID;
        unipc_condvar_wait(null(), null(), null()) -> INVALID;
        unipc_condvar_notify_one(null()) -> INVALID;
        unipc_condvar_notify_all(null()) -> INVALID;
        unipc_condvar_waiters(null(), null_mut(), 0) -> NOTHING;
        unipc_event_open(null_mut(), shm, 0, 2, null()) -> INVALID;
        unipc_event_open(&raw mut event, null(), 0, 2, null()) -> INVALID;
        unipc_event_open_named(null_mut(), c"anon:".as_ptr(), 2, null()) -> INVALID;
        unipc_event_open_named(&raw mut event, null(), 2, null()) -> INVALID;
        unipc_event_set(null()) -> INVALID;
        unipc_event_reset(null()) -> INVALID;
        unipc_event_wait(null(), null()) -> INVALID;
        unipc_event_is_set(null()) -> INVALID;
        unipc_event_waiters(null(), null_mut(), 0) -> NOTHING;
        unipc_mutex_open(null_mut(), shm, 0, 2, null()) -> INVALID;
        unipc_mutex_open(&raw mut mutex, null(), 0, 2, null()) -> INVALID;
        unipc_mutex_open_named(null_mut(), c"anon:".as_ptr(), 2, null()) -> INVALID;
        unipc_mutex_open_named(&raw mut mutex, null(), 2, null()) -> INVALID;
        unipc_mutex_lock(null(), null()) -> INVALID;
        unipc_mutex_unlock(null()) -> INVALID;
        unipc_mutex_recovered(null()) -> INVALID;
        unipc_mutex_abandon(null()) -> INVALID;
        unipc_mutex_status(null(), null_mut()) -> INVALID;
        unipc_mutex_waiters(null(), null_mut(), 0) -> NOTHING;
        unipc_once_open(null_mut(), shm, 0, 2, null()) -> INVALID;
        unipc_once_open(&raw mut once, null(), 0, 2, null()) -> INVALID;
        unipc_once_open_named(null_mut(), c"anon:".as_ptr(), 2, null()) -> INVALID;
        unipc_once_open_named(&raw mut once, null(), 2, null()) -> INVALID;
        unipc_once_begin(null(), null()) -> INVALID;
        unipc_once_complete(null()) -> INVALID;
        unipc_once_abandon(null()) -> INVALID;
        unipc_once_is_done(null()) -> INVALID;
        unipc_once_holder(null(), null_mut()) -> INVALID;
        unipc_once_waiters(null(), null_mut(), 0) -> NOTHING;
        unipc_rwlock_open(null_mut(), shm, 0, 2, null()) -> INVALID;
        unipc_rwlock_open(&raw mut rwlock, null(), 0, 2, null()) -> INVALID;
        unipc_rwlock_open_named(null_mut(), c"anon:".as_ptr(), 2, null()) -> INVALID;
        unipc_rwlock_open_named(&raw mut rwlock, null(), 2, null()) -> INVALID;
        unipc_rwlock_read(null(), null()) -> INVALID;
        unipc_rwlock_write(null(), null()) -> INVALID;
        unipc_rwlock_unlock(null()) -> INVALID;
        unipc_rwlock_recovered(null()) -> INVALID;
        unipc_rwlock_abandon(null()) -> INVALID;
        unipc_rwlock_status(null(), null_mut()) -> INVALID;
        unipc_rwlock_readers(null(), null_mut(), 0) -> NOTHING;
        unipc_rwlock_waiters(null(), null_mut(), 0) -> NOTHING;
        unipc_sync_semaphore_open(null_mut(), shm, 0, 2, 3, null()) -> INVALID;
        unipc_sync_semaphore_open(&raw mut semaphore, null(), 0, 2, 3, null()) -> INVALID;
        unipc_sync_semaphore_open_named(null_mut(), c"anon:".as_ptr(), 2, 3, null()) -> INVALID;
        unipc_sync_semaphore_open_named(&raw mut semaphore, null(), 2, 3, null()) -> INVALID;
        unipc_sync_semaphore_acquire(null(), null()) -> INVALID;
        unipc_sync_semaphore_release(null()) -> INVALID;
        unipc_sync_semaphore_wait(null(), null()) -> INVALID;
        unipc_sync_semaphore_post(null()) -> INVALID;
        unipc_sync_semaphore_value(null()) -> INVALID;
        unipc_sync_semaphore_max(null()) -> INVALID;
        unipc_sync_semaphore_holders(null(), null_mut(), 0) -> NOTHING;
        unipc_sync_semaphore_waiters(null(), null_mut(), 0) -> NOTHING;
    };
    // SAFETY: the handle is given up.
    unsafe { unipc_shm_close(shm) };
    asked.to_vec()
}

const TRY: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

fn memory() -> *mut unipc_shm {
    let mut shm = null_mut();
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_shm_create(&raw mut shm, c"anon:".as_ptr(), 1 << 16, 0, null()) }, 0);
    shm
}

fn opts() -> unipc_sync_opts {
    let sz = size_of::<unipc_sync_opts>();
    unipc_sync_opts { sz, mode: 0, form: 0, kind: 0, inherit: 0, auto_reset: 0, max: 0 }
}

#[test]
fn a_mutex_is_locked_and_unlocked_and_outlives_its_memory() {
    let shm = memory();
    let mut mutex = null_mut();
    let mut seen = unipc_sync_status::default();
    // SAFETY: the pointers are valid, and the handles open until they are closed.
    unsafe {
        assert_eq!(unipc_mutex_open(&raw mut mutex, shm, 64, 1, null()), 0);
        unipc_shm_close(shm);
        assert_eq!(unipc_mutex_lock(mutex, null()), 0);
        assert_eq!(unipc_mutex_lock(mutex, null()), -libc::EDEADLK);
        assert_eq!(unipc_mutex_status(mutex, &raw mut seen), 0);
        assert_eq!(seen.holder.pid, std::process::id());
        assert_eq!(unipc_mutex_waiters(mutex, null_mut(), 0), 0);
        assert_eq!(unipc_mutex_recovered(mutex), -libc::EINVAL);
        assert_eq!(unipc_mutex_abandon(mutex), 0);
        assert_eq!(unipc_mutex_lock(mutex, &TRY), 1);
        assert_eq!(unipc_mutex_recovered(mutex), 0);
        assert_eq!(unipc_mutex_unlock(mutex), 0);
        assert_eq!(unipc_mutex_unlock(mutex), -libc::EPERM);
        unipc_mutex_close(mutex);
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let shm = memory();
    let mut mutex = null_mut();
    let mut event = null_mut();
    let wrong = [
        unipc_sync_opts { form: 2, ..opts() },
        unipc_sync_opts { kind: 3, ..opts() },
        unipc_sync_opts { mode: 0o1777, ..opts() },
        unipc_sync_opts { auto_reset: 1, ..opts() },
        unipc_sync_opts { max: 1, ..opts() },
    ];
    for opts in &wrong {
        // SAFETY: the pointers are valid.
        let made = unsafe { unipc_mutex_open(&raw mut mutex, shm, 0, 2, opts) };
        assert_eq!(made, INVALID, "{opts:?}");
    }
    // SAFETY: the pointers are valid, and the handle is given up.
    unsafe {
        assert_eq!(unipc_mutex_open(&raw mut mutex, shm, 0, 3, null()), INVALID);
        let inherit = unipc_sync_opts { inherit: 1, ..opts() };
        assert_eq!(
            unipc_mutex_open(&raw mut mutex, shm, 0, 2, &raw const inherit),
            -libc::EOPNOTSUPP
        );
        let form = unipc_sync_opts { form: 1, ..opts() };
        assert_eq!(unipc_event_open(&raw mut event, shm, 0, 2, &raw const form), INVALID);
        unipc_shm_close(shm);
    }
}

#[test]
fn each_of_the_others_does_its_work() {
    let shm = memory();
    let (mut rwlock, mut barrier, mut semaphore) = (null_mut(), null_mut(), null_mut());
    let (mut event, mut once, mut holder) = (null_mut(), null_mut(), unipc_sync_holder::default());
    // SAFETY: the pointers are valid, and the handles open until they are closed.
    unsafe {
        assert_eq!(unipc_rwlock_open(&raw mut rwlock, shm, 0, 1, null()), 0);
        assert_eq!(unipc_rwlock_read(rwlock, null()), 0);
        assert_eq!(unipc_rwlock_readers(rwlock, &raw mut holder, 1), 1);
        assert_eq!(holder.pid, std::process::id());
        assert_eq!(unipc_rwlock_write(rwlock, &TRY), -libc::EDEADLK);
        assert_eq!(unipc_rwlock_unlock(rwlock), 0);
        assert_eq!(unipc_barrier_open(&raw mut barrier, shm, 8192, 1, 1, null()), 0);
        assert_eq!(unipc_barrier_wait(barrier, null()), 1);
        assert_eq!(unipc_barrier_parties(barrier), 1);
        let max = unipc_sync_opts { max: 1, ..opts() };
        assert_eq!(
            unipc_sync_semaphore_open(&raw mut semaphore, shm, 16384, 1, 1, &raw const max),
            0
        );
        assert_eq!(unipc_sync_semaphore_acquire(semaphore, null()), 0);
        assert_eq!(unipc_sync_semaphore_value(semaphore), 0);
        assert_eq!(unipc_sync_semaphore_wait(semaphore, &TRY), -libc::EAGAIN);
        assert_eq!(unipc_sync_semaphore_release(semaphore), 0);
        assert_eq!(unipc_sync_semaphore_post(semaphore), -libc::EOVERFLOW);
        assert_eq!(unipc_event_open(&raw mut event, shm, 32768, 1, null()), 0);
        assert_eq!(unipc_event_wait(event, &TRY), -libc::EAGAIN);
        assert_eq!(unipc_event_set(event), 0);
        assert_eq!(unipc_event_wait(event, null()), 0);
        assert_eq!(unipc_once_open(&raw mut once, shm, 40960, 1, null()), 0);
        assert_eq!(unipc_once_begin(once, null()), 1);
        assert_eq!(unipc_once_holder(once, &raw mut holder), 1);
        assert_eq!(unipc_once_complete(once), 0);
        assert_eq!(unipc_once_begin(once, null()), 0);
        unipc_rwlock_close(rwlock);
        unipc_barrier_close(barrier);
        unipc_sync_semaphore_close(semaphore);
        unipc_event_close(event);
        unipc_once_close(once);
        unipc_shm_close(shm);
    }
}

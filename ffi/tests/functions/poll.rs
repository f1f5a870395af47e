// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for several things as C calls it, with NULL.

use std::ptr::{null, null_mut};

use crate::ffi::poll::*;
use crate::null::INVALID;

/// What says nothing itself: the wait does.
pub(crate) const EXEMPT: &[&str] = &[
    "unipc_doorbell_close",
    "unipc_loop_bell_close",
    "unipc_poller_close",
    "unipc_wait_call",
    "unipc_wait_client",
    "unipc_wait_client_room",
    "unipc_wait_event",
    "unipc_wait_fd",
    "unipc_wait_mq",
    "unipc_wait_mutex",
    "unipc_wait_once",
    "unipc_wait_queue",
    "unipc_wait_queue_room",
    "unipc_wait_rwlock_read",
    "unipc_wait_rwlock_write",
    "unipc_wait_sem",
    "unipc_wait_semset",
    "unipc_wait_service",
    "unipc_wait_subscriber",
    "unipc_wait_sync_semaphore",
    "unipc_wait_topic",
];

/// The functions that were asked with NULL.
pub(crate) fn null_is_refused() -> Vec<&'static str> {
    let without_handles = [
        unipc_wait_call(null(), 0),
        unipc_wait_client(null()),
        unipc_wait_client_room(null()),
        unipc_wait_event(null()),
        unipc_wait_mq(null()),
        unipc_wait_mutex(null()),
        unipc_wait_once(null()),
        unipc_wait_queue(null()),
        unipc_wait_queue_room(null()),
        unipc_wait_rwlock_read(null()),
        unipc_wait_rwlock_write(null()),
        unipc_wait_sem(null()),
        unipc_wait_semset(null(), 0),
        unipc_wait_service(null()),
        unipc_wait_subscriber(null()),
        unipc_wait_sync_semaphore(null()),
        unipc_wait_topic(null()),
    ];
    for thing in without_handles {
        ask! {
            unipc_wait_any(&raw const thing, 1, null()) -> INVALID;
        };
    }
    let (mut poller, mut bell, mut loop_bell) = (null_mut(), null_mut(), null_mut());
    let (no_poller, queue) = (null_mut::<unipc_poller>(), unipc_wait_queue(null()));
    let mut key = 0;
    // SAFETY: the pointer is valid.
    assert_eq!(unsafe { unipc_poller_open(&raw mut poller) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { unipc_loop_bell_open(&raw mut loop_bell) }, 0);
    let asked = ask! {
        unipc_wait_any(null(), 1, null()) -> INVALID;
        unipc_poller_open(null_mut()) -> INVALID;
        unipc_poller_add(no_poller, queue, 1) -> INVALID;
        unipc_poller_add(poller, queue, 1) -> INVALID;
        unipc_poller_remove(no_poller, 1) -> INVALID;
        unipc_poller_wait(no_poller, &raw mut key, 1, null()) -> INVALID as isize;
        unipc_poller_wait(poller, null_mut(), 1, null()) -> INVALID as isize;
        unipc_doorbell_open(null_mut(), queue) -> INVALID;
        unipc_doorbell_open(&raw mut bell, queue) -> INVALID;
        unipc_doorbell_fd(null()) -> INVALID;
        unipc_doorbell_arm(null()) -> INVALID;
        unipc_loop_bell_open(null_mut()) -> INVALID;
        unipc_loop_bell_fd(null()) -> INVALID;
        unipc_loop_bell_arm(null_mut(), queue, &raw mut key) -> INVALID;
        unipc_loop_bell_arm(loop_bell, queue, &raw mut key) -> INVALID;
        unipc_loop_bell_arm(loop_bell, queue, null_mut()) -> INVALID;
        unipc_loop_bell_disarm(null_mut(), 1) -> INVALID;
        unipc_loop_bell_rung(null_mut(), &raw mut key, 1) -> INVALID as isize;
        unipc_loop_bell_rung(loop_bell, null_mut(), 1) -> INVALID as isize;
    };
    // SAFETY: the handle is open, and used no more.
    unsafe { unipc_poller_close(poller) };
    // SAFETY: as above.
    unsafe { unipc_loop_bell_close(loop_bell) };
    asked.to_vec()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors for what has none.

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd};

use unipc_core::poll::Doorbell;

use super::boundary::Caller;
use super::thing::waitable;
use super::{unipc_doorbell, unipc_waitable};

/// Makes a descriptor that is readable while a thing is ready that has none itself (a lock, an event, a
/// System V queue), for an event loop. Close it with unipc_doorbell_close(), before the thing's handle.
///
/// out:   where the handle goes; NULL on failure
/// thing: what to wait for
///
/// Returns 0.
/// Errors: as unipc_wait_any(); -EINVAL for a descriptor. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_doorbell_open(
    out: *mut *mut unipc_doorbell,
    thing: unipc_waitable,
) -> c_int {
    // SAFETY: the header asks for a place, and a thing whose handle is open.
    let caller = unsafe { Caller::trusted("doorbell_open") };
    caller.construct(out, || {
        let doorbell = Doorbell::new(&waitable(&caller, thing)?)?;
        Ok(unipc_doorbell { doorbell })
    })
}

/// The descriptor, valid until the doorbell is closed; close-on-exec.
///
/// Returns it, or -EINVAL when the handle is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_doorbell_fd(doorbell: *const unipc_doorbell) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("doorbell_fd") };
    caller.guard(|| Ok(caller.handle(doorbell)?.doorbell.as_fd().as_raw_fd()))
}

/// To be called when the thing could not be taken: makes the descriptor unreadable until it is ready.
///
/// Returns 0; -EINVAL in a child of fork(), -EBUSY when no more threads may be started. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_doorbell_arm(doorbell: *const unipc_doorbell) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("doorbell_arm") };
    caller.guard(|| caller.handle(doorbell)?.doorbell.arm().map(|()| 0))
}

/// Closes the handle; NULL is nothing. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_doorbell_close(doorbell: *mut unipc_doorbell) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("doorbell_close") };
    caller.destroy(doorbell);
}

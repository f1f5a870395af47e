// SPDX-License-Identifier: MIT OR Apache-2.0
//! One descriptor for an event loop.

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd};

use libc::ssize_t;
use unipc_core::poll::LoopBell;

use super::boundary::{Caller, count};
use super::thing::waitable;
use super::{unipc_loop_bell, unipc_waitable};

/// Makes one descriptor for all that an event loop waits for and that has none itself. It is readable when
/// one of them is ready, and unipc_loop_bell_rung() tells which. By io_uring (Linux 6.7, where it is
/// allowed) it wakes the loop as fast as an eventfd; elsewhere as a doorbell does. A handle serves one thread
/// at a time, that of the loop. Close it with unipc_loop_bell_close().
///
/// out: where the handle goes; NULL on failure
///
/// Returns 0.
/// Errors: -EINVAL when out is NULL; -EMFILE, -ENFILE, -ENOMEM. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_loop_bell_open(out: *mut *mut unipc_loop_bell) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("loop_bell_open") };
    caller.construct(out, || Ok(unipc_loop_bell { bell: LoopBell::new()?, rung: Vec::new() }))
}

/// The descriptor, valid until the handle is closed; close-on-exec.
///
/// Returns it, or -EINVAL when the handle is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_loop_bell_fd(bell: *const unipc_loop_bell) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("loop_bell_fd") };
    caller.guard(|| Ok(caller.handle(bell)?.bell.as_fd().as_raw_fd()))
}

/// Waits for a thing until it was told once, when it could not be taken.
///
/// bell:   a handle that no other thread is using
/// thing:  what to wait for; disarm it before its handle is closed
/// number: how it is told; no other one gets it
///
/// Returns 1; 0 when it is ready now, and is not waited for.
/// Errors: as unipc_wait_any(); -EINVAL for a descriptor. Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_loop_bell_arm(
    bell: *mut unipc_loop_bell,
    thing: unipc_waitable,
    number: *mut u64,
) -> c_int {
    // SAFETY: the header asks for an open handle, a thing whose handle is open, and a place.
    let caller = unsafe { Caller::trusted("loop_bell_arm") };
    caller.guard(|| {
        let place = caller.output("number", number)?;
        let armed = caller.handle_mut(bell)?.bell.arm(&waitable(&caller, thing)?)?;
        place.set(armed.unwrap_or(0));
        Ok(c_int::from(armed.is_some()))
    })
}

/// No longer waits for what has this number; nothing when it was told already.
///
/// Returns 0, or -EINVAL when the handle is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_loop_bell_disarm(bell: *mut unipc_loop_bell, number: u64) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("loop_bell_disarm") };
    caller.guard(|| {
        let handle = caller.handle_mut(bell)?;
        handle.rung.retain(|&it| it != number);
        handle.bell.disarm(number);
        Ok(0)
    })
}

/// Tells which are ready, none of which is waited for any more. To be called when the descriptor is readable,
/// until it tells of fewer than fit.
///
/// bell:    a handle that no other thread is using
/// numbers: where their numbers go
/// cap:     how many fit, at least one
///
/// Returns how many there are; may be 0.
/// Errors: -EINVAL, also in a child of fork(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_loop_bell_rung(
    bell: *mut unipc_loop_bell,
    numbers: *mut u64,
    cap: usize,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, and room.
    let caller = unsafe { Caller::trusted("loop_bell_rung") };
    caller.guard(|| {
        let handle = caller.handle_mut(bell)?;
        let room = caller.room(numbers, cap)?;
        if room.is_empty() {
            return Err(caller.invalid("cap", "there is no room for a number"));
        }
        if handle.rung.is_empty() {
            handle.rung = handle.bell.rung()?;
        }
        let fit = handle.rung.len().min(room.len());
        for (place, number) in room.iter_mut().zip(handle.rung.drain(..fit)) {
            *place = number;
        }
        Ok(count(fit))
    })
}

/// Closes the handle; NULL is nothing. What it waited for stays. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_loop_bell_close(bell: *mut unipc_loop_bell) {
    // SAFETY: the header asks for an open handle that nobody uses any more, or NULL.
    let caller = unsafe { Caller::trusted("loop_bell_close") };
    caller.destroy(bell);
}

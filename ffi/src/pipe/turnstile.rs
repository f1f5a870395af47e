// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose turn it is, between parent and child.

use std::ffi::c_int;
use std::os::fd::AsRawFd;

use libc::timespec;
use unipc_core::pipe::{Side, Turnstile};
use unipc_core::{ErrorKind, Result};

use super::boundary::Caller;
use super::{unipc_side, unipc_turnstile};

fn side(caller: &Caller, side: c_int) -> Result<Side> {
    match side {
        side if side == unipc_side::UNIPC_SIDE_PARENT as c_int => Ok(Side::Parent),
        side if side == unipc_side::UNIPC_SIDE_CHILD as c_int => Ok(Side::Child),
        _ => Err(caller.invalid("side", "it is neither UNIPC_SIDE_PARENT nor UNIPC_SIDE_CHILD")),
    }
}

/// Makes a turnstile, before fork() (TELL_WAIT). The process that made it is the parent then, any other
/// the child. Whoever waits for a peer that ends hears so.
///
/// out: gets the handle
///
/// Each side closes what belongs to the other when it calls for the first time, or with
/// unipc_turnstile_choose(). A third process that has inherited the pipes keeps a dead peer from being
/// noticed. Each telling is kept until it is waited for.
///
/// Returns 0.
/// Errors:
///   -EMFILE, -ENFILE  no descriptors are left
///   -EINVAL           out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_create(out: *mut *mut unipc_turnstile) -> c_int {
    // SAFETY: the header asks for a place for a handle.
    let caller = unsafe { Caller::trusted("turnstile") };
    caller.construct(out, || Ok(unipc_turnstile { turnstile: Turnstile::new()? }))
}

/// One side of a turnstile, of descriptors that were inherited through exec() or received.
///
/// out:   gets the handle
/// which: UNIPC_SIDE_PARENT or UNIPC_SIDE_CHILD
/// hear:  is read; it is duplicated, so close it
/// tell:  is written; it is duplicated, so close it
///
/// Returns 0.
/// Errors:
///   -EBADF       they are not open, or the other way
///   -EOPNOTSUPP  they are no pipes
///   -EINVAL      no side; out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_from_fds(
    out: *mut *mut unipc_turnstile,
    which: c_int,
    hear: c_int,
    tell: c_int,
) -> c_int {
    // SAFETY: the header asks for a place for a handle.
    let caller = unsafe { Caller::trusted("turnstile") };
    caller.construct(out, || {
        let which = side(&caller, which)?;
        let (hear, tell) = (caller.duplicate(hear)?, caller.duplicate(tell)?);
        Ok(unipc_turnstile { turnstile: Turnstile::from_fds(which, hear, tell)? })
    })
}

/// Says which side this process is, after fork(), and closes what belongs to the other. The functions
/// do it by themselves; call it when this process may end before its first one, or forks again.
///
/// turnstile: a handle
/// which:     UNIPC_SIDE_PARENT or UNIPC_SIDE_CHILD
///
/// Returns 0.
/// Errors:
///   -EINVAL  it is the other side already; no side; turnstile is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_choose(
    turnstile: *mut unipc_turnstile,
    which: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using.
    let caller = unsafe { Caller::trusted("choose") };
    caller.guard(|| {
        let turnstile = &mut caller.handle_mut(turnstile)?.turnstile;
        turnstile.choose(side(&caller, which)?).map(|()| 0)
    })
}

/// The descriptors of a side, to hand them to a program that is executed.
///
/// turnstile: a handle
/// which:     UNIPC_SIDE_PARENT or UNIPC_SIDE_CHILD
/// hear:      gets the descriptor that this side reads
/// tell:      gets the descriptor that it writes
///
/// They stay the handle's, and are close-on-exec.
///
/// Returns 0.
/// Errors:
///   -EBADF   they were closed
///   -EINVAL  no side; a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_fds(
    turnstile: *const unipc_turnstile,
    which: c_int,
    hear: *mut c_int,
    tell: *mut c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle and places for two numbers.
    let caller = unsafe { Caller::trusted("fds") };
    caller.guard(|| {
        let turnstile = &caller.handle(turnstile)?.turnstile;
        let (hear, tell) = (caller.output("hear", hear)?, caller.output("tell", tell)?);
        let closed = || caller.refused("turnstile", ErrorKind::Os(libc::EBADF));
        let fds = turnstile.fds(side(&caller, which)?).ok_or_else(closed)?;
        hear.set(fds.0.as_raw_fd());
        tell.set(fds.1.as_raw_fd());
        Ok(0)
    })
}

/// The child tells the parent to go on (TELL_PARENT).
///
/// turnstile: a handle
///
/// Returns 0.
/// Errors:
///   -EPIPE   the parent has ended
///   -EINTR   a signal came
///   -EINVAL  this process is the parent; turnstile is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_tell_parent(turnstile: *mut unipc_turnstile) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using.
    let caller = unsafe { Caller::trusted("tell_parent") };
    caller.guard(|| caller.handle_mut(turnstile)?.turnstile.tell_parent().map(|()| 0))
}

/// The child waits until the parent tells it to go on (WAIT_PARENT).
///
/// turnstile: a handle
/// timeout:   how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors:
///   -EPIPE      the parent has ended without telling
///   -EAGAIN     it has not told, and timeout is {0, 0}
///   -ETIMEDOUT  it did not tell in time
///   -EINTR      a signal came
///   -EPROTO     something else wrote into the pipe
///   -EINVAL     this process is the parent; no timeout; turnstile is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_wait_parent(
    turnstile: *mut unipc_turnstile,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("wait_parent") };
    caller.guard(|| {
        let turnstile = &mut caller.handle_mut(turnstile)?.turnstile;
        turnstile.wait_parent(caller.timeout(timeout)?).map(|()| 0)
    })
}

/// The parent tells the child to go on (TELL_CHILD).
///
/// turnstile: a handle
///
/// Returns 0.
/// Errors:
///   -EPIPE   the child has ended
///   -EINTR   a signal came
///   -EINVAL  this process is the child; turnstile is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_tell_child(turnstile: *mut unipc_turnstile) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using.
    let caller = unsafe { Caller::trusted("tell_child") };
    caller.guard(|| caller.handle_mut(turnstile)?.turnstile.tell_child().map(|()| 0))
}

/// The parent waits until the child tells it to go on (WAIT_CHILD).
///
/// turnstile: a handle
/// timeout:   how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors:
///   -EPIPE   the child has ended without telling
///   -EINVAL  this process is the child; no timeout; turnstile is NULL
///   else as unipc_turnstile_wait_parent()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_wait_child(
    turnstile: *mut unipc_turnstile,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("wait_child") };
    caller.guard(|| {
        let turnstile = &mut caller.handle_mut(turnstile)?.turnstile;
        turnstile.wait_child(caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Closes this process's ends; NULL is fine. The peer hears that this side has ended.
///
/// turnstile: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_turnstile_close(turnstile: *mut unipc_turnstile) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(turnstile);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as a stream with a descriptor.

use std::ffi::{c_int, c_uint};
use std::os::fd::AsRawFd;

use libc::{sigset_t, ssize_t, timespec};
use unipc_core::signal::Stream;

use super::boundary::Caller;
use super::unipc_signal_flag::UNIPC_SIGNAL_KEEP_MASK;
use super::{unipc_signal_info, unipc_signal_stream};

/// Makes a stream of signals. They come lowest number first, with sender, value and code.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_signal_stream_close().
/// set:   which signals. The calling thread blocks them from now on, for else they would act: open it
///        in the first thread, before others start, which inherit the mask.
/// flags: UNIPC_SIGNAL_KEEP_MASK to see to the mask yourself, or 0
///
/// Returns 0.
/// Errors:
///   -EINVAL  there is nothing in the set to wait for; unknown flags; a pointer is NULL
///   -EMFILE, -ENFILE  too many descriptors are open
/// Since 0.1. See signalfd(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_open(
    out: *mut *mut unipc_signal_stream,
    set: *const sigset_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place for the handle and for a set.
    let caller = unsafe { Caller::trusted("stream_open") };
    caller.construct(out, || {
        let keep_mask = UNIPC_SIGNAL_KEEP_MASK as c_uint;
        let flags = caller.flags(flags, keep_mask)?;
        let set = caller.signals(set)?;
        let open = if flags.has(keep_mask) { Stream::open_keeping_mask } else { Stream::open };
        open(set).map(|stream| unipc_signal_stream { stream })
    })
}

/// Takes the next signal.
///
/// stream:  a handle
/// info:    where it goes; may be NULL
/// timeout: relative, on the monotonic clock; NULL for ever, {0, 0} a try
///
/// Returns the signal's number. Or
///   -EAGAIN     none is there, and timeout is {0, 0}
///   -ETIMEDOUT  none came in time
///   -EINTR      another signal was handled
///   -EINVAL     a bad timeout; stream is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_read(
    stream: *const unipc_signal_stream,
    info: *mut unipc_signal_info,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a place for the news and a timespec.
    let caller = unsafe { Caller::trusted("stream_read") };
    caller.guard(|| {
        let taken = caller.handle(stream)?.stream.read(caller.timeout(timeout)?)?;
        caller.give(info, (&taken).into());
        Ok(taken.signal.number())
    })
}

/// Takes all signals that are there, in order; waits until there is one.
///
/// stream:  a handle
/// infos:   where they go
/// cap:     for how many there is room, more than 0
/// timeout: as for unipc_signal_stream_read()
///
/// Returns how many were taken, 1 or more.
/// Errors: as unipc_signal_stream_read(), and
///   -EINVAL  cap is 0; infos is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_read_many(
    stream: *const unipc_signal_stream,
    infos: *mut unipc_signal_info,
    cap: usize,
    timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the header asks for an open handle, room for `cap` values and a timespec.
    let caller = unsafe { Caller::trusted("stream_read_many") };
    caller.guard(|| {
        let stream = &caller.handle(stream)?.stream;
        let room = caller.room(infos, cap)?;
        let taken = stream.read_many(cap, caller.timeout(timeout)?)?;
        for (place, info) in room.iter_mut().zip(&taken) {
            *place = info.into();
        }
        Ok(taken.len().cast_signed())
    })
}

/// From now on these signals come, through the same descriptor. The thread that opened the stream
/// blocks what is new, if it is the one that calls (not with UNIPC_SIGNAL_KEEP_MASK).
///
/// stream: a handle
/// set:    which signals
///
/// Returns 0.
/// Errors:
///   -EINVAL  there is nothing in the set to wait for; a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_change(
    stream: *const unipc_signal_stream,
    set: *const sigset_t,
) -> c_int {
    // SAFETY: the header asks for an open handle and for a set.
    let caller = unsafe { Caller::trusted("stream_change") };
    caller.guard(|| {
        let stream = &caller.handle(stream)?.stream;
        stream.change(caller.signals(set)?).map(|()| 0)
    })
}

/// Which signals come.
///
/// stream: a handle
/// out:    where the set goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_set(
    stream: *const unipc_signal_stream,
    out: *mut sigset_t,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the set.
    let caller = unsafe { Caller::trusted("stream_set") };
    caller.guard(|| {
        let set = caller.handle(stream)?.stream.set();
        caller.output("out", out)?.set(set.into());
        Ok(0)
    })
}

/// The descriptor: readable when a signal is there. To poll it; to read, use
/// unipc_signal_stream_read().
///
/// stream: a handle
///
/// Returns the descriptor, close-on-exec and non-blocking, which stays the handle's. Or
///   -EINVAL  stream is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_fd(stream: *const unipc_signal_stream) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("stream_fd") };
    caller.guard(|| Ok(caller.handle(stream)?.stream.as_raw_fd()))
}

/// Closes a stream. In the thread that opened it, what it has blocked is unblocked,
/// unless another stream of that thread wants it; what is pending then acts. In another thread the
/// masks stay as they are.
///
/// stream: a handle, gone afterwards; NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_stream_close(stream: *mut unipc_signal_stream) {
    // SAFETY: the header asks for a handle that is closed once.
    let caller = unsafe { Caller::trusted("stream_close") };
    caller.destroy(stream);
}

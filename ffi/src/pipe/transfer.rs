// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading and writing.

use std::ffi::{c_int, c_void};

use libc::timespec;
use unipc_core::Result;

use super::boundary::{Caller, count};
use super::unipc_pipe;

/// Reads what is there.
///
/// pipe:    a handle to read from
/// buf:     room for the bytes
/// cap:     how many at most
/// timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were read; 0 when the stream has ended, that is when the last writing end was
///   closed and all was read.
/// Errors:
///   -EAGAIN     there is nothing, and timeout is {0, 0}
///   -ETIMEDOUT  nothing came in time
///   -EINTR      a signal came; nothing was read
///   -EBADF      the end is for writing
///   -EINVAL     no timeout; pipe, or buf of more than 0 bytes, is NULL
/// Since 0.1. See read(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_read(
    pipe: *const unipc_pipe,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read") };
    caller.guard(|| {
        let pipe = caller.handle(pipe)?;
        let room = caller.room(buf.cast(), cap)?;
        pipe.end.read_uninit(room, caller.timeout(timeout)?).map(count)
    })
}

/// Reads exactly so many bytes.
///
/// pipe:    a handle to read from
/// buf:     room for the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what is there
/// done:    gets how many bytes were read, whatever the answer is; NULL if that is not wanted
///
/// Returns 0.
/// Errors:
///   -ENODATA    the stream has ended
///   -EBADMSG    it ended after done bytes
///   -EAGAIN, -ETIMEDOUT, -EINTR  only done bytes came
///   -EBADF      the end is for writing
///   -EINVAL     no timeout; pipe, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_read_exact(
    pipe: *const unipc_pipe,
    buf: *mut c_void,
    len: usize,
    timeout: *const timespec,
    done: *mut usize,
) -> c_int {
    // SAFETY: the header asks for an open handle, room for `len` bytes, NULL or a timespec, NULL or a place for a number.
    let caller = unsafe { Caller::trusted("read_exact") };
    caller.guard(|| {
        caller.give(done, 0);
        let pipe = caller.handle(pipe)?;
        let room = caller.room(buf.cast(), len)?;
        let result = pipe.end.read_exact(room, caller.timeout(timeout)?);
        tell(&caller, done, len, result)
    })
}

/// Writes.
///
/// pipe:    a handle to write to
/// buf:     the bytes
/// len:     how many
/// timeout: how long to wait for room; NULL: for ever; {0, 0}: not at all
///
/// Up to UNIPC_PIPE_BUF bytes go into a pipe together or not at all. With NULL all bytes go, unless a
/// signal comes in between; with a timeout what fits at once.
///
/// Returns how many bytes were written; 0 only for none.
/// Errors: nothing was written
///   -EPIPE      nobody can read any more; there is no SIGPIPE, see unipc_pipe_set_sigpipe()
///   -EAGAIN     there is no room, and timeout is {0, 0}
///   -ETIMEDOUT  there was no room in time
///   -EINTR      a signal came
///   -EBADF      the end is for reading
///   -EINVAL     no timeout; pipe, or buf of more than 0 bytes, is NULL
/// Since 0.1. See write(2), pipe(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_write(
    pipe: *const unipc_pipe,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write") };
    caller.guard(|| {
        let pipe = caller.handle(pipe)?;
        let bytes = caller.bytes(buf, len)?;
        pipe.end.write(bytes, caller.timeout(timeout)?).map(count)
    })
}

/// Writes all bytes. Those of several writers may mix when there are more than UNIPC_PIPE_BUF.
///
/// pipe:    a handle to write to
/// buf:     the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what fits
/// done:    gets how many bytes were written, whatever the answer is; NULL if that is not wanted
///
/// Returns 0.
/// Errors: done bytes were written
///   as unipc_pipe_write()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_write_all(
    pipe: *const unipc_pipe,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
    done: *mut usize,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, NULL or a timespec, NULL or a place for a number.
    let caller = unsafe { Caller::trusted("write_all") };
    caller.guard(|| {
        caller.give(done, 0);
        let pipe = caller.handle(pipe)?;
        let bytes = caller.bytes(buf, len)?;
        let result = pipe.end.write_all(bytes, caller.timeout(timeout)?);
        tell(&caller, done, len, result)
    })
}

/// Writes all bytes together: never mixed with those of other writers, and all or nothing.
///
/// pipe:    a handle to write to
/// buf:     the bytes
/// len:     how many, at most UNIPC_PIPE_BUF
/// timeout: how long to wait for room; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors: nothing was written
///   -EMSGSIZE    more than UNIPC_PIPE_BUF bytes
///   -EOPNOTSUPP  it is one of a duplex, which promises no such thing
///   else as unipc_pipe_write()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_write_atomic(
    pipe: *const unipc_pipe,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write_atomic") };
    caller.guard(|| {
        let pipe = caller.handle(pipe)?;
        let bytes = caller.bytes(buf, len)?;
        pipe.end.write_atomic(bytes, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Tells how many bytes were moved.
#[inline]
fn tell(caller: &Caller, done: *mut usize, len: usize, result: Result<()>) -> Result<c_int> {
    caller.give(done, result.as_ref().map_or_else(|error| error.kind().done(), |()| len));
    result.map(|()| 0)
}

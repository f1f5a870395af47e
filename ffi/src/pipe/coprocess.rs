// SPDX-License-Identifier: MIT OR Apache-2.0
//! A filter at the other end of two pipes.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::fd::AsRawFd;

use libc::timespec;
use unipc_core::ErrorKind;
use unipc_core::pipe::{CoprocessOptions, status_number};

use super::boundary::{Caller, count};
use super::process::{START, command};
use super::{unipc_coprocess, unipc_process, unipc_process_opts};

/// Flags of unipc_coprocess_spawn(), besides those of unipc_process_flag.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_coprocess_flag {
    /// The filter's standard output is a pseudoterminal in raw mode, for filters that put out whole blocks
    /// into a pipe and lines to a terminal (all that use stdio and do not flush).
    UNIPC_COPROCESS_TERMINAL = 1 << 8,
}

const TERMINAL: c_uint = unipc_coprocess_flag::UNIPC_COPROCESS_TERMINAL as c_uint;

/// Starts a filter: what is written goes to its standard input, and what it puts out is read.
///
/// out:   gets the handle
/// argv:  the filter, its arguments, and a NULL behind them; see unipc_process_spawn()
/// flags: UNIPC_COPROCESS_TERMINAL, and UNIPC_PROCESS_ flags
/// opts:  UNIPC_PROCESS_OPTS(...), or NULL
///
/// Full pipes do no harm: a write that finds no room reads what the filter puts out, and keeps it for the
/// next read, up to 64 MiB. Threads may use the handle at once: a line, and an exchange, is not mixed with
/// those of others.
///
/// Returns 0.
/// Errors: those of unipc_process_spawn(), and
///   -ENOSPC  no pseudoterminals are left (kernel.pty.max)
///   -EINVAL  opts.descriptors has what is a pipe
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_spawn(
    out: *mut *mut unipc_coprocess,
    argv: *const *const c_char,
    flags: c_uint,
    opts: *const unipc_process_opts,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, an array of strings, and options that tell their size.
    let caller = unsafe { Caller::trusted("coprocess") };
    caller.construct(out, || {
        let flags = caller.flags(flags, START | TERMINAL)?;
        let opts = caller.options(opts)?;
        let mut options = CoprocessOptions::new().terminal(flags.has(TERMINAL));
        if opts.line_limit != 0 {
            options = options.line_limit(opts.line_limit);
        }
        Ok(unipc_coprocess::new(options.spawn(command(&caller, argv, flags, &opts)?)?))
    })
}

/// Sends a line, to which the newline is added, and waits for a line in answer.
///
/// coprocess: a handle
/// line:      the line, without a newline in it
/// len:       its length
/// buf:       room for the answer, without its newline, and a NUL
/// cap:       how many bytes that is
/// timeout:   for both; NULL: for ever; {0, 0}: not at all
///
/// Returns the answer's length; an empty line is 0.
/// Errors:
///   -EPIPE      the filter has ended, or closed its input or output; unipc_last_error() tells how it ended
///   -EMSGSIZE   the answer does not fit, or is beyond the limit; it stays, for unipc_coprocess_read_line()
///               or unipc_coprocess_read()
///   -EAGAIN, -ETIMEDOUT, -EINTR  no answer; it may still come, and would be taken for the next one
///   -EBADF      the input was ended
///   -EINVAL     a newline in the line; no timeout; coprocess, line or buf is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_exchange(
    coprocess: *const unipc_coprocess,
    line: *const c_void,
    len: usize,
    buf: *mut c_char,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, `len` bytes, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("exchange") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let line = caller.bytes(line, len)?;
        let room = caller.room(buf.cast(), cap)?;
        let length = coprocess.exchange_into(line, room, caller.timeout(timeout)?)?;
        room[length] = 0;
        Ok(count(length))
    })
}

/// Writes a line, to which the newline is added.
///
/// coprocess: a handle
/// buf:     the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what fits
///
/// Returns 0.
/// Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
///   -EPIPE      the filter has ended or closed its input, which unipc_last_error() tells; there is never a SIGPIPE
///   -EAGAIN     there is no room, and timeout is {0, 0}
///   -ETIMEDOUT  there was not enough room in time
///   -EINTR      a signal came
///   -EBADF      it was closed, or the input was ended
///   -EINVAL     a newline in the line; no timeout; coprocess, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_write_line(
    coprocess: *const unipc_coprocess,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write_line") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let bytes = caller.bytes(buf, len)?;
        coprocess.write_line(bytes, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Writes all bytes.
///
/// coprocess: a handle
/// buf:     the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what fits
///
/// Returns 0.
/// Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
///   -EPIPE      the filter has ended or closed its input, which unipc_last_error() tells; there is never a SIGPIPE
///   -EAGAIN     there is no room, and timeout is {0, 0}
///   -ETIMEDOUT  there was not enough room in time
///   -EINTR      a signal came
///   -EBADF      it was closed, or the input was ended
///   -EINVAL     no timeout; coprocess, or buf of more than 0 bytes, is NULL
///   -ENOBUFS    the filter has put out 64 MiB meanwhile that nobody has read
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_write(
    coprocess: *const unipc_coprocess,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let bytes = caller.bytes(buf, len)?;
        coprocess.write(bytes, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Reads what is there.
///
/// coprocess: a handle
/// buf:     room for the bytes
/// cap:     how many at most
/// timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were read; 0 at the end of its output.
/// Errors:
///   -EAGAIN     there is nothing, and timeout is {0, 0}
///   -ETIMEDOUT  nothing came in time
///   -EINTR      a signal came; nothing was read
///   -EBADF      it was closed, or is not for reading
///   -EINVAL     no timeout; coprocess, or buf of more than 0 bytes, is NULL
/// Since 0.1. See read(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_read(
    coprocess: *const unipc_coprocess,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let room = caller.room(buf.cast(), cap)?;
        coprocess.read(room, caller.timeout(timeout)?).map(count)
    })
}

/// Reads the next line, as a string without its newline. A last line may have no newline.
///
/// coprocess: a handle
/// buf:     room for the line and a NUL
/// cap:     how many bytes that is
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns the line's length; an empty line is 0.
/// Errors:
///   -ENODATA    the end: there is no further line
///   -EMSGSIZE   the line does not fit, and stays the next; or it is beyond the limit, and unipc_coprocess_read()
///               gives its bytes
///   -EAGAIN, -ETIMEDOUT, -EINTR  it has not come whole; what has come stays
///   -EBADF      it was closed, or is not for reading
///   -EINVAL     no timeout; coprocess, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_read_line(
    coprocess: *const unipc_coprocess,
    buf: *mut c_char,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read_line") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let room = caller.room(buf.cast(), cap)?;
        let give = |line: &[u8]| caller.give_text(room, line);
        let line = coprocess.with_line(caller.timeout(timeout)?, give)?;
        line.ok_or_else(|| caller.refused("coprocess", ErrorKind::EndOfStream))
    })
}

/// Writes all bytes, ends the input, and reads all that the filter puts out until it closes its output.
///
/// coprocess: a handle
/// bytes:     what to write
/// len:       how many
/// buf:       room for what comes
/// cap:       how many bytes that is; what does not fit is lost
/// timeout:   for all of it; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes came, which may be more than cap, as snprintf() does.
/// Errors: those of unipc_coprocess_write() and unipc_coprocess_read(), without -EPIPE
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_communicate(
    coprocess: *const unipc_coprocess,
    bytes: *const c_void,
    len: usize,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, `len` bytes, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("communicate") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let bytes = caller.bytes(bytes, len)?;
        let room: &mut [u8] = caller.room(buf.cast(), cap)?;
        let all = coprocess.communicate(bytes, caller.timeout(timeout)?)?;
        let fits = all.len().min(room.len());
        room[..fits].copy_from_slice(&all[..fits]);
        Ok(count(all.len()))
    })
}

/// Ends the filter's input, so that one that reads all before it answers (sort) answers now.
///
/// coprocess: a handle
///
/// Returns 0.
/// Errors:
///   -EINVAL  coprocess is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_end_input(coprocess: *const unipc_coprocess) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("end_input") };
    caller.guard(|| {
        caller.handle(coprocess)?.coprocess.end_input();
        Ok(0)
    })
}

/// Ends the filter's input and waits until the filter has ended. What it still puts out is not read
/// meanwhile: read to the end first.
///
/// coprocess: a handle
/// status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
///          NULL if that is not wanted
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors: those of unipc_process_wait()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_wait(
    coprocess: *const unipc_coprocess,
    status: *mut c_int,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, NULL or a place for a number, NULL or a timespec.
    let caller = unsafe { Caller::trusted("wait") };
    caller.guard(|| {
        let coprocess = &caller.handle(coprocess)?.coprocess;
        let ended = coprocess.wait(caller.timeout(timeout)?)?;
        caller.give(status, status_number(ended));
        Ok(0)
    })
}

/// The program, for unipc_process_signal() and the like.
///
/// coprocess: a handle
///
/// Returns a handle that lives as long as this one, not to be closed; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_process(
    coprocess: *const unipc_coprocess,
) -> *const unipc_process {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("process") };
    caller.guard(|| Ok(&raw const caller.handle(coprocess)?.process))
}

/// The descriptor from which the filter's output comes, for poll().
///
/// coprocess: a handle
///
/// A line that has come already is not seen by poll(): read until -EAGAIN before.
///
/// Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
/// Errors:
///   -EBADF   it was closed
///   -EINVAL  coprocess is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_fd(coprocess: *const unipc_coprocess) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(coprocess)?.coprocess.fd()?.as_raw_fd()))
}

/// Was something of the filter's output read already, which no poll() shows? Perhaps a part of a line.
///
/// coprocess: a handle
///
/// Returns 1 if so, else 0.
/// Errors:
///   -EINVAL  coprocess is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_has_buffered(coprocess: *const unipc_coprocess) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("has_buffered") };
    caller.guard(|| Ok(c_int::from(caller.handle(coprocess)?.coprocess.has_buffered())))
}

/// Closes the handle and both pipes; NULL is fine. It does not wait: see unipc_coprocess_wait(). No zombie
/// remains.
///
/// coprocess: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_coprocess_close(coprocess: *mut unipc_coprocess) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(coprocess);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program at the other end of one pipe.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::fd::AsRawFd;

use libc::timespec;
use unipc_core::pipe::{Command, Shell, status_number};
use unipc_core::{ErrorKind, Result};

use super::boundary::{Caller, count};
use super::process::{START, command};
use super::{unipc_process, unipc_process_opts, unipc_shell};

/// Flags of unipc_shell_open(), besides those of unipc_process_flag. One of the two must be there.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_shell_flag {
    /// The program's standard output is read.
    UNIPC_SHELL_READ = 1 << 8,
    /// The program's standard input is written.
    UNIPC_SHELL_WRITE = 1 << 9,
}

const READ: c_uint = unipc_shell_flag::UNIPC_SHELL_READ as c_uint;
const WRITE: c_uint = unipc_shell_flag::UNIPC_SHELL_WRITE as c_uint;

fn open(caller: &Caller, command: Command, reads: bool, writes: bool) -> Result<unipc_shell> {
    let shell = match (reads, writes) {
        (true, false) => Shell::reader(command)?,
        (false, true) => Shell::writer(command)?,
        _ => return Err(caller.invalid("flags", "either reading or writing")),
    };
    Ok(unipc_shell::new(shell))
}

/// Starts a program, and reads its standard output or writes its standard input.
///
/// out:   gets the handle
/// argv:  the program, its arguments, and a NULL behind them; see unipc_process_spawn()
/// flags: UNIPC_SHELL_READ or UNIPC_SHELL_WRITE, and UNIPC_PROCESS_ flags
/// opts:  UNIPC_PROCESS_OPTS(...), or NULL
///
/// Returns 0.
/// Errors: those of unipc_process_spawn(), and
///   -EINVAL  not one of the two flags; opts.descriptors has what is the pipe
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_open(
    out: *mut *mut unipc_shell,
    argv: *const *const c_char,
    flags: c_uint,
    opts: *const unipc_process_opts,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, an array of strings, and options that tell their size.
    let caller = unsafe { Caller::trusted("shell") };
    caller.construct(out, || {
        let flags = caller.flags(flags, START | READ | WRITE)?;
        let opts = caller.options(opts)?;
        let command = command(&caller, argv, flags, &opts)?;
        open(&caller, command, flags.has(READ), flags.has(WRITE))
    })
}

/// Runs a line of the shell, sh -c LINE, and reads what it puts out or writes what it reads, as popen() does.
///
/// out:  gets the handle
/// line: for the shell; never build it from words that came from elsewhere
/// type: "r" to read, "w" to write; an "e" behind it, for close-on-exec, which it always is, is fine
///
/// Returns 0.
/// Errors: those of unipc_process_spawn(), and
///   -EINVAL  another type; out, line or type is NULL
/// Since 0.1. See popen(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_popen(
    out: *mut *mut unipc_shell,
    line: *const c_char,
    r#type: *const c_char,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, and two strings.
    let caller = unsafe { Caller::trusted("popen") };
    caller.construct(out, || {
        let command = Command::shell(caller.text("line", line)?);
        let direction = caller.text("type", r#type)?;
        let (reads, writes) = (["r", "re"], ["w", "we"]);
        let is = |words: [&str; 2]| words.iter().any(|word| direction == *word);
        open(&caller, command, is(reads), is(writes))
    })
}

/// Reads what is there.
///
/// shell: a handle
/// buf:     room for the bytes
/// cap:     how many at most
/// timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were read; 0 at the end.
/// Errors:
///   -EAGAIN     there is nothing, and timeout is {0, 0}
///   -ETIMEDOUT  nothing came in time
///   -EINTR      a signal came; nothing was read
///   -EBADF      it was closed, or is not for reading
///   -EINVAL     no timeout; shell, or buf of more than 0 bytes, is NULL
/// Since 0.1. See read(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_read(
    shell: *const unipc_shell,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read") };
    caller.guard(|| {
        let shell = &caller.handle(shell)?.shell;
        let room = caller.room(buf.cast(), cap)?;
        shell.read(room, caller.timeout(timeout)?).map(count)
    })
}

/// Reads the next line, as a string without its newline. A last line may have no newline.
///
/// shell: a handle
/// buf:     room for the line and a NUL
/// cap:     how many bytes that is
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns the line's length; an empty line is 0.
/// Errors:
///   -ENODATA    the end: there is no further line
///   -EMSGSIZE   the line does not fit, and stays the next; or it is beyond the limit, and unipc_shell_read()
///               gives its bytes
///   -EAGAIN, -ETIMEDOUT, -EINTR  it has not come whole; what has come stays
///   -EBADF      it was closed, or is not for reading
///   -EINVAL     no timeout; shell, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_read_line(
    shell: *const unipc_shell,
    buf: *mut c_char,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read_line") };
    caller.guard(|| {
        let shell = &caller.handle(shell)?.shell;
        let room = caller.room(buf.cast(), cap)?;
        let give = |line: &[u8]| caller.give_text(room, line);
        let line = shell.with_line(caller.timeout(timeout)?, give)?;
        line.ok_or_else(|| caller.refused("shell", ErrorKind::EndOfStream))
    })
}

/// Writes all bytes.
///
/// shell: a handle
/// buf:     the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what fits
///
/// Returns 0.
/// Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
///   -EPIPE      the program has ended or closed its input, which unipc_last_error() tells; there is never a SIGPIPE
///   -EAGAIN     there is no room, and timeout is {0, 0}
///   -ETIMEDOUT  there was not enough room in time
///   -EINTR      a signal came
///   -EBADF      it was closed, or is not for writing
///   -EINVAL     no timeout; shell, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_write(
    shell: *const unipc_shell,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write") };
    caller.guard(|| {
        let shell = &caller.handle(shell)?.shell;
        let bytes = caller.bytes(buf, len)?;
        shell.write(bytes, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Closes the pipe, so that a program that reads sees the end of its input. Waiting does that, too.
///
/// shell: a handle
///
/// Returns 0.
/// Errors:
///   -EINVAL  shell is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_end(shell: *const unipc_shell) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("end") };
    caller.guard(|| {
        caller.handle(shell)?.shell.end();
        Ok(0)
    })
}

/// Closes the pipe and waits until the program has ended, as pclose() does.
///
/// shell: a handle
/// status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
///          NULL if that is not wanted
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors: those of unipc_process_wait()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_wait(
    shell: *const unipc_shell,
    status: *mut c_int,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, NULL or a place for a number, NULL or a timespec.
    let caller = unsafe { Caller::trusted("wait") };
    caller.guard(|| {
        let shell = &caller.handle(shell)?.shell;
        let ended = shell.wait(caller.timeout(timeout)?)?;
        caller.give(status, status_number(ended));
        Ok(0)
    })
}

/// The program, for unipc_process_signal() and the like.
///
/// shell: a handle
///
/// Returns a handle that lives as long as this one, not to be closed; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_process(shell: *const unipc_shell) -> *const unipc_process {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("process") };
    caller.guard(|| Ok(&raw const caller.handle(shell)?.process))
}

/// The pipe's descriptor, for poll().
///
/// shell: a handle
///
/// A line that has come already is not seen by poll(): read until -EAGAIN before.
///
/// Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
/// Errors:
///   -EBADF   it was closed
///   -EINVAL  shell is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_fd(shell: *const unipc_shell) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(shell)?.shell.fd()?.as_raw_fd()))
}

/// Closes the handle and the pipe; NULL is fine. It does not wait: see unipc_shell_wait(). No zombie remains.
///
/// shell: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shell_close(shell: *mut unipc_shell) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(shell);
}

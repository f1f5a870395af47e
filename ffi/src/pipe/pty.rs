// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pseudoterminals.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;

use libc::timespec;
use unipc_core::ErrorKind;
use unipc_core::pipe::{Pty, status_number};

use super::boundary::{Caller, count};
use super::process::{START, command};
use super::terminal::{bits_of, modes_of, size_of};
use super::{unipc_process, unipc_process_opts, unipc_pty, unipc_window_size};

/// Opens a pseudoterminal with nobody on the other side yet; unipc_pty_slave() gives that.
///
/// out:  gets the handle of the master
/// size: the window's size; NULL: 24 lines of 80 characters
///
/// Returns 0.
/// Errors:
///   -ENOSPC           all pseudoterminals are in use (kernel.pty.max)
///   -EMFILE, -ENFILE  no descriptors are left
///   -ENOENT           /dev/ptmx or /dev/pts is missing
///   -EINVAL           out is NULL
/// Since 0.1. See posix_openpt(3), ptsname(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_open(
    out: *mut *mut unipc_pty,
    size: *const unipc_window_size,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, and NULL or a size.
    let caller = unsafe { Caller::trusted("pty") };
    caller.construct(out, || Ok(unipc_pty::new(Pty::open(size_of(&caller, size)?)?)))
}

/// Opens a pseudoterminal and starts a program on it, in a session of its own whose controlling terminal it
/// is. Its standard input, output and error are the terminal, unless opts.descriptors says otherwise of the last two.
///
/// out:   gets the handle of the master
/// argv:  the program, its arguments, and a NULL behind them; see unipc_process_spawn()
/// flags: UNIPC_PROCESS_ flags, or 0
/// opts:  UNIPC_PROCESS_OPTS(...), or NULL
/// size:  the window's size; NULL: 24 lines of 80 characters
///
/// What is written the program reads as if it was typed: it is echoed, lines can be edited until their end,
/// Ctrl-C (byte 3) is SIGINT. What it puts out is read, with "\r\n" for each newline. unipc_pty_set_modes()
/// switches these things off one by one.
///
/// Returns 0.
/// Errors: those of unipc_pty_open() and unipc_process_spawn(), and
///   -EINVAL  opts.descriptors has descriptor 0
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_spawn(
    out: *mut *mut unipc_pty,
    argv: *const *const c_char,
    flags: c_uint,
    opts: *const unipc_process_opts,
    size: *const unipc_window_size,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, an array of strings, options that tell their size, and NULL or
    // a size.
    let caller = unsafe { Caller::trusted("pty") };
    caller.construct(out, || {
        let flags = caller.flags(flags, START)?;
        let opts = caller.options(opts)?;
        let command = command(&caller, argv, flags, &opts)?;
        Ok(unipc_pty::new(Pty::spawn(command, size_of(&caller, size)?)?))
    })
}

/// The path of the other side: "/dev/pts/N".
///
/// pty: a handle
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1. See ptsname(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_name(pty: *const unipc_pty) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(pty)?.name.as_ptr()))
}

/// The other side, a terminal to give to a program. While it is open no hang-up is seen here.
///
/// pty: a handle
///
/// Returns a new descriptor, close-on-exec, which is the caller's to close.
/// Errors:
///   -EMFILE  no descriptors are left
///   -EBADF   it was hung up
///   -EINVAL  pty is NULL
/// Since 0.1. See TIOCGPTPEER(2const).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_slave(pty: *const unipc_pty) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("slave") };
    caller.guard(|| Ok(caller.handle(pty)?.pty.slave()?.into_raw_fd()))
}

/// Reads what is there.
///
/// pty: a handle
/// buf:     room for the bytes
/// cap:     how many at most
/// timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were read; 0 when the other side has hung up (read(2) says EIO).
/// Errors:
///   -EAGAIN     there is nothing, and timeout is {0, 0}
///   -ETIMEDOUT  nothing came in time
///   -EINTR      a signal came; nothing was read
///   -EBADF      it was closed, or is not for reading
///   -EINVAL     no timeout; pty, or buf of more than 0 bytes, is NULL
/// Since 0.1. See read(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_read(
    pty: *const unipc_pty,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        let room = caller.room(buf.cast(), cap)?;
        pty.read(room, caller.timeout(timeout)?).map(count)
    })
}

/// Reads the next line, as a string without its newline (a terminal
/// puts "\r" before it). A last line may have no newline.
///
/// pty: a handle
/// buf:     room for the line and a NUL
/// cap:     how many bytes that is
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns the line's length; an empty line is 0.
/// Errors:
///   -ENODATA    the end: there is no further line
///   -EMSGSIZE   the line does not fit, and stays the next; or it is beyond the limit, and unipc_pty_read()
///               gives its bytes
///   -EAGAIN, -ETIMEDOUT, -EINTR  it has not come whole; what has come stays
///   -EBADF      it was closed, or is not for reading
///   -EINVAL     no timeout; pty, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_read_line(
    pty: *const unipc_pty,
    buf: *mut c_char,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read_line") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        let room = caller.room(buf.cast(), cap)?;
        let give = |line: &[u8]| caller.give_text(room, line);
        let line = pty.with_line(caller.timeout(timeout)?, give)?;
        line.ok_or_else(|| caller.refused("pty", ErrorKind::EndOfStream))
    })
}

/// Writes all bytes, as if they were typed. In canonical mode the terminal keeps 4095 bytes of a line that has
/// not ended, and drops the rest.
///
/// pty: a handle
/// buf:     the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what fits
///
/// Returns 0.
/// Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
///   -EAGAIN     there is no room, and timeout is {0, 0}
///   -ETIMEDOUT  there was not enough room in time
///   -EINTR      a signal came
///   -ENOBUFS    64 MiB have come meanwhile that nobody has read
///   -EBADF      it was hung up here
///   -EINVAL     no timeout; pty, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_write(
    pty: *const unipc_pty,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        let bytes = caller.bytes(buf, len)?;
        pty.write(bytes, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Ends the input, as Ctrl-D does: in canonical mode a program that reads next at the beginning of a line
/// gets 0 bytes. The terminal stays.
///
/// pty:     a handle
/// timeout: how long to wait for room; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors: those of unipc_pty_write()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_end_of_file(
    pty: *const unipc_pty,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("end_of_file") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        pty.end_of_file(caller.timeout(timeout)?).map(|()| 0)
    })
}

/// The size of the window.
///
/// pty:  a handle
/// size: gets it
///
/// Returns 0.
/// Errors:
///   -EBADF   it was hung up
///   -EINVAL  pty or size is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_window_size(
    pty: *const unipc_pty,
    size: *mut unipc_window_size,
) -> c_int {
    // SAFETY: the header asks for an open handle, and a place for a size.
    let caller = unsafe { Caller::trusted("window_size") };
    caller.guard(|| {
        let size = caller.output("size", size)?;
        size.set(caller.handle(pty)?.pty.window_size()?.into());
        Ok(0)
    })
}

/// Sets the size of the window. If it changes, the program in the foreground gets SIGWINCH.
///
/// pty:  a handle
/// size: the new one; NULL: 24 lines of 80 characters
///
/// Returns 0.
/// Errors:
///   -EBADF   it was hung up
///   -EINVAL  pty is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_set_window_size(
    pty: *const unipc_pty,
    size: *const unipc_window_size,
) -> c_int {
    // SAFETY: the header asks for an open handle, and NULL or a size.
    let caller = unsafe { Caller::trusted("set_window_size") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        pty.set_window_size(size_of(&caller, size)?).map(|()| 0)
    })
}

/// What the line discipline does.
///
/// pty: a handle
///
/// Returns UNIPC_TERMINAL_ bits; all of them at the beginning.
/// Errors:
///   -EBADF   it was hung up
///   -EINVAL  pty is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_modes(pty: *const unipc_pty) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("modes") };
    caller.guard(|| Ok(bits_of(caller.handle(pty)?.pty.modes()?)))
}

/// Changes what the line discipline does.
///
/// pty:   a handle
/// modes: UNIPC_TERMINAL_ bits; what is not among them stays as it is
///
/// Returns 0.
/// Errors:
///   -EBADF   it was hung up
///   -EINTR   a signal came
///   -EINVAL  unknown bits; pty is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_set_modes(pty: *const unipc_pty, modes: c_uint) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_modes") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        pty.set_modes(modes_of(&caller, modes)?).map(|()| 0)
    })
}

/// Hangs up: the programs of the session get SIGHUP, and the other side ends.
///
/// pty: a handle
///
/// Returns 0.
/// Errors:
///   -EINVAL  pty is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_hang_up(pty: *const unipc_pty) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("hang_up") };
    caller.guard(|| {
        caller.handle(pty)?.pty.hang_up();
        Ok(0)
    })
}

/// Waits until the program has ended. What it puts out is not read meanwhile: read to the end first.
///
/// pty: a handle
/// status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
///          NULL if that is not wanted
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors: those of unipc_process_wait(); -ECHILD when there is no program
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_wait(
    pty: *const unipc_pty,
    status: *mut c_int,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, NULL or a place for a number, NULL or a timespec.
    let caller = unsafe { Caller::trusted("wait") };
    caller.guard(|| {
        let pty = &caller.handle(pty)?.pty;
        let ended = pty.wait(caller.timeout(timeout)?)?;
        caller.give(status, status_number(ended));
        Ok(0)
    })
}

/// The program, for unipc_process_signal() and the like.
///
/// pty: a handle
///
/// Returns a handle that lives as long as this one, not to be closed; NULL for NULL
/// and where there is no program. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_process(pty: *const unipc_pty) -> *const unipc_process {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("process") };
    caller.guard(|| {
        let process = caller.handle(pty)?.process.as_ref();
        Ok(process.map_or(ptr::null(), ptr::from_ref))
    })
}

/// The master's descriptor, for poll(). It does not block.
///
/// pty: a handle
///
/// A line that has come already is not seen by poll(): read until -EAGAIN before.
///
/// Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
/// Errors:
///   -EBADF   it was closed
///   -EINVAL  pty is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_fd(pty: *const unipc_pty) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(pty)?.pty.fd()?.as_raw_fd()))
}

/// Was something of what comes read already, which no poll() shows? Perhaps a part of a line.
///
/// pty: a handle
///
/// Returns 1 if so, else 0.
/// Errors:
///   -EINVAL  pty is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_has_buffered(pty: *const unipc_pty) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("has_buffered") };
    caller.guard(|| Ok(c_int::from(caller.handle(pty)?.pty.has_buffered())))
}

/// Closes the handle and hangs up; NULL is fine. It does not wait: see unipc_pty_wait(). No zombie remains.
///
/// pty: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pty_close(pty: *mut unipc_pty) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(pty);
}

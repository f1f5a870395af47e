// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs: starting them, waiting for them, signalling them.

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use libc::timespec;
use unipc_core::pipe::{Command, status_number};
use unipc_core::{ErrorKind, Result};

use super::boundary::{Caller, Flags, SizeFirst};
use super::unipc_process;

/// Flags for starting a program, of whatever function does it.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_process_flag {
    /// argv holds one word, a line for the shell: sh -c LINE. Never build it from words that came from
    /// elsewhere.
    UNIPC_PROCESS_SHELL = 1 << 0,
    /// The program gets a process group of its own, so that a Ctrl-C at the terminal is not for it.
    UNIPC_PROCESS_NEW_GROUP = 1 << 1,
    /// Its standard error goes where its standard output goes (2>&1).
    UNIPC_PROCESS_STDERR_TO_STDOUT = 1 << 2,
    /// With opts.environment: these variables alone, not added to those of this process.
    UNIPC_PROCESS_CLEAR_ENVIRONMENT = 1 << 3,
}

/// In unipc_process_descriptor.ours.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_process_constant {
    /// Not a descriptor of this process but /dev/null.
    UNIPC_FD_NULL = -1,
}

/// A descriptor for the program.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_process_descriptor {
    /// Which of this process, which keeps it: close it if nobody else needs it, above all the ends of pipes.
    /// UNIPC_FD_NULL: /dev/null.
    pub ours: c_int,
    /// Which number it has in the program: 0 standard input, 1 standard output, 2 standard error, or any.
    pub theirs: c_int,
}

/// How a program is started, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_PROCESS_OPTS() or UNIPC_PROCESS_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_process_opts {
    /// sizeof(unipc_process_opts).
    pub sz: usize,
    /// "KEY=VALUE" strings and a NULL behind them: set in the environment, which is else that of this
    /// process; "KEY" without "=" removes that variable. NULL: none.
    pub environment: *const *const c_char,
    /// The program's working directory. NULL: that of this process.
    pub directory: *const c_char,
    /// Descriptors for the program besides 0, 1 and 2, or in their place. It gets no others, not even those
    /// that are not close-on-exec.
    pub descriptors: *const unipc_process_descriptor,
    /// How many of them.
    pub descriptor_count: usize,
    /// For unipc_coprocess_spawn(): how long a line of the filter may be, in bytes. 0: 1 MiB.
    pub line_limit: usize,
}

// SAFETY: integers and pointers of one size, of which zero is a value; the size comes first.
unsafe impl SizeFirst for unipc_process_opts {}

const SHELL: c_uint = unipc_process_flag::UNIPC_PROCESS_SHELL as c_uint;
const NEW_GROUP: c_uint = unipc_process_flag::UNIPC_PROCESS_NEW_GROUP as c_uint;
const STDERR: c_uint = unipc_process_flag::UNIPC_PROCESS_STDERR_TO_STDOUT as c_uint;
const CLEAR: c_uint = unipc_process_flag::UNIPC_PROCESS_CLEAR_ENVIRONMENT as c_uint;
/// What every function that starts a program knows.
pub(super) const START: c_uint = SHELL | NEW_GROUP | STDERR | CLEAR;

/// The program that C describes.
pub(super) fn command(
    caller: &Caller,
    argv: *const *const c_char,
    flags: Flags,
    opts: &unipc_process_opts,
) -> Result<Command> {
    let words = caller.texts("argv", argv)?;
    let mut command = match (flags.has(SHELL), words.as_slice()) {
        (true, [line]) => Command::shell(line),
        (true, _) => return Err(caller.invalid("argv", "a line for the shell is one word")),
        (false, words) => Command::from_list(words)?,
    };
    if flags.has(CLEAR) {
        command = command.env_clear();
    }
    if !opts.environment.is_null() {
        for variable in caller.texts("opts.environment", opts.environment)? {
            command = command.env_assign(variable);
        }
    }
    if !opts.directory.is_null() {
        command = command.directory(caller.text("opts.directory", opts.directory)?);
    }
    for fd in caller.values(opts.descriptors, opts.descriptor_count)? {
        command = match fd.ours {
            -1 => command.null(fd.theirs),
            ours => command.descriptor(fd.theirs, caller.duplicate(ours)?),
        };
    }
    if flags.has(STDERR) {
        command = command.same(2, 1);
    }
    Ok(command.new_group(flags.has(NEW_GROUP)))
}

/// Starts a program.
///
/// out:   gets the handle
/// argv:  the program, its arguments, and a NULL behind them. A program without a slash is looked for in
///        PATH; no shell looks at the words, unless UNIPC_PROCESS_SHELL is set
/// flags: UNIPC_PROCESS_ flags, or 0
/// opts:  UNIPC_PROCESS_OPTS(...), or NULL
///
/// When this returns the program runs. It has descriptors 0, 1 and 2 of this process, those of opts.descriptors,
/// and no others; an empty signal mask, and the default action for SIGPIPE. However much memory this
/// process has, none is copied, and other threads go on.
///
/// Returns 0.
/// Errors:
///   -ENOENT   there is no such program, or no such opts.directory
///   -EACCES   it may not be executed
///   -ENOEXEC  it is neither a program nor begins with #!
///   -E2BIG    too many or too long arguments; opts has fields of a later version
///   -EAGAIN   no process is left (RLIMIT_NPROC)
///   -EMFILE   no descriptors are left
///   -EBADF    an opts.descriptors[].ours is not open
///   -EINVAL   no words, unknown flags, a negative descriptor; out or argv is NULL
/// Since 0.1. See execve(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_spawn(
    out: *mut *mut unipc_process,
    argv: *const *const c_char,
    flags: c_uint,
    opts: *const unipc_process_opts,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, an array of strings, and options that tell their size.
    let caller = unsafe { Caller::trusted("spawn") };
    caller.construct(out, || {
        let flags = caller.flags(flags, START)?;
        let opts = caller.options(opts)?;
        let process = command(&caller, argv, flags, &opts)?.spawn()?;
        Ok(unipc_process { process: Arc::new(process) })
    })
}

/// Waits until a program has ended. It may be asked again, by other threads too.
///
/// process: a handle
/// status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
///          NULL if that is not wanted
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors:
///   -EAGAIN     it still runs, and timeout is {0, 0}
///   -ETIMEDOUT  it still runs
///   -EINTR      a signal came
///   -ECHILD     how it ended is lost: SIGCHLD is ignored, another part of the program has waited for it, or
///               this is a child of fork()
///   -EINVAL     no timeout; process is NULL
/// Since 0.1. See waitid(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_wait(
    process: *const unipc_process,
    status: *mut c_int,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, NULL or a place for a number, NULL or a timespec.
    let caller = unsafe { Caller::trusted("wait") };
    caller.guard(|| {
        let process = &caller.handle(process)?.process;
        let ended = process.wait(caller.timeout(timeout)?)?;
        caller.give(status, status_number(ended));
        Ok(0)
    })
}

/// Sends a signal to a program; 0 only asks whether it is there.
///
/// process: a handle
/// number:  the signal, such as SIGTERM
///
/// Returns 0.
/// Errors:
///   -ESRCH   it has ended and was waited for; the signal never hits another process of that number
///   -EPERM   it has changed its user
///   -EINVAL  no such signal; process is NULL
/// Since 0.1. See pidfd_send_signal(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_signal(
    process: *const unipc_process,
    number: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("signal") };
    caller.guard(|| caller.handle(process)?.process.signal(number).map(|()| 0))
}

/// Ends a program with SIGKILL, which it cannot prevent; one that has ended already is fine. Wait for it then.
///
/// process: a handle
///
/// Returns 0.
/// Errors:
///   -EPERM   it has changed its user
///   -EINVAL  process is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_kill(process: *const unipc_process) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("kill") };
    caller.guard(|| caller.handle(process)?.process.kill().map(|()| 0))
}

/// The process identifier. Once the program was waited for, the kernel may give it to another process.
///
/// process: a handle
///
/// Returns the identifier.
/// Errors:
///   -EINVAL  process is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_pid(process: *const unipc_process) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("pid") };
    caller.guard(|| Ok(caller.handle(process)?.process.pid()))
}

/// The descriptor that becomes readable when the program has ended, for poll() (a pidfd).
///
/// process: a handle
///
/// Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
/// Errors:
///   -ESRCH   SIGCHLD is ignored, and the program had ended before it could be had
///   -EINVAL  process is NULL
/// Since 0.1. See pidfd_open(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_fd(process: *const unipc_process) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| {
        let pidfd = caller.handle(process)?.process.pidfd();
        let gone = || caller.refused("process", ErrorKind::Os(libc::ESRCH));
        pidfd.map(|fd| fd.as_raw_fd()).ok_or_else(gone)
    })
}

/// Closes the handle; NULL is fine. A program that runs goes on, and is taken away when it ends: no zombie
/// remains.
///
/// process: a handle from unipc_process_spawn(), not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_process_close(process: *mut unipc_process) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(process);
}

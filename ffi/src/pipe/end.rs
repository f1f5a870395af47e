// SPDX-License-Identifier: MIT OR Apache-2.0
//! Making pipes, and what their ends are.

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::AsRawFd;

use unipc_core::pipe::{self, End, Options};

use super::boundary::{Caller, count};
use super::{unipc_pipe, unipc_pipe_flag, unipc_pipe_opts};

/// Makes a pipe: what is written into the one is read from the other.
///
/// reader: gets the end to read from
/// writer: gets the end to write to
/// flags:  UNIPC_PIPE_PACKETS, or 0
/// opts:   UNIPC_PIPE_OPTS(...), or NULL
///
/// Both descriptors are close-on-exec.
///
/// Returns 0.
/// Errors:
///   -EMFILE, -ENFILE  no descriptors are left
///   -EPERM, -EINVAL   opts.capacity is above pipe-max-size, or no size
///   -EINVAL           unknown flags; reader or writer is NULL
/// Since 0.1. See pipe2(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_create(
    reader: *mut *mut unipc_pipe,
    writer: *mut *mut unipc_pipe,
    flags: c_uint,
    opts: *const unipc_pipe_opts,
) -> c_int {
    // SAFETY: the header asks for places for two handles, and for options that tell their size.
    let caller = unsafe { Caller::trusted("pipe") };
    caller.construct_pair((reader, writer), || {
        let packets = unipc_pipe_flag::UNIPC_PIPE_PACKETS as c_uint;
        let flags = caller.flags(flags, packets)?;
        let opts = caller.options(opts)?;
        let mut options = Options::new().packets(flags.has(packets));
        if opts.capacity != 0 {
            options = options.capacity(opts.capacity);
        }
        let (reader, writer) = options.create()?;
        Ok((unipc_pipe::new(reader), unipc_pipe::new(writer)))
    })
}

/// Makes two ends that both read and write: what one writes the other reads (a pair of sockets).
///
/// one, other: get the ends
///
/// Both descriptors are close-on-exec.
///
/// Returns 0.
/// Errors:
///   -EMFILE, -ENFILE  no descriptors are left
///   -EINVAL           one or other is NULL
/// Since 0.1. See socketpair(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_duplex(
    one: *mut *mut unipc_pipe,
    other: *mut *mut unipc_pipe,
) -> c_int {
    // SAFETY: the header asks for places for two handles.
    let caller = unsafe { Caller::trusted("duplex") };
    caller.construct_pair((one, other), || {
        let (one, other) = pipe::duplex()?;
        Ok((unipc_pipe::new(one), unipc_pipe::new(other)))
    })
}

/// An end of a descriptor that was inherited or received: of a pipe, a FIFO or a stream socket.
///
/// out: gets the handle
/// fd:  is duplicated, and stays the caller's
///
/// Returns 0.
/// Errors:
///   -EBADF       fd is not open
///   -EOPNOTSUPP  it is something else
///   -EMFILE      no descriptors are left
///   -EINVAL      out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_from_fd(out: *mut *mut unipc_pipe, fd: c_int) -> c_int {
    // SAFETY: the header asks for a place for a handle.
    let caller = unsafe { Caller::trusted("from_fd") };
    caller.construct(out, || Ok(unipc_pipe::new(End::from_fd(caller.duplicate(fd)?)?)))
}

/// Another handle for the same end. The stream ends when both are closed.
///
/// out:  gets the handle
/// pipe: a handle
///
/// Returns 0.
/// Errors:
///   -EMFILE  no descriptors are left
///   -EINVAL  out or pipe is NULL
/// Since 0.1. See dup(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_clone(
    out: *mut *mut unipc_pipe,
    pipe: *const unipc_pipe,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, and for an open handle.
    let caller = unsafe { Caller::trusted("clone") };
    caller.construct(out, || Ok(unipc_pipe::new(caller.handle(pipe)?.end.try_clone()?)))
}

/// Closes an end; NULL is fine. A FIFO keeps its name.
///
/// pipe: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_close(pipe: *mut unipc_pipe) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(pipe);
}

/// The descriptor, for poll() and for programs that are executed.
///
/// pipe: a handle
///
/// Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
/// Errors:
///   -EINVAL  pipe is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_fd(pipe: *const unipc_pipe) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(pipe)?.end.as_raw_fd()))
}

/// What the end is called: "file:PATH" of a FIFO that was opened by name, else "pipe fd N".
///
/// pipe: a handle
///
/// Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_name(pipe: *const unipc_pipe) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(pipe)?.name.as_ptr()))
}

/// Lets programs that this process executes inherit the descriptor, or not.
///
/// pipe:        a handle
/// inheritable: 0: no, as at the beginning; else yes
///
/// Returns 0.
/// Errors:
///   -EINVAL  pipe is NULL
/// Since 0.1. See fcntl(2) FD_CLOEXEC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_set_inheritable(
    pipe: *const unipc_pipe,
    inheritable: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_inheritable") };
    caller.guard(|| caller.handle(pipe)?.end.set_inheritable(inheritable != 0).map(|()| 0))
}

/// Lets writes to this handle without a timeout raise SIGPIPE, as write() does, or not.
///
/// pipe:    a handle
/// allowed: 0: no, as at the beginning; else yes. No matter for a duplex, which costs nothing and never
///          raises it
///
/// Without readers there is -EPIPE in either case. The default is safe whatever the process makes of the
/// signal, but of a few bytes it takes 100 to 120 ns more in the kernel (a sixth of a write and a read). A
/// program that ignores SIGPIPE for good has the speed of write() and no signal if it allows it; one that
/// wants to end as in "yes | head" has that. It is of this handle, not of the descriptor; a clone begins
/// with what it is cloned from.
///
/// Example:
///
///     #include <errno.h>
///     #include <signal.h>
///     #include <unipc.h>
///
///     int main(void)
///     {
///         unipc_pipe *reader, *writer;
///         if (unipc_pipe_create(&reader, &writer, 0, NULL) < 0)
///             return 1;
///         signal(SIGPIPE, SIG_IGN);
///         unipc_pipe_set_sigpipe(writer, 1);
///         unipc_pipe_close(reader);
///         int gone = unipc_pipe_write(writer, "x", 1, NULL) == -EPIPE;
///         unipc_pipe_close(writer);
///         return gone ? 0 : 1;
///     }
///
/// Returns 0.
/// Errors:
///   -EINVAL  pipe is NULL
/// Since 0.1. See pipe(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_set_sigpipe(pipe: *const unipc_pipe, allowed: c_int) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_sigpipe") };
    caller.guard(|| {
        caller.handle(pipe)?.end.set_sigpipe(allowed != 0);
        Ok(0)
    })
}

/// May writes to this handle raise SIGPIPE?
///
/// pipe: a handle
///
/// Returns 1 if they may, 0 if not, see unipc_pipe_set_sigpipe().
/// Errors:
///   -EINVAL  pipe is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_sigpipe(pipe: *const unipc_pipe) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("sigpipe") };
    caller.guard(|| Ok(c_int::from(caller.handle(pipe)?.end.sigpipe())))
}

/// Keeps the stream from ending: a writing end is held open beside this reading one, so that a read
/// waits when all other writers have gone, for the next to come. It lasts until the handle is closed.
///
/// pipe: a handle to read from
///
/// Returns 0.
/// Errors:
///   -ENXIO   it is one of a duplex
///   -ENOENT  there is no /proc
///   -EINVAL  pipe is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_keep_open(pipe: *const unipc_pipe) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("keep_open") };
    caller.guard(|| caller.handle(pipe)?.end.keep_open().map(|()| 0))
}

/// Ends what this end of a duplex writes; it can still read. The other end sees the end of the stream.
///
/// pipe: one of a duplex
///
/// Returns 0.
/// Errors:
///   -ENOTSOCK  it is the end of a pipe: close it instead
///   -EINVAL    pipe is NULL
/// Since 0.1. See shutdown(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_finish_writing(pipe: *const unipc_pipe) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("finish_writing") };
    caller.guard(|| caller.handle(pipe)?.end.finish_writing().map(|()| 0))
}

/// How many bytes wait to be read, from either end (FIONREAD).
///
/// pipe: a handle
///
/// Returns the number.
/// Errors:
///   -EINVAL  pipe is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_waiting(pipe: *const unipc_pipe) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("waiting") };
    caller.guard(|| caller.handle(pipe)?.end.waiting().map(count))
}

/// How many bytes the pipe holds at most, from either end.
///
/// pipe: a handle
///
/// Returns the number, 65536 unless it was changed.
/// Errors:
///   -EBADF   it is one of a duplex, which is no pipe
///   -EINVAL  pipe is NULL
/// Since 0.1. See fcntl(2) F_GETPIPE_SZ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_capacity(pipe: *const unipc_pipe) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("capacity") };
    caller.guard(|| caller.handle(pipe)?.end.capacity().map(count))
}

/// Lets the pipe hold more, or less.
///
/// pipe:  a handle of either end
/// bytes: how many; the kernel rounds up to a power of two, at least a page
///
/// Returns how many bytes it holds then.
/// Errors:
///   -EPERM   above pipe-max-size, which unipc_last_error() tells, or above what this user may have
///   -EBUSY   more bytes than that wait to be read
///   -EBADF   it is one of a duplex, which is no pipe
///   -EINVAL  no such size; pipe is NULL
/// Since 0.1. See fcntl(2) F_SETPIPE_SZ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_pipe_set_capacity(pipe: *const unipc_pipe, bytes: usize) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_capacity") };
    caller.guard(|| caller.handle(pipe)?.end.set_capacity(bytes).map(count))
}

/// The most that an ordinary user may ask for as a capacity, in bytes (/proc/sys/fs/pipe-max-size).
///
/// Returns the number.
/// Errors:
///   -ENOENT  there is no /proc
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_pipe_capacity_limit() -> isize {
    super::boundary::guard("capacity_limit", || pipe::capacity_limit().map(count))
}

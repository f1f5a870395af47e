// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connecting, binding, pairs, and closing.

use std::ffi::{c_char, c_int, c_uint};

use libc::timespec;
use unipc_core::socket::{self, Socket};

use super::boundary::Caller;
use super::{kind, options, unipc_socket, unipc_socket_opts};

/// Connects to a listener; or, for datagrams, to the one peer with whom they are exchanged.
///
/// out:     where the handle goes; NULL on failure. Close it with unipc_socket_close().
/// name:    "unix:PATH", "unix:@NAME", "tcp:HOST:PORT", "udp:HOST:PORT"; see unipc/name.h
/// flags:   UNIPC_SOCKET_ flags, or 0
/// opts:    NULL for the defaults
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all. Finding the address of a host by its
///          name takes as long as it takes.
///
/// Example:
///
///     unipc_socket *s;
///     struct timespec second = {1, 0};
///     if (unipc_socket_connect(&s, "unix:/run/demo.socket", 0, NULL, &second) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     unipc_socket_send_all(s, "hello", 5, &second, NULL);
///     unipc_socket_close(s);
///
/// Returns 0.
/// Errors:
///   -ECONNREFUSED  nobody listens
///   -ENOENT        there is no such file
///   -EACCES        the file may not be written to
///   -EPROTOTYPE    the listener is of another kind
///   -EPERM         the server is somebody else's, and UNIPC_SOCKET_OWN_ONLY is set
///   -EHOSTUNREACH  the host is not known, or cannot be reached
///   -EAGAIN        it would have to wait, and timeout is {0, 0}
///   -ETIMEDOUT     it was not there in time
///   -EINTR         a signal came
///   -EOPNOTSUPP    the kind of socket does not have what was asked for
///   -EINVAL        no name of a socket, unknown flags, contradicting options; out or name is NULL
///   -E2BIG         opts uses fields that this version of the library does not know
///   and what socket(2) and connect(2) give besides
/// Since 0.1. See connect(2), getaddrinfo(3).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_connect(
    out: *mut *mut unipc_socket,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_socket_opts,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, options that know their size, NULL or a timespec.
    let caller = unsafe { Caller::trusted("connect") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        let (name, timeout) = (caller.name(name)?, caller.timeout(timeout)?);
        Ok(unipc_socket { socket: options.connect(name, timeout)? })
    })
}

/// Makes a datagram socket of this name, to receive what is sent to it and to answer.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_socket_close().
/// name:  "unix:PATH", "unix:@NAME", "udp:HOST:PORT"; "unix:@" and port 0 take what is free, see
///        unipc_socket_local_name()
/// flags: UNIPC_SOCKET_ flags, or 0
/// opts:  NULL for the defaults
///
/// A file that a dead server has left is replaced, one of a living server never.
///
/// Returns 0.
/// Errors:
///   -EADDRINUSE     a living socket has the name
///   -EEXIST         something lies there that is no socket
///   -EPERM          a dead socket of somebody else lies there
///   -EBUSY          somebody keeps the directory locked, so that the dead socket cannot be replaced
///   -EACCES, -ENOENT, -ENOTDIR  nothing can be made in the directory
///   -EADDRNOTAVAIL  the address is not of this machine
///   -EINVAL         no name of a socket, unknown flags, contradicting options; out or name is NULL
///   -E2BIG          opts uses fields that this version of the library does not know
///   and what socket(2) and bind(2) give besides
/// Since 0.1. See bind(2), unix(7).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_bind(
    out: *mut *mut unipc_socket,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_socket_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("bind") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        Ok(unipc_socket { socket: options.bind(caller.name(name)?)? })
    })
}

/// Makes two UNIX sockets that are connected to each other, for threads or for fork().
///
/// one, other: where the handles go; NULL on failure. Close each with unipc_socket_close().
/// kind:       a unipc_socket_kind
/// flags:      UNIPC_SOCKET_PASS_CREDENTIALS, or 0
///
/// Returns 0.
/// Errors:
///   -EINVAL            no kind, unknown flags; one or other is NULL
///   -EMFILE, -ENFILE   too many descriptors are open
/// Since 0.1. See socketpair(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_pair(
    one: *mut *mut unipc_socket,
    other: *mut *mut unipc_socket,
    kind: c_uint,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for two places for handles.
    let caller = unsafe { Caller::trusted("pair") };
    let mut second = None;
    let made = caller.construct(one, || {
        caller.output("other", other)?.set(std::ptr::null_mut());
        let options = options(&caller, flags, std::ptr::null())?;
        let (first, peer) = options.pair(self::kind(&caller, kind)?)?;
        second = Some(peer);
        Ok(unipc_socket { socket: first })
    });
    match second {
        Some(socket) => caller.construct(other, || Ok(unipc_socket { socket })),
        None => made,
    }
}

/// Makes a handle for a socket that is open already: inherited, received, or made by other means.
///
/// out: where the handle goes; NULL on failure. Close it with unipc_socket_close().
/// fd:  is duplicated; it stays yours, and may be closed afterwards
///
/// Returns 0.
/// Errors:
///   -EBADF       fd is not open
///   -ENOTSOCK    it is no socket
///   -EOPNOTSUPP  it is neither a UNIX nor a TCP or UDP socket
///   -EINVAL      it listens, see unipc_listener_from_fd(); out is NULL
///   -EMFILE      too many descriptors are open
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_from_fd(out: *mut *mut unipc_socket, fd: c_int) -> c_int {
    // SAFETY: the header asks for a place for the handle.
    let caller = unsafe { Caller::trusted("from_fd") };
    caller.construct(out, || Ok(unipc_socket { socket: Socket::from_fd(caller.duplicate(fd)?)? }))
}

/// Closes the socket. Its file stays, see unipc_socket_unlink().
///
/// socket: a handle, gone afterwards with its descriptor; NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_close(socket: *mut unipc_socket) {
    // SAFETY: the header asks for a handle that is closed once.
    unsafe { Caller::trusted("close") }.destroy(socket);
}

/// Removes the file of a UNIX socket. Connections stay, but who listens cannot be found any more.
///
/// name: "unix:PATH"
///
/// Returns 0.
/// Errors:
///   -ENOENT          there is none
///   -EACCES, -EPERM  the directory may not be changed
///   -EOPNOTSUPP      a name without a file: unix:@, tcp: and udp: go with their last user
///   -EINVAL          the file is no socket; no name of a socket; name is NULL
/// Since 0.1. See unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| socket::unlink(caller.name(name)?).map(|()| 0))
}

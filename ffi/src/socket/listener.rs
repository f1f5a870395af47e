// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where clients connect.

use std::ffi::{c_char, c_int, c_uint};

use std::os::fd::AsRawFd;

use libc::timespec;
use unipc_core::socket::Listener;

use super::boundary::Caller;
use super::{
    copy_name, int, options, unipc_listener, unipc_socket, unipc_socket_kind, unipc_socket_opts,
};

/// Listens for connections.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_listener_close().
/// name:  "unix:PATH", "unix:@NAME", "tcp:HOST:PORT"; "unix:@" and port 0 take what is free, see
///        unipc_listener_name()
/// flags: UNIPC_SOCKET_ flags, or 0
/// opts:  NULL for the defaults: a stream, and mode 0600 for the file of a path
///
/// A file that a dead server has left is replaced, one of a living server never; they are told apart
/// without disturbing the server. Put the file into a directory that only its users may enter.
///
/// Example:
///
///     unipc_listener *listener;
///     unipc_socket *client;
///     char text[64];
///     if (unipc_listener_bind(&listener, "unix:/run/demo.socket", 0, NULL) < 0)
///         return 1;
///     while (unipc_listener_accept(&client, listener, NULL) == 0) {
///         ssize_t length = unipc_socket_recv(client, text, sizeof text, NULL);
///         printf("%.*s\n", length > 0 ? (int)length : 0, text);
///         unipc_socket_close(client);
///     }
///
/// Returns 0.
/// Errors: as unipc_socket_bind()
/// Since 0.1. See bind(2), listen(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_bind(
    out: *mut *mut unipc_listener,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_socket_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("listen") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        Ok(unipc_listener { listener: options.listen(caller.name(name)?)? })
    })
}

/// Makes a handle for a listening socket that is open already, from a service manager for example.
///
/// out: where the handle goes; NULL on failure. Close it with unipc_listener_close().
/// fd:  is duplicated; it stays yours. It becomes non-blocking, for all who share the socket.
///
/// Returns 0.
/// Errors:
///   -EBADF       fd is not open
///   -ENOTSOCK    it is no socket
///   -EOPNOTSUPP  it is neither a UNIX nor a TCP socket
///   -EINVAL      it does not listen; out is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_from_fd(out: *mut *mut unipc_listener, fd: c_int) -> c_int {
    // SAFETY: the header asks for a place for the handle.
    let caller = unsafe { Caller::trusted("from_fd") };
    caller.construct(out, || {
        Ok(unipc_listener { listener: Listener::from_fd(caller.duplicate(fd)?)? })
    })
}

/// Waits for a client.
///
/// out:      where the connection goes; NULL on failure. Close it with unipc_socket_close().
/// listener: a handle
/// timeout:  how long to wait; NULL: for ever; {0, 0}: not at all
///
/// The connection has the buffers, the credentials and the delay that the listener was opened with.
///
/// Returns 0.
/// Errors:
///   -EAGAIN           nobody waits, and timeout is {0, 0}
///   -ETIMEDOUT        nobody came in time
///   -EINTR            a signal came
///   -EMFILE, -ENFILE  too many descriptors are open; the client goes on waiting
///   -EINVAL           no timeout; out or listener is NULL
/// Since 0.1. See accept(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_accept(
    out: *mut *mut unipc_socket,
    listener: *const unipc_listener,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, NULL or a timespec.
    let caller = unsafe { Caller::trusted("accept") };
    caller.construct(out, || {
        let listener = &caller.handle(listener)?.listener;
        Ok(unipc_socket { socket: listener.accept(caller.timeout(timeout)?)? })
    })
}

/// The name at which a listener really listens, with the port that was free.
///
/// listener: a handle
/// buf:      where it goes, always ending in NUL unless cap is 0; may be NULL when cap is 0
/// cap:      how many bytes buf has; UNIPC_SOCKET_NAME_SIZE is enough for any
///
/// Returns the length of the name in bytes without the NUL, as snprintf() does.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1. See getsockname(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_name(
    listener: *const unipc_listener,
    buf: *mut c_char,
    cap: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle and room of `cap` bytes.
    let caller = unsafe { Caller::trusted("local_name") };
    caller.guard(|| {
        let name = caller.handle(listener)?.listener.local_name()?;
        int("local_name", copy_name(caller.room(buf, cap)?, name.as_ref()))
    })
}

/// What a listener's connections carry.
///
/// listener: a handle
///
/// Returns a unipc_socket_kind.
/// Errors:
///   -EINVAL  listener is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_kind_of(listener: *const unipc_listener) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("kind") };
    caller.guard(|| Ok(super::state::number(caller.handle(listener)?.listener.kind())))
}

/// The descriptor, for poll(): it can be read when a client waits.
///
/// listener: a handle
///
/// Returns the descriptor, which belongs to the handle: valid until that is closed.
/// Errors:
///   -EINVAL  listener is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_fd(listener: *const unipc_listener) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(listener)?.listener.as_raw_fd()))
}

/// Removes this very listener's file. Nobody finds it any more; who waits can still be accepted.
///
/// listener: a handle
///
/// Returns 0.
/// Errors:
///   -ESTALE      another socket has the name by now
///   -ENOENT      it is gone already
///   -EOPNOTSUPP  it has no file
///   -EINVAL      listener is NULL
/// Since 0.1. See unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_remove(listener: *const unipc_listener) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("remove") };
    caller.guard(|| caller.handle(listener)?.listener.remove().map(|()| 0))
}

/// Closes the listener. Connections that were accepted stay; its file too, see unipc_socket_unlink().
///
/// listener: a handle, gone afterwards with its descriptor; NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_listener_close(listener: *mut unipc_listener) {
    // SAFETY: the header asks for a handle that is closed once.
    unsafe { Caller::trusted("close") }.destroy(listener);
}

const _: () = assert!(unipc_socket_kind::UNIPC_SOCKET_SEQPACKET as c_int == libc::SOCK_SEQPACKET);

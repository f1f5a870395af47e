// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a socket is like, and ending one direction.

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::AsRawFd;

use unipc_core::socket::{Credentials, Kind, Shutdown};

use super::boundary::Caller;
use super::{
    copy_name, count, int, unipc_credentials, unipc_shutdown, unipc_socket, unipc_socket_kind,
};

impl From<Credentials> for unipc_credentials {
    fn from(credentials: Credentials) -> Self {
        Self { pid: credentials.pid, uid: credentials.uid, gid: credentials.gid }
    }
}

pub(super) fn number(kind: Kind) -> c_int {
    (match kind {
        Kind::Stream => unipc_socket_kind::UNIPC_SOCKET_STREAM,
        Kind::Datagram => unipc_socket_kind::UNIPC_SOCKET_DATAGRAM,
        Kind::SeqPacket => unipc_socket_kind::UNIPC_SOCKET_SEQPACKET,
    }) as c_int
}

/// Ends one direction of a connection, or both, for all who share the socket. What is under way arrives.
///
/// socket: a handle
/// how:    a unipc_shutdown
///
/// Returns 0.
/// Errors:
///   -ENOTCONN  there is no peer
///   -EINVAL    no such direction; socket is NULL
/// Since 0.1. See shutdown(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_shutdown(socket: *const unipc_socket, how: c_uint) -> c_int {
    const RECEIVE: c_uint = unipc_shutdown::UNIPC_SHUTDOWN_RECEIVE as c_uint;
    const SEND: c_uint = unipc_shutdown::UNIPC_SHUTDOWN_SEND as c_uint;
    const BOTH: c_uint = unipc_shutdown::UNIPC_SHUTDOWN_BOTH as c_uint;
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("shutdown") };
    caller.guard(|| {
        let direction = match how {
            RECEIVE => Shutdown::Receive,
            SEND => Shutdown::Send,
            BOTH => Shutdown::Both,
            _ => return Err(caller.invalid("how", format!("{how} is no unipc_shutdown"))),
        };
        caller.handle(socket)?.socket.shutdown(direction).map(|()| 0)
    })
}

/// What a socket carries.
///
/// socket: a handle
///
/// Returns a unipc_socket_kind.
/// Errors:
///   -EINVAL  socket is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_kind_of(socket: *const unipc_socket) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("kind") };
    caller.guard(|| Ok(number(caller.handle(socket)?.socket.kind())))
}

/// The descriptor, for poll() and for unipc_fd_send().
///
/// socket: a handle
///
/// Returns the descriptor, which belongs to the handle: valid until that is closed.
/// Errors:
///   -EINVAL  socket is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_fd(socket: *const unipc_socket) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(socket)?.socket.as_raw_fd()))
}

/// The socket's own name, with the port that was free.
///
/// socket: a handle
/// buf:    where it goes, always ending in NUL unless cap is 0; "" when it has none; may be NULL when
///         cap is 0
/// cap:    how many bytes buf has; UNIPC_SOCKET_NAME_SIZE is enough for any
///
/// Returns the length of the name in bytes without the NUL, as snprintf() does.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1. See getsockname(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_local_name(
    socket: *const unipc_socket,
    buf: *mut c_char,
    cap: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle and room of `cap` bytes.
    let caller = unsafe { Caller::trusted("local_name") };
    caller.guard(|| {
        let name = caller.handle(socket)?.socket.local_name()?;
        int("local_name", copy_name(caller.room(buf, cap)?, name.as_ref()))
    })
}

/// The peer's name.
///
/// socket: a handle
/// buf:    where it goes, always ending in NUL unless cap is 0; "" when it has none; may be NULL when
///         cap is 0
/// cap:    how many bytes buf has; UNIPC_SOCKET_NAME_SIZE is enough for any
///
/// Returns the length of the name in bytes without the NUL, as snprintf() does; 0 without a peer.
/// Errors:
///   -EINVAL  a pointer is NULL
/// Since 0.1. See getpeername(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_peer_name(
    socket: *const unipc_socket,
    buf: *mut c_char,
    cap: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle and room of `cap` bytes.
    let caller = unsafe { Caller::trusted("peer_name") };
    caller.guard(|| {
        let name = caller.handle(socket)?.socket.peer_name()?;
        int("peer_name", copy_name(caller.room(buf, cap)?, name.as_ref()))
    })
}

/// Who is at the other end of a UNIX stream or seqpacket: who connected, listened, or made the pair.
///
/// socket: a handle
/// out:    where that goes
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  TCP, UDP, and datagrams without a fixed peer: their messages can tell
///   -EINVAL      a pointer is NULL
/// Since 0.1. See unix(7) SO_PEERCRED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_peer_credentials(
    socket: *const unipc_socket,
    out: *mut unipc_credentials,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the credentials.
    let caller = unsafe { Caller::trusted("peer_credentials") };
    caller.guard(|| {
        let (socket, out) = (caller.handle(socket)?, caller.output("out", out)?);
        out.set(socket.socket.peer_credentials()?.into());
        Ok(0)
    })
}

/// Lets each message bring its sender's credentials from now on, or not.
///
/// socket: a handle
/// pass:   0: no; anything else: yes
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  TCP and UDP carry no credentials
///   -EINVAL      socket is NULL
/// Since 0.1. See unix(7) SO_PASSCRED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_pass_credentials(
    socket: *const unipc_socket,
    pass: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("pass_credentials") };
    caller.guard(|| caller.handle(socket)?.socket.pass_credentials(pass != 0).map(|()| 0))
}

/// How many bytes can be received now. Of messages: how long the next one is.
///
/// socket: a handle
///
/// Returns the number.
/// Errors:
///   -EINVAL  socket is NULL
/// Since 0.1. See unix(7) SIOCINQ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_waiting(socket: *const unipc_socket) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("waiting") };
    caller.guard(|| caller.handle(socket)?.socket.waiting().map(count))
}

/// How much of what was sent the other side has not received. UNIX sockets count the memory that it
/// takes, which is more than its bytes.
///
/// socket: a handle
///
/// Returns the number of bytes.
/// Errors:
///   -EINVAL  socket is NULL
/// Since 0.1. See tcp(7) SIOCOUTQ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_unsent(socket: *const unipc_socket) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("unsent") };
    caller.guard(|| caller.handle(socket)?.socket.unsent().map(count))
}

/// How much memory what was sent and not received may take.
///
/// socket: a handle
///
/// Returns the number of bytes.
/// Errors:
///   -EINVAL  socket is NULL
/// Since 0.1. See socket(7) SO_SNDBUF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_send_buffer(socket: *const unipc_socket) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("send_buffer") };
    caller.guard(|| caller.handle(socket)?.socket.send_buffer().map(count))
}

/// Asks for another size of the send buffer.
///
/// socket: a handle
/// bytes:  how many
///
/// Returns what it is now: the kernel doubles the number, and cuts it at net.core.wmem_max.
/// Errors:
///   -EINVAL  more than INT_MAX; socket is NULL
/// Since 0.1. See socket(7) SO_SNDBUF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_set_send_buffer(
    socket: *const unipc_socket,
    bytes: usize,
) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_send_buffer") };
    caller.guard(|| caller.handle(socket)?.socket.set_send_buffer(bytes).map(count))
}

/// How much memory what was received and not fetched may take, of TCP and UDP.
///
/// socket: a handle
///
/// Returns the number of bytes.
/// Errors:
///   -EINVAL  socket is NULL
/// Since 0.1. See socket(7) SO_RCVBUF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_receive_buffer(socket: *const unipc_socket) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("receive_buffer") };
    caller.guard(|| caller.handle(socket)?.socket.receive_buffer().map(count))
}

/// Asks for another size of the receive buffer.
///
/// socket: a handle
/// bytes:  how many
///
/// Returns what it is now: the kernel doubles the number, and cuts it at net.core.rmem_max.
/// Errors:
///   -EINVAL  more than INT_MAX; socket is NULL
/// Since 0.1. See socket(7) SO_RCVBUF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_set_receive_buffer(
    socket: *const unipc_socket,
    bytes: usize,
) -> isize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_receive_buffer") };
    caller.guard(|| caller.handle(socket)?.socket.set_receive_buffer(bytes).map(count))
}

/// Does TCP hold small pieces back to put them together?
///
/// socket: a handle
///
/// Returns 1 or 0, which is the default here.
/// Errors:
///   -EOPNOTSUPP  only TCP does
///   -EINVAL      socket is NULL
/// Since 0.1. See tcp(7) TCP_NODELAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_delay(socket: *const unipc_socket) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("delay") };
    caller.guard(|| caller.handle(socket)?.socket.delay().map(c_int::from))
}

/// Lets TCP hold small pieces back to put them together, or not.
///
/// socket: a handle
/// delay:  0: no; anything else: yes
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  only TCP does
///   -EINVAL      socket is NULL
/// Since 0.1. See tcp(7) TCP_NODELAY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_set_delay(
    socket: *const unipc_socket,
    delay: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("set_delay") };
    caller.guard(|| caller.handle(socket)?.socket.set_delay(delay != 0).map(|()| 0))
}

/// Removes the file of this very socket, of a datagram socket that was bound to a path.
///
/// socket: a handle
///
/// Returns 0.
/// Errors:
///   -ESTALE      another socket has the name by now
///   -ENOENT      it is gone already
///   -EOPNOTSUPP  it has no file
///   -EINVAL      socket is NULL
/// Since 0.1. See unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_remove(socket: *const unipc_socket) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("remove") };
    caller.guard(|| caller.handle(socket)?.socket.remove().map(|()| 0))
}

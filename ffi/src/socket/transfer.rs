// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving bytes.

use std::ffi::{c_char, c_int, c_void};

use libc::timespec;

use super::boundary::Caller;
use super::{copy_name, count, tell, unipc_socket};

/// Sends a message whole; or down a stream all bytes without a time limit, unless a signal comes, and
/// with one what fits at once.
///
/// socket:  a handle
/// buf:     the bytes; may be NULL when len is 0
/// len:     how many
/// timeout: how long to wait while the peer does not receive; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were sent.
/// Errors: nothing was sent
///   -EPIPE         the peer has gone, or receives no more; there is never a SIGPIPE
///   -EMSGSIZE      the message is too long for its kind or for the send buffer
///   -EAGAIN        it would have to wait, and timeout is {0, 0}
///   -ETIMEDOUT     the peer did not receive in time
///   -EINTR         a signal came
///   -ECONNREFUSED, -ECONNRESET  the peer has gone
///   -ENOTCONN, -EDESTADDRREQ    there is no peer
///   -EINVAL        no timeout; socket, or buf of more than 0 bytes, is NULL
/// Since 0.1. See send(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_send(
    socket: *const unipc_socket,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("send") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        socket.send(caller.bytes(buf, len)?, caller.timeout(timeout)?).map(count)
    })
}

/// Sends all bytes.
///
/// socket:  a handle
/// buf:     the bytes; may be NULL when len is 0
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what fits
/// done:    gets how many bytes were sent, whatever the answer is; NULL if that is not wanted
///
/// Returns 0.
/// Errors: done bytes were sent
///   as unipc_socket_send()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_send_all(
    socket: *const unipc_socket,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
    done: *mut usize,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` bytes, NULL or a timespec, NULL or a place for a number.
    let caller = unsafe { Caller::trusted("send_all") };
    caller.guard(|| {
        caller.give(done, 0);
        let socket = &caller.handle(socket)?.socket;
        let bytes = caller.bytes(buf, len)?;
        let result = socket.send_all(bytes, caller.timeout(timeout)?);
        tell(&caller, done, len, result)
    })
}

/// Receives one message, or what a stream has, up to cap bytes.
///
/// socket:  a handle
/// buf:     where the bytes go; may be NULL when cap is 0
/// cap:     for how many there is room
/// timeout: how long to wait for the first; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were received. Of a stream and a seqpacket 0 is the end: the peer has closed
/// or sends no more. An empty message is 0 as well; unipc_socket_recv_message() tells them apart.
/// Errors:
///   -EMSGSIZE    the message is longer than cap, and lost; unipc_socket_next_size() tells beforehand
///   -EAGAIN      nothing is there, and timeout is {0, 0}
///   -ETIMEDOUT   nothing came in time
///   -EINTR       a signal came
///   -ECONNRESET  the peer closed and had not received all
///   -ENOTCONN    there is no peer
///   -EINVAL      no timeout; socket, or buf of more than 0 bytes, is NULL
/// Descriptors that ride along are closed.
/// Since 0.1. See recv(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_recv(
    socket: *const unipc_socket,
    buf: *mut c_void,
    cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("recv") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        let room = caller.room(buf.cast(), cap)?;
        socket.recv_uninit(room, caller.timeout(timeout)?).map(count)
    })
}

/// Receives exactly so many bytes from a stream.
///
/// socket:  a handle
/// buf:     room for the bytes
/// len:     how many
/// timeout: for all of it; NULL: for ever; {0, 0}: only what is there
/// done:    gets how many bytes were received, whatever the answer is; NULL if that is not wanted
///
/// Returns 0.
/// Errors: done bytes were received
///   -ENODATA     the stream has ended
///   -EBADMSG     it ended after done bytes
///   -EOPNOTSUPP  messages come whole: it is for streams
///   else as unipc_socket_recv()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_recv_exact(
    socket: *const unipc_socket,
    buf: *mut c_void,
    len: usize,
    timeout: *const timespec,
    done: *mut usize,
) -> c_int {
    // SAFETY: the header asks for an open handle, room for `len` bytes, NULL or a timespec, NULL or a place for a number.
    let caller = unsafe { Caller::trusted("recv_exact") };
    caller.guard(|| {
        caller.give(done, 0);
        let socket = &caller.handle(socket)?.socket;
        let room = caller.room(buf.cast(), len)?;
        let result = socket.recv_exact(room, caller.timeout(timeout)?);
        tell(&caller, done, len, result)
    })
}

/// Sends a datagram to a name, whatever the socket is connected to.
///
/// socket:  a handle
/// buf:     the bytes; may be NULL when len is 0
/// len:     how many
/// name:    of the receiver
/// timeout: how long to wait while its queue is full; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were sent.
/// Errors:
///   -ENOENT, -ECONNREFUSED  nobody has the name
///   -EACCES                 its file may not be written to
///   -EPERM                  that socket is connected to another
///   -EPROTOTYPE             it is no datagram socket
///   -EINVAL                 a name of another family; no timeout; a pointer is NULL
///   else as unipc_socket_send()
/// Since 0.1. See sendto(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_send_to(
    socket: *const unipc_socket,
    buf: *const c_void,
    len: usize,
    name: *const c_char,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, `len` bytes, a string, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("send_to") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        let (bytes, name) = (caller.bytes(buf, len)?, caller.name(name)?);
        socket.send_to(bytes, &name, caller.timeout(timeout)?).map(count)
    })
}

/// Receives a datagram, and who sent it.
///
/// socket:   a handle
/// buf:      where the bytes go; may be NULL when cap is 0
/// cap:      for how many there is room
/// name:     where the sender's name goes, "" when it has none; may be NULL when name_cap is 0
/// name_cap: for how many bytes there is room; UNIPC_SOCKET_NAME_SIZE is enough for any name
/// timeout:  how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were received.
/// Errors: as unipc_socket_recv()
/// Since 0.1. See recvfrom(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_recv_from(
    socket: *const unipc_socket,
    buf: *mut c_void,
    cap: usize,
    name: *mut c_char,
    name_cap: usize,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` and for `name_cap` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("recv_from") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        let room = caller.room(buf.cast(), cap)?;
        let name_room = caller.room(name, name_cap)?;
        let (length, sender) = socket.recv_from(room, caller.timeout(timeout)?)?;
        copy_name(name_room, sender.as_ref());
        Ok(count(length))
    })
}

/// How long the next message is; of a stream, how many bytes can be received at once. Waits for one, and
/// leaves it where it is.
///
/// socket:  a handle
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns its length in bytes; 0 for an empty message and for the end.
/// Errors:
///   -EAGAIN     nothing is there, and timeout is {0, 0}
///   -ETIMEDOUT  nothing came in time
///   -EINTR      a signal came
///   -EINVAL     no timeout; socket is NULL
/// Since 0.1. See recv(2) MSG_PEEK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_next_size(
    socket: *const unipc_socket,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("next_size") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        socket.next_size(caller.timeout(timeout)?).map(count)
    })
}

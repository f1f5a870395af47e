// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages with what rides along, and descriptors alone.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{IntoRawFd, OwnedFd};

use libc::timespec;
use unipc_core::socket::{recv_descriptors, send_descriptors};

use super::boundary::Caller;
use super::{
    copy_name, count, expect, int, unipc_credentials, unipc_fd_opts, unipc_received, unipc_socket,
};

/// Sends bytes together with descriptors: the receiver gets duplicates, which live when this process is
/// gone. UNIX sockets.
///
/// socket:  a handle
/// buf:     the bytes, on a stream at least one; may be NULL when len is 0
/// len:     how many
/// fds:     the descriptors, which stay yours; may be NULL when n is 0
/// n:       how many, at most UNIPC_FD_MAX
/// to:      the receiver of a datagram; NULL: the peer
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were sent; the descriptors go with the first.
/// Errors:
///   -EBADF         a descriptor is not open
///   -EOPNOTSUPP    TCP and UDP carry no descriptors
///   -ETOOMANYREFS  more descriptors are under way than RLIMIT_NOFILE allows
///   -EINVAL        too many descriptors, or no byte for them; no timeout; a pointer is NULL
///   else as unipc_socket_send() and unipc_socket_send_to()
/// Since 0.1. See sendmsg(2), unix(7) SCM_RIGHTS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_send_message(
    socket: *const unipc_socket,
    buf: *const c_void,
    len: usize,
    fds: *const c_int,
    n: usize,
    to: *const c_char,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, `len` bytes, `n` numbers, NULL or a string, NULL or a timespec.
    let caller = unsafe { Caller::trusted("send_message") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        let bytes = caller.bytes(buf, len)?;
        let descriptors = caller.borrow_all(fds, n)?;
        let to = if to.is_null() { None } else { Some(caller.name(to)?) };
        let timeout = caller.timeout(timeout)?;
        socket.send_message(bytes, &descriptors, to.as_ref(), timeout).map(count)
    })
}

/// Receives one message, or what a stream has, with what rides along.
///
/// socket:  a handle
/// buf:     where the bytes go; may be NULL when cap is 0
/// cap:     for how many there is room
/// fds:     where the descriptors go, all of them close-on-exec; may be NULL when fd_cap is 0
/// fd_cap:  for how many there is room; more are an error
/// expect:  what they must be; NULL: anything
/// out:     where goes what came besides; may be NULL
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns how many bytes were received. out->ended tells an empty message from the end.
/// Errors:
///   -EPERM     descriptors are not as expected, or more than fd_cap: all that came are closed
///   -EMFILE    this process may not have so many descriptors: all that came are closed
///   -EMSGSIZE  the message is longer than cap
///   -E2BIG     expect uses fields that this version of the library does not know
///   else as unipc_socket_recv(). The message is lost unless it is -EAGAIN, -ETIMEDOUT or -EINTR.
/// Since 0.1. See recvmsg(2), unix(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_socket_recv_message(
    socket: *const unipc_socket,
    buf: *mut c_void,
    cap: usize,
    fds: *mut c_int,
    fd_cap: usize,
    expect: *const unipc_fd_opts,
    out: *mut unipc_received,
    timeout: *const timespec,
) -> isize {
    // SAFETY: the header asks for an open handle, room for `cap` bytes and `fd_cap` numbers, options that know their
    // size, NULL or a place for what came, NULL or a timespec.
    let caller = unsafe { Caller::trusted("recv_message") };
    caller.guard(|| {
        let socket = &caller.handle(socket)?.socket;
        let room = caller.room(buf.cast(), cap)?;
        let places = caller.room(fds, fd_cap)?;
        let expect = self::expect(&caller, fd_cap, expect)?;
        let message = socket.recv_message(room, &expect, caller.timeout(timeout)?)?;
        let who = message.credentials.map(unipc_credentials::from);
        let mut told = unipc_received {
            fds: message.descriptors.len(),
            ended: message.ended.into(),
            has_credentials: who.is_some().into(),
            credentials: who.unwrap_or_default(),
            reserved: 0,
            sender: [0; 256],
        };
        copy_name(&mut told.sender, message.sender.as_ref());
        give_away(places, message.descriptors);
        caller.give(out, told);
        Ok(count(message.length))
    })
}

/// Sends descriptors over a connected UNIX socket, however it was made: SCM_RIGHTS.
///
/// sock:    the descriptor of the socket
/// fds:     the descriptors, which stay yours
/// n:       how many, 1 to UNIPC_FD_MAX
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// One byte goes with them, their number modulo 256, as multiprocessing of Python does.
///
/// Returns 0.
/// Errors:
///   -EBADF         sock or a descriptor is not open
///   -ENOTSOCK      sock is no socket
///   -EOPNOTSUPP    it is no UNIX socket
///   -ENOTCONN      it is not connected
///   -EPIPE         the peer has gone; there is never a SIGPIPE
///   -ETOOMANYREFS  more descriptors are under way than RLIMIT_NOFILE allows
///   -EAGAIN, -ETIMEDOUT, -EINTR  as for unipc_socket_send()
///   -EINVAL        none or too many descriptors; no timeout; fds is NULL
/// Since 0.1. See unix(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_fd_send(
    sock: c_int,
    fds: *const c_int,
    n: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for `n` numbers, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("fd_send") };
    caller.guard(|| {
        let descriptors = caller.borrow_all(fds, n)?;
        send_descriptors(caller.borrow(sock)?, &descriptors, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Receives descriptors that unipc_fd_send() or another program sent, with at most one byte.
///
/// sock:    the descriptor of the socket
/// fds:     where the descriptors go, all of them close-on-exec and yours to close
/// cap:     for how many there is room, at least 1; more are an error
/// expect:  what they must be; NULL: anything
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Before the memory of a stranger's memfd is mapped, ask for UNIPC_SEAL_SHRINK and a size:
///
///     int fd;
///     unipc_fd_opts expect = UNIPC_FD_OPTS_INIT;
///     expect.kind = UNIPC_FD_MEMFD;
///     expect.seals = UNIPC_SEAL_SHRINK;
///     expect.size = 4096;
///     if (unipc_fd_recv(sock, &fd, 1, &expect, NULL) == 1)
///         unipc_shm_from_fd(&shm, fd, 0, NULL);
///
/// Returns how many came; 0: the peer has closed.
/// Errors:
///   -EPERM       descriptors are not as expected, more than cap, or none: all that came are closed
///   -EMFILE      this process may not have so many descriptors: all that came are closed
///   -EMSGSIZE    a longer message came with them: unipc_socket_recv_message() takes both
///   -EBADF       sock is not open
///   -ENOTSOCK    it is no socket
///   -EOPNOTSUPP  it is no UNIX socket
///   -ENOTCONN    it is not connected
///   -EAGAIN, -ETIMEDOUT, -EINTR  as for unipc_socket_recv(): nothing was received
///   -EINVAL      unknown options; no timeout; fds is NULL
///   -E2BIG       expect uses fields that this version of the library does not know
/// Since 0.1. See unix(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_fd_recv(
    sock: c_int,
    fds: *mut c_int,
    cap: usize,
    expect: *const unipc_fd_opts,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for room for `cap` numbers, options that know their size, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("fd_recv") };
    caller.guard(|| {
        if cap == 0 {
            return Err(caller.invalid("cap", "there is no room for a descriptor"));
        }
        let places = caller.room(fds, cap)?;
        let expect = self::expect(&caller, cap, expect)?;
        let came = recv_descriptors(caller.borrow(sock)?, &expect, caller.timeout(timeout)?)?;
        let number = int("fd_recv", came.len());
        give_away(places, came);
        number
    })
}

/// Makes the descriptors the C caller's.
fn give_away(places: &mut [c_int], descriptors: Vec<OwnedFd>) {
    for (place, descriptor) in places.iter_mut().zip(descriptors) {
        *place = descriptor.into_raw_fd();
    }
}

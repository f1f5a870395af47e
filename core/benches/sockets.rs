// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets in Rust against the plain calls. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(unsafe_code, reason = "the plain calls are calls of C")]

mod harness;
mod machine;
#[allow(dead_code, reason = "the clock alone is of use here")]
mod plain;

use std::os::fd::AsRawFd;

use harness::{Side, compare};
use unipc::Timeout;
use unipc::socket::{Kind, Listener, Socket};

const LARGEST: usize = 65536;
const LARGEST_UDP: usize = 32768;

fn done(result: isize) -> usize {
    usize::try_from(result).unwrap_or_else(|_| panic!("{}", std::io::Error::last_os_error()))
}

fn plain_send(fd: i32, bytes: &[u8]) {
    // SAFETY: the bytes are only read.
    done(unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) });
}

/// A stream gives what it has; a message comes whole.
fn plain_recv(fd: i32, buffer: &mut [u8], size: usize, stream: bool) {
    let mut had = 0;
    loop {
        let room = if stream { &mut buffer[had..size] } else { &mut buffer[..] };
        // SAFETY: there is room for as many bytes.
        had += done(unsafe { libc::recv(fd, room.as_mut_ptr().cast(), room.len(), 0) });
        if !stream || had == size {
            return;
        }
    }
}

fn recv(socket: &Socket, buffer: &mut [u8], size: usize) {
    if socket.kind() == Kind::Stream {
        socket.recv_exact(&mut buffer[..size], Timeout::Forever).expect("bytes");
    } else {
        socket.recv(buffer, Timeout::Forever).expect("a message");
    }
}

/// What is sent at one end and received at the other, or at the same.
fn sides<'a>(from: &'a Socket, to: &'a Socket, size: usize) -> Vec<Side<'a>> {
    let (mut buffer, mut other) = (vec![7; LARGEST], vec![7; LARGEST]);
    let stream = from.kind() == Kind::Stream;
    vec![
        Side::new("unipc send, recv", move || {
            from.send(&buffer[..size], Timeout::Forever).expect("room");
            recv(to, &mut buffer, size);
        }),
        Side::new("send, recv", move || {
            plain_send(from.as_raw_fd(), &other[..size]);
            plain_recv(to.as_raw_fd(), &mut other, size, stream);
        }),
    ]
}

/// Another process that sends everything back, by the plain calls.
fn echo(socket: &Socket, size: usize) -> i32 {
    // SAFETY: the child makes plain calls alone, until it is killed.
    let child = unsafe { libc::fork() };
    if child != 0 {
        return child;
    }
    let mut buffer = vec![7; LARGEST];
    loop {
        plain_recv(socket.as_raw_fd(), &mut buffer, size, socket.kind() == Kind::Stream);
        plain_send(socket.as_raw_fd(), &buffer[..size]);
    }
}

fn sizes(kind: &str, (near, far): (Socket, Socket), largest: usize) {
    for size in [8, 64, 1024, largest] {
        let title = format!("{kind}: one way, {size} bytes (expected: at most 1.03 x)");
        compare(&title, sides(&near, &far, size));
        let child = echo(&far, size);
        let title = format!(
            "{kind}: round trip, {size} bytes, time of this side (expected: at most 1.03 x)"
        );
        compare(&title, sides(&near, &near, size));
        // SAFETY: ours.
        unsafe { libc::kill(child, libc::SIGKILL) };
        // SAFETY: as above; its status is of no interest.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    }
}

fn tcp() -> unipc::Result<(Socket, Socket)> {
    let listener = Listener::bind("tcp:127.0.0.1:0")?;
    let name = listener.local_name()?.expect("a port");
    Ok((Socket::connect(name, Timeout::Forever)?, listener.accept(Timeout::Forever)?))
}

fn udp() -> (Socket, Socket) {
    let [one, other] = [(); 2].map(|()| std::net::UdpSocket::bind("127.0.0.1:0").expect("a port"));
    one.connect(other.local_addr().expect("bound")).expect("loopback");
    other.connect(one.local_addr().expect("bound")).expect("loopback");
    (Socket::from_fd(one).expect("a socket"), Socket::from_fd(other).expect("a socket"))
}

fn main() {
    machine::print_head("Rust");
    plain::share_a_processor();
    let pair = |kind| Socket::pair(kind).expect("a pair");
    sizes("UNIX stream", pair(Kind::Stream), LARGEST);
    sizes("UNIX datagram", pair(Kind::Datagram), LARGEST);
    sizes("UNIX seqpacket", pair(Kind::SeqPacket), LARGEST);
    sizes("TCP", tcp().expect("loopback"), LARGEST);
    sizes("UDP", udp(), LARGEST_UDP);
}

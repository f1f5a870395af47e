// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: libunipc.so as a C program calls it, with the header's declarations spelled in Rust.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{null, null_mut};

use libc::timespec;
use unipc::socket::{DescriptorKind, Kind};

use super::face::{Came, Limit, Socket};
use crate::memory::Result;

type Handle = *mut c_void;

/// `unipc_socket *`.
#[derive(Debug)]
pub(crate) struct C(Handle);

/// `unipc_listener *`.
#[derive(Debug)]
pub(crate) struct Listener(Handle);

const MODE_NONE: u32 = 1 << 30;

#[repr(C)]
struct Opts {
    sz: usize,
    kind: u32,
    mode: u32,
    backlog: u32,
    reserved: u32,
    send_buffer: usize,
    receive_buffer: usize,
    local: *const c_char,
}

#[repr(C)]
struct FdOpts {
    sz: usize,
    least: usize,
    size: u64,
    kind: u32,
    seals: u32,
    flags: u32,
    reserved: u32,
}

#[repr(C)]
struct Received {
    fds: usize,
    ended: u32,
    has_credentials: u32,
    pid: i32,
    uid: u32,
    gid: u32,
    reserved: u32,
    sender: [c_char; 256],
}

#[link(name = "unipc", kind = "dylib")]
unsafe extern "C" {
    fn unipc_socket_pair(
        one: *mut Handle,
        other: *mut Handle,
        kind: c_uint,
        flags: c_uint,
    ) -> c_int;
    fn unipc_socket_connect(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
        timeout: *const timespec,
    ) -> c_int;
    fn unipc_socket_close(socket: Handle);
    fn unipc_socket_unlink(name: *const c_char) -> c_int;
    fn unipc_listener_bind(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_listener_accept(out: *mut Handle, listener: Handle, timeout: *const timespec)
    -> c_int;
    fn unipc_listener_close(listener: Handle);
    fn unipc_socket_send(
        socket: Handle,
        bytes: *const c_void,
        length: usize,
        timeout: *const timespec,
    ) -> isize;
    fn unipc_socket_recv(
        socket: Handle,
        room: *mut c_void,
        size: usize,
        timeout: *const timespec,
    ) -> isize;
    fn unipc_socket_send_message(
        socket: Handle,
        bytes: *const c_void,
        length: usize,
        fds: *const c_int,
        count: usize,
        to: *const c_char,
        timeout: *const timespec,
    ) -> isize;
    fn unipc_socket_recv_message(
        socket: Handle,
        room: *mut c_void,
        size: usize,
        fds: *mut c_int,
        most: usize,
        expect: *const FdOpts,
        out: *mut Received,
        timeout: *const timespec,
    ) -> isize;
    fn unipc_socket_shutdown(socket: Handle, how: c_uint) -> c_int;
}

/// `-errno` is a failure, and errno says the same.
fn check(returned: isize) -> Result<usize> {
    if let Ok(fine) = usize::try_from(returned) {
        return Ok(fine);
    }
    let errno = i32::try_from(-returned).unwrap();
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(errno));
    Err(errno)
}

fn done(returned: c_int) -> Result<()> {
    check(returned.try_into().unwrap()).map(drop)
}

/// A handle made by `make`, which must be NULL after a failure.
fn made(make: impl FnOnce(*mut Handle) -> c_int) -> Result<Handle> {
    let mut handle: Handle = std::ptr::dangling_mut::<u64>().cast();
    done(make(&raw mut handle)).inspect_err(|_| assert!(handle.is_null()))?;
    Ok(handle)
}

fn string(name: &str) -> CString {
    CString::new(name).unwrap()
}

fn number(kind: Kind) -> u32 {
    match kind {
        Kind::Stream => 1,
        Kind::Datagram => 2,
        Kind::SeqPacket => 5,
    }
}

fn opts(kind: Kind, mode: u32) -> Opts {
    Opts {
        sz: size_of::<Opts>(),
        kind: number(kind),
        mode,
        backlog: 0,
        reserved: 0,
        send_buffer: 0,
        receive_buffer: 0,
        local: null(),
    }
}

fn time(limit: Limit) -> Option<timespec> {
    limit.map(|limit| timespec {
        tv_sec: limit.as_secs().try_into().unwrap(),
        tv_nsec: limit.subsec_nanos().into(),
    })
}

/// The call with a pointer to the limit as `$timeout`.
macro_rules! call {
    ($limit:expr, |$timeout:ident| $function:ident($($argument:expr),*)) => {{
        let time = time($limit);
        let $timeout = time.as_ref().map_or(null(), std::ptr::from_ref);
        // SAFETY: handles are open, strings end in NUL, rooms are as long as told, and options know their size.
        unsafe { $function($($argument),*) }
    }};
}

impl Socket for C {
    type Listener = Listener;

    fn pair(kind: Kind) -> Result<(Self, Self)> {
        let mut other: Handle = null_mut();
        // SAFETY: both pointers are to room for a handle.
        let pair = |one| unsafe { unipc_socket_pair(one, &raw mut other, number(kind), 0) };
        let one = made(pair)?;
        Ok((Self(one), Self(other)))
    }

    fn connect(name: &str, kind: Kind, limit: Limit) -> Result<Self> {
        let (name, opts) = (string(name), opts(kind, 0));
        made(|out| {
            call!(limit, |timeout| unipc_socket_connect(
                out,
                name.as_ptr(),
                0,
                &raw const opts,
                timeout
            ))
        })
        .map(Self)
    }

    fn listen(name: &str, kind: Kind, mode: Option<u32>) -> Result<Listener> {
        let mode = mode.map_or(0, |mode| if mode == 0 { MODE_NONE } else { mode });
        let (name, opts) = (string(name), opts(kind, mode));
        // SAFETY: the string ends in NUL, and the options know their size.
        let bind = |out| unsafe { unipc_listener_bind(out, name.as_ptr(), 0, &raw const opts) };
        made(bind).map(Listener)
    }

    fn accept(listener: &Listener, limit: Limit) -> Result<Self> {
        made(|out| call!(limit, |timeout| unipc_listener_accept(out, listener.0, timeout)))
            .map(Self)
    }

    fn unlink(name: &str) -> Result<()> {
        // SAFETY: the string ends in NUL.
        done(unsafe { unipc_socket_unlink(string(name).as_ptr()) })
    }

    fn send(&self, bytes: &[u8], limit: Limit) -> Result<usize> {
        let (start, length) = (bytes.as_ptr().cast(), bytes.len());
        check(call!(limit, |timeout| unipc_socket_send(self.0, start, length, timeout)))
    }

    fn recv(&self, room: usize, limit: Limit) -> Result<Vec<u8>> {
        let mut bytes = vec![0_u8; room];
        let start = bytes.as_mut_ptr().cast();
        let got = call!(limit, |timeout| unipc_socket_recv(self.0, start, room, timeout));
        bytes.truncate(check(got)?);
        Ok(bytes)
    }

    fn send_message(&self, bytes: &[u8], fds: &[BorrowedFd<'_>], limit: Limit) -> Result<usize> {
        let fds: Vec<c_int> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let (start, length) = (bytes.as_ptr().cast(), bytes.len());
        check(call!(limit, |timeout| unipc_socket_send_message(
            self.0,
            start,
            length,
            fds.as_ptr(),
            fds.len(),
            null(),
            timeout
        )))
    }

    fn recv_message(
        &self,
        room: usize,
        (least, most): (usize, usize),
        kind: DescriptorKind,
        limit: Limit,
    ) -> Result<Came> {
        let kind = match kind {
            DescriptorKind::Pipe => 3,
            DescriptorKind::Socket => 4,
            _ => 0,
        };
        let expect = FdOpts {
            sz: size_of::<FdOpts>(),
            least,
            size: 0,
            kind,
            seals: 0,
            flags: 0,
            reserved: 0,
        };
        let mut out = Received {
            fds: 0,
            ended: 0,
            has_credentials: 0,
            pid: 0,
            uid: 0,
            gid: 0,
            reserved: 0,
            sender: [0; 256],
        };
        let (mut bytes, mut fds) = (vec![0_u8; room], vec![-1; most]);
        let start = bytes.as_mut_ptr().cast();
        let got = call!(limit, |timeout| unipc_socket_recv_message(
            self.0,
            start,
            room,
            fds.as_mut_ptr(),
            most,
            &raw const expect,
            &raw mut out,
            timeout
        ));
        bytes.truncate(check(got)?);
        fds.truncate(out.fds);
        // SAFETY: the call has given them to this process.
        let owned = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
        let descriptors = fds.into_iter().map(owned).collect();
        Ok(Came { bytes, descriptors, ended: out.ended != 0 })
    }

    fn finish(&self) -> Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { unipc_socket_shutdown(self.0, 1) })
    }
}

impl Drop for C {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_socket_close(self.0) };
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { unipc_listener_close(self.0) };
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/socket.h: sockets. The types are here, the functions in the modules.

mod descriptors;
mod listener;
mod open;
mod state;
mod transfer;

use std::ffi::{c_char, c_uint};

use unipc_core::shm::Seals;
use unipc_core::socket::{DescriptorKind, Expect, Kind, Listener, Options, Socket};
use unipc_core::{Error, ErrorKind, Name, Result};

pub use descriptors::*;
pub use listener::*;
pub use open::*;
pub use state::*;
pub use transfer::*;

use super::boundary;
use boundary::{Caller, SizeFirst};

/// A socket that is connected, or sends and receives datagrams. A child of fork() shares it with its
/// parent: the peer sees the end when both have closed it.
#[derive(Debug)]
pub struct unipc_socket {
    socket: Socket,
}

/// A socket that accepts connections.
#[derive(Debug)]
pub struct unipc_listener {
    listener: Listener,
}

/// What a socket carries: the kernel's SOCK_ numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_socket_kind {
    /// Bytes in order, without boundaries: SOCK_STREAM.
    UNIPC_SOCKET_STREAM = 1,
    /// Messages, each for itself: SOCK_DGRAM.
    UNIPC_SOCKET_DATAGRAM = 2,
    /// Messages in order over a connection: SOCK_SEQPACKET.
    UNIPC_SOCKET_SEQPACKET = 5,
}

/// Flags for connecting, binding and listening.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_socket_flag {
    /// Fail with -EADDRINUSE where a file lies that a dead server has left, instead of replacing it.
    UNIPC_SOCKET_KEEP_STALE = 1 << 0,
    /// Remove the socket's file when the handle is closed, if it still is this socket's (not by a
    /// child of fork()).
    UNIPC_SOCKET_REMOVE_ON_CLOSE = 1 << 1,
    /// Refuse a server that runs neither as this user nor as root: -EPERM. UNIX streams and seqpackets.
    UNIPC_SOCKET_OWN_ONLY = 1 << 2,
    /// Let each message bring its sender's credentials (SO_PASSCRED). UNIX sockets.
    UNIPC_SOCKET_PASS_CREDENTIALS = 1 << 3,
    /// Let TCP hold small pieces back to put them together: no TCP_NODELAY.
    UNIPC_SOCKET_DELAY = 1 << 4,
}

/// Which direction of a connection ends: the kernel's SHUT_ numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_shutdown {
    /// Receiving.
    UNIPC_SHUTDOWN_RECEIVE = 0,
    /// Sending: the peer receives what is under way, then the end.
    UNIPC_SHUTDOWN_SEND = 1,
    /// Both.
    UNIPC_SHUTDOWN_BOTH = 2,
}

/// What a received descriptor may refer to.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_fd_kind {
    /// Anything.
    UNIPC_FD_ANY = 0,
    /// Memory of memfd_create().
    UNIPC_FD_MEMFD = 1,
    /// A regular file, a memfd among them.
    UNIPC_FD_FILE = 2,
    /// One end of a pipe, or a FIFO.
    UNIPC_FD_PIPE = 3,
    /// A socket.
    UNIPC_FD_SOCKET = 4,
    /// A directory.
    UNIPC_FD_DIRECTORY = 5,
    /// A device: a terminal, /dev/null.
    UNIPC_FD_DEVICE = 6,
    /// An eventfd, timerfd, signalfd, pidfd or epoll descriptor.
    UNIPC_FD_EVENT = 7,
}

/// Flags in unipc_fd_opts.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_fd_flag {
    /// Each must be open for reading.
    UNIPC_FD_READABLE = 1 << 0,
    /// Each must be open for writing.
    UNIPC_FD_WRITABLE = 1 << 1,
}

/// Numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_socket_constant {
    /// The most descriptors that one message carries (SCM_MAX_FD).
    UNIPC_FD_MAX = 253,
    /// Room for the name of any socket, with its NUL.
    UNIPC_SOCKET_NAME_SIZE = 256,
}

/// How to connect, bind or listen, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_SOCKET_OPTS() or UNIPC_SOCKET_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_socket_opts {
    /// sizeof(unipc_socket_opts).
    pub sz: usize,
    /// A unipc_socket_kind. 0: a stream for unix: and tcp:, datagrams for udp: and for
    /// unipc_socket_bind().
    pub kind: u32,
    /// When binding: permission bits of the file, exact whatever the umask; who may write may connect.
    /// 0: 0600. UNIPC_MODE_NONE: none.
    pub mode: u32,
    /// When listening: how many connections may wait to be accepted, cut to net.core.somaxconn.
    /// 0: as many as that allows.
    pub backlog: u32,
    /// Not used: 0.
    pub reserved: u32,
    /// Ask for that many bytes of send buffer, see unipc_socket_set_send_buffer(). 0: the kernel's.
    pub send_buffer: usize,
    /// Ask for that many bytes of receive buffer, of TCP and UDP. 0: the kernel's.
    pub receive_buffer: usize,
    /// When connecting: the name that the socket has itself. NULL: a UNIX datagram socket gets a free
    /// abstract name, so that it can be answered, a UNIX stream none.
    pub local: *const c_char,
}

const _: () = assert!(
    size_of::<unipc_socket_opts>() == 4 * size_of::<usize>() + 4 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers and a pointer, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_socket_opts {}

/// Which descriptors are accepted. Others are refused, and closed. A field that is zero asks for nothing.
///
/// Make it with UNIPC_FD_OPTS() or UNIPC_FD_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_fd_opts {
    /// sizeof(unipc_fd_opts).
    pub sz: usize,
    /// At least so many must come.
    pub least: usize,
    /// Each must have at least so many bytes.
    pub size: u64,
    /// Each must be of this unipc_fd_kind.
    pub kind: u32,
    /// UNIPC_SEAL_ bits that each must have (unipc/shm.h).
    pub seals: u32,
    /// UNIPC_FD_READABLE, UNIPC_FD_WRITABLE.
    pub flags: u32,
    /// Not used: 0.
    pub reserved: u32,
}

const _: () = assert!(
    size_of::<unipc_fd_opts>() == 2 * size_of::<usize>() + 8 + 4 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_fd_opts {}

/// Who is at the other end, as the kernel says (struct ucred).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_credentials {
    /// The process; 0 for one of a pid namespace that this process cannot see.
    pub pid: i32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// What came with a message, see unipc_socket_recv_message().
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_received {
    /// How many descriptors came.
    pub fds: usize,
    /// 1: it is no message, the peer has closed or sends no more. 0: a message, perhaps empty.
    pub ended: u32,
    /// 1: credentials are set, which needs UNIPC_SOCKET_PASS_CREDENTIALS. 0: not.
    pub has_credentials: u32,
    /// Who sent it.
    pub credentials: unipc_credentials,
    /// Not used: 0.
    pub reserved: u32,
    /// The name of a datagram's sender; "" when it has none.
    pub sender: [c_char; 256],
}

/// What the flags and options of a call say.
fn options(caller: &Caller, flags: c_uint, opts: *const unipc_socket_opts) -> Result<Options> {
    use unipc_socket_flag as flag;
    const KNOWN: c_uint = 2 * flag::UNIPC_SOCKET_DELAY as c_uint - 1;
    let flags = caller.flags(flags, KNOWN)?;
    let has = |flag: flag| flags.has(flag as c_uint);
    let opts = caller.options(opts)?;
    if opts.reserved != 0 {
        return Err(caller.invalid("opts.reserved", "it is not 0"));
    }
    let mut options = Options::new()
        .mode(caller.mode(opts.mode)?)
        .keep_stale(has(flag::UNIPC_SOCKET_KEEP_STALE))
        .remove_on_drop(has(flag::UNIPC_SOCKET_REMOVE_ON_CLOSE))
        .own_only(has(flag::UNIPC_SOCKET_OWN_ONLY))
        .pass_credentials(has(flag::UNIPC_SOCKET_PASS_CREDENTIALS))
        .delay(has(flag::UNIPC_SOCKET_DELAY));
    if opts.kind != 0 {
        options = options.kind(kind(caller, opts.kind)?);
    }
    if opts.backlog != 0 {
        options = options.backlog(opts.backlog);
    }
    if opts.send_buffer != 0 {
        options = options.send_buffer(opts.send_buffer);
    }
    if opts.receive_buffer != 0 {
        options = options.receive_buffer(opts.receive_buffer);
    }
    if !opts.local.is_null() {
        options = options.local(caller.name(opts.local)?)?;
    }
    Ok(options)
}

fn kind(caller: &Caller, number: u32) -> Result<Kind> {
    use unipc_socket_kind as kind;
    const STREAM: u32 = kind::UNIPC_SOCKET_STREAM as u32;
    const DATAGRAM: u32 = kind::UNIPC_SOCKET_DATAGRAM as u32;
    const SEQPACKET: u32 = kind::UNIPC_SOCKET_SEQPACKET as u32;
    match number {
        STREAM => Ok(Kind::Stream),
        DATAGRAM => Ok(Kind::Datagram),
        SEQPACKET => Ok(Kind::SeqPacket),
        _ => Err(caller.invalid("kind", format!("{number} is no unipc_socket_kind"))),
    }
}

/// At most `most` descriptors, as the options say.
fn expect(caller: &Caller, most: usize, opts: *const unipc_fd_opts) -> Result<Expect> {
    const READABLE: c_uint = unipc_fd_flag::UNIPC_FD_READABLE as c_uint;
    const WRITABLE: c_uint = unipc_fd_flag::UNIPC_FD_WRITABLE as c_uint;
    const KINDS: [DescriptorKind; 8] = [
        DescriptorKind::Any,
        DescriptorKind::Memfd,
        DescriptorKind::File,
        DescriptorKind::Pipe,
        DescriptorKind::Socket,
        DescriptorKind::Directory,
        DescriptorKind::Device,
        DescriptorKind::Event,
    ];
    let opts = caller.options(opts)?;
    if opts.reserved != 0 {
        return Err(caller.invalid("opts.reserved", "it is not 0"));
    }
    let flags = caller.flags(opts.flags, READABLE | WRITABLE)?;
    let kind = KINDS
        .get(opts.kind as usize)
        .ok_or_else(|| caller.invalid("opts.kind", format!("{} is no unipc_fd_kind", opts.kind)))?;
    let seals = Seals::from_bits(opts.seals.cast_signed()).ok_or_else(|| {
        caller.invalid("opts.seals", format!("unknown bits in {:#x}", opts.seals))
    })?;
    let mut expect =
        Expect::between(opts.least, most).kind(*kind).seals(seals).size_at_least(opts.size);
    if flags.has(READABLE) {
        expect = expect.readable();
    }
    if flags.has(WRITABLE) {
        expect = expect.writable();
    }
    Ok(expect)
}

/// Copies a name as snprintf() does, and returns its length; nothing for a socket that has none.
fn copy_name(room: &mut [c_char], name: Option<&Name>) -> usize {
    use std::os::unix::ffi::OsStrExt;
    let spelling = name.map(Name::to_os_string).unwrap_or_default();
    let spelling = spelling.as_bytes();
    if let Some(last) = room.len().checked_sub(1) {
        let fitting = last.min(spelling.len());
        for (to, from) in room.iter_mut().zip(&spelling[..fitting]) {
            *to = c_char::from_ne_bytes([*from]);
        }
        room[fitting] = 0;
    }
    spelling.len()
}

/// A number as C counts what was moved.
#[inline]
fn count(number: usize) -> isize {
    // No buffer is larger.
    isize::try_from(number).unwrap_or(isize::MAX)
}

/// Tells how much was done before a call on a stream ended, and how it ended.
#[inline]
fn tell(caller: &Caller, done: *mut usize, length: usize, result: Result<()>) -> Result<i32> {
    let moved = result.as_ref().map_or_else(|error: &Error| error.kind().done(), |()| length);
    caller.give(done, moved);
    result.map(|()| 0)
}

/// A length as an int.
fn int(operation: &'static str, number: usize) -> Result<i32> {
    i32::try_from(number)
        .map_err(|_| Error::new(operation, "result", ErrorKind::Os(libc::EOVERFLOW)))
}

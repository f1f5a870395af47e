// SPDX-License-Identifier: MIT OR Apache-2.0
//! How sockets are made, where the defaults do not do.

use std::os::fd::BorrowedFd;

use super::{Kind, address};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SocketName};
use crate::open::Mode;
use crate::sys::socket as sys;

/// How a socket is connected, bound or made to listen. Made by [`Options::new`], used by its methods
/// [`connect`](Options::connect), [`bind`](Options::bind), [`listen`](Options::listen) and [`pair`](Options::pair).
///
/// ```
/// use unipc::socket::{Kind, Options};
/// use unipc::Timeout;
/// # fn main() -> unipc::Result<()> {
/// let options = Options::new().kind(Kind::SeqPacket).pass_credentials(true);
/// let listener = options.listen("unix:@")?;
/// let client = options.connect(listener.local_name()?.unwrap(), Timeout::Forever)?;
/// # Ok(()) }
/// ```
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Default)]
pub struct Options {
    kind: Option<Kind>,
    pub(super) mode: Mode,
    pub(super) backlog: Option<u32>,
    pub(super) keep_stale: bool,
    pub(super) remove_on_drop: bool,
    pub(super) own_only: bool,
    pub(super) local: Option<SocketName>,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
    pass_credentials: bool,
    delay: bool,
}

impl Options {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it carries. Without this a `unix:` and a `tcp:` name stand for a stream (and [`Options::bind`] makes a
    /// datagram socket), a `udp:` name for datagrams.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The permission bits of the socket's file, exact whatever the umask is; 0600 unless said otherwise. Who may write
    /// to it may connect.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// How many connections may wait to be accepted, cut by the kernel to `net.core.somaxconn`; as many as that allows
    /// unless said otherwise.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = Some(connections);
        self
    }

    /// Fail with `EADDRINUSE` where a file lies that a dead server has left, instead of replacing it.
    pub fn keep_stale(mut self, keep: bool) -> Self {
        self.keep_stale = keep;
        self
    }

    /// Remove the socket's file when the handle is dropped, if it still is this socket's. A child of fork never does.
    pub fn remove_on_drop(mut self, remove: bool) -> Self {
        self.remove_on_drop = remove;
        self
    }

    /// Refuse a server that runs neither as this user nor as root: `EPERM`. For UNIX streams and sequenced packets.
    pub fn own_only(mut self, own_only: bool) -> Self {
        self.own_only = own_only;
        self
    }

    /// The name that a connecting socket has itself, so that a datagram server can answer. A UNIX datagram socket that
    /// connects without this gets a free abstract name.
    ///
    /// Errors: `EINVAL` for a name of something else.
    pub fn local(mut self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        let name = name.try_into().map_err(Into::into)?;
        self.local = Some(address::socket_name(&name, "local")?.clone());
        Ok(self)
    }

    /// Ask for that many bytes of room for what is sent and not yet received, see
    /// [`Socket::set_send_buffer`](super::Socket::set_send_buffer).
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = Some(bytes);
        self
    }

    /// The same for what is received, of TCP and UDP. A UNIX socket counts what is sent alone.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Let each message bring its sender's credentials, see [`Received`](super::Received). UNIX sockets only. Of messages
    /// that were sent before the receiver said so the sender is not known (pid 0, user 65534).
    #[doc(alias = "SO_PASSCRED")]
    pub fn pass_credentials(mut self, pass: bool) -> Self {
        self.pass_credentials = pass;
        self
    }

    /// Let TCP hold small pieces back to put them together (Nagle's algorithm). Here it does not unless told to: a
    /// request that waits for company waits too long.
    #[doc(alias = "TCP_NODELAY")]
    pub fn delay(mut self, delay: bool) -> Self {
        self.delay = delay;
        self
    }

    /// The kind that is meant with this name.
    pub(super) fn kind_for(&self, name: &SocketName, usual: Kind) -> Result<Kind, ErrorKind> {
        let (only, what) = match name {
            SocketName::Path(_) | SocketName::Abstract(_) => return Ok(self.kind.unwrap_or(usual)),
            SocketName::Tcp(_) => (Kind::Stream, "tcp: names a stream"),
            SocketName::Udp(_) => (Kind::Datagram, "udp: names datagrams"),
        };
        match self.kind {
            Some(other) if other != only => Err(ErrorKind::invalid(what)),
            _ => Ok(only),
        }
    }

    /// Sets what is set before a socket is used.
    pub(super) fn apply(&self, fd: BorrowedFd<'_>, unix: bool) -> Result<(), ErrorKind> {
        if let Some(bytes) = self.send_buffer {
            set_buffer(fd, libc::SO_SNDBUF, bytes)?;
        }
        if let Some(bytes) = self.receive_buffer {
            set_buffer(fd, libc::SO_RCVBUF, bytes)?;
        }
        if self.pass_credentials {
            if !unix {
                let why = "only UNIX sockets carry descriptors and credentials";
                return Err(ErrorKind::unsupported(why));
            }
            sys::set_number_option(fd, libc::SOL_SOCKET, libc::SO_PASSCRED, 1)?;
        }
        Ok(())
    }

    /// Sets what TCP has besides.
    pub(super) fn apply_tcp(&self, fd: BorrowedFd<'_>) -> nix::Result<()> {
        let at_once = i32::from(!self.delay);
        sys::set_number_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, at_once)
    }
}

/// Asks for a buffer of that many bytes. The kernel doubles the number, for its own needs, and cuts it at a limit.
pub(super) fn set_buffer(fd: BorrowedFd<'_>, option: i32, bytes: usize) -> Result<(), ErrorKind> {
    let number = i32::try_from(bytes)
        .map_err(|_| ErrorKind::invalid("a buffer has at most 2147483647 bytes"))?;
    Ok(sys::set_number_option(fd, libc::SOL_SOCKET, option, number)?)
}

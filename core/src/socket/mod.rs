// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets: streams, datagrams and sequenced packets, between processes of this machine and over TCP and UDP.
//!
//! | kind | names | connection | boundaries kept | order, nothing lost | the sender waits for the receiver |
//! |---|---|---|---|---|---|
//! | [`Kind::Stream`] | `unix:PATH`, `unix:@NAME`, `tcp:HOST:PORT` | yes | no | yes | yes |
//! | [`Kind::SeqPacket`] | `unix:PATH`, `unix:@NAME` | yes | yes | yes | yes |
//! | [`Kind::Datagram`] | `unix:PATH`, `unix:@NAME` | no | yes | yes | yes |
//! | [`Kind::Datagram`] | `udp:HOST:PORT` | no | yes | no | no |
//!
//! A server makes a [`Listener`] and accepts; a client connects. Datagrams need neither: each side is
//! [bound](Socket::bind) to a name, or [connected](Socket::connect) to one. [`Socket::pair`] makes two ends at once, for
//! threads or for fork. STREAMS, which POSIX once listed beside sockets, do not exist on Linux.
//!
//! - **Messages.** What is longer than the receiver's buffer is an error (`EMSGSIZE`), never cut in silence.
//!   [`Socket::next_size`] tells beforehand. On a stream there are no messages: see [`crate::stream`] for framing.
//! - **Waits.** Every call takes a [`Timeout`]. It works on blocking and non-blocking descriptors alike.
//! - **No SIGPIPE.** Sending to a peer that has gone is `EPIPE`.
//! - **Who is it?** On UNIX sockets the kernel says who connected ([`Socket::peer_credentials`]) and who sent a message
//!   ([`Received::credentials`]).
//! - **Descriptors** travel in messages of UNIX sockets: [`Socket::send_message`], [`Expect`].
//! - **Files of sockets.** [`Listener::bind`] takes over the file that a dead server left, never one of a living server.
//!   Closing leaves the file; [`unlink`] removes it. Put it into a directory that only its users may enter (as
//!   `$XDG_RUNTIME_DIR`): in `/tmp` anybody may have taken the name first, which [`Options::own_only`] notices.
//! - **Threads, fork, exec.** A handle may be used by many threads at once; a message goes to exactly one of those that
//!   wait. A child of fork shares the socket with its parent, and the peer sees the end only when both have closed it.
//!   Descriptors are close-on-exec.
//!
//! ```
//! use unipc::socket::{Listener, Socket};
//! use unipc::Timeout;
//! # fn main() -> unipc::Result<()> {
//! let listener = Listener::bind(format!("unix:@demo-{}", std::process::id()))?;
//! let client = Socket::connect(listener.name(), Timeout::Forever)?;
//! let server = listener.accept(Timeout::Forever)?;
//! client.send(b"hello", Timeout::Forever)?;
//! let mut buffer = [0; 64];
//! let length = server.recv(&mut buffer, Timeout::Forever)?;
//! assert_eq!(&buffer[..length], b"hello");
//! # Ok(()) }
//! ```

mod address;
mod bind;
mod connect;
mod expect;
mod listener;
mod message;
mod options;
mod state;
mod transfer;

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::socket as sys;
use crate::time::Timeout;

pub use bind::unlink;
pub use connect::Connecting;
pub use expect::{DescriptorKind, Expect};
pub use listener::Listener;
pub use message::{Received, recv_descriptors, send_descriptors};
pub use options::Options;
pub use state::{Credentials, Shutdown};

/// The most descriptors that one message carries: the kernel's `SCM_MAX_FD`.
pub const DESCRIPTORS_MAX: usize = sys::SCM_MAX_FD;

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Bytes in order, without boundaries: `SOCK_STREAM`.
    Stream,
    /// Messages, each for itself: `SOCK_DGRAM`.
    Datagram,
    /// Messages in order over a connection: `SOCK_SEQPACKET`.
    SeqPacket,
}

impl Kind {
    /// Does each receive get one message, whole?
    #[inline]
    pub fn keeps_boundaries(self) -> bool {
        self != Self::Stream
    }

    fn of_type(number: i32) -> Option<Self> {
        match number {
            libc::SOCK_STREAM => Some(Self::Stream),
            libc::SOCK_DGRAM => Some(Self::Datagram),
            libc::SOCK_SEQPACKET => Some(Self::SeqPacket),
            _ => None,
        }
    }

    fn socket_type(self) -> SockType {
        match self {
            Self::Stream => SockType::Stream,
            Self::Datagram => SockType::Datagram,
            Self::SeqPacket => SockType::SeqPacket,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => "stream",
            Self::Datagram => "datagram",
            Self::SeqPacket => "seqpacket",
        })
    }
}

/// A socket that is connected, or sends and receives datagrams. Dropping closes it.
///
/// All methods take `&self`: threads may send and receive on one socket at once.
///
/// [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html), [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
#[doc(alias = "socket")]
pub struct Socket {
    fd: OwnedFd,
    kind: Kind,
    unix: bool,
    /// For errors: whom it was connected to, where it was bound.
    name: Option<Name>,
    file: Option<bind::File>,
}

impl Socket {
    /// Two sockets that are connected to each other. [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html)
    ///
    /// Errors: `EMFILE`, `ENFILE`.
    #[doc(alias = "socketpair")]
    pub fn pair(kind: Kind) -> Result<(Self, Self)> {
        Options::new().pair(kind)
    }

    /// A socket that is open already: inherited, received, or made by other means. The descriptor becomes close-on-exec.
    ///
    /// Errors: `ENOTSOCK`; `EOPNOTSUPP` for a family that is neither UNIX nor IP, and for raw sockets; `EINVAL` for one
    /// that listens, see [`Listener::from_fd`].
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        let fd = fd.into();
        let number = fd.as_raw_fd();
        let failed = |kind: ErrorKind| kind.during("from_fd", format_args!("fd {number}"));
        let (kind, unix, listens) = classify(fd.as_fd()).map_err(failed)?;
        if listens {
            return Err(failed(ErrorKind::invalid("it listens: it is for Listener::from_fd")));
        }
        crate::fd::close_on_exec(&fd).map_err(|errno| failed(errno.into()))?;
        Ok(Self::new(fd, kind, unix, None))
    }

    /// How, if not by default.
    pub fn options() -> Options {
        Options::new()
    }

    /// What it carries.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Is it a UNIX socket, so that descriptors and credentials can travel?
    pub fn is_unix(&self) -> bool {
        self.unix
    }

    fn new(fd: OwnedFd, kind: Kind, unix: bool, name: Option<Name>) -> Self {
        Self { fd, kind, unix, name, file: None }
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: impl Into<ErrorKind>) -> Error {
        let kind = kind.into();
        match &self.name {
            Some(name) => kind.during(operation, name),
            None => match self.peer_name().ok().flatten().or_else(|| self.local_name().ok()?) {
                Some(name) => kind.during(operation, name),
                None => {
                    kind.during(operation, format_args!("a {} socket without a name", self.kind))
                }
            },
        }
    }

    /// What only UNIX sockets have.
    fn check_unix(&self, operation: &'static str) -> Result<()> {
        if self.unix {
            return Ok(());
        }
        let why = "only UNIX sockets carry descriptors and credentials";
        Err(self.failed(operation, ErrorKind::unsupported(why)))
    }
}

impl Options {
    /// [`Socket::pair`] with these options: buffers and credentials.
    pub fn pair(&self, kind: Kind) -> Result<(Socket, Socket)> {
        let family = AddressFamily::Unix;
        let made = socketpair(family, kind.socket_type(), None, SockFlag::SOCK_CLOEXEC);
        let failed = |kind: ErrorKind| kind.during("pair", "socketpair");
        let (one, other) = made.map_err(|errno| failed(errno.into()))?;
        for end in [&one, &other] {
            self.apply(end.as_fd(), true).map_err(failed)?;
        }
        Ok((Socket::new(one, kind, true, None), Socket::new(other, kind, true, None)))
    }
}

/// Kind, whether it is a UNIX socket, and whether it listens.
fn classify(fd: BorrowedFd<'_>) -> Result<(Kind, bool, bool), ErrorKind> {
    let option = |name| sys::number_option(fd, libc::SOL_SOCKET, name);
    let unix = match option(libc::SO_DOMAIN)? {
        libc::AF_UNIX => true,
        libc::AF_INET | libc::AF_INET6 => false,
        family => {
            let why = format!("its family {family} is neither UNIX nor IP");
            return Err(ErrorKind::unsupported(why));
        }
    };
    let kind = Kind::of_type(option(libc::SO_TYPE)?)
        .ok_or_else(|| ErrorKind::unsupported("it is a raw socket"))?;
    Ok((kind, unix, option(libc::SO_ACCEPTCONN)? != 0))
}

impl AsFd for Socket {
    /// The descriptor, for polling. What is received past this handle is missing here.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// The descriptor, for other libraries. A file that was to be removed stays.
impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> Self {
        socket.fd
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("fd", &self.fd.as_raw_fd())
            .field("kind", &self.kind)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// As long as it takes: `read(2)`.
impl std::io::Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(self.recv(buffer, Timeout::Forever)?)
    }
}

impl std::io::Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (&*self).read(buffer)
    }
}

/// As long as it takes: `write(2)`, without SIGPIPE.
impl std::io::Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(self.send(bytes, Timeout::Forever)?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

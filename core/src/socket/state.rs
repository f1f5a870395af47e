// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a socket is like: its peer, its names, its queues; and ending one direction.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::sys::socket::shutdown;

use super::options::set_buffer;
use super::{Kind, Socket, address, bind, sys};
use crate::error::{ErrorKind, Result};
use crate::name::Name;

/// Who is at the other end, as the kernel says. Nobody can pretend to be another.
///
/// The pid may have been reused since the peer has ended; it is 0 for a process of a pid namespace that this one cannot
/// see.
#[doc(alias = "ucred")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The process.
    pub pid: i32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

impl From<libc::ucred> for Credentials {
    fn from(ucred: libc::ucred) -> Self {
        Self { pid: ucred.pid, uid: ucred.uid, gid: ucred.gid }
    }
}

/// Which direction of a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Receiving: what comes later is refused; the peer gets `EPIPE` on a UNIX socket.
    Receive,
    /// Sending: the peer receives what is under way, then the end.
    Send,
    /// Both.
    Both,
}

impl Socket {
    /// Ends one direction, or both, for all who share the socket. What is under way arrives.
    ///
    /// Errors: `ENOTCONN` without a peer.
    ///
    /// [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html)
    pub fn shutdown(&self, direction: Shutdown) -> Result<()> {
        let how = match direction {
            Shutdown::Receive => nix::sys::socket::Shutdown::Read,
            Shutdown::Send => nix::sys::socket::Shutdown::Write,
            Shutdown::Both => nix::sys::socket::Shutdown::Both,
        };
        shutdown(self.fd.as_raw_fd(), how).map_err(|errno| self.failed("shutdown", errno))
    }

    /// Who is at the other end of a UNIX stream or seqpacket: who connected, who listened, or who made the pair.
    ///
    /// Errors: `EOPNOTSUPP` for TCP, UDP, and datagrams without a fixed peer; of those each message can tell, see
    /// [`Options::pass_credentials`](super::Options::pass_credentials).
    #[doc(alias = "SO_PEERCRED")]
    pub fn peer_credentials(&self) -> Result<Credentials> {
        self.check_unix("peer_credentials")?;
        let credentials = sys::peer_credentials(self.as_fd())
            .map_err(|errno| self.failed("peer_credentials", errno))?;
        // What the kernel says of a peer that it does not know.
        if credentials.uid == u32::MAX {
            let why = "the kernel knows no peer; messages can tell, with pass_credentials";
            return Err(self.failed("peer_credentials", ErrorKind::unsupported(why)));
        }
        Ok(credentials.into())
    }

    /// Do messages bring their sender's credentials from now on? See
    /// [`Options::pass_credentials`](super::Options::pass_credentials).
    ///
    /// Errors: `EOPNOTSUPP` for TCP and UDP.
    pub fn pass_credentials(&self, pass: bool) -> Result<()> {
        self.check_unix("pass_credentials")?;
        let pass = i32::from(pass);
        sys::set_number_option(self.as_fd(), libc::SOL_SOCKET, libc::SO_PASSCRED, pass)
            .map_err(|errno| self.failed("pass_credentials", errno))
    }

    /// The peer's name; `None` when it has none or there is no peer.
    #[doc(alias = "getpeername")]
    pub fn peer_name(&self) -> Result<Option<Name>> {
        match sys::peer_address(self.as_fd()) {
            Ok(address) => Ok(address::name_of(&address, self.kind)),
            Err(Errno::ENOTCONN | Errno::EINVAL) => Ok(None),
            // Not by `failed`, which asks for the name.
            Err(errno) => Err(ErrorKind::from(errno).during("peer_name", "a socket")),
        }
    }

    /// This socket's own name, with the port that was free; `None` when it has none.
    #[doc(alias = "getsockname")]
    pub fn local_name(&self) -> Result<Option<Name>> {
        match sys::local_address(self.as_fd()) {
            Ok(address) => Ok(address::name_of(&address, self.kind)),
            Err(errno) => Err(ErrorKind::from(errno).during("local_name", "a socket")),
        }
    }

    /// How many bytes can be received now. Of messages: how long the next one is, see [`Socket::next_size`].
    #[doc(alias = "SIOCINQ")]
    #[doc(alias = "FIONREAD")]
    pub fn waiting(&self) -> Result<usize> {
        crate::sys::stream::waiting(self.as_fd()).map_err(|errno| self.failed("waiting", errno))
    }

    /// How much of what was sent the other side has not received (TCP: not acknowledged). UNIX sockets count the memory
    /// that it takes, which is more than its bytes.
    #[doc(alias = "SIOCOUTQ")]
    pub fn unsent(&self) -> Result<usize> {
        self.queue("unsent", sys::unsent(self.as_fd()))
    }

    fn queue(&self, operation: &'static str, bytes: nix::Result<i32>) -> Result<usize> {
        let bytes = bytes.map_err(|errno| self.failed(operation, errno))?;
        Ok(usize::try_from(bytes).unwrap_or_default())
    }

    /// How much memory what is sent and not received may take, in bytes.
    #[doc(alias = "SO_SNDBUF")]
    pub fn send_buffer(&self) -> Result<usize> {
        self.queue("send_buffer", self.socket_option(libc::SO_SNDBUF))
    }

    /// Asks for another size of the send buffer and returns what it is now: the kernel doubles the number, for its own
    /// needs, and cuts it at `net.core.wmem_max` without a word.
    pub fn set_send_buffer(&self, bytes: usize) -> Result<usize> {
        set_buffer(self.as_fd(), libc::SO_SNDBUF, bytes)
            .map_err(|kind| self.failed("set_send_buffer", kind))?;
        self.send_buffer()
    }

    /// How much memory what is received and not fetched may take, in bytes. For TCP and UDP; a UNIX socket counts what is
    /// sent alone.
    #[doc(alias = "SO_RCVBUF")]
    pub fn receive_buffer(&self) -> Result<usize> {
        self.queue("receive_buffer", self.socket_option(libc::SO_RCVBUF))
    }

    /// Asks for another size of the receive buffer and returns what it is now: doubled, and cut at `net.core.rmem_max`.
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize> {
        set_buffer(self.as_fd(), libc::SO_RCVBUF, bytes)
            .map_err(|kind| self.failed("set_receive_buffer", kind))?;
        self.receive_buffer()
    }

    fn socket_option(&self, option: i32) -> nix::Result<i32> {
        sys::number_option(self.as_fd(), libc::SOL_SOCKET, option)
    }

    /// Does TCP hold small pieces back to put them together? See [`Options::delay`](super::Options::delay).
    ///
    /// Errors: `EOPNOTSUPP` for all but TCP.
    #[doc(alias = "TCP_NODELAY")]
    pub fn delay(&self) -> Result<bool> {
        self.check_tcp("delay")?;
        sys::number_option(self.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY)
            .map(|at_once| at_once == 0)
            .map_err(|errno| self.failed("delay", errno))
    }

    /// Lets TCP hold small pieces back, or not.
    ///
    /// Errors: `EOPNOTSUPP` for all but TCP.
    pub fn set_delay(&self, delay: bool) -> Result<()> {
        self.check_tcp("set_delay")?;
        let at_once = i32::from(!delay);
        sys::set_number_option(self.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, at_once)
            .map_err(|errno| self.failed("set_delay", errno))
    }

    fn check_tcp(&self, operation: &'static str) -> Result<()> {
        if self.kind == Kind::Stream && !self.unix {
            return Ok(());
        }
        Err(self.failed(operation, ErrorKind::unsupported("only TCP holds pieces back")))
    }

    /// Removes the file of this very socket, of a datagram socket that was bound to a path.
    ///
    /// Errors: `ESTALE` when another has the name by now, `ENOENT` when it is gone, `EOPNOTSUPP` without a file.
    pub fn remove(&self) -> Result<()> {
        let nameless = || ErrorKind::unsupported("it has no file of its own");
        let removed = self.file.as_ref().ok_or_else(nameless).and_then(bind::File::remove);
        removed.map_err(|kind| self.failed("remove", kind))
    }
}

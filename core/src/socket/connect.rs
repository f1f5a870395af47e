// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connecting, with a limit in time.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::socket::{AddressFamily, SockFlag, socket};
use nix::unistd::geteuid;

use super::{Kind, Options, Socket, address, bind, sys};
use crate::error::{Error, ErrorKind, Result};
use crate::fd;
use crate::name::{Name, SocketName};
use crate::time::{Deadline, Timeout};
use sys::Address;

/// A connection that is being made. [`Connecting::finish`] waits for it, and can be called again after `EINTR`.
#[derive(Debug)]
pub struct Connecting {
    name: SocketName,
    kind: Kind,
    options: Options,
    /// Those that were not tried yet.
    addresses: VecDeque<Address>,
    /// The one that is being tried; its answer comes when it can be written to.
    current: Option<OwnedFd>,
    /// The file of the name that it has itself.
    file: Option<bind::File>,
}

impl Socket {
    /// Connects to `name`: to a listener; or, for datagrams, to the one peer with whom they are exchanged.
    ///
    /// A `tcp:` name of a host with several addresses tries one after the other. Finding the addresses of a host
    /// (getaddrinfo) is not bounded by the timeout; numeric addresses need no finding.
    ///
    /// Errors: `ECONNREFUSED` when nobody listens; `ENOENT` when there is no such file, `EACCES` when it may not be
    /// written to; `EPROTOTYPE` when the listener is of another kind; `EHOSTUNREACH` for a host that is not known;
    /// `ETIMEDOUT`, `EAGAIN` for a try that would have to wait (a listener whose queue is full); `EINTR`.
    ///
    /// [connect(2)](https://man7.org/linux/man-pages/man2/connect.2.html)
    #[doc(alias = "getaddrinfo")]
    pub fn connect(name: impl TryInto<Name, Error: Into<Error>>, timeout: Timeout) -> Result<Self> {
        Options::new().connect(name, timeout)
    }
}

impl Options {
    /// [`Socket::connect`] with these options.
    ///
    /// Errors: also `EPERM` when the server is somebody else's and [`Options::own_only`] was asked for.
    pub fn connect(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        timeout: Timeout,
    ) -> Result<Socket> {
        self.start(name)?.finish(timeout)
    }

    /// Prepares a connection without waiting for it, for whoever is interrupted by signals and goes on.
    ///
    /// Errors: `EINVAL` for a name of something else, `EHOSTUNREACH` for a host that is not known.
    pub fn start(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<Connecting> {
        let name = name.try_into().map_err(Into::into)?;
        let socket = address::socket_name(&name, "connect")?;
        let failed = |kind: ErrorKind| kind.during("connect", &name);
        let kind = self.kind_for(socket, Kind::Stream).map_err(failed)?;
        let unix = matches!(socket, SocketName::Path(_) | SocketName::Abstract(_));
        if self.own_only && (kind == Kind::Datagram || !unix) {
            let why = "only of the server of a UNIX stream or seqpacket the kernel knows the user";
            return Err(failed(ErrorKind::unsupported(why)));
        }
        if matches!(socket, SocketName::Abstract(name) if name.is_empty()) {
            return Err(failed(ErrorKind::invalid("unix:@ is for binding: it names no socket")));
        }
        let addresses = address::resolve(socket, "connect")?.into();
        let name = socket.clone();
        Ok(Connecting { name, kind, options: self.clone(), addresses, current: None, file: None })
    }
}

impl Connecting {
    /// Waits until the connection is there. After an error other than `EINTR` the next address, if there is one more, is
    /// tried by the next call.
    ///
    /// Errors: as [`Socket::connect`].
    pub fn finish(&mut self, timeout: Timeout) -> Result<Socket> {
        let fd = match self.name {
            SocketName::Tcp(_) => self.finish_tcp(timeout),
            SocketName::Udp(_) => self.plain(),
            _ if self.kind == Kind::Datagram => self.plain(),
            _ => self.finish_unix(timeout),
        };
        let name = Name::Socket(self.name.clone());
        let file = self.file.take();
        let connected = fd
            .map_err(|kind| address::advise(kind.during("connect", &name), &self.name))
            .map(|fd| Socket::new(fd, self.kind, self.is_unix(), Some(name)))
            .and_then(|connected| {
                if self.options.own_only {
                    check_owner(&connected)?;
                }
                Ok(connected)
            });
        match connected {
            Ok(mut connected) => {
                connected.file = file;
                Ok(connected)
            }
            Err(error) => {
                // What was bound for nothing.
                let _ = file.map(|file| file.remove());
                Err(error)
            }
        }
    }

    fn is_unix(&self) -> bool {
        matches!(self.name, SocketName::Path(_) | SocketName::Abstract(_))
    }

    /// A new socket for the next address.
    fn next(&mut self, flags: SockFlag) -> Result<(OwnedFd, Address), ErrorKind> {
        let target = self.addresses.pop_front().ok_or(Errno::EHOSTUNREACH)?;
        let fd = new_socket(&target, self.kind, flags)?;
        self.options.apply(fd.as_fd(), self.is_unix())?;
        match (&self.options.local, self.kind) {
            (Some(local), _) => {
                self.file = bind::to_local(fd.as_fd(), local, &target, &self.options)?;
            }
            // So that the peer can answer.
            (None, Kind::Datagram) if self.is_unix() => {
                sys::bind(fd.as_fd(), &Address::unix(b"")?)?;
            }
            (None, _) => {}
        }
        Ok((fd, target))
    }

    /// A connection that is there at once: datagrams only remember the address.
    fn plain(&mut self) -> Result<OwnedFd, ErrorKind> {
        let mut last = ErrorKind::Os(libc::EHOSTUNREACH);
        while !self.addresses.is_empty() {
            // The next address may be of the family of the local name, or of one that this machine has.
            let connected = self.next(SockFlag::empty()).and_then(|(fd, target)| {
                sys::connect(fd.as_fd(), &target)?;
                Ok(fd)
            });
            match connected {
                Ok(fd) => return Ok(fd),
                Err(kind) => last = kind,
            }
        }
        Err(last)
    }

    fn finish_tcp(&mut self, timeout: Timeout) -> Result<OwnedFd, ErrorKind> {
        let deadline = timeout.deadline();
        loop {
            let outcome = self.step_tcp(timeout, deadline);
            match outcome {
                Err(ErrorKind::Os(libc::EINTR)) => return outcome,
                // The next address may do.
                Err(_) if !self.addresses.is_empty() => self.current = None,
                other => return other,
            }
        }
    }

    /// Tries one address to its end.
    fn step_tcp(&mut self, timeout: Timeout, deadline: Deadline) -> Result<OwnedFd, ErrorKind> {
        if self.current.is_none() {
            let (fd, target) = self.next(SockFlag::SOCK_NONBLOCK)?;
            self.options.apply_tcp(fd.as_fd())?;
            match sys::connect(fd.as_fd(), &target) {
                Ok(()) | Err(Errno::EINPROGRESS) => self.current = Some(fd),
                Err(errno) => return Err(errno.into()),
            }
        }
        let Some(fd) = &self.current else {
            return Err(Errno::EHOSTUNREACH.into());
        };
        let ready = fd::wait(fd.as_fd(), PollFlags::POLLOUT, self.share(deadline))?;
        if ready.is_empty() {
            return Err(timeout.expired());
        }
        let failed = sys::number_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR)?;
        if failed != 0 {
            // The kernel tells it once; asked again, the socket would seem to be connected.
            self.current = None;
            return Err(ErrorKind::Os(failed));
        }
        blocking(fd)?;
        self.current.take().ok_or(ErrorKind::Os(libc::EHOSTUNREACH))
    }

    /// This address's share of the time: one that never answers must not take it all from the others.
    fn share(&self, deadline: Deadline) -> Deadline {
        match (deadline.remaining(), u32::try_from(self.addresses.len())) {
            (Timeout::After(left), Ok(others @ 1..)) => {
                Timeout::After(left / others.saturating_add(1)).deadline()
            }
            _ => deadline,
        }
    }

    /// A listener whose queue is full makes `connect` wait. A poll does not tell when there is room again, but the limit
    /// for sending holds for this wait too.
    fn finish_unix(&mut self, timeout: Timeout) -> Result<OwnedFd, ErrorKind> {
        let flags = match timeout {
            Timeout::TRY => SockFlag::SOCK_NONBLOCK,
            _ => SockFlag::empty(),
        };
        let (fd, target) = self.next(flags)?;
        let deadline = timeout.deadline();
        let connected = loop {
            if let (Timeout::After(left), true) = (deadline.remaining(), timeout != Timeout::TRY) {
                // Zero would be for ever.
                sys::set_send_timeout(fd.as_fd(), left.max(Duration::from_micros(1)))?;
            }
            match sys::connect(fd.as_fd(), &target) {
                Err(Errno::EAGAIN) if timeout == Timeout::TRY || deadline.has_passed() => {
                    break Err(timeout.expired());
                }
                Err(Errno::EAGAIN) => {}
                other => break other.map_err(ErrorKind::from),
            }
        };
        if connected.is_err() {
            // The next call tries again.
            self.addresses.push_front(target);
        }
        connected?;
        match timeout {
            Timeout::TRY => blocking(&fd)?,
            Timeout::After(_) => sys::set_send_timeout(fd.as_fd(), Duration::ZERO)?,
            Timeout::Forever => {}
        }
        Ok(fd)
    }
}

/// A socket of the family that the address has.
pub(super) fn new_socket(address: &Address, kind: Kind, flags: SockFlag) -> nix::Result<OwnedFd> {
    let family = match address.family() {
        libc::AF_INET => AddressFamily::Inet,
        libc::AF_INET6 => AddressFamily::Inet6,
        _ => AddressFamily::Unix,
    };
    socket(family, kind.socket_type(), flags | SockFlag::SOCK_CLOEXEC, None)
}

fn blocking(fd: &OwnedFd) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK)).map(drop)
}

/// The server must be of this user, or of root.
fn check_owner(connected: &Socket) -> Result<()> {
    let uid = connected.peer_credentials()?.uid;
    if uid == geteuid().as_raw() || uid == 0 {
        return Ok(());
    }
    let why = format!("its server runs as user {uid}");
    Err(connected.failed("connect", ErrorKind::Untrusted(why.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_does_not_fit_leaves_the_next_one_its_chance() {
        let server = Socket::bind("udp:127.0.0.1:0").unwrap();
        let local = server.local_name().unwrap().unwrap();
        let Name::Socket(SocketName::Udp(place)) = &local else { panic!("{local}") };
        // As a host has them that has both.
        let both = [format!("[::1]:{}", place.port()), format!("127.0.0.1:{}", place.port())];
        let options = Options::new().local("udp:127.0.0.1:0").unwrap();
        let mut connecting = options.start(&local).unwrap();
        connecting.addresses =
            both.iter().map(|text| Address::inet(text.parse().unwrap())).collect();
        let client = connecting.finish(Timeout::TRY).unwrap();
        assert_eq!(client.peer_name().unwrap(), Some(local));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where clients connect.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use nix::sys::socket::{Backlog, listen};

use super::{Kind, Options, Socket, address, bind, classify, sys};
use crate::error::{Error, ErrorKind, Result};
use crate::fd;
use crate::name::Name;
use crate::time::Timeout;

/// A socket that accepts connections. Dropping closes it; its file stays, unless [`Options::remove_on_drop`] was given.
///
/// Threads and processes may accept on one listener at once: each connection goes to one of them.
#[doc(alias = "listen")]
pub struct Listener {
    fd: OwnedFd,
    kind: Kind,
    unix: bool,
    name: Name,
    options: Options,
    file: Option<bind::File>,
}

impl Listener {
    /// Listens for streams at `name`; port 0 and `unix:@` take what is free, which [`Listener::local_name`] tells.
    ///
    /// The file of a path is made with mode 0600. One that a dead server has left is replaced, one of a living server
    /// never; they are told apart without disturbing the server.
    ///
    /// Errors: `EADDRINUSE` when a living socket has the name, `EEXIST` when something lies there that is no socket,
    /// `EPERM` for a dead socket of somebody else, `EACCES`, `ENOENT`, `ENOTDIR` for a directory in which nothing can be
    /// made, `EBUSY` when somebody keeps that directory locked, `EADDRNOTAVAIL` for an address of another machine,
    /// `EINVAL` for `udp:` and for names of other things.
    ///
    /// [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html), [listen(2)](https://man7.org/linux/man-pages/man2/listen.2.html)
    pub fn bind(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().listen(name)
    }

    /// A listening socket that is open already, inherited from a service manager for example. The descriptor becomes
    /// close-on-exec and, for all who share it, non-blocking.
    ///
    /// Errors: `ENOTSOCK`, `EOPNOTSUPP` for other families; `EINVAL` for a socket that does not listen.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        let fd = fd.into();
        let number = fd.as_raw_fd();
        let failed = |kind: ErrorKind| kind.during("from_fd", format_args!("fd {number}"));
        let (kind, unix, listens) = classify(fd.as_fd()).map_err(failed)?;
        if !listens {
            return Err(failed(ErrorKind::invalid(
                "it does not listen: it is for Socket::from_fd",
            )));
        }
        fd::close_on_exec(&fd)
            .and_then(|()| non_blocking(fd.as_fd()))
            .map_err(|errno| failed(errno.into()))?;
        let local = sys::local_address(fd.as_fd()).map_err(|errno| failed(errno.into()))?;
        let name = address::name_of(&local, kind)
            .ok_or_else(|| failed(ErrorKind::invalid("it has no name")))?;
        Ok(Self { fd, kind, unix, name, options: Options::new(), file: None })
    }

    /// How, if not by default: [`Options::listen`].
    pub fn options() -> Options {
        Options::new()
    }

    /// Waits for a client. It gets the options that the listener was made with.
    ///
    /// Errors: `ETIMEDOUT`, `EAGAIN` for a try when nobody waits, `EINTR`, `EMFILE` and `ENFILE`: the client then goes on
    /// waiting.
    ///
    /// [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html)
    #[doc(alias = "accept4")]
    pub fn accept(&self, timeout: Timeout) -> Result<Socket> {
        let fd = self.wait_for_client(timeout).map_err(|kind| self.failed("accept", kind))?;
        self.options.apply(fd.as_fd(), self.unix).map_err(|kind| self.failed("accept", kind))?;
        Ok(Socket::new(fd, self.kind, self.unix, None))
    }

    fn wait_for_client(&self, timeout: Timeout) -> Result<OwnedFd, ErrorKind> {
        let deadline = timeout.deadline();
        loop {
            match sys::accept(self.fd.as_fd()) {
                Err(Errno::EAGAIN) if timeout == Timeout::TRY => return Err(timeout.expired()),
                Err(Errno::EAGAIN) => {
                    // The client may be gone again, or another's, by the time it is accepted: then on.
                    if fd::wait(self.fd.as_fd(), PollFlags::POLLIN, deadline)?.is_empty() {
                        return Err(timeout.expired());
                    }
                }
                // It gave up before it was accepted.
                Err(Errno::ECONNABORTED | Errno::EPROTO) => {}
                other => return Ok(other?),
            }
        }
    }

    /// What its connections carry.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name that it was made with.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The name that it really has, with the port that was free. `None` cannot be for a listener.
    #[doc(alias = "getsockname")]
    pub fn local_name(&self) -> Result<Option<Name>> {
        let local = sys::local_address(self.fd.as_fd());
        let local = local.map_err(|errno| self.failed("local_name", errno.into()))?;
        Ok(address::name_of(&local, self.kind))
    }

    /// Removes this very listener's file. Nobody finds it any more, but those who are waiting can still be accepted.
    ///
    /// Errors: `ESTALE` when another has the name by now, `ENOENT` when it is gone, `EOPNOTSUPP` without a file.
    pub fn remove(&self) -> Result<()> {
        let nameless = || ErrorKind::unsupported("it has no file of its own");
        let removed = self.file.as_ref().ok_or_else(nameless).and_then(bind::File::remove);
        removed.map_err(|kind| self.failed("remove", kind))
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.name)
    }
}

impl Options {
    /// [`Listener::bind`] with these options.
    pub fn listen(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<Listener> {
        let name = name.try_into().map_err(Into::into)?;
        let kind = self.bound_kind(&name, "listen", Kind::Stream)?;
        if kind == Kind::Datagram {
            let why = "datagrams have no connections to accept: see Socket::bind";
            return Err(ErrorKind::invalid(why).during("listen", &name));
        }
        let connections = self.backlog.map_or(libc::SOMAXCONN, |connections| {
            i32::try_from(connections).unwrap_or(i32::MAX).min(libc::SOMAXCONN)
        });
        let (fd, unix, file) = self.bound(&name, kind, "listen", |fd| {
            // Accepting waits by polling, since somebody else may take the client in between.
            non_blocking(fd)?;
            listen(&fd, Backlog::new(connections)?)
        })?;
        Ok(Listener { fd, kind, unix, name, options: self.clone(), file })
    }
}

fn non_blocking(fd: BorrowedFd<'_>) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

impl AsFd for Listener {
    /// The descriptor, for polling: it can be read when a client waits.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("fd", &self.fd.as_raw_fd())
            .field("kind", &self.kind)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving bytes, with a limit in time.
//!
//! For ever on a blocking descriptor is the plain system call. Everything else asks first without waiting
//! (`MSG_DONTWAIT`), then polls: that works on any descriptor, whatever others have set on it.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockFlag, recv, send};

use super::{Kind, Socket, address, connect, sys};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::stream::{Limit, Stream, uninit};
use crate::sys::timer::timespec;
use crate::time::{Deadline, Timeout};
use sys::Address;

/// What to wait for before receiving: a peer that sends no more is an answer, too.
pub(super) const INPUT: i16 = libc::POLLIN | libc::POLLRDHUP;

/// What to wait for before sending.
pub(super) const OUTPUT: i16 = libc::POLLOUT;

/// The peer sends no more, or this side was told to receive no more.
pub(super) const ENDED: i16 = libc::POLLRDHUP | libc::POLLHUP;

/// What of `events` is there, or an error or the end; 0 when the time is over.
pub(super) fn wait(fd: BorrowedFd<'_>, events: i16, deadline: Deadline) -> nix::Result<i16> {
    let left = match deadline.remaining() {
        Timeout::Forever => None,
        Timeout::After(left) => Some(timespec(left)),
    };
    sys::poll(fd, events, left)
}

/// Makes `call`, which is given flags, until it does something or time is over. `None`: this side was told to receive no
/// more, so that nothing will come.
#[inline]
pub(super) fn until<T>(
    fd: BorrowedFd<'_>,
    events: i16,
    timeout: Timeout,
    mut call: impl FnMut(MsgFlags) -> nix::Result<T>,
) -> Result<Option<T>, ErrorKind> {
    match call(first(timeout)) {
        Ok(value) => Ok(Some(value)),
        Err(errno) => again(fd, events, timeout, errno, call),
    }
}

/// For ever the call itself waits.
#[inline]
fn first(timeout: Timeout) -> MsgFlags {
    match timeout {
        Timeout::Forever => MsgFlags::empty(),
        Timeout::After(_) => MsgFlags::MSG_DONTWAIT,
    }
}

/// What is left to do when the first call came to nothing.
#[cold]
fn again<T>(
    fd: BorrowedFd<'_>,
    events: i16,
    timeout: Timeout,
    errno: Errno,
    mut call: impl FnMut(MsgFlags) -> nix::Result<T>,
) -> Result<Option<T>, ErrorKind> {
    match errno {
        Errno::EAGAIN if timeout == Timeout::TRY => return Err(timeout.expired()),
        // Non-blocking, or with a limit of its own that others have set.
        Errno::EAGAIN => {}
        other => return Err(other.into()),
    }
    let deadline = timeout.deadline();
    loop {
        let ready = wait(fd, events, deadline)?;
        if ready == 0 {
            return Err(timeout.expired());
        }
        match call(MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN) if events == INPUT && ready & ENDED != 0 => return Ok(None),
            Err(Errno::EAGAIN) => {}
            other => return Ok(Some(other?)),
        }
    }
}

impl Socket {
    /// Sends the bytes and returns how many went: a message goes whole. Down a stream all go without a time limit, unless
    /// a signal comes; with one, what fits at once, at least one.
    ///
    /// A stream and sequenced packets wait while the peer does not receive; so do UNIX datagrams. UDP never does.
    ///
    /// Errors: `EPIPE` when the peer has gone or receives no more, never SIGPIPE; `EMSGSIZE` for a message that is too
    /// long for the kind or the send buffer; `ECONNREFUSED`, `ECONNRESET`; `ENOTCONN` and `EDESTADDRREQ` without a peer;
    /// `ETIMEDOUT`, `EAGAIN` for a try that would have to wait, `EINTR`: nothing was sent then.
    ///
    /// [send(2)](https://man7.org/linux/man-pages/man2/send.2.html)
    #[inline]
    pub fn send(&self, bytes: &[u8], timeout: Timeout) -> Result<usize> {
        let sent = until(self.as_fd(), OUTPUT, timeout, |flags| {
            send(self.fd.as_raw_fd(), bytes, flags | MsgFlags::MSG_NOSIGNAL)
        });
        match sent {
            Ok(sent) => Ok(sent.unwrap_or_default()),
            Err(kind) => Err(self.not_sent("send", kind, bytes)),
        }
    }

    #[cold]
    fn not_sent(&self, operation: &'static str, kind: ErrorKind, bytes: &[u8]) -> Error {
        self.advise_length(self.failed(operation, kind), bytes)
    }

    /// Sends all bytes.
    ///
    /// Errors: as [`Socket::send`]; on a stream [`ErrorKind::done`] tells how many bytes went before it.
    #[inline]
    pub fn send_all(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        if self.kind.keeps_boundaries() {
            return self.send(bytes, timeout).map(drop);
        }
        let sent = self.stream().write_all_within(bytes, &mut Limit::new(timeout));
        sent.map_err(|(cause, done)| {
            self.advise_length(self.failed("send_all", cause.after(done, bytes.len())), bytes)
        })
    }

    /// Receives one message, or what a stream has, up to the buffer's length.
    ///
    /// Returns how many bytes were received. On a stream or a seqpacket 0 is the end: the peer has closed or
    /// [shut down](Socket::shutdown). An empty message is 0 as well; [`Socket::recv_message`] tells them apart.
    ///
    /// Errors: `EMSGSIZE` for a message that is longer than the buffer, which is lost then; `ECONNRESET` when the peer
    /// closed with data unread; `ENOTCONN`; `ETIMEDOUT`, `EAGAIN` for a try when nothing is there, `EINTR`.
    /// Descriptors that ride along are closed by the kernel: [`Socket::recv_message`] takes them.
    ///
    /// [recv(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
    #[inline]
    pub fn recv(&self, buffer: &mut [u8], timeout: Timeout) -> Result<usize> {
        self.recv_uninit(uninit(buffer), timeout)
    }

    /// As [`Socket::recv`], into memory that need not hold values: the first bytes, as many as are returned, do then.
    ///
    /// Errors: as `recv`.
    #[inline]
    pub fn recv_uninit(&self, buffer: &mut [MaybeUninit<u8>], timeout: Timeout) -> Result<usize> {
        let room = buffer.len();
        let extra = self.truncation_flag();
        let got = until(self.as_fd(), INPUT, timeout, |flags| {
            sys::receive(self.as_fd(), buffer, flags | extra)
        });
        match got {
            Ok(Some(length)) if length <= room => Ok(length),
            Ok(Some(length)) => Err(self.does_not_fit("recv", length, room)),
            Ok(None) => Ok(0),
            Err(kind) => Err(self.failed("recv", kind)),
        }
    }

    /// Fills the buffer from a stream.
    ///
    /// Errors: `ENODATA` when the stream has ended, `EBADMSG` when it ended after some bytes; else as [`Socket::recv`],
    /// and [`ErrorKind::done`] tells how many bytes came before it. `EOPNOTSUPP` for messages, which come whole.
    #[doc(alias = "MSG_WAITALL")]
    #[inline]
    pub fn recv_exact(&self, buffer: &mut [u8], timeout: Timeout) -> Result<()> {
        self.recv_exact_uninit(uninit(buffer), timeout)
    }

    /// As [`Socket::recv_exact`], into memory that need not hold values: it does then, after an error the first
    /// [`ErrorKind::done`] bytes.
    ///
    /// Errors: as `recv_exact`.
    #[inline]
    pub fn recv_exact_uninit(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        timeout: Timeout,
    ) -> Result<()> {
        if self.kind.keeps_boundaries() {
            let why = "messages come whole: it is for streams";
            return Err(self.failed("recv_exact", ErrorKind::unsupported(why)));
        }
        let filled = self.stream().read_exact_within(buffer, &mut Limit::new(timeout));
        filled.map_err(|kind| self.failed("recv_exact", kind))
    }

    #[inline]
    fn stream(&self) -> Stream<BorrowedFd<'_>> {
        Stream::known(self.as_fd(), crate::stream::Kind::Socket)
    }

    /// Sends a datagram to `name`, whatever the socket is connected to.
    ///
    /// Errors: as [`Socket::send`]; `ENOENT` and `ECONNREFUSED` when nobody has the name, `EACCES` when its file may not
    /// be written to; `EPERM` when that socket is connected to another; `EINVAL` for a name of another family.
    #[doc(alias = "sendto")]
    pub fn send_to(&self, bytes: &[u8], name: &Name, timeout: Timeout) -> Result<usize> {
        let to = self.address_of(name, "send_to")?;
        let sent = self.until_room(&to, timeout, |flags| {
            sys::send_to(self.as_fd(), bytes, flags | MsgFlags::MSG_NOSIGNAL, &to)
        });
        sent.map_err(|kind| self.advise_target(kind.during("send_to", name), name, bytes))
    }

    /// Receives a datagram, and who sent it; `None` for a sender without a name.
    ///
    /// Errors: as [`Socket::recv`].
    #[doc(alias = "recvfrom")]
    pub fn recv_from(&self, buffer: &mut [u8], timeout: Timeout) -> Result<(usize, Option<Name>)> {
        let room = buffer.len();
        let extra = self.truncation_flag();
        let got = until(self.as_fd(), INPUT, timeout, |flags| {
            sys::receive_from(self.as_fd(), buffer, flags | extra)
        });
        let Some((length, from)) = got.map_err(|kind| self.failed("recv_from", kind))? else {
            return Ok((0, None));
        };
        self.check_fits("recv_from", length, room)?;
        Ok((length, address::name_of(&from, self.kind)))
    }

    /// How long the next message is, in bytes; on a stream, how many can be received at once. Waits for one, and leaves it
    /// where it is. 0: an empty message, or the end.
    ///
    /// Errors: `ETIMEDOUT`, `EAGAIN` for a try when nothing is there, `EINTR`.
    #[doc(alias = "MSG_PEEK")]
    pub fn next_size(&self, timeout: Timeout) -> Result<usize> {
        let peek = MsgFlags::MSG_PEEK;
        if self.kind.keeps_boundaries() {
            let size = until(self.as_fd(), INPUT, timeout, |flags| {
                recv(self.fd.as_raw_fd(), &mut [], flags | peek | MsgFlags::MSG_TRUNC)
            });
            return Ok(size.map_err(|kind| self.failed("next_size", kind))?.unwrap_or_default());
        }
        let mut byte = [0];
        let there = until(self.as_fd(), INPUT, timeout, |flags| {
            recv(self.fd.as_raw_fd(), &mut byte, flags | peek)
        });
        match there.map_err(|kind| self.failed("next_size", kind))? {
            None | Some(0) => Ok(0),
            Some(_) => self.waiting(),
        }
    }

    /// Makes the kernel tell a message's true length; on a stream the flag would mean something else.
    #[inline]
    pub(super) fn truncation_flag(&self) -> MsgFlags {
        if self.kind.keeps_boundaries() { MsgFlags::MSG_TRUNC } else { MsgFlags::empty() }
    }

    #[inline]
    pub(super) fn check_fits(
        &self,
        operation: &'static str,
        length: usize,
        room: usize,
    ) -> Result<()> {
        if length <= room { Ok(()) } else { Err(self.does_not_fit(operation, length, room)) }
    }

    #[cold]
    fn does_not_fit(&self, operation: &'static str, length: usize, room: usize) -> Error {
        let kind = ErrorKind::TooLong { length: length as u64, limit: room as u64 };
        self.failed(operation, kind).with_advice(
            "the message did not fit the buffer and is lost; next_size tells the size beforehand",
        )
    }

    pub(super) fn address_of(&self, name: &Name, operation: &'static str) -> Result<Address> {
        let socket = address::socket_name(name, operation)?;
        let own = sys::number_option(self.as_fd(), libc::SOL_SOCKET, libc::SO_DOMAIN)
            .map_err(|errno| self.failed(operation, errno))?;
        let addresses = address::resolve(socket, operation)?;
        addresses.into_iter().find(|address| address.family() == own).ok_or_else(|| {
            ErrorKind::invalid("the name is of another family than the socket")
                .during(operation, name)
        })
    }

    /// As [`until`] for sending to an address. A full queue of a UNIX socket that this one is not connected to does not
    /// show when this one is polled, so another is connected to it, which shows it.
    pub(super) fn until_room<T>(
        &self,
        to: &Address,
        timeout: Timeout,
        mut call: impl FnMut(MsgFlags) -> nix::Result<T>,
    ) -> Result<T, ErrorKind> {
        match call(first(timeout)) {
            Err(Errno::EAGAIN) if timeout != Timeout::TRY => {}
            Err(Errno::EAGAIN) => return Err(timeout.expired()),
            other => return Ok(other?),
        }
        let deadline = timeout.deadline();
        loop {
            if !self.room_comes(to, deadline)? {
                return Err(timeout.expired());
            }
            match call(MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Waits until there is room in the own buffer and in the receiver's queue; false when time is over.
    fn room_comes(&self, to: &Address, deadline: Deadline) -> Result<bool, ErrorKind> {
        if wait(self.as_fd(), OUTPUT, deadline)? == 0 {
            return Ok(false);
        }
        if !self.unix {
            return Ok(true);
        }
        let watch = connect::new_socket(to, Kind::Datagram, SockFlag::SOCK_NONBLOCK)?;
        match sys::connect(watch.as_fd(), to) {
            Ok(()) => Ok(wait(watch.as_fd(), OUTPUT, deadline)? != 0),
            // Sending again says what has happened to the receiver.
            Err(_) => Ok(true),
        }
    }

    #[cold]
    pub(super) fn advise_length(&self, error: Error, bytes: &[u8]) -> Error {
        match (error.errno(), self.unix) {
            (libc::EMSGSIZE, true) => {
                let buffer = self.send_buffer().unwrap_or_default();
                error.with_advice(format!(
                    "the message has {} bytes and the send buffer {buffer} (see set_send_buffer, net.core.wmem_max)",
                    bytes.len()
                ))
            }
            (libc::EMSGSIZE, false) => error.with_advice(format!(
                "the datagram has {} bytes, UDP carries at most 65507 (IPv4)",
                bytes.len()
            )),
            (libc::EPIPE, _) => error.with_advice("the peer has gone, or receives no more"),
            _ => error,
        }
    }

    pub(super) fn advise_target(&self, error: Error, name: &Name, bytes: &[u8]) -> Error {
        match name {
            Name::Socket(socket) if error.errno() != libc::EMSGSIZE => {
                address::advise(error, socket)
            }
            _ => self.advise_length(error, bytes),
        }
    }
}

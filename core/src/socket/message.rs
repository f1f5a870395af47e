// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages with what rides along: descriptors and credentials.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};

use super::transfer::{ENDED, INPUT, OUTPUT, until, wait};
use super::{Credentials, DESCRIPTORS_MAX, Expect, Kind, Socket, address, classify, sys};
use crate::error::{ErrorKind, Result};
use crate::name::Name;
use crate::time::Timeout;

/// What [`Socket::recv_message`] received.
#[derive(Debug)]
pub struct Received {
    /// How many bytes of the buffer were filled.
    pub length: usize,
    /// The peer has closed or sends no more; there is nothing else in this value then.
    pub ended: bool,
    /// The descriptors, all of them checked and close-on-exec.
    pub descriptors: Vec<OwnedFd>,
    /// Who sent it, as the kernel says; with [`Options::pass_credentials`](super::Options::pass_credentials) only.
    pub credentials: Option<Credentials>,
    /// The sender's name, of a datagram whose sender has one.
    pub sender: Option<Name>,
}

impl Socket {
    /// Sends the bytes together with descriptors: the receiver gets duplicates, which live when this process is gone.
    ///
    /// On a stream at least one byte must go with them. `to` is for datagrams; without it they go to the peer.
    ///
    /// Returns how many bytes were sent, as [`Socket::send`]; the descriptors go with the first.
    ///
    /// Errors: as [`Socket::send`]; `EINVAL` for more than [`DESCRIPTORS_MAX`] descriptors, or descriptors without a byte on
    /// a stream; `ETOOMANYREFS` when more are under way than `RLIMIT_NOFILE` allows; `EOPNOTSUPP` for TCP and UDP.
    ///
    /// [sendmsg(2)](https://man7.org/linux/man-pages/man2/sendmsg.2.html), `SCM_RIGHTS` in [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
    #[doc(alias = "SCM_RIGHTS")]
    #[doc(alias = "sendmsg")]
    pub fn send_message(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
        to: Option<&Name>,
        timeout: Timeout,
    ) -> Result<usize> {
        const OPERATION: &str = "send_message";
        if !descriptors.is_empty() {
            self.check_unix(OPERATION)?;
            check_count(descriptors.len()).map_err(|kind| self.failed(OPERATION, kind))?;
            if bytes.is_empty() && self.kind == Kind::Stream {
                let why = "on a stream descriptors need a byte to go with";
                return Err(self.failed(OPERATION, ErrorKind::invalid(why)));
            }
        }
        if let Some(name) = to {
            let address = self.address_of(name, OPERATION)?;
            let sent = self.until_room(&address, timeout, |flags| {
                let flags = flags | MsgFlags::MSG_NOSIGNAL;
                sys::send_message(self.as_fd(), bytes, descriptors, Some(&address), flags)
            });
            let failed =
                |kind: ErrorKind| self.advise_target(kind.during(OPERATION, name), name, bytes);
            return sent.map_err(failed);
        }
        let sent = until(self.as_fd(), OUTPUT, timeout, |flags| {
            let flags = flags | MsgFlags::MSG_NOSIGNAL;
            sys::send_message(self.as_fd(), bytes, descriptors, None, flags)
        });
        match sent {
            Ok(sent) => Ok(sent.unwrap_or_default()),
            Err(kind) => Err(self.advise_length(self.failed(OPERATION, kind), bytes)),
        }
    }

    /// Receives one message, or what a stream has, with what rides along.
    ///
    /// The descriptors must be as `expect` says. When they are not, or when the kernel could not deliver all of them,
    /// it is an error, and every one that came is closed.
    ///
    /// Errors: `EPERM` for descriptors that are not as expected; `EMFILE` when this process may not have so many; else as
    /// [`Socket::recv`]. The message is lost then.
    ///
    /// [recvmsg(2)](https://man7.org/linux/man-pages/man2/recvmsg.2.html)
    #[doc(alias = "recvmsg")]
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn recv_message(
        &self,
        buffer: &mut [u8],
        expect: &Expect,
        timeout: Timeout,
    ) -> Result<Received> {
        const OPERATION: &str = "recv_message";
        let room = buffer.len();
        let extra = self.truncation_flag();
        let got = until(self.as_fd(), INPUT, timeout, |flags| {
            sys::receive_message(self.as_fd(), buffer, expect.most(), flags | extra)
        });
        let Some(message) = got.map_err(|kind| self.failed(OPERATION, kind))? else {
            return Ok(Received::end());
        };
        if self.is_end(&message, room) {
            return Ok(Received::end());
        }
        expect.check(&message).map_err(|kind| self.failed(OPERATION, kind))?;
        self.check_fits(OPERATION, message.length, room)?;
        let sender = match self.kind {
            Kind::Datagram => address::name_of(&message.from, self.kind),
            _ => None,
        };
        Ok(Received {
            length: message.length,
            ended: false,
            descriptors: message.descriptors,
            credentials: message.credentials.map(Credentials::from),
            sender,
        })
    }

    /// Is it no message but the end? A message of 0 bytes looks the same on a seqpacket, unless it brings credentials.
    fn is_end(&self, message: &sys::Message, room: usize) -> bool {
        if message.length > 0 || message.credentials.is_some() || !message.descriptors.is_empty() {
            return false;
        }
        match self.kind {
            Kind::Stream => room > 0,
            Kind::Datagram => false,
            Kind::SeqPacket => self.has_ended(),
        }
    }

    /// After 0 bytes on a seqpacket: while the peer is there, or more messages are, it was an empty message.
    fn has_ended(&self) -> bool {
        let now = Timeout::TRY.deadline();
        let ready = wait(self.as_fd(), INPUT, now).unwrap_or(ENDED);
        if ready & ENDED == 0 {
            return false;
        }
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        !matches!(recv(self.fd.as_raw_fd(), &mut [], flags), Ok(1..))
    }
}

impl Received {
    fn end() -> Self {
        Self { length: 0, ended: true, descriptors: Vec::new(), credentials: None, sender: None }
    }
}

/// Sends descriptors, and nothing else, over a connected UNIX socket, however it was made.
///
/// One byte goes with them, their number modulo 256, as Python's `multiprocessing.reduction.sendfds` does.
///
/// Errors: `EINVAL` for none or more than [`DESCRIPTORS_MAX`]; `ENOTSOCK`, `EOPNOTSUPP` for something else than a UNIX
/// socket; else as [`Socket::send_message`].
///
/// ```
/// use std::os::fd::AsFd;
/// use unipc::socket::{self, DescriptorKind, Expect};
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
/// let memory = SharedMemory::create("memfd:frames", 4096)?;
/// memory.write_at(0, b"seen by both")?;
/// socket::send_descriptors(&one, &[memory.fd().unwrap()], Timeout::Forever)?;
/// drop((one, memory));
/// let wanted = Expect::exactly(1).kind(DescriptorKind::Memfd).size_at_least(4096);
/// let received = socket::recv_descriptors(&other, &wanted, Timeout::Forever)?;
/// let memory = SharedMemory::from_fd(received.into_iter().next().unwrap())?;
/// # Ok(()) }
/// ```
pub fn send_descriptors(
    socket: impl AsFd,
    descriptors: &[BorrowedFd<'_>],
    timeout: Timeout,
) -> Result<()> {
    let fd = socket.as_fd();
    let failed =
        |kind: ErrorKind| kind.during("send_descriptors", format_args!("fd {}", fd.as_raw_fd()));
    check_count(descriptors.len()).and_then(|()| unix_only(fd)).map_err(failed)?;
    if descriptors.is_empty() {
        return Err(failed(ErrorKind::invalid("there is no descriptor to send")));
    }
    let [number, ..] = descriptors.len().to_le_bytes();
    let sent = until(fd, OUTPUT, timeout, |flags| {
        let flags = flags | MsgFlags::MSG_NOSIGNAL;
        sys::send_message(fd, &[number], descriptors, None, flags)
    });
    sent.map(drop).map_err(failed)
}

/// Receives what [`send_descriptors`] or another program sent: descriptors with at most one byte. None: the peer has
/// closed.
///
/// Errors: `EPERM` for descriptors that are not as `expect` says, or are none; `EMFILE`; all that came are closed then.
/// `ENOTSOCK`, `EOPNOTSUPP` for something else than a UNIX socket; else as [`Socket::recv`].
pub fn recv_descriptors(
    socket: impl AsFd,
    expect: &Expect,
    timeout: Timeout,
) -> Result<Vec<OwnedFd>> {
    let fd = socket.as_fd();
    let failed =
        |kind: ErrorKind| kind.during("recv_descriptors", format_args!("fd {}", fd.as_raw_fd()));
    unix_only(fd).map_err(failed)?;
    let mut byte = [0];
    let got = until(fd, INPUT, timeout, |flags| {
        sys::receive_message(fd, &mut byte, expect.most(), flags)
    });
    let Some(message) = got.map_err(failed)? else {
        return Ok(Vec::new());
    };
    if message.length == 0 && message.descriptors.is_empty() {
        return Ok(Vec::new());
    }
    if message.descriptors.is_empty() && !message.flags.contains(MsgFlags::MSG_CTRUNC) {
        return Err(failed(ErrorKind::Untrusted("bytes came, but no descriptor".into())));
    }
    expect.check(&message).map_err(failed)?;
    if message.flags.contains(MsgFlags::MSG_TRUNC) {
        return Err(failed(ErrorKind::Os(libc::EMSGSIZE)).with_advice(
            "a longer message came with the descriptors: Socket::recv_message takes both",
        ));
    }
    Ok(message.descriptors)
}

fn check_count(descriptors: usize) -> Result<(), ErrorKind> {
    if descriptors > DESCRIPTORS_MAX {
        let why = format!("a message carries at most {DESCRIPTORS_MAX} descriptors (SCM_MAX_FD)");
        return Err(ErrorKind::InvalidArgument(why.into()));
    }
    Ok(())
}

fn unix_only(fd: BorrowedFd<'_>) -> Result<(), ErrorKind> {
    match classify(fd)? {
        (_, true, false) => Ok(()),
        (_, true, true) => Err(Errno::ENOTCONN.into()),
        (_, false, _) => {
            Err(ErrorKind::unsupported("only UNIX sockets carry descriptors and credentials"))
        }
    }
}

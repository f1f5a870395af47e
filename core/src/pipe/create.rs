// SPDX-License-Identifier: MIT OR Apache-2.0
//! Making pipes.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe2;

use super::{Duplex, End, Reader, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::stream::Kind;

const LIMIT: &str = "/proc/sys/fs/pipe-max-size";
const USER_LIMIT: &str = "/proc/sys/fs/pipe-user-pages-soft";

/// Makes a pipe: what is written into the second is read from the first.
///
/// Both are close-on-exec. Errors: `EMFILE`, `ENFILE`.
///
/// ```
/// use unipc::Timeout;
///
/// # fn main() -> unipc::Result<()> {
/// let (reader, writer) = unipc::pipe::pipe()?;
/// writer.write_all(b"hello", Timeout::Forever)?;
/// drop(writer);
/// let mut room = [0; 64];
/// assert_eq!(reader.read(&mut room, Timeout::Forever)?, 5);
/// assert_eq!(reader.read(&mut room, Timeout::Forever)?, 0, "the stream has ended");
/// # Ok(())
/// # }
/// ```
///
/// Man page: [`pipe(2)`](https://man7.org/linux/man-pages/man2/pipe.2.html).
#[doc(alias = "pipe2")]
pub fn pipe() -> Result<(Reader, Writer)> {
    Options::new().create()
}

/// How a pipe is made, where the defaults do not do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    packets: bool,
    capacity: Option<usize>,
}

impl Options {
    /// The defaults: a stream of bytes, the kernel's capacity.
    pub fn new() -> Self {
        Self::default()
    }

    /// Each write is a packet, and each read gives one, cut to its room: what does not fit is lost (`O_DIRECT`). A write
    /// of more than [`PIPE_BUF`](super::PIPE_BUF) bytes is several packets.
    #[doc(alias = "O_DIRECT")]
    #[must_use]
    pub fn packets(mut self, packets: bool) -> Self {
        self.packets = packets;
        self
    }

    /// How many bytes the pipe holds, see [`End::set_capacity`](super::End::set_capacity).
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = Some(bytes);
        self
    }

    /// Makes the pipe.
    ///
    /// Errors: `EMFILE`, `ENFILE`; for the capacity those of [`End::set_capacity`](super::End::set_capacity).
    pub fn create(&self) -> Result<(Reader, Writer)> {
        let mut flags = OFlag::O_CLOEXEC;
        flags.set(OFlag::O_DIRECT, self.packets);
        let (reader, writer) = pipe2(flags).map_err(|errno| refused("pipe", errno))?;
        let end = |fd| End::new(fd, Kind::Pipe, None);
        let (reader, writer) = (Reader::new(end(reader)), Writer::new(end(writer)));
        if let Some(bytes) = self.capacity {
            writer.set_capacity(bytes)?;
        }
        Ok((reader, writer))
    }
}

/// Makes two ends that both read and write: a pair of connected UNIX stream sockets.
///
/// Both are close-on-exec. Errors: `EMFILE`, `ENFILE`.
///
/// Man page: [`socketpair(2)`](https://man7.org/linux/man-pages/man2/socketpair.2.html).
#[doc(alias = "socketpair")]
pub fn duplex() -> Result<(Duplex, Duplex)> {
    let pair = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC);
    let (one, other) = pair.map_err(|errno| refused("duplex", errno))?;
    let end = |fd| Duplex::new(End::new(fd, Kind::Socket, None));
    Ok((end(one), end(other)))
}

/// The most that an ordinary user may ask for as a pipe's capacity, in bytes: `/proc/sys/fs/pipe-max-size`.
///
/// Errors: those of reading the file.
#[doc(alias = "pipe-max-size")]
pub fn capacity_limit() -> Result<usize> {
    let failed = |errno| ErrorKind::Os(errno).during("capacity_limit", LIMIT);
    let text = std::fs::read_to_string(LIMIT)
        .map_err(|error| failed(error.raw_os_error().unwrap_or(libc::EIO)))?;
    text.trim().parse().map_err(|_| failed(libc::EIO))
}

fn refused(operation: &'static str, errno: Errno) -> Error {
    let error = ErrorKind::from(errno).during(operation, "new");
    match errno {
        Errno::EMFILE => {
            error.with_advice("this process has all the descriptors that RLIMIT_NOFILE allows")
        }
        Errno::ENFILE => error.with_advice(
            "the system has all the open files that /proc/sys/fs/file-max allows, or this user's pipes have all the \
             pages of /proc/sys/fs/pipe-user-pages-hard",
        ),
        _ => error,
    }
}

/// Says which limit forbids a pipe of so many bytes.
pub(super) fn not_so_large(error: Error, bytes: usize) -> Error {
    match error.errno() {
        libc::EPERM => {}
        libc::EBUSY => {
            return error.with_advice(format!("more than {bytes} bytes wait to be read"));
        }
        _ => return error,
    }
    match capacity_limit() {
        Ok(limit) if bytes > limit => {
            error.with_advice(format!("pipe-max-size is {limit}: {LIMIT} is raised by root"))
        }
        _ => {
            let pages = std::fs::read_to_string(USER_LIMIT).unwrap_or_default();
            let pages = pages.trim();
            error.with_advice(format!(
                "this user's pipes have the {pages} pages that {USER_LIMIT} allows"
            ))
        }
    }
}

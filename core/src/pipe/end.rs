// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ends of pipes: reading and writing with time limits, capacity, handing them on.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{Shutdown, shutdown};
use nix::sys::stat::{Mode as FileMode, SFlag, fstat};

use super::PIPE_BUF;
use crate::error::{Error, ErrorKind, Result};
use crate::fd;
use crate::stream::{Kind, Limit, Stream, uninit};
use crate::time::Timeout;

/// One end of a pipe, of a FIFO or of a [`duplex`](super::duplex), which way it may be.
///
/// [`Reader`](super::Reader), [`Writer`](super::Writer) and [`Duplex`](super::Duplex) are ends that know their direction; all of this works on them.
///
/// Threads may use one end at once: each byte is read once, and writes of up to [`PIPE_BUF`] bytes stay together. The
/// descriptor is close-on-exec. A child of fork has the end too, and as long as it keeps a writing end open the readers
/// see no end of the stream: drop in each process what it does not use.
///
/// Dropping closes. Man pages: [`pipe(7)`](https://man7.org/linux/man-pages/man7/pipe.7.html),
/// [`fifo(7)`](https://man7.org/linux/man-pages/man7/fifo.7.html).
#[derive(Debug)]
pub struct End {
    stream: Stream,
    /// What the FIFO is called.
    name: Option<String>,
    /// A writer that keeps the stream from ending.
    keeper: OnceLock<OwnedFd>,
}

impl End {
    pub(super) fn new(fd: OwnedFd, kind: Kind, name: Option<String>) -> Self {
        Self { stream: Stream::known(fd, kind), name, keeper: OnceLock::new() }
    }

    /// Takes over a descriptor that was inherited or received: of a pipe, a FIFO or a stream socket. It becomes
    /// close-on-exec.
    ///
    /// Errors: `EOPNOTSUPP` for something else; those of `fstat(2)`.
    pub fn from_fd(fd: OwnedFd) -> Result<Self> {
        let failed =
            |kind: ErrorKind| kind.during("from_fd", format_args!("fd {}", fd.as_raw_fd()));
        let status = fstat(&fd).map_err(|errno| failed(errno.into()))?;
        let kind = match SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFIFO => Kind::Pipe,
            SFlag::S_IFSOCK => Kind::Socket,
            _ => return Err(failed(ErrorKind::unsupported("it is no pipe, FIFO or socket"))),
        };
        fd::close_on_exec(&fd).map_err(|errno| failed(errno.into()))?;
        Ok(Self::new(fd, kind, None))
    }

    /// Reads what is there, at most `room`: how many bytes; 0 when the stream has ended, that is when the last writing
    /// end was closed and all was read. Waits for the first byte.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EBADF` for an end that only writes.
    #[inline]
    pub fn read(&self, room: &mut [u8], timeout: Timeout) -> Result<usize> {
        self.read_uninit(uninit(room), timeout)
    }

    /// As [`End::read`], into memory that need not hold values: the first bytes, as many as are returned, do then.
    ///
    /// Errors: as `read`.
    #[inline]
    pub fn read_uninit(&self, room: &mut [MaybeUninit<u8>], timeout: Timeout) -> Result<usize> {
        self.stream.first_read(room, timeout).or_else(|failed| {
            let limit = &mut Limit::new(timeout);
            otherwise(
                || self.stream.read_again(failed, room, limit),
                |kind| self.failed("read", kind),
            )
        })
    }

    /// Reads if that needs no waiting: how many bytes, 0 at the end of the stream; `None` when nothing is there, or when it
    /// costs more to ask than to read, as with pipes. For callers that have something to do before they wait; with
    /// [`Timeout::TRY`] every end can be asked.
    ///
    /// Errors: `EBADF` for an end that only writes.
    pub fn read_now(&self, room: &mut [MaybeUninit<u8>]) -> Result<Option<usize>> {
        self.stream.read_now(room).map_err(|errno| self.failed("read", errno.into()))
    }

    /// Writes what fits if that needs no waiting; `None` when nothing fits, when that cannot be told without waiting, as
    /// with a FIFO that was opened by name, or when it costs more to ask than to write, as where SIGPIPE is allowed.
    ///
    /// Errors: `EPIPE`; `EBADF` for an end that only reads.
    pub fn write_now(&self, bytes: &[u8]) -> Result<Option<usize>> {
        self.stream.write_now(bytes).map_err(|errno| self.failed("write", errno.into()))
    }

    /// Fills `room`.
    ///
    /// Errors: `ENODATA` when the stream has ended, `EBADMSG` when it ended after some bytes; else as [`End::read`], and
    /// [`ErrorKind::done`] tells how many bytes were read before it.
    #[inline]
    pub fn read_exact(&self, room: &mut [u8], timeout: Timeout) -> Result<()> {
        let room = uninit(room);
        let first = self.stream.first_read(room, timeout);
        if first == Ok(room.len()) {
            return Ok(());
        }
        let limit = &mut Limit::new(timeout);
        otherwise(
            || self.stream.read_rest(first, room, limit),
            |kind| self.failed("read_exact", kind),
        )
    }

    /// Writes and returns how many bytes went, at least one. Up to [`PIPE_BUF`] bytes go into a pipe together or not at
    /// all. Without a time limit all go, unless a signal comes; with one, what fits at once.
    ///
    /// Errors: `EPIPE` when nobody can read any more (no SIGPIPE, see [`End::set_sigpipe`]); `EAGAIN`, `ETIMEDOUT`, `EINTR`:
    /// nothing was written; `EBADF` for an end that only reads.
    #[inline]
    pub fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<usize> {
        self.stream.first_write(bytes, timeout).or_else(|failed| {
            let limit = &mut Limit::new(timeout);
            otherwise(
                || self.stream.write_again(failed, bytes, limit),
                |kind| self.failed("write", kind),
            )
        })
    }

    /// Writes all bytes. Those of several writers may mix when there are more than [`PIPE_BUF`].
    ///
    /// Errors: as [`End::write`]; [`ErrorKind::done`] tells how many bytes went before it.
    #[inline]
    pub fn write_all(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        let first = self.stream.first_write(bytes, timeout);
        if first == Ok(bytes.len()) {
            return Ok(());
        }
        let limit = &mut Limit::new(timeout);
        otherwise(
            || self.stream.write_rest(first, [bytes, b""], limit),
            |(cause, done)| self.failed("write_all", cause.after(done, bytes.len())),
        )
    }

    /// Writes all bytes together: never mixed with those of other writers, and all or nothing.
    ///
    /// Errors: `EMSGSIZE` for more than [`PIPE_BUF`] bytes; `EOPNOTSUPP` for a socket, which promises no such thing; else
    /// as [`End::write`].
    #[inline]
    pub fn write_atomic(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        let failed = |kind| self.failed("write_atomic", kind);
        if bytes.len() > PIPE_BUF {
            let (length, limit) = (bytes.len() as u64, PIPE_BUF as u64);
            return Err(failed(ErrorKind::TooLong { length, limit })
                .with_advice("PIPE_BUF is the most that a pipe takes together"));
        }
        if self.stream.kind() == Kind::Socket {
            return Err(failed(ErrorKind::unsupported("a socket takes no bytes together")));
        }
        let mut limit = Limit::new(timeout);
        let written = self.stream.write_all_within(bytes, &mut limit);
        written.map_err(|(cause, done)| failed(cause.after(done, bytes.len())))
    }

    /// How many bytes wait to be read: `FIONREAD`.
    #[doc(alias = "FIONREAD")]
    pub fn waiting(&self) -> Result<usize> {
        self.stream.waiting().map_err(|errno| self.failed("waiting", errno.into()))
    }

    /// How many bytes the pipe holds at most, from either end: 65536 unless changed.
    ///
    /// Errors: `EBADF` for a [`Duplex`](super::Duplex), which is no pipe.
    #[doc(alias = "F_GETPIPE_SZ")]
    pub fn capacity(&self) -> Result<usize> {
        let size = fcntl(&self.stream, FcntlArg::F_GETPIPE_SZ);
        let size = size.map_err(|errno| self.failed("capacity", errno.into()))?;
        // The kernel counts from 0.
        Ok(usize::try_from(size).unwrap_or(0))
    }

    /// Lets the pipe hold `bytes`, and returns what it holds then: the next power of two, at least a page.
    ///
    /// Errors: `EPERM` above [`capacity_limit`](super::capacity_limit) without `CAP_SYS_RESOURCE`, or when this user's
    /// pipes have reached their soft limit; `EBUSY` when more bytes than that wait; `EBADF` for a [`Duplex`](super::Duplex).
    #[doc(alias = "F_SETPIPE_SZ")]
    pub fn set_capacity(&self, bytes: usize) -> Result<usize> {
        let failed = |errno| super::create::not_so_large(self.failed("set_capacity", errno), bytes);
        let asked = i32::try_from(bytes).map_err(|_| failed(Errno::EINVAL.into()))?;
        let size = fcntl(&self.stream, FcntlArg::F_SETPIPE_SZ(asked));
        Ok(usize::try_from(size.map_err(|errno| failed(errno.into()))?).unwrap_or(0))
    }

    /// Keeps the stream from ending: a writing end is held open beside this reading one, so that a read waits when all
    /// other writers have gone, for the next to come. Twice is as once; it lasts as long as this end.
    ///
    /// Errors: `ENXIO` for a [`Duplex`](super::Duplex); `ENOENT` without /proc.
    pub fn keep_open(&self) -> Result<()> {
        if self.keeper.get().is_some() {
            return Ok(());
        }
        // Through /proc it is this very pipe, whatever the FIFO's name means by now.
        let path = fd::proc_path(self.as_fd());
        let keeper = fd::open(&path, OFlag::O_WRONLY | OFlag::O_NONBLOCK, FileMode::empty())
            .map_err(|errno| self.failed("keep_open", errno.into()))?;
        // Another thread may have been faster; one keeper is enough.
        let _ = self.keeper.set(keeper);
        Ok(())
    }

    /// Ends what this end of a [`Duplex`](super::Duplex) writes; it can still read. The other end sees the end of the stream.
    ///
    /// Errors: `ENOTSOCK` for the end of a pipe: drop it instead.
    #[doc(alias = "shutdown")]
    pub fn finish_writing(&self) -> Result<()> {
        shutdown(self.as_raw_fd(), Shutdown::Write)
            .map_err(|errno| self.failed("finish_writing", errno.into()))
    }

    /// Lets programs that this process executes inherit the descriptor, or not (the default).
    #[doc(alias = "FD_CLOEXEC")]
    pub fn set_inheritable(&self, inheritable: bool) -> Result<()> {
        let flag = if inheritable { FdFlag::empty() } else { FdFlag::FD_CLOEXEC };
        fcntl(&self.stream, FcntlArg::F_SETFD(flag))
            .map(drop)
            .map_err(|errno| self.failed("set_inheritable", errno.into()))
    }

    /// Lets writes of this end without a time limit raise SIGPIPE, as `write(2)` does, or not (the default). No matter
    /// for a [`Duplex`](super::Duplex), which costs nothing and never raises it.
    ///
    /// Without readers there is `EPIPE` in either case. The default is safe whatever the process makes of the signal, but
    /// of a few bytes it takes 100 to 120 ns more in the kernel (a sixth of a write and a read). A program that ignores
    /// SIGPIPE for good, as those in Rust and Python do from their start, has the speed of `write(2)` and no signal with
    /// `true`; one that wants to end as `yes | head` does has that. It is of this handle, not of the descriptor; a clone
    /// begins with what it is cloned from. Threads: it holds for writes that begin after it.
    ///
    /// ```
    /// let (reader, writer) = unipc::pipe::pipe()?;
    /// writer.set_sigpipe(true); // Rust programs ignore the signal
    /// drop(reader);
    /// assert_eq!(writer.write(b"x", unipc::Timeout::Forever).unwrap_err().errno(), libc::EPIPE);
    /// # Ok::<(), unipc::Error>(())
    /// ```
    #[doc(alias = "SO_NOSIGPIPE")]
    pub fn set_sigpipe(&self, allowed: bool) {
        self.stream.set_sigpipe(allowed);
    }

    /// May writes of this end raise SIGPIPE? See [`End::set_sigpipe`].
    pub fn sigpipe(&self) -> bool {
        self.stream.sigpipe()
    }

    /// Another descriptor of the same end. The stream ends when both are closed.
    #[doc(alias = "dup")]
    pub fn try_clone(&self) -> Result<Self> {
        let copy = self.as_fd().try_clone_to_owned();
        let errno = |error: io::Error| error.raw_os_error().unwrap_or(libc::EBADF);
        let copy = copy.map_err(|error| self.failed("try_clone", ErrorKind::Os(errno(error))))?;
        let clone = Self::new(copy, self.stream.kind(), self.name.clone());
        clone.set_sigpipe(self.sigpipe());
        Ok(clone)
    }

    /// May it be read, and may it be written?
    pub fn access(&self) -> Result<(bool, bool)> {
        fd::access(&self.stream).map_err(|errno| self.failed("access", errno.into()))
    }

    /// `file:PATH` of a FIFO that was opened by name, else `pipe fd N`.
    pub fn name(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("pipe fd {}", self.as_raw_fd()),
        }
    }

    #[cold]
    pub(super) fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let broken = kind.errno() == libc::EPIPE;
        let error = kind.during(operation, self.name());
        if broken { error.with_advice("nobody has it open for reading any more") } else { error }
    }
}

/// What is done when a first attempt was not enough, out of the way of one that was.
#[cold]
#[inline(never)]
fn otherwise<R, E>(
    work: impl FnOnce() -> std::result::Result<R, E>,
    failed: impl FnOnce(E) -> Error,
) -> Result<R> {
    work().map_err(failed)
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsRawFd for End {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl From<End> for OwnedFd {
    fn from(end: End) -> Self {
        end.stream.into_fd()
    }
}

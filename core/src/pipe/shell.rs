// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program at the other end of one pipe: `popen(3)` and `pclose(3)`.

use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::Arc;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use super::process::Process;
use super::sink::{Program, Sink, Writing};
use super::source::{LINE_LIMIT, Source};
use super::spawn::Command;
use super::turn::IN_THE_MIDST;
use crate::error::{Error, ErrorKind, Result};
use crate::stream::{Kind, Limit, Stream};
use crate::time::Timeout;

/// How long an error waits for a program that has closed its pipe, so that it can tell how the program ended.
pub(super) const PATIENCE: Timeout = Timeout::After(std::time::Duration::from_millis(100));

/// A program whose output is read, or whose input is written.
///
/// [`Command::new`] is the argv form, in which no shell looks at the words; [`Command::shell`] is the line for
/// `sh -c` that `popen(3)` takes. The program runs beside this one. [`Shell::close`] waits for it and tells how it
/// ended, as `pclose(3)` does; `system(3)` is [`Command::spawn`] and [`Process::wait`].
///
/// Writing to a program that has ended, or has closed its input, is `EPIPE` and never a SIGPIPE; the error tells how the
/// program ended.
///
/// Lines are read into a buffer, so a `poll` of the descriptor may be silent while a line is there: read with
/// [`Timeout::TRY`] until `EAGAIN`, then poll.
///
/// Dropping closes the pipe and does not wait: a reader of the program's output that drops it early lets the program
/// run into EPIPE or SIGPIPE. No zombie remains. Threads: all functions may be called at once; each byte is read
/// once, and what one call writes stays together. fork: a child has the pipe, too; while it has a writing end open the
/// program sees no end of its input. The descriptor is close-on-exec.
///
/// ```
/// use unipc::Timeout;
/// use unipc::pipe::{Command, Shell};
///
/// let shell = Shell::reader(Command::shell("echo one; echo two; exit 3"))?;
/// assert_eq!(shell.read_line(Timeout::Forever)?.unwrap(), b"one");
/// assert_eq!(shell.read_line(Timeout::Forever)?.unwrap(), b"two");
/// assert_eq!(shell.read_line(Timeout::Forever)?, None);
/// assert_eq!(shell.close(Timeout::Forever)?.code(), Some(3));
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "popen")]
#[doc(alias = "pclose")]
#[derive(Debug)]
pub struct Shell {
    end: End,
    process: Arc<Process>,
}

#[derive(Debug)]
enum End {
    Reads(Source),
    Writes(Sink),
}

impl Shell {
    /// Starts a program and reads its standard output: `popen(COMMAND, "r")`.
    ///
    /// Errors: as [`Command::spawn`]; `EINVAL` when the command says itself what its standard output is.
    pub fn reader(command: Command) -> Result<Self> {
        check_free(&command, 1)?;
        let (ours, theirs) = new_pipe(&command)?;
        let process = Arc::new(command.stdout(theirs).spawn()?);
        Ok(Self { end: End::Reads(Source::new(known(ours), LINE_LIMIT, false)), process })
    }

    /// Starts a program and writes to its standard input: `popen(COMMAND, "w")`.
    ///
    /// Errors: as [`Command::spawn`]; `EINVAL` when the command says itself what its standard input is.
    pub fn writer(command: Command) -> Result<Self> {
        check_free(&command, 0)?;
        let (theirs, ours) = new_pipe(&command)?;
        let process = Arc::new(command.stdin(theirs).spawn()?);
        Ok(Self { end: End::Writes(Sink::new(known(ours), false)), process })
    }

    /// Reads what is there, at most `room`: how many bytes; 0 at the end. Waits for the first.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EBADF` when the shell writes, or was closed.
    pub fn read(&self, room: &mut [u8], timeout: Timeout) -> Result<usize> {
        let read = self.source().and_then(|source| source.read(room, &mut Limit::new(timeout)));
        read.map_err(|kind| self.failed("read", kind))
    }

    /// Reads the next line, without its newline; nothing at the end. A last line may have no newline.
    ///
    /// Errors: as [`Shell::read`]; `EMSGSIZE` for a line of more than 1 MiB, whose bytes stay for `read`. A time limit
    /// or signal in the middle of a line loses nothing.
    #[doc(alias = "fgets")]
    pub fn read_line(&self, timeout: Timeout) -> Result<Option<Vec<u8>>> {
        self.with_line(timeout, |line| Ok(line.to_vec()))
    }

    /// As [`Shell::read_line`], without a copy: what `take` refuses stays the next line.
    ///
    /// Errors: as `read_line`, and what `take` says.
    pub fn with_line<R>(
        &self,
        timeout: Timeout,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<Option<R>> {
        let line = self.source().and_then(|source| source.line(&mut Limit::new(timeout), take));
        line.map_err(|kind| self.failed("read_line", kind))
    }

    /// Writes all bytes.
    ///
    /// Errors: `EPIPE` when the program has ended or closed its input, with how it ended; `EAGAIN`, `ETIMEDOUT`, `EINTR`;
    /// `EBADF` when the shell reads, or was closed. [`ErrorKind::done`] tells how many bytes went before it.
    #[doc(alias = "fputs")]
    pub fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        self.begin(bytes).go_on(timeout)
    }

    /// Bytes to write; for callers who go on after a signal.
    pub fn begin<'a>(&'a self, bytes: &'a [u8]) -> Writing<'a> {
        Writing::new(self, bytes)
    }

    /// Closes the pipe: a program that reads sees the end of its input. A call that another thread is in goes on.
    pub fn end(&self) {
        match &self.end {
            End::Reads(source) => source.close(),
            End::Writes(sink) => sink.close(),
        }
    }

    /// Closes the pipe and waits for the program: how it ended. See [`Shell::close`] for the errors.
    pub fn wait(&self, timeout: Timeout) -> Result<ExitStatus> {
        self.end();
        self.process.wait(timeout)
    }

    /// Closes the pipe, waits for the program and tells how it ended: `pclose(3)`.
    ///
    /// Errors: those of [`Process::wait`]. The program goes on then, and no zombie remains.
    pub fn close(self, timeout: Timeout) -> Result<ExitStatus> {
        self.wait(timeout)
    }

    /// The program, to signal it or to wait for it.
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// The pipe's descriptor; `EBADF` when it was closed.
    #[doc(alias = "fileno")]
    pub fn fd(&self) -> Result<OpenFd> {
        let stream = match &self.end {
            End::Reads(source) => source.stream(),
            End::Writes(sink) => sink.stream(),
        };
        stream.map(OpenFd).map_err(|kind| self.failed("fd", kind))
    }

    fn source(&self) -> Result<&Source, ErrorKind> {
        match &self.end {
            End::Reads(source) => Ok(source),
            End::Writes(_) => Err(ErrorKind::Os(libc::EBADF)),
        }
    }

    fn sink(&self) -> Result<&Sink, ErrorKind> {
        match &self.end {
            End::Writes(sink) => Ok(sink),
            End::Reads(_) => Err(ErrorKind::Os(libc::EBADF)),
        }
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        explained(&self.process, operation, kind)
    }
}

impl Program for Shell {
    fn sink(&self) -> Result<&Sink, ErrorKind> {
        Self::sink(self)
    }

    fn source(&self) -> Option<&Source> {
        None
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        Self::failed(self, operation, kind)
    }
}

/// A descriptor that stays open as long as this value, even when another thread closes its owner.
#[derive(Debug, Clone)]
pub struct OpenFd(pub(super) Arc<Stream>);

impl std::os::fd::AsFd for OpenFd {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl std::os::fd::AsRawFd for OpenFd {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

/// Reads without a time limit, as [`std::io`] has it.
impl io::Read for &Shell {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Ok(Shell::read(self, room, Timeout::Forever)?)
    }
}

/// Writes without a time limit, as [`std::io`] has it.
impl io::Write for &Shell {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Shell::write(self, bytes, Timeout::Forever)?;
        Ok(bytes.len())
    }

    /// Nothing is kept back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error, with how the program ended where that is why.
pub(super) fn explained(process: &Process, operation: &'static str, kind: ErrorKind) -> Error {
    let errno = kind.errno();
    let error = kind.during(operation, process.label());
    match errno {
        libc::EPIPE => error.with_advice(process.fate(PATIENCE)),
        libc::EDEADLK => error.with_advice(IN_THE_MIDST),
        libc::ENOBUFS => error.with_advice(
            "the program has put out 64 MiB that nobody has read; read between the writes",
        ),
        _ => error,
    }
}

pub(super) fn check_free(command: &Command, number: i32) -> Result<()> {
    if !command.has(number) {
        return Ok(());
    }
    let what = if number == 0 { "standard input" } else { "standard output" };
    Err(ErrorKind::invalid(format!(
        "the {what} is the pipe to this process, so it cannot be something else"
    ))
    .during("spawn", command.label()))
}

/// A pipe: the end to read, and the end to write.
pub(super) fn new_pipe(command: &Command) -> Result<(OwnedFd, OwnedFd)> {
    pipe2(OFlag::O_CLOEXEC).map_err(|errno| ErrorKind::from(errno).during("pipe", command.label()))
}

pub(super) fn known(fd: OwnedFd) -> Arc<Stream> {
    Arc::new(Stream::known(fd, Kind::File))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pseudoterminals: a program that believes that it talks to a user.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};

use super::process::Process;
use super::shell::OpenFd;
use super::sink::{Program, Sink, Writing};
use super::source::{LINE_LIMIT, Source};
use super::spawn::Command;
use super::terminal::{self, Modes, WindowSize};
use super::turn::IN_THE_MIDST;
use crate::error::{Error, ErrorKind, Result};
use crate::stream::{Kind, Limit, Stream};
use crate::sys;
use crate::time::Timeout;

/// The character that ends the input of a terminal in canonical mode: Ctrl-D.
const END_OF_FILE: u8 = 4;

/// The master of a pseudoterminal, perhaps with a program on the other side.
///
/// What is written here the program reads as if it was typed, through the line discipline: it is echoed, lines can be
/// edited until their end, Ctrl-C (byte 3) is SIGINT, Ctrl-D (byte 4) the end of the input ([`Pty::end_of_file`]).
/// What the program puts out is read here, with `\r\n` for each newline. [`Pty::set_modes`] switches these things
/// off one by one.
///
/// When the last program has closed the other side, reading gives what is left and then the end (the kernel says EIO;
/// here it is 0 bytes), until somebody opens it again. Dropping, or [`Pty::hang_up`], hangs up: the programs of the
/// session get SIGHUP. No zombie remains.
///
/// A write that finds no room reads what comes meanwhile (an echo, for instance) and keeps it for the next read, up to
/// 64 MiB. Threads: all functions may be called at once; what one call writes stays together. fork: a child has the
/// master, too, and the other side hangs up when both have closed it. Descriptors are close-on-exec.
///
/// ```
/// use unipc::Timeout;
/// use unipc::pipe::{Command, Pty, WindowSize};
///
/// let pty = Pty::spawn(Command::new("tty"), WindowSize::default())?;
/// let said = pty.read_line(Timeout::Forever)?.unwrap();
/// assert_eq!(said, format!("{}\r", pty.name().display()).as_bytes());
/// assert!(pty.wait(Timeout::Forever)?.success());
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "posix_openpt")]
#[doc(alias = "openpty")]
#[doc(alias = "forkpty")]
#[derive(Debug)]
pub struct Pty {
    name: PathBuf,
    input: Sink,
    output: Source,
    process: Option<Arc<Process>>,
}

impl Pty {
    /// Opens a pseudoterminal with nobody on the other side yet. [`Pty::slave`] gives that.
    ///
    /// Errors: `ENOSPC` when all pseudoterminals are in use (`/proc/sys/kernel/pty/max`); `EMFILE`, `ENFILE`;
    /// `ENOENT` where `/dev/ptmx` or `/dev/pts` is missing.
    #[doc(alias = "ptsname")]
    pub fn open(size: WindowSize) -> Result<Self> {
        let (master, name) = open_master()?;
        sys::terminal::set_window_size(master.as_fd(), terminal::kernels(size))
            .map_err(|errno| ErrorKind::from(errno).during("set_window_size", name.display()))?;
        let stream = stream(master);
        Ok(Self {
            name,
            input: Sink::new(Arc::clone(&stream), true),
            output: Source::new(stream, LINE_LIMIT, true),
            process: None,
        })
    }

    /// Opens a pseudoterminal and starts a program on it, in a session of its own whose controlling terminal it
    /// is. Its standard input, output and error are the terminal, unless the command says otherwise.
    ///
    /// Errors: those of [`Pty::open`] and [`Command::spawn`]; `EINVAL` when the command says itself what its
    /// standard input is.
    #[doc(alias = "setsid")]
    #[doc(alias = "TIOCSCTTY")]
    pub fn spawn(command: Command, size: WindowSize) -> Result<Self> {
        super::shell::check_free(&command, 0)?;
        let mut pty = Self::open(size)?;
        let mut command = command.stdin(pty.slave()?).terminal();
        for number in [1, 2] {
            if !command.has(number) {
                command = command.same(number, 0);
            }
        }
        pty.process = Some(Arc::new(command.spawn()?));
        Ok(pty)
    }

    /// The other side's path: `/dev/pts/N`.
    #[doc(alias = "ptsname")]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The other side, a terminal to give to a program. While this process keeps it, no hang-up is seen here.
    ///
    /// Errors: `EMFILE`; `EBADF` after [`Pty::hang_up`].
    #[doc(alias = "TIOCGPTPEER")]
    pub fn slave(&self) -> Result<OwnedFd> {
        let master = self.fd()?;
        sys::terminal::peer(master.as_fd()).map_err(|errno| self.failed("slave", errno.into()))
    }

    /// Reads what is there, at most `room`: how many bytes; 0 when the other side has hung up. Waits for the first.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EBADF` after [`Pty::hang_up`].
    pub fn read(&self, room: &mut [u8], timeout: Timeout) -> Result<usize> {
        let read = self.output.read(room, &mut Limit::new(timeout));
        read.map_err(|kind| self.failed("read", kind))
    }

    /// Reads the next line, without its newline (but with the carriage return that a terminal puts before it); nothing
    /// when the other side has hung up. A last line may have no newline.
    ///
    /// Errors: as [`Pty::read`]; `EMSGSIZE` for a line of more than 1 MiB, whose bytes stay for `read`.
    pub fn read_line(&self, timeout: Timeout) -> Result<Option<Vec<u8>>> {
        self.with_line(timeout, |line| Ok(line.to_vec()))
    }

    /// As [`Pty::read_line`], without a copy: what `take` refuses stays the next line.
    ///
    /// Errors: as `read_line`, and what `take` says.
    pub fn with_line<R>(
        &self,
        timeout: Timeout,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<Option<R>> {
        let line = self.output.line(&mut Limit::new(timeout), take);
        line.map_err(|kind| self.failed("read_line", kind))
    }

    /// Writes all bytes, as if they were typed. In canonical mode the terminal keeps 4095 bytes of a line that has
    /// not ended, and drops the rest.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EBADF` after [`Pty::hang_up`]. That
    /// nobody holds the other side is no error: the kernel takes what is typed then, for the next who opens it.
    /// [`ErrorKind::done`] tells how many bytes went before it.
    pub fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        self.begin(bytes).go_on(timeout)
    }

    /// Bytes to write; for callers who go on after a signal.
    pub fn begin<'a>(&'a self, bytes: &'a [u8]) -> Writing<'a> {
        Writing::new(self, bytes)
    }

    /// Ends the input, as Ctrl-D does: in canonical mode a program that reads next at the beginning of a line
    /// gets 0 bytes. The terminal stays.
    ///
    /// Errors: as [`Pty::write`].
    #[doc(alias = "VEOF")]
    pub fn end_of_file(&self, timeout: Timeout) -> Result<()> {
        self.write(&[END_OF_FILE], timeout)
    }

    /// The size of the window.
    ///
    /// Errors: `EBADF` after [`Pty::hang_up`].
    #[doc(alias = "TIOCGWINSZ")]
    pub fn window_size(&self) -> Result<WindowSize> {
        terminal::window_size(self.fd()?)
    }

    /// Sets the size of the window. If it changes, the program in the foreground gets SIGWINCH.
    ///
    /// Errors: `EBADF` after [`Pty::hang_up`].
    #[doc(alias = "TIOCSWINSZ")]
    #[doc(alias = "SIGWINCH")]
    pub fn set_window_size(&self, size: WindowSize) -> Result<()> {
        terminal::set_window_size(self.fd()?, size)
    }

    /// What the line discipline does.
    ///
    /// Errors: `EBADF` after [`Pty::hang_up`].
    pub fn modes(&self) -> Result<Modes> {
        terminal::modes(self.fd()?)
    }

    /// Changes what the line discipline does.
    ///
    /// Errors: `EBADF` after [`Pty::hang_up`]; `EINTR`.
    pub fn set_modes(&self, modes: Modes) -> Result<()> {
        terminal::set_modes(self.fd()?, modes)
    }

    /// Hangs up: the programs of the session get SIGHUP, and the other side ends. Calls that other threads are in go on.
    pub fn hang_up(&self) {
        self.input.close();
        self.output.close();
    }

    /// Waits for the program: how it ended. What it puts out is not read meanwhile, so read to the end first.
    ///
    /// Errors: those of [`Process::wait`]; `ECHILD` when there is no program.
    pub fn wait(&self, timeout: Timeout) -> Result<ExitStatus> {
        match &self.process {
            Some(process) => process.wait(timeout),
            None => Err(self.failed("wait", ErrorKind::Os(libc::ECHILD))),
        }
    }

    /// Hangs up, waits for the program and tells how it ended.
    ///
    /// Errors: those of [`Pty::wait`]. The program goes on then, and no zombie remains.
    pub fn close(self, timeout: Timeout) -> Result<ExitStatus> {
        self.hang_up();
        self.wait(timeout)
    }

    /// The program on the other side, if one was started.
    pub fn process(&self) -> Option<&Arc<Process>> {
        self.process.as_ref()
    }

    /// The master's descriptor, to poll it; it does not block. See [`Pty::has_buffered`].
    ///
    /// Errors: `EBADF` after [`Pty::hang_up`].
    pub fn fd(&self) -> Result<OpenFd> {
        self.output.stream().map(OpenFd).map_err(|kind| self.failed("fd", kind))
    }

    /// Was something read already that no poll of the descriptor shows? Perhaps a part of a line.
    pub fn has_buffered(&self) -> bool {
        self.output.has_buffered()
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let error = kind.during(operation, self.name.display());
        if error.errno() == libc::EDEADLK { error.with_advice(IN_THE_MIDST) } else { error }
    }
}

impl Program for Pty {
    fn sink(&self) -> Result<&Sink, ErrorKind> {
        Ok(&self.input)
    }

    fn source(&self) -> Option<&Source> {
        Some(&self.output)
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        Self::failed(self, operation, kind)
    }
}

/// A new master and the path of its slave. Nobody else has the open file, so that it need not block.
fn open_master() -> Result<(OwnedFd, PathBuf)> {
    let open = || -> nix::Result<(PtyMaster, String)> {
        let master =
            posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname_r(&master)?;
        Ok((master, name))
    };
    match open() {
        Ok((master, name)) => Ok((master.into(), name.into())),
        Err(errno) => {
            let error = ErrorKind::from(errno).during("posix_openpt", "/dev/ptmx");
            Err(match (errno as i32, std::fs::read_to_string("/proc/sys/kernel/pty/max")) {
                (libc::ENOSPC, Ok(most)) => {
                    error.with_advice(format!("kernel.pty.max is {}: all are in use", most.trim()))
                }
                _ => error,
            })
        }
    }
}

/// A master, and its slave in raw mode.
pub(super) fn raw_pair() -> Result<(OwnedFd, OwnedFd)> {
    let (master, name) = open_master()?;
    let slave = sys::terminal::peer(master.as_fd())
        .map_err(|errno| ErrorKind::from(errno).during("slave", name.display()))?;
    terminal::make_raw(&slave)?;
    Ok((master, slave))
}

/// A master as a stream.
pub(super) fn stream(master: OwnedFd) -> Arc<Stream> {
    Arc::new(Stream::known(master, Kind::File))
}

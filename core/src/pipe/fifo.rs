// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes that have a name in the file system, so that any two processes meet.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{FileStat, Mode as FileMode, fstat, lstat, stat};
use nix::unistd::unlink;

use super::{End, Reader, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::open::{Mode, publish};
use crate::stream::Kind;
use crate::time::Timeout;
use crate::{fd, interrupt};

/// How often open-or-create tries again when others create and unlink in between.
const ATTEMPTS: usize = 1000;

/// A FIFO by name, `file:PATH`. It opens nothing by itself; [`Fifo::reader`] and [`Fifo::writer`] do.
///
/// Opening waits for the other side: that is how two programs meet. The name stays until [`Fifo::unlink`]; the bytes
/// live in the kernel and are gone when nobody has the FIFO open any more.
///
/// ```
/// use unipc::Timeout;
/// use unipc::pipe::Fifo;
///
/// # fn main() -> unipc::Result<()> {
/// let name = format!("file:{}/doc-fifo-{}", std::env::temp_dir().display(), std::process::id());
/// let fifo = Fifo::create(name.as_str())?;
/// let reader = fifo.reader(Timeout::TRY)?; // without a writer
/// let writer = fifo.writer(Timeout::Forever)?; // the reader is there
/// writer.write_all(b"hello", Timeout::Forever)?;
/// let mut room = [0; 5];
/// reader.read_exact(&mut room, Timeout::Forever)?;
/// assert_eq!(&room, b"hello");
/// Fifo::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// Man page: [`fifo(7)`](https://man7.org/linux/man-pages/man7/fifo.7.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fifo {
    name: Name,
    path: PathBuf,
}

impl Fifo {
    /// Creates a FIFO for this user alone (mode 0600).
    ///
    /// Errors: as [`Fifo::create_with`].
    #[doc(alias = "mkfifo")]
    pub fn create<N>(name: N) -> Result<Self>
    where
        N: TryInto<Name>,
        Error: From<N::Error>,
    {
        Self::create_with(name, Mode::PRIVATE)
    }

    /// Creates a FIFO with exactly this mode, whatever the umask is. It is never visible with another one, nor does a
    /// symbolic link lead its creation elsewhere.
    ///
    /// Errors: `EEXIST` when something has the name; `EACCES`, `ENAMETOOLONG`, `ENOENT`, `ENOSPC`, `ENOTDIR`, `EROFS`
    /// from the file system; `EOPNOTSUPP` for names that are no files.
    ///
    /// Man page: [`mkfifo(3)`](https://man7.org/linux/man-pages/man3/mkfifo.3.html).
    pub fn create_with<N>(name: N, mode: Mode) -> Result<Self>
    where
        N: TryInto<Name>,
        Error: From<N::Error>,
    {
        let fifo = Self::at("create", name.try_into()?)?;
        fifo.make(mode).map_err(|errno| fifo.failed("create", errno.into()))?;
        Ok(fifo)
    }

    /// A FIFO that exists, whoever made it.
    ///
    /// Errors: `ENOENT`; `EMEDIUMTYPE` when something else has the name; `EACCES` on the way to it.
    pub fn open<N>(name: N) -> Result<Self>
    where
        N: TryInto<Name>,
        Error: From<N::Error>,
    {
        let fifo = Self::at("open", name.try_into()?)?;
        fifo.look().map_err(|kind| fifo.failed("open", kind))?;
        Ok(fifo)
    }

    /// Opens the FIFO if there is one, else creates it with exactly `mode`.
    ///
    /// Errors: as [`Fifo::open`] without `ENOENT`, and [`Fifo::create_with`] without `EEXIST`; `EBUSY` when others create
    /// and remove the name all the time.
    pub fn open_or_create<N>(name: N, mode: Mode) -> Result<Self>
    where
        N: TryInto<Name>,
        Error: From<N::Error>,
    {
        let fifo = Self::at("open_or_create", name.try_into()?)?;
        let failed = |kind| fifo.failed("open_or_create", kind);
        for _ in 0..ATTEMPTS {
            match fifo.look() {
                Err(ErrorKind::Os(libc::ENOENT)) => {}
                other => return other.map_err(failed).map(|()| fifo.clone()),
            }
            match fifo.make(mode) {
                Err(Errno::EEXIST) if fifo.path.is_symlink() && !fifo.path.exists() => {
                    return Err(failed(ErrorKind::NotFifo("a symbolic link that leads nowhere")));
                }
                Err(Errno::EEXIST) => {}
                other => return other.map_err(|errno| failed(errno.into())).map(|()| fifo.clone()),
            }
        }
        Err(failed(ErrorKind::Busy("others create and remove the name all the time".into())))
    }

    /// Opens the FIFO for reading. Waits until somebody has it open for writing, but [`Timeout::TRY`] does not: it
    /// succeeds at once, and a read waits for the first writer then. (`read(2)` would say that the stream has ended.)
    ///
    /// `open(2)` has no time limit, so a timer ends it. While it waits this process counts as a reader: a writer that
    /// opens the FIFO in the moment in which the time is over finds nobody, and its first write fails with `EPIPE`.
    ///
    /// Errors: `ETIMEDOUT`, `EINTR`; `ENOENT`, `EACCES`; `EMEDIUMTYPE` when the name is something else's now.
    pub fn reader(&self, timeout: Timeout) -> Result<Reader> {
        let opened = if timeout == Timeout::TRY {
            self.open_now(OFlag::O_RDONLY)
        } else {
            self.open_waiting(OFlag::O_RDONLY, timeout)
        };
        opened.map(Reader::new).map_err(|kind| self.failed("open for reading", kind))
    }

    /// Opens the FIFO for writing. Waits until somebody has it open for reading.
    ///
    /// Errors: `ENXIO` when nobody has and `timeout` is [`Timeout::TRY`]; `ETIMEDOUT`, `EINTR`; `ENOENT`, `EACCES`;
    /// `EMEDIUMTYPE` when the name is something else's now.
    pub fn writer(&self, timeout: Timeout) -> Result<Writer> {
        let opened = match self.open_now(OFlag::O_WRONLY) {
            Err(ErrorKind::Os(libc::ENXIO)) if timeout != Timeout::TRY => {
                self.open_waiting(OFlag::O_WRONLY, timeout)
            }
            other => other,
        };
        opened.map(Writer::new).map_err(|kind| self.failed("open for writing", kind))
    }

    /// Removes the name. Who has the FIFO open goes on using it.
    ///
    /// Errors: `ENOENT`, `EACCES`, `EPERM`, `EROFS`; `EMEDIUMTYPE` when something else has the name, which stays.
    pub fn unlink<N>(name: N) -> Result<()>
    where
        N: TryInto<Name>,
        Error: From<N::Error>,
    {
        let fifo = Self::at("unlink", name.try_into()?)?;
        let removed = lstat(&fifo.path).map_err(ErrorKind::from).and_then(|status| {
            check_fifo(&status)?;
            Ok(unlink(&fifo.path)?)
        });
        removed.map_err(|kind| fifo.failed("unlink", kind))
    }

    /// The name, `file:PATH`.
    pub fn name(&self) -> &Name {
        &self.name
    }

    fn at(operation: &'static str, name: Name) -> Result<Self> {
        let Name::File(path) = &name else {
            let kind = ErrorKind::unsupported("a FIFO is a file");
            return Err(kind.during(operation, &name).with_advice("its name is file:PATH"));
        };
        Ok(Self { path: path.clone(), name })
    }

    fn make(&self, mode: Mode) -> nix::Result<()> {
        publish::fifo(&self.path, mode)
    }

    /// Is it a FIFO? Links are followed, as by whoever opens it.
    fn look(&self) -> Result<(), ErrorKind> {
        check_fifo(&stat(&self.path)?)
    }

    /// Without waiting. What is opened is this call's own, so that its flags may be changed.
    fn open_now(&self, access: OFlag) -> Result<End, ErrorKind> {
        self.look()?;
        let file = fd::open(&self.path, access | FLAGS | OFlag::O_NONBLOCK, FileMode::empty())?;
        fcntl(&file, FcntlArg::F_SETFL(access))?;
        self.end(file)
    }

    fn open_waiting(&self, access: OFlag, timeout: Timeout) -> Result<End, ErrorKind> {
        self.look()?;
        let open = || nix::fcntl::open(&self.path, access | FLAGS, FileMode::empty());
        self.end(interrupt::until(timeout.deadline(), open)?)
    }

    /// What was opened, if it is still a FIFO: the name may have changed hands since it was looked at.
    fn end(&self, file: OwnedFd) -> Result<End, ErrorKind> {
        check_fifo(&fstat(&file)?)?;
        Ok(End::new(file, Kind::Pipe, Some(self.name.to_string())))
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let advice = match (&kind, operation) {
            (ErrorKind::Os(libc::EEXIST), _) => "the name is taken; open it, or use open_or_create",
            (ErrorKind::Os(libc::ENOENT), "create" | "open_or_create") => {
                "the directory does not exist"
            }
            (ErrorKind::Os(libc::ENOENT), "open" | "open for reading" | "open for writing") => {
                "create it first, here or with mkfifo(1)"
            }
            (ErrorKind::Os(libc::ENXIO), _) => {
                "nobody has it open for reading; wait with a timeout, or start the reader first"
            }
            (ErrorKind::TimedOut, "open for reading") => "nobody opened it for writing",
            (ErrorKind::TimedOut, "open for writing") => "nobody opened it for reading",
            _ => return kind.during(operation, &self.name),
        };
        kind.during(operation, &self.name).with_advice(advice)
    }
}

/// Close-on-exec always; a terminal planted under the name does not become ours.
const FLAGS: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_NOCTTY);

fn check_fifo(status: &FileStat) -> Result<(), ErrorKind> {
    use nix::sys::stat::SFlag;
    if SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFIFO {
        return Ok(());
    }
    Err(ErrorKind::NotFifo(match fd::check_regular(status) {
        Ok(()) => "a regular file",
        Err(ErrorKind::WrongType(what)) => what,
        Err(_) => "something else",
    }))
}

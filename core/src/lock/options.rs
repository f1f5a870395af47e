// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting at the file: by name, created or not, or by a descriptor.

use std::borrow::Cow;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, readlink};
use nix::sys::stat::{Mode as FileMode, SFlag, fstat};

use super::{FileLock, Kind};
use crate::error::{Error, ErrorKind, Result};
use crate::fd;
use crate::name::Name;
use crate::open::publish;
use crate::open::{Disposition, Mode};

/// How often open-or-create tries again when others create and unlink in between.
const ATTEMPTS: usize = 1000;

/// How to open a file for locking. Made by [`FileLock::options`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    kind: Kind,
    mode: Mode,
    read_only: bool,
}

impl Options {
    /// The kind of locks; [`Kind::Ofd`] unless said otherwise.
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// When creating: the permission bits, exact whatever the umask. 0600 unless said otherwise. Who is to take exclusive
    /// record locks must be allowed to write.
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Open for reading only: needs no write permission, and allows a directory (for `flock`), but no exclusive record
    /// lock. Not for creating.
    pub fn read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }

    /// Opens an existing file, `file:PATH`.
    ///
    /// Errors: `ENOENT`, `EACCES`; `EMEDIUMTYPE` for a symbolic link, a FIFO, a socket, a device, and, unless
    /// `read_only`, a directory; `EOPNOTSUPP` for names that are no files.
    pub fn open<N: TryInto<Name>>(&self, name: N) -> Result<FileLock>
    where
        Error: From<N::Error>,
    {
        self.get("open", name.try_into()?, Disposition::Open)
    }

    /// Creates the file, empty. It appears under its name with its mode already set.
    ///
    /// Errors: `EEXIST` when something has the name, a symbolic link included; `EACCES`, `ENOSPC`, `EROFS`.
    pub fn create<N: TryInto<Name>>(&self, name: N) -> Result<FileLock>
    where
        Error: From<N::Error>,
    {
        self.get("create", name.try_into()?, Disposition::Create)
    }

    /// Opens the file, or creates it when there is none; never truncates what is there.
    ///
    /// Errors: as [`Options::open`] and [`Options::create`].
    pub fn open_or_create<N: TryInto<Name>>(&self, name: N) -> Result<FileLock>
    where
        Error: From<N::Error>,
    {
        self.get("open_or_create", name.try_into()?, Disposition::OpenOrCreate)
    }

    /// Locks on whatever is open there. Its OFD locks and `flock` locks are those of all copies of the descriptor.
    ///
    /// With [`Kind::Posix`], closing the handle ends all locks that this process has on the file.
    ///
    /// Errors: `EBADF` for a descriptor that only names a path (`O_PATH`).
    pub fn from_fd(&self, fd: OwnedFd) -> Result<FileLock> {
        let name = name_of(&fd);
        match Self::check_received(&fd) {
            Ok(()) => Ok(FileLock { file: fd, kind: self.kind, name }),
            Err(kind) => Err(kind.during("from_fd", &name)),
        }
    }

    fn check_received(file: &OwnedFd) -> Result<(), ErrorKind> {
        fd::close_on_exec(file)?;
        if fd::access(file)? == (false, false) {
            return Err(Errno::EBADF.into());
        }
        Ok(())
    }

    fn get(
        &self,
        operation: &'static str,
        name: Name,
        disposition: Disposition,
    ) -> Result<FileLock> {
        match self.file(&name, disposition) {
            Ok(file) => Ok(FileLock { file, kind: self.kind, name }),
            Err(kind) => Err(advised(kind.during(operation, &name))),
        }
    }

    fn file(&self, name: &Name, disposition: Disposition) -> Result<OwnedFd, ErrorKind> {
        let Name::File(path) = name else {
            return Err(ErrorKind::unsupported("a lock is taken on a file, \"file:PATH\""));
        };
        if self.read_only && disposition != Disposition::Open {
            return Err(ErrorKind::invalid("a file that is created is open for writing"));
        }
        match disposition {
            Disposition::Open => self.existing(path),
            Disposition::Create => self.new_file(path),
            Disposition::OpenOrCreate => self.either(path),
        }
    }

    fn existing(&self, path: &Path) -> Result<OwnedFd, ErrorKind> {
        let access = if self.read_only { OFlag::O_RDONLY } else { OFlag::O_RDWR };
        // O_NONBLOCK: a FIFO that was planted under the name must not make us wait for its other end.
        let flags = access | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file =
            fd::open(path, flags, FileMode::empty()).map_err(|errno| refused(errno, path))?;
        let status = fstat(&file)?;
        let is_directory = status.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits();
        if !is_directory {
            fd::check_regular(&status)?;
        }
        Ok(file)
    }

    fn new_file(&self, path: &Path) -> Result<OwnedFd, ErrorKind> {
        if self.kind == Kind::Posix {
            // It must not be opened again: closing either descriptor would end what another thread has locked since the
            // file has its name.
            let (file, mut named) = publish::aside_named(path, self.mode)?;
            named.publish(&file, path)?;
            return Ok(file);
        }
        let (file, mut unnamed) = publish::aside(path, self.mode)?;
        unnamed.publish(&file, path)?;
        Ok(self.by_name(&file, path).unwrap_or(file))
    }

    /// The same file, opened by its name: what was made without a name keeps none in the kernel's eyes, so that
    /// `lslocks` would show it as deleted. `None` where the mode or somebody else does not let that happen.
    fn by_name(&self, file: &OwnedFd, path: &Path) -> Option<OwnedFd> {
        let again = self.existing(path).ok()?;
        let (ours, theirs) = (fstat(file).ok()?, fstat(&again).ok()?);
        ((ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)).then_some(again)
    }

    fn either(&self, path: &Path) -> Result<OwnedFd, ErrorKind> {
        for _ in 0..ATTEMPTS {
            match self.existing(path) {
                Err(ErrorKind::Os(libc::ENOENT)) => {}
                other => return other,
            }
            match self.new_file(path) {
                Err(ErrorKind::Os(libc::EEXIST)) => {}
                other => return other,
            }
        }
        Err(ErrorKind::Busy("others create and remove the name all the time".into()))
    }
}

/// What lies there instead of a file.
fn refused(errno: Errno, path: &Path) -> ErrorKind {
    match errno {
        Errno::EISDIR => ErrorKind::WrongType("a directory"),
        Errno::ENXIO => ErrorKind::WrongType("a FIFO or socket"),
        Errno::ELOOP if path.is_symlink() => ErrorKind::WrongType("a symbolic link"),
        other => other.into(),
    }
}

fn advised(error: Error) -> Error {
    let advice: Option<Cow<'static, str>> = match error.kind() {
        ErrorKind::Os(libc::ENOENT) if error.operation() == "open" => {
            Some("open_or_create makes it".into())
        }
        ErrorKind::Os(libc::EACCES | libc::EROFS) if error.operation() == "open" => Some(
            "read_only needs no write permission, and is enough for shared locks and for flock"
                .into(),
        ),
        ErrorKind::WrongType("a directory") => {
            Some("with read_only a directory can be locked by flock".into())
        }
        _ => None,
    };
    match advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// What the kernel calls the file behind a descriptor.
fn name_of(file: &OwnedFd) -> Name {
    let through_proc = fd::proc_path(file.as_fd());
    let path = readlink(&through_proc).unwrap_or_else(|_| through_proc.into_os_string());
    Name::File(path.into())
}

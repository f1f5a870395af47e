// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes a file aside, complete, and then gives it its name: nobody ever sees it half-made.
//!
//! The file has no name until it is ready (`O_TMPFILE`), so a creator that is killed leaves nothing.
//! A file system without `O_TMPFILE` gets a temporary name instead, which such a death can leave behind; so do FIFOs, and files
//! for POSIX locks, which must be opened but once.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::sys::stat::{FchmodatFlags, Mode as FileMode, fchmod, fchmodat, lstat};
use nix::unistd::{linkat, mkfifo, unlink};

use super::Mode;
use crate::{fd, sys};

/// A file that has no name yet, or only a temporary one, which goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Unnamed {
    temporary: Option<PathBuf>,
}

/// Makes an empty file with `mode` in the directory where `path` is to be.
pub(crate) fn aside(path: &Path, mode: Mode) -> nix::Result<(OwnedFd, Unnamed)> {
    complete(make_aside(path)?, mode)
}

/// As [`aside`], with a temporary name everywhere, so that the descriptor knows the file by its name in the end.
pub(crate) fn aside_named(path: &Path, mode: Mode) -> nix::Result<(OwnedFd, Unnamed)> {
    complete(make_temporary(directory_of(path))?, mode)
}

fn complete(
    (file, temporary): (OwnedFd, Option<PathBuf>),
    mode: Mode,
) -> nix::Result<(OwnedFd, Unnamed)> {
    let unnamed = Unnamed { temporary };
    fchmod(&file, FileMode::from_bits_truncate(mode.bits()))?;
    Ok((file, unnamed))
}

impl Unnamed {
    /// Gives the file its name, as the last step of its creation.
    ///
    /// Errors: `EEXIST` when something has the name, a symbolic link included.
    pub(crate) fn publish(&mut self, file: &OwnedFd, path: &Path) -> nix::Result<()> {
        if self.temporary.is_none() {
            return give_name(file, path);
        }
        self.publish_by_name(path)
    }

    /// Gives what has a temporary name its own.
    fn publish_by_name(&mut self, path: &Path) -> nix::Result<()> {
        let temporary = self.temporary.as_ref().ok_or(Errno::ENOENT)?;
        match sys::rename_to_new(temporary, path) {
            Ok(()) => {
                // Nothing has the temporary name any more, unless somebody else made it meanwhile.
                self.temporary = None;
                Ok(())
            }
            // Some file systems cannot rename without replacing; those know hard links.
            Err(Errno::EINVAL | Errno::ENOSYS) => {
                linkat(AT_FDCWD, temporary.as_path(), AT_FDCWD, path, AtFlags::empty())
            }
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Best effort: without it a stray hidden file stays, but no object.
            let _ = unlink(temporary);
        }
    }
}

/// Makes a FIFO with exactly `mode`: aside, and then it gets its name.
///
/// Errors: `EEXIST` when something has the name, a symbolic link included.
pub(crate) fn fifo(path: &Path, mode: Mode) -> nix::Result<()> {
    let bits = FileMode::from_bits_truncate(mode.bits());
    let ((), temporary) = temporary_name(directory_of(path), |name| mkfifo(name, bits))?;
    let mut unnamed = Unnamed { temporary: Some(temporary.clone()) };
    let given = FileMode::from_bits_truncate(lstat(&temporary)?.st_mode);
    if given != bits {
        // The umask has taken bits away. Only then is /proc needed, through which the C library does it.
        fchmodat(AT_FDCWD, &temporary, bits, FchmodatFlags::NoFollowSymlink)?;
    }
    unnamed.publish_by_name(path)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn make_aside(path: &Path) -> nix::Result<(OwnedFd, Option<PathBuf>)> {
    let directory = directory_of(path);
    match fd::open(directory, OFlag::O_TMPFILE | OFlag::O_RDWR, FileMode::S_IRUSR) {
        Ok(file) => Ok((file, None)),
        // EISDIR from a kernel, EOPNOTSUPP from a file system that does not know O_TMPFILE.
        Err(Errno::EOPNOTSUPP | Errno::EISDIR) => make_temporary(directory),
        Err(errno) => Err(errno),
    }
}

fn make_temporary(directory: &Path) -> nix::Result<(OwnedFd, Option<PathBuf>)> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let make = |path: &Path| fd::open(path, flags, FileMode::S_IRUSR);
    temporary_name(directory, make).map(|(file, path)| (file, Some(path)))
}

/// Makes something under a name that nobody else uses.
fn temporary_name<T>(
    directory: &Path,
    make: impl Fn(&Path) -> nix::Result<T>,
) -> nix::Result<(T, PathBuf)> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    loop {
        // SYNC: a counter alone; it orders nothing.
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".unipc-{}-{number}", std::process::id()));
        match make(&path) {
            Ok(new) => return Ok((new, path)),
            // Left behind by a process that had this pid and was killed.
            Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// `linkat` refuses a name that is taken, so publishing is also the test for it.
fn give_name(file: &OwnedFd, path: &Path) -> nix::Result<()> {
    match linkat(file, c"", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH) {
        // Kernels before 6.10 allow that only with CAP_DAC_READ_SEARCH. The way through /proc is open to all.
        Err(Errno::ENOENT) => {
            let through_proc = fd::proc_path(file.as_fd());
            linkat(AT_FDCWD, through_proc.as_path(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)
        }
        other => other,
    }
}

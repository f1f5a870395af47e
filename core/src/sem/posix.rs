// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX semaphores with a name: `sem_open("/demo")` of glibc is a `sem_t` in the file `/dev/shm/sem.demo`.
//!
//! The file is made here and not by `sem_open`, which takes the umask from the mode: it is filled aside and gets its name
//! when it is complete, with the exact mode, so that nobody ever sees half a semaphore.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode as FileMode, fstat, lstat};
use nix::unistd::unlink;

use super::{Kind, Options};
use crate::error::ErrorKind;
use crate::map::{Map, Placed, Plan, Region, Source};
use crate::name::{Name, POSIX_NAME_MAX, PosixName};
use crate::open::publish;
use crate::sys::sem::{Sem, VALUE_MAX};
use crate::time::Timeout;
use crate::{fd, interrupt, sys};

const DIRECTORY: &str = "/dev/shm";

/// What the C library puts before the name.
const PREFIX: &str = if cfg!(target_env = "musl") { "" } else { "sem." };

/// How often open-or-create and replace try again when others create and unlink in between.
const ATTEMPTS: usize = 1000;

const SIZE: usize = size_of::<libc::sem_t>();

/// Which file is open, whatever its name means by now.
pub(super) type Identity = (u64, u64);

/// A semaphore in its file.
struct Opened {
    semaphore: Placed<Sem>,
    identity: Identity,
}

impl From<Opened> for Kind {
    fn from(Opened { semaphore, identity }: Opened) -> Self {
        Self::Posix { semaphore, identity }
    }
}

/// The file of a semaphore. Errors: `ENAMETOOLONG`.
pub(super) fn path(name: &PosixName) -> Result<PathBuf, ErrorKind> {
    let name = name.file_name();
    if PREFIX.len() + name.len() > POSIX_NAME_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    let mut file = std::ffi::OsString::from(PREFIX);
    file.push(name);
    Ok(Path::new(DIRECTORY).join(file))
}

pub(super) fn check_value(value: u32) -> Result<(), ErrorKind> {
    if value > VALUE_MAX {
        return Err(ErrorKind::invalid(format!("SEM_VALUE_MAX is {VALUE_MAX}, the highest value")));
    }
    Ok(())
}

pub(super) fn create(
    options: &Options,
    name: &Name,
    path: &Path,
    value: u32,
) -> Result<Kind, ErrorKind> {
    check_value(value)?;
    let (file, mut unnamed) = publish::aside(path, options.mode)?;
    fd::reserve(&file, 0, SIZE as u64)?;
    fd::extend(&file, SIZE as u64)?;
    let (opened, file) = map(file, name)?;
    opened.semaphore.init(value)?;
    for _ in 0..ATTEMPTS {
        match unnamed.publish(&file, path) {
            Ok(()) => return Ok(opened.into()),
            Err(Errno::EEXIST) if options.replace => remove_regular(path)?,
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(contended())
}

/// Unlinks what has the name, if it is a file: nothing else is ours to remove.
fn remove_regular(path: &Path) -> Result<(), ErrorKind> {
    let unlinked = lstat(path).map_err(ErrorKind::from).and_then(|status| {
        fd::check_regular(&status)?;
        Ok(unlink(path)?)
    });
    match unlinked {
        Err(ErrorKind::Os(libc::ENOENT)) => Ok(()),
        other => other,
    }
}

pub(super) fn open(options: &Options, name: &Name, path: &Path) -> Result<Kind, ErrorKind> {
    // O_NONBLOCK: a FIFO that was planted under the name must not make us wait for its other end.
    let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = fd::open(path, flags, FileMode::empty()).map_err(|errno| match errno {
        Errno::EISDIR => ErrorKind::WrongType("a directory"),
        Errno::ENXIO => ErrorKind::WrongType("a FIFO or socket"),
        Errno::ELOOP => ErrorKind::WrongType("a symbolic link"),
        other => other.into(),
    })?;
    let status = fd::regular_file(&file)?;
    options.check_owner(status.st_uid)?;
    let size = status.st_size.cast_unsigned();
    if size < SIZE as u64 {
        let why = format!("the file has {size} bytes, a semaphore of this C library has {SIZE}");
        return Err(ErrorKind::Layout(why.into()));
    }
    map(file, name).map(|(opened, _)| opened.into())
}

pub(super) fn open_or_create(
    options: &Options,
    name: &Name,
    path: &Path,
    value: u32,
) -> Result<Kind, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match open(options, name, path) {
            Err(ErrorKind::Os(libc::ENOENT)) => {}
            other => return other,
        }
        match create(options, name, path, value) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove the name all the time".into())
}

/// Maps the semaphore, which does not need its descriptor any more.
fn map(file: OwnedFd, name: &Name) -> Result<(Opened, OwnedFd), ErrorKind> {
    let identity = identity(&fstat(&file)?);
    let plan = Plan {
        offset: 0,
        length: SIZE,
        writable: true,
        executable: false,
        private: false,
        guard_pages: false,
        slack: false,
        // The C library touches it, outside of every guard; see the documentation of `Semaphore`.
        can_shrink: false,
        page_size: sys::page_size(),
        placement: None,
    };
    let mut map = Map::new(Source::File(file), plan)?;
    let file = map.take_file().ok_or(Errno::EBADF)?;
    let semaphore = Region::of(Arc::new(map), 0, SIZE, name.clone())?.object()?;
    Ok((Opened { semaphore, identity }, file))
}

fn identity(status: &FileStat) -> Identity {
    (status.st_dev, status.st_ino)
}

/// Removes this very file.
pub(super) fn remove(path: &Path, ours: Identity) -> Result<(), ErrorKind> {
    if identity(&lstat(path)?) != ours {
        return Err(ErrorKind::Replaced);
    }
    Ok(unlink(path)?)
}

/// `sem_trywait`, `sem_wait` or `sem_clockwait`, whichever the limit asks for.
#[inline]
pub(super) fn wait(semaphore: &Sem, timeout: Timeout) -> Result<(), ErrorKind> {
    let Timeout::After(limit) = timeout else {
        return Ok(semaphore.wait()?);
    };
    match semaphore.try_wait() {
        Err(Errno::EAGAIN) if limit.is_zero() => Err(ErrorKind::WouldBlock),
        Err(Errno::EAGAIN) => wait_within(semaphore, limit),
        other => Ok(other?),
    }
}

fn wait_within(semaphore: &Sem, limit: Duration) -> Result<(), ErrorKind> {
    match semaphore.clock_wait(limit) {
        Some(Err(Errno::ETIMEDOUT)) => Err(ErrorKind::TimedOut),
        Some(other) => Ok(other?),
        None => wait_interrupted(semaphore, limit),
    }
}

/// Where the C library waits by the wall clock alone, which may be set: a monotonic timer ends the wait instead.
fn wait_interrupted(semaphore: &Sem, limit: Duration) -> Result<(), ErrorKind> {
    interrupt::until(Timeout::After(limit).deadline(), || semaphore.wait())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_without_sem_clockwait_ends_in_time_and_takes_what_is_there() {
        let name = Name::parse(format!("/unipc-sem-unit-{}", std::process::id())).expect("a name");
        let Name::Posix(file) = &name else { panic!("it is POSIX") };
        let path = path(file).expect("a short name");
        let kind = create(&Options::new(), &name, &path, 1).expect("nobody else has the name");
        let Kind::Posix { semaphore, .. } = kind else { panic!("it is POSIX") };
        unlink(&path).expect("ours");
        let limit = Duration::from_millis(20);
        wait_interrupted(&semaphore, limit).expect("it is free");
        let started = std::time::Instant::now();
        assert_eq!(wait_interrupted(&semaphore, limit), Err(ErrorKind::TimedOut));
        assert!(started.elapsed() >= limit);
        assert_eq!(semaphore.value(), Ok(0));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files, and POSIX objects, which on Linux are files in `/dev/shm`.

use std::borrow::Cow;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, readlink};
use nix::sys::mman::shm_open;
use nix::sys::stat::{FileStat, Mode as FileMode, lstat, stat};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use nix::unistd::{Whence, lseek, unlink};

use super::get::UNNAMED;
use super::options::Object;
use super::{Backing, Identity, Options, Seals, SharedMemory, posix};
use crate::error::{Error, ErrorKind};
use crate::map::Source;
use crate::name::Name;
use crate::open::Disposition;
use crate::open::publish::{self, Unnamed};
use crate::{fd, sys};

/// How often open-or-create tries again when others create and unlink in between.
const ATTEMPTS: usize = 1000;

/// No huge page is smaller.
const SMALLEST_HUGE_PAGE: u64 = if cfg!(target_arch = "x86_64") { 2 << 20 } else { 64 << 10 };

pub(super) fn get(
    options: &Options,
    name: &Name,
    disposition: Disposition,
) -> Result<SharedMemory, ErrorKind> {
    if disposition == Disposition::Open {
        return open(options, name);
    }
    let path = path_of(name).ok_or(Errno::EINVAL)?;
    match disposition {
        Disposition::Create if options.replace => replace(options, name, &path),
        Disposition::Create => create(options, name, &path),
        Disposition::Open | Disposition::OpenOrCreate => open_or_create(options, name, &path),
    }
}

/// Where the object of this name lies; `None` for names that are no files.
pub(super) fn path_of(name: &Name) -> Option<Cow<'_, Path>> {
    match name {
        Name::Posix(name) => Some(Cow::Owned(posix::path(name))),
        Name::File(path) => Some(Cow::Borrowed(path)),
        Name::SystemV(_) | Name::Memfd(_) | Name::Anonymous | Name::Socket(_) => None,
    }
}

fn open(options: &Options, name: &Name) -> Result<SharedMemory, ErrorKind> {
    let access = if options.read_only || options.private { OFlag::O_RDONLY } else { OFlag::O_RDWR };
    // O_NONBLOCK: a FIFO that was planted under the name must not make us wait for its other end.
    let flags = access | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let opened = match name {
        Name::Posix(name) => shm_open(name.file_name(), flags, FileMode::empty()),
        Name::File(path) => fd::open(path, flags, FileMode::empty()),
        _ => Err(Errno::EINVAL),
    };
    let file = opened.map_err(|errno| refused(errno, name))?;
    let object = match ordinary_size(&file, name, options) {
        Some(size) => Object::posix(file, size),
        None => object(file, name, options)?,
    };
    options.check_existing(object.size)?;
    let length = options.length(object.size, object.page_size)?;
    options.map(object, UNNAMED, length)
}

/// A new object, complete but for its name.
struct Fresh {
    shm: SharedMemory,
    unnamed: Unnamed,
    remover: Option<u32>,
}

/// Makes the object and maps it. After this nothing may fail but the naming itself, so that no name is left behind.
fn prepare(options: &Options, name: &Name, path: &Path) -> Result<Fresh, ErrorKind> {
    let size = options.size.unwrap_or(0) as u64;
    let (file, unnamed) = publish::aside(path, options.mode)?;
    fd::reserve(&file, 0, size)?;
    fd::extend(&file, size)?;
    let object = object(file, name, options)?;
    let length = options.length(object.size, object.page_size)?;
    let mut shm = options.map(object, name.clone(), length)?;
    if let Some(fill) = &options.fill {
        fill.apply(&shm)?;
    }
    let remover = shm.remover.take();
    Ok(Fresh { shm, unnamed, remover })
}

impl Fresh {
    fn publish(&mut self, path: &Path) -> nix::Result<()> {
        self.unnamed.publish(self.shm.map.file().ok_or(Errno::EBADF)?, path)
    }

    fn named(self) -> SharedMemory {
        let mut shm = self.shm;
        shm.remover = self.remover;
        shm
    }
}

fn create(options: &Options, name: &Name, path: &Path) -> Result<SharedMemory, ErrorKind> {
    let mut fresh = prepare(options, name, path)?;
    fresh.publish(path)?;
    Ok(fresh.named())
}

/// The old object goes only when the new one is ready to take its name.
fn replace(options: &Options, name: &Name, path: &Path) -> Result<SharedMemory, ErrorKind> {
    let mut fresh = prepare(options, name, path)?;
    for _ in 0..ATTEMPTS {
        match fresh.publish(path) {
            Ok(()) => return Ok(fresh.named()),
            Err(Errno::EEXIST) => remove_regular(path)?,
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(contended())
}

/// Unlinks a file, if there is one: a device or FIFO is not ours to remove.
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

fn open_or_create(options: &Options, name: &Name, path: &Path) -> Result<SharedMemory, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match open(options, name) {
            Err(ErrorKind::Os(libc::ENOENT)) => {}
            other => return other,
        }
        match create(options, name, path) {
            // Neither there nor free: it will not get better by trying again.
            Err(ErrorKind::Os(libc::EEXIST)) if path.is_symlink() && !path.exists() => {
                return Err(ErrorKind::WrongType("a symbolic link that leads nowhere"));
            }
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove the name all the time".into())
}

/// A directory under the name answers EISDIR to a writer; say the same as to a reader.
fn refused(errno: Errno, name: &Name) -> ErrorKind {
    let is = |kind: fn(&Path) -> bool| path_of(name).is_some_and(|path| kind(&path));
    match errno {
        Errno::EISDIR => ErrorKind::WrongType("a directory"),
        // So glibc's shm_open says it.
        Errno::EINVAL if is(Path::is_dir) => ErrorKind::WrongType("a directory"),
        Errno::ENXIO => ErrorKind::WrongType("a FIFO or socket"),
        Errno::ELOOP if is(Path::is_symlink) => ErrorKind::WrongType("a symbolic link"),
        other => other.into(),
    }
}

/// The size of an ordinary POSIX object, by a call that takes a third of the time of `fstat`. That one must be asked for
/// whatever this one does not tell. The position stays at the end, see [`SharedMemory::fd`].
fn ordinary_size(file: &OwnedFd, name: &Name, options: &Options) -> Option<u64> {
    if options.own_only || !matches!(name, Name::Posix(_)) {
        return None;
    }
    let size = lseek(file, 0, Whence::SeekEnd).ok()?;
    // A character device has size 0, and on hugetlbfs, should it be mounted there, all sizes are multiples of its pages.
    // A disk that root has put there passes: it is mapped, as `shm_open` and `mmap` would.
    let size = u64::try_from(size).ok()?;
    (!size.is_multiple_of(SMALLEST_HUGE_PAGE)).then_some(size)
}

fn object(file: OwnedFd, name: &Name, options: &Options) -> Result<Object, ErrorKind> {
    let status = fd::regular_file(&file)?;
    options.check_owner(status.st_uid)?;
    let backing = if matches!(name, Name::Posix(_)) { Backing::Posix } else { Backing::File };
    Ok(Object {
        page_size: page_size(&file, &status)?,
        source: Source::File(file),
        backing,
        identity: Identity::File,
        size: status.st_size.cast_unsigned(),
        can_shrink: true,
    })
}

/// Files on hugetlbfs consist of huge pages, all others of ordinary ones.
fn page_size(file: &OwnedFd, status: &FileStat) -> Result<usize, ErrorKind> {
    let ordinary = sys::page_size();
    // hugetlbfs gives its page as the block size; most file systems give an ordinary one and need not be asked.
    if usize::try_from(status.st_blksize).is_ok_and(|block| block <= ordinary) {
        return Ok(ordinary);
    }
    let system = fstatfs(file)?;
    if system.filesystem_type() == HUGETLBFS_MAGIC {
        return usize::try_from(system.block_size()).map_err(|_| Errno::EOVERFLOW.into());
    }
    Ok(ordinary)
}

/// Checks a descriptor that came from somewhere else.
pub(super) fn received(file: OwnedFd, name: &Name, options: &Options) -> Result<Object, ErrorKind> {
    fd::close_on_exec(&file)?;
    // First what it is: a directory, too, can only be opened for reading.
    fd::regular_file(&file)?;
    let (readable, writable) = fd::access(&file)?;
    let needs_write = !options.read_only && !options.private;
    if !readable || (needs_write && !writable) {
        return Err(ErrorKind::Os(libc::EACCES));
    }
    let seals = Seals::of(file.as_fd())?;
    if !seals.contains(options.require_seals) {
        let missing = options.require_seals - seals;
        return Err(ErrorKind::Untrusted(format!("it is not sealed against {missing:?}").into()));
    }
    let mut object = object(file, name, options)?;
    if matches!(name, Name::Memfd(_)) {
        object.backing = Backing::Memfd;
        object.identity = Identity::Nameless;
        object.can_shrink = !seals.contains(Seals::SHRINK);
    }
    Ok(object)
}

/// What the kernel calls the file behind a descriptor.
pub(crate) fn name_of(file: &OwnedFd) -> Name {
    let through_proc = fd::proc_path(file.as_fd());
    let path = readlink(&through_proc).unwrap_or_else(|_| through_proc.into_os_string());
    let bytes = path.as_bytes();
    let memfd = bytes
        .strip_prefix(b"/memfd:")
        .map(|label| label.strip_suffix(b" (deleted)").unwrap_or(label));
    if let Some(label) = memfd {
        return Name::Memfd(std::ffi::OsStr::from_bytes(label).to_owned());
    }
    posix::name_at(Path::new(&path)).unwrap_or_else(|| Name::File(path.into()))
}

/// The name must still lead to the object that is open.
pub(super) fn remove(shm: &SharedMemory) -> Result<(), Error> {
    let name = &shm.name;
    let path = path_of(name).unwrap_or_default();
    let file = shm.map.file().ok_or(Errno::EBADF);
    let same = file.and_then(|file| Ok((sys::fstat(file.as_fd())?, lstat(&*path)?)));
    let (opened, named) = same.map_err(|errno| ErrorKind::from(errno).during("remove", name))?;
    let is_opened =
        |status: &FileStat| (opened.st_dev, opened.st_ino) == (status.st_dev, status.st_ino);
    if !is_opened(&named) {
        if stat(&*path).is_ok_and(|reached| is_opened(&reached)) {
            return Err(ErrorKind::WrongType("a symbolic link")
                .during("remove", name)
                .with_advice("it leads to what is open here; unlink removes the link alone"));
        }
        return Err(ErrorKind::Replaced
            .during("remove", name)
            .with_advice("it was removed and made anew: what is open here has no name any more"));
    }
    unlink(&*path).map_err(|errno| ErrorKind::from(errno).during("remove", name))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors: always close-on-exec, checked before use, and given their memory for real.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, FdFlag, OFlag, fallocate, fcntl, posix_fallocate};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::{FileStat, Mode, SFlag};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::sys::time::TimeSpec;
use nix::unistd::ftruncate;

use crate::error::ErrorKind;
use crate::sys;
use crate::time::{Deadline, Timeout};

/// Memory is taken in steps of this many bytes, so that a storm of signals delays an allocation but cannot prevent it.
const RESERVE_STEP: u64 = 1 << 20;

/// Below this many bytes nobody asks how much memory is available: the question costs more than they do.
const WORTH_A_LOOK: u64 = 64 << 20;

/// `open(2)`, close-on-exec.
pub(crate) fn open(path: &Path, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
    loop {
        match nix::fcntl::open(path, flags | OFlag::O_CLOEXEC, mode) {
            // Opening a file waits for nobody, so an interruption says nothing to the caller.
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// The path under which the kernel shows a descriptor of this process.
pub(crate) fn proc_path(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// The file's status, if it is a regular file: a FIFO or device planted under the name is refused.
pub(crate) fn regular_file(fd: impl AsFd) -> Result<FileStat, ErrorKind> {
    let status = sys::fstat(fd.as_fd())?;
    check_regular(&status)?;
    Ok(status)
}

/// Says what it is if it is no regular file.
pub(crate) fn check_regular(status: &FileStat) -> Result<(), ErrorKind> {
    let what = match SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => return Ok(()),
        SFlag::S_IFLNK => "a symbolic link",
        SFlag::S_IFDIR => "a directory",
        SFlag::S_IFIFO => "a FIFO",
        SFlag::S_IFSOCK => "a socket",
        SFlag::S_IFCHR | SFlag::S_IFBLK => "a device",
        _ => "something that has no bytes to map",
    };
    Err(ErrorKind::WrongType(what))
}

/// Programs that this process executes shall not inherit it.
pub(crate) fn close_on_exec(fd: impl AsFd) -> nix::Result<()> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(drop)
}

/// Waits until one of `events` is there, or the deadline: what is there, nothing when the time is over.
/// Hang-up and error are always among what is waited for. `ppoll(2)`.
///
/// Errors: `EINTR`.
pub(crate) fn wait(
    fd: BorrowedFd<'_>,
    events: PollFlags,
    deadline: Deadline,
) -> nix::Result<PollFlags> {
    let left = match deadline.remaining() {
        Timeout::Forever => None,
        Timeout::After(left) => Some(TimeSpec::from(sys::timer::timespec(left))),
    };
    let mut polled = [PollFd::new(fd, events)];
    ppoll(&mut polled, left, None)?;
    // Bits that nix does not know mean that something happened, too.
    Ok(polled[0].revents().unwrap_or(PollFlags::POLLERR))
}

/// The size of the file in bytes.
pub(crate) fn size(fd: impl AsFd) -> nix::Result<u64> {
    // The kernel keeps sizes non-negative.
    sys::fstat(fd.as_fd()).map(|status| status.st_size.cast_unsigned())
}

/// May the descriptor be read and written, as it was opened?
pub(crate) fn access(fd: impl AsFd) -> nix::Result<(bool, bool)> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    if flags.contains(OFlag::O_PATH) {
        return Ok((false, false));
    }
    Ok(match flags & OFlag::O_ACCMODE {
        OFlag::O_RDWR => (true, true),
        OFlag::O_WRONLY => (false, true),
        _ => (true, false),
    })
}

/// Has somebody set `O_NONBLOCK` for all who have the open file?
pub(crate) fn is_nonblocking(fd: impl AsFd) -> nix::Result<bool> {
    Ok(OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?).contains(OFlag::O_NONBLOCK))
}

/// Takes the memory or disk for the bytes from `from` up to `size`, so that a full file system is `ENOSPC` here
/// and not SIGBUS at the first touch. The file keeps its size; [`extend`] changes it, at once.
/// True on a file system where it had to grow for that.
///
/// Errors: `ENOSPC`; `EFBIG` where `RLIMIT_FSIZE` forbids it (the kernel would send SIGXFSZ). Nothing is taken then.
pub(crate) fn reserve(fd: impl AsFd, from: u64, size: u64) -> Result<bool, ErrorKind> {
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    if size > limit {
        return Err(Errno::EFBIG.into());
    }
    check_room(fd.as_fd(), size - from.min(size))?;
    let mut at = from;
    while at < size {
        let step = RESERVE_STEP.min(size - at);
        let kept = FallocateFlags::FALLOC_FL_KEEP_SIZE;
        match fallocate(fd.as_fd(), kept, offset(at)?, offset(step)?) {
            Ok(()) => at += step,
            Err(Errno::EINTR) => {}
            Err(Errno::EOPNOTSUPP) => return write_zeros(fd.as_fd(), from, size).map(|()| true),
            Err(errno) => {
                give_back(fd);
                return Err(errno.into());
            }
        }
    }
    Ok(false)
}

/// For file systems that cannot allocate: the C library writes, and the file grows meanwhile.
fn write_zeros(fd: BorrowedFd<'_>, from: u64, size: u64) -> Result<(), ErrorKind> {
    Ok(posix_fallocate(fd, offset(from)?, offset(size - from)?).inspect_err(|_| {
        let _ = truncate(fd, from);
    })?)
}

/// Makes the file at least `size` bytes long, never shorter, whatever others do to it meanwhile.
pub(crate) fn extend(fd: impl AsFd, size: u64) -> Result<(), ErrorKind> {
    let Some(last) = size.checked_sub(1) else {
        return Ok(());
    };
    loop {
        match posix_fallocate(fd.as_fd(), offset(last)?, 1) {
            Err(Errno::EINTR) => {}
            other => return Ok(other?),
        }
    }
}

/// Frees what was taken behind the file's end; allowed even under a seal against shrinking.
pub(crate) fn give_back(fd: impl AsFd) {
    // Best effort: what stays taken goes with the file.
    let _ = size(fd.as_fd()).map_err(ErrorKind::from).and_then(|size| truncate(fd, size));
}

/// Refuses at once what cannot be had. Taking memory step by step until there is none would wake the OOM killer,
/// which ends somebody else.
fn check_room(fd: BorrowedFd<'_>, bytes: u64) -> nix::Result<()> {
    let system = fstatfs(fd)?;
    // A file system in user space may report anything.
    let block = u64::try_from(system.block_size()).unwrap_or(1).max(1);
    // A file system without a limit of its own, as that of memfds, reports no blocks at all.
    if system.blocks() > 0 && bytes / block > system.blocks_free() {
        return Err(Errno::ENOSPC);
    }
    let in_memory = system.filesystem_type() == TMPFS_MAGIC;
    if in_memory && bytes > WORTH_A_LOOK && bytes > sys::available_memory()? {
        return Err(Errno::ENOMEM);
    }
    Ok(())
}

/// `ftruncate(2)`, not interrupted.
pub(crate) fn truncate(fd: impl AsFd, size: u64) -> Result<(), ErrorKind> {
    loop {
        match ftruncate(fd.as_fd(), offset(size)?) {
            Err(Errno::EINTR) => {}
            other => return Ok(other?),
        }
    }
}

/// A size or position as the kernel takes it.
pub(crate) fn offset(bytes: u64) -> nix::Result<i64> {
    i64::try_from(bytes).map_err(|_| Errno::EOVERFLOW)
}

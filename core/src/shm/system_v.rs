// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V segments: getting them by key, and everything that `shmctl` can tell and do.
//!
//! [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html), [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html)

use nix::errno::Errno;

use super::get::UNNAMED;
use super::options::Object;
use super::{Backing, Identity, Options, SharedMemory};
use crate::error::{ErrorKind, Result};
use crate::map::Source;
use crate::name::{Name, SystemVName};
use crate::open::Disposition;
use crate::sys::shm::{SHM_DEST, SHM_LOCKED};
use crate::sysv::{Change, Key, Permissions};
use crate::{sys, sysv};

/// How often replacing tries again when others create in between.
const ATTEMPTS: usize = 1000;

/// A System V segment, by identifier. Holding one keeps nothing alive: it may be removed by anybody who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemV {
    id: i32,
}

/// What the kernel knows of a segment: every field of [`struct shmid_ds`](https://man7.org/linux/man-pages/man2/shmctl.2.html).
#[doc(alias = "shmid_ds")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The identifier.
    pub id: i32,
    /// Key, owner, creator, mode (`shm_perm`).
    pub permissions: Permissions,
    /// Size in bytes, as asked for (`shm_segsz`).
    pub size: usize,
    /// When it was last attached, in seconds since 1970; 0 for never (`shm_atime`).
    pub attach_time: i64,
    /// When it was last detached; 0 for never (`shm_dtime`).
    pub detach_time: i64,
    /// When it was created or last changed by `set` (`shm_ctime`).
    pub change_time: i64,
    /// Who created it (`shm_cpid`).
    pub creator_pid: i32,
    /// Who attached or detached last (`shm_lpid`).
    pub last_pid: i32,
    /// How many attachments there are (`shm_nattch`).
    pub attached: u64,
    /// Marked for removal: it goes with its last attachment, and its key is 0 already (`SHM_DEST`).
    pub removed: bool,
    /// Locked in memory (`SHM_LOCKED`).
    pub locked: bool,
}

impl SystemV {
    /// The segment with this identifier, unchecked.
    pub fn from_id(id: i32) -> Self {
        Self { id }
    }

    /// The identifier, unique until the segment is gone and for long after.
    pub fn id(self) -> i32 {
        self.id
    }

    /// `shmctl(IPC_STAT)`.
    ///
    /// Errors: `EINVAL` when there is no such segment, `EACCES` without read permission.
    #[doc(alias = "IPC_STAT")]
    pub fn stat(self) -> Result<Status> {
        let status = sys::shm::shmctl_stat(self.id).map_err(|errno| self.failed("stat", errno))?;
        Ok(Status::new(self.id, &status))
    }

    /// `shmctl(IPC_SET)`: a new owner, group or mode.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged, `EACCES` without read permission; `EINVAL` when
    /// there is no such segment, or for a mode beyond 0777.
    #[doc(alias = "IPC_SET")]
    pub fn set(self, change: Change) -> Result<()> {
        let failed = |errno| self.failed("set", errno);
        // An owner may change a segment that he may not read.
        let mut status = sys::shm::shmctl_status(self.id).map_err(failed)?;
        change.apply(&mut status.shm_perm)?;
        sys::shm::shmctl_set(self.id, &status).map_err(failed)
    }

    /// `shmctl(IPC_RMID)`: the key is free at once, the segment goes with its last attachment.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged; `EINVAL` when there is no such segment.
    #[doc(alias = "IPC_RMID")]
    pub fn remove(self) -> Result<()> {
        self.control(libc::IPC_RMID, "remove")
    }

    /// `shmctl(SHM_LOCK)`: no page of the segment is swapped out, whoever touches it.
    ///
    /// Errors: `EPERM` or `ENOMEM` beyond `RLIMIT_MEMLOCK`; `EINVAL` when there is no such segment.
    #[doc(alias = "SHM_LOCK")]
    pub fn lock(self) -> Result<()> {
        self.control(libc::SHM_LOCK, "lock")
    }

    /// `shmctl(SHM_UNLOCK)`.
    #[doc(alias = "SHM_UNLOCK")]
    pub fn unlock(self) -> Result<()> {
        self.control(libc::SHM_UNLOCK, "unlock")
    }

    /// All segments of this IPC namespace, those of other users too (`SHM_STAT_ANY`, Linux 4.17), as `ipcs -m` lists them.
    #[doc(alias = "ipcs")]
    #[doc(alias = "SHM_STAT_ANY")]
    pub fn list() -> Result<Vec<Status>> {
        let failed = |errno: Errno| ErrorKind::from(errno).during("list", "sysv:");
        let (last, _) = sys::shm::shmctl_usage().map_err(failed)?;
        let mut found = Vec::new();
        for slot in 0..=last {
            match sys::shm::shmctl_stat_any(slot) {
                Ok((id, status)) => found.push(Status::new(id, &status)),
                // An empty slot, or a segment that went away this moment.
                Err(Errno::EINVAL | Errno::EIDRM) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(found)
    }

    /// The bytes of all its ordinary pages; 0 if it cannot be asked.
    pub(super) fn whole(self) -> usize {
        sys::shm::shmctl_stat(self.id)
            .ok()
            .and_then(|status| status.shm_segsz.checked_next_multiple_of(sys::page_size()))
            .unwrap_or(0)
    }

    fn control(self, command: i32, operation: &'static str) -> Result<()> {
        sys::shm::shmctl_plain(self.id, command).map_err(|errno| self.failed(operation, errno))
    }

    fn failed(self, operation: &'static str, errno: Errno) -> crate::Error {
        let error = ErrorKind::from(errno).during(operation, Name::of_id(self.id));
        // EINVAL also means a user or mode that cannot be; then the segment is there.
        match sys::shm::shmctl_stat(self.id) {
            Err(Errno::EINVAL) => error.with_advice("no segment has this identifier"),
            _ => error,
        }
    }
}

impl Status {
    // The fields' widths differ between libcs; all of them fit.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn new(id: i32, status: &libc::shmid_ds) -> Self {
        let mode = u32::from(status.shm_perm.mode);
        Self {
            id,
            permissions: Permissions::new(&status.shm_perm),
            size: status.shm_segsz,
            attach_time: status.shm_atime as i64,
            detach_time: status.shm_dtime as i64,
            change_time: status.shm_ctime as i64,
            creator_pid: status.shm_cpid,
            last_pid: status.shm_lpid,
            attached: status.shm_nattch as u64,
            removed: mode & SHM_DEST != 0,
            locked: mode & SHM_LOCKED != 0,
        }
    }
}

pub(super) fn get(
    options: &Options,
    name: &Name,
    wanted: &SystemVName,
    disposition: Disposition,
) -> Result<SharedMemory, ErrorKind> {
    let key = match (wanted, disposition) {
        (SystemVName::Id(id), Disposition::Open) => return attach(options, *id),
        (SystemVName::Id(_), _) => {
            return Err(ErrorKind::invalid(
                "the kernel chooses identifiers: create by key, or sysv:private",
            ));
        }
        (SystemVName::Private, Disposition::Open) => {
            return Err(ErrorKind::invalid(
                "sysv:private is always a new segment: open it as sysv:id=NUMBER",
            ));
        }
        (SystemVName::Private, _) => return create(options, name, None),
        (SystemVName::Key(key), _) => *key,
        (SystemVName::Ftok { path, project }, _) => key_of(path, *project)?,
    };
    match disposition {
        Disposition::Open => open(options, key),
        Disposition::Create if options.replace => replace(options, name, key),
        Disposition::Create => create(options, name, Some(key)),
        Disposition::OpenOrCreate => open_or_create(options, name, key),
    }
}

fn key_of(path: &std::path::Path, project: u8) -> Result<Key, ErrorKind> {
    sysv::Key::ftok(path, project).map_err(|error| error.kind().clone())
}

fn find(key: Key) -> nix::Result<i32> {
    sys::shm::shmget(key.raw(), 0, 0)
}

fn create(options: &Options, name: &Name, key: Option<Key>) -> Result<SharedMemory, ErrorKind> {
    let size = options.size.unwrap_or(0);
    let huge = options.huge_page_size.map_or(0, |size| {
        libc::SHM_HUGETLB | (size.trailing_zeros().cast_signed() << libc::MAP_HUGE_SHIFT)
    });
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | huge | options.mode.bits().cast_signed();
    for _ in 0..ATTEMPTS {
        let id = sys::shm::shmget(key.map_or(libc::IPC_PRIVATE, Key::raw), size, flags)?;
        let name = if key.is_none() { Name::of_id(id) } else { name.clone() };
        let page_size = options.huge_page_size.unwrap_or_else(sys::page_size);
        match map(options, name, id, size, page_size) {
            Err(_) if is_gone(id) => {}
            other => {
                return other.inspect_err(|_| {
                    // Ours, new and of no use: nobody shall find it.
                    let _ = sys::shm::shmctl_plain(id, libc::IPC_RMID);
                });
            }
        }
    }
    Err(contended())
}

/// Was the segment removed between two calls? Then its key means another one by now, or none.
fn is_gone(id: i32) -> bool {
    match sys::shm::shmctl_stat(id) {
        Ok(status) => Status::new(id, &status).removed,
        Err(errno) => matches!(errno, Errno::EINVAL | Errno::EIDRM),
    }
}

/// Removes the segment that has this key now.
pub(super) fn unlink(key: Key) -> Result<(), ErrorKind> {
    for _ in 0..ATTEMPTS {
        match sys::shm::shmctl_plain(find(key)?, libc::IPC_RMID) {
            Err(Errno::EINVAL | Errno::EIDRM) => {}
            other => return Ok(other?),
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove segments with this key all the time".into())
}

fn replace(options: &Options, name: &Name, key: Key) -> Result<SharedMemory, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match unlink(key) {
            Ok(()) | Err(ErrorKind::Os(libc::ENOENT)) => {}
            Err(other) => return Err(other),
        }
        match create(options, name, Some(key)) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn open(options: &Options, key: Key) -> Result<SharedMemory, ErrorKind> {
    for _ in 0..ATTEMPTS {
        let sized = options.stated_end().map(|end| (end, sys::shm::shmget(key.raw(), end, 0)));
        let (id, attached) = match sized {
            // A key leads to no segment that is marked for removal, and the kernel has compared the sizes: nothing is
            // left to ask.
            Some((end, Ok(id))) => (id, map(options, UNNAMED, id, end, sys::page_size())),
            // It is smaller, or nothing was said: as large as it is, then.
            None | Some((_, Err(Errno::EINVAL))) => {
                let id = find(key)?;
                (id, attach(options, id))
            }
            Some((_, Err(errno))) => return Err(errno.into()),
        };
        match attached {
            Err(_) if is_gone(id) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn open_or_create(options: &Options, name: &Name, key: Key) -> Result<SharedMemory, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match find(key) {
            Ok(id) => match attach(options, id) {
                Err(_) if is_gone(id) => continue,
                other => return other,
            },
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        match create(options, name, Some(key)) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

/// Attaches a segment that exists, as large as it is. It is asked about now, though that takes a tenth of the time that attaching does:
/// later the identifier may mean another one, in another IPC namespace.
fn attach(options: &Options, id: i32) -> Result<SharedMemory, ErrorKind> {
    let status = Status::new(id, &sys::shm::shmctl_stat(id)?);
    if status.removed && !options.allow_removed {
        return Err(ErrorKind::Removed);
    }
    options.check_owner(status.permissions.uid)?;
    options.check_existing(status.size as u64)?;
    map(options, UNNAMED, id, status.size, sys::page_size())
}

fn map(
    options: &Options,
    name: Name,
    id: i32,
    size: usize,
    page_size: usize,
) -> Result<SharedMemory, ErrorKind> {
    let length = options.length(size as u64, page_size)?;
    let object = Object {
        source: Source::SystemV { id, size },
        backing: Backing::SystemV,
        identity: Identity::Segment(SystemV { id }),
        size: size as u64,
        page_size,
        can_shrink: false,
    };
    options.map(object, name, length)
}

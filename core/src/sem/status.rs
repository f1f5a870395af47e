// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel knows of System V sets: status, owner, each semaphore, all sets.

use nix::errno::Errno;

use super::SemaphoreSet;
use super::birth::UNFINISHED;
use crate::error::{ErrorKind, Result};
use crate::sys::semctl;
use crate::sysv::{Change, Permissions};

/// What the kernel knows of a set: every field of [`struct semid_ds`](https://man7.org/linux/man-pages/man2/semctl.2.html).
#[doc(alias = "semid_ds")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The identifier.
    pub id: i32,
    /// Key, owner, creator, mode (`sem_perm`).
    pub permissions: Permissions,
    /// How many semaphores it has (`sem_nsems`).
    pub count: u64,
    /// When it was last operated on, in seconds since 1970; 0 for never (`sem_otime`).
    pub operation_time: i64,
    /// When it was created or last changed by `set` or by setting values (`sem_ctime`).
    pub change_time: i64,
}

/// What the kernel knows of one semaphore of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Its value (`semval`, `GETVAL`).
    pub value: u16,
    /// Who changed it last; 0 for nobody, or a process of another PID namespace (`sempid`, `GETPID`).
    pub last_pid: i32,
    /// How many wait for the value to increase (`semncnt`, `GETNCNT`).
    pub waiting_increase: u32,
    /// How many wait for the value to become 0 (`semzcnt`, `GETZCNT`).
    pub waiting_zero: u32,
}

impl SemaphoreSet {
    /// `semctl(IPC_STAT)`.
    ///
    /// Errors: `EIDRM` when it was removed, `EACCES` without read permission.
    #[doc(alias = "IPC_STAT")]
    pub fn stat(&self) -> Result<Status> {
        let status =
            semctl::stat(self.id()).map_err(|errno| self.failed("stat", self.told(errno)))?;
        Ok(Status::new(self.id(), &status))
    }

    /// Value, last process and waiters of one semaphore: four calls, between which things may change.
    ///
    /// Errors: as [`SemaphoreSet::value`].
    pub fn info(&self, index: u16) -> Result<Info> {
        Ok(Info {
            value: self.value(index)?,
            last_pid: self.last_pid(index)?,
            waiting_increase: self.waiting_increase(index)?,
            waiting_zero: self.waiting_zero(index)?,
        })
    }

    /// `semctl(IPC_SET)`: a new owner, group or mode.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged; `EIDRM` when it was removed; `EINVAL` for a mode
    /// beyond 0777, and for 0611, which marks a set that is being made.
    #[doc(alias = "IPC_SET")]
    pub fn set(&self, change: Change) -> Result<()> {
        check_mode(change.mode).map_err(|kind| self.failed("set", kind))?;
        let failed = |errno| self.failed("set", self.told(errno));
        // An owner may change a set that he may not read.
        let mut status = semctl::look(self.id()).map_err(failed)?;
        change.apply(&mut status.sem_perm)?;
        semctl::set(self.id(), &status).map_err(failed)
    }

    /// `semctl(IPC_RMID)`: the set is gone at once. Who waits for it is told `EIDRM`, and who uses it later, too.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged; `EIDRM` when it is gone already.
    #[doc(alias = "IPC_RMID")]
    pub fn remove(&self) -> Result<()> {
        semctl::remove(self.id()).map_err(|errno| self.failed("remove", self.told(errno)))
    }

    /// All sets of this IPC namespace, those of other users too (`SEM_STAT_ANY`, Linux 4.17), as `ipcs -s` lists them.
    #[doc(alias = "ipcs")]
    #[doc(alias = "SEM_STAT_ANY")]
    pub fn list() -> Result<Vec<Status>> {
        let failed = |errno: Errno| ErrorKind::from(errno).during("list", "sysv:");
        let (last, _) = semctl::usage().map_err(failed)?;
        let mut found = Vec::new();
        for slot in 0..=last {
            match semctl::stat_any(slot) {
                Ok((id, status)) => found.push(Status::new(id, &status)),
                // An empty slot, or a set that went away this moment.
                Err(Errno::EINVAL | Errno::EIDRM) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(found)
    }
}

/// The mark of an unfinished set can be nobody's mode.
pub(super) fn check_mode(mode: Option<u32>) -> Result<(), ErrorKind> {
    if mode == Some(UNFINISHED) {
        return Err(ErrorKind::invalid(
            "execution means nothing for semaphores, and the mode 0611 marks a set that is being made: 0600 says the same",
        ));
    }
    Ok(())
}

impl Status {
    // The fields' widths differ between libcs; all of them fit.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn new(id: i32, status: &libc::semid_ds) -> Self {
        Self {
            id,
            permissions: Permissions::new(&status.sem_perm),
            count: status.sem_nsems as u64,
            operation_time: status.sem_otime as i64,
            change_time: status.sem_ctime as i64,
        }
    }
}

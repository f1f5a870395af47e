// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/sem.h: semaphores. The types are here, the functions in the modules.

mod manage;
mod open;
mod set;
mod system_v;
mod wait;

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

use libc::timespec;
use unipc_core::{Name, Semaphore, SemaphoreSet};

pub use manage::*;
pub use open::*;
pub use set::*;
pub use system_v::*;
pub use wait::*;

use super::boundary;
use boundary::SizeFirst;

/// A semaphore. A handle belongs to the process; a child of fork() has its own copy.
#[derive(Debug)]
pub struct unipc_sem {
    pub(crate) semaphore: Semaphore,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

/// A System V set of semaphores. A handle belongs to the process; a child of fork() has its own copy.
#[derive(Debug)]
pub struct unipc_semset {
    pub(crate) set: SemaphoreSet,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

impl unipc_sem {
    fn new(semaphore: Semaphore) -> Self {
        Self { name: text(semaphore.name()), semaphore }
    }
}

impl unipc_semset {
    fn new(set: SemaphoreSet) -> Self {
        Self { name: text(set.name()), set }
    }
}

fn text(name: &Name) -> CString {
    // Names hold no NUL.
    CString::new(name.to_os_string().into_vec()).unwrap_or_default()
}

/// Flags for creating and opening semaphores and sets.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_sem_flag {
    /// When creating: remove an object that has the name. Others keep an old POSIX semaphore; who
    /// waits for an old System V set is told -EIDRM.
    UNIPC_SEM_REPLACE = 1 << 0,
    /// Remove the object when this handle is closed (not by a child of fork()).
    UNIPC_SEM_REMOVE_ON_CLOSE = 1 << 1,
    /// Refuse an existing object that belongs to neither this user nor root: -EPERM.
    UNIPC_SEM_OWN_ONLY = 1 << 2,
    /// A binary semaphore: unipc_sem_release() is -EOVERFLOW when the value is 1 or more already.
    /// Each handle for itself. Not for sets.
    UNIPC_SEM_BINARY = 1 << 3,
    /// System V: the kernel undoes what is acquired and released through this handle when the
    /// process ends, however it ends (SEM_UNDO). For what one process takes and gives back itself,
    /// such as a lock. Not for sets, where each operation says it.
    UNIPC_SEM_UNDO = 1 << 4,
}

/// What a semaphore is, see unipc_sem_backing().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_sem_kind {
    /// One of a System V set: semget().
    UNIPC_SEM_SYSTEM_V = 1,
    /// A POSIX semaphore with a name: sem_open().
    UNIPC_SEM_POSIX = 2,
    /// A POSIX semaphore in shared memory: sem_init().
    UNIPC_SEM_MEMORY = 3,
}

/// How to create or open, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_SEM_OPTS() or UNIPC_SEM_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_sem_opts {
    /// sizeof(unipc_sem_opts).
    pub sz: usize,
    /// When creating: permission bits, exact whatever the umask. 0: 0600. UNIPC_MODE_NONE: none.
    pub mode: u32,
    /// When opening a System V name as one semaphore: which of its set.
    pub index: u32,
    /// How long opening may wait for the living creator of a System V set to finish it. NULL: 5
    /// seconds. {0, 0}: not at all. A dead creator is noticed at once.
    pub creator_timeout: *const timespec,
}

const _: () = assert!(
    size_of::<unipc_sem_opts>() == 2 * size_of::<usize>() + 2 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers and a pointer, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_sem_opts {}

/// What the kernel knows of a System V set: all of struct semid_ds and its struct ipc_perm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_semset_status {
    /// The identifier.
    pub id: i32,
    /// The key; 0 for a private set.
    pub key: i32,
    /// Owner's user.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Creator's user.
    pub cuid: u32,
    /// Creator's group.
    pub cgid: u32,
    /// The nine permission bits.
    pub mode: u32,
    /// How often the kernel has reused the slot; part of the identifier (__seq).
    pub sequence: u32,
    /// How many semaphores it has (sem_nsems).
    pub count: u64,
    /// When it was last operated on, in seconds since 1970; 0: never (sem_otime).
    pub operation_time: i64,
    /// When it was created or last changed, by unipc_semset_set() or by setting values (sem_ctime).
    pub change_time: i64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// What the kernel knows of one semaphore of a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_sem_information {
    /// Its value (semval, GETVAL).
    pub value: u32,
    /// Who changed it last; 0: nobody, or a process of another PID namespace (sempid, GETPID).
    pub last_pid: i32,
    /// How many wait for the value to increase (semncnt, GETNCNT).
    pub waiting_increase: u32,
    /// How many wait for the value to become 0 (semzcnt, GETZCNT).
    pub waiting_zero: u32,
    /// Not used: 0.
    pub reserved: [u32; 4],
}

/// The limits of System V semaphores, as ipcs -l and /proc/sys/kernel/sem have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_sem_limit_values {
    /// SEMMSL: how many semaphores a set may have.
    pub semmsl: u64,
    /// SEMMNS: how many semaphores all sets together may have.
    pub semmns: u64,
    /// SEMOPM: how many operations one call may have.
    pub semopm: u64,
    /// SEMMNI: how many sets there may be.
    pub semmni: u64,
    /// SEMVMX: the highest value.
    pub semvmx: u64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// What System V semaphores use, as ipcs -u has it (SEM_INFO).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_sem_usage_values {
    /// How many sets exist.
    pub sets: u64,
    /// How many semaphores they have together.
    pub semaphores: u64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

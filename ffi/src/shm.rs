// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/shm.h: shared memory. The types are here, the functions in the modules.

mod access;
mod atomic;
mod manage;
mod open;
mod system_v;

use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;

use unipc_core::SharedMemory;

pub use access::*;
pub use atomic::*;
pub use manage::*;
pub use open::*;
pub use system_v::*;

pub use super::base::{unipc_backing, unipc_mode};

use super::boundary;
use boundary::SizeFirst;

/// Mapped shared memory. A handle belongs to the process; a child of fork() has its own copy.
#[derive(Debug)]
pub struct unipc_shm {
    memory: SharedMemory,
    /// The name as C reads it, which lives as long as the handle; made when somebody asks.
    name: OnceLock<CString>,
}

impl unipc_shm {
    fn new(memory: SharedMemory) -> Self {
        Self { memory, name: OnceLock::new() }
    }

    fn name(&self) -> &CStr {
        // Names hold no NUL.
        self.name.get_or_init(|| {
            CString::new(self.memory.name().to_os_string().into_vec()).unwrap_or_default()
        })
    }

    /// For the rooms that place objects in it.
    pub(crate) fn memory(&self) -> &SharedMemory {
        &self.memory
    }
}

/// Flags for creating, opening and removing.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_shm_flag {
    /// Map for reading only; opening needs no write permission (SHM_RDONLY). Not for create.
    UNIPC_SHM_READ_ONLY = 1 << 0,
    /// Copy-on-write (MAP_PRIVATE): changes stay with this mapping. Not for System V and anon:.
    UNIPC_SHM_PRIVATE = 1 << 1,
    /// Fault in every page now, so that none costs time later (Linux 5.14).
    UNIPC_SHM_POPULATE = 1 << 2,
    /// Let the size reach to the end of the last page. Those bytes are shared between mappings, but
    /// a file never gets them.
    UNIPC_SHM_SLACK = 1 << 3,
    /// Put an inaccessible page before and after the mapping's pages, so that an overrun is SIGSEGV at
    /// once. The rest of the last page is not guarded.
    UNIPC_SHM_GUARD_PAGES = 1 << 4,
    /// Allow execution (PROT_EXEC, SHM_EXEC). A System V segment needs a mode that allows it, 0700.
    UNIPC_SHM_EXECUTABLE = 1 << 5,
    /// When creating: remove an object that has the name, then create. Others keep the old one.
    UNIPC_SHM_REPLACE = 1 << 6,
    /// Remove the object when this handle is closed (not by a child of fork()).
    UNIPC_SHM_REMOVE_ON_CLOSE = 1 << 7,
    /// Open a System V segment by identifier even when it is marked for removal.
    UNIPC_SHM_ALLOW_REMOVED = 1 << 8,
    /// Refuse an existing object that belongs to neither this user nor root: -EPERM.
    UNIPC_SHM_OWN_ONLY = 1 << 9,
    /// Lock the mapping in memory from the start, as unipc_shm_lock() does.
    UNIPC_SHM_LOCKED = 1 << 10,
    /// Round opts.address down to a page boundary instead of refusing it (SHM_RND).
    UNIPC_SHM_ADDRESS_ROUND = 1 << 11,
    /// Replace what is mapped at opts.address (MAP_FIXED, SHM_REMAP): it must be yours, unused.
    UNIPC_SHM_ADDRESS_REPLACE = 1 << 12,
    /// For unipc_shm_remove(): only if nobody else is attached. System V alone counts who is.
    UNIPC_SHM_IF_UNUSED = 1 << 13,
}

/// What nobody can do to a memfd any more: the kernel's F_SEAL_ numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_seal {
    /// Add further seals.
    UNIPC_SEAL_SEAL = 1 << 0,
    /// Make it smaller, so that no mapping ever loses its pages. The default of a new memfd.
    UNIPC_SEAL_SHRINK = 1 << 1,
    /// Make it larger.
    UNIPC_SEAL_GROW = 1 << 2,
    /// Write to it.
    UNIPC_SEAL_WRITE = 1 << 3,
    /// Write to it but through mappings that exist already (Linux 5.1).
    UNIPC_SEAL_FUTURE_WRITE = 1 << 4,
    /// Allow or forbid its execution (Linux 6.3). What is created here is forbidden for good.
    UNIPC_SEAL_EXEC = 1 << 5,
    /// In opts.seals, where 0 is the default: none of the seals above but UNIPC_SEAL_EXEC.
    UNIPC_SEAL_NONE = 1 << 30,
}

/// Flags of unipc_shm_flush().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_flush_flag {
    /// Do not wait for the disk (MS_ASYNC).
    UNIPC_FLUSH_ASYNC = 1 << 0,
    /// Invalidate other mappings of the file (MS_INVALIDATE).
    UNIPC_FLUSH_INVALIDATE = 1 << 1,
}

/// What to expect of a range of pages, for unipc_shm_advise(): the kernel's MADV_ numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_advice {
    /// No special treatment.
    UNIPC_ADVICE_NORMAL = 0,
    /// Touched in no order: no read-ahead.
    UNIPC_ADVICE_RANDOM = 1,
    /// Touched in order: much read-ahead.
    UNIPC_ADVICE_SEQUENTIAL = 2,
    /// Needed soon: read it in.
    UNIPC_ADVICE_WILL_NEED = 3,
    /// Not needed soon by this process; shared bytes stay, changes of a private mapping go.
    UNIPC_ADVICE_DONT_NEED = 4,
    /// Not for children of fork().
    UNIPC_ADVICE_DONT_FORK = 10,
    /// Undo UNIPC_ADVICE_DONT_FORK.
    UNIPC_ADVICE_DO_FORK = 11,
    /// Use transparent huge pages where the system allows them.
    UNIPC_ADVICE_HUGE_PAGE = 14,
    /// Do not use transparent huge pages.
    UNIPC_ADVICE_NO_HUGE_PAGE = 15,
    /// Leave it out of core dumps.
    UNIPC_ADVICE_DONT_DUMP = 16,
    /// Undo UNIPC_ADVICE_DONT_DUMP.
    UNIPC_ADVICE_DO_DUMP = 17,
    /// Reclaim these pages first (Linux 5.4).
    UNIPC_ADVICE_COLD = 20,
    /// Reclaim these pages now (Linux 5.4).
    UNIPC_ADVICE_PAGE_OUT = 21,
    /// Fault the pages in for reading (Linux 5.14).
    UNIPC_ADVICE_POPULATE_READ = 22,
    /// Fault the pages in for writing (Linux 5.14).
    UNIPC_ADVICE_POPULATE_WRITE = 23,
}

/// How to create or open, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_SHM_OPTS() or UNIPC_SHM_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_shm_opts {
    /// sizeof(unipc_shm_opts).
    pub sz: usize,
    /// When opening: how many bytes to map, cut at the object's end. 0: all from the offset on. A
    /// System V segment that is opened by its key need not be asked about then, a call less.
    pub size: usize,
    /// Begin at this byte of the object; it need not be on a page boundary. When creating, the size
    /// counts from the object's first byte.
    pub offset: u64,
    /// When creating: permission bits, exact whatever the umask. 0: 0600. UNIPC_MODE_NONE: none.
    pub mode: u32,
    /// When creating a memfd: its UNIPC_SEAL_ bits. 0: UNIPC_SEAL_SHRINK. UNIPC_SEAL_NONE: none.
    pub seals: u32,
    /// For unipc_shm_from_fd(): UNIPC_SEAL_ bits that the descriptor must have, else -EPERM.
    pub required_seals: u32,
    /// Not used: 0.
    pub reserved: u32,
    /// When creating System V, memfd or anonymous memory: pages of this size in bytes, which the
    /// system must have (/sys/kernel/mm/hugepages), of which the object's size is a multiple.
    /// 0: ordinary pages.
    pub huge_page_size: usize,
    /// Map exactly here, a System V segment with its whole size. The range must be free (-EEXIST,
    /// System V -EINVAL) and left alone by all else in the process. NULL, which is what nearly
    /// every program wants: the kernel chooses.
    pub address: *mut c_void,
}

const _: () = assert!(
    size_of::<unipc_shm_opts>() == 4 * size_of::<usize>() + 8 + 4 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers and a pointer, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_shm_opts {}

/// What the kernel knows of a System V segment: all of struct shmid_ds and its struct ipc_perm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_shm_sysv_status {
    /// The identifier.
    pub id: i32,
    /// The key; 0 for a private segment and for one that is marked for removal.
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
    /// Size in bytes, as asked for (shm_segsz).
    pub size: u64,
    /// How many attachments there are (shm_nattch).
    pub attached: u64,
    /// When it was last attached, in seconds since 1970; 0: never (shm_atime).
    pub attach_time: i64,
    /// When it was last detached; 0: never (shm_dtime).
    pub detach_time: i64,
    /// When it was created or last changed by unipc_shm_sysv_set() (shm_ctime).
    pub change_time: i64,
    /// Who created it (shm_cpid).
    pub creator_pid: i32,
    /// Who attached or detached last (shm_lpid).
    pub last_pid: i32,
    /// 1: marked for removal, it goes with its last attachment (SHM_DEST). 0: not.
    pub removed: u32,
    /// 1: locked in memory (SHM_LOCKED). 0: not.
    pub locked: u32,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// The limits of System V shared memory, as ipcs -l and /proc/sys/kernel/shm* have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_shm_limit_values {
    /// SHMMAX: the largest segment, in bytes.
    pub shmmax: u64,
    /// SHMMIN: the smallest segment, in bytes.
    pub shmmin: u64,
    /// SHMMNI: how many segments there may be.
    pub shmmni: u64,
    /// SHMALL: how many pages all segments together may have.
    pub shmall: u64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

/// What System V shared memory uses, as ipcs -u has it (SHM_INFO).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_shm_usage_values {
    /// How many segments exist.
    pub segments: u64,
    /// Pages of all segments.
    pub pages: u64,
    /// Pages of them in memory.
    pub resident: u64,
    /// Pages of them swapped out.
    pub swapped: u64,
    /// Not used: 0.
    pub reserved: [u64; 4],
}

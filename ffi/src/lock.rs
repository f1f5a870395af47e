// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/lock.h: locks on files. The types are here, the functions in the modules.

mod acquire;
mod open;

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

use unipc_core::lock::FileLock;

pub use acquire::*;
pub use open::*;

use super::boundary;
use boundary::SizeFirst;

/// A file that is open for locking. Closing it ends its locks, and so does the end of the process.
///
/// It is one owner: what it has locked it can lock again at once. Threads that are to exclude each
/// other open a handle each.
#[derive(Debug)]
pub struct unipc_lock {
    lock: FileLock,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

impl unipc_lock {
    fn new(lock: FileLock) -> Self {
        // Names hold no NUL.
        let name = CString::new(lock.name().to_os_string().into_vec()).unwrap_or_default();
        Self { lock, name }
    }
}

/// The kinds of file lock, see the beginning of this header.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_lock_kind {
    /// Record locks that belong to the open file: fcntl(F_OFD_SETLK). The default.
    UNIPC_LOCK_OFD = 1,
    /// Record locks that belong to the process: fcntl(F_SETLK), lockf().
    UNIPC_LOCK_POSIX = 2,
    /// Locks on the whole file: flock().
    UNIPC_LOCK_FLOCK = 3,
}

/// How much a lock excludes.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_lock_sharing {
    /// Everybody else: F_WRLCK, LOCK_EX.
    UNIPC_LOCK_EXCLUSIVE = 1,
    /// Those who want it exclusively: F_RDLCK, LOCK_SH.
    UNIPC_LOCK_SHARED = 2,
}

/// Flags for opening.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_lock_flag {
    /// Open for reading only: needs no write permission, and allows a directory (for flock), but no
    /// exclusive record lock. For unipc_lock_open() alone.
    UNIPC_LOCK_READ_ONLY = 1 << 0,
}

/// How to create or open, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_LOCK_OPTS() or UNIPC_LOCK_OPTS_INIT, which set sz. Later versions add fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_lock_opts {
    /// sizeof(unipc_lock_opts).
    pub sz: usize,
    /// A UNIPC_LOCK_ kind. 0: UNIPC_LOCK_OFD.
    pub kind: u32,
    /// When creating: permission bits, exact whatever the umask. 0: 0600.
    pub mode: u32,
}

const _: () = assert!(
    size_of::<unipc_lock_opts>() == size_of::<usize>() + 2 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_lock_opts {}

/// A lock that is in the way of another one, see unipc_lock_holder().
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_lock_holder_info {
    /// The process that took it. 0: none, it is an OFD lock; or one that cannot be seen from here.
    pub pid: i32,
    /// Its kind, a UNIPC_LOCK_ kind.
    pub kind: u32,
    /// UNIPC_LOCK_EXCLUSIVE or UNIPC_LOCK_SHARED.
    pub sharing: u32,
    /// Not used: 0.
    pub reserved: u32,
    /// The first byte that it covers.
    pub start: u64,
    /// How many bytes it covers. 0: to the end of the file, wherever that will be.
    pub length: u64,
}

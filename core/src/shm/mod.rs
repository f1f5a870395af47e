// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared memory of every kind that Linux has, behind one type.
//!
//! | name | backing | lives | others reach it by |
//! |---|---|---|---|
//! | `/demo` | POSIX, a file in `/dev/shm` | until unlinked or reboot | the name |
//! | `sysv:…` | System V segment | until removed or reboot | key or identifier |
//! | `file:PATH` | a file on any file system | as the file | the path |
//! | `memfd:LABEL` | memory without a name | as long as somebody has it | the descriptor |
//! | `anon:` | anonymous mapping | as long as somebody has it | fork |
//!
//! The bytes are raw: exactly those that were asked for, without a header, so that a program that
//! never heard of this library can share them. Shared memory brings no synchronisation; the atomics
//! here are enough for counters and flags.
//!
//! ```
//! use unipc::SharedMemory;
//!
//! # fn main() -> unipc::Result<()> {
//! let name = format!("/doc-{}", std::process::id());
//! let writer = SharedMemory::create(name.as_str(), 4096)?;
//! writer.write_at(0, b"hello")?;
//!
//! let reader = SharedMemory::open(name.as_str())?; // in any process
//! let mut greeting = [0; 5];
//! reader.read_at(0, &mut greeting)?;
//! assert_eq!(&greeting, b"hello");
//!
//! SharedMemory::unlink(name.as_str())?; // closing alone never removes
//! # Ok(())
//! # }
//! ```

mod access;
mod anonymous;
mod file;
mod get;
mod limits;
mod memfd;
mod options;
mod posix;
mod remove;
mod resize;
mod system_v;
mod twin;

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};

use nix::unistd::{Whence, lseek};

pub use crate::seals::Seals;
pub use access::Access;
pub(crate) use file::name_of;
pub(crate) use limits::explain;
pub use limits::{Limits, Usage, limits, usage};
pub use options::Options;
pub use system_v::{Status, SystemV};

use crate::error::{Error, ErrorKind, Result};
use crate::map::{Map, Mapped, Region};
use crate::name::Name;

/// What a [`SharedMemory`] consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Backing {
    /// A System V segment.
    SystemV = 1,
    /// A POSIX object.
    Posix = 2,
    /// A file.
    File = 3,
    /// A memfd.
    Memfd = 4,
    /// An anonymous mapping.
    Anonymous = 5,
}

/// Which object is open, whatever its name means by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// What the descriptor leads to.
    File,
    Segment(SystemV),
    Nameless,
}

/// Mapped shared memory. Dropping it unmaps and closes; the object stays until it is unlinked.
///
/// Threads: `Sync`; all methods with `&self` may run at once. The bytes themselves are shared
/// with everybody who maps them, so what is written without an atomic needs a lock.
///
/// fork: a child inherits the mapping and may use it; its drop affects the child alone.
/// exec: the mapping ends; the descriptor is close-on-exec.
#[derive(Debug)]
pub struct SharedMemory {
    map: Map,
    name: Name,
    backing: Backing,
    identity: Identity,
    /// The process that asked for removal on drop; a child of fork must not carry it out.
    remover: Option<u32>,
    /// A second mapping of the same bytes, for what must outlive this handle.
    twin: twin::Twin,
    /// Set when the descriptor's position is where it shall be for whoever gets the descriptor.
    positioned: OnceLock<()>,
}

impl SharedMemory {
    /// How many bytes may be touched: those asked for, cut at the end of the object.
    #[allow(clippy::len_without_is_empty, reason = "an empty mapping cannot exist")]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// How much of the address space the mapping takes: whole pages. The kernel attaches a segment whole.
    pub fn mapped_len(&self) -> usize {
        let known = self.map.mapped_len();
        // Whoever said how much he wants of a segment was not told how large it is; that says nothing about what may be touched.
        self.system_v().map_or(known, |segment| segment.whole().max(known))
    }

    /// The first byte. Valid for `len()` bytes until the next `resize` or `refresh`, or the drop.
    ///
    /// Other processes change what is there at any time: never make a `&[u8]` of it. If the object is a
    /// file that others may truncate, touch it inside [`SharedMemory::guarded`].
    pub fn as_ptr(&self) -> *mut u8 {
        self.map.as_ptr()
    }

    /// The address of `length` bytes at `offset`; same cautions as [`SharedMemory::as_ptr`].
    ///
    /// Errors: `ERANGE` when they are not all inside.
    pub fn ptr_at(&self, offset: usize, length: usize) -> Result<*mut u8> {
        self.map.ptr_at(offset, length).map_err(|kind| self.failed("ptr_at", kind))
    }

    /// Room for an object that other rooms place in these bytes, such as a POSIX semaphore
    /// ([`Semaphore::create_in`](crate::Semaphore::create_in)). It keeps the memory mapped; `resize` needs it gone.
    ///
    /// Errors: `ERANGE` when the bytes are not all inside, `EACCES` when the mapping is read-only, `EOPNOTSUPP` when it
    /// is copy-on-write.
    pub fn region(self: &Arc<Self>, offset: usize, length: usize) -> Result<Region> {
        Region::of(Arc::clone(self), offset, length, self.name.clone())
            .map_err(|kind| self.failed("region", kind))
    }

    /// The name: of a private segment its identifier, of a descriptor what it was called.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What the memory consists of.
    pub fn backing(&self) -> Backing {
        self.backing
    }

    /// Is the mapping read-only?
    pub fn is_read_only(&self) -> bool {
        !self.map.is_writable()
    }

    /// The descriptor behind POSIX, file and memfd memory: close-on-exec, valid as long as `self`.
    ///
    /// Of a POSIX object, the first call after opening puts the position at the first byte, also that of a duplicate.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.position();
        self.map.file().map(AsFd::as_fd)
    }

    /// Who reads from the descriptor of a POSIX object shall begin at the first byte; asking for the size of one left it
    /// at the last.
    fn position(&self) {
        if let (Backing::Posix, Some(file)) = (self.backing, self.map.file()) {
            self.positioned.get_or_init(|| {
                let _ = lseek(file, 0, Whence::SeekSet);
            });
        }
    }

    /// The mapping itself.
    pub(crate) fn map(&self) -> &Map {
        &self.map
    }

    /// The identifier of System V memory, as `ipcs` shows it.
    pub fn id(&self) -> Option<i32> {
        self.system_v().map(SystemV::id)
    }

    /// The segment behind System V memory, with what only System V has: `stat`, `set`, `lock`.
    pub fn system_v(&self) -> Option<SystemV> {
        match self.identity {
            Identity::Segment(segment) => Some(segment),
            Identity::File | Identity::Nameless => None,
        }
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.name)
    }
}

impl Mapped for SharedMemory {
    fn map(&self) -> &Map {
        &self.map
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if self.remover.is_some_and(|remover| remover == std::process::id()) {
            // Somebody else may have removed it already, which is what was wanted.
            let _ = self.remove();
        }
    }
}

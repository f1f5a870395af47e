// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to create or open shared memory, where the defaults do not do.

use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use nix::unistd::geteuid;

use super::{Backing, Identity, Seals, SharedMemory};
use crate::error::ErrorKind;
use crate::map::{Map, Placement, Plan, Source, usable_end};
use crate::name::Name;
use crate::open::{Disposition, Mode};
use crate::sys;

/// The options of [`SharedMemory`]; one set serves any number of calls.
///
/// ```
/// use unipc::{Mode, SharedMemory};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/options-{}", std::process::id());
/// let shm = SharedMemory::options()
///     .mode(Mode::new(0o640)?)
///     .populate(true)
///     .remove_on_drop(true)
///     .create(name.as_str(), 1 << 20)?;
/// # Ok(())
/// # }
/// ```
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(super) size: Option<usize>,
    pub(super) offset: u64,
    pub(super) mode: Mode,
    pub(super) read_only: bool,
    pub(super) private: bool,
    pub(super) slack: bool,
    pub(super) populate: bool,
    pub(super) locked: bool,
    pub(super) executable: bool,
    pub(super) guard_pages: bool,
    pub(super) replace: bool,
    pub(super) remove_on_drop: bool,
    pub(super) allow_removed: bool,
    pub(super) own_only: bool,
    /// Set by the calls that may create.
    pub(super) creating: bool,
    pub(super) huge_page_size: Option<usize>,
    pub(super) seals: Option<Seals>,
    pub(super) require_seals: Seals,
    pub(super) placement: Option<Placement>,
    pub(super) fill: Option<Fill>,
}

type Filling = dyn Fn(&SharedMemory) -> Result<(), ErrorKind> + Send + Sync;

/// Writes what an object contains before anybody else sees it.
#[derive(Clone)]
pub(super) struct Fill(Arc<Filling>);

impl Fill {
    pub(super) fn apply(&self, shm: &SharedMemory) -> Result<(), ErrorKind> {
        (self.0)(shm)
    }
}

impl std::fmt::Debug for Fill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fill")
    }
}

/// An object that was found or made, before it is mapped.
pub(super) struct Object {
    pub(super) source: Source,
    pub(super) backing: Backing,
    pub(super) identity: Identity,
    /// Its size in bytes.
    pub(super) size: u64,
    pub(super) page_size: usize,
    pub(super) can_shrink: bool,
}

impl Object {
    /// A POSIX object of ordinary pages.
    pub(super) fn posix(file: OwnedFd, size: u64) -> Self {
        Self {
            source: Source::File(file),
            backing: Backing::Posix,
            identity: Identity::File,
            size,
            page_size: sys::page_size(),
            can_shrink: true,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $kind:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: $kind) -> Self {
            self.$name = $name;
            self
        }
    )*};
}

impl Options {
    /// The defaults: all of the object, shared, read and write, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    /// When opening: map this many bytes, cut at the end of the object. Without it, all from the offset on.
    ///
    /// Of a System V segment that is opened by its key, the kernel need not be asked for the size then.
    #[must_use]
    pub fn size(mut self, size: usize) -> Self {
        self.size = Some(size);
        self
    }

    setters! {
        /// When creating: the permission bits, exact whatever the umask. System V lets the creator, too, attach only
        /// as they say: an ordinary user needs at least 0600 there.
        mode: Mode;
        /// Begin at this byte of the object; it need not be on a page boundary. When creating, the size counts from the object's first byte.
        offset: u64;
        /// Map for reading only; opening needs no write permission (`PROT_READ`, `SHM_RDONLY`).
        read_only: bool;
        /// Copy-on-write (`MAP_PRIVATE`): what is written stays with this mapping. Not for System V and `anon:`.
        private: bool;
        /// Let [`SharedMemory::len`] reach to the end of the object's last page, also when creating it. Those bytes are
        /// shared between mappings, but a file never gets them.
        slack: bool;
        /// Fault in every page now (Linux 5.14).
        populate: bool;
        /// Lock the mapping in memory from the start, see [`SharedMemory::lock`].
        locked: bool;
        /// Allow execution (`PROT_EXEC`, `SHM_EXEC`).
        executable: bool;
        /// Put an inaccessible page before and after the mapping's pages, so that an overrun is SIGSEGV at once. The rest of
        /// the last page is not guarded.
        guard_pages: bool;
        /// When creating: remove an object that has the name. Others keep the old one. A file or POSIX object goes only when
        /// the new one is ready; a System V segment goes first, since two cannot have one key.
        replace: bool;
        /// Remove the object when the handle is dropped (not in a child of fork).
        remove_on_drop: bool;
        /// Open a System V segment by identifier even when it is marked for removal.
        allow_removed: bool;
        /// Refuse an existing object that belongs to neither this user nor root: `EPERM`.
        own_only: bool;
        /// When receiving a descriptor: refuse it unless it is sealed against all of this.
        require_seals: Seals;
    }

    /// When creating System V, memfd or anonymous memory: use pages of this size in bytes, a power of two that the
    /// system has (`/sys/kernel/mm/hugepages`). The object's size must be a multiple of it.
    #[doc(alias = "SHM_HUGETLB")]
    #[doc(alias = "MFD_HUGETLB")]
    #[must_use]
    pub fn huge_pages(mut self, size: usize) -> Self {
        self.huge_page_size = Some(size);
        self
    }

    /// When creating a memfd: seal it against this. [`Seals::SHRINK`] unless said otherwise.
    #[must_use]
    pub fn seals(mut self, seals: Seals) -> Self {
        self.seals = Some(seals);
        self
    }

    /// Map at an address of the caller's. Making a [`Placement`] is unsafe, using it is not.
    #[must_use]
    pub fn place(mut self, placement: Placement) -> Self {
        self.placement = Some(placement);
        self
    }

    /// When creating a file, POSIX object or memfd: what it contains before it has its name.
    pub(crate) fn fill(
        mut self,
        fill: impl Fn(&SharedMemory) -> Result<(), ErrorKind> + Send + Sync + 'static,
    ) -> Self {
        self.fill = Some(Fill(Arc::new(fill)));
        self
    }

    /// What contradicts itself whatever the object is like.
    pub(super) fn check(&self, name: &Name, disposition: Disposition) -> Result<(), ErrorKind> {
        self.check_mapping()?;
        let may_create = disposition != Disposition::Open;
        if may_create && self.read_only {
            return Err(ErrorKind::invalid(
                "a new object cannot be read-only: nobody could fill it",
            ));
        }
        if self.require_seals != Seals::NONE {
            return Err(ErrorKind::invalid("only a descriptor that was received can lack seals"));
        }
        if !may_create && self.huge_page_size.is_some() {
            return Err(ErrorKind::invalid("an object that exists has its pages already"));
        }
        if self.replace && disposition != Disposition::Create {
            return Err(ErrorKind::invalid("only creating can replace"));
        }
        if self.seals.is_some() && !matches!(name, Name::Memfd(_)) {
            return Err(ErrorKind::unsupported("only a memfd can be sealed"));
        }
        if self.seals.is_some_and(|seals| seals.contains(Seals::WRITE)) {
            return Err(ErrorKind::invalid(
                "the new mapping is writable: seal against future writing, or against writing once it is closed",
            ));
        }
        if self.fill.is_some() && matches!(name, Name::SystemV(_) | Name::Anonymous) {
            return Err(ErrorKind::unsupported(
                "only a POSIX object, a file or a memfd is complete before others see it",
            ));
        }
        if self.private && matches!(name, Name::SystemV(_) | Name::Anonymous) {
            return Err(ErrorKind::unsupported(
                "copy-on-write needs a file, a POSIX object or a memfd",
            ));
        }
        self.check_huge_pages(name, may_create)
    }

    /// What contradicts itself wherever the bytes come from.
    pub(super) fn check_mapping(&self) -> Result<(), ErrorKind> {
        if self.size == Some(0) {
            return Err(ErrorKind::invalid("a size of 0 bytes cannot be mapped"));
        }
        if self.guard_pages && self.placement.is_some() {
            return Err(ErrorKind::invalid(
                "guard pages surround a mapping whose address the kernel chooses",
            ));
        }
        Ok(())
    }

    fn check_huge_pages(&self, name: &Name, may_create: bool) -> Result<(), ErrorKind> {
        let Some(page) = self.huge_page_size else {
            return Ok(());
        };
        if matches!(name, Name::Posix(_) | Name::File(_)) {
            return Err(ErrorKind::unsupported(
                "POSIX objects and files take the pages of their file system: use memfd:, sysv:, anon: or a file on hugetlbfs",
            ));
        }
        if !page.is_power_of_two() || page <= sys::page_size() {
            return Err(ErrorKind::invalid(format!(
                "huge pages of {page} bytes do not exist; /sys/kernel/mm/hugepages lists the sizes"
            )));
        }
        if may_create && !self.size.unwrap_or(0).is_multiple_of(page) {
            return Err(ErrorKind::invalid(format!(
                "the size must be a multiple of the page size, {page} bytes"
            )));
        }
        Ok(())
    }

    /// How many bytes to map of an object of `object_size` bytes: those asked for, cut at its end.
    pub(super) fn length(&self, object_size: u64, page_size: usize) -> Result<usize, ErrorKind> {
        if object_size == 0 {
            return Err(ErrorKind::Empty);
        }
        let (known, wanted) = match self.size {
            None => (object_size, u64::MAX),
            // The size that was given is the object's, though one that exists may be larger.
            Some(size) if self.creating => (object_size.min(size as u64), u64::MAX),
            Some(size) => (object_size, size as u64),
        };
        let there = self
            .usable(known, page_size)
            .checked_sub(self.offset)
            .filter(|&there| there > 0)
            .ok_or_else(|| {
                ErrorKind::invalid(format!(
                    "offset {} lies behind the object's {known} bytes",
                    self.offset
                ))
            })?;
        usize::try_from(there.min(wanted)).map_err(|_| ErrorKind::Os(libc::EOVERFLOW))
    }

    /// Where the bytes end that were asked for, if nothing else about the object decides what is mapped, or whether.
    pub(super) fn stated_end(&self) -> Option<usize> {
        if self.own_only || self.slack || self.guard_pages {
            return None;
        }
        usize::try_from(self.offset).ok()?.checked_add(self.size?)
    }

    /// Where the bytes end that may be touched, in an object of this size.
    fn usable(&self, object_size: u64, page_size: usize) -> u64 {
        usable_end(object_size, page_size, self.slack)
    }

    /// Refuses what belongs to neither this user nor root, where that was asked for.
    pub(super) fn check_owner(&self, owner: u32) -> Result<(), ErrorKind> {
        if !self.own_only || owner == 0 {
            return Ok(());
        }
        let me = geteuid().as_raw();
        if owner != me {
            let why = format!("it belongs to user {owner}, this process is user {me}");
            return Err(ErrorKind::Untrusted(why.into()));
        }
        Ok(())
    }

    /// An object that was opened instead of created must be as large as what would have been created.
    pub(super) fn check_existing(&self, object_size: u64) -> Result<(), ErrorKind> {
        match self.size {
            _ if object_size == 0 => Err(ErrorKind::Empty),
            Some(wanted) if self.creating && object_size < wanted as u64 => {
                Err(ErrorKind::invalid(format!(
                    "the object exists with {object_size} bytes, {wanted} were asked for"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Maps `length` bytes of the object and does what was asked for besides.
    pub(super) fn map(
        &self,
        object: Object,
        name: Name,
        length: usize,
    ) -> Result<SharedMemory, ErrorKind> {
        let plan = Plan {
            offset: self.offset,
            length,
            writable: !self.read_only,
            executable: self.executable,
            private: self.private,
            guard_pages: self.guard_pages,
            slack: self.slack,
            can_shrink: object.can_shrink,
            page_size: object.page_size,
            placement: self.placement,
        };
        let mut shm = SharedMemory {
            map: Map::new(object.source, plan)?,
            name,
            backing: object.backing,
            identity: object.identity,
            remover: None,
            twin: super::twin::Twin::default(),
            positioned: OnceLock::new(),
        };
        if self.populate {
            shm.map.populate(object.backing != Backing::File)?;
        }
        if self.locked {
            shm.map.lock()?;
        }
        shm.remover = self.remove_on_drop.then(std::process::id);
        Ok(shm)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory without a name, reached by its descriptor.
//!
//! [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html)

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::{Mode as FileMode, fchmod};

use super::options::Object;
use super::{Backing, Identity, Options, Seals, SharedMemory};
use crate::error::{ErrorKind, Result};
use crate::map::Source;
use crate::name::Name;
use crate::open::Disposition;
use crate::{fd, sys};

pub(super) fn create(
    options: &Options,
    name: &Name,
    label: &OsStr,
    disposition: Disposition,
) -> Result<SharedMemory, ErrorKind> {
    if disposition == Disposition::Open {
        return Err(ErrorKind::unsupported(
            "a memfd has no name to open; receive its descriptor and use from_fd",
        ));
    }
    let size = options.size.unwrap_or(0) as u64;
    let file = make(label, options.huge_page_size)?;
    fchmod(&file, FileMode::from_bits_truncate(options.mode.bits()))?;
    fd::reserve(&file, 0, size)?;
    fd::extend(&file, size)?;
    let seals = options.seals.unwrap_or(Seals::SHRINK);
    // The mapping comes first: it could not be writable under a seal against writing.
    let object = Object {
        source: Source::File(file),
        backing: Backing::Memfd,
        identity: Identity::Nameless,
        size,
        page_size: options.huge_page_size.unwrap_or_else(sys::page_size),
        can_shrink: !seals.contains(Seals::SHRINK),
    };
    let length = options.length(object.size, object.page_size)?;
    let shm = options.map(object, name.clone(), length)?;
    if let Some(fill) = &options.fill {
        fill.apply(&shm)?;
    }
    shm.map.file().map_or(Ok(()), |file| seals.add_to(file.as_fd()))?;
    Ok(shm)
}

fn make(label: &OsStr, huge_page_size: Option<usize>) -> nix::Result<OwnedFd> {
    let huge = huge_page_size.map_or(MFdFlags::empty(), |size| {
        MFdFlags::MFD_HUGETLB
            | MFdFlags::from_bits_retain(size.trailing_zeros() << libc::MFD_HUGE_SHIFT)
    });
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING | huge;
    // Nobody runs programs from shared memory; kernels before 6.3 do not know the flag.
    match memfd_create(label, flags | MFdFlags::from_bits_retain(libc::MFD_NOEXEC_SEAL)) {
        Err(Errno::EINVAL) => memfd_create(label, flags),
        other => other,
    }
}

impl SharedMemory {
    /// The seals of a memfd: what nobody can do to it any more.
    ///
    /// Errors: `EOPNOTSUPP` for other backings.
    #[doc(alias = "F_GET_SEALS")]
    pub fn seals(&self) -> Result<Seals> {
        self.memfd()
            .and_then(|file| Ok(Seals::of(file.as_fd())?))
            .map_err(|kind| self.failed("seals", kind))
    }

    /// Seals a memfd, for everybody and for good. Sealing twice is fine.
    ///
    /// Errors: `EPERM` when it is sealed against sealing, `EBUSY` for [`Seals::WRITE`] while a writable mapping
    /// exists (this one included), `EOPNOTSUPP` for other backings.
    #[doc(alias = "F_ADD_SEALS")]
    pub fn add_seals(&self, seals: Seals) -> Result<()> {
        self.memfd()
            .and_then(|file| Ok(seals.add_to(file.as_fd())?))
            .map_err(|kind| self.failed("add_seals", kind))
    }

    /// A new descriptor of a memfd that nobody can write through, to give to a peer that must only read.
    ///
    /// A descriptor that is merely opened read-only can be reopened for writing through `/proc` by a peer of the same
    /// user; this one cannot, because the memfd is first sealed against future writing, shrinking and growing.
    /// Mappings that exist, this one too, stay writable; no writable one can be made any more.
    ///
    /// Errors: `EPERM` when it is sealed against sealing and these seals are not set, `EOPNOTSUPP` for other backings.
    pub fn read_only_fd(&self) -> Result<OwnedFd> {
        let reopen = |file: &OwnedFd| -> Result<OwnedFd, ErrorKind> {
            let wanted = Seals::FUTURE_WRITE | Seals::SHRINK | Seals::GROW;
            if !Seals::of(file.as_fd())?.contains(wanted) {
                wanted.add_to(file.as_fd())?;
            }
            Ok(fd::open(&fd::proc_path(file.as_fd()), OFlag::O_RDONLY, FileMode::empty())?)
        };
        self.memfd().and_then(reopen).map_err(|kind| self.failed("read_only_fd", kind))
    }

    fn memfd(&self) -> Result<&OwnedFd, ErrorKind> {
        match (self.backing, self.map.file()) {
            (Backing::Memfd, Some(file)) => Ok(file),
            _ => Err(ErrorKind::unsupported("only a memfd can be sealed; create memfd:LABEL")),
        }
    }
}

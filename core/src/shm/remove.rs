// SPDX-License-Identifier: MIT OR Apache-2.0
//! Removing objects: explicit, by name or through a handle, never by closing.

use super::{Identity, SharedMemory, SystemV, file, system_v};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SystemVName};

impl SharedMemory {
    /// Removes the object of this name. Who has it open keeps it until he leaves.
    ///
    /// Errors: `ENOENT` (`EINVAL` for a System V identifier) when there is none, `EACCES` or `EPERM` when it is
    /// somebody else's, `EOPNOTSUPP` for `memfd:` and `anon:`, which have no name to remove.
    ///
    /// [shm_unlink(3)](https://man7.org/linux/man-pages/man3/shm_unlink.3.html), `shmctl(IPC_RMID)`, [unlink(2)](https://man7.org/linux/man-pages/man2/unlink.2.html)
    #[doc(alias = "shm_unlink")]
    #[doc(alias = "IPC_RMID")]
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        let name = name.try_into().map_err(Into::into)?;
        let failed = |kind: ErrorKind| match kind {
            ErrorKind::Os(libc::EPERM) => kind
                .during("unlink", &name)
                .with_advice("it is somebody else's: its owner or root may remove it"),
            ErrorKind::Os(libc::ENOENT) => super::explain(kind.during("unlink", &name), &name),
            _ => kind.during("unlink", &name),
        };
        match &name {
            Name::Posix(_) | Name::File(_) => {
                let path = file::path_of(&name).unwrap_or_default();
                nix::unistd::unlink(path.as_ref()).map_err(|errno| failed(errno.into()))
            }
            Name::SystemV(SystemVName::Id(id)) => SystemV::from_id(*id).remove(),
            Name::SystemV(SystemVName::Private) => {
                Err(failed(ErrorKind::invalid("sysv:private names no segment: use sysv:id=NUMBER")))
            }
            Name::SystemV(SystemVName::Key(key)) => system_v::unlink(*key).map_err(failed),
            Name::SystemV(SystemVName::Ftok { path, project }) => {
                let key = crate::sysv::Key::ftok(path, *project);
                let key = key.map_err(|error| failed(error.kind().clone()))?;
                system_v::unlink(key).map_err(failed)
            }
            Name::Memfd(_) | Name::Anonymous => Err(failed(nameless())),
            Name::Socket(_) => Err(failed(super::get::no_memory())),
        }
    }

    /// Removes this very object. It stays usable here and for all who have it open.
    ///
    /// Errors: `ESTALE` when the name belongs to another object by now, `ENOENT` when it is gone already, `EMEDIUMTYPE`
    /// when it is a symbolic link that leads to the file, `EOPNOTSUPP` for `memfd:` and `anon:`.
    pub fn remove(&self) -> Result<()> {
        match self.identity {
            Identity::Segment(segment) => segment.remove(),
            Identity::Nameless => Err(self.failed("remove", nameless())),
            Identity::File => file::remove(self),
        }
    }

    /// Removes the segment unless somebody else is attached. System V only: nothing else is counted by the kernel.
    /// What this handle's objects in the memory have attached is not somebody else's.
    ///
    /// Somebody who attaches between the look and the removal keeps a segment that is marked for removal.
    ///
    /// Errors: `EBUSY` naming how many are attached, `EOPNOTSUPP` for other backings.
    pub fn remove_if_unused(&self) -> Result<()> {
        let Identity::Segment(segment) = self.identity else {
            let why = "only System V counts who is attached";
            return Err(self.failed("remove_if_unused", ErrorKind::unsupported(why)));
        };
        // This handle is one of them, and what its objects in the memory use is another.
        let own = 1 + u64::from(self.has_twin());
        let others = segment.stat()?.attached.saturating_sub(own);
        if others > 0 {
            let why = format!("attached {others} more times");
            return Err(self.failed("remove_if_unused", ErrorKind::Busy(why.into())));
        }
        segment.remove()
    }
}

fn nameless() -> ErrorKind {
    ErrorKind::unsupported("it has no name; it goes with its last user")
}

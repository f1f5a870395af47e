// SPDX-License-Identifier: MIT OR Apache-2.0
//! A second mapping of the same bytes, which lives on when the first one is closed or moved.

use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::MRemapFlags;

use super::{Map, Plan, Source};
use crate::error::ErrorKind;

impl Map {
    /// Maps the same bytes once more, guarded against a file that shrinks for as long as the new mapping lives.
    ///
    /// Errors: `EOPNOTSUPP` for a copy-on-write mapping, and those of `mmap`.
    pub(crate) fn twin(&self) -> Result<Self, ErrorKind> {
        if self.plan.private {
            return Err(ErrorKind::unsupported("a copy-on-write mapping is shared with nobody"));
        }
        let plan = Plan { executable: false, guard_pages: false, placement: None, ..self.plan };
        let source = match &self.source {
            Source::File(file) => Source::File(
                file.try_clone()
                    .map_err(|error| ErrorKind::Os(error.raw_os_error().unwrap_or(libc::EMFILE)))?,
            ),
            Source::SystemV { id, size } => Source::SystemV { id: *id, size: *size },
            Source::Anonymous => return self.anonymous_twin(plan),
        };
        let twin = Self::new(source, plan)?;
        twin.begin_access();
        Ok(twin)
    }

    /// Anonymous memory has no name by which it could be mapped; `mremap` of 0 bytes makes a second mapping of it.
    fn anonymous_twin(&self, plan: Plan) -> Result<Self, ErrorKind> {
        let geometry = plan.geometry(&self.source)?;
        // SAFETY: an old size of 0 leaves the old mapping as it is, and the kernel chooses where the new one goes.
        let base = unsafe {
            let how = MRemapFlags::MREMAP_MAYMOVE.bits();
            libc::mremap(self.base.as_ptr().cast(), 0, geometry.1, how)
        };
        if base == libc::MAP_FAILED {
            return Err(Errno::last().into());
        }
        let base = NonNull::new(base.cast()).ok_or(ErrorKind::Os(libc::EFAULT))?;
        Ok(Self::over(base, geometry, Source::Anonymous, plan))
    }

    /// Has a guarded access met a page that the file has lost? Only while one is going on.
    #[inline]
    pub(crate) fn has_fault(&self) -> bool {
        self.plan.can_shrink && self.slot.get().is_some_and(|slot| slot.has_fault())
    }
}

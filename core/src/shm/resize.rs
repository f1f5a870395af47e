// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changing the size, following a change of others, and what is done to whole pages.

use super::{Backing, SharedMemory};
use crate::error::{ErrorKind, Result};
use crate::fd;
use crate::map::{Advice, Map};

impl SharedMemory {
    /// Makes the object `size` bytes long and maps all of it from this mapping's offset on.
    ///
    /// New bytes are zero and their memory is taken at once. Pointers from before are void. Other processes keep
    /// their view until they [`refresh`](SharedMemory::refresh); after shrinking, their pages behind the end are gone.
    ///
    /// Errors: `ENOSPC`; `EOPNOTSUPP` for System V and anonymous memory, whose size is fixed; `EACCES` when read-only;
    /// `EPERM` when a seal forbids it; `EINVAL` when nothing would remain of the mapping.
    ///
    /// [ftruncate(2)](https://man7.org/linux/man-pages/man2/ftruncate.2.html), [mremap(2)](https://man7.org/linux/man-pages/man2/mremap.2.html)
    #[doc(alias = "ftruncate")]
    #[doc(alias = "mremap")]
    pub fn resize(&mut self, size: usize) -> Result<()> {
        self.try_resize(size as u64).map_err(|kind| {
            let sealed = kind == ErrorKind::Os(libc::EPERM) && self.backing == Backing::Memfd;
            let error = self.failed("resize", kind);
            if sealed {
                error.with_advice("a seal of the memfd forbids it; see seals()")
            } else {
                error
            }
        })
    }

    fn try_resize(&mut self, size: u64) -> Result<(), ErrorKind> {
        if self.is_read_only() {
            return Err(ErrorKind::ReadOnly);
        }
        if self.map.plan().private {
            return Err(ErrorKind::unsupported("a copy-on-write mapping does not change its file"));
        }
        let length = self.length_of(size)?;
        let file = self.map.file().ok_or_else(fixed)?;
        let before = fd::size(file)?;
        if size < before {
            fd::truncate(file, size)?;
            return self.map.remap(length);
        }
        // The size changes last, so that after an error the object is as it was.
        let grown = fd::reserve(file, before, size)?;
        let previous = self.map.len();
        let extend = |map: &Map| map.file().map_or(Ok(()), |file| fd::extend(file, size));
        self.map.remap(length).and_then(|()| extend(&self.map)).inspect_err(|_| {
            let _ = self.map.remap(previous);
            match self.map.file() {
                Some(file) if grown => drop(fd::truncate(file, before)),
                Some(file) => fd::give_back(file),
                None => {}
            }
        })
    }

    /// Maps the object as large as it is now, after another process changed its size.
    ///
    /// A private mapping that has lost pages begins anew, without its changes.
    ///
    /// Errors: `ENODATA` when it is empty now, `EINVAL` when this mapping's offset lies behind its end.
    pub fn refresh(&mut self) -> Result<()> {
        let Some(file) = self.map.file() else {
            // Segments and anonymous memory keep their size.
            return Ok(());
        };
        let refreshed = fd::size(file)
            .map_err(ErrorKind::from)
            .and_then(|size| self.length_of(size))
            .and_then(|length| self.map.remap(length));
        refreshed.map_err(|kind| self.failed("refresh", kind))
    }

    fn length_of(&self, size: u64) -> Result<usize, ErrorKind> {
        let plan = self.map.plan();
        match plan.usable_end(size).checked_sub(plan.offset) {
            _ if size == 0 => Err(ErrorKind::Empty),
            None | Some(0) => {
                Err(ErrorKind::invalid("nothing would remain behind the mapping's offset"))
            }
            Some(length) => usize::try_from(length).map_err(|_| ErrorKind::Os(libc::EOVERFLOW)),
        }
    }

    /// Writes changed pages of a file back to its disk and waits for it, for `length` bytes from `offset` on.
    ///
    /// Other processes see changes at once without it; only the disk needs it. Harmless for other backings.
    ///
    /// Errors: `ERANGE` outside the mapping, `EIO` from the disk.
    ///
    /// [msync(2)](https://man7.org/linux/man-pages/man2/msync.2.html)
    #[doc(alias = "msync")]
    pub fn flush(&self, offset: usize, length: usize) -> Result<()> {
        self.write_back(offset, length, false, false)
    }

    /// As [`SharedMemory::flush`], without waiting (`MS_ASYNC`): the kernel writes in its own time.
    pub fn flush_async(&self, offset: usize, length: usize) -> Result<()> {
        self.write_back(offset, length, true, false)
    }

    /// As [`SharedMemory::flush`], and other mappings of the file are invalidated (`MS_INVALIDATE`).
    ///
    /// Errors: also `EBUSY` when pages are locked in memory.
    pub fn flush_invalidate(&self, offset: usize, length: usize, asynchronous: bool) -> Result<()> {
        self.write_back(offset, length, asynchronous, true)
    }

    fn write_back(
        &self,
        offset: usize,
        length: usize,
        asynchronous: bool,
        invalidate: bool,
    ) -> Result<()> {
        self.map
            .flush(offset, length, asynchronous, invalidate)
            .map_err(|kind| self.failed("flush", kind))
    }

    /// Tells the kernel what to expect of a range. Errors: `ERANGE` outside the mapping, `EINVAL` when the backing cannot.
    ///
    /// [madvise(2)](https://man7.org/linux/man-pages/man2/madvise.2.html)
    #[doc(alias = "madvise")]
    pub fn advise(&self, offset: usize, length: usize, advice: Advice) -> Result<()> {
        self.map.advise(offset, length, advice).map_err(|kind| self.failed("advise", kind))
    }

    /// Keeps this mapping's pages in memory until [`SharedMemory::unlock`] or the drop. Not inherited by fork.
    ///
    /// For System V, [`super::SystemV::lock`] locks the segment itself, for all who attach it.
    ///
    /// Errors: `ENOMEM`, `EPERM` or `EAGAIN` beyond `RLIMIT_MEMLOCK`.
    ///
    /// [mlock(2)](https://man7.org/linux/man-pages/man2/mlock.2.html)
    #[doc(alias = "mlock")]
    pub fn lock(&self) -> Result<()> {
        self.map.lock().map_err(|kind| {
            let beyond = matches!(kind.errno(), libc::ENOMEM | libc::EPERM | libc::EAGAIN);
            let error = self.failed("lock", kind);
            if beyond { super::limits::explain_memlock(error) } else { error }
        })
    }

    /// Undoes [`SharedMemory::lock`].
    #[doc(alias = "munlock")]
    pub fn unlock(&self) -> Result<()> {
        self.map.unlock().map_err(|kind| self.failed("unlock", kind))
    }
}

fn fixed() -> ErrorKind {
    ErrorKind::unsupported(
        "System V segments and anonymous memory keep their size; create a new one",
    )
}

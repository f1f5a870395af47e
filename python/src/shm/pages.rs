// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changing the size, what is done to whole pages, and removing the object.

use pyo3::prelude::*;
use unipc::{Advice, ErrorKind};

use super::SharedMemory;

#[pymethods]
impl SharedMemory {
    /// Makes the object `size` bytes long and maps all of it.
    ///
    /// New bytes are zero and their memory is taken at once. Other processes keep their view until they `refresh`;
    /// after shrinking, their pages behind the end are gone. Calls of other threads on this handle wait until it is done.
    ///
    /// Raises `BufferError` while views are alive or another thread is in a call on the handle; `OSError`: `ENOSPC`,
    /// `EOPNOTSUPP` for System V and anonymous memory, whose size is fixed, `EACCES` when read-only, `EPERM` when a seal
    /// forbids it, `EINVAL` when nothing would remain of the mapping. See ftruncate(2), mremap(2).
    ///
    /// >>> import unipc
    /// >>> with unipc.SharedMemory.create("memfd:growing", 100) as shm:
    /// ...     shm.resize(5000)
    /// ...     len(shm)
    /// 5000
    fn resize(&self, py: Python<'_>, size: usize) -> PyResult<()> {
        self.exclusive(py, |shm| shm.resize(size))
    }

    /// Maps the object as large as it is now, after another process changed its size.
    ///
    /// Raises `BufferError` as `resize` does; `OSError`: `ENODATA` when it is empty now, `EINVAL` when this mapping's
    /// offset lies behind its end.
    fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        self.exclusive(py, unipc::SharedMemory::refresh)
    }

    /// Writes changed pages of a file back to its disk, for `size` bytes from `offset` on (None: to the end).
    ///
    /// Other processes see changes at once without it; only the disk needs it. Harmless for other backings. With
    /// `wait=False` the kernel writes in its own time; with `invalidate` other mappings of the file are invalidated.
    ///
    /// Raises `OSError`: `ERANGE` outside the mapping, `EIO` from the disk, `EBUSY` when `invalidate` meets pages that
    /// are locked in memory. See msync(2).
    #[pyo3(signature = (offset = 0, size = None, wait = true, invalidate = false))]
    fn flush(
        &self,
        py: Python<'_>,
        offset: usize,
        size: Option<usize>,
        wait: bool,
        invalidate: bool,
    ) -> PyResult<()> {
        self.call(py, |shm| {
            let length = size.unwrap_or_else(|| shm.len().saturating_sub(offset));
            match (invalidate, wait) {
                (true, _) => shm.flush_invalidate(offset, length, !wait),
                (false, true) => shm.flush(offset, length),
                (false, false) => shm.flush_async(offset, length),
            }
        })
    }

    /// Tells the kernel what to expect of `size` bytes from `offset` on (None: to the end), by an `Advice`.
    ///
    /// Raises `OSError`: `ERANGE` outside the mapping, `EINVAL` when the backing or the kernel cannot. See madvise(2).
    #[pyo3(signature = (advice, offset = 0, size = None))]
    fn advise(
        &self,
        py: Python<'_>,
        advice: i32,
        offset: usize,
        size: Option<usize>,
    ) -> PyResult<()> {
        let advice = Advice::from_raw(advice).ok_or_else(|| {
            let why = format!("{advice} is not among unipc.Advice");
            self.failed("advise", ErrorKind::InvalidArgument(why.into()))
        })?;
        self.call(py, |shm| {
            let length = size.unwrap_or_else(|| shm.len().saturating_sub(offset));
            shm.advise(offset, length, advice)
        })
    }

    /// Keeps this mapping's pages in memory until `unlock` or `close`. Not inherited by fork.
    ///
    /// `shm.system_v.lock()` locks a System V segment itself, for all who attach it.
    ///
    /// Raises `OSError`: `ENOMEM`, `EPERM` or `EAGAIN` beyond `RLIMIT_MEMLOCK`. See mlock(2).
    fn lock(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, unipc::SharedMemory::lock)
    }

    /// Undoes `lock`.
    fn unlock(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, unipc::SharedMemory::unlock)
    }

    /// Removes this very object. It stays usable here and for all who have it open.
    ///
    /// With `if_unused` only when nobody else is attached, which only System V can tell.
    ///
    /// Raises `OSError`: `ESTALE` when the name belongs to another object by now, `ENOENT` (`EINVAL`, `EIDRM` for System
    /// V) when it is gone already, `EMEDIUMTYPE` when it is a symbolic link that leads to the file, `EBUSY` when `if_unused`
    /// and others are attached, `EACCES` or `EPERM` when it is somebody else's, `EOPNOTSUPP` for `memfd:` and `anon:`, which
    /// go with their last user.
    #[pyo3(signature = (if_unused = false))]
    fn remove(&self, py: Python<'_>, if_unused: bool) -> PyResult<()> {
        self.call(py, |shm| if if_unused { shm.remove_if_unused() } else { shm.remove() })
    }
}

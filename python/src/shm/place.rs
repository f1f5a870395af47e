// SPDX-License-Identifier: MIT OR Apache-2.0
//! Room for objects of other rooms, such as a semaphore, in shared memory.

use pyo3::prelude::*;
use unipc::Region;

use super::SharedMemory;
use crate::error::raise;

/// Counts as a view of the memory as long as it lives: closing or resizing the memory is a `BufferError` meanwhile.
pub(crate) struct User(Py<SharedMemory>);

impl User {
    /// Raises `OSError`: `ERANGE` outside, `EACCES` when the memory is read-only, `EOPNOTSUPP` when it is copy-on-write.
    pub(crate) fn place(
        memory: &Bound<'_, SharedMemory>,
        offset: usize,
        length: usize,
    ) -> PyResult<(Self, Region)> {
        let shm = memory.get().get(memory.py())?;
        let region = shm.region(offset, length).map_err(raise)?;
        memory.get().enter(memory.py(), |_| Ok(()))?;
        Ok((Self(memory.clone().unbind()), region))
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.0.get().leave();
    }
}

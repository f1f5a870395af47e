// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mapping that objects inside of the memory use: one for all of them, and it outlives the handle.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::SharedMemory;
use crate::error::ErrorKind;
use crate::map::Map;

/// The twin, as long as somebody uses it.
pub(super) type Twin = Mutex<Weak<Map>>;

impl SharedMemory {
    /// A second mapping of the same bytes, which stays as long as the result is kept, whatever becomes of `self`.
    ///
    /// Errors: `EACCES` for a read-only mapping, and as [`SharedMemory::view`].
    pub(crate) fn twin(&self) -> Result<Arc<Map>, ErrorKind> {
        if self.is_read_only() { Err(ErrorKind::ReadOnly) } else { self.view() }
    }

    /// Does somebody use a second mapping now?
    pub(super) fn has_twin(&self) -> bool {
        self.twin.lock().unwrap_or_else(PoisonError::into_inner).strong_count() > 0
    }

    /// As [`SharedMemory::twin`], for reading alone where this mapping is for reading alone.
    ///
    /// Errors: `EOPNOTSUPP` for a copy-on-write mapping, and those of `mmap`.
    pub(crate) fn view(&self) -> Result<Arc<Map>, ErrorKind> {
        // Whoever gets it may give its descriptor to others.
        self.position();
        let mut known = self.twin.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |map: &Arc<Map>| map.len() >= self.len() && !map.has_fault();
        if let Some(map) = known.upgrade().filter(fits) {
            return Ok(map);
        }
        let map = Arc::new(self.map.twin()?);
        *known = Arc::downgrade(&map);
        Ok(map)
    }
}

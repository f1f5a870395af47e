// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory for messages that are too large for the stack.

use std::mem::{self, MaybeUninit};
use std::sync::Mutex;

/// No more than this is kept: the largest message that a POSIX queue can have, and what stands around one.
const KEPT: usize = (16 << 20) + 4096;

/// Room for a large message, kept for the next one: given back to the allocator each time, so much memory would go to
/// the system and be faulted in again.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<u8>>);

impl Spare {
    /// Lends `size` bytes. Whoever comes while they are lent gets others.
    pub(super) fn lend<R>(&self, size: usize, work: impl FnOnce(&mut [MaybeUninit<u8>]) -> R) -> R {
        let mut room = self.0.try_lock().map(|mut kept| mem::take(&mut *kept)).unwrap_or_default();
        if room.capacity() < size {
            room = Vec::with_capacity(size);
        }
        let result = work(&mut room.spare_capacity_mut()[..size]);
        if room.capacity() <= KEPT
            && let Ok(mut kept) = self.0.try_lock()
        {
            *kept = room;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_is_lent_again_and_two_get_two() {
        let spare = Spare::default();
        let first = spare.lend(1000, |room| room.as_ptr());
        let (again, other) = spare.lend(900, |room| {
            (room.as_ptr(), spare.lend(1000, |other| (other.as_ptr(), other.len())))
        });
        assert_eq!(again, first);
        assert_eq!((other.0 == first, other.1), (false, 1000));
        assert_eq!(spare.lend(5000, |room| room.len()), 5000, "and more when it is too small");
    }

    #[test]
    fn very_much_is_not_kept() {
        let spare = Spare::default();
        spare.lend(KEPT + 1, |_| ());
        assert_eq!(spare.0.lock().unwrap().capacity(), 0);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `semop` does to one semaphore of a set.

use std::fmt;
use std::mem::offset_of;

use zerocopy::{Immutable, IntoBytes};

/// One step of [`SemaphoreSet::operate`](super::SemaphoreSet::operate): a `struct sembuf`, and laid out as it.
///
/// ```
/// use unipc::sem::Operation;
/// let take = Operation::new(0, -1).undo(true);
/// assert_eq!((take.index(), take.delta()), (0, -1));
/// assert_eq!(format!("{take:?}"), "0:-1 undo");
/// ```
#[doc(alias = "sembuf")]
#[derive(Clone, Copy, PartialEq, Eq, IntoBytes, Immutable)]
#[repr(C)]
pub struct Operation {
    index: u16,
    delta: i16,
    flags: i16,
}

const _: () = assert!(
    size_of::<Operation>() == size_of::<libc::sembuf>()
        && offset_of!(Operation, index) == offset_of!(libc::sembuf, sem_num)
        && offset_of!(Operation, delta) == offset_of!(libc::sembuf, sem_op)
        && offset_of!(Operation, flags) == offset_of!(libc::sembuf, sem_flg)
);

// Numbers of the kernel's that fit its field of 16 bits.
#[allow(clippy::cast_possible_truncation)]
const NOWAIT: i16 = libc::IPC_NOWAIT as i16;
#[allow(clippy::cast_possible_truncation)]
const UNDO: i16 = libc::SEM_UNDO as i16;

impl Operation {
    /// Semaphore `index` of the set: a positive `delta` gives back, a negative one takes and waits until it can, 0 waits
    /// until the value is 0.
    pub const fn new(index: u16, delta: i16) -> Self {
        Self { index, delta, flags: 0 }
    }

    /// Waits until the value is 0.
    pub const fn wait_zero(index: u16) -> Self {
        Self::new(index, 0)
    }

    /// From the fields of a `struct sembuf`, unchecked: the kernel ignores bits of the flags that it does not know.
    pub const fn from_raw(index: u16, delta: i16, flags: i16) -> Self {
        Self { index, delta, flags }
    }

    /// The kernel undoes it when this process ends, however it ends: `SEM_UNDO`.
    ///
    /// For what one process takes and gives back itself. A process that only gives, or only takes, would leave the sum
    /// of it all to be undone at its end; after 32767 of them the kernel refuses more (`ERANGE`).
    #[doc(alias = "SEM_UNDO")]
    #[must_use]
    pub const fn undo(self, undo: bool) -> Self {
        self.with(UNDO, undo)
    }

    /// Fails with `EAGAIN` where it would wait: `IPC_NOWAIT`. Nothing of the whole call is done then.
    #[doc(alias = "IPC_NOWAIT")]
    #[must_use]
    pub const fn no_wait(self, no_wait: bool) -> Self {
        self.with(NOWAIT, no_wait)
    }

    const fn with(self, flag: i16, on: bool) -> Self {
        let flags = if on { self.flags | flag } else { self.flags & !flag };
        Self { flags, ..self }
    }

    /// Which semaphore of the set (`sem_num`).
    pub const fn index(self) -> u16 {
        self.index
    }

    /// What is added to its value (`sem_op`).
    pub const fn delta(self) -> i16 {
        self.delta
    }

    /// The bits `SEM_UNDO` and `IPC_NOWAIT` (`sem_flg`).
    pub const fn flags(self) -> i16 {
        self.flags
    }

    pub(super) const fn waits(self) -> bool {
        self.flags & NOWAIT == 0
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:+}", self.index(), self.delta())?;
        if self.flags() & UNDO != 0 {
            f.write_str(" undo")?;
        }
        if !self.waits() {
            f.write_str(" nowait")?;
        }
        Ok(())
    }
}

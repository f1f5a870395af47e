// SPDX-License-Identifier: MIT OR Apache-2.0
//! A descriptor for one thing that has none, for somebody else's event loop.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use super::waitable::{Waitable, What};
use crate::error::{ErrorKind, Result};
use crate::watch::Watch;

/// A descriptor that is readable while one thing is ready that has no descriptor itself: a lock, an event, a System V queue.
///
/// (The ends of channels have one of their own, which is armed by the calls that find nothing.)
///
/// ```
/// use unipc::poll::{Doorbell, Wait};
/// use unipc::{SharedMemory, Timeout, sync::Event};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 4096)?;
/// let event = Event::create((&shm, 0))?;
/// let bell = Doorbell::new(&event.waitable()?)?; // give it to epoll, to an event loop
/// event.set()?;
/// // When it is readable:
/// event.wait(Timeout::TRY)?;
/// event.reset()?;
/// bell.arm()?; // tell of the next time
/// # Ok(())
/// # }
/// ```
///
/// Threads: any. fork: it is the parent's.
pub struct Doorbell {
    watch: Watch,
}

impl Doorbell {
    /// Makes one, armed.
    ///
    /// Errors: `EINVAL` for what has a descriptor; `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started.
    pub fn new(thing: &Waitable<'_>) -> Result<Self> {
        let made = match &thing.what {
            What::Source(source) => Watch::alone(source.clone()),
            What::Descriptor { .. } => Err(ErrorKind::invalid("it has a descriptor: poll that")),
        };
        made.map(|watch| Self { watch }).map_err(|kind| kind.during("doorbell", "thing"))
    }

    /// To be called when the thing could not be taken: the descriptor is unreadable after this, until the thing is ready.
    ///
    /// Errors: `EINVAL` in a child of fork; `EBUSY` when no more threads may be started.
    pub fn arm(&self) -> Result<()> {
        self.watch.arm().map_err(|kind| kind.during("arm", "doorbell"))
    }
}

impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.bell().as_fd()
    }
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorbell").field("fd", &self.as_fd()).finish()
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The descriptor of an end of a channel: readable while there is something for this end to do, see [`crate::watch`].
//!
//! It is made when somebody asks for it. From then on a try that finds nothing arms it; so it can be used like any descriptor that does not
//! block: wait until it is readable, then try, and try again until nothing is there.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};

use super::layout::Bed;
use super::memory::Memory;
use super::wait;
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::atomic::AtomicU32;
use crate::watch::{Source, Watch};

/// What one end waits for.
pub(super) struct Waiting<R, B> {
    pub(super) memory: Arc<Memory>,
    pub(super) bed: Part<Bed>,
    /// Is it there?
    pub(super) ready: R,
    /// Takes the dead out of the way.
    pub(super) bury: B,
}

impl<R, B> Source for Waiting<R, B>
where
    R: Fn() -> bool + Send + Sync,
    B: Fn() + Send + Sync,
{
    fn is_ready(&self) -> bool {
        (self.ready)()
    }

    fn lie_down(&self) -> Option<(usize, u32)> {
        Some((0, wait::lie_down(&self.bed, &self.memory.settings)))
    }

    fn word(&self, _: usize) -> Option<&AtomicU32> {
        Some(&self.bed.bell)
    }

    fn look(&self) {
        (self.bury)();
    }
}

/// The descriptor, if somebody has asked for it.
#[derive(Debug, Default)]
pub(super) struct Doorbell(OnceLock<Watch>);

impl Doorbell {
    pub(super) fn fd(
        &self,
        source: impl FnOnce() -> Arc<dyn Source>,
    ) -> Result<BorrowedFd<'_>, ErrorKind> {
        let watch = if let Some(watch) = self.0.get() {
            watch
        } else {
            let new = Watch::alone(source())?;
            self.0.get_or_init(|| new)
        };
        watch.bell().check()?;
        Ok(watch.bell().as_fd())
    }

    /// A try has found nothing. What the caller says of that, unless the descriptor cannot tell of the next chance.
    pub(super) fn nothing(&self, why: ErrorKind) -> ErrorKind {
        match self.0.get().map(Watch::arm) {
            Some(Err(error)) => error,
            _ => why,
        }
    }
}

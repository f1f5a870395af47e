// SPDX-License-Identifier: MIT OR Apache-2.0
//! Something that is done once among all processes.

mod work;

use std::sync::Arc;

use super::hold::Spin;
use super::mutex::Acquired;
use super::object::{HEAD, Kind, MAIN, Object};
use super::options::constructors;
use super::place::Place;
use super::status::{self, Holder};
use super::watch;
use crate::error::{Error, Result};
use crate::map::lines::LINE;
use crate::open::{Disposition, Mode};
use crate::time::Timeout;
use crate::watch::Source;

const KIND: Kind = Kind {
    name: *b"once\0\0\0\0",
    version: 1,
    operation: ["Once::open", "Once::create", "Once::open_or_create"],
};

/// How to create a [`Once`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct OnceOptions {
    mode: Mode,
}

/// Something that one thread of one process does, and for which all others wait.
///
/// ```
/// use unipc::sync::Once;
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 4096)?;
/// let once = Once::open_or_create((&shm, 0))?;
/// let ran = once.call(Timeout::Forever, |_| shm.write_at(1024, b"table"))?;
/// assert!(ran);
/// assert!(!once.call(Timeout::Forever, |_| unreachable!())?);
/// # Ok(())
/// # }
/// ```
///
/// Death: when the one that does it dies, the next begins anew and is told that somebody has begun before.
#[doc(alias = "pthread_once")]
#[derive(Debug)]
pub struct Once {
    object: Object,
    spin: Spin,
}

constructors!(Once, OnceOptions);

impl OnceOptions {
    /// The defaults: mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    /// The permissions of a segment that is created for the object alone.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
    ) -> Result<Once> {
        let object = KIND.establish(place, disposition, self.mode, HEAD, |_| ())?;
        Ok(Once { object, spin: Spin::default() })
    }
}

impl Once {
    /// How many bytes it takes.
    pub const SIZE: usize = HEAD * LINE;

    /// Does `work` unless it was done; true when it was done by this call. `work` is told whether somebody who died has
    /// begun before. When it fails or panics, the next call does it again.
    ///
    /// Errors: what `work` says, and those of [`Once::begin`].
    pub fn call(
        &self,
        timeout: Timeout,
        work: impl FnOnce(Acquired) -> Result<()>,
    ) -> Result<bool> {
        let Some(acquired) = self.begin(timeout)? else { return Ok(false) };
        let undone = Undone(self);
        work(acquired)?;
        std::mem::forget(undone);
        self.complete()?;
        Ok(true)
    }

    /// `None`: it is done. Otherwise it is the caller's to do; [`Once::complete`] or [`Once::abandon`] ends it.
    ///
    /// Errors: `EAGAIN` when it was a try and somebody does it now; `ETIMEDOUT`; `EINTR`; `EDEADLK` when this thread is doing
    /// it; `EFAULT` when the file lost its pages.
    pub fn begin(&self, timeout: Timeout) -> Result<Option<Acquired>> {
        if self.is_done() {
            return Ok(None);
        }
        let begun = work::begin(&self.object.lines, timeout, &self.spin);
        begun
            .map(|entered| entered.map(Acquired::from))
            .map_err(|kind| self.object.failed("begin", kind))
    }

    /// Says that it is done. Errors: `EPERM` when the calling thread is not doing it.
    pub fn complete(&self) -> Result<()> {
        self.end("complete", true)
    }

    /// Leaves it to the next. Errors: as [`Once::complete`].
    pub fn abandon(&self) -> Result<()> {
        self.end("abandon", false)
    }

    fn end(&self, operation: &'static str, done: bool) -> Result<()> {
        work::end(&self.object.lines, done).map_err(|kind| self.object.failed(operation, kind))
    }

    /// Is it done?
    #[inline]
    pub fn is_done(&self) -> bool {
        work::is_done(&self.object.lines)
    }

    /// That it is done, or that it is the caller's to do, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        watch::held(&self.object.lines, 0..0, work::is_done)
    }

    /// Who is doing it.
    pub fn holder(&self) -> Option<Holder> {
        status::holder(self.object.lines.cell(MAIN))
    }

    /// The numbers of threads that sleep, as far as there was room.
    pub fn waiters(&self) -> Vec<u32> {
        status::waiters(&self.object.lines)
    }

    /// How errors call it.
    pub fn label(&self) -> &str {
        &self.object.label
    }
}

/// Abandons what was begun, when it fails.
struct Undone<'a>(&'a Once);

impl Drop for Undone<'_> {
    fn drop(&mut self) {
        let _ = self.0.abandon();
    }
}

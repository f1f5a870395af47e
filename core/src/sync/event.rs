// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flag for which others wait.

mod flag;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::object::{HEAD, Kind, MAIN, Object};
use super::options::constructors;
use super::place::Place;
use super::{status, watch};
use crate::error::{Error, Result};
use crate::map::lines::LINE;
use crate::open::{Disposition, Mode};
use crate::time::Timeout;
use crate::watch::Source;
use flag::Flag;

const KIND: Kind = Kind {
    name: *b"event\0\0\0",
    version: 1,
    operation: ["Event::open", "Event::create", "Event::open_or_create"],
};

/// How to create an [`Event`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    auto_reset: bool,
    mode: Mode,
}

/// A flag that is set or not, and for which any number of threads of any process wait.
///
/// Manual reset (the default): it stays set until [`Event::reset`], and lets all pass. Automatic: each [`Event::set`] lets
/// one pass, which takes the flag back.
///
/// ```
/// use unipc::sync::Event;
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 4096)?;
/// let ready = Event::create((&shm, 0))?;
/// ready.set()?; // in one process
/// ready.wait(Timeout::Forever)?; // in another
/// # Ok(())
/// # }
/// ```
///
/// Death: nobody holds an event, so nobody's death harms it. A waiter that is killed between its waking and its passing has
/// not taken the flag. [`Event::set`] may be called in a child of fork and in a handler of signals.
#[derive(Debug)]
pub struct Event {
    object: Object,
    auto_reset: bool,
}

constructors!(Event, EventOptions);

impl EventOptions {
    /// The defaults: manual reset, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    /// Let one pass for each [`Event::set`]. When opening, the object's own kind counts.
    #[must_use]
    pub fn auto_reset(mut self, auto_reset: bool) -> Self {
        self.auto_reset = auto_reset;
        self
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
    ) -> Result<Event> {
        let kind = self.auto_reset.into();
        let object = KIND.establish(place, disposition, self.mode, HEAD, move |lines| {
            lines.cell(MAIN).kind.store(kind, Ordering::Relaxed);
        })?;
        let auto_reset = object.lines.cell(MAIN).kind.load(Ordering::Relaxed) != 0;
        Ok(Event { object, auto_reset })
    }
}

impl Event {
    /// How many bytes it takes.
    pub const SIZE: usize = HEAD * LINE;

    /// Sets the flag, and wakes whom it lets pass. Async-signal-safe while it succeeds.
    ///
    /// Errors: `EFAULT` when the file lost its pages.
    pub fn set(&self) -> Result<()> {
        self.flag().set();
        self.check("set")
    }

    /// Takes the flag back. Errors: as [`Event::set`].
    pub fn reset(&self) -> Result<()> {
        self.object.lines.cell(MAIN).state.store(0, Ordering::SeqCst);
        self.check("reset")
    }

    /// Is it set, at this moment?
    pub fn is_set(&self) -> bool {
        self.object.lines.cell(MAIN).state.load(Ordering::Acquire) != 0
    }

    /// Waits until it is set. With automatic reset one waiter passes.
    ///
    /// Errors: `EAGAIN` when it was a try; `ETIMEDOUT`; `EINTR`; `EFAULT` when the file lost its pages.
    pub fn wait(&self, timeout: Timeout) -> Result<()> {
        if self.flag().pass() {
            return self.check("wait");
        }
        self.flag().wait(timeout).map_err(|kind| self.object.failed("wait", kind))
    }

    fn flag(&self) -> Flag<'_> {
        Flag { lines: &self.object.lines, auto_reset: self.auto_reset }
    }

    /// That it is set, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        watch::gated(&self.object.lines, 0..0, |lines| {
            lines.cell(MAIN).state.load(Ordering::SeqCst) != 0
        })
    }

    /// Does it reset by itself?
    pub fn is_auto_reset(&self) -> bool {
        self.auto_reset
    }

    /// The numbers of threads that sleep, as far as there was room.
    pub fn waiters(&self) -> Vec<u32> {
        status::waiters(&self.object.lines)
    }

    /// How errors call it.
    pub fn label(&self) -> &str {
        &self.object.label
    }

    fn check(&self, operation: &'static str) -> Result<()> {
        self.object.lines.check().map_err(|kind| self.object.failed(operation, kind))
    }
}

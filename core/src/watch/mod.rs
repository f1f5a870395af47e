// SPDX-License-Identifier: MIT OR Apache-2.0
//! A descriptor for what has none: words in shared memory, and objects that the kernel gives no descriptor.
//!
//! A [`Bell`] is an eventfd; a [`Watch`] makes it readable when its [`Source`] is ready. In between stands one helper thread for each
//! process, which exists only while something is watched, and sleeps on the words of all that is armed at once (`futex_waitv`).
//! Who makes something ready does what he does for any sleeper, and nothing more: he looks at the word at which
//! sleepers announce themselves, and makes a system call only when there is one.
//!
//! Arm, look again, poll: [`Watch::arm`] empties the bell and hands the source to the helper, which announces itself in shared memory,
//! looks once more, and sleeps. So nothing that comes in between is missed. A bell that was rung stays so until the next arm.
//!
//! **Why a thread.** An eventfd cannot be reached from another process. What can be reached costs more, or reaches less:
//!
//! - a FIFO beside the object is a second object to be left behind, and its open ends must be found again after each death;
//! - a socket in the abstract name space is not there in another network namespace, needs a descriptor in each sender, a
//!   table of addresses in each ring, and lets anybody ring;
//! - `pidfd_getfd` and `/proc/PID/fd` need the right to trace the other process.
//!
//! The price is a second switch of threads. It is not to be paid where one thread arms, polls and asks what was told: a
//! [`LoopBell`](crate::poll::LoopBell) sleeps by `io_uring`, whose ring makes an eventfd readable from within the waker's own call. From
//! a message to a callback of asyncio this took 29 µs with a bare eventfd, 32 µs with a ring, and 37 µs with the helper. (A ring cannot serve
//! a [`Watch`], which is armed in one thread and polled in another: what a ring sleeps for belongs to the thread that said so, and ends with it.) The locks of [`crate::sync`], which have a word and no table of participants, get their descriptor in the same way, and no
//! layout changes. Nothing is left behind: the announcement of a thread that was killed is a count that is too high, or a bit too many, which the next
//! one to ring puts right.
//!
//! **One wake-up for one sleeper.** The helper takes nothing, so it passes on each wake-up that it gets: a sleeper in another process does
//! not miss his turn because the one who polls does something else. (A ring's thread passes it on when it comes to it; until then, if it is
//! busy, such a sleeper sleeps on to his own next look, at most 0.4 s.)
//!
//! **What has no word** is looked at: every millisecond at first, and then at longer intervals up to [`SLOWEST`]. Everything is looked at
//! every [`LOOK`], since somebody may be killed between making something ready and saying so.
//!
//! **fork.** The helper is the parent's, and so is each bell: a child's use of one is refused.

mod helper;
mod rest;

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::error::ErrorKind;
use crate::sys::fork;

pub(crate) use rest::Rest;

/// The longest time between two looks at what has no word.
pub(crate) const SLOWEST: Duration = Duration::from_millis(10);
/// The longest time between two looks at what has one.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// Something that can be waited for, and that is not taken by waiting.
pub(crate) trait Source: Send + Sync {
    /// Is it there, as far as a look can tell?
    fn is_ready(&self) -> bool;

    /// Announces a sleeper: which word to sleep on, and while it has which value. Whoever calls it looks once more after it. `None` when there is no
    /// word, or none now.
    fn lie_down(&self) -> Option<(usize, u32)> {
        None
    }

    /// The word of this number.
    fn word(&self, _which: usize) -> Option<&AtomicU32> {
        None
    }

    /// Takes back what [`Source::lie_down`] has announced.
    fn get_up(&self) {}

    /// Done from time to time: looks whether somebody has died who is waited for.
    fn look(&self) {}
}

/// What becomes readable.
#[derive(Debug)]
pub(crate) struct Bell {
    fd: EventFd,
    process: u32,
}

/// What is known of one source.
struct Entry {
    source: Arc<dyn Source>,
    bell: Arc<Bell>,
    armed: AtomicBool,
}

/// A source that rings a bell.
pub(crate) struct Watch {
    entry: Arc<Entry>,
    /// The helper has had it at some time.
    handed: AtomicBool,
}

impl Bell {
    /// Errors: `EMFILE`, `ENFILE`, `ENOMEM`.
    pub(crate) fn new() -> nix::Result<Arc<Self>> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let fd = EventFd::from_value_and_flags(0, flags)?;
        Ok(Arc::new(Self { fd, process: fork::generation() }))
    }

    /// Makes it unreadable.
    pub(crate) fn clear(&self) {
        // Nothing there: nothing to clear.
        let _ = self.fd.read();
    }

    pub(crate) fn ring(&self) {
        // A full counter is readable as well.
        let _ = self.fd.write(1);
    }

    /// Errors: `EINVAL` in a child of fork.
    pub(crate) fn check(&self) -> Result<(), ErrorKind> {
        if self.process == fork::generation() {
            return Ok(());
        }
        Err(ErrorKind::invalid("this is the parent's: a child of fork makes its own"))
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Watch {
    /// A watch that is not armed yet.
    pub(crate) fn new(bell: Arc<Bell>, source: Arc<dyn Source>) -> Self {
        let entry = Entry { source, bell, armed: AtomicBool::new(false) };
        Self { entry: Arc::new(entry), handed: AtomicBool::new(false) }
    }

    /// A watch with a bell of its own, armed.
    pub(crate) fn alone(source: Arc<dyn Source>) -> Result<Self, ErrorKind> {
        let watch = Self::new(Bell::new()?, source);
        watch.arm()?;
        Ok(watch)
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.entry.bell
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.entry.source.is_ready()
    }

    /// Empties a bell that is this source's alone, and lets it ring when the source is ready: at once, if it is now. Costs a load while
    /// it is armed.
    ///
    /// Errors: `EINVAL` in a child of fork; `EAGAIN` when there can be no thread.
    #[inline]
    pub(crate) fn arm(&self) -> Result<(), ErrorKind> {
        self.entry.bell.check()?;
        if self.is_armed() {
            return Ok(());
        }
        self.arm_slowly()
    }

    /// Is it waited for, and was not told yet?
    pub(crate) fn is_armed(&self) -> bool {
        // SYNC: acquire pairs with the release of the helper.
        self.entry.armed.load(Ordering::Acquire)
    }

    #[cold]
    fn arm_slowly(&self) -> Result<(), ErrorKind> {
        self.handed.store(true, Ordering::Relaxed);
        helper::of_this_process().arm(&self.entry).map_err(no_thread)
    }

    /// Lets a bell that these have in common ring when one of them is ready.
    ///
    /// Errors: as [`Watch::arm`].
    pub(crate) fn join<'a>(watches: impl Iterator<Item = &'a Self>) -> Result<(), ErrorKind> {
        let mut entries = Vec::new();
        for watch in watches {
            watch.entry.bell.check()?;
            watch.handed.store(true, Ordering::Relaxed);
            entries.push(&watch.entry);
        }
        helper::of_this_process().join(&entries).map_err(no_thread)
    }

    /// No longer lets the bell ring.
    pub(crate) fn disarm(&self) {
        if self.is_armed() && self.entry.bell.check().is_ok() {
            helper::of_this_process().disarm(&self.entry);
        }
    }
}

fn no_thread(errno: Errno) -> ErrorKind {
    match errno {
        Errno::EAGAIN => ErrorKind::Busy("no more threads may be started".into()),
        other => other.into(),
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // In a child of fork there is no helper that could have it.
        if self.handed.load(Ordering::Relaxed) && self.entry.bell.check().is_ok() {
            helper::of_this_process().forget(&self.entry);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("bell", &self.entry.bell).finish_non_exhaustive()
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io_uring(7)`: sleeping on any number of words without a thread that sleeps. Since Linux 6.7, where it is allowed.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use io_uring::types::Timespec;
use io_uring::{IoUring, Probe, opcode, squeue};
use nix::errno::Errno;

use super::futex::FUTEX_32;

/// Each order is submitted by itself, and what is told may wait in the kernel: it needs no more.
const ENTRIES: u32 = 8;
/// Whoever wakes the word wakes this sleeper.
const ANYBODY: u64 = 0xffff_ffff;

/// The tag of what tells of no word.
const NOTHING: u64 = u64::MAX;

/// Sleepers of one thread. An eventfd becomes readable when there is something to be told.
pub(crate) struct Ring {
    ring: IoUring,
    /// An order was refused, and may be in the queue still: nothing is submitted any more.
    is_stuck: bool,
}

impl Ring {
    /// For this thread. `bell` is an eventfd.
    ///
    /// Errors: many, where it is not there (`ENOSYS`, `EINVAL`), or not allowed (`EPERM`).
    pub(crate) fn new(bell: BorrowedFd<'_>) -> nix::Result<Self> {
        // Whoever wakes does no more than make the eventfd readable; this thread does the rest when it asks what there is.
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .build(ENTRIES)
            .map_err(errno)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe).map_err(errno)?;
        if !probe.is_supported(opcode::FutexWait::CODE) {
            return Err(Errno::ENOSYS);
        }
        ring.submitter().register_eventfd(bell.as_raw_fd()).map_err(errno)?;
        Ok(Self { ring, is_stuck: false })
    }

    /// Sleeps while the word is `expected`; what becomes of it is told with the tag, once. Errors: `EEXIST` in another thread.
    pub(crate) fn wait(&mut self, word: &AtomicU32, expected: u32, tag: u64) -> nix::Result<()> {
        let wait = opcode::FutexWait::new(word.as_ptr(), expected.into(), ANYBODY, FUTEX_32);
        self.submit(&wait.build().user_data(tag))
    }

    /// Tells the tag after a while. Errors: as [`Ring::wait`].
    pub(crate) fn pause(&mut self, pause: Duration, tag: u64) -> nix::Result<()> {
        let pause = Timespec::from(pause);
        self.submit(&opcode::Timeout::new(&raw const pause).build().user_data(tag))
    }

    /// Sleeps no longer; what became of it is told by the next [`Ring::told`]. Errors: as [`Ring::wait`].
    pub(crate) fn cancel(&mut self, tag: u64) -> nix::Result<()> {
        self.submit(&opcode::AsyncCancel::new(tag).build().user_data(NOTHING))
    }

    fn submit(&mut self, order: &squeue::Entry) -> nix::Result<()> {
        if self.is_stuck {
            return Err(Errno::EBUSY);
        }
        // SAFETY: what it points to lives until the call below is over, which takes it from the queue (or else there is no other
        // such call): there the kernel copies the time, and compares the word. After that the word's address is a name
        // alone, as in `futex::wake`.
        let pushed = unsafe { self.ring.submission().push(order) };
        pushed.map_err(|_| Errno::EBUSY)?;
        let submitted = self.ring.submit().map_err(errno);
        self.is_stuck = submitted != Ok(1);
        match submitted {
            Ok(1) => Ok(()),
            Ok(_) => Err(Errno::EBUSY),
            Err(errno) => Err(errno),
        }
    }

    /// What is told: the tags, each with 0 or an errno.
    ///
    /// Errors: as [`Ring::wait`].
    pub(crate) fn told(&mut self, tell: &mut Vec<(u64, Errno)>) -> nix::Result<()> {
        while self.has_news() {
            if self.is_stuck {
                return Err(Errno::EBUSY);
            }
            if self.is_behind() {
                self.ring.submit().map_err(errno)?;
            }
            let told = self.ring.completion();
            let told = told.map(|told| (told.user_data(), Errno::from_raw(-told.result())));
            tell.extend(told.filter(|(tag, _)| *tag != NOTHING));
        }
        Ok(())
    }

    /// Is there something that was not told?
    pub(crate) fn has_news(&mut self) -> bool {
        self.is_behind() || !self.ring.completion().is_empty()
    }

    /// Must the kernel be asked for it?
    fn is_behind(&mut self) -> bool {
        let orders = self.ring.submission();
        orders.taskrun() || orders.cq_overflow()
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn errno(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

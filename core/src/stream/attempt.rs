// SPDX-License-Identifier: MIT OR Apache-2.0
//! One call that moves bytes, in the way that each kind of descriptor knows; and what is done when it has to wait.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering;

use nix::errno::Errno;
use nix::poll::PollFlags;

use super::{Kind, Limit, Stream};
use crate::error::ErrorKind;
use crate::time::Timeout;
use crate::{fd, interrupt, sys};

impl<F: AsFd> Stream<F> {
    #[inline(always)]
    pub(super) fn read_once(&self, room: &mut [MaybeUninit<u8>], wait: bool) -> nix::Result<usize> {
        let fd = self.as_fd();
        let read = match self.kind {
            Kind::Socket => return sys::stream::receive(fd, room, wait),
            Kind::Pipe | Kind::File if wait => sys::stream::read(fd, room),
            Kind::Pipe | Kind::File => sys::stream::read_now(fd, room),
        };
        match read {
            Ok(0) => self.read_nothing(),
            other => other,
        }
    }

    /// A read that gave nothing: of a FIFO that was opened without waiting the first writer may not have come yet.
    #[cold]
    #[inline(never)]
    fn read_nothing(&self) -> nix::Result<usize> {
        if self.kind == Kind::Pipe && !has_ended(self.as_fd())? {
            Err(Errno::EAGAIN)
        } else {
            Ok(0)
        }
    }

    #[inline(always)]
    pub(super) fn write_once(&self, bytes: &[u8], wait: bool) -> nix::Result<usize> {
        match self.kind {
            Kind::Socket => sys::stream::send(self.as_fd(), bytes, wait),
            Kind::Pipe | Kind::File if wait && self.sigpipe() => {
                sys::stream::write_plainly(self.as_fd(), bytes)
            }
            Kind::Pipe | Kind::File => sys::stream::write(self.as_fd(), bytes, wait),
        }
    }

    #[inline]
    pub(super) fn write_parts_once(&self, parts: &[IoSlice<'_>], wait: bool) -> nix::Result<usize> {
        match self.kind {
            Kind::Socket => sys::stream::send_parts(self.as_fd(), parts, wait),
            Kind::Pipe | Kind::File if wait && self.sigpipe() => nix::sys::uio::writev(self, parts),
            Kind::Pipe | Kind::File => sys::stream::write_parts(self.as_fd(), parts, wait),
        }
    }

    /// Makes a call that moves bytes again, after it failed as told, or could only have waited: `call(true)` may wait,
    /// `call(false)` must not.
    #[cold]
    #[inline(never)]
    pub(super) fn attempt_again(
        &self,
        mut failed: Option<Errno>,
        limit: &mut Limit,
        events: PollFlags,
        call: &mut dyn FnMut(bool) -> nix::Result<usize>,
    ) -> Result<usize, ErrorKind> {
        let may_wait = limit.is_forever();
        while let Some(errno) = failed {
            match errno {
                // Somebody has set O_NONBLOCK, or a call without waiting has nothing to do.
                Errno::EAGAIN => limit.wait(self.as_fd(), events)?,
                Errno::EOPNOTSUPP if !may_wait => self.note_that_it_must_wait(),
                other => return Err(other.into()),
            }
            if !may_wait && self.must_wait() {
                break;
            }
            match call(may_wait) {
                Ok(count) => return Ok(count),
                Err(errno) => failed = Some(errno),
            }
        }
        loop {
            limit.wait(self.as_fd(), events)?;
            // EAGAIN of the call is told apart from that of a timer which cannot be had.
            let moved = interrupt::until(limit.deadline(), || match call(true) {
                Err(Errno::EAGAIN) => Ok(None),
                other => other.map(Some),
            });
            match moved {
                Ok(None) => {}
                Ok(Some(count)) => return Ok(count),
                Err(ErrorKind::TimedOut) => return Err(limit.expired()),
                Err(other) => return Err(other),
            }
        }
    }

    pub(super) fn now(
        &self,
        call: impl FnOnce() -> nix::Result<usize>,
    ) -> nix::Result<Option<usize>> {
        if self.must_wait() {
            return Ok(None);
        }
        match call() {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            Err(Errno::EOPNOTSUPP) => {
                self.note_that_it_must_wait();
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// May a first attempt wait? `Err(None)` where it would have to, but must not.
    #[inline(always)]
    pub(super) fn may_wait(&self, timeout: Timeout) -> Result<bool, Option<Errno>> {
        let wait = timeout == Timeout::Forever;
        if wait || !self.must_wait() { Ok(wait) } else { Err(None) }
    }

    #[inline]
    pub(super) fn must_wait(&self) -> bool {
        // SYNC: a fact about the descriptor, found out again where it is not seen.
        self.must_wait.load(Ordering::Relaxed)
    }

    #[cold]
    fn note_that_it_must_wait(&self) {
        // SYNC: as above.
        self.must_wait.store(true, Ordering::Relaxed);
    }
}

/// Has the last writer gone, and is nothing left to read?
fn has_ended(fd: BorrowedFd<'_>) -> nix::Result<bool> {
    let now = Timeout::TRY.deadline();
    let events = fd::wait(fd, PollFlags::POLLIN, now)?;
    Ok(events.contains(PollFlags::POLLHUP) && !events.contains(PollFlags::POLLIN))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes through descriptors: what pipes, FIFOs, stream sockets and terminals have in common.
//!
//! Every call takes a [`Timeout`], whatever `O_NONBLOCK` says, and none of them changes that flag, which
//! belongs to everybody who has the same open file. How a limit is kept:
//!
//! - sockets are asked with `MSG_DONTWAIT`, pipes with `RWF_NOWAIT` (`preadv2`, Linux 6.4), and `ppoll` waits in between;
//! - what cannot be asked so (a FIFO opened by name, a terminal, a pipe on an older kernel) is waited for with `ppoll`,
//!   and then the blocking call is made with a timer that ends it, because another reader may have been faster, and
//!   because a pipe with some room still blocks a write that needs more.
//!
//! No call raises SIGPIPE unless that is asked for ([`set_sigpipe`](crate::pipe::End::set_sigpipe)): sockets have
//! `MSG_NOSIGNAL`, pipes `RWF_NOSIGNAL` (Linux 6.18); before that the signal is blocked for the thread during the call and
//! the one that the call caused is taken away.
//!
//! With a few bytes that makes a write and a read of a pipe take 1.18 times as long as `write` and `read`, nearly all of it
//! in the kernel: `pwritev2` takes 100 to 120 ns more than `write` on a machine where both calls together take 670 ns, with
//! or without the flag, and whether libc's function or the bare instruction calls it. `vmsplice` takes 140 ns more (and
//! sends the signal), blocking the signal around a `write` 420 ns. That the signal is ignored or blocked already cannot be
//! known without a call into the kernel, and may change at any time.
//!
//! [`FrameReader`] and [`FrameWriter`] put records on any of them.

#![allow(
    clippy::inline_always,
    reason = "each return after a system call is one that the processor has not foreseen"
)]

mod attempt;
mod frame;
mod limit;

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::stat::{SFlag, fstat};

pub use frame::{FRAME_ATOMIC, FRAME_LIMIT, FrameReader, FrameWriter};
pub(crate) use limit::Limit;

use crate::error::ErrorKind;
use crate::time::Timeout;
use crate::{fd, sys};

/// How a descriptor is asked for one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `recv` and `send` with flags.
    Socket,
    /// A pipe or FIFO: `preadv2` and `pwritev2` with flags, where the kernel can.
    Pipe,
    /// Anything else, as a pipe.
    File,
}

impl Kind {
    pub(crate) fn of(fd: impl AsFd) -> nix::Result<Self> {
        let kind = SFlag::from_bits_truncate(fstat(fd)?.st_mode & SFlag::S_IFMT.bits());
        Ok(match kind {
            SFlag::S_IFSOCK => Self::Socket,
            SFlag::S_IFIFO => Self::Pipe,
            _ => Self::File,
        })
    }
}

/// How many bytes a first attempt moved; the error is `None` where it could only have waited. It is split from what follows
/// so that the usual case is short.
pub(crate) type First = Result<usize, Option<Errno>>;

/// A descriptor with what is known about it. Shared by reference between threads; the kernel keeps order.
#[derive(Debug)]
pub(crate) struct Stream<F = OwnedFd> {
    fd: F,
    kind: Kind,
    /// It cannot be asked for one attempt without waiting, which was tried.
    must_wait: AtomicBool,
    /// A write that waits may raise SIGPIPE.
    sigpipe: AtomicBool,
}

impl<F: AsFd> AsFd for Stream<F> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Room for bytes as room that need not hold values yet.
#[inline]
pub(crate) fn uninit(room: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    sys::stream::uninit(room)
}

impl<F: AsFd> Stream<F> {
    /// Looks what the descriptor is.
    pub(crate) fn new(fd: F) -> nix::Result<Self> {
        let kind = Kind::of(&fd)?;
        Ok(Self::known(fd, kind))
    }

    /// A descriptor of a known kind.
    #[inline]
    pub(crate) fn known(fd: F, kind: Kind) -> Self {
        Self { fd, kind, must_wait: AtomicBool::new(false), sigpipe: AtomicBool::new(false) }
    }

    /// May a write that waits raise SIGPIPE? Of a socket none does.
    pub(crate) fn set_sigpipe(&self, allowed: bool) {
        // SYNC: only whether one call or the other writes; both do what they say whenever this changes.
        self.sigpipe.store(allowed, Ordering::Relaxed);
    }

    /// As it was set.
    #[inline]
    pub(crate) fn sigpipe(&self) -> bool {
        // SYNC: as above.
        self.sigpipe.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn into_fd(self) -> F {
        self.fd
    }

    /// How many bytes wait to be read: `FIONREAD`.
    pub(crate) fn waiting(&self) -> nix::Result<usize> {
        sys::stream::waiting(self.as_fd())
    }

    /// Reads what is there, at most the room: how many bytes, 0 at the end of the stream. Waits for the first if the limit
    /// is for ever; when it failed, `read_again` is next.
    #[inline(always)]
    pub(crate) fn first_read(&self, room: &mut [MaybeUninit<u8>], timeout: Timeout) -> First {
        if room.is_empty() {
            return Ok(0);
        }
        self.read_once(room, self.may_wait(timeout)?).map_err(Some)
    }

    /// Writes, at least one byte, and returns how many went. Without a limit all of them go, unless a signal comes; with
    /// one, what fits at once; when it failed, `write_again` is next. Up to `PIPE_BUF` bytes go into a pipe together or not
    /// at all.
    #[inline(always)]
    pub(crate) fn first_write(&self, bytes: &[u8], timeout: Timeout) -> First {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.write_once(bytes, self.may_wait(timeout)?).map_err(Some)
    }

    /// Reads after a first attempt that failed.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`: nothing was read.
    #[cold]
    pub(crate) fn read_again(
        &self,
        failed: Option<Errno>,
        room: &mut [MaybeUninit<u8>],
        limit: &mut Limit,
    ) -> Result<usize, ErrorKind> {
        self.attempt_again(failed, limit, PollFlags::POLLIN, &mut |wait| self.read_once(room, wait))
    }

    /// Writes after a first attempt that failed.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`, `EPIPE`: nothing was written.
    #[cold]
    pub(crate) fn write_again(
        &self,
        failed: Option<Errno>,
        bytes: &[u8],
        limit: &mut Limit,
    ) -> Result<usize, ErrorKind> {
        let again = &mut |wait| self.write_once(bytes, wait);
        self.attempt_again(failed, limit, PollFlags::POLLOUT, again)
    }

    /// Fills the room.
    ///
    /// Errors: as `read_rest`.
    #[inline]
    pub(crate) fn read_exact_within(
        &self,
        room: &mut [MaybeUninit<u8>],
        limit: &mut Limit,
    ) -> Result<(), ErrorKind> {
        let first = self.first_read(room, limit.timeout());
        if first == Ok(room.len()) { Ok(()) } else { self.read_rest(first, room, limit) }
    }

    /// Fills the room after a first read that did not.
    ///
    /// Errors: `EndOfStream` when nothing came any more, `Cut` when the stream ended in between; `Partial` with the cause
    /// when some bytes were read before it.
    #[cold]
    pub(crate) fn read_rest(
        &self,
        first: First,
        room: &mut [MaybeUninit<u8>],
        limit: &mut Limit,
    ) -> Result<(), ErrorKind> {
        let total = room.len();
        let mut done = 0;
        let mut read = first.or_else(|failed| self.read_again(failed, room, limit));
        loop {
            match read {
                Ok(0) => return Err(ErrorKind::ended(done, total)),
                Ok(more) => done += more,
                Err(cause) => return Err(cause.after(done, total)),
            }
            if done == total {
                return Ok(());
            }
            read = self.read_within(&mut room[done..], limit);
        }
    }

    /// Writes all bytes; the error tells how many went.
    #[inline]
    pub(crate) fn write_all_within(
        &self,
        bytes: &[u8],
        limit: &mut Limit,
    ) -> Result<(), (ErrorKind, usize)> {
        let first = self.first_write(bytes, limit.timeout());
        if first == Ok(bytes.len()) { Ok(()) } else { self.write_rest(first, [bytes, b""], limit) }
    }

    /// Writes two parts one behind the other; the error tells how many bytes went. What a pipe takes together, up to
    /// `PIPE_BUF` bytes of both, goes so or not at all.
    #[inline]
    pub(crate) fn write_all_parts_within(
        &self,
        parts: [&[u8]; 2],
        limit: &mut Limit,
    ) -> Result<(), (ErrorKind, usize)> {
        let first = self.first_write_parts(parts, limit.timeout());
        let all = parts[0].len() + parts[1].len();
        if first == Ok(all) { Ok(()) } else { self.write_rest(first, parts, limit) }
    }

    /// Writes the rest after a first write that did not take all; the error tells how many bytes went.
    #[cold]
    pub(crate) fn write_rest(
        &self,
        first: First,
        parts: [&[u8]; 2],
        limit: &mut Limit,
    ) -> Result<(), (ErrorKind, usize)> {
        let all = parts[0].len() + parts[1].len();
        let mut done = 0;
        let mut written = first.or_else(|failed| self.write_parts_again(failed, parts, limit));
        loop {
            let more = match written {
                Ok(more) => more,
                Err(cause) => return Err((cause, done)),
            };
            done += more;
            if done == all {
                return Ok(());
            }
            if more < most_at_once() && self.was_interrupted(limit) {
                return Err((ErrorKind::Os(libc::EINTR), done));
            }
            written = self.write_parts_within(behind(parts, done), limit);
        }
    }

    /// After a write that did not take all: a call that waits stops short when a signal came, which it does not say, or
    /// for a reason that the next call says: the other side has gone or receives no more, a file is full.
    #[cold]
    fn was_interrupted(&self, limit: &mut Limit) -> bool {
        let waited = limit.is_forever() || self.must_wait();
        if !waited || fd::is_nonblocking(&self.fd).unwrap_or(true) || limit.deadline().has_passed()
        {
            return false;
        }
        // No signal ends a write to a file.
        if self.kind == Kind::File && fd::regular_file(&self.fd).is_ok() {
            return false;
        }
        let gone = PollFlags::POLLERR | PollFlags::POLLHUP;
        let is_there = fd::wait(self.as_fd(), PollFlags::POLLOUT, Timeout::TRY.deadline())
            .is_ok_and(|events| !events.intersects(gone));
        // No poll shows that the peer of a socket receives no more; sending nothing does.
        is_there
            && (self.kind != Kind::Socket || sys::stream::send(self.as_fd(), b"", false).is_ok())
    }

    /// Reads if that needs no waiting; `None` when nothing is there, or when it costs more to ask than to read.
    pub(crate) fn read_now(&self, room: &mut [MaybeUninit<u8>]) -> nix::Result<Option<usize>> {
        if room.is_empty() {
            return Ok(Some(0));
        }
        if self.kind != Kind::Socket {
            // `preadv2` takes longer than `read` by more than an interpreter needs to let others run.
            return Ok(None);
        }
        self.now(|| self.read_once(room, false))
    }

    /// Writes what fits if that needs no waiting; `None` when nothing fits, when that cannot be told without waiting, or when
    /// it costs more to ask than to write.
    pub(crate) fn write_now(&self, bytes: &[u8]) -> nix::Result<Option<usize>> {
        if bytes.is_empty() {
            return Ok(Some(0));
        }
        if self.kind != Kind::Socket && self.sigpipe() {
            // As in `read_now`.
            return Ok(None);
        }
        self.now(|| self.write_once(bytes, false))
    }

    /// A first read, and what follows it.
    #[inline]
    pub(crate) fn read_within(
        &self,
        room: &mut [MaybeUninit<u8>],
        limit: &mut Limit,
    ) -> Result<usize, ErrorKind> {
        self.first_read(room, limit.timeout())
            .or_else(|failed| self.read_again(failed, room, limit))
    }

    /// Writes two parts one behind the other, as `first_write`, and what follows it.
    pub(crate) fn write_parts_within(
        &self,
        parts: [&[u8]; 2],
        limit: &mut Limit,
    ) -> Result<usize, ErrorKind> {
        self.first_write_parts(parts, limit.timeout())
            .or_else(|failed| self.write_parts_again(failed, parts, limit))
    }

    #[inline(always)]
    fn first_write_parts(&self, [first, second]: [&[u8]; 2], timeout: Timeout) -> First {
        if second.is_empty() {
            return self.first_write(first, timeout);
        }
        let parts = [IoSlice::new(first), IoSlice::new(second)];
        self.write_parts_once(&parts, self.may_wait(timeout)?).map_err(Some)
    }

    #[cold]
    fn write_parts_again(
        &self,
        failed: Option<Errno>,
        [first, second]: [&[u8]; 2],
        limit: &mut Limit,
    ) -> Result<usize, ErrorKind> {
        if second.is_empty() {
            return self.write_again(failed, first, limit);
        }
        let parts = [IoSlice::new(first), IoSlice::new(second)];
        let again = &mut |wait| self.write_parts_once(&parts, wait);
        self.attempt_again(failed, limit, PollFlags::POLLOUT, again)
    }
}

/// How many bytes the kernel moves at most in one call, whatever it is asked for: see
/// [`write(2)`](https://man7.org/linux/man-pages/man2/write.2.html).
fn most_at_once() -> usize {
    0x7fff_ffff & !(sys::page_size() - 1)
}

/// What is left of two parts behind the first `done` bytes of them.
pub(crate) fn behind([first, second]: [&[u8]; 2], done: usize) -> [&[u8]; 2] {
    match first.get(done..) {
        Some(rest) => [rest, second],
        None => [&second[done - first.len()..], b""],
    }
}

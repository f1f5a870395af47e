// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as something to read.

use std::cell::RefCell;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use nix::errno::Errno;
use nix::poll::PollFlags;
use zerocopy::FromZeros;

use super::{Info, Set};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::pid::this_thread;
use crate::sys::signal::Record;
use crate::time::Timeout;
use crate::{fd, sys};

/// The streams that a thread has opened, and what they have blocked in it.
#[derive(Default)]
struct Streams {
    /// What each of them wants blocked; gone where it was dropped, in whatever thread.
    wanted: Vec<Weak<AtomicU64>>,
    /// What was not blocked before.
    blocked: u64,
}

thread_local!(static STREAMS: RefCell<Streams> = RefCell::default());

impl Streams {
    fn enter(&mut self, wanted: &Arc<AtomicU64>) {
        self.wanted.retain(|other| other.strong_count() > 0);
        // What one that was dropped elsewhere has left blocked is the program's own by now.
        self.blocked &= self.all_wanted();
        self.wanted.push(Arc::downgrade(wanted));
    }

    fn all_wanted(&self) -> u64 {
        let wanted = self.wanted.iter().filter_map(Weak::upgrade);
        // SYNC: one thread alone writes them, this one.
        wanted.fold(0, |all, one| all | one.load(Ordering::Relaxed))
    }

    /// What is to be unblocked when this stream goes: what they have blocked, and none of the others wants.
    fn leave(&mut self, leaving: &Arc<AtomicU64>) -> u64 {
        self.wanted.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(leaving)));
        // SYNC: as above.
        let unblocked = leaving.swap(0, Ordering::Relaxed) & self.blocked & !self.all_wanted();
        self.blocked &= !unblocked;
        unblocked
    }
}

/// How many records one system call brings.
const BATCH: usize = 32;

/// Signals as a stream with a descriptor: [`signalfd(2)`](https://man7.org/linux/man-pages/man2/signalfd.2.html).
///
/// The descriptor is readable when one of the signals is pending. They come lowest number first, those of one
/// real-time number in the order of sending, with sender, value and code. No code runs inside a signal handler, and
/// nothing is lost that the kernel has accepted; that a standard signal is pending only once, it decides before.
///
/// [`Stream::open`] blocks the signals in the calling thread, since a signal that no one blocks acts instead of
/// coming here. Open it in the first thread, **before** others start; these inherit the mask. Where threads run
/// already (of a numerical library, say), see [`super::Counter`], which needs no mask.
///
/// Threads: `Sync`; each signal goes to one of those who read. A signal that was sent to a thread alone is seen by
/// that thread alone. Dropping it unblocks, in the thread that opened it, what it has blocked there and no other stream of
/// that thread wants; what is pending then acts. Dropped in another thread it leaves the masks alone.
///
/// fork: a child that reads takes its own signals, not its parent's; but an epoll set that was made before the fork
/// reports the parent's. exec: the descriptor closes, the mask stays, so the new program starts with the signals
/// blocked.
///
/// ```
/// use unipc::signal::{self, Set, Signal, Stream};
/// use unipc::Timeout;
/// let stream = Stream::open(Set::from([Signal::USR1, Signal::TERM]))?;
/// signal::raise(Signal::USR1)?;
/// assert_eq!(stream.read(Timeout::Forever)?.signal, Signal::USR1);
/// assert_eq!(stream.read(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "signalfd")]
#[derive(Debug)]
pub struct Stream {
    fd: OwnedFd,
    set: AtomicU64,
    /// Does it block its signals in the thread that opened it?
    blocks: bool,
    thread: u64,
    /// What is to be blocked there, as long as it lives.
    wanted: Arc<AtomicU64>,
}

impl Stream {
    /// A stream of these signals, which the calling thread blocks from now on.
    ///
    /// Errors: `EINVAL` there is nothing in the set to wait for; `EMFILE`, `ENFILE`.
    pub fn open(set: Set) -> Result<Self> {
        let mut stream = Self::open_keeping_mask(set)?;
        stream.blocks = true;
        // A thread that is ending gets no mask back.
        let _ = STREAMS.try_with(|streams| streams.borrow_mut().enter(&stream.wanted));
        stream.block()?;
        Ok(stream)
    }

    /// A stream of signals that the program blocks itself; the mask stays as it is.
    ///
    /// Errors: as [`Stream::open`].
    pub fn open_keeping_mask(set: Set) -> Result<Self> {
        let opened = set.waitable().and_then(|set| Ok(sys::signal::signalfd(None, set.bits())?));
        match opened {
            Ok(Some(fd)) => {
                let thread = this_thread();
                let set = AtomicU64::new(set.bits());
                Ok(Self { fd, set, blocks: false, thread, wanted: Arc::default() })
            }
            Ok(None) => Err(failed(Errno::EBADF.into(), "open", set)),
            Err(kind) => Err(failed(kind, "open", set)),
        }
    }

    /// Which signals come.
    pub fn set(&self) -> Set {
        // SYNC: the set alone; the kernel has its own.
        Set::from_bits(self.set.load(Ordering::Relaxed))
    }

    /// From now on these signals come, through the same descriptor. The thread that opened the stream by
    /// [`Stream::open`] blocks what is new in the set, if it is the one that calls; another one sees to it itself.
    ///
    /// Errors: as [`Stream::open`].
    pub fn change(&self, set: Set) -> Result<()> {
        let fd = self.fd.as_fd();
        let changed =
            set.waitable().and_then(|set| Ok(sys::signal::signalfd(Some(fd), set.bits())?));
        changed.map_err(|kind| failed(kind, "change", set))?;
        // SYNC: as in `set`.
        self.set.store(set.bits(), Ordering::Relaxed);
        self.block()
    }

    fn block(&self) -> Result<()> {
        if self.blocks && self.thread == this_thread() {
            let masked = super::block(self.set())?;
            let added = self.set() - masked.before();
            masked.keep();
            // SYNC: one thread alone reads and writes it.
            self.wanted.fetch_or(self.set().bits(), Ordering::Relaxed);
            let _ = STREAMS.try_with(|streams| streams.borrow_mut().blocked |= added.bits());
        }
        Ok(())
    }

    /// Takes the next signal.
    ///
    /// Errors: as [`super::wait`].
    #[inline]
    pub fn read(&self, timeout: Timeout) -> Result<Info> {
        self.when_there(timeout, || {
            let mut record = [Record::new_zeroed()];
            match sys::signal::read_records(self.as_fd(), &mut record) {
                Ok(_) => Ok(Some(Info::from_record(&record[0]))),
                Err(Errno::EAGAIN) => Ok(None),
                Err(errno) => Err(errno.into()),
            }
        })
        .map_err(|kind| failed(kind, "read", self.set()))
    }

    /// Takes up to `most` signals, in order; waits until there is one.
    ///
    /// Errors: as [`super::wait`]; `EINVAL` when `most` is 0.
    pub fn read_many(&self, most: usize, timeout: Timeout) -> Result<Vec<Info>> {
        let read = || {
            let infos = self.available(most)?;
            Ok((!infos.is_empty()).then_some(infos))
        };
        let taken = match most {
            0 => Err(ErrorKind::invalid("room for 0 signals")),
            _ => self.when_there(timeout, read),
        };
        taken.map_err(|kind| failed(kind, "read_many", self.set()))
    }

    /// Reads, and where nothing is there, waits and reads again: another reader may have been faster.
    #[inline]
    fn when_there<T>(
        &self,
        timeout: Timeout,
        mut read: impl FnMut() -> Result<Option<T>, ErrorKind>,
    ) -> Result<T, ErrorKind> {
        if let Some(taken) = read()? {
            return Ok(taken);
        }
        let deadline = timeout.deadline();
        loop {
            if timeout == Timeout::TRY
                || fd::wait(self.as_fd(), PollFlags::POLLIN, deadline)?.is_empty()
            {
                return Err(timeout.expired());
            }
            if let Some(taken) = read()? {
                return Ok(taken);
            }
        }
    }

    /// Does now what dropping it would do to the mask of the calling thread. Once; for owners that cannot drop it yet.
    pub fn close(&self) {
        if !self.blocks || self.thread != this_thread() {
            return;
        }
        let unblocked = STREAMS.try_with(|streams| streams.borrow_mut().leave(&self.wanted));
        if let Ok(unblocked @ 1..) = unblocked {
            sys::signal::change_thread_mask(libc::SIG_UNBLOCK, unblocked);
        }
    }

    /// What is there now.
    fn available(&self, most: usize) -> Result<Vec<Info>, ErrorKind> {
        let mut infos = Vec::new();
        let mut records: [Record; BATCH] = FromZeros::new_zeroed();
        while infos.len() < most {
            let room = &mut records[..BATCH.min(most - infos.len())];
            match sys::signal::read_records(self.as_fd(), room) {
                Ok(count) => infos.extend(room[..count].iter().map(Info::from_record)),
                Err(Errno::EAGAIN) => break,
                // What was taken already is not thrown away.
                Err(_) if !infos.is_empty() => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(infos)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }
}

#[cold]
fn failed(kind: ErrorKind, operation: &'static str, set: Set) -> Error {
    kind.during(operation, set)
}

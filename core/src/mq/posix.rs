// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX queues: getting them, moving messages, and what `mq_getattr` and the queue's file tell.
//!
//! [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html), [mq_open(3)](https://man7.org/linux/man-pages/man3/mq_open.3.html)

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::stat::fstat;
use nix::sys::uio::pread;

use super::spare::Spare;
use super::{Access, MessageQueue, Options, exact, limits};
use crate::error::{ErrorKind, Result};
use crate::fd;
use crate::name::PosixName;
use crate::open::Disposition;
use crate::sys::mqueue::{self, Inbox};
use crate::time::{Deadline, Timeout};

/// How often creating tries again when others create and remove in between.
const ATTEMPTS: usize = 1000;

/// Priorities are below this: `MQ_PRIO_MAX`.
pub(super) const PRIORITIES: i64 = 32768;

/// Larger messages than this are received into memory from the heap.
const ON_THE_STACK: usize = 8192;

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) fd: OwnedFd,
    /// `mq_msgsize`, which never changes.
    pub(super) max_size: usize,
    spare: Spare,
}

/// What is known of a POSIX queue: [`struct mq_attr`](https://man7.org/linux/man-pages/man3/mq_getattr.3.html), and what
/// its file says (`/dev/mqueue/NAME`, where that file system is mounted).
#[doc(alias = "mq_attr")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PosixStatus {
    /// How many messages it can hold (`mq_maxmsg`).
    pub max_messages: u64,
    /// The largest message in bytes (`mq_msgsize`).
    pub max_size: u64,
    /// How many messages wait in it (`mq_curmsgs`).
    pub messages: u64,
    /// Is the open file description non-blocking (`mq_flags`, `O_NONBLOCK`)? The calls of this library ignore that.
    pub non_blocking: bool,
    /// Bytes of the messages that wait in it (`QSIZE`); `None` for a handle that only sends.
    pub bytes: Option<u64>,
    /// Who is to be notified of a message, if anybody; `None` for a handle that only sends, too.
    pub notification: Option<Notification>,
    /// Owner's user.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// The nine permission bits.
    pub mode: u32,
    /// When a message was last received or its file read, in seconds since 1970.
    pub access_time: i64,
    /// When it was created, or a message last sent or received.
    pub change_time: i64,
}

/// A notification that some process has asked for by `mq_notify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification {
    /// The process.
    pub pid: i32,
    /// How: `SIGEV_SIGNAL` (0), `SIGEV_NONE` (1) or `SIGEV_THREAD` (2).
    pub method: i32,
    /// Which signal; 0 for the other methods.
    pub signal: i32,
}

pub(super) fn get(
    options: &Options,
    name: &PosixName,
    disposition: Disposition,
) -> Result<Queue, ErrorKind> {
    match disposition {
        Disposition::Open => open(options, name),
        Disposition::Create if options.replace => replace(options, name),
        Disposition::Create => create(options, name),
        Disposition::OpenOrCreate => open_or_create(options, name),
    }
}

fn open(options: &Options, name: &PosixName) -> Result<Queue, ErrorKind> {
    let fd = mqueue::mq_open(name, flags(options), 0, None)?;
    options.check_owner(fstat(&fd)?.st_uid)?;
    Queue::new(fd)
}

fn create(options: &Options, name: &PosixName) -> Result<Queue, ErrorKind> {
    let limits = match (options.max_messages, options.max_size) {
        (None, None) => None,
        (messages, size) => {
            let (default_messages, default_size) = limits::posix_defaults();
            Some((messages.unwrap_or(default_messages), size.unwrap_or(default_size)))
        }
    };
    let fd = exact::create(name, flags(options), options.mode, limits)?;
    Queue::new(fd).inspect_err(|_| {
        // Ours, new and of no use: nobody shall find it.
        let _ = mqueue::mq_unlink(name);
    })
}

fn replace(options: &Options, name: &PosixName) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match mqueue::mq_unlink(name) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        match create(options, name) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn open_or_create(options: &Options, name: &PosixName) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match open(options, name) {
            Err(ErrorKind::Os(libc::ENOENT)) => {}
            Ok(queue) => return queue.check_as_large(options),
            other => return other,
        }
        match create(options, name) {
            Err(ErrorKind::Os(errno)) if exact::is_race(Errno::from_raw(errno)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove a queue of this name all the time".into())
}

fn flags(options: &Options) -> i32 {
    match options.access() {
        Access::Both => libc::O_RDWR,
        Access::Send => libc::O_WRONLY,
        Access::Receive => libc::O_RDONLY,
    }
}

impl Queue {
    fn new(fd: OwnedFd) -> Result<Self, ErrorKind> {
        let max_size = number(mqueue::mq_getattr(fd.as_fd())?.mq_msgsize);
        let max_size = usize::try_from(max_size).unwrap_or(usize::MAX);
        Ok(Self { fd, max_size, spare: Spare::default() })
    }

    /// A queue that was opened instead of created must hold as much as what would have been created.
    fn check_as_large(self, options: &Options) -> Result<Self, ErrorKind> {
        let there = number(mqueue::mq_getattr(self.fd.as_fd())?.mq_maxmsg);
        let (messages, size) = (options.max_messages.unwrap_or(0), options.max_size.unwrap_or(0));
        if there < messages as u64 || self.max_size < size {
            return Err(ErrorKind::invalid(format!(
                "the queue exists, for {there} messages of {} bytes: less than was asked for",
                self.max_size
            )));
        }
        Ok(self)
    }

    #[inline]
    pub(super) fn send(&self, tag: i64, data: &[u8], timeout: Timeout) -> Result<(), ErrorKind> {
        let Some(priority) = u32::try_from(tag).ok().filter(|_| tag < PRIORITIES) else {
            return Err(no_priority(tag));
        };
        if timeout == Timeout::Forever {
            match mqueue::mq_send(self.fd.as_fd(), data, priority) {
                Ok(()) => return Ok(()),
                // Somebody who shares the open file description made it non-blocking.
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.send_within(priority, data, timeout)
    }

    #[inline(never)]
    fn send_within(&self, priority: u32, data: &[u8], timeout: Timeout) -> Result<(), ErrorKind> {
        let mut waiting = Waiting::new(timeout, PollFlags::POLLOUT);
        loop {
            match mqueue::mq_try_send(self.fd.as_fd(), data, priority) {
                Err(Errno::EAGAIN) => waiting.wait(&self.fd)?,
                other => return Ok(other?),
            }
        }
    }

    /// Hands the message to `take` where it lies.
    #[inline]
    pub(super) fn receive<R>(
        &self,
        timeout: Timeout,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<R, ErrorKind> {
        let with = |buffer: &mut [MaybeUninit<u8>]| {
            let mut inbox = Inbox::new(buffer);
            self.receive_into(&mut inbox, timeout)?;
            Ok(take(inbox.priority().into(), inbox.data()))
        };
        if self.max_size <= ON_THE_STACK {
            let mut buffer = [const { MaybeUninit::uninit() }; ON_THE_STACK];
            return with(&mut buffer[..self.max_size]);
        }
        self.spare.lend(self.max_size, with)
    }

    /// Receives into an inbox, which must have room for the largest message.
    #[inline]
    pub(super) fn receive_into(
        &self,
        inbox: &mut Inbox<'_>,
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        if timeout == Timeout::Forever {
            match inbox.receive(self.fd.as_fd()) {
                Ok(()) => return Ok(()),
                // Somebody who shares the open file description made it non-blocking.
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.receive_within(inbox, timeout)
    }

    #[inline(never)]
    fn receive_within(&self, inbox: &mut Inbox<'_>, timeout: Timeout) -> Result<(), ErrorKind> {
        let mut waiting = Waiting::new(timeout, PollFlags::POLLIN);
        loop {
            match inbox.try_receive(self.fd.as_fd()) {
                Err(Errno::EAGAIN) => waiting.wait(&self.fd)?,
                other => return Ok(other?),
            }
        }
    }

    pub(super) fn status(&self) -> nix::Result<PosixStatus> {
        let attributes = mqueue::mq_getattr(self.fd.as_fd())?;
        let file = fstat(&self.fd)?;
        let contents = self.contents();
        let field = |name| contents.as_deref().and_then(|text| field(text, name));
        let small = |name| field(name).and_then(|value| i32::try_from(value).ok()).unwrap_or(0);
        let notification = Notification {
            pid: small("NOTIFY_PID:"),
            method: small("NOTIFY:"),
            signal: small("SIGNO:"),
        };
        Ok(PosixStatus {
            max_messages: number(attributes.mq_maxmsg),
            max_size: number(attributes.mq_msgsize),
            messages: number(attributes.mq_curmsgs),
            non_blocking: number(attributes.mq_flags) & libc::O_NONBLOCK as u64 != 0,
            bytes: field("QSIZE:"),
            notification: (notification.pid != 0).then_some(notification),
            uid: file.st_uid,
            gid: file.st_gid,
            mode: file.st_mode & 0o777,
            access_time: file.st_atime,
            change_time: file.st_ctime,
        })
    }

    /// What reading the queue's file gives: its bytes and its notification.
    fn contents(&self) -> Option<String> {
        let mut text = [0; 128];
        let length = pread(&self.fd, &mut text, 0).ok()?;
        Some(String::from_utf8_lossy(&text[..length]).into_owned())
    }

    /// Does the name still lead to this queue? No name can ever lead to it again, once it was unlinked.
    pub(super) fn is_linked(&self) -> nix::Result<bool> {
        fstat(&self.fd).map(|status| status.st_nlink > 0)
    }
}

impl MessageQueue {
    /// All that is known of a POSIX queue: its attributes, its bytes, its owner, who is to be notified. `mq_getattr(3)`
    ///
    /// Errors: `EOPNOTSUPP` for a System V queue, whose [`super::SystemV::stat`] tells other things.
    #[doc(alias = "mq_getattr")]
    pub fn posix_stat(&self) -> Result<PosixStatus> {
        let queue = self.posix("posix_stat")?;
        queue.status().map_err(|errno| self.failed("posix_stat", errno))
    }

    pub(super) fn posix(&self, operation: &'static str) -> Result<&Queue> {
        match &self.queue {
            super::Queue::Posix(queue) => Ok(queue),
            super::Queue::SystemV(_) => {
                let why = "only POSIX queues have that";
                Err(self.failed(operation, ErrorKind::unsupported(why)))
            }
        }
    }
}

#[cold]
fn no_priority(tag: i64) -> ErrorKind {
    ErrorKind::invalid(format!("{tag} is no priority: they are 0 to {}", PRIORITIES - 1))
}

/// A wait for the descriptor, which may have to be done again when others were faster.
struct Waiting {
    timeout: Timeout,
    events: PollFlags,
    deadline: Option<Deadline>,
}

impl Waiting {
    fn new(timeout: Timeout, events: PollFlags) -> Self {
        // Whoever need not wait need not know the time.
        Self { timeout, events, deadline: None }
    }

    fn wait(&mut self, queue: &OwnedFd) -> Result<(), ErrorKind> {
        if self.timeout == Timeout::TRY {
            return Err(self.timeout.expired());
        }
        let deadline = *self.deadline.get_or_insert_with(|| self.timeout.deadline());
        let there = fd::wait(queue.as_fd(), self.events, deadline)?;
        if there.is_empty() { Err(self.timeout.expired()) } else { Ok(()) }
    }
}

/// The kernel counts in signed numbers, none of which is negative.
#[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "libcs differ in the width")]
fn number(signed: impl Into<i64>) -> u64 {
    signed.into().max(0).cast_unsigned()
}

/// The number behind a name in the contents of a queue's file.
fn field(text: &str, name: &str) -> Option<u64> {
    let (_, rest) = text.split_once(name)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_queues_file_are_found() {
        let text = "QSIZE:129        NOTIFY:2     SIGNO:0     NOTIFY_PID:8260  \n";
        let fields = ["QSIZE:", "NOTIFY:", "SIGNO:", "NOTIFY_PID:"].map(|name| field(text, name));
        assert_eq!(fields, [Some(129), Some(2), Some(0), Some(8260)]);
        assert_eq!(field(text, "NONE:"), None);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V queues: getting them by key, and everything that `msgctl` can tell and do.
//!
//! [msgget(2)](https://man7.org/linux/man-pages/man2/msgget.2.html), [msgctl(2)](https://man7.org/linux/man-pages/man2/msgctl.2.html)

use std::cell::OnceCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::c_long;
use nix::errno::Errno;

use super::{Access, Options, Want, limits};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt;
use crate::name::{Name, SystemVName};
use crate::open::Disposition;
use crate::sys::msg::{self, MSG_COPY, Room, words_for};
use crate::sysv::{self, Key, Permissions};
use crate::time::Timeout;

/// How often getting a queue tries again when others create and remove in between.
const ATTEMPTS: usize = 1000;

/// Messages of at most so many bytes take little of the stack.
const SMALL: usize = 1016;

/// Larger messages than this take memory from the heap.
const ON_THE_STACK: usize = 8192;

/// More room than this is made only when a message needs it.
const MOST_AT_ONCE: usize = 1 << 20;

/// A System V queue, by identifier. Holding one keeps nothing alive: it may be removed by anybody who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemV {
    id: i32,
}

/// What the kernel knows of a queue: every field of [`struct msqid_ds`](https://man7.org/linux/man-pages/man2/msgctl.2.html).
#[doc(alias = "msqid_ds")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The identifier.
    pub id: i32,
    /// Key, owner, creator, mode (`msg_perm`).
    pub permissions: Permissions,
    /// When a message was last sent, in seconds since 1970; 0 for never (`msg_stime`).
    pub send_time: i64,
    /// When a message was last received; 0 for never (`msg_rtime`).
    pub receive_time: i64,
    /// When it was created or last changed by `set` (`msg_ctime`).
    pub change_time: i64,
    /// Bytes of the messages that wait in it (`msg_cbytes`).
    pub bytes: u64,
    /// How many messages wait in it (`msg_qnum`).
    pub messages: u64,
    /// How many bytes all its messages together may have, and how many messages there may be (`msg_qbytes`).
    pub max_bytes: u64,
    /// Who sent last; 0 for nobody (`msg_lspid`).
    pub last_send_pid: i32,
    /// Who received last; 0 for nobody (`msg_lrpid`).
    pub last_receive_pid: i32,
}

/// What `IPC_SET` is to change; `None` leaves a field as it is.
#[doc(alias = "IPC_SET")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// The new owner.
    pub uid: Option<u32>,
    /// The new group.
    pub gid: Option<u32>,
    /// The new permission bits.
    pub mode: Option<u32>,
    /// How many bytes all messages together may have (`msg_qbytes`).
    pub max_bytes: Option<u64>,
}

impl SystemV {
    /// The queue with this identifier, unchecked.
    pub fn from_id(id: i32) -> Self {
        Self { id }
    }

    /// The identifier, unique until the queue is gone and for long after.
    pub fn id(self) -> i32 {
        self.id
    }

    /// `msgctl(IPC_STAT)`.
    ///
    /// Errors: `EINVAL` when there is no such queue, `EACCES` without read permission.
    #[doc(alias = "IPC_STAT")]
    pub fn stat(self) -> Result<Status> {
        let status = msg::msgctl_stat(self.id).map_err(|errno| self.failed("stat", errno))?;
        Ok(Status::new(self.id, &status))
    }

    /// `msgctl(IPC_SET)`: a new owner, group, mode or capacity.
    ///
    /// A lower capacity than the messages already take keeps them; nothing can be sent until enough were received.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged, and for more bytes than `MSGMNB` unless he is
    /// privileged; `EINVAL` when there is no such queue, or for a mode beyond 0777; `ERANGE` for more bytes than 2147483647.
    #[doc(alias = "IPC_SET")]
    #[doc(alias = "msg_qbytes")]
    pub fn set(self, change: Change) -> Result<()> {
        let failed = |errno| self.failed("set", errno);
        let mut status = self.raw_status().map_err(failed)?;
        let Change { uid, gid, mode, max_bytes } = change;
        sysv::Change { uid, gid, mode }.apply(&mut status.msg_perm)?;
        if let Some(bytes) = max_bytes {
            // The kernel takes the number as an int, and would cut a larger one.
            let bytes =
                u32::try_from(bytes).ok().filter(|&bytes| bytes <= i32::MAX.cast_unsigned());
            let bytes = bytes.ok_or_else(|| {
                failed(Errno::ERANGE).with_advice("a queue has at most 2147483647 bytes")
            })?;
            status.msg_qbytes = bytes.into();
        }
        msg::msgctl_set(self.id, &status).map_err(|errno| {
            let error = failed(errno);
            match (errno, max_bytes, limits::msgmnb()) {
                (Errno::EPERM, Some(bytes), Some(msgmnb)) if bytes > msgmnb => error.with_advice(
                    format!("MSGMNB is {msgmnb} bytes: only CAP_SYS_RESOURCE may go beyond (/proc/sys/kernel/msgmnb)"),
                ),
                _ => error,
            }
        })
    }

    /// `msgctl(IPC_RMID)`: the queue goes at once, with its messages. Who waits at it gets `EIDRM`.
    ///
    /// Errors: `EPERM` unless the caller is owner, creator or privileged; `EINVAL` when there is no such queue.
    #[doc(alias = "IPC_RMID")]
    pub fn remove(self) -> Result<()> {
        msg::msgctl_remove(self.id).map_err(|errno| self.failed("remove", errno))
    }

    /// All queues of this IPC namespace, those of other users too (`MSG_STAT_ANY`, Linux 4.17), as `ipcs -q` lists them.
    #[doc(alias = "ipcs")]
    #[doc(alias = "MSG_STAT_ANY")]
    pub fn list() -> Result<Vec<Status>> {
        let failed = |errno: Errno| ErrorKind::from(errno).during("list", "sysv:");
        let (last, _) = msg::msgctl_usage().map_err(failed)?;
        let mut found = Vec::new();
        for slot in 0..=last {
            match msg::msgctl_stat_any(slot) {
                Ok((id, status)) => found.push(Status::new(id, &status)),
                // An empty slot, or a queue that went away this moment.
                Err(Errno::EINVAL | Errno::EIDRM) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(found)
    }

    /// `IPC_STAT`, or what `MSG_STAT_ANY` shows of it: an owner may change a queue that he may not read.
    fn raw_status(self) -> nix::Result<libc::msqid_ds> {
        match msg::msgctl_stat(self.id) {
            Err(Errno::EACCES) => {
                let (last, _) = msg::msgctl_usage()?;
                let seen = |slot| msg::msgctl_stat_any(slot).ok();
                let mine = (0..=last).filter_map(seen).find(|(id, _)| *id == self.id);
                mine.map(|(_, status)| status).ok_or(Errno::EACCES)
            }
            other => other,
        }
    }

    /// Was the queue removed? Its identifier means nothing for long after.
    pub(super) fn is_gone(self) -> bool {
        matches!(msg::msgctl_stat(self.id), Err(Errno::EINVAL | Errno::EIDRM))
    }

    fn failed(self, operation: &'static str, errno: Errno) -> Error {
        let error = ErrorKind::from(errno).during(operation, Name::of_id(self.id));
        // EINVAL also means a user or mode that cannot be; then the queue is there.
        if self.is_gone() { error.with_advice("no queue has this identifier") } else { error }
    }
}

impl Status {
    // The fields' widths differ between libcs; all of them fit.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn new(id: i32, status: &libc::msqid_ds) -> Self {
        Self {
            id,
            permissions: Permissions::new(&status.msg_perm),
            send_time: status.msg_stime as i64,
            receive_time: status.msg_rtime as i64,
            change_time: status.msg_ctime as i64,
            bytes: status.__msg_cbytes as u64,
            messages: status.msg_qnum as u64,
            max_bytes: status.msg_qbytes as u64,
            last_send_pid: status.msg_lspid,
            last_receive_pid: status.msg_lrpid,
        }
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) id: SystemV,
    /// Room for so many bytes is made for a message; grows when one turns out to be larger.
    room: AtomicUsize,
}

pub(super) fn get(
    options: &Options,
    wanted: &SystemVName,
    disposition: Disposition,
) -> Result<Queue, ErrorKind> {
    let key = match (wanted, disposition) {
        (SystemVName::Id(id), Disposition::Open) => return open_id(options, *id),
        (SystemVName::Id(_), _) => {
            return Err(ErrorKind::invalid(
                "the kernel chooses identifiers: create by key, or sysv:private",
            ));
        }
        (SystemVName::Private, Disposition::Open) => {
            return Err(ErrorKind::invalid(
                "sysv:private is always a new queue: open it as sysv:id=NUMBER",
            ));
        }
        (SystemVName::Private, _) => return create(options, libc::IPC_PRIVATE),
        (SystemVName::Key(key), _) => *key,
        (SystemVName::Ftok { path, project }, _) => key_of(path, *project)?,
    };
    match disposition {
        Disposition::Open => open(options, key),
        Disposition::Create if options.replace => replace(options, key),
        Disposition::Create => create(options, key.raw()),
        Disposition::OpenOrCreate => open_or_create(options, key),
    }
}

pub(super) fn key_of(path: &std::path::Path, project: u8) -> Result<Key, ErrorKind> {
    Key::ftok(path, project).map_err(|error| error.kind().clone())
}

/// Removes the queue that has this key now.
pub(super) fn unlink(key: Key) -> Result<(), ErrorKind> {
    for _ in 0..ATTEMPTS {
        match msg::msgctl_remove(msg::msgget(key.raw(), 0)?) {
            Err(Errno::EINVAL | Errno::EIDRM) => {}
            other => return Ok(other?),
        }
    }
    Err(contended())
}

fn create(options: &Options, key: i32) -> Result<Queue, ErrorKind> {
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | options.mode.bits().cast_signed();
    Ok(Queue::new(msg::msgget(key, flags)?))
}

fn open(options: &Options, key: Key) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        let id = msg::msgget(key.raw(), permission(options))?;
        match check_owner(options, id) {
            // It was removed meanwhile, and the key means another one by now, or none.
            Err(ErrorKind::Os(libc::EINVAL | libc::EIDRM)) => {}
            other => return other.map(|()| Queue::new(id)),
        }
    }
    Err(contended())
}

fn open_id(options: &Options, id: i32) -> Result<Queue, ErrorKind> {
    match check_owner(options, id) {
        // It is there, and who only sends need not read.
        Err(ErrorKind::Os(libc::EACCES)) if options.access() == Access::Send => {}
        other => other?,
    }
    match msg::msgctl_stat(id) {
        Err(Errno::EACCES) if options.access() == Access::Send => {}
        other => drop(other?),
    }
    Ok(Queue::new(id))
}

fn open_or_create(options: &Options, key: Key) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match open(options, key) {
            Err(ErrorKind::Os(libc::ENOENT)) => {}
            other => return other,
        }
        match create(options, key.raw()) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn replace(options: &Options, key: Key) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match unlink(key) {
            Ok(()) | Err(ErrorKind::Os(libc::ENOENT)) => {}
            Err(other) => return Err(other),
        }
        match create(options, key.raw()) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove queues with this key all the time".into())
}

/// What `msgget` shall check that this user may.
fn permission(options: &Options) -> i32 {
    match options.access() {
        Access::Both => 0o600,
        Access::Send => 0o200,
        Access::Receive => 0o400,
    }
}

fn check_owner(options: &Options, id: i32) -> Result<(), ErrorKind> {
    if !options.looks_at_owner() {
        return Ok(());
    }
    let status = SystemV { id }.raw_status()?;
    options.check_owner(status.msg_perm.uid)
}

impl Queue {
    fn new(id: i32) -> Self {
        Self { id: SystemV { id }, room: AtomicUsize::new(SMALL) }
    }

    pub(super) fn status(&self) -> Result<Status, ErrorKind> {
        let status = msg::msgctl_stat(self.id.id).map_err(|errno| self.explained(errno.into()))?;
        Ok(Status::new(self.id.id, &status))
    }

    pub(super) fn send(&self, tag: i64, data: &[u8], timeout: Timeout) -> Result<(), ErrorKind> {
        let tag = c_long::try_from(tag).ok().filter(|&tag| tag > 0).ok_or_else(|| {
            ErrorKind::invalid(format!("{tag} is no type of System V: they begin with 1"))
        })?;
        with_room(data.len(), |mut room| {
            room.put(tag, data);
            self.send_room(&room, data.len(), timeout)
        })
    }

    #[inline]
    fn send_room(&self, room: &Room<'_>, length: usize, timeout: Timeout) -> Result<(), ErrorKind> {
        match msg::msgsnd(self.id.id, room, libc::IPC_NOWAIT) {
            Ok(()) => Ok(()),
            Err(errno) => self.send_later(errno, room, length, timeout),
        }
    }

    /// When it could not be done at once.
    #[cold]
    fn send_later(
        &self,
        errno: Errno,
        room: &Room<'_>,
        length: usize,
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        if errno != Errno::EAGAIN {
            return Err(self.explained(errno.into()));
        }
        if timeout == Timeout::TRY {
            return Err(timeout.expired());
        }
        self.check_fits(length)?;
        interrupt::until(timeout.deadline(), || msg::msgsnd(self.id.id, room, 0))
            .map_err(|kind| self.explained(kind))
    }

    /// A message that is larger than the whole queue would wait for ever.
    fn check_fits(&self, length: usize) -> Result<(), ErrorKind> {
        match msg::msgctl_stat(self.id.id) {
            #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
            Ok(status) if length as u64 > status.msg_qbytes as u64 => {
                Err(ErrorKind::Os(libc::EINVAL))
            }
            // Who may not read the queue's status waits like anybody else.
            _ => Ok(()),
        }
    }

    /// Hands a message of at most `limit` bytes to `take` where it lies.
    pub(super) fn receive<R>(
        &self,
        want: Want,
        limit: usize,
        timeout: Timeout,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<R, ErrorKind> {
        let (want, flags) = want.raw()?;
        let id = self.id.id;
        // Who waits for ever makes one call.
        let at_once = if timeout == Timeout::Forever { 0 } else { libc::IPC_NOWAIT };
        let deadline = OnceCell::new();
        self.with_message(limit, take, |room, limit| {
            match msg::msgrcv(id, room, limit, want, flags | at_once) {
                Ok(()) => Ok(()),
                Err(Errno::ENOMSG) if timeout == Timeout::TRY => Err(timeout.expired()),
                Err(Errno::ENOMSG) => {
                    let deadline = *deadline.get_or_init(|| timeout.deadline());
                    interrupt::until(deadline, || msg::msgrcv(id, room, limit, want, flags))
                }
                Err(errno) => Err(errno.into()),
            }
        })
    }

    /// Hands the message at this place of the queue to `take`, and leaves it there.
    pub(super) fn peek<R>(
        &self,
        index: usize,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<Option<R>, ErrorKind> {
        let Ok(index) = c_long::try_from(index) else {
            return Ok(None);
        };
        let flags = MSG_COPY | libc::IPC_NOWAIT;
        let copied = self.with_message(usize::MAX, take, |room, limit| {
            Ok(msg::msgrcv(self.id.id, room, limit, index, flags)?)
        });
        match copied {
            Ok(taken) => Ok(Some(taken)),
            Err(ErrorKind::Os(libc::ENOMSG)) => Ok(None),
            Err(ErrorKind::Os(libc::ENOSYS)) => Err(ErrorKind::unsupported(
                "this kernel was built without CONFIG_CHECKPOINT_RESTORE, which MSG_COPY needs",
            )),
            Err(other) => Err(other),
        }
    }

    /// Makes a receiving call with as much room as the messages so far needed, and again with more as long as one stays in
    /// the queue for want of it.
    fn with_message<R>(
        &self,
        limit: usize,
        take: impl FnOnce(i64, &[u8]) -> R,
        call: impl Fn(&mut Room<'_>, usize) -> Result<(), ErrorKind>,
    ) -> Result<R, ErrorKind> {
        // SYNC: a number alone.
        let mut size = self.room.load(Ordering::Relaxed).min(limit);
        let mut take = Some(take);
        loop {
            let taken = with_room(size, |mut room| {
                call(&mut room, size)?;
                // The call succeeded, so there is a message; and nobody took before.
                let message = room.message().zip(take.take());
                let ((tag, data), take) = message.ok_or(ErrorKind::Os(libc::ENOMSG))?;
                if data.len() > SMALL {
                    self.remember(data.len());
                }
                Ok(take(i64_of(tag), data))
            });
            match taken {
                Err(ErrorKind::Os(libc::E2BIG)) if size < limit => {
                    size = self.grow(size).min(limit);
                }
                Err(kind) => return Err(self.explained(kind)),
                taken => return taken,
            }
        }
    }

    /// The next message of this length shall find room at once.
    fn remember(&self, length: usize) {
        let room = length.next_power_of_two().clamp(ON_THE_STACK, MOST_AT_ONCE);
        // SYNC: a number alone. Most of the time it is as it should be, and then not written.
        if self.room.load(Ordering::Relaxed) < room {
            // SYNC: as above.
            self.room.fetch_max(room, Ordering::Relaxed);
        }
    }

    /// As much room as any message can need that is in the queue now, and more than `size`.
    #[cold]
    fn grow(&self, size: usize) -> usize {
        let all = msg::msgctl_stat(self.id.id).map_or(0, |status| status.__msg_cbytes);
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        all.max(size.saturating_mul(2)).max(ON_THE_STACK)
    }

    /// A handle that is older than the queue's removal gets `EINVAL` from the kernel, as if the identifier never had been.
    #[cold]
    fn explained(&self, kind: ErrorKind) -> ErrorKind {
        match kind {
            ErrorKind::Os(libc::EIDRM) => ErrorKind::Removed,
            ErrorKind::Os(libc::EINVAL) if self.id.is_gone() => ErrorKind::Removed,
            other => other,
        }
    }
}

#[allow(clippy::useless_conversion, reason = "libcs differ in the width")]
fn i64_of(tag: c_long) -> i64 {
    tag.into()
}

/// Memory for a message of `size` bytes: on the stack, as little as does, or from the heap.
#[inline]
fn with_room<R>(size: usize, work: impl FnOnce(Room<'_>) -> R) -> R {
    if size <= SMALL {
        small(work)
    } else if size <= ON_THE_STACK {
        medium(work)
    } else {
        let mut words = Vec::with_capacity(words_for(size));
        work(Room::new(words.spare_capacity_mut()))
    }
}

#[inline]
fn small<R>(work: impl FnOnce(Room<'_>) -> R) -> R {
    let mut words = [const { MaybeUninit::uninit() }; words_for(SMALL)];
    work(Room::new(&mut words))
}

// Not merged with the small one, whose frame is on no other page of the stack.
#[inline(never)]
fn medium<R>(work: impl FnOnce(Room<'_>) -> R) -> R {
    let mut words = [const { MaybeUninit::uninit() }; words_for(ON_THE_STACK)];
    work(Room::new(&mut words))
}

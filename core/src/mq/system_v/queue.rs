// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages through a System V queue, with the time limits that `msgsnd` and `msgrcv` lack.
//!
//! [msgop(2)](https://man7.org/linux/man-pages/man2/msgop.2.html)

use std::cell::{Cell, OnceCell};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::c_long;
use nix::errno::Errno;

use super::{Status, SystemV};
use crate::error::ErrorKind;
use crate::interrupt;
use crate::mq::Want;
use crate::mq::message::no_type;
use crate::mq::spare::Spare;
use crate::sys::msg::{self, MSG_COPY, Room, SLACK, TYPE};
use crate::time::Timeout;

/// Messages of at most so many bytes take less than a page of the stack.
const SMALL: usize = 2040;

/// Larger messages than this take memory from the heap.
const ON_THE_STACK: usize = 8192;

/// More room than this is made only when a message needs it.
const MOST_AT_ONCE: usize = 1 << 20;

#[derive(Debug)]
pub(in crate::mq) struct Queue {
    pub(in crate::mq) id: SystemV,
    /// Room for so many bytes is made for a message; grows when one turns out to be larger.
    room: AtomicUsize,
    spare: Spare,
}

impl Queue {
    pub(super) fn new(id: i32) -> Self {
        Self { id: SystemV { id }, room: AtomicUsize::new(SMALL), spare: Spare::default() }
    }

    pub(in crate::mq) fn status(&self) -> Result<Status, ErrorKind> {
        let status = msg::msgctl_stat(self.id.id).map_err(|errno| self.explained(errno.into()))?;
        Ok(Status::new(self.id.id, &status))
    }

    #[inline]
    pub(in crate::mq) fn send(
        &self,
        tag: i64,
        data: &[u8],
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let Some(tag) = c_long::try_from(tag).ok().filter(|&tag| tag > 0) else {
            return Err(no_type(tag));
        };
        self.with_room(data.len(), data.as_ptr(), |mut room| {
            room.put(tag, data);
            self.deliver(data.len(), timeout, |flags| msg::msgsnd(self.id.id, &room, flags))
        })
    }

    /// Makes a sending call, of so many bytes: without waiting first.
    #[inline]
    pub(super) fn deliver(
        &self,
        length: usize,
        timeout: Timeout,
        call: impl Fn(i32) -> nix::Result<()>,
    ) -> Result<(), ErrorKind> {
        match call(libc::IPC_NOWAIT) {
            Ok(()) => Ok(()),
            Err(errno) => self.deliver_later(errno, length, timeout, || call(0)),
        }
    }

    /// When it could not be done at once.
    #[cold]
    #[inline(never)]
    fn deliver_later(
        &self,
        errno: Errno,
        length: usize,
        timeout: Timeout,
        call: impl FnOnce() -> nix::Result<()>,
    ) -> Result<(), ErrorKind> {
        if errno != Errno::EAGAIN {
            return Err(self.explained(errno.into()));
        }
        if timeout == Timeout::TRY {
            return Err(timeout.expired());
        }
        self.check_fits(length)?;
        interrupt::until(timeout.deadline(), call).map_err(|kind| self.explained(kind))
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

    /// Hands a message of at most `limit` bytes to `take` where it lies, at best beside the place to which it is copied.
    #[inline]
    pub(in crate::mq) fn receive<R>(
        &self,
        want: Want,
        (limit, beside): (usize, *const u8),
        timeout: Timeout,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<R, ErrorKind> {
        let (want, flags) = want.raw()?;
        let id = self.id.id;
        // Who waits for ever makes one call.
        let at_once = if timeout == Timeout::Forever { 0 } else { libc::IPC_NOWAIT };
        // In the usual case a message is there, and no longer than those before.
        let (size, flags_now) = (self.expected(limit), flags | at_once);
        let place = (size, beside);
        let (errno, take) = if size <= SMALL {
            match attempt::<{ TYPE + SMALL + SLACK }, _, _>(id, place, want, flags_now, take) {
                Ok(taken) => return Ok(taken),
                Err(failed) => failed,
            }
        } else if size <= ON_THE_STACK {
            match attempt_medium(id, place, want, flags_now, take) {
                Ok(taken) => return Ok(taken),
                Err(failed) => failed,
            }
        } else {
            (Errno::E2BIG, take)
        };
        match errno {
            Errno::ENOMSG if timeout == Timeout::TRY => return Err(timeout.expired()),
            // It is waited for, or tried again with more room.
            Errno::ENOMSG | Errno::E2BIG => {}
            errno => return Err(self.explained(errno.into())),
        }
        let found_nothing = Cell::new(errno == Errno::ENOMSG);
        let deadline = OnceCell::new();
        self.with_message((limit, beside), take, |room, limit| {
            let tried = if found_nothing.take() {
                Err(Errno::ENOMSG)
            } else {
                msg::msgrcv(id, room, limit, want, flags_now)
            };
            match tried {
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
    pub(in crate::mq) fn peek<R>(
        &self,
        index: usize,
        take: impl FnOnce(i64, &[u8]) -> R,
    ) -> Result<Option<R>, ErrorKind> {
        let Ok(index) = c_long::try_from(index) else {
            return Ok(None);
        };
        let flags = MSG_COPY | libc::IPC_NOWAIT;
        let copied = self.with_message((usize::MAX, ptr::null()), take, |room, limit| {
            Ok(msg::msgrcv(self.id.id, room, limit, index, flags)?)
        });
        match copied {
            Ok(taken) => Ok(Some(taken)),
            Err(kind) => not_there(kind),
        }
    }

    /// How large a message is expected to be at most, of at most `limit` bytes.
    #[inline]
    fn expected(&self, limit: usize) -> usize {
        // SYNC: a number alone.
        self.room.load(Ordering::Relaxed).min(limit)
    }

    /// Makes a receiving call with as much room as the messages so far needed, and again with more as long as one stays in
    /// the queue for want of it.
    fn with_message<R>(
        &self,
        (limit, beside): (usize, *const u8),
        take: impl FnOnce(i64, &[u8]) -> R,
        call: impl Fn(&mut Room<'_>, usize) -> Result<(), ErrorKind>,
    ) -> Result<R, ErrorKind> {
        let mut size = self.expected(limit);
        let mut take = Some(take);
        loop {
            let taken = self.with_room(size, beside, |mut room| {
                call(&mut room, size)?;
                // Nobody took before.
                let take = take.take().ok_or(ErrorKind::Os(libc::ENOMSG))?;
                let taken = taken(&room, |tag, data| {
                    self.remember(data.len());
                    take(tag, data)
                });
                taken.map_err(|(errno, _)| errno.into())
            });
            match taken {
                Ok(taken) => return Ok(taken),
                Err(ErrorKind::Os(libc::E2BIG)) if size < limit => {
                    size = self.grow(size).min(limit);
                }
                Err(kind) => return Err(self.explained(kind)),
            }
        }
    }

    /// Memory for a message of `size` bytes: on the stack, as little as does, or from the heap.
    #[inline]
    fn with_room<R>(&self, size: usize, beside: *const u8, work: impl FnOnce(Room<'_>) -> R) -> R {
        if size <= SMALL {
            let mut memory = [const { MaybeUninit::uninit() }; TYPE + SMALL + SLACK];
            work(Room::beside(&mut memory, beside))
        } else if size <= ON_THE_STACK {
            medium(beside, work)
        } else {
            let length = size.saturating_add(TYPE + SLACK);
            self.spare.lend(length, |memory| work(Room::beside(memory, beside)))
        }
    }

    /// The next message of this length shall find room at once.
    #[inline]
    fn remember(&self, length: usize) {
        if length <= SMALL {
            return;
        }
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
    pub(super) fn explained(&self, kind: ErrorKind) -> ErrorKind {
        match kind {
            ErrorKind::Os(libc::EIDRM) => ErrorKind::Removed,
            ErrorKind::Os(libc::EINVAL) if self.id.is_gone() => ErrorKind::Removed,
            other => other,
        }
    }
}

/// What it means that `MSG_COPY` copied nothing.
pub(super) fn not_there<R>(kind: ErrorKind) -> Result<Option<R>, ErrorKind> {
    match kind {
        ErrorKind::Os(libc::ENOMSG) => Ok(None),
        ErrorKind::Os(libc::ENOSYS) => Err(ErrorKind::unsupported(
            "this kernel was built without CONFIG_CHECKPOINT_RESTORE, which MSG_COPY needs",
        )),
        other => Err(other),
    }
}

/// Receives into `ROOM` bytes of the stack, and hands the message to `take`, which comes back if there is none.
#[inline]
fn attempt<const ROOM: usize, R, T: FnOnce(i64, &[u8]) -> R>(
    id: i32,
    (size, beside): (usize, *const u8),
    want: c_long,
    flags: i32,
    take: T,
) -> Result<R, (Errno, T)> {
    let mut memory = [const { MaybeUninit::uninit() }; ROOM];
    let mut room = Room::beside(&mut memory, beside);
    match msg::msgrcv(id, &mut room, size, want, flags) {
        Ok(()) => taken(&room, take),
        Err(errno) => Err((errno, take)),
    }
}

// Its frame takes more than a page of the stack, which small messages shall not touch.
#[inline(never)]
fn attempt_medium<R, T: FnOnce(i64, &[u8]) -> R>(
    id: i32,
    room: (usize, *const u8),
    want: c_long,
    flags: i32,
    take: T,
) -> Result<R, (Errno, T)> {
    attempt::<{ TYPE + ON_THE_STACK + SLACK }, _, _>(id, room, want, flags, take)
}

/// Hands over the message that a call has received into the room; the call succeeded, so there is one.
#[inline]
fn taken<R, T: FnOnce(i64, &[u8]) -> R>(room: &Room<'_>, take: T) -> Result<R, (Errno, T)> {
    let Some((tag, data)) = room.message() else { return Err((Errno::ENOMSG, take)) };
    #[allow(clippy::useless_conversion, reason = "libcs differ in the width")]
    Ok(take(tag.into(), data))
}

// As `attempt_medium`.
#[inline(never)]
fn medium<R>(beside: *const u8, work: impl FnOnce(Room<'_>) -> R) -> R {
    let mut memory = [const { MaybeUninit::uninit() }; TYPE + ON_THE_STACK + SLACK];
    work(Room::beside(&mut memory, beside))
}

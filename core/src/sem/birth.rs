// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a System V set comes into the world: nobody uses one before it has its values, and nobody waits for a dead creator.
//!
//! `semget` makes a set under its key with all values 0, and a second call gives it its values. In between, others find
//! it, and when its creator is killed there, it stays so for ever. The kernel tells neither who made a set nor whether it
//! has its values. What it offers is used thus:
//!
//! 1. **A mark.** `semget` stores nine permission bits together with the key. A new set is made with [`UNFINISHED`], bits
//!    that mean nothing for semaphores and that nobody chooses. Then it gets its values (`SETALL`), then, by `IPC_SET`,
//!    its true mode, which is the moment at which it is finished; and last a first operation that changes nothing, so that
//!    `sem_otime` is no longer 0 and programs that look for that, as textbooks tell them, see it too. Who finds another
//!    mode than the mark, or a set that was operated on, has a finished set.
//! 2. **A lock that dies with its holder.** While it creates, a process holds a shared `flock` on its IPC namespace,
//!    `/proc/thread-self/ns/ipc`: a file that all processes with the same System V objects can open, that nothing has to
//!    make or remove, and whose locks the kernel drops at a process's death. Who finds a marked set waits for the exclusive
//!    lock, asleep. When he has it, no creator is at work: a set that still bears the mark was left behind. He
//!    removes it, by identifier, so that he can hit no other, and looks for the key anew. A process id alone would prove
//!    nothing: it may belong to another process by now.
//!
//! A creator that is stopped, not dead, keeps its lock; who waits for it gives up at his own limit with `ETIMEDOUT`. Where
//! the lock cannot be had (no `/proc`; somebody holds it for a second, which only malice does), creation goes on
//! without, and whoever is removed by mistake notices: his identifier is gone, and he begins again.
//!
//! **Sets that others make** bear no mark. `ipcmk`, `sysv_ipc` and plain C may leave `sem_otime` at 0 for ever. Such a
//! set is taken as ready as soon as it was operated on, or each of its semaphores has been set once (`GETPID` is not 0),
//! or it is two seconds old, or it was opened by identifier, which somebody must have handed over. Only what is left, a set
//! that is new and untouched, is looked at again every millisecond, for a second at most: the kernel tells no one when it
//! changes.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode as FileMode;
use nix::time::{ClockId, clock_gettime};
use zerocopy::IntoBytes;

use crate::error::ErrorKind;
use crate::sys::semctl;
use crate::time::{Deadline, Timeout};
use crate::{fd, interrupt, sys};

/// The mode of a set that does not have its values yet.
pub(super) const UNFINISHED: u32 = 0o611;

/// How long a creator waits for whoever tidies up, which takes microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long at a time one waits for creators: with several at work in turn, there is seldom a moment without any.
const SLICE: Duration = Duration::from_millis(10);

/// How long a set that others made may be without values.
const GRACE: Duration = Duration::from_secs(1);

/// How often one looks at such a set.
const LOOK: Duration = Duration::from_millis(1);

/// A creator at work, as long as it lives.
#[derive(Debug)]
pub(super) struct AtWork(#[allow(dead_code, reason = "unlocks when dropped")] Option<Locked>);

impl AtWork {
    /// Errors: `EINTR`.
    pub(super) fn begin() -> Result<Self, ErrorKind> {
        match lock(libc::LOCK_SH | libc::LOCK_NB) {
            Err(Errno::EWOULDBLOCK) => {}
            other => return Ok(Self(other.ok())),
        }
        let deadline = Timeout::After(PATIENCE).deadline();
        match interrupt::until(deadline, || lock(libc::LOCK_SH)) {
            Err(ErrorKind::Os(libc::EINTR)) => Err(ErrorKind::Os(libc::EINTR)),
            other => Ok(Self(other.ok())),
        }
    }
}

/// The namespace, locked until this is dropped.
#[derive(Debug)]
struct Locked(OwnedFd);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing would do, were it not for children of fork that have the descriptor as well. Should it fail, closing does.
        let _ = sys::lock::flock(self.0.as_fd(), libc::LOCK_UN);
    }
}

fn lock(how: i32) -> nix::Result<Locked> {
    // Of the thread, which may be in another namespace than its process.
    let namespace = Path::new("/proc/thread-self/ns/ipc");
    let file = fd::open(namespace, OFlag::O_RDONLY, FileMode::empty())?;
    sys::lock::flock(file.as_fd(), how)?;
    Ok(Locked(file))
}

/// What became of a set that was found.
#[derive(Debug)]
pub(super) enum Found<T = libc::semid_ds> {
    /// It has its values.
    Ready(T),
    /// It went away, or was left behind unfinished and has been removed: the key means another set now, or none.
    Gone,
}

/// Does the set of this identifier still exist? Whether or not this user may read it.
pub(super) fn exists(id: i32) -> bool {
    !matches!(semctl::stat(id), Err(Errno::EINVAL | Errno::EIDRM))
}

/// Waits until the set has its values.
///
/// Errors: `TimedOut` or `WouldBlock` while its creator is at work, `EINTR`; `Untrusted` when a user's creator died who is
/// not this one.
pub(super) fn finished(id: i32, timeout: Timeout) -> Result<Found, ErrorKind> {
    let deadline = timeout.deadline();
    loop {
        match look(id)? {
            None => return Ok(Found::Gone),
            Some(status) if !is_marked(&status) => return Ok(Found::Ready(status)),
            Some(_) => {}
        }
        let Some(nobody_at_work) = wait_for_creators(deadline)? else {
            if deadline.has_passed() {
                return Err(timeout.expired());
            }
            continue;
        };
        let found = clear(id)?;
        drop(nobody_at_work);
        return Ok(found);
    }
}

/// Is the set left behind? Then removes it. Does not wait: a living creator's set is not.
pub(super) fn is_cleared(id: i32) -> Result<bool, ErrorKind> {
    match look(id)? {
        None => return Ok(true),
        Some(status) if !is_marked(&status) => return Ok(false),
        Some(_) => {}
    }
    match lock(libc::LOCK_EX | libc::LOCK_NB) {
        Ok(_nobody_at_work) => Ok(matches!(clear(id)?, Found::Gone)),
        Err(_) => Ok(false),
    }
}

/// The exclusive lock, or `None` when the slice of time is over.
fn wait_for_creators(deadline: Deadline) -> Result<Option<Locked>, ErrorKind> {
    match lock(libc::LOCK_EX | libc::LOCK_NB) {
        Ok(lock) => return Ok(Some(lock)),
        Err(Errno::EWOULDBLOCK) => {}
        Err(errno) => return Err(errno.into()),
    }
    let slice = match deadline.remaining() {
        Timeout::After(left) => left.min(SLICE),
        Timeout::Forever => SLICE,
    };
    if slice.is_zero() {
        return Ok(None);
    }
    let slice = Timeout::After(slice).deadline();
    match interrupt::until(slice, || lock(libc::LOCK_EX)) {
        Ok(lock) => Ok(Some(lock)),
        Err(ErrorKind::TimedOut) => Ok(None),
        Err(other) => Err(other),
    }
}

/// With the exclusive lock held: a set that still has no values will never get them.
fn clear(id: i32) -> Result<Found, ErrorKind> {
    match look(id)? {
        None => return Ok(Found::Gone),
        Some(status) if !is_marked(&status) => return Ok(Found::Ready(status)),
        Some(_) => {}
    }
    match semctl::remove(id) {
        Ok(()) | Err(Errno::EINVAL | Errno::EIDRM) => Ok(Found::Gone),
        Err(Errno::EPERM) => Err(ErrorKind::Untrusted(
            format!("its creator, another user, died before it had its values: ipcrm -s {id}")
                .into(),
        )),
        Err(errno) => Err(errno.into()),
    }
}

fn look(id: i32) -> Result<Option<libc::semid_ds>, ErrorKind> {
    match semctl::look(id) {
        Ok(status) => Ok(Some(status)),
        Err(Errno::EINVAL | Errno::EIDRM) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

// The field's width differs between libcs.
#[allow(clippy::useless_conversion)]
fn is_marked(status: &libc::semid_ds) -> bool {
    u32::from(status.sem_perm.mode) & 0o777 == UNFINISHED && status.sem_otime == 0
}

/// Gives a new set its values, and then the mode that says so.
///
/// Errors: `EINVAL`, `EIDRM` when somebody removed it meanwhile.
pub(super) fn initialise(id: i32, values: &[u16], mode: u32) -> nix::Result<()> {
    semctl::set_all(id, values)?;
    let mut status = semctl::stat(id)?;
    // The nine bits fit whatever width this libc gives the field.
    #[allow(clippy::cast_possible_truncation)]
    let bits = mode as _;
    status.sem_perm.mode = bits;
    semctl::set(id, &status)?;
    match touch(id, values.first().copied().unwrap_or(0)) {
        // A mode that lets not even its owner in, or somebody who was faster: neither is the creator's failure.
        Err(Errno::EACCES | Errno::EAGAIN | Errno::ERANGE) => Ok(()),
        other => other,
    }
}

/// The first operation, which sets `sem_otime` and changes nothing: one more and one less in one step.
fn touch(id: i32, value: u16) -> nix::Result<()> {
    let step = |delta| super::Operation::new(0, delta).no_wait(true);
    // In the order that keeps the value between 0 and the highest one.
    let first = if value == 0 { 1 } else { -1 };
    semctl::semop(id, [step(first), step(-first)].as_bytes())
}

/// Waits until a set of another maker has its values, as far as that can be seen.
///
/// Errors: `EINTR`.
pub(super) fn settled(
    id: i32,
    mut status: libc::semid_ds,
    timeout: Timeout,
) -> Result<Found, ErrorKind> {
    let limit = match timeout {
        Timeout::After(limit) => limit.min(GRACE),
        Timeout::Forever => GRACE,
    };
    let deadline = Timeout::After(limit).deadline();
    while !is_settled(id, &status) && !deadline.has_passed() {
        pause(LOOK)?;
        match look(id)? {
            Some(now) => status = now,
            None => return Ok(Found::Gone),
        }
    }
    Ok(Found::Ready(status))
}

fn is_settled(id: i32, status: &libc::semid_ds) -> bool {
    status.sem_otime != 0
        || is_old(status)
        || (0..count(status)).rev().all(|index| was_set(id, index))
}

fn count(status: &libc::semid_ds) -> i32 {
    status.sem_nsems.try_into().unwrap_or(i32::MAX)
}

/// Whoever sets a value leaves his process id.
fn was_set(id: i32, index: i32) -> bool {
    // Who may not read cannot know, and need not wait for it.
    semctl::get(id, index, libc::GETPID) != Ok(0)
}

/// The kernel counts whole seconds, so a difference of two is more than one.
fn is_old(status: &libc::semid_ds) -> bool {
    // Of the wall clock, as the other is; when it was set, the deadline still ends the wait.
    let now = clock_gettime(ClockId::CLOCK_REALTIME).map_or(0, |now| now.tv_sec());
    #[allow(clippy::useless_conversion, reason = "the field's width differs between libcs")]
    let changed = i64::from(status.sem_ctime);
    !(changed..changed + 2).contains(&now)
}

fn pause(time: Duration) -> nix::Result<()> {
    let time = nix::sys::time::TimeSpec::from(sys::timer::timespec(time));
    let flags = nix::time::ClockNanosleepFlags::empty();
    nix::time::clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &time).map(drop)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts that hold for every kind of file lock in every face. The other side is another process each time, since record
//! locks of the process's own are in nobody's way here.

use std::os::unix::fs::PermissionsExt;

use unipc::lock::Kind;
use unipc::lock::Sharing::{Exclusive, Shared};

use super::face::{ALL, Holder, LONG, Lock, SHORT, TRY};
use crate::memory::Result;
use crate::object::{Kind as ObjectKind, Object};

/// The name of a file of this test's own.
struct Place(Object);

impl Place {
    fn new() -> Self {
        Self(Object::new(ObjectKind::File))
    }

    fn name(&self) -> &str {
        &self.0.name
    }

    fn path(&self) -> &str {
        self.name().trim_start_matches("file:")
    }
}

fn made<L: Lock>(kind: Kind) -> (Place, L) {
    let place = Place::new();
    let lock = L::create(place.name(), kind, None).unwrap();
    (place, lock)
}

/// Another process, which ends by itself.
struct Other(i32);

impl Other {
    fn start(work: impl FnOnce() -> bool) -> Self {
        // SAFETY: the child calls what needs no other thread, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let status = i32::from(!work());
            // SAFETY: ends the child.
            unsafe { libc::_exit(status) };
        }
        Self(child)
    }

    /// Was what it did true?
    fn agrees(self) -> bool {
        let mut status = 0;
        // SAFETY: the child is ours.
        assert_eq!(unsafe { libc::waitpid(self.0, &raw mut status, 0) }, self.0);
        status == 0
    }
}

/// Does another process, with a handle of its own, get this?
fn other_gets<L: Lock>(
    place: &Place,
    kind: Kind,
    wanted: Result<()>,
    get: impl Fn(&L) -> Result<()>,
) -> bool {
    let name = place.name();
    Other::start(|| L::open(name, kind, false).is_ok_and(|lock| get(&lock) == wanted)).agrees()
}

pub(crate) fn one_alone_keeps_all_others_out<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    lock.acquire(Exclusive, ALL, TRY).unwrap();
    for sharing in [Exclusive, Shared] {
        let get = |lock: &L| lock.acquire(sharing, ALL, TRY);
        assert!(other_gets(&place, kind, Err(libc::EAGAIN), get));
    }
    lock.release(ALL).unwrap();
    assert!(other_gets(&place, kind, Ok(()), |lock: &L| lock.acquire(Exclusive, ALL, TRY)));
}

pub(crate) fn several_share_and_nobody_is_alone<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    lock.acquire(Shared, ALL, TRY).unwrap();
    assert!(other_gets(&place, kind, Ok(()), |lock: &L| lock.acquire(Shared, ALL, TRY)));
    let alone = |lock: &L| lock.acquire(Exclusive, ALL, TRY);
    assert!(other_gets(&place, kind, Err(libc::EAGAIN), alone));
}

pub(crate) fn a_limit_is_kept<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    lock.acquire(Exclusive, ALL, TRY).unwrap();
    let in_time = |lock: &L| lock.acquire(Exclusive, ALL, SHORT);
    assert!(other_gets(&place, kind, Err(libc::ETIMEDOUT), in_time));
}

pub(crate) fn who_waits_gets_it_in_the_end<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    for limit in [LONG, None] {
        lock.acquire(Exclusive, ALL, TRY).unwrap();
        let name = place.name();
        let waits = Other::start(|| {
            // SAFETY: a watchdog: a wait without a limit ends this process in the end.
            unsafe { libc::alarm(30) };
            L::open(name, kind, false).is_ok_and(|it| it.acquire(Exclusive, ALL, limit).is_ok())
        });
        lock.release(ALL).unwrap();
        assert!(waits.agrees());
    }
}

pub(crate) fn ranges_are_apart<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    if kind == Kind::Flock {
        assert_eq!(lock.acquire(Exclusive, (0, 10), TRY), Err(libc::EOPNOTSUPP));
        return;
    }
    lock.acquire(Exclusive, (0, 10), TRY).unwrap();
    let beside = |lock: &L| lock.acquire(Exclusive, (10, 10), TRY);
    assert!(other_gets(&place, kind, Ok(()), beside));
    let across = |lock: &L| lock.acquire(Shared, (9, 2), TRY);
    assert!(other_gets(&place, kind, Err(libc::EAGAIN), across));
    // The middle is given back, and both ends stay.
    lock.release((4, 2)).unwrap();
    assert!(other_gets(&place, kind, Ok(()), |lock: &L| lock.acquire(Exclusive, (4, 2), TRY)));
    assert!(other_gets(&place, kind, Err(libc::EAGAIN), |lock: &L| {
        lock.acquire(Exclusive, (3, 1), TRY)
    }));
}

pub(crate) fn who_is_in_the_way_is_told<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    assert_eq!(lock.holder(Exclusive, ALL), Ok(None));
    let bytes = if kind == Kind::Flock { ALL } else { (2, 3) };
    lock.acquire(Shared, bytes, TRY).unwrap();
    let parent = std::process::id().cast_signed();
    let pid = if kind == Kind::Ofd { 0 } else { parent };
    let wanted = Holder { pid, kind, sharing: Shared, bytes };
    let name = place.name();
    let asks = Other::start(|| {
        let other = L::open(name, kind, false).unwrap();
        other.holder(Exclusive, ALL) == Ok(Some(wanted)) && other.holder(Shared, ALL) == Ok(None)
    });
    assert!(asks.agrees(), "{wanted:?}");
}

pub(crate) fn the_end_of_a_process_gives_it_back<L: Lock>(kind: Kind) {
    let (place, lock) = made::<L>(kind);
    // It ends with the lock.
    assert!(other_gets(&place, kind, Ok(()), |lock: &L| lock.acquire(Exclusive, ALL, TRY)));
    lock.acquire(Exclusive, ALL, TRY).unwrap();
}

pub(crate) fn a_read_only_handle_shares<L: Lock>(kind: Kind) {
    let (place, _lock) = made::<L>(kind);
    let reader = L::open(place.name(), kind, true).unwrap();
    reader.acquire(Shared, ALL, TRY).unwrap();
    let alone = reader.acquire(Exclusive, ALL, TRY);
    assert_eq!(alone.is_ok(), kind == Kind::Flock, "{alone:?}");
    if kind != Kind::Flock {
        assert_eq!(alone, Err(libc::EBADF));
    }
}

pub(crate) fn names_are_created_once<L: Lock>(kind: Kind) {
    let place = Place::new();
    assert_eq!(L::open(place.name(), kind, false).err(), Some(libc::ENOENT));
    let lock = L::open_or_create(place.name(), kind).unwrap();
    assert_eq!(lock.name(), place.name());
    assert_eq!(L::create(place.name(), kind, None).err(), Some(libc::EEXIST));
    L::open_or_create(place.name(), kind).unwrap();
    assert_eq!(L::open("/posix-name", kind, false).err(), Some(libc::EOPNOTSUPP));
}

pub(crate) fn the_mode_is_exact_whatever_the_umask<L: Lock>(kind: Kind) {
    for (mode, wanted) in [(None, 0o600), (Some(0o666), 0o666), (Some(0o640), 0o640)] {
        let place = Place::new();
        let name = place.name();
        let made = Other::start(|| {
            // SAFETY: a setting of the child's.
            unsafe { libc::umask(0o077) };
            L::create(name, kind, mode).is_ok()
        });
        assert!(made.agrees());
        let status = std::fs::metadata(place.path()).unwrap();
        assert_eq!(status.permissions().mode() & 0o777, wanted);
    }
}

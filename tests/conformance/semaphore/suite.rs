// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts that hold for every kind of semaphore in every face.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::face::{LONG, Options, Semaphore, TRY};
use crate::memory::Result;
use crate::object::{Kind, Object};

/// A name of its own, whose semaphore goes with it.
struct Place {
    object: Object,
}

impl Place {
    fn new(kind: Kind) -> Self {
        Self { object: Object::new(kind) }
    }

    fn name(&self) -> &str {
        &self.object.name
    }

    /// Creates it; what is private is removed when the handle closes.
    fn create<S: Semaphore>(&self, value: u32, options: Options) -> Result<S> {
        match self.object.kind {
            Kind::Anonymous => S::create_in_memory(value, options),
            Kind::Private => {
                S::create(self.name(), value, Options { remove_on_close: true, ..options })
            }
            _ => S::create(self.name(), value, options),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.object.kind.is_named() {
            // The other face would do as well; the core's is nearest.
            let _ = unipc::Semaphore::unlink(self.name());
        }
    }
}

fn made<S: Semaphore>(kind: Kind, value: u32) -> (Place, S) {
    let place = Place::new(kind);
    let semaphore = place.create(value, Options::default()).unwrap();
    (place, semaphore)
}

fn highest(kind: Kind) -> u32 {
    if kind.is_system_v() { 32767 } else { 2_147_483_647 }
}

pub(crate) fn units_are_counted<S: Semaphore>(kind: Kind) {
    let (_place, semaphore) = made::<S>(kind, 3);
    assert_eq!(semaphore.value(), Ok(3));
    for left in [2, 1, 0] {
        semaphore.acquire(LONG).unwrap();
        assert_eq!(semaphore.value(), Ok(left));
    }
    for value in [1, 2, 3, 4] {
        semaphore.release().unwrap();
        assert_eq!(semaphore.value(), Ok(value));
    }
    assert_eq!(semaphore.id().is_ok(), kind.is_system_v());
}

pub(crate) fn a_try_never_waits<S: Semaphore>(kind: Kind) {
    let (_place, semaphore) = made::<S>(kind, 1);
    semaphore.acquire(TRY).unwrap();
    assert_eq!(semaphore.acquire(TRY), Err(libc::EAGAIN));
    assert_eq!(semaphore.value(), Ok(0));
}

pub(crate) fn a_limit_is_kept<S: Semaphore>(kind: Kind) {
    let (_place, semaphore) = made::<S>(kind, 0);
    let (started, limit) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(semaphore.acquire(Some(limit)), Err(libc::ETIMEDOUT));
    assert!(started.elapsed() >= limit);
    semaphore.release().unwrap();
    semaphore.acquire(Some(limit)).unwrap();
}

pub(crate) fn who_waits_is_woken<S: Semaphore>(kind: Kind) {
    let (_place, semaphore) = made::<S>(kind, 0);
    let semaphore = &semaphore;
    std::thread::scope(|scope| {
        for limit in [None, LONG] {
            let waiter = scope.spawn(move || semaphore.acquire(limit));
            std::thread::sleep(Duration::from_millis(10));
            assert!(!waiter.is_finished());
            semaphore.release().unwrap();
            waiter.join().unwrap().unwrap();
        }
    });
    assert_eq!(semaphore.value(), Ok(0));
}

pub(crate) fn the_highest_value_is_not_passed<S: Semaphore>(kind: Kind) {
    let highest = highest(kind);
    let (_place, semaphore) = made::<S>(kind, highest);
    assert_eq!(semaphore.release(), Err(libc::EOVERFLOW));
    assert_eq!(semaphore.value(), Ok(highest));
    let place = Place::new(kind);
    assert_eq!(place.create::<S>(highest + 1, Options::default()).err(), Some(libc::EINVAL));
}

pub(crate) fn a_binary_one_is_given_back_once<S: Semaphore>(kind: Kind) {
    let place = Place::new(kind);
    let binary = Options { binary: true, ..Options::default() };
    assert_eq!(place.create::<S>(2, binary).err(), Some(libc::EINVAL));
    let semaphore: S = place.create(0, binary).unwrap();
    semaphore.release().unwrap();
    assert_eq!(semaphore.release(), Err(libc::EOVERFLOW));
    assert_eq!(semaphore.value(), Ok(1));
    semaphore.acquire(TRY).unwrap();
    semaphore.release().unwrap();
}

pub(crate) fn closing_never_removes<S: Semaphore>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let (place, semaphore) = made::<S>(kind, 5);
    semaphore.acquire(TRY).unwrap();
    drop(semaphore);
    for _ in 0..2 {
        assert_eq!(S::open(place.name(), Options::default()).unwrap().value(), Ok(4));
    }
}

pub(crate) fn names_are_created_once<S: Semaphore>(kind: Kind) {
    let place = Place::new(kind);
    if !kind.is_named() {
        // Each creation makes another one.
        let one: S = place.create(1, Options::default()).unwrap();
        let other: S = place.create(1, Options::default()).unwrap();
        one.acquire(TRY).unwrap();
        assert_eq!(other.value(), Ok(1));
        return;
    }
    assert_eq!(S::open(place.name(), Options::default()).err(), Some(libc::ENOENT));
    assert_eq!(S::unlink(place.name()), Err(libc::ENOENT));
    let semaphore: S = place.create(1, Options::default()).unwrap();
    assert_eq!(place.create::<S>(7, Options::default()).err(), Some(libc::EEXIST));
    assert_eq!((semaphore.value(), semaphore.name()), (Ok(1), place.name().to_owned()));
}

pub(crate) fn open_or_create_does_either<S: Semaphore>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let place = Place::new(kind);
    let first = S::open_or_create(place.name(), 3, Options::default()).unwrap();
    first.acquire(TRY).unwrap();
    let second = S::open_or_create(place.name(), 7, Options::default()).unwrap();
    assert_eq!(second.value(), Ok(2));
    second.release().unwrap();
    assert_eq!(first.value(), Ok(3));
}

pub(crate) fn the_mode_is_exact_whatever_the_umask<S: Semaphore>(kind: Kind) {
    if kind == Kind::Anonymous {
        return;
    }
    for (asked, expected) in [(None, 0o600), (Some(0o640), 0o640), (Some(0o666), 0o666)] {
        let place = Place::new(kind);
        let semaphore: S = place.create(1, Options { mode: asked, ..Options::default() }).unwrap();
        let mode = if kind == Kind::Posix {
            let file = format!("/dev/shm/sem.{}", &place.name()[1..]);
            std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(file).unwrap()) & 0o777
        } else {
            let id = semaphore.id().unwrap();
            let sets = unipc::SemaphoreSet::list().unwrap();
            sets.iter().find(|set| set.id == id).unwrap().permissions.mode
        };
        assert_eq!(mode, expected);
    }
}

pub(crate) fn replacing_makes_a_new_one<S: Semaphore>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let (place, old) = made::<S>(kind, 1);
    let replace = Options { replace: true, ..Options::default() };
    let new: S = place.create(5, replace).unwrap();
    assert_eq!(new.value(), Ok(5));
    assert_eq!(S::open(place.name(), Options::default()).unwrap().value(), Ok(5));
    // Who had the old one keeps it, or learns that it is gone.
    let after = if kind.is_system_v() { Err(libc::EIDRM) } else { Ok(1) };
    assert_eq!(old.value(), after);
}

pub(crate) fn removing_is_by_name_or_by_handle<S: Semaphore>(kind: Kind) {
    let (place, semaphore) = made::<S>(kind, 1);
    if kind == Kind::Anonymous {
        assert_eq!(semaphore.remove(), Err(libc::EOPNOTSUPP));
        return;
    }
    semaphore.remove().unwrap();
    let gone = if kind.is_system_v() { libc::EIDRM } else { libc::ENOENT };
    assert_eq!(semaphore.remove(), Err(gone));
    let after = if kind.is_system_v() { Err(libc::EIDRM) } else { Ok(()) };
    assert_eq!(semaphore.acquire(TRY), after);
    assert_eq!(semaphore.release(), after);
    if kind.is_named() {
        let _again: S = place.create(1, Options::default()).unwrap();
        if kind == Kind::Posix {
            assert_eq!(semaphore.remove(), Err(libc::ESTALE));
        }
        S::unlink(place.name()).unwrap();
        assert_eq!(S::open(place.name(), Options::default()).err(), Some(libc::ENOENT));
    }
}

pub(crate) fn remove_on_close_removes<S: Semaphore>(kind: Kind) {
    let remove_on_close = Options { remove_on_close: true, ..Options::default() };
    let place = Place::new(kind);
    if kind == Kind::Anonymous {
        let refused = place.create::<S>(1, remove_on_close).err();
        // In C the flag is unknown there.
        assert!([Some(libc::EOPNOTSUPP), Some(libc::EINVAL)].contains(&refused));
        return;
    }
    let semaphore: S = place.create(1, remove_on_close).unwrap();
    let name = semaphore.name();
    drop(semaphore);
    let gone = if kind == Kind::Private { libc::EINVAL } else { libc::ENOENT };
    assert_eq!(S::open(&name, Options::default()).err(), Some(gone));
}

/// Forks a child that does something and ends; it must succeed.
fn in_child(work: impl FnOnce() -> bool) {
    // SAFETY: the child makes semaphore operations and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let status = i32::from(!work());
        // SAFETY: ends the child.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: the child is ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
}

pub(crate) fn fork_shares_and_the_childs_end_changes_nothing<S: Semaphore>(kind: Kind) {
    let (place, semaphore) = made::<S>(kind, 3);
    in_child(|| semaphore.acquire(TRY).is_ok() && semaphore.value() == Ok(2));
    assert_eq!(semaphore.value(), Ok(2));
    if kind.is_named() {
        assert_eq!(S::open(place.name(), Options::default()).unwrap().value(), Ok(2));
    }
}

pub(crate) fn only_system_v_undoes<S: Semaphore>(kind: Kind) {
    let place = Place::new(kind);
    let undo = Options { undo: true, ..Options::default() };
    if !kind.is_system_v() {
        assert_eq!(place.create::<S>(3, undo).err(), Some(libc::EOPNOTSUPP));
        return;
    }
    let semaphore: S = place.create(3, undo).unwrap();
    in_child(|| semaphore.acquire(TRY).is_ok() && semaphore.value() == Ok(2));
    assert_eq!(semaphore.value(), Ok(3), "the kernel gave it back");
}

pub(crate) fn only_system_v_can_be_set<S: Semaphore>(kind: Kind) {
    let (_place, semaphore) = made::<S>(kind, 1);
    if !kind.is_system_v() {
        assert_eq!(semaphore.set_value(7), Err(libc::EOPNOTSUPP));
        return;
    }
    semaphore.set_value(7).unwrap();
    assert_eq!(semaphore.value(), Ok(7));
    assert_eq!(semaphore.set_value(32768), Err(libc::ERANGE));
}

pub(crate) fn threads_take_each_unit_once<S: Semaphore>(kind: Kind) {
    const EACH: u32 = 500;
    let (_place, semaphore) = made::<S>(kind, 0);
    let taken = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    semaphore.acquire(LONG).unwrap();
                    // SYNC: a counter, read after the threads have ended.
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
            scope.spawn(|| (0..EACH).for_each(|_| semaphore.release().unwrap()));
        }
    });
    assert_eq!((taken.into_inner(), semaphore.value()), (4 * EACH, Ok(0)));
}

pub(crate) fn names_of_other_objects_are_refused<S: Semaphore>(kind: Kind) {
    if kind != Kind::Posix {
        return;
    }
    for name in ["memfd:x", "anon:", "file:/tmp/x"] {
        assert_eq!(S::create(name, 1, Options::default()).err(), Some(libc::EOPNOTSUPP));
        assert_eq!(S::open(name, Options::default()).err(), Some(libc::EOPNOTSUPP));
        assert_eq!(S::unlink(name), Err(libc::EOPNOTSUPP));
    }
    assert_eq!(S::open("sysv:id=2147483647", Options::default()).err(), Some(libc::EINVAL));
    assert_eq!(S::create("sysv:id=1", 1, Options::default()).err(), Some(libc::EINVAL));
    assert_eq!(S::unlink("sysv:private"), Err(libc::EINVAL));
}

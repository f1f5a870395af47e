// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is in the way, and deadlock.

use crate::peer::Peer;
use crate::support::Directory;
use crate::{FOREVER, KINDS, SHORT, TRY, alone, errno, open, peer};
use unipc::Timeout;
use unipc::lock::Sharing::{Exclusive, Shared};
use unipc::lock::{Holder, Kind, Range};

#[test]
fn the_one_in_the_way_is_told() {
    let _alone = alone();
    let directory = Directory::new("lock-holder");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let lock = open(kind, &name);
        assert_eq!(lock.holder(.., Exclusive).unwrap(), None);
        let range = if kind == Kind::Flock { Range::ALL } else { Range::new(5, Some(10)) };
        let mut other = Peer::run(|link| {
            let lock = open(kind, &name);
            for sharing in [Exclusive, Shared] {
                lock.acquire(range, sharing, TRY).unwrap();
                link.tell();
                link.hear();
                assert_eq!(
                    lock.holder(range, Exclusive).unwrap(),
                    None,
                    "its own is in nobody's way"
                );
                lock.release(..).unwrap();
            }
        });
        for sharing in [Exclusive, Shared] {
            other.hear();
            let pid = (kind != Kind::Ofd).then_some(other.pid);
            let found = lock.holder(.., Exclusive).unwrap();
            assert_eq!(found, Some(Holder { pid, kind, sharing, range }));
            let for_shared = lock.holder(.., Shared).unwrap();
            assert_eq!(for_shared.is_some(), sharing == Exclusive);
            if kind != Kind::Flock {
                assert_eq!(lock.holder(..5, Exclusive).unwrap(), None);
                assert_eq!(lock.holder(15.., Exclusive).unwrap(), None);
            }
            other.tell();
        }
        other.ends();
        assert_eq!(lock.holder(.., Exclusive).unwrap(), None);
    }
    // Each kind of record lock sees the other.
    let name = directory.name("both");
    let (ofd, posix) = (open(Kind::Ofd, &name), open(Kind::Posix, &name));
    ofd.acquire(7.., Shared, TRY).unwrap();
    let found = posix.holder(.., Exclusive).unwrap().unwrap();
    assert_eq!((found.kind, found.pid, found.range), (Kind::Ofd, None, Range::from(7..)));
    posix.acquire(..3, Exclusive, TRY).unwrap();
    let found = ofd.holder(.., Exclusive).unwrap().unwrap();
    assert_eq!((found.kind, found.pid), (Kind::Posix, Some(std::process::id().cast_signed())));
}

#[test]
fn flock_tells_its_own_locks_from_equal_ones() {
    let _alone = alone();
    let directory = Directory::new("lock-own");
    let name = directory.name("lock");
    let (first, second) = (open(Kind::Flock, &name), open(Kind::Flock, &name));
    first.acquire(.., Shared, TRY).unwrap();
    assert_eq!(first.holder(.., Exclusive).unwrap(), None);
    // The rows of the two are the same, word for word.
    second.acquire(.., Shared, TRY).unwrap();
    let found = first.holder(.., Exclusive).unwrap().unwrap();
    assert_eq!((found.pid, found.sharing), (Some(std::process::id().cast_signed()), Shared));
    assert_eq!(first.holder(.., Shared).unwrap(), None);
}

#[test]
fn locks_that_come_and_go_elsewhere_change_nothing() {
    let _alone = alone();
    let directory = Directory::new("lock-elsewhere");
    let (name, elsewhere) = (directory.name("lock"), directory.name("elsewhere"));
    let lock = open(Kind::Flock, &name);
    let mut restless = Peer::run(|link| {
        let lock = open(Kind::Flock, &elsewhere);
        link.tell();
        loop {
            lock.acquire(.., Exclusive, TRY).unwrap();
            lock.release(..).unwrap();
        }
    });
    restless.hear();
    let always = |times, wanted: Option<Holder>| {
        for _ in 0..times {
            assert_eq!(lock.holder(.., Exclusive).unwrap(), wanted);
        }
    };
    for sharing in [Shared, Exclusive] {
        lock.acquire(.., sharing, TRY).unwrap();
        always(10_000, None);
        lock.release(..).unwrap();
    }
    // Also where the table takes several pages.
    let others: Vec<_> = (0..200).map(|_| open(Kind::Flock, &directory.name("others"))).collect();
    for (at, other) in others.iter().enumerate() {
        other.acquire(.., Shared, TRY).unwrap();
        if at == 60 {
            lock.acquire(.., Shared, TRY).unwrap();
        }
    }
    always(400, None);
    lock.release(..).unwrap();
    drop(others);
    let mut other = Peer::run(|link| {
        let lock = open(Kind::Flock, &name);
        lock.acquire(.., Shared, TRY).unwrap();
        link.tell();
        link.hear();
    });
    other.hear();
    always(
        2000,
        Some(Holder {
            pid: Some(other.pid),
            kind: Kind::Flock,
            sharing: Shared,
            range: Range::ALL,
        }),
    );
    other.tell();
    other.ends();
    restless.kill();
}

#[test]
fn only_posix_locks_notice_a_deadlock() {
    let _alone = alone();
    let directory = Directory::new("lock-deadlock");
    let name = directory.name("posix");
    let mut other = Peer::run(|link| {
        let lock = open(Kind::Posix, &name);
        lock.acquire(1..2, Exclusive, TRY).unwrap();
        link.tell();
        link.hear();
        lock.acquire(0..1, Exclusive, FOREVER).unwrap();
    });
    let lock = open(Kind::Posix, &name);
    lock.acquire(0..1, Exclusive, TRY).unwrap();
    other.hear();
    other.tell();
    other.asleep();
    for timeout in [FOREVER, Timeout::After(peer::WATCHDOG)] {
        let error = lock.acquire(1..2, Exclusive, timeout).unwrap_err();
        assert_eq!(error.errno(), libc::EDEADLK);
        assert!(error.to_string().contains("release that one first"), "{error}");
    }
    lock.release(0..1).unwrap();
    other.ends();
    // The same with OFD locks only ends by a limit.
    let name = directory.name("ofd");
    let (first, second) = (open(Kind::Ofd, &name), open(Kind::Ofd, &name));
    first.acquire(0..1, Exclusive, TRY).unwrap();
    second.acquire(1..2, Exclusive, TRY).unwrap();
    let both = [(&first, 1..2), (&second, 0..1)].map(|(lock, range)| {
        std::thread::scope(|scope| {
            scope.spawn(|| errno(lock.acquire(range.clone(), Exclusive, SHORT))).join().unwrap()
        })
    });
    assert_eq!(both, [libc::ETIMEDOUT; 2]);
}

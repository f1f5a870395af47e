// SPDX-License-Identifier: MIT OR Apache-2.0
//! What excludes what: sharing, ranges, kinds, conversion.

use crate::support::Directory;
use crate::{FOREVER, KINDS, SHORT, TRY, alone, errno, is_free, open};
use unipc::lock::Sharing::{Exclusive, Shared};
use unipc::lock::{Kind, Range};

#[test]
fn one_excludes_the_other_and_shares_if_both_do() {
    let _alone = alone();
    let directory = Directory::new("lock-exclude");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let mut ours = open(kind, &name);
        let guard = ours.lock(Exclusive, TRY).unwrap();
        assert_eq!(
            (guard.range(), guard.sharing(), guard.is_held()),
            (Range::ALL, Exclusive, true)
        );
        assert!(!is_free(kind, &name, Range::ALL, Exclusive), "{kind:?}");
        assert!(!is_free(kind, &name, Range::ALL, Shared), "{kind:?}");
        drop(guard);
        let guard = ours.lock(Shared, FOREVER).unwrap();
        assert!(!is_free(kind, &name, Range::ALL, Exclusive), "{kind:?}");
        assert!(is_free(kind, &name, Range::ALL, Shared), "{kind:?}");
        guard.release().unwrap();
        assert!(is_free(kind, &name, Range::ALL, Exclusive), "{kind:?}");
    }
    // Two handles in one process, so two threads: the owner is the handle, but the process for POSIX.
    for (kind, expected) in
        [(Kind::Ofd, libc::EAGAIN), (Kind::Flock, libc::EAGAIN), (Kind::Posix, 0)]
    {
        let name = directory.name(&format!("{kind:?}"));
        let (first, second) = (open(kind, &name), open(kind, &name));
        first.acquire(.., Exclusive, TRY).unwrap();
        assert_eq!(errno(second.acquire(.., Exclusive, TRY)), expected, "{kind:?}");
    }
}

#[test]
fn record_locks_of_both_kinds_exclude_each_other_and_flock_none() {
    let _alone = alone();
    let directory = Directory::new("lock-kinds");
    let name = directory.name("lock");
    for ours in KINDS {
        let handle = open(ours, &name);
        handle.acquire(.., Exclusive, TRY).unwrap();
        for theirs in KINDS {
            let apart = (ours == Kind::Flock) != (theirs == Kind::Flock);
            assert_eq!(is_free(theirs, &name, Range::ALL, Exclusive), apart, "{ours:?} {theirs:?}");
        }
    }
}

#[test]
fn ranges_that_touch_no_common_byte_are_apart() {
    let _alone = alone();
    let directory = Directory::new("lock-range");
    for kind in [Kind::Ofd, Kind::Posix] {
        let name = directory.name(&format!("{kind:?}"));
        let mut lock = open(kind, &name);
        let free = |range: Range| is_free(kind, &name, range, Exclusive);
        let guard = lock.lock_range(10..20, Exclusive, TRY).unwrap();
        assert_eq!(guard.range(), Range::new(10, Some(10)));
        for (range, expected) in [
            (Range::from(..10), true),
            (Range::from(..11), false),
            (Range::from(12..13), false),
            (Range::from(19..25), false),
            (Range::from(20..), true),
            (Range::ALL, false),
        ] {
            assert_eq!(free(range), expected, "{kind:?} {range}");
        }
        drop(guard);
        // To the end, wherever that will be.
        let guard = lock.lock_range(100.., Exclusive, TRY).unwrap();
        assert!(free((..100).into()) && !free((1 << 40..).into()) && !free((99..101).into()));
        drop(guard);
        // A part of what is locked is unlocked, and the rest is two locks.
        lock.acquire(.., Exclusive, TRY).unwrap();
        lock.release(50..60).unwrap();
        assert!(free((50..60).into()) && !free((..50).into()) && !free((60..).into()));
        lock.release(1000..).unwrap();
        assert!(free((1000..).into()) && !free((60..61).into()));
        // Neighbours become one; bytes that are not locked may be unlocked.
        lock.acquire(50..60, Exclusive, TRY).unwrap();
        lock.release(..).unwrap();
        lock.release(..).unwrap();
        assert!(free(Range::ALL));
        assert_eq!(errno(lock.acquire(5..5, Shared, TRY)), libc::EINVAL);
        assert_eq!(errno(lock.acquire(1 << 63.., Shared, TRY)), libc::EOVERFLOW);
        assert_eq!(errno(lock.release(7..7)), libc::EINVAL);
        assert_eq!(errno(lock.holder(7..7, Shared)), libc::EINVAL);
    }
    let flock = open(Kind::Flock, &directory.name("flock"));
    assert_eq!(errno(flock.acquire(1.., Shared, TRY)), libc::EOPNOTSUPP);
    assert_eq!(errno(flock.release(..5)), libc::EOPNOTSUPP);
    assert_eq!(errno(flock.holder(..5, Shared)), libc::EOPNOTSUPP);
}

#[test]
fn a_record_lock_is_converted_in_one_step() {
    let _alone = alone();
    let directory = Directory::new("lock-convert");
    let name = directory.name("ofd");
    let (mut first, mut second) = (open(Kind::Ofd, &name), open(Kind::Ofd, &name));
    let mut guard = first.lock(Shared, TRY).unwrap();
    let other = second.lock(Shared, TRY).unwrap();
    // Both have it: neither can have it alone, and both keep what they have.
    assert_eq!(errno(guard.convert(Exclusive, TRY)), libc::EAGAIN);
    assert_eq!(errno(guard.convert(Exclusive, SHORT)), libc::ETIMEDOUT);
    assert_eq!((guard.sharing(), guard.is_held()), (Shared, true));
    assert!(!is_free(Kind::Ofd, &name, Range::ALL, Exclusive));
    drop(other);
    guard.convert(Exclusive, TRY).unwrap();
    assert_eq!(guard.sharing(), Exclusive);
    assert!(!is_free(Kind::Ofd, &name, Range::ALL, Shared));
    guard.convert(Shared, TRY).unwrap();
    assert!(is_free(Kind::Ofd, &name, Range::ALL, Shared));
    drop(guard);
    assert!(is_free(Kind::Ofd, &name, Range::ALL, Exclusive));
}

#[test]
fn flock_gives_up_what_it_has_to_be_converted() {
    let _alone = alone();
    let directory = Directory::new("lock-give-up");
    let name = directory.name("flock");
    let (mut first, mut second) = (open(Kind::Flock, &name), open(Kind::Flock, &name));
    let mut guard = first.lock(Shared, TRY).unwrap();
    let mut other = second.lock(Shared, TRY).unwrap();
    let error = guard.convert(Exclusive, TRY).unwrap_err();
    assert_eq!(error.errno(), libc::EAGAIN);
    assert!(error.to_string().contains("nothing is locked now"), "{error}");
    assert!(!guard.is_held());
    other.convert(Exclusive, TRY).unwrap();
    assert_eq!(errno(guard.convert(Shared, SHORT)), libc::ETIMEDOUT);
    drop(other);
    guard.convert(Shared, TRY).unwrap();
    assert!(guard.is_held() && !is_free(Kind::Flock, &name, Range::ALL, Exclusive));
    drop(guard);
    assert!(is_free(Kind::Flock, &name, Range::ALL, Exclusive));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose a lock is: descriptors, forks, programs, the dead.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

use crate::peer::Peer;
use crate::support::Directory;
use crate::{FOREVER, KINDS, TRY, alone, is_free, open, peer};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use unipc::lock::Sharing::{Exclusive, Shared};
use unipc::lock::{FileLock, Guard, Kind, Range};

#[test]
fn posix_locks_are_lost_at_any_close_and_the_others_are_not() {
    let _alone = alone();
    let directory = Directory::new("lock-close");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let lock = open(kind, &name);
        lock.acquire(.., Exclusive, TRY).unwrap();
        // Somebody in the process, a library perhaps, looks into the file.
        drop(fs::read(directory.path(&format!("{kind:?}"))).unwrap());
        assert_eq!(is_free(kind, &name, Range::ALL, Exclusive), kind == Kind::Posix, "{kind:?}");
    }
}

#[test]
fn making_a_file_ends_no_lock_that_another_thread_takes_on_it_meanwhile() {
    let _alone = alone();
    let directory = Directory::new("lock-made");
    for round in 0..2000 {
        let name = directory.name(&round.to_string());
        let start = std::sync::Barrier::new(2);
        let (made, taken) = std::thread::scope(|threads| {
            let taken = threads.spawn(|| {
                start.wait();
                let opened = || FileLock::options().kind(Kind::Posix).open(name.as_str()).ok();
                let lock = std::iter::repeat_with(opened).flatten().next().unwrap();
                lock.acquire(.., Exclusive, TRY).unwrap();
                lock
            });
            start.wait();
            let made = FileLock::options().kind(Kind::Posix).create(name.as_str()).unwrap();
            (made, taken.join().unwrap())
        });
        // Another owner, who asks.
        let other = FileLock::open(name.as_str()).unwrap();
        assert!(other.holder(.., Exclusive).unwrap().is_some(), "round {round}");
        drop((made, taken, other));
        fs::remove_file(directory.path(&round.to_string())).unwrap();
    }
}

#[test]
fn copies_of_a_descriptor_are_one_owner() {
    let _alone = alone();
    let directory = Directory::new("lock-dup");
    for kind in [Kind::Ofd, Kind::Flock] {
        let name = directory.name(&format!("{kind:?}"));
        let lock = open(kind, &name);
        lock.acquire(.., Exclusive, TRY).unwrap();
        let copy: OwnedFd = lock.as_fd().try_clone_to_owned().unwrap();
        drop(lock);
        assert!(!is_free(kind, &name, Range::ALL, Exclusive), "a copy of the descriptor is open");
        let copy = FileLock::options().kind(kind).from_fd(copy).unwrap();
        // It is its own lock, which it converts and ends.
        copy.acquire(.., Shared, TRY).unwrap();
        assert!(is_free(kind, &name, Range::ALL, Shared));
        drop(copy);
        assert!(is_free(kind, &name, Range::ALL, Exclusive));
    }
}

#[test]
fn a_child_of_fork_shares_the_lock_and_its_guard_ends_nothing() {
    let _alone = alone();
    let directory = Directory::new("lock-fork");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let mut lock = open(kind, &name);
        let mut guard = Some(lock.lock(Exclusive, TRY).unwrap());
        let child = Peer::run(|_| {
            let guard = guard.take().unwrap();
            assert_eq!(guard.is_held(), kind != Kind::Posix, "{kind:?}");
            drop(guard);
        });
        child.ends();
        assert!(!is_free(kind, &name, Range::ALL, Exclusive), "{kind:?}");
        drop(guard);
        assert!(is_free(kind, &name, Range::ALL, Exclusive), "{kind:?}");

        // What the child does expressly counts for both, but with POSIX locks, of which it has none.
        lock.acquire(.., Exclusive, TRY).unwrap();
        Peer::run(|_| lock.release(..).unwrap()).ends();
        assert_eq!(is_free(kind, &name, Range::ALL, Exclusive), kind != Kind::Posix, "{kind:?}");
        lock.release(..).unwrap();

        // The lock lives as long as anybody has the open file.
        lock.acquire(.., Exclusive, TRY).unwrap();
        let mut child = Peer::run(peer::Link::hear);
        drop(lock);
        assert_eq!(is_free(kind, &name, Range::ALL, Exclusive), kind == Kind::Posix, "{kind:?}");
        child.tell();
        child.ends();
        assert!(is_free(kind, &name, Range::ALL, Exclusive), "{kind:?}");
    }
}

#[test]
fn exec_ends_the_locks_unless_the_descriptor_is_kept() {
    let _alone = alone();
    let directory = Directory::new("lock-exec");
    for kind in KINDS {
        for kept in [false, true] {
            let name = directory.name(&format!("{kind:?}-{kept}"));
            let mut child = Peer::run(|link| {
                let lock = open(kind, &name);
                lock.acquire(.., Exclusive, TRY).unwrap();
                let flags = if kept { FdFlag::empty() } else { FdFlag::FD_CLOEXEC };
                fcntl(lock.as_fd(), FcntlArg::F_SETFD(flags)).unwrap();
                link.tell();
                link.hear();
                let error = Command::new("sleep").arg("60").exec();
                panic!("sleep: {error}");
            });
            child.hear();
            assert!(!is_free(kind, &name, Range::ALL, Exclusive));
            child.tell();
            let program = format!("/proc/{}/comm", child.pid);
            while fs::read_to_string(&program).unwrap() != "sleep\n" {
                std::thread::yield_now();
            }
            // The old program's descriptors end only when the new one begins to run.
            child.asleep();
            let free = is_free(kind, &name, Range::ALL, Exclusive);
            assert_eq!(free, !kept, "{kind:?}, kept: {kept}");
            child.kill();
            assert!(is_free(kind, &name, Range::ALL, Exclusive));
        }
    }
}

#[test]
fn a_killed_holder_leaves_nothing_locked() {
    let _alone = alone();
    let directory = Directory::new("lock-kill");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let mut holder = Peer::run(|link| {
            let mut lock = open(kind, &name);
            let _guard = lock.lock(Exclusive, TRY).unwrap();
            link.tell();
            link.hear();
        });
        holder.hear();
        let mut waiter = Peer::run(|link| {
            let mut lock = open(kind, &name);
            link.tell();
            let _guard = lock.lock(Exclusive, FOREVER).unwrap();
        });
        waiter.hear();
        waiter.asleep();
        holder.kill();
        waiter.ends();
    }
}

#[test]
fn an_owned_guard_keeps_the_file_open() {
    let _alone = alone();
    let directory = Directory::new("lock-owned");
    let name = directory.name("lock");
    let lock = Arc::new(open(Kind::Ofd, &name));
    let guard: Guard<Arc<FileLock>> = lock.lock_owned(..10, Exclusive, TRY).unwrap();
    let other = lock.lock_owned(10..20, Shared, TRY).unwrap();
    drop(lock);
    assert!(!is_free(Kind::Ofd, &name, (..10).into(), Shared));
    drop(guard);
    assert!(is_free(Kind::Ofd, &name, (..10).into(), Exclusive));
    assert!(!is_free(Kind::Ofd, &name, (10..).into(), Exclusive));
    drop(other);
    assert!(is_free(Kind::Ofd, &name, Range::ALL, Exclusive));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! File locks of the three kinds: what excludes whom, in one process and between several, and what becomes of locks.
#![allow(unsafe_code, reason = "settings of a process are raw calls")]

#[path = "support/child.rs"]
mod child;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use child::{skip, succeeds_alone};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::resource::{Resource, setrlimit};
use peer::Peer;
use storm::{Storm, through};
use support::Directory;
use unipc::lock::{FileLock, Guard, Holder, Kind, Range, Sharing};
use unipc::{Mode, Timeout};

use Sharing::{Exclusive, Shared};

const KINDS: [Kind; 3] = [Kind::Ofd, Kind::Posix, Kind::Flock];
const TRY: Timeout = Timeout::TRY;
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));
const FOREVER: Timeout = Timeout::Forever;

/// How often each of the threads counts.
const ROUNDS: u64 = 200;

/// A child of another test would inherit this test's files, and with them its locks.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(kind: Kind, name: &str) -> FileLock {
    FileLock::options().kind(kind).open_or_create(name).unwrap()
}

fn errno<T>(result: unipc::Result<T>) -> i32 {
    result.err().map_or(0, |error| error.errno())
}

/// Can somebody else have it? Asked in a child, since a process does not exclude itself by POSIX locks.
fn is_free(kind: Kind, name: &str, range: Range, sharing: Sharing) -> bool {
    let mut answer = [0];
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let child = Peer::run(|_| {
        let got = open(kind, name).acquire(range, sharing, TRY);
        writer.write_all(&[u8::from(got.is_ok())]).unwrap();
        assert!(got.is_ok() || errno(got) == libc::EAGAIN);
    });
    reader.read_exact(&mut answer).unwrap();
    child.ends();
    answer == [1]
}

#[test]
fn the_file_is_made_with_its_mode_and_stays() {
    let _alone = alone();
    let directory = Directory::new("lock-make");
    let name = directory.name("lock");
    assert_eq!(errno(FileLock::open(name.as_str())), libc::ENOENT);
    let lock = FileLock::create(name.as_str()).unwrap();
    assert_eq!((lock.kind(), lock.name().to_string()), (Kind::Ofd, name.clone()));
    let shown = fs::read_link(format!("/proc/self/fd/{}", lock.as_fd().as_raw_fd())).unwrap();
    assert_eq!(shown, directory.path("lock"), "what lslocks and fuser show");
    let flags = fcntl(lock.as_fd(), FcntlArg::F_GETFD).unwrap();
    assert!(FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC));
    drop(lock);
    assert_eq!(fs::metadata(directory.path("lock")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(errno(FileLock::create(name.as_str())), libc::EEXIST);
    // What is in it stays.
    fs::write(directory.path("lock"), "content").unwrap();
    drop(FileLock::open_or_create(name.as_str()).unwrap());
    drop(FileLock::open(name.as_str()).unwrap());
    assert_eq!(fs::read(directory.path("lock")).unwrap(), b"content");
    // Exactly the mode, whatever the umask of this process, which tests share: 0666 has bits that any umask takes.
    let options = FileLock::options().mode(Mode::new(0o666).unwrap());
    drop(options.open_or_create(directory.name("all").as_str()).unwrap());
    assert_eq!(fs::metadata(directory.path("all")).unwrap().mode() & 0o7777, 0o666);
    assert_eq!(directory.entries(), 2);
}

#[test]
fn what_is_no_file_is_refused() {
    let _alone = alone();
    let directory = Directory::new("lock-odd");
    let either = |file: &str| errno(FileLock::open_or_create(directory.name(file).as_str()));
    symlink(directory.path("target"), directory.path("link")).unwrap();
    assert_eq!(either("link"), libc::EMEDIUMTYPE, "a link that leads nowhere");
    fs::write(directory.path("target"), "").unwrap();
    assert_eq!(either("link"), libc::EMEDIUMTYPE, "a link to a file");
    assert_eq!(errno(FileLock::create(directory.name("link").as_str())), libc::EEXIST);
    nix::unistd::mkfifo(&directory.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(either("fifo"), libc::EMEDIUMTYPE);
    fs::create_dir(directory.path("directory")).unwrap();
    assert_eq!(either("directory"), libc::EMEDIUMTYPE);
    assert_eq!(either("no/where"), libc::ENOENT);
    for name in ["/demo", "anon:", "sysv:0x1", "memfd:x", "unix:@x"] {
        assert_eq!(errno(FileLock::open_or_create(name)), libc::EOPNOTSUPP, "{name}");
    }
    // A directory can be locked as a whole.
    let options = FileLock::options().kind(Kind::Flock).read_only(true);
    let mut lock = options.open(directory.name("directory").as_str()).unwrap();
    let other = options.open(directory.name("directory").as_str()).unwrap();
    let guard = lock.lock(Exclusive, TRY).unwrap();
    assert_eq!(errno(other.acquire(.., Exclusive, TRY)), libc::EAGAIN);
    drop(guard);
    assert_eq!(errno(options.create(directory.name("new").as_str())), libc::EINVAL);
    assert_eq!(errno(options.open_or_create(directory.name("new").as_str())), libc::EINVAL);
}

#[test]
fn a_descriptor_has_to_be_open_for_what_is_asked() {
    let _alone = alone();
    let directory = Directory::new("lock-access");
    let (name, path) = (directory.name("lock"), directory.path("lock"));
    fs::write(&path, "").unwrap();
    for kind in KINDS {
        let options = FileLock::options().kind(kind);
        let reader = options.read_only(true).open(name.as_str()).unwrap();
        let writer = File::options().write(true).open(&path).unwrap();
        let writer = options.from_fd(writer.into()).unwrap();
        assert_eq!(writer.name().to_string(), name);
        let expected = if kind == Kind::Flock { 0 } else { libc::EBADF };
        assert_eq!(errno(reader.acquire(.., Shared, TRY)), 0);
        assert_eq!(errno(reader.acquire(.., Exclusive, TRY)), expected, "{kind:?}");
        drop(reader);
        assert_eq!(errno(writer.acquire(.., Exclusive, TRY)), 0);
        assert_eq!(errno(writer.acquire(.., Shared, TRY)), expected, "{kind:?}");
    }
    let reader = FileLock::options().read_only(true).open(name.as_str()).unwrap();
    let text = reader.acquire(.., Exclusive, TRY).unwrap_err().to_string();
    assert!(text.starts_with(&format!("lock({name}): Bad file descriptor (EBADF); ")), "{text}");
    assert!(text.contains("open for writing"), "{text}");
    let path_only = nix::fcntl::OFlag::O_PATH;
    let fd = nix::fcntl::open(&path, path_only, nix::sys::stat::Mode::empty()).unwrap();
    assert_eq!(errno(FileLock::from_fd(fd)), libc::EBADF);
}

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
fn a_wait_ends_with_its_time_or_with_the_lock() {
    let _alone = alone();
    let directory = Directory::new("lock-wait");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let mut holder = Peer::run(|link| {
            let lock = open(kind, &name);
            for _ in 0..2 {
                lock.acquire(.., Exclusive, FOREVER).unwrap();
                link.tell();
                link.hear();
                lock.release(..).unwrap();
                link.tell();
                link.hear();
            }
        });
        let lock = open(kind, &name);
        for timeout in [FOREVER, Timeout::After(peer::WATCHDOG)] {
            holder.hear();
            assert_eq!(errno(lock.acquire(.., Exclusive, TRY)), libc::EAGAIN);
            let started = Instant::now();
            assert_eq!(errno(lock.acquire(.., Exclusive, SHORT)), libc::ETIMEDOUT);
            assert_eq!(errno(lock.acquire(.., Shared, SHORT)), libc::ETIMEDOUT);
            assert!(started.elapsed() >= Duration::from_millis(40));
            let (started, thread) = (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(0)));
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    *thread.lock().unwrap() = nix::unistd::gettid().as_raw();
                    started.wait();
                    lock.acquire(.., Exclusive, timeout)
                });
                started.wait();
                let id = *thread.lock().unwrap();
                peer::asleep(&format!("/proc/self/task/{id}/status"));
                assert!(!waiter.is_finished());
                holder.tell();
                assert_eq!(errno(waiter.join().unwrap()), 0, "{kind:?} {timeout:?}");
            });
            holder.hear();
            lock.release(..).unwrap();
            holder.tell();
        }
        holder.ends();
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
fn eight_threads_with_a_handle_each_count_right_in_a_storm_of_signals() {
    let _alone = alone();
    let directory = Directory::new("lock-threads");
    for kind in [Kind::Ofd, Kind::Flock] {
        let name = directory.name(&format!("{kind:?}"));
        let path = directory.path(&format!("{kind:?}"));
        fs::write(&path, 0_u64.to_le_bytes()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (name, path) = (&name, &path);
                scope.spawn(move || {
                    let _storm = Storm::new();
                    let lock = open(kind, name);
                    let mut file = File::options().read(true).write(true).open(path).unwrap();
                    let limits = [FOREVER, Timeout::After(peer::WATCHDOG)];
                    for _ in 0..ROUNDS {
                        let limit = limits[number % 2];
                        through(|| lock.acquire(.., Exclusive, limit)).unwrap();
                        let mut count = [0; 8];
                        file.seek(SeekFrom::Start(0)).unwrap();
                        file.read_exact(&mut count).unwrap();
                        file.seek(SeekFrom::Start(0)).unwrap();
                        let more = u64::from_le_bytes(count) + 1;
                        file.write_all(&more.to_le_bytes()).unwrap();
                        lock.release(..).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read(&path).unwrap(), (8 * ROUNDS).to_le_bytes(), "{kind:?}");
    }
    assert!(Storm::signals() > 0);
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

#[test]
fn a_wait_that_gets_no_timer_says_so_and_holds_nothing() {
    succeeds_alone("a_wait_that_gets_no_timer_says_so_and_holds_nothing", || {
        let directory = Directory::new("lock-timer");
        let name = directory.name("lock");
        let (holder, waiter) = (open(Kind::Ofd, &name), open(Kind::Ofd, &name));
        holder.acquire(.., Exclusive, TRY).unwrap();
        setrlimit(Resource::RLIMIT_SIGPENDING, 0, 0).unwrap();
        let result = waiter.acquire(.., Exclusive, SHORT);
        if errno(result.clone()) == libc::ETIMEDOUT {
            return skip("a_wait_that_gets_no_timer", "RLIMIT_SIGPENDING is not enforced here");
        }
        assert_eq!(errno(result), libc::EAGAIN);
        holder.release(..).unwrap();
        // Without somebody in the way no timer is needed.
        waiter.acquire(.., Exclusive, SHORT).unwrap();
    });
}

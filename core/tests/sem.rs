// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meaning of value, acquire, release, timeout and try, whatever a semaphore is made of. (The conformance suite has
//! what holds in C too.)
#![allow(unsafe_code, reason = "the C library is asked directly, and processes are forked")]

#[path = "support/child.rs"]
mod child;
#[path = "support/semaphore.rs"]
mod semaphore;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use child::{skip, succeeds_in_namespaces};
use semaphore::{Kind, Unlinked, asleep, each};
use storm::{Storm, through};
use support::{key_name, posix_name, unique};
use unipc::sem::{Backing, Holdings};
use unipc::{Name, Semaphore, SemaphoreSet, SharedMemory, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));

fn errno<T: std::fmt::Debug>(result: unipc::Result<T>) -> i32 {
    result.unwrap_err().errno()
}

#[test]
fn threads_hand_over_and_nothing_is_lost() {
    each(0, |semaphore, kind| {
        const ROUNDS: u32 = 2000;
        let (back, _unlinked) = kind.make(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        semaphore.acquire(LONG).unwrap();
                        back.release().unwrap();
                    }
                });
            }
            for _ in 0..2 * ROUNDS {
                semaphore.release().unwrap();
                back.acquire(LONG).unwrap();
            }
        });
        assert_eq!((semaphore.value().unwrap(), back.value().unwrap()), (0, 0));
    });
}

#[test]
fn never_more_hold_than_there_are_units() {
    each(3, |semaphore, _| {
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let _held = semaphore.hold(LONG).unwrap();
                        // SYNC: counters that order nothing; the semaphore does.
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((1..=3).contains(&most), "{most} were inside");
        assert_eq!(semaphore.value().unwrap(), 3);
    });
}

#[test]
fn a_storm_of_signals_ends_waits_with_eintr_and_loses_nothing() {
    each(0, |semaphore, kind| {
        let before = Storm::signals();
        let semaphore = Arc::new(semaphore);
        let taken = {
            let semaphore = Arc::clone(&semaphore);
            std::thread::spawn(move || {
                let _storm = Storm::new();
                let mut interrupted = 0;
                for _ in 0..50 {
                    let limit = LONG.deadline();
                    while let Err(error) = semaphore.acquire(limit.remaining()) {
                        assert_eq!(error.errno(), libc::EINTR, "{kind:?}: {error}");
                        interrupted += 1;
                    }
                }
                interrupted
            })
        };
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(2));
            semaphore.release().unwrap();
        }
        let interrupted = taken.join().unwrap();
        assert!(Storm::signals() > before);
        assert!(interrupted > 0, "{kind:?}: no wait was interrupted");
        assert_eq!(semaphore.value().unwrap(), 0);

        // A limit holds across interruptions, and it is the monotonic clock that counts.
        let _storm = Storm::new();
        let (started, limit) = (Instant::now(), Duration::from_millis(30));
        let deadline = Timeout::After(limit).deadline();
        let error = through(|| {
            let left = match deadline.remaining() {
                Timeout::TRY => Timeout::After(Duration::from_nanos(1)),
                left => left,
            };
            semaphore.acquire(left)
        });
        assert_eq!(errno(error), libc::ETIMEDOUT);
        assert!(started.elapsed() >= limit);
    });
}

#[test]
fn a_try_is_never_interrupted() {
    each(0, |semaphore, kind| {
        let _storm = Storm::new();
        let end = Instant::now() + Duration::from_millis(50);
        while Instant::now() < end {
            assert_eq!(errno(semaphore.acquire(Timeout::TRY)), libc::EAGAIN, "{kind:?}");
        }
    });
}

#[test]
fn the_highest_value_is_not_passed() {
    for (kind, highest) in
        [(Kind::Posix, 2_147_483_647), (Kind::Memory, 2_147_483_647), (Kind::SystemV, 32767)]
    {
        let (semaphore, _unlinked) = kind.make(highest);
        let error = semaphore.release().unwrap_err();
        assert_eq!(error.errno(), libc::EOVERFLOW, "{error}");
        assert!(error.to_string().contains(&highest.to_string()), "{error}");
        assert_eq!(semaphore.value().unwrap(), highest);
        semaphore.acquire(Timeout::TRY).unwrap();
        semaphore.release().unwrap();
    }
    for (name, value) in [(posix_name("high"), 1 << 31), (key_name(), 32768)] {
        let error = Semaphore::create(name.as_str(), value).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL, "{error}");
        assert_eq!(errno(Semaphore::open(name.as_str())), libc::ENOENT);
    }
}

#[test]
fn a_binary_semaphore_is_given_back_once() {
    for kind in Kind::ALL {
        let options = Semaphore::options().binary(true);
        let (semaphore, _unlinked) = kind.make_with(&options, 1);
        let error = semaphore.release().unwrap_err();
        assert_eq!(error.errno(), libc::EOVERFLOW, "{error}");
        assert!(error.to_string().contains("binary"), "{error}");
        semaphore.acquire(Timeout::TRY).unwrap();
        drop(semaphore.hold(Timeout::TRY).unwrap_err());
        semaphore.release().unwrap();
        drop(semaphore.hold(Timeout::TRY).unwrap());
        assert_eq!(semaphore.value().unwrap(), 1);

        // One who sleeps is woken, and among many who give at once exactly one succeeds.
        semaphore.acquire(Timeout::TRY).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| semaphore.acquire(LONG));
            std::thread::sleep(Duration::from_millis(20));
            semaphore.release().unwrap();
            waiter.join().unwrap().unwrap();
            for _ in 0..200 {
                let gave = AtomicU32::new(0);
                std::thread::scope(|scope| {
                    for _ in 0..4 {
                        // SYNC: a counter, read after the threads have ended.
                        scope.spawn(|| {
                            gave.fetch_add(semaphore.release().is_ok().into(), Ordering::Relaxed)
                        });
                    }
                });
                assert_eq!((gave.into_inner(), semaphore.value().unwrap()), (1, 1));
                semaphore.acquire(Timeout::TRY).unwrap();
            }
        });
    }
    let refused = Semaphore::options().binary(true).create(posix_name("two").as_str(), 2);
    assert_eq!(errno(refused), libc::EINVAL);
}

#[test]
fn a_child_of_fork_gives_back_nothing_of_its_parents() {
    each(2, |semaphore, _| {
        let held = semaphore.hold(Timeout::TRY).unwrap();
        // SAFETY: the child calls what is async-signal-safe: semaphore operations and _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            drop(held);
            let fine = semaphore.try_acquire().is_ok_and(|taken| taken);
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!fine)) };
        }
        let mut status = 0;
        // SAFETY: the child is ours.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        // What the child acquired without undoing stays taken.
        assert_eq!(semaphore.value().unwrap(), 0);
        drop(held);
        assert_eq!(semaphore.value().unwrap(), 1);
    });
}

#[test]
fn a_child_of_fork_leaves_what_its_parent_entered_after_what_it_has_entered_itself() {
    each(3, |semaphore, _| {
        let held = Holdings::default();
        held.take(&semaphore, Timeout::TRY).unwrap();
        held.take(&semaphore, Timeout::TRY).unwrap();
        // SAFETY: the child calls what is async-signal-safe: semaphore operations and _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let left = || held.give_back(&semaphore).is_ok_and(|was_entered| was_entered);
            let value = || semaphore.value().unwrap_or(u32::MAX);
            let fine = left()
                && value() == 1
                && held.take(&semaphore, Timeout::TRY).is_ok()
                && value() == 0
                && left()
                && value() == 1
                && left()
                && value() == 1
                && !left();
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!fine)) };
        }
        let mut status = 0;
        // SAFETY: the child is ours.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        assert_eq!(semaphore.value().unwrap(), 1);
        assert!(held.give_back(&semaphore).unwrap() && held.give_back(&semaphore).unwrap());
        assert!(!held.give_back(&semaphore).unwrap());
        assert_eq!(semaphore.value().unwrap(), 3);
    });
}

/// A process that holds the semaphore and sleeps; killed when dropped.
struct Holder(libc::pid_t);

impl Holder {
    fn new(semaphore: &Semaphore, take: impl FnOnce(&Semaphore)) -> Self {
        // SAFETY: the child calls what is async-signal-safe, and sleeps.
        let child = unsafe { libc::fork() };
        if child == 0 {
            take(semaphore);
            loop {
                // SAFETY: sleeps.
                unsafe { libc::pause() };
            }
        }
        asleep(child);
        Self(child)
    }

    fn kill(&self) {
        // SAFETY: the child is ours and not yet waited for.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        let mut status = 0;
        // SAFETY: as above.
        unsafe { libc::waitpid(self.0, &raw mut status, 0) };
    }
}

#[test]
fn the_kernel_gives_back_what_a_killed_holder_held() {
    let (semaphore, _unlinked) = Kind::SystemV.make(1);
    let holder = Holder::new(&semaphore, |semaphore| {
        std::mem::forget(semaphore.hold(LONG));
    });
    assert_eq!(semaphore.value().unwrap(), 0);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| semaphore.hold(LONG).map(drop));
        holder.kill();
        next.join().unwrap().unwrap();
    });
    assert_eq!(semaphore.value().unwrap(), 1);
}

#[test]
fn without_a_record_a_killed_holder_keeps_it() {
    for kind in Kind::ALL {
        // What `acquire` takes has no record; of POSIX semaphores nothing has.
        let (semaphore, _unlinked) = kind.make(1);
        let holder = Holder::new(&semaphore, |semaphore| semaphore.acquire(LONG).unwrap());
        holder.kill();
        assert_eq!(
            errno(semaphore.acquire(Timeout::After(Duration::from_millis(5)))),
            libc::ETIMEDOUT
        );
    }
    let (semaphore, _unlinked) = Kind::SystemV.make_with(&Semaphore::options().undo(false), 1);
    let holder = Holder::new(&semaphore, |semaphore| std::mem::forget(semaphore.hold(LONG)));
    holder.kill();
    assert_eq!(semaphore.value().unwrap(), 0);
    let (semaphore, _unlinked) = Kind::SystemV.make_with(&Semaphore::options().undo(true), 1);
    let holder = Holder::new(&semaphore, |semaphore| semaphore.acquire(LONG).unwrap());
    assert_eq!(semaphore.value().unwrap(), 0);
    holder.kill();
    assert_eq!(semaphore.value().unwrap(), 1);
    let refused = Semaphore::options().undo(true).create(posix_name("undo").as_str(), 1);
    assert_eq!(errno(refused), libc::EOPNOTSUPP);
}

#[test]
fn removal_wakes_who_waits_on_system_v_and_leaves_posix_alone() {
    let (semaphore, _unlinked) = Kind::SystemV.make(0);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| semaphore.acquire(LONG));
        let set = semaphore.set().unwrap();
        while set.waiting_increase(0).unwrap() == 0 {
            std::thread::yield_now();
        }
        semaphore.remove().unwrap();
        assert_eq!(errno(waiter.join().unwrap()), libc::EIDRM);
    });
    // Later, too, it is told as what it is.
    assert_eq!(errno(semaphore.acquire(Timeout::TRY)), libc::EIDRM);
    assert_eq!(errno(semaphore.release()), libc::EIDRM);
    assert_eq!(errno(semaphore.value()), libc::EIDRM);
    assert_eq!(errno(semaphore.remove()), libc::EIDRM);

    let (semaphore, unlinked) = Kind::Posix.make(0);
    semaphore.remove().unwrap();
    semaphore.release().unwrap();
    assert!(semaphore.try_acquire().unwrap());
    assert_eq!(errno(semaphore.remove()), libc::ENOENT);
    let successor = Semaphore::create(unlinked.0.as_str(), 0).unwrap();
    assert_eq!(errno(semaphore.remove()), libc::ESTALE);
    successor.remove().unwrap();
}

#[test]
fn a_posix_semaphore_is_the_file_that_the_c_library_makes() {
    let name = Unlinked(posix_name("file"));
    let semaphore = Semaphore::create(name.0.as_str(), 7).unwrap();
    let file = format!("/dev/shm/sem.{}", &name.0[1..]);
    let status = fs::metadata(&file).unwrap();
    assert_eq!(status.len(), Semaphore::SIZE as u64);
    assert_eq!(status.permissions().mode() & 0o777, 0o600);

    let c_name = std::ffi::CString::new(name.0.as_str()).unwrap();
    // SAFETY: the name is NUL-terminated.
    let theirs = unsafe { libc::sem_open(c_name.as_ptr(), 0) };
    assert_ne!(theirs, libc::SEM_FAILED);
    // SAFETY: the semaphore is open.
    assert_eq!(unsafe { libc::sem_wait(theirs) }, 0);
    assert_eq!(semaphore.value().unwrap(), 6);
    // SAFETY: the semaphore is open and used no more.
    unsafe { libc::sem_close(theirs) };

    // The same bytes as the C library's own creation gives.
    let other = posix_name("glibc");
    let c_other = std::ffi::CString::new(other.as_str()).unwrap();
    // SAFETY: the name is NUL-terminated; the mode and the value follow.
    let theirs =
        unsafe { libc::sem_open(c_other.as_ptr(), libc::O_CREAT | libc::O_EXCL, 0o600, 6) };
    assert_ne!(theirs, libc::SEM_FAILED);
    let bytes = |file: &str| fs::read(file).unwrap();
    assert_eq!(bytes(&file), bytes(&format!("/dev/shm/sem.{}", &other[1..])));
    let opened = Semaphore::open(other.as_str()).unwrap();
    opened.release().unwrap();
    let mut value = 0;
    // SAFETY: the semaphore is open.
    unsafe { libc::sem_getvalue(theirs, &raw mut value) };
    assert_eq!(value, 7);
    // SAFETY: the semaphore is open and used no more.
    unsafe { libc::sem_close(theirs) };
    Semaphore::unlink(other.as_str()).unwrap();
}

#[test]
fn no_descriptor_stays_open() {
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let name = Unlinked(posix_name("fds"));
    // Other tests of this process open and close some at the same time.
    let kept: Vec<_> =
        (0..64).map(|_| Semaphore::open_or_create(name.0.as_str(), 1).unwrap()).collect();
    assert!(open() < 64, "{} descriptors", open());
    drop(kept);
}

#[test]
fn odd_files_are_refused() {
    let name = Unlinked(posix_name("odd"));
    let file = format!("/dev/shm/sem.{}", &name.0[1..]);
    let open = || Semaphore::open(name.0.as_str());
    for size in [0, Semaphore::SIZE - 1] {
        fs::write(&file, vec![0; size]).unwrap();
        assert_eq!(errno(open()), libc::EPROTO);
        assert_eq!(errno(Semaphore::create(name.0.as_str(), 1)), libc::EEXIST);
    }
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert_eq!(errno(open()), libc::EMEDIUMTYPE);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(errno(open()), libc::EMEDIUMTYPE);
    let replaced = Semaphore::options().replace(true).create(name.0.as_str(), 1);
    assert_eq!(errno(replaced), libc::EMEDIUMTYPE);
    fs::remove_dir(&file).unwrap();
    // As sem_open has it: four bytes of NAME_MAX are its prefix.
    let name = |length: usize| format!("/{:x<length$}", unique());
    assert_eq!(errno(Semaphore::create(name(252).as_str(), 1)), libc::ENAMETOOLONG);
    Semaphore::options().remove_on_drop(true).create(name(251).as_str(), 1).unwrap();
    for odd in ["memfd:x", "anon:", "file:/tmp/x"] {
        assert_eq!(errno(Semaphore::create(odd, 1)), libc::EOPNOTSUPP);
        assert_eq!(errno(Semaphore::open(odd)), libc::EOPNOTSUPP);
        assert_eq!(errno(Semaphore::unlink(odd)), libc::EOPNOTSUPP);
        assert_eq!(errno(SemaphoreSet::create(odd, &[1])), libc::EOPNOTSUPP);
    }
    assert_eq!(errno(SemaphoreSet::open("/demo")), libc::EOPNOTSUPP);
    assert_eq!(errno(SemaphoreSet::unlink("/demo")), libc::EOPNOTSUPP);
}

#[test]
fn a_semaphore_in_shared_memory_is_the_c_librarys() {
    let memory = Arc::new(SharedMemory::create("memfd:semaphore", 4096).unwrap());
    let ours = Semaphore::create_in(memory.region(64, Semaphore::SIZE).unwrap(), 1).unwrap();
    assert_eq!(ours.backing(), Backing::Memory);
    assert_eq!(ours.name(), memory.name());
    #[allow(clippy::cast_ptr_alignment, reason = "memory begins on a page")]
    let theirs = memory.ptr_at(64, Semaphore::SIZE).unwrap().cast::<libc::sem_t>();
    // SAFETY: a semaphore lies there.
    assert_eq!(unsafe { libc::sem_trywait(theirs) }, 0);
    assert!(!ours.try_acquire().unwrap());
    // SAFETY: as above.
    assert_eq!(unsafe { libc::sem_post(theirs) }, 0);
    let again = Semaphore::open_in(memory.region(64, Semaphore::SIZE).unwrap()).unwrap();
    assert!(again.try_acquire().unwrap());
    assert_eq!(memory.read::<[u8; 64]>(0).unwrap(), [0; 64], "nothing else was touched");
    assert_eq!(errno(ours.remove()), libc::EOPNOTSUPP);

    // The memory stays mapped, and where it is, as long as the semaphore lives.
    let mut memory = memory;
    assert!(Arc::get_mut(&mut memory).is_none());
    drop(memory);
    again.release().unwrap();
    assert_eq!(ours.value().unwrap(), 1);
}

#[test]
fn a_semaphore_needs_room_alignment_and_writable_shared_memory() {
    let memory = Arc::new(SharedMemory::create("memfd:odd", 4096).unwrap());
    let make = |offset, length| Semaphore::create_in(memory.region(offset, length)?, 1);
    assert_eq!(errno(make(4, Semaphore::SIZE)), libc::EINVAL);
    assert_eq!(errno(make(0, Semaphore::SIZE - 1)), libc::EINVAL);
    assert_eq!(errno(make(4096 - 16, Semaphore::SIZE)), libc::ERANGE);
    assert_eq!(errno(make(usize::MAX, Semaphore::SIZE)), libc::ERANGE);
    let high = Semaphore::create_in(memory.region(0, Semaphore::SIZE).unwrap(), 1 << 31);
    assert_eq!(errno(high), libc::EINVAL);
    let name = support::Removed(posix_name("region"));
    drop(SharedMemory::create(name.0.as_str(), 4096).unwrap());
    let with = |options: unipc::shm::Options| {
        Arc::new(options.open(name.0.as_str()).unwrap()).region(0, 32).map(drop)
    };
    assert_eq!(errno(with(SharedMemory::options().read_only(true))), libc::EACCES);
    assert_eq!(errno(with(SharedMemory::options().private(true))), libc::EOPNOTSUPP);
    let undone = Semaphore::options().undo(true).create_in(memory.region(0, 32).unwrap(), 1);
    assert_eq!(errno(undone), libc::EOPNOTSUPP);
    let removed = Semaphore::options().remove_on_drop(true).open_in(memory.region(0, 32).unwrap());
    assert_eq!(errno(removed), libc::EOPNOTSUPP);
}

#[test]
fn one_of_a_set_is_a_semaphore() {
    let set = SemaphoreSet::create(key_name().as_str(), &[1, 0, 5]).unwrap();
    let _removed = Unlinked(set.name().to_string());
    let third = set.semaphore(2).unwrap();
    third.acquire(Timeout::TRY).unwrap();
    assert_eq!((set.value(2).unwrap(), third.index()), (4, 2));
    let opened = Semaphore::options().index(2).open(set.name()).unwrap();
    opened.set_value(9).unwrap();
    assert_eq!(set.values().unwrap(), [1, 0, 9]);
    assert_eq!(errno(set.semaphore(3)), libc::EINVAL);
    assert_eq!(errno(Semaphore::options().index(3).open(set.name())), libc::EINVAL);
    assert_eq!(errno(Semaphore::options().index(1).create(key_name().as_str(), 1)), libc::EINVAL);
    let by_id = Name::parse(format!("sysv:id={}", set.id())).unwrap();
    assert_eq!(Semaphore::open(&by_id).unwrap().value().unwrap(), 1);
    drop((third, opened));
    assert_eq!(set.len(), 3, "closing one leaves the set");
    set.value(0).unwrap();
    let (posix, _unlinked) = Kind::Posix.make(1);
    assert_eq!(errno(posix.set_value(1)), libc::EOPNOTSUPP);
    assert!(posix.set().is_none());
}

#[test]
fn a_full_file_system_is_an_error() {
    const TEST: &str = "a_full_file_system_is_an_error";
    succeeds_in_namespaces(TEST, || {
        let kind = c"tmpfs".as_ptr();
        // SAFETY: all strings are NUL-terminated and outlive the call.
        let mounted = unsafe {
            libc::mount(kind, c"/dev/shm".as_ptr(), kind, 0, c"size=4k,mode=1777".as_ptr().cast())
        };
        if mounted != 0 {
            return skip(TEST, std::io::Error::last_os_error());
        }
        let _first = Semaphore::create("/first", 1).unwrap();
        assert_eq!(errno(Semaphore::create("/second", 1)), libc::ENOSPC);
        assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 1);
    });
}

#[test]
fn others_are_told_apart_by_their_owner() {
    const TEST: &str = "others_are_told_apart_by_their_owner";
    if !child::is_root() {
        return skip(TEST, "only root can act for another user");
    }
    let names = [Unlinked(posix_name("owner")), Unlinked(key_name())];
    let made: Vec<_> =
        names.iter().map(|name| Semaphore::create(name.0.as_str(), 1).unwrap()).collect();
    std::os::unix::fs::chown(format!("/dev/shm/sem.{}", &names[0].0[1..]), Some(1234), None)
        .unwrap();
    let set = made[1].set().unwrap();
    set.set(unipc::sysv::Change { uid: Some(1234), ..Default::default() }).unwrap();
    assert_eq!(fs::metadata(format!("/dev/shm/sem.{}", &names[0].0[1..])).unwrap().uid(), 1234);
    let own_only = Semaphore::options().own_only(true);
    for name in &names {
        assert_eq!(errno(own_only.open(name.0.as_str())), libc::EPERM);
        assert_eq!(errno(own_only.open_or_create(name.0.as_str(), 1)), libc::EPERM);
    }
}

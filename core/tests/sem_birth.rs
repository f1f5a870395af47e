// SPDX-License-Identifier: MIT OR Apache-2.0
//! Creators and openers of one System V set at once, creators that are killed or stopped at any point, and sets that
//! others make: nobody sees a wrong value, and nobody waits for ever.
#![allow(
    unsafe_code,
    reason = "processes are forked, killed and stopped, and the C library is asked directly"
)]

#[path = "support/child.rs"]
mod child;
#[path = "support/semaphore.rs"]
mod semaphore;
mod support;

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use child::{succeeds_alone, succeeds_in_namespaces};
use semaphore::Unlinked;
use support::key_name;
use unipc::sem::Options;
use unipc::sysv::Key;
use unipc::{Name, Semaphore, SemaphoreSet, SystemVName, Timeout};

const VALUES: [u16; 3] = [3, 1, 4];

/// The mark of a set that is being made, as core/src/sem/birth.rs documents it.
const UNFINISHED: i32 = 0o611;

fn key(name: &str) -> i32 {
    match Name::parse(name).unwrap() {
        Name::SystemV(SystemVName::Key(key)) => Key::raw(key),
        other => panic!("{other} is no key"),
    }
}

/// As `semget(2)`.
fn semget(name: &str, count: i32, flags: i32) -> i32 {
    // SAFETY: semget takes numbers only.
    unsafe { libc::semget(key(name), count, flags) }
}

/// A child that does the work and ends: with 0 if it returns true, with 1 if false, 101 if it panics.
fn child(work: impl FnOnce() -> bool) -> libc::pid_t {
    // SAFETY: the process has one thread here, so the child may do anything.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid != 0 {
        return pid;
    }
    // SAFETY: ends the child, should it hang.
    unsafe { libc::alarm(60) };
    let status = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(_) => 101,
    };
    // SAFETY: ends the child.
    unsafe { libc::_exit(status) }
}

/// How the child ended: its exit status, or minus the signal that killed it.
fn ended(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: the child is ours and not yet waited for.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) }
}

fn send(pid: libc::pid_t, signal: i32) {
    // SAFETY: the child is ours and not yet waited for.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// An opener: it finds nothing, or a set with the right values, and that soon.
fn opens(name: &str) -> bool {
    loop {
        match SemaphoreSet::open(name) {
            Ok(set) => match set.values() {
                Ok(values) => return values == VALUES,
                // Removed by the end of the round.
                Err(error) => assert_eq!(error.errno(), libc::EIDRM),
            },
            Err(error) => assert_eq!(error.errno(), libc::ENOENT, "{error}"),
        }
    }
}

#[test]
fn openers_race_with_a_creator_and_see_the_right_values() {
    succeeds_alone("openers_race_with_a_creator_and_see_the_right_values", || {
        for _ in 0..100 {
            let name = Unlinked(key_name());
            let openers: Vec<_> = (0..8).map(|_| child(|| opens(&name.0))).collect();
            let creator = child(|| SemaphoreSet::create(name.0.as_str(), &VALUES).is_ok());
            assert_eq!(ended(creator), 0);
            for opener in openers {
                assert_eq!(ended(opener), 0);
            }
        }
    });
}

#[test]
fn of_many_creators_one_creates() {
    succeeds_alone("of_many_creators_one_creates", || {
        for _ in 0..50 {
            let name = Unlinked(key_name());
            let create = || match SemaphoreSet::create(name.0.as_str(), &VALUES) {
                Ok(set) => set.values().unwrap() == VALUES,
                Err(error) => {
                    assert_eq!(error.errno(), libc::EEXIST, "{error}");
                    false
                }
            };
            let either = || {
                let set = SemaphoreSet::open_or_create(name.0.as_str(), &VALUES).unwrap();
                set.values().unwrap() == VALUES
            };
            let creators: Vec<_> = (0..4).map(|_| child(create)).collect();
            let others: Vec<_> = (0..4).map(|_| child(either)).collect();
            let created = creators.into_iter().map(ended).filter(|&status| status == 0).count();
            assert!(created <= 1, "{created} created");
            assert!(others.into_iter().all(|other| ended(other) == 0));
        }
    });
}

#[test]
fn a_creator_killed_at_any_moment_leaves_nobody_waiting_and_no_wrong_value() {
    succeeds_alone(
        "a_creator_killed_at_any_moment_leaves_nobody_waiting_and_no_wrong_value",
        || {
            let mut killed = 0;
            for round in 0_u32..400 {
                let name = Unlinked(key_name());
                // Eight who open, create if there is nothing, and look.
                let either = || {
                    let set = SemaphoreSet::open_or_create(name.0.as_str(), &VALUES).unwrap();
                    set.values().unwrap() == VALUES
                };
                let creator = child(|| {
                    loop {
                        let set = SemaphoreSet::create(name.0.as_str(), &VALUES);
                        // Over and over, so that the kill hits a creation.
                        let _ = set.map(|set| set.remove());
                    }
                });
                std::thread::sleep(Duration::from_micros(u64::from(round * 7919 % 1500)));
                send(creator, libc::SIGKILL);
                killed += i32::from(ended(creator) == -libc::SIGKILL);
                let openers: Vec<_> = (0..8).map(|_| child(either)).collect();
                for opener in openers {
                    assert_eq!(ended(opener), 0, "round {round}");
                }
            }
            assert_eq!(killed, 400);
        },
    );
}

#[test]
fn what_a_dead_creator_left_is_in_nobodys_way() {
    // In a namespace of its own: a creator at work elsewhere in it, as in the other tests, would have to be waited for.
    succeeds_in_namespaces("what_a_dead_creator_left_is_in_nobodys_way", || {
        let left_behind = |name: &str| {
            let id = semget(name, 3, libc::IPC_CREAT | libc::IPC_EXCL | UNFINISHED);
            assert!(id >= 0);
        };
        let name = Unlinked(key_name());
        let name = name.0.as_str();
        let by_id = |name| format!("sysv:id={}", semget(name, 0, 0));

        left_behind(name);
        assert_eq!(SemaphoreSet::open(name).unwrap_err().errno(), libc::ENOENT);
        assert_eq!(semget(name, 0, 0), -1, "it was cleared away");
        left_behind(name);
        assert_eq!(Semaphore::open(name).unwrap_err().errno(), libc::ENOENT);
        left_behind(name);
        assert_eq!(SemaphoreSet::open(by_id(name)).unwrap_err().errno(), libc::EINVAL);
        left_behind(name);
        let made = SemaphoreSet::create(name, &VALUES).unwrap();
        assert_eq!(made.values().unwrap(), VALUES);
        made.remove().unwrap();
        left_behind(name);
        let made = SemaphoreSet::open_or_create(name, &VALUES).unwrap();
        assert_eq!(made.values().unwrap(), VALUES);

        // A finished set whose owner has given it the mark's mode by hand is not taken for one.
        // SAFETY: the status is filled by IPC_STAT before it is used.
        let mut status: libc::semid_ds = unsafe { std::mem::zeroed() };
        // SAFETY: IPC_STAT fills a semid_ds.
        assert_eq!(unsafe { libc::semctl(made.id(), 0, libc::IPC_STAT, &raw mut status) }, 0);
        status.sem_perm.mode = UNFINISHED.try_into().unwrap();
        // SAFETY: IPC_SET reads a semid_ds.
        assert_eq!(unsafe { libc::semctl(made.id(), 0, libc::IPC_SET, &raw mut status) }, 0);
        assert_eq!(SemaphoreSet::open(name).unwrap().values().unwrap(), VALUES);
    });
}

fn lock(file: &std::fs::File, how: i32) {
    // SAFETY: the descriptor is open.
    assert_eq!(unsafe { libc::flock(std::os::fd::AsRawFd::as_raw_fd(file), how) }, 0);
}

/// Stops a child in the middle of a creation, by its having the namespace's lock and the marked set.
fn half_made(name: &str) -> libc::pid_t {
    let creator = child(|| {
        let namespace = std::fs::File::open("/proc/thread-self/ns/ipc").unwrap();
        lock(&namespace, libc::LOCK_SH);
        assert!(semget(name, 3, libc::IPC_CREAT | libc::IPC_EXCL | UNFINISHED) >= 0);
        loop {
            // SAFETY: sleeps.
            unsafe { libc::pause() };
        }
    });
    while semget(name, 0, 0) < 0 {
        std::thread::yield_now();
    }
    creator
}

#[test]
fn a_living_creator_is_waited_for_and_a_dying_one_is_noticed_at_once() {
    succeeds_alone("a_living_creator_is_waited_for_and_a_dying_one_is_noticed_at_once", || {
        let name = Unlinked(key_name());
        let name = name.0.as_str();
        let creator = half_made(name);
        // It is alive: nobody takes its set away.
        let impatient = Options::new().creator_timeout(Timeout::TRY).open_set(name).unwrap_err();
        assert_eq!(impatient.errno(), libc::EAGAIN);
        let limit = Duration::from_millis(50);
        let started = Instant::now();
        let late =
            Options::new().creator_timeout(Timeout::After(limit)).open_set(name).unwrap_err();
        assert_eq!(late.errno(), libc::ETIMEDOUT);
        assert!(late.to_string().contains("is alive but has not finished"), "{late}");
        assert!(started.elapsed() >= limit);
        assert_eq!(SemaphoreSet::create(name, &VALUES).unwrap_err().errno(), libc::EEXIST);

        let waiting = child(|| {
            let options = Options::new().creator_timeout(Timeout::Forever);
            let set = options.open_or_create_set(name, &VALUES).unwrap();
            set.values().unwrap() == VALUES
        });
        semaphore::asleep(waiting);
        send(creator, libc::SIGKILL);
        assert_eq!(ended(creator), -libc::SIGKILL);
        assert_eq!(ended(waiting), 0);
    });
}

#[test]
fn a_stopped_creator_hinders_no_other_and_finds_its_set_gone() {
    succeeds_alone("a_stopped_creator_hinders_no_other_and_finds_its_set_gone", || {
        let (name, other) = (Unlinked(key_name()), Unlinked(key_name()));
        let creator = half_made(&name.0);
        send(creator, libc::SIGSTOP);
        // Creating something else needs nobody's leave.
        SemaphoreSet::create(other.0.as_str(), &VALUES).unwrap();
        // Who insists replaces it.
        let replaced = Options::new().replace(true).create_set(name.0.as_str(), &VALUES).unwrap();
        assert_eq!(SemaphoreSet::open(name.0.as_str()).unwrap().id(), replaced.id());
        send(creator, libc::SIGKILL);
        send(creator, libc::SIGCONT);
        ended(creator);
    });
}

#[test]
fn a_malicious_lock_delays_creation_and_cannot_prevent_it() {
    succeeds_alone("a_malicious_lock_delays_creation_and_cannot_prevent_it", || {
        let namespace = std::fs::File::open("/proc/thread-self/ns/ipc").unwrap();
        lock(&namespace, libc::LOCK_EX);
        let name = Unlinked(key_name());
        let set = SemaphoreSet::create(name.0.as_str(), &VALUES).unwrap();
        assert_eq!(set.values().unwrap(), VALUES);
        SemaphoreSet::open(name.0.as_str()).unwrap();
    });
}

#[test]
fn the_sets_of_others_are_used_as_they_are() {
    succeeds_alone("the_sets_of_others_are_used_as_they_are", || {
        let make = || {
            let name = Unlinked(key_name());
            let id = semget(&name.0, 2, libc::IPC_CREAT | libc::IPC_EXCL | 0o644);
            assert!(id >= 0);
            (name, id)
        };
        // By identifier at once, although nobody has touched it; by key when it is a second old.
        let (name, id) = make();
        let set = SemaphoreSet::open(format!("sysv:id={id}")).unwrap();
        assert_eq!((set.values().unwrap(), set.stat().unwrap().operation_time), (vec![0, 0], 0));
        let impatient = Options::new().creator_timeout(Timeout::TRY);
        assert_eq!(impatient.open_set(name.0.as_str()).unwrap().id(), id);
        let set = SemaphoreSet::open(name.0.as_str()).unwrap();
        assert_eq!((set.values().unwrap(), set.stat().unwrap().operation_time), (vec![0, 0], 0));
        assert_eq!(semget(&name.0, 0, 0), id);

        // One whose values are being set is waited for until they are.
        let (name, id) = make();
        let opener =
            child(|| SemaphoreSet::open(name.0.as_str()).unwrap().values().unwrap() == [5, 6]);
        std::thread::sleep(Duration::from_millis(50));
        for (index, value) in [(0, 5), (1, 6)] {
            // SAFETY: SETVAL takes a number.
            assert_eq!(unsafe { libc::semctl(id, index, libc::SETVAL, value) }, 0);
        }
        assert_eq!(ended(opener), 0);
    });
}

#[test]
fn a_posix_creator_killed_at_any_moment_leaves_a_whole_semaphore_or_none() {
    succeeds_alone("a_posix_creator_killed_at_any_moment_leaves_a_whole_semaphore_or_none", || {
        // SAFETY: a setting of this process, which runs this test alone.
        unsafe { libc::umask(0o077) };
        let options = Options::new().mode(unipc::Mode::new(0o664).unwrap());
        for round in 0_u32..400 {
            let name = Unlinked(support::posix_name("killed"));
            let creator = child(|| {
                loop {
                    let made = options.create(name.0.as_str(), 3);
                    let _ = made.map(|made| made.remove());
                }
            });
            std::thread::sleep(Duration::from_micros(u64::from(round * 7919 % 1000)));
            send(creator, libc::SIGKILL);
            assert_eq!(ended(creator), -libc::SIGKILL);
            match Semaphore::open(name.0.as_str()) {
                Ok(semaphore) => {
                    assert_eq!(semaphore.value().unwrap(), 3);
                    let file = format!("/dev/shm/sem.{}", &name.0[1..]);
                    assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o777, 0o664);
                }
                Err(error) => assert_eq!(error.errno(), libc::ENOENT, "{error}"),
            }
        }
    });
}

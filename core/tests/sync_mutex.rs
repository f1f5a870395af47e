// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mutex excludes, is handed on after every kind of death, and says what is wrong.
#![allow(unsafe_code, reason = "exec and signals are raw calls")]

#[path = "support/process.rs"]
mod process;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use process::Child;
use support::{Removed, key_name, posix_name};
use unipc::sync::{Acquired, Form, Mutex, MutexKind};
use unipc::{ErrorKind, SharedMemory, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));
const FORMS: [Form; 2] = [Form::Robust, Form::Pthread];

fn memory() -> SharedMemory {
    SharedMemory::create("anon:", 1 << 16).unwrap()
}

fn mutex_in(shm: &SharedMemory, form: Form) -> Mutex {
    Mutex::options().form(form).open_or_create((shm, 64)).unwrap()
}

fn errno<T: std::fmt::Debug>(result: unipc::Result<T>) -> i32 {
    result.unwrap_err().errno()
}

/// A child that holds the mutex until it is killed.
fn holder(mutex: &Mutex) -> Child {
    Child::that_stays(|| {
        let _ = mutex.lock_raw(LONG).unwrap();
    })
}

#[test]
fn processes_and_threads_exclude_each_other() {
    const ROUNDS: u32 = 20_000;
    for form in FORMS {
        let shm = memory();
        let mutex = mutex_in(&shm, form);
        let count = || {
            for _ in 0..ROUNDS {
                let _guard = mutex.lock(LONG).unwrap();
                // Two steps, between which another would be lost.
                let before = shm.load_u32(4096).unwrap();
                shm.store_u32(4096, before + 1).unwrap();
            }
        };
        let children = [Child::run(count), Child::run(count)];
        std::thread::scope(|scope| {
            scope.spawn(count);
            scope.spawn(count);
        });
        let _: [(); 2] = children.map(Child::succeeds);
        assert_eq!(shm.load_u32(4096).unwrap(), 4 * ROUNDS, "{form:?}");
    }
}

#[test]
fn after_a_kill_the_next_is_told_and_repairs() {
    for form in FORMS {
        let shm = memory();
        let mutex = mutex_in(&shm, form);
        holder(&mutex).kill();
        let mut guard = mutex.lock(LONG).unwrap();
        assert!(guard.owner_died(), "{form:?}");
        assert!(mutex.status().owner_died);
        guard.recovered().unwrap();
        assert!(!mutex.status().owner_died);
        drop(guard);
        assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::Clean);
        assert_eq!(errno(mutex.recovered()), libc::EINVAL);
        mutex.unlock().unwrap();
    }
}

#[test]
fn a_waiter_enters_within_milliseconds_of_the_death() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let child = holder(&mutex);
        std::thread::scope(|scope| {
            let (tell, hear) = mpsc::channel();
            let mutex = &mutex;
            let waiter = scope.spawn(move || {
                tell.send(nix::unistd::gettid().as_raw().cast_unsigned()).unwrap();
                let mut guard = mutex.lock(LONG).unwrap();
                let entered = Instant::now();
                assert!(guard.owner_died());
                guard.recovered().unwrap();
                entered
            });
            process::asleep(std::process::id(), hear.recv().unwrap());
            let killed = Instant::now();
            child.kill();
            slowest = slowest.max(waiter.join().unwrap() - killed);
        });
    }
    // Not a limit, a watchdog: the slow look for the dead takes longer than this only when the kernel's wake is lost every time.
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

#[test]
fn unlocking_without_repair_retires_it() {
    for form in FORMS {
        let shm = memory();
        let mutex = mutex_in(&shm, form);
        holder(&mutex).kill();
        assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
        mutex.unlock().unwrap();
        for _ in 0..2 {
            let error = mutex.lock_raw(LONG).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::NotRecoverable, "{form:?}");
        }
        assert_eq!(errno(mutex.lock_raw(Timeout::TRY)), libc::ENOTRECOVERABLE);
    }
}

#[test]
fn retiring_wakes_all_who_wait() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    holder(&mutex).kill();
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
    let wait = || assert_eq!(errno(mutex.lock_raw(LONG)), libc::ENOTRECOVERABLE);
    let children = [Child::run(wait), Child::run(wait), Child::run(wait)];
    children.iter().for_each(Child::asleep);
    mutex.unlock().unwrap();
    let _: [(); 3] = children.map(Child::succeeds);
    assert!(mutex.status().retired);
}

#[test]
fn who_dies_while_repairing_leaves_it_to_the_next_again_and_again() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    for _ in 0..10 {
        holder(&mutex).kill();
    }
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
    mutex.abandon().unwrap();
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
    mutex.recovered().unwrap();
    mutex.unlock().unwrap();
}

#[test]
fn a_thread_that_ends_while_holding_counts_as_dead() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    std::thread::scope(|scope| {
        let end = scope.spawn(|| mutex.lock_raw(LONG).unwrap());
        assert_eq!(end.join().unwrap(), Acquired::Clean);
    });
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
    mutex.recovered().unwrap();
    mutex.unlock().unwrap();
}

#[test]
fn exec_while_holding_counts_as_death() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    let child = Child::run(|| {
        let _ = mutex.lock_raw(LONG).unwrap();
        nix::unistd::execv(c"/bin/true", &[c"true"]).unwrap();
    });
    child.succeeds();
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
    mutex.recovered().unwrap();
    mutex.unlock().unwrap();
}

#[test]
fn a_child_of_fork_holds_nothing_and_its_end_harms_nobody() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    let _ = mutex.lock_raw(LONG).unwrap();
    Child::run(|| {
        assert_eq!(errno(mutex.unlock()), libc::EPERM);
        assert_eq!(errno(mutex.recovered()), libc::EPERM);
        assert_eq!(errno(mutex.lock_raw(SHORT)), libc::ETIMEDOUT);
        assert_eq!(errno(mutex.lock_raw(Timeout::TRY)), libc::EAGAIN);
        let other = Mutex::create((&shm, 1024)).unwrap();
        let _ = other.lock_raw(LONG).unwrap();
        other.unlock().unwrap();
        let _ = other.lock_raw(LONG).unwrap();
    })
    .succeeds();
    mutex.unlock().unwrap();
    let other = Mutex::open((&shm, 1024)).unwrap();
    assert_eq!(other.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
}

#[test]
fn more_locks_than_the_kernel_follows_are_all_given_back() {
    const LOCKS: usize = 3000;
    let shm = SharedMemory::create("anon:", LOCKS * Mutex::SIZE).unwrap();
    let all: Vec<_> =
        (0..LOCKS).map(|at| Mutex::create((&shm, at * Mutex::SIZE)).unwrap()).collect();
    let child = Child::that_stays(|| {
        for mutex in &all {
            let _ = mutex.lock_raw(LONG).unwrap();
        }
        // Given back from the middle and the end as well.
        for at in [LOCKS - 1, 7, 2500, 0] {
            all[at].unlock().unwrap();
            let _ = all[at].lock_raw(LONG).unwrap();
        }
    });
    child.kill();
    for mutex in &all {
        assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
        mutex.recovered().unwrap();
    }
    // And by one thread in any order.
    for (at, mutex) in all.iter().enumerate() {
        if at % 3 == 0 {
            mutex.unlock().unwrap();
        }
    }
    for (at, mutex) in all.iter().enumerate().rev() {
        if at % 3 != 0 {
            mutex.unlock().unwrap();
        }
    }
    for mutex in &all {
        assert_eq!(mutex.lock_raw(Timeout::TRY).unwrap(), Acquired::Clean);
    }
}

#[test]
fn it_stays_when_the_memory_is_closed_while_it_is_held() {
    for name in [posix_name("sync"), key_name(), "memfd:sync".to_owned(), "anon:".to_owned()] {
        let shm = SharedMemory::create(name.as_str(), 4096).unwrap();
        let _removed = Removed(name.clone());
        let mutex = Mutex::create((&shm, 64)).unwrap();
        let again = Mutex::open((&shm, 64)).unwrap();
        let _ = mutex.lock_raw(LONG).unwrap();
        drop(shm);
        assert_eq!(mutex.status().holder.unwrap().pid, std::process::id());
        // The handle goes, the hold stays; the other handle sees the same bytes.
        drop(mutex);
        assert_eq!(errno(again.lock_raw(SHORT)), libc::EDEADLK);
        again.unlock().unwrap();
        again.lock(LONG).unwrap().unlock().unwrap();
    }
}

#[test]
fn the_same_mutex_at_two_addresses_is_one() {
    let name = posix_name("twice");
    let _removed = Removed(name.clone());
    let here = Mutex::create(name.as_str()).unwrap();
    let there = Mutex::open(name.as_str()).unwrap();
    for _ in 0..3 {
        let _ = here.lock_raw(LONG).unwrap();
        assert_eq!(errno(there.lock_raw(LONG)), libc::EDEADLK);
        there.unlock().unwrap();
    }
    let child = holder(&there);
    assert_eq!(errno(here.lock_raw(SHORT)), libc::ETIMEDOUT);
    child.kill();
    assert_eq!(here.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
    there.recovered().unwrap();
    there.unlock().unwrap();
}

#[test]
fn a_stopped_holder_is_not_dead() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    let child = holder(&mutex);
    child.signal(Signal::SIGSTOP);
    assert_eq!(errno(mutex.lock_raw(Timeout::After(Duration::from_millis(200)))), libc::ETIMEDOUT);
    assert_eq!(mutex.status().holder.unwrap().pid, child.pid());
    child.kill();
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
}

#[test]
fn kinds_differ_in_what_the_second_lock_does() {
    for form in FORMS {
        let shm = memory();
        let make =
            |offset, kind| Mutex::options().form(form).kind(kind).create((&shm, offset)).unwrap();
        let checking = make(0, MutexKind::ErrorChecking);
        let normal = make(1024, MutexKind::Normal);
        let recursive = make(2048, MutexKind::Recursive);
        for mutex in [&checking, &normal, &recursive] {
            assert_eq!(errno(mutex.unlock()), libc::EPERM, "{form:?}");
            let _ = mutex.lock_raw(LONG).unwrap();
        }
        assert_eq!(errno(checking.lock_raw(LONG)), libc::EDEADLK);
        assert_eq!(errno(normal.lock_raw(SHORT)), libc::ETIMEDOUT);
        assert_eq!(recursive.lock_raw(LONG).unwrap(), Acquired::Clean);
        recursive.unlock().unwrap();
        let is_held = |mutex: &Mutex| {
            Child::run(|| assert_eq!(errno(mutex.lock_raw(Timeout::TRY)), libc::EAGAIN)).succeeds();
        };
        is_held(&recursive);
        for mutex in [&checking, &normal, &recursive] {
            mutex.unlock().unwrap();
            assert_eq!(errno(mutex.unlock()), libc::EPERM);
        }
    }
}

#[test]
fn a_signal_ends_the_wait_and_nothing_is_lost_in_a_storm() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    let child = holder(&mutex);
    {
        let _storm = storm::Storm::new();
        assert_eq!(errno(mutex.lock_raw(LONG)), libc::EINTR);
        child.kill();
        assert_eq!(storm::through(|| mutex.lock_raw(LONG)).unwrap(), Acquired::OwnerDied);
    }
    mutex.recovered().unwrap();
    mutex.unlock().unwrap();
}

#[test]
fn a_panic_leaves_it_as_a_death_would() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = mutex.lock(LONG).unwrap();
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panics.is_err());
    assert!(mutex.lock(LONG).unwrap().owner_died());
}

#[test]
fn what_is_there_already_is_told_apart() {
    let shm = memory();
    Mutex::create((&shm, 0)).unwrap();
    assert_eq!(errno(Mutex::create((&shm, 0))), libc::EEXIST);
    assert!(Mutex::open_or_create((&shm, 0)).is_ok());
    shm.write_at(1100, b"data").unwrap();
    assert_eq!(errno(Mutex::create((&shm, 1024))), libc::EBUSY);
    assert!(shm.compare(1100, b"data").unwrap().is_eq(), "nothing was touched");
    assert_eq!(errno(Mutex::create((&shm, 32))), libc::EINVAL);
    assert_eq!(errno(Mutex::create((&shm, shm.len()))), libc::ERANGE);
    shm.write_at(2048, b"something else").unwrap();
    assert_eq!(errno(Mutex::open((&shm, 2048))), libc::EPROTO);
    assert_eq!(errno(Mutex::open((&shm, 8192))), libc::EPROTO);
    for at in [8, 16, 32] {
        let other = memory();
        Mutex::create((&other, 0)).unwrap();
        other.write_at(at, &[77]).unwrap();
        assert_eq!(errno(Mutex::open((&other, 0))), libc::EPROTO, "byte {at}");
    }
}

#[test]
fn read_only_and_private_memory_is_refused() {
    let name = posix_name("readonly");
    let _removed = Removed(name.clone());
    let shm = SharedMemory::create(name.as_str(), 4096).unwrap();
    Mutex::create((&shm, 0)).unwrap();
    let read_only = SharedMemory::options().read_only(true).open(name.as_str()).unwrap();
    assert_eq!(errno(Mutex::open((&read_only, 0))), libc::EACCES);
    let private = SharedMemory::options().private(true).open(name.as_str()).unwrap();
    assert_eq!(errno(Mutex::open((&private, 0))), libc::EOPNOTSUPP);
}

#[test]
fn a_file_that_is_truncated_is_an_error_not_a_signal() {
    let name = posix_name("cut");
    let _removed = Removed(name.clone());
    let mut shm = SharedMemory::create(name.as_str(), 8192).unwrap();
    let mutex = Mutex::create((&shm, 4096)).unwrap();
    shm.resize(100).unwrap();
    assert_eq!(errno(mutex.lock_raw(LONG)), libc::EFAULT);
}

#[test]
fn eight_creators_make_one() {
    for _ in 0..50 {
        let shm = memory();
        let make = || {
            let mutex = Mutex::open_or_create((&shm, 0)).unwrap();
            let guard = mutex.lock(LONG).unwrap();
            assert!(!guard.owner_died());
            let before = shm.load_u32(4096).unwrap();
            shm.store_u32(4096, before + 1).unwrap();
        };
        let children: Vec<_> = (0..8).map(|_| Child::run(make)).collect();
        children.into_iter().for_each(Child::succeeds);
        assert_eq!(shm.load_u32(4096).unwrap(), 8);
    }
}

#[test]
fn status_names_the_holder_and_the_waiters() {
    let shm = memory();
    let mutex = mutex_in(&shm, Form::Robust);
    assert_eq!(mutex.status().holder, None);
    let child = holder(&mutex);
    let seen = mutex.status().holder.unwrap();
    assert_eq!((seen.pid, seen.tid), (child.pid(), child.pid()));
    assert!(seen.start_time > 0);
    let waiter = Child::run(|| drop(mutex.lock(LONG).unwrap()));
    waiter.asleep();
    assert_eq!(mutex.status().waiters, [waiter.pid()]);
    child.kill();
    waiter.succeeds();
    assert_eq!(mutex.status().waiters, []);
    assert!(mutex.status().retired, "the waiter did not repair");
}

#[test]
fn equal_numbers_of_two_pid_namespaces_exclude_each_other() {
    // SAFETY: the kernel's settings of a process that has one thread.
    let enter = || unsafe { libc::unshare(libc::CLONE_NEWPID) } == 0;
    if !support_namespaces(enter) {
        let why = "this user may not make PID namespaces";
        let line = format!("SKIP equal_numbers_of_two_pid_namespaces_exclude_each_other: {why}\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        return;
    }
    let shm = memory();
    let mutex = Mutex::options().kind(MutexKind::Recursive).create((&shm, 0)).unwrap();
    let first = Child::that_stays(|| {
        assert!(enter());
        let holder = Child::that_stays(|| {
            // SAFETY: a setting of this process: it goes with its parent.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            assert_eq!(std::process::id(), 1);
            let _ = mutex.lock_raw(LONG).unwrap();
        });
        std::mem::forget(holder);
    });
    Child::run(|| {
        assert!(enter());
        Child::run(|| {
            assert_eq!(std::process::id(), 1);
            assert_eq!(errno(mutex.lock_raw(SHORT)), libc::ETIMEDOUT, "it is not the holder");
            assert_eq!(errno(mutex.unlock()), libc::EPERM);
        })
        .succeeds();
    })
    .succeeds();
    assert_eq!(mutex.status().holder.unwrap().pid, 1);
    first.kill();
    assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
}

fn support_namespaces(enter: impl FnOnce() -> bool) -> bool {
    let (mut hear, mut tell) = std::io::pipe().unwrap();
    Child::run(|| std::io::Write::write_all(&mut tell, &[u8::from(enter())]).unwrap()).succeeds();
    let mut told = [0];
    std::io::Read::read_exact(&mut hear, &mut told).unwrap();
    told == [1]
}

#[test]
fn how_often_a_dead_holder_had_locked_dies_with_it() {
    for form in FORMS {
        let shm = memory();
        let mutex =
            Mutex::options().form(form).kind(MutexKind::Recursive).create((&shm, 0)).unwrap();
        Child::run(|| {
            let _ = mutex.lock_raw(LONG).unwrap();
            let _ = mutex.lock_raw(LONG).unwrap();
        })
        .succeeds();
        assert_eq!(mutex.lock_raw(LONG).unwrap(), Acquired::OwnerDied);
        mutex.recovered().unwrap();
        mutex.unlock().unwrap();
        Child::run(|| assert_eq!(mutex.lock_raw(Timeout::TRY).unwrap(), Acquired::Clean))
            .succeeds();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Condition variables, semaphores, read-write locks, barriers, events and once: what they do, and what a death does to them.
#![allow(unsafe_code, reason = "signals are raw calls")]

#[path = "support/process.rs"]
mod process;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::time::Duration;

use nix::sys::signal::Signal;
use process::Child;
use support::{Removed, posix_name};
use unipc::sync::{Acquired, Barrier, Condvar, Event, Form, Mutex, Once, RwLock, Semaphore};
use unipc::{ErrorKind, SharedMemory, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));
const FORMS: [Form; 2] = [Form::Robust, Form::Pthread];

/// Where the tests keep numbers beside the objects.
const DATA: usize = 1 << 15;

fn memory() -> SharedMemory {
    SharedMemory::create("anon:", 1 << 16).unwrap()
}

fn errno<T: std::fmt::Debug>(result: unipc::Result<T>) -> i32 {
    result.unwrap_err().errno()
}

/// Adds 1 in two steps, between which another would be lost.
fn add_one(shm: &SharedMemory) {
    let before = shm.load_u32(DATA).unwrap();
    shm.store_u32(DATA, before + 1).unwrap();
}

// --- Condvar

fn pair(shm: &SharedMemory, form: Form) -> (Mutex, Condvar) {
    let mutex = Mutex::options().form(form).open_or_create((shm, 0)).unwrap();
    (mutex, Condvar::options().form(form).open_or_create((shm, 1024)).unwrap())
}

/// Waits until the number is not 0, and takes 1 from it.
fn consume(shm: &SharedMemory, mutex: &Mutex, filled: &Condvar) {
    let mut guard = mutex.lock(LONG).unwrap();
    while shm.load_u32(DATA).unwrap() == 0 {
        filled.wait(&mut guard, LONG).unwrap();
    }
    shm.add_u32(DATA, u32::MAX).unwrap();
}

#[test]
fn a_notice_wakes_who_waits() {
    for form in FORMS {
        let shm = memory();
        let (mutex, filled) = pair(&shm, form);
        let consumers = [(); 3].map(|()| Child::run(|| consume(&shm, &mutex, &filled)));
        consumers.iter().for_each(Child::asleep);
        for _ in 0..2 {
            let _guard = mutex.lock(LONG).unwrap();
            shm.add_u32(DATA, 1).unwrap();
            filled.notify_one().unwrap();
        }
        let guard = mutex.lock(LONG).unwrap();
        shm.add_u32(DATA, 1).unwrap();
        filled.notify_all().unwrap();
        guard.unlock().unwrap();
        let _: [(); 3] = consumers.map(Child::succeeds);
        assert_eq!(shm.load_u32(DATA).unwrap(), 0, "{form:?}");
    }
}

#[test]
fn notices_to_all_in_quick_succession_lose_none() {
    let shm = memory();
    let (mutex, filled) = pair(&shm, Form::Robust);
    for _ in 0..200 {
        let consumer = Child::run(|| consume(&shm, &mutex, &filled));
        consumer.asleep();
        // The waiter looks, finds nothing, and goes to sleep again, at any moment of the next notice.
        for _ in 0..50 {
            filled.notify_all().unwrap();
        }
        let guard = mutex.lock(LONG).unwrap();
        shm.add_u32(DATA, 1).unwrap();
        guard.unlock().unwrap();
        filled.notify_all().unwrap();
        consumer.succeeds();
    }
}

#[test]
fn a_wait_without_notice_ends_with_the_mutex_held() {
    for form in FORMS {
        let shm = memory();
        let (mutex, filled) = pair(&shm, form);
        let mut guard = mutex.lock(LONG).unwrap();
        assert_eq!(errno(filled.wait(&mut guard, SHORT)), libc::ETIMEDOUT, "{form:?}");
        assert_eq!(errno(filled.wait(&mut guard, Timeout::TRY)), libc::EAGAIN);
        Child::run(|| assert_eq!(errno(mutex.lock(Timeout::TRY)), libc::EAGAIN)).succeeds();
        guard.unlock().unwrap();
    }
    let shm = memory();
    let (mutex, filled) = pair(&shm, Form::Robust);
    let mut guard = mutex.lock(LONG).unwrap();
    let _storm = storm::Storm::new();
    assert_eq!(errno(filled.wait(&mut guard, LONG)), libc::EINTR);
    guard.unlock().unwrap();
    assert_eq!(errno(filled.wait_raw(&mutex, LONG, &mut Acquired::Clean)), libc::EPERM);
}

#[test]
fn a_waiter_that_is_killed_takes_no_notice_with_it() {
    for _ in 0..20 {
        let shm = memory();
        let (mutex, filled) = pair(&shm, Form::Robust);
        let doomed = [(); 2].map(|()| Child::run(|| consume(&shm, &mutex, &filled)));
        let consumer = Child::run(|| consume(&shm, &mutex, &filled));
        for child in &doomed {
            child.asleep();
        }
        consumer.asleep();
        // Stopped, they are woken and do nothing with it.
        for child in &doomed {
            child.signal(Signal::SIGSTOP);
        }
        let guard = mutex.lock(LONG).unwrap();
        shm.add_u32(DATA, 1).unwrap();
        filled.notify_one().unwrap();
        guard.unlock().unwrap();
        let _: [(); 2] = doomed.map(Child::kill);
        consumer.succeeds();
    }
}

#[test]
fn a_death_while_others_wait_for_a_notice_is_told_to_them() {
    let shm = memory();
    let (mutex, filled) = pair(&shm, Form::Robust);
    let waiter = Child::run(|| {
        let mut guard = mutex.lock(LONG).unwrap();
        while shm.load_u32(DATA).unwrap() == 0 {
            filled.wait(&mut guard, LONG).unwrap();
        }
        assert!(guard.owner_died());
        guard.recovered().unwrap();
    });
    waiter.asleep();
    let killed = Child::that_stays(|| {
        let _ = mutex.lock_raw(LONG).unwrap();
        shm.add_u32(DATA, 1).unwrap();
        filled.notify_all().unwrap();
    });
    killed.kill();
    waiter.succeeds();
}

#[test]
fn forms_do_not_mix_and_depth_is_refused() {
    let shm = memory();
    let mutex = Mutex::create((&shm, 0)).unwrap();
    let plain = Condvar::options().form(Form::Pthread).create((&shm, 1024)).unwrap();
    let mut guard = mutex.lock(LONG).unwrap();
    assert_eq!(errno(plain.wait(&mut guard, SHORT)), libc::EINVAL);
    let kind = unipc::sync::MutexKind::Recursive;
    let twice = Mutex::options().kind(kind).create((&shm, 2048)).unwrap();
    let robust = Condvar::create((&shm, 4096)).unwrap();
    let _first = twice.lock(LONG).unwrap();
    let mut second = twice.lock(LONG).unwrap();
    assert_eq!(errno(robust.wait(&mut second, SHORT)), libc::EINVAL);
}

// --- Semaphore

#[test]
fn no_more_hold_permits_than_there_are() {
    const ROUNDS: u32 = 5000;
    for form in FORMS {
        let shm = memory();
        let semaphore = Semaphore::options().form(form).create((&shm, 0), 2).unwrap();
        let work = || {
            for _ in 0..ROUNDS {
                let _permit = semaphore.acquire(LONG).unwrap();
                let inside = shm.add_u32(DATA, 1).unwrap() + 1;
                assert!(inside <= 2);
                shm.add_u32(DATA, u32::MAX).unwrap();
            }
        };
        let children = [Child::run(work), Child::run(work)];
        std::thread::scope(|scope| {
            scope.spawn(work);
            scope.spawn(work);
        });
        let _: [(); 2] = children.map(Child::succeeds);
        assert_eq!(semaphore.value(), 2, "{form:?}");
    }
}

#[test]
fn as_many_tokens_are_taken_as_were_made() {
    const ROUNDS: u32 = 5000;
    for form in FORMS {
        let shm = memory();
        let options = Semaphore::options().form(form);
        let options = if form == Form::Robust { options.max(100) } else { options };
        let items = options.create((&shm, 0), 0).unwrap();
        let room = options.create((&shm, DATA / 2), 8).unwrap();
        let make = || {
            for _ in 0..ROUNDS {
                room.wait(LONG).unwrap();
                items.post().unwrap();
            }
        };
        let take = || {
            for _ in 0..ROUNDS {
                items.wait(LONG).unwrap();
                room.post().unwrap();
            }
        };
        let children = [Child::run(make), Child::run(take), Child::run(make), Child::run(take)];
        let _: [(); 4] = children.map(Child::succeeds);
        assert_eq!((items.value(), room.value()), (0, 8), "{form:?}");
    }
}

#[test]
fn permits_of_the_dead_come_back_and_the_next_is_told() {
    let shm = memory();
    let semaphore = Semaphore::create((&shm, 0), 2).unwrap();
    let holder = Child::that_stays(|| {
        let _ = semaphore.acquire_raw(LONG).unwrap();
        let _ = semaphore.acquire_raw(LONG).unwrap();
    });
    assert_eq!(semaphore.value(), 0);
    assert_eq!(errno(semaphore.acquire_raw(Timeout::TRY)), libc::EAGAIN);
    assert_eq!(errno(semaphore.acquire_raw(SHORT)), libc::ETIMEDOUT);
    assert!(semaphore.holders().iter().all(|seen| seen.pid == holder.pid()));
    let waiters = [(); 2].map(|()| {
        Child::run(|| {
            let permit = semaphore.acquire(LONG).unwrap();
            shm.add_u32(DATA, permit.owner_died().into()).unwrap();
        })
    });
    waiters.iter().for_each(Child::asleep);
    holder.kill();
    let _: [(); 2] = waiters.map(Child::succeeds);
    // Whoever was told, each of the two deaths was told once.
    for _ in 0..2 {
        let died = semaphore.acquire_raw(LONG).unwrap() == Acquired::OwnerDied;
        shm.add_u32(DATA, died.into()).unwrap();
    }
    assert_eq!(shm.load_u32(DATA).unwrap(), 2);
    semaphore.release().unwrap();
    semaphore.release().unwrap();
    assert_eq!(semaphore.value(), 2);
}

#[test]
fn a_binary_semaphore_is_not_posted_twice_and_only_a_holder_releases() {
    let shm = memory();
    let binary = Semaphore::options().max(1).create((&shm, 0), 0).unwrap();
    assert_eq!(errno(binary.release()), libc::EPERM);
    binary.post().unwrap();
    assert_eq!(errno(binary.post()), libc::EOVERFLOW);
    binary.wait(LONG).unwrap();
    assert_eq!(errno(binary.wait(Timeout::TRY)), libc::EAGAIN);
    assert_eq!(errno(Semaphore::options().max(1).create((&shm, 8192), 2)), libc::EINVAL);
    assert_eq!(errno(Semaphore::options().max(0).create((&shm, 8192), 0)), libc::EINVAL);
    assert_eq!(Semaphore::open((&shm, 0)).unwrap().max(), 1);
}

#[test]
fn more_permits_than_can_be_watched_come_back() {
    let shm = SharedMemory::create("anon:", Semaphore::size(300)).unwrap();
    let semaphore = Semaphore::create((&shm, 0), 300).unwrap();
    let holder = Child::that_stays(|| {
        for _ in 0..300 {
            let _ = semaphore.acquire_raw(LONG).unwrap();
        }
    });
    let waiter = Child::run(|| drop(semaphore.acquire(LONG).unwrap()));
    waiter.asleep();
    holder.kill();
    waiter.succeeds();
    assert_eq!(semaphore.value(), 300);
}

// --- RwLock

#[test]
fn readers_are_together_and_a_writer_is_alone() {
    const ROUNDS: u32 = 3000;
    for form in FORMS {
        let shm = memory();
        let lock = RwLock::options().form(form).create((&shm, 0)).unwrap();
        let write = || {
            for _ in 0..ROUNDS {
                let _guard = lock.write(LONG).unwrap();
                add_one(&shm);
                shm.store_u32(DATA + 4, shm.load_u32(DATA).unwrap()).unwrap();
            }
        };
        let read = || {
            for _ in 0..ROUNDS {
                let _guard = lock.read(LONG).unwrap();
                let seen = (shm.load_u32(DATA).unwrap(), shm.load_u32(DATA + 4).unwrap());
                assert_eq!(seen.0, seen.1, "a reader saw a writer at work");
            }
        };
        let children = [Child::run(write), Child::run(write), Child::run(read), Child::run(read)];
        let _: [(); 4] = children.map(Child::succeeds);
        assert_eq!(shm.load_u32(DATA).unwrap(), 2 * ROUNDS, "{form:?}");
        let _first = lock.read(LONG).unwrap();
        Child::run(|| {
            let _second = lock.read(Timeout::TRY).unwrap();
            assert_eq!(
                errno(RwLock::options().form(form).open((&shm, 0)).unwrap().write(Timeout::TRY))
                    .min(libc::EAGAIN),
                libc::EAGAIN
            );
        })
        .succeeds();
        let thread = std::thread::scope(|scope| {
            scope
                .spawn(|| (errno(lock.write(Timeout::TRY)), errno(lock.write(SHORT))))
                .join()
                .unwrap()
        });
        assert_eq!(thread, (libc::EAGAIN, libc::ETIMEDOUT));
    }
}

#[test]
fn dead_readers_have_left_and_dead_writers_are_told_of() {
    let shm = memory();
    let lock = RwLock::create((&shm, 0)).unwrap();
    let reader = Child::that_stays(|| {
        let _ = lock.read_raw(LONG).unwrap();
    });
    let writer = Child::run(|| drop(lock.write(LONG).unwrap()));
    writer.asleep();
    assert_eq!(lock.status().readers[0].pid, reader.pid());
    reader.kill();
    writer.succeeds();
    let writer = Child::that_stays(|| {
        let _ = lock.write_raw(LONG).unwrap();
    });
    let told = || assert!(lock.read(LONG).unwrap().owner_died());
    let readers = [(); 3].map(|()| Child::run(told));
    readers.iter().for_each(Child::asleep);
    writer.kill();
    let _: [(); 3] = readers.map(Child::succeeds);
    told();
    let mut guard = lock.write(LONG).unwrap();
    assert!(guard.owner_died());
    guard.recovered().unwrap();
    drop(guard);
    assert!(!lock.read(LONG).unwrap().owner_died());
    Child::that_stays(|| {
        let _ = lock.write_raw(LONG).unwrap();
    })
    .kill();
    drop(lock.write(LONG).unwrap());
    assert_eq!(lock.read(LONG).unwrap_err().kind(), &ErrorKind::NotRecoverable);
    assert_eq!(lock.write(LONG).unwrap_err().kind(), &ErrorKind::NotRecoverable);
}

#[test]
fn a_writer_that_gives_up_lets_readers_in_again() {
    let shm = memory();
    let lock = RwLock::create((&shm, 0)).unwrap();
    let _held = lock.read(LONG).unwrap();
    assert_eq!(errno(lock.write(SHORT)), libc::EDEADLK, "the thread reads");
    Child::run(|| assert_eq!(errno(lock.write(SHORT)), libc::ETIMEDOUT)).succeeds();
    Child::run(|| drop(lock.read(Timeout::TRY).unwrap())).succeeds();
    assert_eq!(errno(lock.recovered()), libc::EPERM);
}

#[test]
fn more_readers_than_lines_wait_for_each_other() {
    let shm = memory();
    let lock = RwLock::options().readers(2).create((&shm, 0)).unwrap();
    let first = Child::that_stays(|| {
        let _ = lock.read_raw(LONG).unwrap();
    });
    let _second = lock.read(LONG).unwrap();
    let third = Child::run(|| drop(lock.read(LONG).unwrap()));
    third.asleep();
    first.kill();
    third.succeeds();
    lock.unlock().unwrap();
    let _ = lock.read_raw(LONG).unwrap();
}

// --- Barrier

#[test]
fn all_pass_together_round_after_round() {
    const ROUNDS: u32 = 2000;
    for form in FORMS {
        let shm = memory();
        let barrier = Barrier::options().form(form).create((&shm, 0), 3).unwrap();
        let party = || {
            for number in 0..ROUNDS {
                shm.add_u32(DATA, 1).unwrap();
                let last = barrier.wait(Timeout::Forever).unwrap();
                let arrived = shm.load_u32(DATA).unwrap();
                assert!(arrived >= 3 * (number + 1), "one was missing");
                if last {
                    shm.add_u32(DATA + 4, 1).unwrap();
                }
                barrier.wait(Timeout::Forever).unwrap();
            }
        };
        let children = [(); 3].map(|()| Child::run(party));
        let _: [(); 3] = children.map(Child::succeeds);
        assert_eq!(shm.load_u32(DATA + 4).unwrap(), ROUNDS, "{form:?}");
    }
}

#[test]
fn a_party_that_dies_breaks_it_and_reset_mends_it() {
    let shm = memory();
    let barrier = Barrier::create((&shm, 0), 3).unwrap();
    let doomed = Child::run(|| drop(barrier.wait(LONG)));
    let waiter = Child::run(|| assert_eq!(errno(barrier.wait(LONG)), libc::EOWNERDEAD));
    doomed.asleep();
    waiter.asleep();
    assert_eq!(barrier.arrived(), 2);
    doomed.kill();
    waiter.succeeds();
    assert!(barrier.is_broken());
    assert_eq!(errno(barrier.wait(LONG)), libc::EOWNERDEAD);
    barrier.reset().unwrap();
    assert!(!barrier.is_broken());
    let pass = || assert!(barrier.wait(LONG).is_ok());
    let children = [(); 3].map(|()| Child::run(pass));
    let _: [(); 3] = children.map(Child::succeeds);
}

#[test]
fn a_party_that_has_joined_breaks_it_by_dying_between_its_waits() {
    let shm = memory();
    let barrier = Barrier::create((&shm, 0), 2).unwrap();
    let member = Child::that_stays(|| barrier.join().unwrap());
    let waiter = Child::run(|| assert_eq!(errno(barrier.wait(LONG)), libc::EOWNERDEAD));
    waiter.asleep();
    member.kill();
    waiter.succeeds();
    barrier.reset().unwrap();
    barrier.join().unwrap();
    assert_eq!(errno(barrier.join()), libc::EALREADY);
    let other = Child::run(|| {
        barrier.join().unwrap();
        let _ = barrier.wait(LONG).unwrap();
        barrier.leave().unwrap();
    });
    let _ = barrier.wait(LONG).unwrap();
    other.succeeds();
    barrier.leave().unwrap();
    assert!(!barrier.is_broken());
    assert_eq!(errno(barrier.leave()), libc::EPERM);
}

#[test]
fn a_wait_that_ends_early_takes_the_arrival_back() {
    let shm = memory();
    let barrier = Barrier::create((&shm, 0), 2).unwrap();
    assert_eq!(errno(barrier.wait(SHORT)), libc::ETIMEDOUT);
    assert_eq!(errno(barrier.wait(Timeout::TRY)), libc::EAGAIN);
    assert_eq!(barrier.arrived(), 0);
    {
        let _storm = storm::Storm::new();
        assert_eq!(errno(barrier.wait(LONG)), libc::EINTR);
        let other = Child::run(|| assert!(storm::through(|| barrier.wait(LONG)).is_ok()));
        assert!(storm::through(|| barrier.wait(LONG)).is_ok());
        other.succeeds();
    }
    let waiter = Child::run(|| assert_eq!(errno(barrier.wait(LONG)), libc::EOWNERDEAD));
    waiter.asleep();
    barrier.abort().unwrap();
    waiter.succeeds();
    assert_eq!(errno(Barrier::open_or_create((&shm, 0), 5)), libc::EINVAL);
    assert_eq!(errno(Barrier::create((&shm, 4096), 0)), libc::EINVAL);
}

#[test]
fn arrivals_that_come_and_go_never_let_too_few_pass() {
    let shm = memory();
    let barrier = Barrier::create((&shm, 0), 2).unwrap();
    let flicker = || {
        let mut passed = 0;
        for _ in 0..20_000 {
            if barrier.wait(Timeout::TRY).is_ok() {
                passed += 1;
            }
        }
        shm.add_u32(DATA, passed).unwrap();
    };
    let children = [Child::run(flicker), Child::run(flicker)];
    let _: [(); 2] = children.map(Child::succeeds);
    // Each round is passed by two.
    assert_eq!(shm.load_u32(DATA).unwrap() % 2, 0);
}

// --- Event

#[test]
fn a_manual_event_lets_all_pass_and_an_automatic_one_each_in_turn() {
    let shm = memory();
    let manual = Event::create((&shm, 0)).unwrap();
    let automatic = Event::options().auto_reset(true).create((&shm, 1024)).unwrap();
    let wait = || manual.wait(LONG).unwrap();
    let waiters = [(); 3].map(|()| Child::run(wait));
    waiters.iter().for_each(Child::asleep);
    assert_eq!(manual.waiters().len(), 3);
    manual.set().unwrap();
    let _: [(); 3] = waiters.map(Child::succeeds);
    wait();
    manual.reset().unwrap();
    assert_eq!(errno(manual.wait(SHORT)), libc::ETIMEDOUT);
    assert_eq!(errno(manual.wait(Timeout::TRY)), libc::EAGAIN);
    let opened = Event::open((&shm, 1024)).unwrap();
    assert!(opened.is_auto_reset());
    let waiters = [(); 3].map(|()| Child::run(|| automatic.wait(LONG).unwrap()));
    waiters.iter().for_each(Child::asleep);
    for _ in &waiters {
        opened.set().unwrap();
        // Some waiter takes it; until then another set would be lost.
        while opened.is_set() {
            std::thread::yield_now();
        }
    }
    let _: [(); 3] = waiters.map(Child::succeeds);
    let _storm = storm::Storm::new();
    assert_eq!(errno(automatic.wait(LONG)), libc::EINTR);
}

#[test]
fn a_waiter_that_is_killed_does_not_take_the_event_with_it() {
    for _ in 0..20 {
        let shm = memory();
        let event = Event::options().auto_reset(true).create((&shm, 0)).unwrap();
        let doomed = Child::run(|| event.wait(LONG).unwrap());
        doomed.asleep();
        let waiter = Child::run(|| event.wait(LONG).unwrap());
        waiter.asleep();
        doomed.signal(Signal::SIGSTOP);
        event.set().unwrap();
        doomed.kill();
        waiter.succeeds();
    }
}

// --- Once

#[test]
fn it_is_done_once_and_begun_anew_when_the_one_that_does_it_dies() {
    let shm = memory();
    let once = Once::create((&shm, 0)).unwrap();
    let work = || {
        once.call(LONG, |_| {
            add_one(&shm);
            Ok(())
        })
        .unwrap();
    };
    let doomed = Child::that_stays(|| {
        assert_eq!(once.begin(LONG).unwrap(), Some(Acquired::Clean));
    });
    assert_eq!(once.holder().unwrap().pid, doomed.pid());
    assert_eq!(errno(once.begin(Timeout::TRY)), libc::EAGAIN);
    let waiters = [(); 4].map(|()| Child::run(work));
    waiters.iter().for_each(Child::asleep);
    doomed.kill();
    let _: [(); 4] = waiters.map(Child::succeeds);
    assert_eq!(shm.load_u32(DATA).unwrap(), 1);
    assert!(once.is_done());
    assert!(once.begin(Timeout::TRY).unwrap().is_none());
    assert_eq!(errno(once.complete()), libc::EPERM);
}

#[test]
fn what_fails_is_tried_again_and_what_died_is_told() {
    let shm = memory();
    let once = Once::create((&shm, 0)).unwrap();
    let fails = once.call(LONG, |_| Err(unipc::Error::new("work", "x", ErrorKind::TimedOut)));
    assert_eq!(errno(fails), libc::ETIMEDOUT);
    Child::that_stays(|| {
        let _ = once.begin(LONG).unwrap();
    })
    .kill();
    assert_eq!(once.begin(LONG).unwrap(), Some(Acquired::OwnerDied));
    assert_eq!(errno(once.begin(LONG)), libc::EDEADLK);
    once.abandon().unwrap();
    assert!(
        once.call(LONG, |told| {
            assert_eq!(told, Acquired::OwnerDied);
            Ok(())
        })
        .unwrap()
    );
}

// --- all of them

#[test]
fn names_make_a_segment_for_the_object_alone() {
    let name = posix_name("named");
    let _removed = Removed(name.clone());
    let name = name.as_str();
    let semaphore = Semaphore::open_or_create(name, 3).unwrap();
    assert_eq!(Semaphore::open(name).unwrap().value(), 3);
    assert_eq!(errno(Semaphore::create(name, 3)), libc::EEXIST);
    assert_eq!(errno(Mutex::open(name)), libc::EPROTO, "another kind");
    assert_eq!(SharedMemory::open(name).unwrap().len(), Semaphore::size(64));
    assert_eq!(semaphore.label(), name);
    SharedMemory::unlink(name).unwrap();
    assert_eq!(errno(Semaphore::open(name)), libc::ENOENT);
}

#[test]
fn objects_can_be_placed_side_by_side() {
    let shm = memory();
    let mut at = 0;
    let mut place = |size: usize| {
        let here = at;
        at += size;
        (&shm, here)
    };
    Mutex::create(place(Mutex::SIZE)).unwrap();
    Condvar::create(place(Condvar::SIZE)).unwrap();
    Event::create(place(Event::SIZE)).unwrap();
    Once::create(place(Once::SIZE)).unwrap();
    RwLock::create(place(RwLock::SIZE)).unwrap();
    Barrier::create(place(Barrier::size(5)), 5).unwrap();
    Semaphore::options().max(5).create(place(Semaphore::size(5)), 5).unwrap();
    assert!(shm.compare(at, &[0; 64]).unwrap().is_eq());
}

#[test]
fn a_hostile_size_or_number_is_refused() {
    let shm = memory();
    RwLock::options().readers(2).create((&shm, 0)).unwrap();
    for size in [0_u64, 64, 100, 256, u64::MAX, 1 << 40, 1 << 16] {
        shm.write(32, &size).unwrap();
        let errno = errno(RwLock::open((&shm, 0)));
        assert!([libc::EPROTO, libc::ERANGE, libc::EOVERFLOW].contains(&errno), "{size}: {errno}");
    }
}

#[test]
fn under_a_name_of_its_own_an_object_is_complete_or_not_there() {
    const ROUNDS: u32 = 500;
    let name = posix_name("whole");
    let _removed = Removed(name.clone());
    let done = memory();
    let maker = Child::run(|| {
        for _ in 0..ROUNDS {
            drop(Semaphore::options().max(500).create(name.as_str(), 500).unwrap());
            SharedMemory::unlink(name.as_str()).unwrap();
        }
        done.store_u32(DATA, 1).unwrap();
    });
    let mut seen = 0;
    while done.load_u32(DATA).unwrap() == 0 {
        match SharedMemory::open(name.as_str()) {
            Ok(shm) => {
                assert_ne!(shm.load_u64(0).unwrap(), 0, "the name is there before the object");
                seen += 1;
            }
            Err(error) => assert_eq!(error.errno(), libc::ENOENT),
        }
    }
    maker.succeeds();
    // Where the two never met, nothing was shown, and nothing is wrong.
    println!("met {seen} times");
    let other = Semaphore::open_or_create(name.as_str(), 1).unwrap();
    assert_eq!(errno(Semaphore::create(name.as_str(), 1)), libc::EEXIST);
    assert_eq!(errno(Mutex::open_or_create(name.as_str())), libc::EPROTO);
    assert_eq!(other.value(), 1);
}

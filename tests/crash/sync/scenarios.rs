// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations, each with who else is there and what must hold afterwards.

use std::time::{Duration, Instant};

use unipc::sync::{Acquired, Barrier, Condvar, Event, Form, Mutex, Once, RwLock, Semaphore};
use unipc::{ErrorKind, SharedMemory, Timeout};

use super::{DATA, LIMIT, Scenario, is_gone};
use crate::process::Child;

/// Where the objects lie.
const FIRST: usize = 0;
const SECOND: usize = 16 << 10;
const WARM: usize = 48 << 10;
/// Where the bystander at a barrier says that it has come (1) and gone (2).
const HERE: usize = DATA + 16;

const LONG: Timeout = Timeout::After(Duration::from_secs(4));
const BRIEF: Timeout = Timeout::After(Duration::from_millis(3));

fn mutex(shm: &SharedMemory) -> Mutex {
    Mutex::open_or_create((shm, FIRST)).expect("a mutex")
}

fn plain_mutex(shm: &SharedMemory) -> Mutex {
    Mutex::options().form(Form::Pthread).open_or_create((shm, FIRST)).expect("a mutex")
}

fn condvar(shm: &SharedMemory) -> Condvar {
    Condvar::open_or_create((shm, SECOND)).expect("a condition variable")
}

fn rwlock(shm: &SharedMemory) -> RwLock {
    RwLock::options().readers(6).open_or_create((shm, FIRST)).expect("a lock")
}

fn semaphore(shm: &SharedMemory) -> Semaphore {
    Semaphore::options().max(3).open_or_create((shm, FIRST), 1).expect("a semaphore")
}

fn barrier(shm: &SharedMemory) -> Barrier {
    Barrier::open_or_create((shm, FIRST), 2).expect("a barrier")
}

fn event(shm: &SharedMemory) -> Event {
    Event::open_or_create((shm, FIRST)).expect("an event")
}

fn automatic(shm: &SharedMemory) -> Event {
    Event::options().auto_reset(true).open_or_create((shm, FIRST)).expect("an event")
}

fn once(shm: &SharedMemory) -> Once {
    Once::open_or_create((shm, FIRST)).expect("a once")
}

/// So that the victim's thread is known to the kernel before the first instruction counts.
fn warm(shm: &SharedMemory) {
    let other = Mutex::open_or_create((shm, WARM)).expect("a mutex");
    drop(other.lock(LONG).expect("nobody else wants it"));
}

/// Waits until somebody waits, or the victim is gone.
fn until(shm: &SharedMemory, somebody_waits: impl Fn() -> bool) {
    let late = Instant::now() + Duration::from_secs(4);
    while !somebody_waits() && !is_gone(shm) && Instant::now() < late {
        std::thread::yield_now();
    }
}

/// Locks, repairs if it must, and unlocks.
fn pass(mutex: &Mutex, timeout: Timeout) {
    let mut guard = mutex.lock(timeout).expect("the mutex can be had");
    if guard.owner_died() {
        guard.recovered().expect("it is held");
    }
    guard.unlock().expect("it is held");
}

fn passable(shm: &SharedMemory) {
    let mutex = mutex(shm);
    pass(&mutex, LIMIT);
    assert_eq!(mutex.lock_raw(LIMIT).expect("the mutex can be had"), Acquired::Clean);
    mutex.unlock().expect("it is held");
}

/// Waits for a number that is not 0, as consumers do.
fn consume(shm: &SharedMemory) {
    let (mutex, filled) = (mutex(shm), condvar(shm));
    let mut guard = mutex.lock(LONG).expect("the mutex can be had");
    while shm.load_u32(DATA).expect("inside") == 0 {
        filled.wait(&mut guard, LONG).expect("a notice comes");
        if guard.owner_died() {
            guard.recovered().expect("it is held");
        }
    }
}

fn fill(shm: &SharedMemory) {
    let (mutex, filled) = (mutex(shm), condvar(shm));
    let mut guard = mutex.lock(LIMIT).expect("the mutex can be had");
    if guard.owner_died() {
        guard.recovered().expect("it is held");
    }
    shm.store_u32(DATA, 1).expect("inside");
    drop(guard);
    filled.notify_all().expect("there");
}

fn enter(lock: &RwLock, write: bool) {
    let mut guard = if write { lock.write(LIMIT) } else { lock.read(LIMIT) }.expect("can be had");
    if write && guard.owner_died() {
        guard.recovered().expect("it is held");
    }
}

fn enterable(shm: &SharedMemory) {
    let lock = rwlock(shm);
    enter(&lock, true);
    enter(&lock, false);
    // All lines are free again.
    let all: Vec<_> = (0..6).map(|_| lock.read(LIMIT).expect("a line")).collect();
    assert!(all.iter().all(|guard| !guard.owner_died()));
}

/// The permit is there, once.
fn one_permit(shm: &SharedMemory) {
    let semaphore = semaphore(shm);
    let _ = semaphore.acquire_raw(LIMIT).expect("the permit came back");
    assert!(semaphore.acquire_raw(Timeout::TRY).is_err(), "a permit too many");
    semaphore.release().expect("it is held");
}

/// One permit or none, by whether the operation was done; after another it can be had.
fn some_permits(shm: &SharedMemory) {
    let semaphore = semaphore(shm);
    semaphore.post().expect("there is room");
    semaphore.wait(LIMIT).expect("a permit");
    let _ = semaphore.wait(Timeout::TRY);
    let _ = semaphore.wait(Timeout::TRY);
    for _ in 0..3 {
        semaphore.post().expect("room for all");
    }
    assert!(semaphore.post().is_err(), "room too much");
}

fn meet(shm: &SharedMemory) {
    shm.store_u32(HERE, 1).expect("inside");
    match barrier(shm).wait(LONG) {
        Ok(_) => {}
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Broken(_)), "{error}"),
    }
    shm.store_u32(HERE, 2).expect("inside");
}

/// Whoever still waits is let go, and the barrier serves others again.
fn meetable(shm: &SharedMemory) {
    let barrier = barrier(shm);
    let _ = barrier.wait(Timeout::After(Duration::from_millis(30)));
    barrier.abort().expect("there");
    let late = Instant::now() + Duration::from_secs(1);
    // The bystander must not be taken for one of the two that meet next.
    while shm.load_u32(HERE).expect("inside") == 1 && Instant::now() < late {
        std::thread::yield_now();
    }
    assert_ne!(shm.load_u32(HERE).expect("inside"), 1, "the bystander is let go");
    barrier.reset().expect("there");
    let mut other = Child::run(|| {
        barrier.wait(LIMIT).expect("two meet");
    });
    barrier.wait(LIMIT).expect("two meet");
    assert_eq!(other.wait(), crate::process::Status::Exited(0));
}

fn do_once(shm: &SharedMemory) {
    let work = |_| shm.store_u32(DATA, 1);
    once(shm).call(LONG, work).expect("it is done");
    assert_eq!(shm.load_u32(DATA).expect("inside"), 1);
}

/// A holder that dies before the victim comes.
fn dead_holder(shm: &SharedMemory) {
    let mutex = mutex(shm);
    let mut child = Child::run(|| {
        let _ = mutex.lock_raw(LONG).expect("nobody has it");
    });
    child.wait();
}

macro_rules! scenario {
    ($name:expr, $make:expr, $bystander:expr, $victim:expr, $check:expr) => {
        Scenario {
            name: $name,
            make: $make,
            bystander: $bystander,
            victim: |shm, mark| {
                warm(shm);
                $victim(shm, mark)
            },
            check: $check,
        }
    };
}

/// An operation on an opened object, between the two marks.
macro_rules! operation {
    ($open:ident, $before:expr, $during:expr) => {
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = $open(shm);
            $before(&object, shm);
            mark();
            $during(&object, shm);
            mark();
        }
    };
}

fn nothing<T>(_: &T, _: &SharedMemory) {}

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario!(
        "mutex lock unlock",
        |shm| drop(mutex(shm)),
        None,
        operation!(mutex, nothing, |object: &Mutex, _| pass(object, LONG)),
        passable
    ),
    scenario!(
        "mutex unlock to a waiter",
        |shm| drop(mutex(shm)),
        None,
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = mutex(shm);
            let _ = object.lock_raw(LONG).expect("nobody has it");
            // Started by the victim, since it must wait for it.
            let waiter = Child::run(|| pass(&object, LONG));
            until(shm, || !object.status().waiters.is_empty());
            std::mem::forget(waiter);
            mark();
            object.unlock().expect("it is held");
            mark();
        },
        passable
    ),
    scenario!(
        "mutex lock behind a holder",
        |shm| drop(mutex(shm)),
        Some((
            |shm| {
                let object = mutex(shm);
                let _ = object.lock_raw(LONG).expect("nobody has it");
                until(shm, || !object.status().waiters.is_empty());
                object.unlock().expect("it is held");
            },
            |shm| mutex(shm).status().holder.is_some() || is_gone(shm)
        )),
        operation!(mutex, nothing, |object: &Mutex, _| pass(object, LONG)),
        passable
    ),
    scenario!(
        "mutex lock in vain",
        |shm| drop(mutex(shm)),
        Some((
            |shm| {
                let object = mutex(shm);
                let _ = object.lock_raw(LONG).expect("nobody has it");
                until(shm, || false);
                object.unlock().expect("it is held");
            },
            |shm| mutex(shm).status().holder.is_some()
        )),
        operation!(mutex, nothing, |object: &Mutex, _| {
            assert!(object.lock_raw(BRIEF).is_err());
        }),
        passable
    ),
    scenario!(
        "mutex repair",
        dead_holder,
        None,
        operation!(mutex, nothing, |object: &Mutex, _| pass(object, LONG)),
        passable
    ),
    scenario!(
        "mutex abandon",
        |shm| drop(mutex(shm)),
        None,
        operation!(mutex, |object: &Mutex, _| drop(object.lock_raw(LONG)), |object: &Mutex, _| {
            drop(object.abandon());
        }),
        passable
    ),
    Scenario {
        name: "mutex create",
        make: |_| (),
        bystander: None,
        victim: |shm, mark| {
            warm(shm);
            mark();
            drop(mutex(shm));
            mark();
        },
        check: |shm| {
            let object = mutex(shm);
            assert_eq!(object.lock_raw(LIMIT).expect("free"), Acquired::Clean);
        },
    },
    Scenario {
        name: "mutex open and first use",
        make: |shm| drop(mutex(shm)),
        bystander: None,
        victim: |shm, mark| {
            mark();
            pass(&mutex(shm), LONG);
            mark();
        },
        check: passable,
    },
    scenario!(
        "condvar notify_one",
        |shm| drop((mutex(shm), condvar(shm))),
        Some((consume, |shm| !condvar(shm).waiters().is_empty())),
        operation!(condvar, nothing, |_: &Condvar, shm| {
            let object = mutex(shm);
            pass(&object, LONG);
            shm.store_u32(DATA, 1).expect("inside");
            condvar(shm).notify_one().expect("there");
        }),
        fill
    ),
    scenario!(
        "condvar notify_all",
        |shm| drop((mutex(shm), condvar(shm))),
        Some((consume, |shm| !condvar(shm).waiters().is_empty())),
        operation!(condvar, nothing, |object: &Condvar, _| object.notify_all().expect("there")),
        fill
    ),
    scenario!(
        "condvar wait",
        |shm| drop((mutex(shm), condvar(shm))),
        Some((
            |shm| {
                until(shm, || !condvar(shm).waiters().is_empty());
                fill(shm);
            },
            |_| true
        )),
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let (object, filled) = (mutex(shm), condvar(shm));
            let mut guard = object.lock(LONG).expect("the mutex can be had");
            mark();
            let _ = filled.wait(&mut guard, LONG);
            mark();
        },
        |shm| {
            passable(shm);
            let waiter = Child::run(|| consume(shm));
            fill(shm);
            let mut waiter = waiter;
            assert_eq!(waiter.wait(), crate::process::Status::Exited(0));
        }
    ),
    scenario!(
        "condvar wait in vain",
        |shm| drop((mutex(shm), condvar(shm))),
        None,
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let (object, filled) = (mutex(shm), condvar(shm));
            let mut guard = object.lock(LONG).expect("the mutex can be had");
            mark();
            let _ = filled.wait(&mut guard, BRIEF);
            drop(guard);
            mark();
        },
        passable
    ),
    scenario!(
        "rwlock read",
        |shm| drop(rwlock(shm)),
        None,
        operation!(rwlock, nothing, |object: &RwLock, _| enter(object, false)),
        enterable
    ),
    scenario!(
        "rwlock write",
        |shm| drop(rwlock(shm)),
        None,
        operation!(rwlock, nothing, |object: &RwLock, _| enter(object, true)),
        enterable
    ),
    scenario!(
        "rwlock read behind a writer",
        |shm| drop(rwlock(shm)),
        Some((
            |shm| {
                let object = rwlock(shm);
                let guard = object.write(LONG).expect("nobody has it");
                until(shm, || !object.status().waiters.is_empty());
                drop(guard);
            },
            |shm| rwlock(shm).status().writer.is_some()
        )),
        operation!(rwlock, nothing, |object: &RwLock, _| enter(object, false)),
        enterable
    ),
    scenario!(
        "rwlock write behind a reader",
        |shm| drop(rwlock(shm)),
        Some((
            |shm| {
                let object = rwlock(shm);
                let guard = object.read(LONG).expect("nobody has it");
                until(shm, || !object.status().waiters.is_empty());
                drop(guard);
            },
            |shm| !rwlock(shm).status().readers.is_empty()
        )),
        operation!(rwlock, nothing, |object: &RwLock, _| enter(object, true)),
        enterable
    ),
    scenario!(
        "rwlock unlock to a writer",
        |shm| drop(rwlock(shm)),
        None,
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = rwlock(shm);
            let _ = object.read_raw(LONG).expect("nobody has it");
            let waiter = Child::run(|| enter(&object, true));
            until(shm, || !object.status().waiters.is_empty());
            std::mem::forget(waiter);
            mark();
            object.unlock().expect("it is held");
            mark();
        },
        enterable
    ),
    scenario!(
        "rwlock unlock to a reader",
        |shm| drop(rwlock(shm)),
        None,
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = rwlock(shm);
            let _ = object.write_raw(LONG).expect("nobody has it");
            let waiter = Child::run(|| enter(&object, false));
            until(shm, || !object.status().waiters.is_empty());
            std::mem::forget(waiter);
            mark();
            object.unlock().expect("it is held");
            mark();
        },
        enterable
    ),
    scenario!(
        "semaphore acquire release",
        |shm| drop(semaphore(shm)),
        None,
        operation!(semaphore, nothing, |object: &Semaphore, _| {
            drop(object.acquire(LONG).expect("free"));
        }),
        one_permit
    ),
    scenario!(
        "semaphore acquire behind a holder",
        |shm| drop(semaphore(shm)),
        Some((
            |shm| {
                let object = semaphore(shm);
                let permit = object.acquire(LONG).expect("free");
                until(shm, || !object.waiters().is_empty());
                drop(permit);
            },
            |shm| semaphore(shm).value() == 0
        )),
        operation!(semaphore, nothing, |object: &Semaphore, _| {
            drop(object.acquire(LONG).expect("free"));
        }),
        one_permit
    ),
    scenario!(
        "semaphore release to a waiter",
        |shm| drop(semaphore(shm)),
        None,
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = semaphore(shm);
            let _ = object.acquire_raw(LONG).expect("free");
            let waiter = Child::run(|| drop(object.acquire(LONG).expect("it comes back")));
            until(shm, || !object.waiters().is_empty());
            std::mem::forget(waiter);
            mark();
            object.release().expect("it is held");
            mark();
        },
        one_permit
    ),
    scenario!(
        "semaphore wait",
        |shm| drop(semaphore(shm)),
        None,
        operation!(semaphore, nothing, |object: &Semaphore, _| object.wait(LONG).expect("free")),
        some_permits
    ),
    scenario!(
        "semaphore post to a waiter",
        |shm| {
            let object = semaphore(shm);
            object.wait(LONG).expect("free");
        },
        Some((
            |shm| semaphore(shm).wait(LONG).expect("one is posted"),
            |shm| !semaphore(shm).waiters().is_empty()
        )),
        operation!(semaphore, nothing, |object: &Semaphore, _| object.post().expect("room")),
        |shm| {
            // The bystander has one at last, whether or not the victim got so far.
            semaphore(shm).post().expect("room");
        }
    ),
    scenario!(
        "barrier wait as the last",
        |shm| drop(barrier(shm)),
        Some((meet, |shm| barrier(shm).arrived() == 1)),
        operation!(barrier, nothing, |object: &Barrier, _| drop(object.wait(LONG))),
        meetable
    ),
    scenario!(
        "barrier wait as the first",
        |shm| drop(barrier(shm)),
        Some((
            |shm| {
                shm.store_u32(HERE, 1).expect("inside");
                until(shm, || barrier(shm).arrived() == 1);
                meet(shm);
            },
            |shm| shm.load_u32(HERE).expect("inside") == 1
        )),
        operation!(barrier, nothing, |object: &Barrier, _| drop(object.wait(LONG))),
        meetable
    ),
    scenario!(
        "barrier wait in vain",
        |shm| drop(barrier(shm)),
        None,
        operation!(barrier, nothing, |object: &Barrier, _| drop(object.wait(BRIEF))),
        meetable
    ),
    scenario!(
        "barrier join leave",
        |shm| drop(barrier(shm)),
        Some((meet, |shm| barrier(shm).arrived() == 1)),
        operation!(barrier, nothing, |object: &Barrier, _| {
            object.join().expect("a place");
            object.leave().expect("joined");
        }),
        meetable
    ),
    scenario!(
        "event set",
        |shm| drop(event(shm)),
        Some((
            |shm| event(shm).wait(LONG).expect("it is set"),
            |shm| !event(shm).waiters().is_empty()
        )),
        operation!(event, nothing, |object: &Event, _| object.set().expect("there")),
        |shm| {
            event(shm).set().expect("there");
            event(shm).wait(LIMIT).expect("it is set");
        }
    ),
    scenario!(
        "event set with automatic reset",
        |shm| drop(automatic(shm)),
        Some((
            |shm| automatic(shm).wait(LONG).expect("it is set"),
            |shm| !automatic(shm).waiters().is_empty()
        )),
        operation!(automatic, nothing, |object: &Event, _| object.set().expect("there")),
        |shm| automatic(shm).set().expect("there")
    ),
    scenario!(
        "event wait with automatic reset",
        |shm| drop(automatic(shm)),
        Some((
            |shm| {
                until(shm, || !automatic(shm).waiters().is_empty());
                automatic(shm).set().expect("there");
            },
            |_| true
        )),
        operation!(automatic, nothing, |object: &Event, _| object.wait(LONG).expect("it is set")),
        |shm| {
            let object = automatic(shm);
            object.set().expect("there");
            object.wait(LIMIT).expect("it is set");
        }
    ),
    scenario!(
        "once begin complete",
        |shm| drop(once(shm)),
        None,
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = once(shm);
            mark();
            object.call(LONG, |_| shm.store_u32(DATA, 1)).expect("it is done");
            mark();
        },
        do_once
    ),
    scenario!(
        "once behind another",
        |shm| drop(once(shm)),
        Some((
            |shm| {
                let object = once(shm);
                if object.begin(LONG).expect("there").is_some() {
                    until(shm, || !object.waiters().is_empty());
                    shm.store_u32(DATA, 1).expect("inside");
                    object.complete().expect("begun");
                }
            },
            |shm| once(shm).holder().is_some() || once(shm).is_done()
        )),
        |shm: &SharedMemory, mark: &dyn Fn()| {
            let object = once(shm);
            mark();
            object.call(LONG, |_| shm.store_u32(DATA, 1)).expect("it is done");
            mark();
        },
        do_once
    ),
    scenario!(
        "pthread mutex lock unlock",
        |shm| drop(plain_mutex(shm)),
        None,
        operation!(plain_mutex, nothing, |object: &Mutex, _| pass(object, LONG)),
        |shm| pass(&plain_mutex(shm), LIMIT)
    ),
];

/// What the C library's other objects do not survive: here deaths must be noticed to do harm.
pub(crate) const CONTROLS: &[Scenario] = &[
    scenario!(
        "pthread semaphore",
        |shm| drop(plain_semaphore(shm)),
        None,
        operation!(plain_semaphore, nothing, |object: &Semaphore, _| {
            drop(object.acquire(LONG).expect("free"));
        }),
        |shm| drop(plain_semaphore(shm).acquire(BRIEF).expect("it came back"))
    ),
    scenario!(
        "pthread read lock",
        |shm| drop(plain_rwlock(shm)),
        None,
        operation!(plain_rwlock, nothing, |object: &RwLock, _| enter(object, false)),
        |shm| drop(plain_rwlock(shm).write(BRIEF).expect("free"))
    ),
];

fn plain_semaphore(shm: &SharedMemory) -> Semaphore {
    Semaphore::options().form(Form::Pthread).open_or_create((shm, FIRST), 1).expect("a semaphore")
}

fn plain_rwlock(shm: &SharedMemory) -> RwLock {
    RwLock::options().form(Form::Pthread).open_or_create((shm, FIRST)).expect("a lock")
}

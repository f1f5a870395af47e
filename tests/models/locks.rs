// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks: whoever dies, nobody is inside who must not be, and nobody waits for ever.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::scheduler::{Plan, explore, has_died, step};
use crate::sync::Acquired;
use crate::sync::barrier::Barrier;
use crate::sync::condvar::Condvar;
use crate::sync::event::Event;
use crate::sync::mutex::{Mutex, MutexKind};
use crate::sync::once::Once;
use crate::sync::rwlock::RwLock;
use crate::sync::semaphore::Semaphore;
use crate::{Depth, holds};

fn depth(alive: usize, dying: usize) -> Depth {
    Depth { alive, dying, late: 0 }
}

/// Who is inside what a lock guards.
#[derive(Default)]
struct Room {
    writers: AtomicUsize,
    readers: AtomicUsize,
}

/// Somebody who is; also a death leads out.
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Room {
    fn write(&self) -> Inside<'_> {
        assert_eq!(self.writers.fetch_add(1, Ordering::SeqCst), 0, "two write");
        let inside = Inside(&self.writers);
        assert_eq!(self.readers.load(Ordering::SeqCst), 0, "somebody reads beside a writer");
        step();
        inside
    }

    fn read(&self) -> Inside<'_> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(&self.readers);
        assert_eq!(self.writers.load(Ordering::SeqCst), 0, "somebody writes beside a reader");
        step();
        inside
    }
}

type MutexRoom = (Mutex, Room);

fn pass(it: &MutexRoom) {
    let acquired = it.0.lock();
    let inside = it.1.write();
    drop(inside);
    it.0.unlock(acquired);
}

#[test]
fn two_with_a_mutex() {
    holds(
        || (Mutex::new(MutexKind::ErrorChecking), Room::default()),
        &[pass, pass],
        |it| it.0.end_of_thread(),
        pass,
        depth(4, 3),
    );
}

#[test]
fn three_with_a_mutex() {
    holds(
        || (Mutex::new(MutexKind::ErrorChecking), Room::default()),
        &[pass, pass, pass],
        |it| it.0.end_of_thread(),
        pass,
        depth(2, 2),
    );
}

#[test]
fn a_mutex_twice_and_abandoned() {
    fn twice(it: &MutexRoom) {
        let acquired = it.0.lock();
        let _ = it.0.lock();
        let inside = it.1.write();
        drop(inside);
        it.0.unlock(Acquired::Clean);
        it.0.unlock(acquired);
    }
    fn abandon(it: &MutexRoom) {
        let _ = it.0.lock();
        drop(it.1.write());
        it.0.abandon();
    }
    holds(
        || (Mutex::new(MutexKind::Recursive), Room::default()),
        &[twice, abandon],
        |it| it.0.end_of_thread(),
        pass,
        depth(3, 2),
    );
}

type RwLockRoom = (RwLock, Room);

fn write(it: &RwLockRoom) {
    let acquired = it.0.write();
    let inside = it.1.write();
    if acquired == Acquired::OwnerDied {
        it.0.recovered();
    }
    drop(inside);
    it.0.unlock();
}

fn read(it: &RwLockRoom) {
    let _ = it.0.read();
    drop(it.1.read());
    it.0.unlock();
}

fn check_rwlock(it: &RwLockRoom) {
    write(it);
    read(it);
}

#[test]
fn a_reader_and_a_writer() {
    let make = || (RwLock::new(2), Room::default());
    holds(make, &[read, write], |it| it.0.end_of_thread(), check_rwlock, depth(3, 2));
    holds(make, &[write, read], |it| it.0.end_of_thread(), check_rwlock, depth(3, 2));
}

#[test]
fn two_readers_and_a_writer() {
    let make = || (RwLock::new(2), Room::default());
    holds(make, &[read, write, read], |it| it.0.end_of_thread(), check_rwlock, depth(2, 1));
}

#[test]
fn two_readers_for_one_line() {
    let make = || (RwLock::new(1), Room::default());
    holds(make, &[read, read], |it| it.0.end_of_thread(), check_rwlock, depth(3, 2));
}

type SemaphoreRoom = (Semaphore, Room);

fn hold(it: &SemaphoreRoom) {
    let _ = it.0.acquire();
    // The dead have left the room.
    drop(it.1.write());
    it.0.release();
}

fn check_semaphore(it: &SemaphoreRoom) {
    hold(it);
    assert_eq!(it.0.value(), it.0.max(), "permits");
}

#[test]
fn one_permit() {
    let make = || (Semaphore::new(1, 1), Room::default());
    holds(make, &[hold, hold], |it| it.0.end_of_thread(), check_semaphore, depth(3, 2));
    holds(make, &[hold, hold, hold], |it| it.0.end_of_thread(), check_semaphore, depth(2, 1));
}

#[test]
fn tokens() {
    fn post(it: &Semaphore) {
        it.post();
        it.post();
    }
    let make = || Semaphore::new(2, 0);
    let plan = Plan { changes: 2, ..Plan::default() };
    let check = |it: &Semaphore| assert_eq!(it.value(), 0, "tokens");
    let outcome = explore(&plan, make, &[post, Semaphore::wait, Semaphore::wait], |_| (), check);
    assert!(outcome.failure.is_none() && outcome.runs > 10, "{outcome:?}");
}

#[test]
fn two_parties() {
    fn meet(it: &Barrier) {
        // Broken by the death of the other, or passed by both.
        let _ = it.wait();
    }
    holds(|| Barrier::new(2), &[meet, meet], Barrier::end_of_thread, |_| (), depth(3, 2));
}

/// One who has joined counts while it waits, and not when it has taken that back.
#[test]
fn two_parties_that_have_joined() {
    #[derive(Debug)]
    struct Joined(Barrier, AtomicUsize);
    fn twice(it: &Joined) {
        if !it.0.join() {
            return;
        }
        for round in 1..=2 {
            it.1.fetch_add(1, Ordering::SeqCst);
            if it.0.wait().is_none() {
                return;
            }
            assert!(it.1.load(Ordering::SeqCst) >= 2 * round, "one was missing");
        }
    }
    fn tries_first(it: &Joined) {
        if !it.0.join() {
            return;
        }
        it.1.fetch_add(1, Ordering::SeqCst);
        let passed = it.0.try_wait();
        if passed == Some(false) {
            // Nobody can pass meanwhile.
            step();
            assert!(it.1.load(Ordering::SeqCst) <= 2, "somebody has passed alone");
        }
        if passed == Some(true) || passed == Some(false) && it.0.wait().is_some() {
            it.1.fetch_add(1, Ordering::SeqCst);
            let _ = it.0.wait();
        }
    }
    let make = || Joined(Barrier::new(2), AtomicUsize::new(0));
    holds(make, &[twice, twice], |it| it.0.end_of_thread(), |_| (), depth(3, 1));
    holds(make, &[twice, tries_first], |it| it.0.end_of_thread(), |_| (), depth(2, 1));
    holds(make, &[tries_first, twice], |it| it.0.end_of_thread(), |_| (), depth(2, 1));
}

#[test]
fn an_event_for_all() {
    let make = || Event::new(false);
    let depth = Depth { alive: 2, dying: 0, late: 1 };
    fn check(it: &Event) {
        it.set();
        it.wait();
        assert!(it.pass());
    }
    fn set(it: &Event) {
        it.set();
    }
    // Who waits may die; of who sets, nobody can be sure that it has.
    holds(make, &[Event::wait, Event::wait, set], |_| (), check, depth);
}

/// One waits for each time that it is set.
#[test]
fn an_event_for_one() {
    let make = || (Event::new(true), Event::new(true));
    fn there(it: &(Event, Event)) {
        it.0.wait();
        it.1.set();
    }
    fn back(it: &(Event, Event)) {
        it.0.set();
        it.1.wait();
        it.0.set();
    }
    fn check(it: &(Event, Event)) {
        assert!(it.0.pass() && !it.0.pass() && !it.1.pass(), "it lets one pass for each time");
    }
    let plan = Plan { changes: 3, ..Plan::default() };
    let outcome = explore(&plan, make, &[there, back], |_| (), check);
    assert!(outcome.failure.is_none() && outcome.runs > 10, "{outcome:?}");
    // Whoever dies, no flag has let two pass.
    let make = || (Event::new(true), AtomicUsize::new(0));
    type Passed = (Event, AtomicUsize);
    fn pass_if(it: &Passed) {
        if it.0.pass() {
            it.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    fn set(it: &Passed) {
        it.0.set();
        pass_if(it);
    }
    fn at_most_one(it: &Passed) {
        pass_if(it);
        assert!(it.1.load(Ordering::SeqCst) <= 1, "two have passed");
    }
    holds(make, &[pass_if, pass_if, set], |_| (), at_most_one, depth(2, 1));
}

/// Who waits for a change of what a mutex guards.
struct Guarded {
    mutex: Mutex,
    changed: Condvar,
    value: AtomicUsize,
}

impl Guarded {
    fn new() -> Self {
        let mutex = Mutex::new(MutexKind::ErrorChecking);
        Self { mutex, changed: Condvar::new(), value: AtomicUsize::new(0) }
    }

    /// Sleeps until the value is at least this.
    fn await_value(&self, value: usize) {
        let mut acquired = self.mutex.lock();
        while self.value.load(Ordering::SeqCst) < value {
            if acquired == Acquired::OwnerDied {
                // It may have died before the notice.
                self.value.store(value, Ordering::SeqCst);
                break;
            }
            acquired = self.changed.wait(&self.mutex);
        }
        self.mutex.unlock(acquired);
    }

    fn raise(&self, all: bool) {
        let acquired = self.mutex.lock();
        step();
        self.value.fetch_add(1, Ordering::SeqCst);
        self.mutex.unlock(acquired);
        self.changed.notify(all);
    }
}

#[test]
fn a_notice() {
    fn wait(it: &Guarded) {
        it.await_value(1);
    }
    fn tell_one(it: &Guarded) {
        it.raise(false);
    }
    fn tell_all(it: &Guarded) {
        it.raise(true);
    }
    fn check(it: &Guarded) {
        it.raise(true);
        it.await_value(1);
    }
    fn bury(it: &Guarded) {
        it.mutex.end_of_thread();
    }
    // One that waits dies.
    holds(Guarded::new, &[wait, tell_one], bury, check, depth(3, 2));
    holds(Guarded::new, &[wait, wait, tell_all], bury, check, depth(1, 0));
}

#[test]
fn once() {
    type Work = (Once, Room, AtomicUsize);
    fn work(it: &Work) {
        if it.0.begin().is_some() {
            let inside = it.1.write();
            it.2.fetch_add(1, Ordering::SeqCst);
            drop(inside);
            it.0.end(true);
        }
        assert!(it.2.load(Ordering::SeqCst) > 0, "it is not done");
    }
    fn leave(it: &Work) {
        if it.0.begin().is_some() {
            drop(it.1.write());
            it.0.end(false);
        }
    }
    fn check(it: &Work) {
        work(it);
        assert_eq!(it.0.begin(), None, "it is done again");
        let times = it.2.load(Ordering::SeqCst);
        assert!(times == 1 || times == 2 && has_died(0), "done {times} times");
    }
    let make = || (Once::new(), Room::default(), AtomicUsize::new(0));
    let bury = |it: &Work| it.0.end_of_thread();
    holds(make, &[work, work], bury, check, depth(3, 2));
    holds(make, &[leave, work], bury, check, depth(3, 2));
    holds(make, &[work, work, leave], bury, check, depth(1, 1));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks: whoever dies, nobody is inside who must not be, and nobody waits for ever.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::scheduler::{Plan, explore, step};
use crate::sync::Acquired;
use crate::sync::barrier::Barrier;
use crate::sync::mutex::{Mutex, MutexKind};
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

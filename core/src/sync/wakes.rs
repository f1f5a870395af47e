// SPDX-License-Identifier: MIT OR Apache-2.0
//! Is everybody woken who sleeps? In use a wake that was lost would only cost time, since nobody sleeps long without
//! another look. Here the looks are far apart (see `hold::SLICES`), so that it is a wait that comes to nothing.

use std::thread::{scope, yield_now};
use std::time::Duration;

use super::{Barrier, Condvar, Event, Mutex, RwLock, Semaphore};
use crate::{SharedMemory, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const ROUNDS: usize = 2000;

fn memory() -> SharedMemory {
    SharedMemory::create("anon:", 1 << 14).unwrap()
}

/// So many threads do it over and over.
fn together(threads: usize, work: impl Fn(usize) + Sync) {
    scope(|scope| {
        for thread in 0..threads {
            let work = &work;
            scope.spawn(move || (0..ROUNDS).for_each(|_| work(thread)));
        }
    });
}

#[test]
fn by_who_unlocks() {
    let shm = memory();
    let mutex = Mutex::create((&shm, 0)).unwrap();
    together(4, |_| {
        let guard = mutex.lock(LONG).unwrap();
        yield_now();
        guard.unlock().unwrap();
    });
    let recursive =
        Mutex::options().kind(super::MutexKind::Recursive).create((&shm, 1024)).unwrap();
    together(3, |_| {
        let outer = recursive.lock(LONG).unwrap();
        let inner = recursive.lock(LONG).unwrap();
        yield_now();
        inner.unlock().unwrap();
        outer.unlock().unwrap();
    });
}

#[test]
fn by_who_gives_a_permit_back() {
    let shm = memory();
    let semaphore = Semaphore::options().max(2).create((&shm, 0), 2).unwrap();
    together(4, |_| {
        let permit = semaphore.acquire(LONG).unwrap();
        yield_now();
        drop(permit);
    });
}

#[test]
fn by_who_posts() {
    let shm = memory();
    let there = Semaphore::options().max(8).create((&shm, 0), 0).unwrap();
    let back = Semaphore::options().max(8).create((&shm, 4096), 0).unwrap();
    together(4, |thread| {
        let (post, wait) = if thread % 2 == 0 { (&there, &back) } else { (&back, &there) };
        post.post().unwrap();
        wait.wait(LONG).unwrap();
    });
}

#[test]
fn by_readers_and_writers() {
    let shm = memory();
    // Fewer lines than readers: some wait for a line.
    let lock = RwLock::options().readers(2).create((&shm, 0)).unwrap();
    together(5, |thread| {
        let guard = if thread < 2 { lock.write(LONG) } else { lock.read(LONG) }.unwrap();
        yield_now();
        drop(guard);
    });
}

#[test]
fn by_who_sets() {
    let shm = memory();
    let there = Event::options().auto_reset(true).create((&shm, 0)).unwrap();
    let back = Event::options().auto_reset(true).create((&shm, 1024)).unwrap();
    together(2, |thread| {
        if thread == 0 {
            there.set().unwrap();
            back.wait(LONG).unwrap();
        } else {
            there.wait(LONG).unwrap();
            back.set().unwrap();
        }
    });
}

#[test]
fn by_who_notifies() {
    let shm = memory();
    let mutex = Mutex::create((&shm, 0)).unwrap();
    let changed = Condvar::create((&shm, 1024)).unwrap();
    shm.store_u32(8192, 0).unwrap();
    together(3, |thread| {
        // Each in turn.
        let mut guard = mutex.lock(LONG).unwrap();
        while shm.load_u32(8192).unwrap() as usize % 3 != thread {
            changed.wait(&mut guard, LONG).unwrap();
        }
        shm.add_u32(8192, 1).unwrap();
        drop(guard);
        changed.notify_all().unwrap();
    });
}

#[test]
fn by_the_last_to_arrive() {
    let shm = memory();
    let barrier = Barrier::create((&shm, 0), 3).unwrap();
    together(3, |_| {
        let _ = barrier.wait(LONG).unwrap();
    });
}

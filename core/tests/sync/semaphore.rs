// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores: as many as there are, and what the dead held comes back.

use crate::process::Child;
use crate::{DATA, FORMS, LONG, SHORT, errno, memory};
use unipc::sync::{Acquired, Form, Semaphore};
use unipc::{SharedMemory, Timeout};

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

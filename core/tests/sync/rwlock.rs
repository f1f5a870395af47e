// SPDX-License-Identifier: MIT OR Apache-2.0
//! Read-write locks: readers together, a writer alone, and the dead of both.

use crate::process::Child;
use crate::{DATA, FORMS, LONG, SHORT, add_one, errno, memory};
use unipc::sync::RwLock;
use unipc::{ErrorKind, Timeout};

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

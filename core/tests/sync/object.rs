// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all of them have in common: forms, names, places, hostile numbers.

use crate::process::Child;
use crate::support::{Removed, posix_name};
use crate::{DATA, LONG, SHORT, errno, memory};
use unipc::SharedMemory;
use unipc::sync::{Barrier, Condvar, Event, Form, Mutex, Once, RwLock, Semaphore};

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

#[test]
fn who_cannot_open_or_create_is_told_what_is_there() {
    let name = posix_name("told");
    let _removed = Removed(name.clone());
    let name = name.as_str();
    let says = |error: unipc::Error, words: &str| {
        assert!(error.to_string().contains(words), "{error}");
    };
    says(Mutex::open(name).unwrap_err(), "nobody has created it");
    says(SharedMemory::unlink(name).unwrap_err(), "nobody has created it");
    let _semaphore = Semaphore::create(name, 1).unwrap();
    says(Semaphore::create(name, 1).unwrap_err(), "the name is taken; open it");
    says(Mutex::open(name).unwrap_err(), "it is a semaphore, not a mutex: open it as a semaphore");
    let shm = memory();
    let _event = Event::create((&shm, 64)).unwrap();
    says(Event::create((&shm, 64)).unwrap_err(), "there is one already");
    says(Once::open((&shm, 64)).unwrap_err(), "it is an event, not a once");
    let small = SharedMemory::create("anon:", 64).unwrap();
    let none = Mutex::open((&small, 0)).unwrap_err();
    assert_eq!(none.errno(), libc::EPROTO);
    says(none, "there are only 64 bytes; raw memory is opened with SharedMemory.open");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Condition variables: no notice is lost, and no death goes untold.

use crate::process::Child;
use crate::{CONSUMERS, DATA, FORMS, LONG, SHORT, consume, errno, memory, pair, storm};
use nix::sys::signal::Signal;
use unipc::Timeout;
use unipc::sync::{Acquired, Form};

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
        // Who has had the mutex, and has it not now, waits for a notice.
        let guard = std::iter::repeat_with(|| mutex.lock(LONG).unwrap())
            .find(|_| shm.load_u32(CONSUMERS).unwrap() == 3)
            .unwrap();
        consumer.asleep();
        // Stopped, they are woken and do nothing with it.
        for child in &doomed {
            child.asleep();
            child.signal(Signal::SIGSTOP);
        }
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

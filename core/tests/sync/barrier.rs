// SPDX-License-Identifier: MIT OR Apache-2.0
//! Barriers: rounds, parties that die, waits that end early.

use crate::process::Child;
use crate::{DATA, FORMS, LONG, SHORT, errno, memory, storm};
use unipc::Timeout;
use unipc::sync::Barrier;

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
fn an_arrival_that_is_taken_back_does_not_count() {
    let shm = memory();
    let barrier = Barrier::create((&shm, 0), 2).unwrap();
    barrier.join().unwrap();
    assert_eq!(errno(barrier.wait(Timeout::TRY)), libc::EAGAIN);
    assert_eq!(barrier.arrived(), 0);
    Child::run(|| assert_eq!(errno(barrier.wait(Timeout::TRY)), libc::EAGAIN)).succeeds();
    barrier.leave().unwrap();
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events, reset by hand and by themselves.

use crate::process::Child;
use crate::{LONG, SHORT, errno, memory, storm};
use nix::sys::signal::Signal;
use unipc::Timeout;
use unipc::sync::Event;

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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Once: done one time, whoever dies doing it.

use crate::process::Child;
use crate::{DATA, LONG, add_one, errno, memory};
use unipc::sync::{Acquired, Once};
use unipc::{ErrorKind, Timeout};

#[test]
fn it_is_done_once_and_begun_anew_when_the_one_that_does_it_dies() {
    let shm = memory();
    let once = Once::create((&shm, 0)).unwrap();
    let work = || {
        once.call(LONG, |_| {
            add_one(&shm);
            Ok(())
        })
        .unwrap();
    };
    let doomed = Child::that_stays(|| {
        assert_eq!(once.begin(LONG).unwrap(), Some(Acquired::Clean));
    });
    assert_eq!(once.holder().unwrap().pid, doomed.pid());
    assert_eq!(errno(once.begin(Timeout::TRY)), libc::EAGAIN);
    let waiters = [(); 4].map(|()| Child::run(work));
    waiters.iter().for_each(Child::asleep);
    doomed.kill();
    let _: [(); 4] = waiters.map(Child::succeeds);
    assert_eq!(shm.load_u32(DATA).unwrap(), 1);
    assert!(once.is_done());
    assert!(once.begin(Timeout::TRY).unwrap().is_none());
    assert_eq!(errno(once.complete()), libc::EPERM);
}

#[test]
fn what_fails_is_tried_again_and_what_died_is_told() {
    let shm = memory();
    let once = Once::create((&shm, 0)).unwrap();
    let fails = once.call(LONG, |_| Err(unipc::Error::new("work", "x", ErrorKind::TimedOut)));
    assert_eq!(errno(fails), libc::ETIMEDOUT);
    Child::that_stays(|| {
        let _ = once.begin(LONG).unwrap();
    })
    .kill();
    assert_eq!(once.begin(LONG).unwrap(), Some(Acquired::OwnerDied));
    assert_eq!(errno(once.begin(LONG)), libc::EDEADLK);
    once.abandon().unwrap();
    assert!(
        once.call(LONG, |told| {
            assert_eq!(told, Acquired::OwnerDied);
            Ok(())
        })
        .unwrap()
    );
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The algorithms of locks in shared memory in all orders, and with a death at each step.
//!
//! The files of the algorithms are compiled here once more, with the `crate::sys` and `crate::map::lines` of this
//! program: there each operation on shared memory is a step, a futex wakes only who is called, and the kernel's part at a
//! death is played. `scheduler` says what is tried. What it does not see is what depends on memory being weaker than
//! sequentially consistent. `UNIPC_MODELS=3 cargo test --release -p unipc-tests --test models` tries one more change
//! of threads than usual.
#![allow(unsafe_code, reason = "one function is as unsafe as the original")]
#![allow(dead_code, reason = "the files have more than is tried here")]
#![allow(clippy::print_stdout, reason = "how much was tried is shown with --nocapture")]

mod map;
mod scheduler;
mod sync;
mod sys;

mod error {
    //! As in the library, without the words.

    use std::borrow::Cow;

    use nix::errno::Errno;

    pub(crate) type Result<T, E = ErrorKind> = std::result::Result<T, E>;

    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum ErrorKind {
        Os(i32),
        WouldBlock,
        TimedOut,
        NotRecoverable,
        Broken(&'static str),
        Busy(Cow<'static, str>),
        Other(&'static str),
    }

    impl ErrorKind {
        pub(crate) fn invalid(why: &'static str) -> Self {
            Self::Other(why)
        }

        pub(crate) fn unsupported(why: &'static str) -> Self {
            Self::Other(why)
        }
    }

    impl From<Errno> for ErrorKind {
        fn from(errno: Errno) -> Self {
            Self::Os(errno as i32)
        }
    }
}

mod time {
    //! Time does not pass.

    use std::time::Duration;

    use crate::error::ErrorKind;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Timeout {
        Forever,
        After(Duration),
    }

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Deadline(Timeout);

    impl Timeout {
        pub(crate) const TRY: Self = Self::After(Duration::ZERO);

        pub(crate) fn deadline(self) -> Deadline {
            Deadline(self)
        }

        #[allow(clippy::unused_self, reason = "as in the library")]
        pub(crate) fn expired(self) -> ErrorKind {
            ErrorKind::TimedOut
        }
    }

    impl Deadline {
        pub(crate) fn remaining(self) -> Timeout {
            self.0
        }
    }
}

use std::sync::atomic::{AtomicUsize, Ordering};

use scheduler::{Plan, explore, step};
use sync::Acquired;
use sync::barrier::Barrier;
use sync::mutex::{Mutex, MutexKind};
use sync::rwlock::RwLock;
use sync::semaphore::Semaphore;

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

/// How many changes of threads: as many as fit in the time of a test, or as the environment says.
fn changes(usual: usize) -> usize {
    let more = std::env::var("UNIPC_MODELS").ok().and_then(|text| text.parse().ok());
    more.unwrap_or(usual)
}

/// Tries it without a death, and with a death of the first thread.
fn holds<T: Sync>(
    make: fn() -> T,
    bodies: &[fn(&T)],
    bury: fn(&T),
    check: fn(&T),
    (alive, dying): (usize, usize),
) {
    for (changes, victim) in [(changes(alive), None), (changes(dying), Some(0))] {
        let outcome = explore(&Plan { changes, victim }, make, bodies, bury, check);
        assert!(outcome.failure.is_none(), "{outcome:?}");
        assert_eq!(outcome.deaths > 0, victim.is_some(), "{outcome:?}");
        assert!(outcome.runs > 10, "{outcome:?}");
        println!("{changes} changes, victim {victim:?}: {} runs", outcome.runs);
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
        (4, 3),
    );
}

#[test]
fn three_with_a_mutex() {
    holds(
        || (Mutex::new(MutexKind::ErrorChecking), Room::default()),
        &[pass, pass, pass],
        |it| it.0.end_of_thread(),
        pass,
        (2, 2),
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
        (3, 2),
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
    holds(make, &[read, write], |it| it.0.end_of_thread(), check_rwlock, (3, 2));
    holds(make, &[write, read], |it| it.0.end_of_thread(), check_rwlock, (3, 2));
}

#[test]
fn two_readers_and_a_writer() {
    let make = || (RwLock::new(2), Room::default());
    holds(make, &[read, write, read], |it| it.0.end_of_thread(), check_rwlock, (2, 1));
}

#[test]
fn two_readers_for_one_line() {
    let make = || (RwLock::new(1), Room::default());
    holds(make, &[read, read], |it| it.0.end_of_thread(), check_rwlock, (3, 2));
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
    holds(make, &[hold, hold], |it| it.0.end_of_thread(), check_semaphore, (3, 2));
    holds(make, &[hold, hold, hold], |it| it.0.end_of_thread(), check_semaphore, (2, 1));
}

#[test]
fn tokens() {
    fn post(it: &Semaphore) {
        it.post();
        it.post();
    }
    let make = || Semaphore::new(2, 0);
    let plan = Plan { changes: changes(2), victim: None };
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
    holds(|| Barrier::new(2), &[meet, meet], Barrier::end_of_thread, |_| (), (3, 2));
}

/// The scheduler itself finds what is there to find.
#[test]
fn faults_are_found() {
    let plan = |victim| Plan { changes: 1, victim };
    let lost = explore(
        &plan(None),
        || AtomicUsize::new(0),
        &[
            |it: &AtomicUsize| {
                let seen = it.load(Ordering::SeqCst);
                step();
                it.store(seen + 1, Ordering::SeqCst);
            },
            |it: &AtomicUsize| {
                it.fetch_add(1, Ordering::SeqCst);
            },
        ],
        |_| (),
        |it| assert_eq!(it.load(Ordering::SeqCst), 2, "an increment is lost"),
    );
    assert!(lost.failure.is_some_and(|why| why.contains("an increment is lost")));
    // Without the kernel's part nobody learns of a death.
    let unburied = explore(
        &plan(Some(0)),
        || (RwLock::new(1), Room::default()),
        &[write, write],
        |_| (),
        |_| (),
    );
    assert!(unburied.failure.is_some_and(|why| why.contains("nobody is left to wake")));
    let stuck = explore(
        &plan(None),
        sys::atomic::AtomicU32::default,
        &[|word| {
            let _ = sys::futex::wait(word, 0, std::time::Duration::MAX);
        }],
        |_| (),
        |_| (),
    );
    assert!(stuck.failure.is_some_and(|why| why.contains("nobody is left to wake")));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The algorithms in shared memory in all orders of steps, and with a death at each step.
//!
//! The files of the algorithms are compiled here once more, with the `crate::sys` and `crate::map` of this
//! program: there each operation on shared memory is a step, a futex wakes only who is called, and the kernel's part at a
//! death is played. `scheduler` says what is tried: all orders with a few changes of threads. With `UNIPC_MODELS=1` it is one
//! change more, up to [`MOST`] runs, and then as many by chance with [`MANY`] changes.
#![allow(unsafe_code, reason = "one function is as unsafe as the original")]
#![allow(dead_code, reason = "the files have more than is tried here")]
#![allow(clippy::items_after_statements, reason = "what a thread does stands where it is used")]
#![allow(clippy::print_stdout, reason = "how much was tried is shown with --nocapture")]

mod channel;
mod locks;
mod map;
mod scheduler;
mod sync;
mod sys;

mod error {
    //! As in the library, without the words.

    use std::borrow::Cow;

    use nix::errno::Errno;

    pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum ErrorKind {
        Os(i32),
        WouldBlock,
        TimedOut,
        NotRecoverable,
        Broken(&'static str),
        Busy(Cow<'static, str>),
        Layout(Cow<'static, str>),
        MessageSize { is: u64, given: u64 },
        BufferSize { message: u64, buffer: u64 },
        TooLong { length: u64, limit: u64 },
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

    /// With the words in the library.
    #[derive(Debug)]
    pub(crate) struct Error(pub(crate) ErrorKind);

    impl ErrorKind {
        pub(crate) fn during(self, _: &'static str, _: &str) -> Error {
            Error(self)
        }
    }

    impl Error {
        pub(crate) fn with_advice(self, _: impl Into<Cow<'static, str>>) -> Self {
            self
        }
    }

    impl From<Errno> for ErrorKind {
        fn from(errno: Errno) -> Self {
            Self::Os(errno as i32)
        }
    }
}

mod name {
    //! Nothing has a name here.

    #[derive(Debug, Clone)]
    pub(crate) struct Name;

    impl std::fmt::Display for Name {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Ok(())
        }
    }
}

/// Nothing has a name here.
struct SharedMemory;

impl SharedMemory {
    #[allow(clippy::unnecessary_wraps, reason = "as in the original")]
    fn unlink<N>(_: N) -> error::Result<()> {
        Ok(())
    }
}

mod layout {
    //! As in the library.

    pub(crate) const STAMP_SIZE: usize = 64;
}

mod watch {
    //! Nobody asks for a descriptor; what it would wait for is tried without one.

    use std::convert::Infallible;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::Arc;

    use crate::error::ErrorKind;
    use crate::sys::atomic::AtomicU32;

    pub(crate) trait Source: Send + Sync {
        fn is_ready(&self) -> bool;
        fn lie_down(&self) -> Option<(usize, u32)>;
        fn word(&self, which: usize) -> Option<&AtomicU32>;
        fn get_up(&self) {}
        fn look(&self);
    }

    #[derive(Debug)]
    pub(crate) struct Watch(Infallible);

    impl Watch {
        pub(crate) fn alone(_: Arc<dyn Source>) -> Result<Self, ErrorKind> {
            Err(ErrorKind::unsupported("there are no descriptors here"))
        }

        pub(crate) fn bell(&self) -> &Self {
            match self.0 {}
        }

        pub(crate) fn check(&self) -> Result<(), ErrorKind> {
            match self.0 {}
        }

        pub(crate) fn arm(&self) -> Result<(), ErrorKind> {
            match self.0 {}
        }
    }

    impl AsFd for Watch {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self.0 {}
        }
    }
}

mod time {
    //! Time passes only after a death, when all are asleep; then any deadline has passed.

    use std::time::Duration;

    use crate::error::ErrorKind;
    use crate::scheduler::naps;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Timeout {
        Forever,
        After(Duration),
    }

    /// Since time had passed so often.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Deadline(Timeout, usize);

    impl Timeout {
        pub(crate) const TRY: Self = Self::After(Duration::ZERO);
        /// For who must go on when the one whom he waits for has died.
        pub(crate) const LONG: Self = Self::After(Duration::MAX);

        pub(crate) fn deadline(self) -> Deadline {
            Deadline(self, naps())
        }

        pub(crate) fn expired(self) -> ErrorKind {
            if self == Self::TRY { ErrorKind::WouldBlock } else { ErrorKind::TimedOut }
        }
    }

    impl Deadline {
        pub(crate) fn remaining(self) -> Timeout {
            match self {
                Self(Timeout::After(_), since) if naps() > since => Timeout::TRY,
                Self(timeout, _) => timeout,
            }
        }

        pub(crate) fn has_passed(self) -> bool {
            self.remaining() == Timeout::TRY
        }
    }
}

use std::sync::atomic::{AtomicUsize, Ordering};

use scheduler::{Outcome, Plan, explore, step};
use sync::rwlock::RwLock;

/// How many changes of threads are tried, as time allows.
#[derive(Debug, Clone, Copy)]
struct Depth {
    alive: usize,
    /// Where the first thread can die.
    dying: usize,
    /// Where a store can come late; 0: it is not tried.
    late: usize,
}

/// How many runs at most, where more is tried than usual, and how many changes of threads by chance.
const MOST: usize = 40_000;
const MANY: usize = 6;

/// Is more to be tried than usual?
fn is_thorough() -> bool {
    std::env::var_os("UNIPC_MODELS").is_some_and(|value| value != "0")
}

/// Tries it without a death, with a death of the first thread, and with stores that come late.
fn holds<T: Send + Sync>(
    make: impl Fn() -> T,
    bodies: &[fn(&T)],
    bury: fn(&T),
    check: fn(&T),
    depth: Depth,
) {
    let plans = [(depth.alive, None, 0), (depth.dying, Some(0), 0), (depth.late, None, 1)];
    for (changes, victim, late) in plans {
        if late > 0 && changes == 0 {
            continue;
        }
        let plan = Plan { changes, victim, late, ..Plan::default() };
        if is_thorough() {
            let more = Plan { changes: changes + 1, most: MOST, ..plan };
            let outcome = tried(&more, &make, bodies, bury, check);
            if outcome.is_all {
                continue;
            }
            let by_chance = Plan { changes: MANY, chance: true, most: MOST, ..plan };
            tried(&by_chance, &make, bodies, bury, check);
        } else {
            let outcome = tried(&plan, &make, bodies, bury, check);
            assert!(outcome.is_all, "{outcome:?}");
        }
    }
}

/// Tries one plan, and says how far it went.
fn tried<T: Send + Sync>(
    plan: &Plan,
    make: impl Fn() -> T,
    bodies: &[fn(&T)],
    bury: fn(&T),
    check: fn(&T),
) -> Outcome {
    let outcome = explore(plan, make, bodies, bury, check);
    let failure = outcome.failure.as_deref();
    assert!(failure.is_none(), "{}", failure.unwrap_or_default());
    assert_eq!(outcome.deaths > 0, plan.victim.is_some(), "{outcome:?}");
    assert!(outcome.runs > 10, "{outcome:?}");
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let extent = match (plan.chance, outcome.is_all) {
        (true, _) => "by chance",
        (false, true) => "all",
        (false, false) => "the first",
    };
    let Plan { changes, victim, late, .. } = plan;
    let (runs, deaths) = (outcome.runs, outcome.deaths);
    let who = victim.map_or("nobody dies".into(), |_| format!("{deaths} deaths"));
    println!("{name}: {extent} {runs} runs with {changes} changes, {who}, {late} stores late");
    outcome
}

/// The scheduler itself finds what is there to find.
#[test]
fn faults_are_found() {
    let plan = |victim| Plan { changes: 1, victim, ..Plan::default() };
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
    fn write(it: &RwLock) {
        let _ = it.write();
        it.unlock();
    }
    // Without the kernel's part nobody learns of a death.
    let unburied = explore(&plan(Some(0)), || RwLock::new(1), &[write, write], |_| (), |_| ());
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

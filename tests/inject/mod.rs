// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lets each system call of each operation fail in turn, with each error that it may have.
//!
//! The operation must then fail with that error, or succeed after all, and leave nothing behind. A run is a child that
//! is stopped at its system calls; the call in question is not made.
//!
//! How a room adds its cases, in a file `rooms/ROOM.rs` with a [`rooms::Room`] that `rooms::ROOMS` lists:
//!
//! 1. `Case::new(name, |yard| Box::new(move || operation()))`: what stands before the inner closure prepares, untraced,
//!    with names from `yard.posix/file/key`; the inner closure is the operation, and owns what it works on.
//! 2. What is made must go: by a drop of what the closure owns, or by `yard.at_end(|| unlink)`; `yard.check(|result| …)`
//!    looks at the objects while they are there: did a failure change nothing, is what success promises true?
//! 3. An error that becomes another is `.translates(&[(CALL, from, to)])`; one that is made up for (a fallback, best
//!    effort) is `.forgives(&[(CALL, errno)])`, else success in spite of it is a failure. EINTR may always be retried.
//! 4. `.without(&[(CALL, errno)])` lets each such call fail always (`.first_fails`: the first), for the way round it;
//!    `.once()` says that the operation cannot be repeated after a failure, which is what is tried otherwise.
//!    `.impossible(&[(CALL, errno)])` is what the kernel cannot say there, as that a child is nobody's child.
//!    `.in_helper()` lets the calls of the threads fail that the operation starts, and not its own.
//! 5. A system call that `calls/*.rs` lacks is a failure: add its row. `run.py --room ROOM --all` runs them.

mod audit;
mod calls;
mod memory;
mod observe;
mod operations;
mod rooms;

use std::collections::BTreeSet;
use std::fmt;

use unipc::errname;

use crate::place::Kind;
use observe::{FINE, Observed, Told, observe};
use operations::{CARELESS, OPERATIONS, Operation};
pub(crate) use rooms::{CARELESS as CARELESS_ROOM, CAUGHT, ROOMS, run as run_room};

/// What fails second: a cause that nothing gives by itself here.
const SECOND: i32 = libc::EIO;

/// How many calls later the second may fail, unless a case is content with one.
const NEAR: usize = 8;

/// One operation with all the failures that were tried.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) operation: &'static str,
    pub(crate) injections: usize,
    pub(crate) calls: BTreeSet<&'static str>,
    pub(crate) failures: Vec<String>,
}

/// A system call that an operation made.
struct Made {
    number: i64,
    arguments: [u64; 6],
}

/// Which call to let fail: the one at this position, with this error.
#[derive(Debug, Clone, Copy)]
struct Injection {
    position: usize,
    call: i64,
    errno: i32,
}

/// Whose calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The first thread's, and those of a process that works on its memory.
    Own,
    /// Those of the threads that it starts.
    Helper,
}

/// A call that fails in every run: the first of its kind, or each.
#[derive(Debug, Clone, Copy)]
struct Always {
    call: i64,
    errno: i32,
    each: bool,
}

/// One run with these failures: the calls that were made, or what is wrong.
type Attempt<'a> = dyn Fn(&[Injection]) -> Result<Vec<Made>, String> + 'a;

pub(crate) fn run(kind: Kind) -> Vec<Report> {
    let applies = |operation: &&Operation| operation.kinds.contains(&kind);
    let applying = OPERATIONS.iter().filter(applies);
    applying.map(|operation| memory::each_failure(kind, operation)).collect()
}

pub(crate) fn run_careless() -> Report {
    memory::each_failure(Kind::File, &CARELESS)
}

/// Attempts the operation with each failure that is `possible`, alone and with another one at most `near` calls later.
fn explore(
    operation: &'static str,
    near: usize,
    possible: &dyn Fn(Injection) -> bool,
    attempt: &Attempt,
) -> Report {
    let mut report =
        Report { operation, injections: 0, calls: BTreeSet::new(), failures: Vec::new() };
    // The first run fails nowhere and tells which calls there are.
    let Some(made) = report.attempt(attempt, &[]) else { return report };
    for (position, call) in made.iter().enumerate() {
        let number = call.number;
        let Some(known) = call.known() else {
            report.failures.push(format!("calls/ does not know system call {number}"));
            continue;
        };
        for &errno in known.2 {
            let first = Injection { position, call: number, errno };
            if !possible(first) {
                continue;
            }
            report.calls.insert(known.1);
            let Some(made) = report.attempt(attempt, &[first]) else { continue };
            // What is done about the first failure may fail as well.
            for (position, call) in made.iter().enumerate().skip(position + 1).take(near) {
                if call.known().is_some_and(|known| !known.2.is_empty()) {
                    let second = Injection { position, call: call.number, errno: SECOND };
                    if possible(second) {
                        report.attempt(attempt, &[first, second]);
                    }
                }
            }
        }
    }
    report
}

impl Report {
    /// One run; the calls that it made if nothing is wrong with it.
    fn attempt(&mut self, attempt: &Attempt, injections: &[Injection]) -> Option<Vec<Made>> {
        self.injections += usize::from(!injections.is_empty());
        attempt(injections)
            .map_err(|why| {
                let failed = injections.iter().map(ToString::to_string);
                let failed: Vec<_> = failed.collect();
                let what =
                    if failed.is_empty() { "nothing fails".into() } else { failed.join(", ") };
                self.failures.push(format!("{what}: {why}"));
            })
            .ok()
    }
}

impl Made {
    /// What is known of the call.
    fn known(&self) -> Option<&'static calls::Call> {
        calls::known(self.number, &self.arguments)
    }

    /// The System V object without a key that it has made, if that is what it did, as the audit names it.
    fn unnamed(&self, returned: i64) -> Option<String> {
        let table = match self.number {
            libc::SYS_shmget => "shm",
            libc::SYS_semget => "sem",
            libc::SYS_msgget => "msg",
            _ => return None,
        };
        // The key is the lower half of the register.
        let is_private = self.arguments[0].trailing_zeros() >= 32;
        (is_private && returned >= 0).then(|| audit::system_v(table, 0, returned))
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, call, errno } = self;
        let name = calls::name(*call);
        write!(f, "call {position} ({name}) fails with {}", errname(*errno))
    }
}

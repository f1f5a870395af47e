// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lets each system call of each operation fail in turn, with each error that it may have.
//!
//! The operation must then fail with that error, or succeed after all, and leave nothing behind. A run is a child that
//! is stopped at its system calls; the call in question is not made.

mod audit;
mod calls;
mod operations;

use std::collections::BTreeSet;
use std::fs::File;

use unipc::{SharedMemory, errname};

use crate::place::{Kind, Place, Seen};
use crate::process::{Child, Status};
use crate::tracer::{self, Stop, Traced};
use audit::Holdings;
use operations::{CARELESS, OPERATIONS, Operation, SIZE, Scene};

/// What fails second: a cause that nothing gives by itself here.
const SECOND: i32 = libc::EIO;

/// How many calls later the second may fail.
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
    errno: i32,
}

pub(crate) fn run(kind: Kind) -> Vec<Report> {
    let applies = |operation: &&Operation| operation.kinds.contains(&kind);
    OPERATIONS.iter().filter(applies).map(|operation| each_failure(kind, operation)).collect()
}

pub(crate) fn run_careless() -> Report {
    each_failure(Kind::File, &CARELESS)
}

fn each_failure(kind: Kind, operation: &Operation) -> Report {
    let place = Place::new(kind);
    let mut report = Report {
        operation: operation.name,
        injections: 0,
        calls: BTreeSet::new(),
        failures: Vec::new(),
    };
    // The first run fails nowhere and tells which calls there are.
    let Some(made) = report.attempt(&place, operation, &[]) else { return report };
    for (position, call) in made.iter().enumerate() {
        let known = call.known();
        if known.is_none() {
            report.failures.push(format!("calls.rs does not know system call {}", call.number));
        }
        for &errno in known.map_or(&[][..], |known| known.2) {
            // Memfds live in a file system that can allocate, always.
            if kind == Kind::Memfd
                && call.number == libc::SYS_fallocate
                && errno == libc::EOPNOTSUPP
            {
                continue;
            }
            report.calls.extend(known.map(|known| known.1));
            let first = Injection { position, errno };
            let Some(made) = report.attempt(&place, operation, &[first]) else { continue };
            // What is done about the first failure may fail as well.
            for (position, call) in made.iter().enumerate().skip(position + 1).take(NEAR) {
                if call.known().is_some_and(|known| !known.2.is_empty()) {
                    let second = Injection { position, errno: SECOND };
                    report.attempt(&place, operation, &[first, second]);
                }
            }
        }
    }
    report
}

impl Report {
    /// One run; the calls that it made if nothing is wrong with it.
    fn attempt(
        &mut self,
        place: &Place,
        operation: &Operation,
        injections: &[Injection],
    ) -> Option<Vec<Made>> {
        self.injections += usize::from(!injections.is_empty());
        perform(place, operation, injections)
            .map_err(|why| {
                let failed = injections.iter().map(|Injection { position, errno }| {
                    format!("call {position} fails with {}", errname(*errno))
                });
                let failed: Vec<_> = failed.collect();
                let what =
                    if failed.is_empty() { "nothing fails".into() } else { failed.join(", ") };
                self.failures.push(format!("{what}: {why}"));
            })
            .ok()
    }
}

impl Made {
    /// What is known of the call, if the library made it.
    fn known(&self) -> Option<&'static calls::Call> {
        calls::known(self.number, &self.arguments)
    }
}

/// Runs the operation in a child, with these failures besides the one that it always has.
fn perform(
    place: &Place,
    operation: &Operation,
    injections: &[Injection],
) -> Result<Vec<Made>, String> {
    let answer = SharedMemory::create("anon:", 4096).expect("memory for the answer");
    let mut child = Child::run(|| {
        tracer::allow();
        let text = act(place, operation, injections);
        let bytes = &text.as_bytes()[..text.len().min(4088)];
        answer.write(0, &(bytes.len() as u64)).expect("room for the answer");
        answer.write_at(8, bytes).expect("room for the answer");
    });
    let pid = child.pid();
    let made = follow(&mut child, operation, injections);
    let strays = place.clear_strays(pid);
    let _ = SharedMemory::unlink(place.name.as_str());
    let made = made?;
    let length = usize::try_from(answer.read::<u64>(0).unwrap_or(0)).unwrap_or(0).min(4088);
    let mut bytes = vec![0; length];
    answer.read_at(8, &mut bytes).expect("the answer's bytes");
    match (bytes.as_slice(), strays.as_slice()) {
        (b"fine", []) => Ok(made),
        // A clean-up that fails may leave something.
        (b"fine", _) if injections.len() > 1 => Ok(made),
        (b"fine", _) => Err(format!("left behind: {}", strays.join(", "))),
        _ => Err(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Follows the child through its system calls, and lets one of them fail.
fn follow(
    child: &mut Child,
    operation: &Operation,
    injections: &[Injection],
) -> Result<Vec<Made>, String> {
    let mut traced = Traced::new(child).map_err(|status| format!("it ended early: {status:?}"))?;
    let mut made = Vec::new();
    loop {
        match traced.next() {
            Stop::Entry { call: number, arguments } => {
                let here = injections.iter().find(|injection| injection.position == made.len());
                let always = operation.always.filter(|&(call, _)| {
                    call == number && {
                        // Of several calls of this kind, the first.
                        made.iter().all(|made: &Made| made.number != call)
                    }
                });
                if let Some(errno) = here.map(|here| here.errno).or(always.map(|(_, errno)| errno))
                {
                    traced.fail(errno);
                }
                made.push(Made { number, arguments });
            }
            Stop::Exit => {}
            Stop::End => break,
            Stop::Ended(status) => return Err(format!("it ended in the operation: {status:?}")),
        }
    }
    match traced.finish() {
        Status::Exited(0) => Ok(made),
        other => Err(format!("it ended afterwards: {other:?}")),
    }
}

/// In the child: the operation between two marks, and what became of it. `fine`, or what is wrong.
fn act(place: &Place, operation: &Operation, injections: &[Injection]) -> String {
    let pid = std::process::id().cast_signed();
    // The paths that the audit itself takes the first time must not look like a leak.
    Holdings::now();
    let at_first = Holdings::now();
    let mut scene = Scene::prepare(place, operation);
    let before = place.look();
    tracer::mark(pid);
    let result = (operation.act)(&mut scene);
    tracer::mark(pid);

    let mut wrong = Vec::new();
    match &result {
        Ok(shm) => wrong.extend(shm.as_ref().and_then(|shm| unusable(shm, shm.len()))),
        Err(error) => {
            wrong.extend(unexpected(error, injections));
            wrong.extend(scene.shm.as_ref().and_then(|shm| unusable(shm, SIZE)));
        }
    }
    let succeeded = result.is_ok();
    drop(result);
    drop(scene);
    wrong.extend(Holdings::now().more_than(&at_first));
    if place.kind.is_named() && injections.len() < 2 {
        wrong.extend(misplaced(operation, succeeded, before, place.look()));
    }
    if wrong.is_empty() { "fine".to_owned() } else { wrong.join("; ") }
}

/// After success a new handle works; after a failure an old one still does.
fn unusable(shm: &SharedMemory, size: usize) -> Option<String> {
    let behind = shm.fd().map(|fd| File::from(fd.try_clone_to_owned().expect("a descriptor")));
    let behind = behind.map(|file| file.metadata().expect("fstat").len());
    if shm.len() != size || behind.is_some_and(|behind| behind != size as u64) {
        let len = shm.len();
        return Some(format!("the handle has {len} bytes, its file {behind:?}, not {size}"));
    }
    shm.read_at(0, &mut vec![0; size]).err().map(|error| format!("the handle is broken: {error}"))
}

/// The error must be the one that was injected, and say on what it happened.
fn unexpected(error: &unipc::Error, injections: &[Injection]) -> Option<String> {
    let explains = |&Injection { errno, .. }: &Injection| {
        error.errno() == errno || calls::translated(errno) == Some(error.errno())
    };
    let explained = injections.iter().any(explains) && !error.object().is_empty();
    (!explained).then(|| format!("the error is {error}"))
}

/// Success shows under the name, and failure leaves it alone.
fn misplaced(
    operation: &Operation,
    succeeded: bool,
    before: Option<Seen>,
    after: Option<Seen>,
) -> Option<String> {
    let fine = if succeeded {
        after.map(|seen| seen.size) == operation.after
    } else {
        after == before || (operation.may_lose && after.is_none())
    };
    (!fine).then(|| {
        let word = if succeeded { "success" } else { "failure" };
        format!("{word} turned {before:?} into {after:?}")
    })
}

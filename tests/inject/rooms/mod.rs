// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rooms besides shared memory: a case is an operation and what it needs.

mod case;
mod channel;
mod control;
mod lock;
mod mq;
mod pipe;
mod poll;
mod process;
mod record;
mod sem;
mod signal;
mod socket;
mod sync;
mod yard;

use std::cell::Cell;

use super::audit::{self, Holdings, Names};
use unipc::signal::{self as signals, Set, Signal};

use super::{Always, FINE, Injection, Made, Observed, Report, Told, explore, observe};
use crate::tracer;
pub(super) use case::{ANY, Act, Case};
pub(crate) use control::CAUGHT;
pub(super) use yard::Yard;

/// Where the file system cannot take memory the C library writes zeros; without one way to name a file there is another.
const MADE: &[(i64, i32)] =
    &[(libc::SYS_linkat, libc::ENOENT), (libc::SYS_fallocate, libc::EOPNOTSUPP)];

/// The same, and what is there, or not there, when it is looked for again.
const MADE_OR_THERE: &[(i64, i32)] = &[
    (libc::SYS_linkat, libc::ENOENT),
    (libc::SYS_linkat, libc::EEXIST),
    (libc::SYS_fallocate, libc::EOPNOTSUPP),
];

/// A room's cases, and what holds for all of them, as [`Case::forgives`] and [`Case::translates`] have it.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(super) cases: &'static [Case],
    pub(super) forgives: &'static [(i64, i32)],
    pub(super) translates: &'static [(i64, i32, i32)],
    pub(super) impossible: &'static [(i64, i32)],
}

/// Every room with cases; `control` is what must pass for the others to mean something.
pub(crate) const ROOMS: &[Room] = &[
    control::CAREFUL,
    channel::ROOM,
    lock::ROOM,
    mq::ROOM,
    pipe::ROOM,
    poll::ROOM,
    process::ROOM,
    record::ROOM,
    sem::ROOM,
    signal::ROOM,
    socket::ROOM,
    sync::ROOM,
];

/// What must be caught.
pub(crate) const CARELESS: Room = control::CARELESS;

/// Each `of`th of its cases, from the one at `first`: some rooms are shared out.
pub(crate) fn run(room: &Room, first: u64, of: u64) -> Vec<Report> {
    let run = Cell::new(0);
    let each = |case: &Case| {
        let attempt = |injections: &[Injection]| {
            run.set(run.get() + 1);
            perform(room, case, run.get(), injections)
        };
        explore(case.name, case.near, &|injection| possible(room, case, injection), &attempt)
    };
    (0..).zip(room.cases).filter(|(at, _)| at % of == first).map(|(_, case)| each(case)).collect()
}

/// May the kernel say that there?
fn possible(room: &Room, case: &Case, Injection { call, errno, .. }: Injection) -> bool {
    let matches = |&(of, which): &(i64, i32)| of == call && (which == ANY || which == errno);
    !room.impossible.iter().chain(case.impossible).any(matches)
}

/// Runs the case in a child, with these failures besides those that it always has.
fn perform(
    room: &Room,
    case: &Case,
    run: u32,
    injections: &[Injection],
) -> Result<Vec<Made>, String> {
    let yard = Yard::new(run);
    let names = Names::now(&yard);
    let work = |told: &Told| act(room, case, yard.clone(), told);
    let always = |each| move |&(call, errno): &(i64, i32)| Always { call, errno, each };
    let always: Vec<_> =
        case.without.iter().map(always(true)).chain(case.first.iter().map(always(false))).collect();
    let Observed { unnamed, outcome, .. } = observe(work, case.whose, &always, injections);
    yard.made(unnamed);
    let left = Names::now(&yard).more_than(&names);
    yard.clear();
    remove_unnamed(&left);
    let made = outcome?;
    // A clean-up that fails may leave something.
    if left.is_empty() || injections.len() > 1 {
        return Ok(made);
    }
    Err(format!("left behind: {}", left.join(", ")))
}

/// The yard knows what has a name; what has a key of its own, or none, goes by its identifier.
fn remove_unnamed(left: &[String]) {
    for row in left {
        if let ["System", "V", table, _, _, _, identifier] = row.split(' ').collect::<Vec<_>>()[..]
        {
            let option = match table {
                "shm" => "-m",
                "sem" => "-s",
                _ => "-q",
            };
            let ipcrm = std::process::Command::new("ipcrm").args([option, identifier]).output();
            assert!(ipcrm.is_ok(), "ipcrm is part of util-linux");
        }
    }
}

/// In the child: the operation between two marks, and what became of it. `FINE`, or what is wrong.
fn act(room: &Room, case: &Case, mut yard: Yard, told: &Told) -> String {
    let pid = std::process::id().cast_signed();
    // The paths that the audit itself takes the first time must not look like a leak.
    Holdings::now();
    audit::warm_up();
    // That a program has ended is seen by its descriptor; the signal would interrupt calls at no certain place.
    let _uninterrupted = signals::block(Set::from(Signal::CHLD)).expect("a mask");
    let at_first = Holdings::now();
    let mut operation = (case.prepare)(&mut yard);
    let before = Names::now(&yard);
    tracer::mark(pid);
    let result = operation();
    tracer::mark(pid);

    let injections = &told.happened()[..];
    let alone = told.injections.len() < 2;
    let mut wrong = Vec::new();
    match &result {
        Ok(()) if alone => wrong.extend(swallowed(room, case, injections)),
        Ok(()) => {}
        Err(error) => {
            wrong.extend(unexpected(room, case, error, injections));
            if alone && !case.may_leave {
                let new = Names::now(&yard).more_than(&before);
                wrong.extend(new.iter().map(|name| format!("failure has left {name}")));
            }
        }
    }
    if alone {
        wrong.extend(yard.complaints(&result));
        if result.is_err() && !case.once {
            audit::settle();
            let again = operation();
            wrong.extend(again.err().map(|error| format!("after the failure: {error}")));
        }
    }
    drop(result);
    drop(operation);
    yard.end();
    audit::settle();
    wrong.extend(Holdings::now().more_than(&at_first));
    if wrong.is_empty() { FINE.to_owned() } else { wrong.join("; ") }
}

/// Success in spite of a failure is right only where it is meant.
fn swallowed(room: &Room, case: &Case, injections: &[Injection]) -> Option<String> {
    let forgiven = |&Injection { call, errno, .. }: &Injection| {
        let matches = |&(of, which): &(i64, i32)| of == call && (which == ANY || which == errno);
        errno == libc::EINTR || room.forgives.iter().chain(case.forgives).any(matches)
    };
    let kept = injections.iter().find(|injection| !forgiven(injection))?;
    Some(format!("nobody was told (if that is meant, the case forgives it): {kept}"))
}

/// The error must be the one that was injected or what it is documented to become, and say on what it happened.
fn unexpected(
    room: &Room,
    case: &Case,
    error: &unipc::Error,
    injections: &[Injection],
) -> Option<String> {
    let explains = |&Injection { call, errno, .. }: &Injection| {
        let becomes = |&(of, from, to): &(i64, i32, i32)| {
            of == call && (from == ANY || from == errno) && to == error.errno()
        };
        error.errno() == errno || room.translates.iter().chain(case.translates).any(becomes)
    };
    let explained = injections.iter().any(explains) && !error.object().is_empty();
    (!explained).then(|| format!("the error is {error}"))
}

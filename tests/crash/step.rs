// SPDX-License-Identifier: MIT OR Apache-2.0
//! Death at every system call: before and after each one that an operation makes.
//!
//! What others see of an object changes only in system calls, so these are all the points that differ.

use std::path::Path;

use unipc::{Mode, SharedMemory};

use crate::checker::{self, Found};
use crate::naive;
use crate::object::{self, Content, MODE, SIZES, SMALLEST, UMASK};
use crate::place::{Kind, Place};
use crate::process::{Child, Status, umask};
use crate::tracer::{self, Stop, Traced};

/// An operation, and what a death in it may leave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Is there an object beforehand?
    existing: bool,
    act: fn(&str, Option<SharedMemory>) -> unipc::Result<()>,
    /// May there be none, or a new one, in place of the old one?
    may: &'static [Outcome],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    None,
    /// As created, of [`FRESH`] bytes.
    New,
    /// As it was.
    Old,
    /// The old content at another size.
    Resized(usize),
}

const FRESH: usize = SIZES[1];
const OLD: usize = SIZES[2];
const LARGER: usize = SIZES[3];

use Outcome::{New, Old, Resized};

const OPERATIONS: [Operation; 9] = [
    Operation {
        name: "create",
        existing: false,
        act: |name, _| options().create(name, FRESH).map(drop),
        may: &[Outcome::None, New],
    },
    Operation {
        name: "open_or_create",
        existing: false,
        act: |name, _| options().open_or_create(name, FRESH).map(drop),
        may: &[Outcome::None, New],
    },
    Operation {
        name: "replace",
        existing: true,
        act: |name, _| options().replace(true).create(name, FRESH).map(drop),
        may: &[Outcome::None, New, Old],
    },
    Operation {
        name: "open",
        existing: true,
        act: |name, _| options().open(name).map(drop),
        may: &[Old],
    },
    Operation {
        name: "grow",
        existing: true,
        act: |_, shm| shm.map_or(Ok(()), |mut shm| shm.resize(LARGER)),
        may: &[Old, Resized(LARGER)],
    },
    Operation {
        name: "shrink",
        existing: true,
        act: |_, shm| shm.map_or(Ok(()), |mut shm| shm.resize(SMALLEST)),
        may: &[Old, Resized(SMALLEST)],
    },
    Operation {
        name: "unlink",
        existing: true,
        act: |name, _| SharedMemory::unlink(name),
        may: &[Outcome::None, Old],
    },
    Operation {
        name: "remove",
        existing: true,
        act: |_, shm| shm.map_or(Ok(()), |shm| shm.remove()),
        may: &[Outcome::None, Old],
    },
    Operation {
        name: "close",
        existing: true,
        act: |_, shm| {
            drop(shm);
            Ok(())
        },
        may: &[Old],
    },
];

/// The control: caught if the checker is any good.
const NAIVE: Operation = Operation {
    name: "naive",
    existing: false,
    act: |name, _| {
        let path = Path::new("/dev/shm").join(name.trim_start_matches('/'));
        naive::create(&path, FRESH).expect("nothing is in the way");
        Ok(())
    },
    may: &[Outcome::None, New],
};

fn options() -> unipc::shm::Options {
    SharedMemory::options().mode(Mode::new(MODE).expect("nine bits"))
}

/// What became of one operation.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) operation: &'static str,
    pub(crate) deaths: usize,
    pub(crate) failures: Vec<String>,
}

pub(crate) fn run(kind: Kind) -> Vec<Report> {
    let applies =
        |operation: &&Operation| kind.has_file() || !matches!(operation.name, "grow" | "shrink");
    OPERATIONS.iter().filter(applies).map(|operation| each_death(kind, operation)).collect()
}

pub(crate) fn run_naive() -> Report {
    each_death(Kind::Posix, &NAIVE)
}

fn each_death(kind: Kind, operation: &Operation) -> Report {
    let place = Place::new(kind);
    let mut report = Report { operation: operation.name, deaths: 0, failures: Vec::new() };
    for stops in 0.. {
        let death = die_after(stops, &place, operation);
        let checked = match death {
            Ok(Some(dead)) => {
                report.deaths += 1;
                check(&place, operation, dead).and_then(|()| checker::reuse(&place))
            }
            Ok(None) => return report,
            Err(why) => Err(why),
        };
        report.failures.extend(checked.err().map(|why| format!("after {stops} stops: {why}")));
        if let Err(why) = checker::remove(&place, 0) {
            report.failures.push(why);
            return report;
        }
    }
    unreachable!("every operation ends")
}

/// Kills a child at that stop of the operation. `None` when the operation ended before.
fn die_after(stops: usize, place: &Place, operation: &Operation) -> Result<Option<i32>, String> {
    let name = place.name.as_str();
    let old = operation.existing.then(|| {
        let shm = options().create(name, OLD).expect("the name is free");
        object::write(&shm, 7).expect("a new object");
        shm
    });
    let mut child = Child::run(|| {
        tracer::allow();
        umask(UMASK);
        let pid = std::process::id().cast_signed();
        let old = old.as_ref().map(|_| options().open(name).expect("just created"));
        tracer::mark(pid);
        (operation.act)(name, old).unwrap_or_else(|error| panic!("{error}"));
        tracer::mark(pid);
    });
    let pid = child.pid();
    let mut traced = Traced::new(&mut child).map_err(|status| format!("{status:?}"))?;
    for _ in 0..stops {
        match traced.next() {
            Stop::Entry { .. } | Stop::Exit => {}
            Stop::End => return Ok(None),
            Stop::Ended(status) => return Err(format!("it ended by itself: {status:?}")),
        }
    }
    child.kill();
    match child.wait() {
        Status::Killed(libc::SIGKILL) => Ok(Some(pid)),
        other => Err(format!("{other:?}")),
    }
}

fn check(place: &Place, operation: &Operation, dead: i32) -> Result<(), String> {
    let found = checker::inspect(place, dead)?;
    let size = place.look().map_or(0, |seen| seen.size);
    let outcome = match (found, size) {
        (Found::Nothing, _) => Outcome::None,
        (Found::Object(Content::Zeros), FRESH) => New,
        (Found::Object(Content::Written), OLD) => Old,
        (Found::Object(Content::Written), size) => Resized(size),
        other => return Err(format!("found {other:?}")),
    };
    if operation.may.contains(&outcome) {
        Ok(())
    } else {
        Err(format!("found {outcome:?}, expected one of {:?}", operation.may))
    }
}

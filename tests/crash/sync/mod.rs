// SPDX-License-Identifier: MIT OR Apache-2.0
//! Death at every instruction of the operations of locks in shared memory.
//!
//! A victim is stepped through an operation, one instruction at a time, and killed after the n-th, for every n. A
//! bystander may be at the same object meanwhile. Afterwards a fresh process must get in within a second and find
//! the counts right, and the bystander must come to its end.

mod scenarios;
pub(crate) mod storm;

use std::time::{Duration, Instant};

use unipc::{SharedMemory, Timeout};

use crate::process::{Child, Status, alarm};
use crate::tracer::{self, Stop, Traced};
pub(crate) use scenarios::{CONTROLS, SCENARIOS};

/// How long a fresh process may take to get in.
pub(crate) const LIMIT: Timeout = Timeout::After(Duration::from_secs(1));
/// Where the parent says that the victim is gone.
const GONE: usize = 60 << 10;
/// Where the objects' users count.
pub(crate) const DATA: usize = 50 << 10;
/// All of it.
pub(crate) const SIZE: usize = 64 << 10;

/// What another process does, and how it is seen to be in place.
pub(crate) type Bystander = (fn(&SharedMemory), fn(&SharedMemory) -> bool);

/// An operation, and what surrounds it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Makes the objects, before anybody else is there.
    pub(crate) make: fn(&SharedMemory),
    /// Another process.
    pub(crate) bystander: Option<Bystander>,
    /// In the victim: what comes before the first instruction, and the operation.
    pub(crate) victim: fn(&SharedMemory, &dyn Fn()),
    /// In a fresh process: panics when something is wrong.
    pub(crate) check: fn(&SharedMemory),
}

pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) instructions: usize,
    pub(crate) deaths: usize,
    pub(crate) failures: Vec<String>,
}

/// Has the victim been killed?
pub(crate) fn is_gone(shm: &SharedMemory) -> bool {
    shm.load_u32(GONE).expect("inside") != 0
}

/// Steps through a scenario and dies everywhere, or at `most` places that lie apart and differ from run to run.
pub(crate) fn run(scenario: &Scenario, most: usize) -> Report {
    let mut report =
        Report { name: scenario.name, instructions: 0, deaths: 0, failures: Vec::new() };
    report.instructions = match attempt(scenario, usize::MAX) {
        Ok(Reached::End(instructions)) => instructions,
        Ok(Reached::Death) => 0,
        Err(why) => {
            report.failures.push(format!("undisturbed: {why}"));
            return report;
        }
    };
    let step = report.instructions.div_ceil(most).max(1);
    let first = std::process::id() as usize % step;
    for instructions in (first..=report.instructions).step_by(step) {
        match attempt(scenario, instructions) {
            Ok(Reached::Death) => report.deaths += 1,
            // It took a shorter way this time.
            Ok(Reached::End(_)) => {}
            Err(why) => {
                report.deaths += 1;
                report.failures.push(format!("after {instructions} instructions: {why}"));
                if report.failures.len() > 20 {
                    break;
                }
            }
        }
    }
    report
}

/// How far a victim came.
pub(crate) enum Reached {
    Death,
    End(usize),
}

/// Kills the victim after so many instructions, unless it ends before.
fn attempt(scenario: &Scenario, instructions: usize) -> Result<Reached, String> {
    let shm = SharedMemory::create("anon:", SIZE).map_err(|error| error.to_string())?;
    (scenario.make)(&shm);
    let mut bystander = scenario.bystander.map(|(work, is_there)| {
        let child = Child::run(|| {
            alarm(Duration::from_secs(5));
            work(&shm);
        });
        let late = Instant::now() + Duration::from_secs(5);
        while !is_there(&shm) && Instant::now() < late {
            std::thread::yield_now();
        }
        child
    });
    let mut victim = Child::run(|| {
        tracer::allow();
        let pid = std::process::id().cast_signed();
        (scenario.victim)(&shm, &|| tracer::mark(pid));
    });
    let reached = step(&mut victim, instructions);
    victim.kill();
    while matches!(victim.wait(), Status::Stopped(_)) {}
    let reached = reached?;
    shm.store_u32(GONE, 1).map_err(|error| error.to_string())?;
    let mut fresh = Child::run(|| {
        alarm(Duration::from_secs(5));
        (scenario.check)(&shm);
    });
    let outcome = fresh.wait();
    let ended = bystander.as_mut().map_or(Status::Exited(0), Child::wait);
    match (outcome, ended) {
        (Status::Exited(0), Status::Exited(0)) => Ok(reached),
        (Status::Exited(0), other) => Err(format!("the bystander ended by {other:?}")),
        (other, _) => Err(format!("the fresh process ended by {other:?}")),
    }
}

/// Lets the victim take so many instructions from its first mark on, or come to its second.
pub(crate) fn step(victim: &mut Child, instructions: usize) -> Result<Reached, String> {
    let mut traced = Traced::new(victim).map_err(|status| format!("the victim: {status:?}"))?;
    for taken in 0..instructions {
        match traced.instruction() {
            Stop::End => return Ok(Reached::End(taken)),
            Stop::Ended(status) => return Err(format!("the victim ended by itself: {status:?}")),
            Stop::Entry { .. } | Stop::Exit => {}
        }
    }
    Ok(Reached::Death)
}

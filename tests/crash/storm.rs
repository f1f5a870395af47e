// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kill storm: SIGKILL at random points, thousands of times, and a look at what each death leaves.

use std::fmt;
use std::fs;
use std::time::Duration;

use unipc::SharedMemory;

use crate::checker::{self, Found};
use crate::naive;
use crate::object::{Content, SIZES};
use crate::place::{Kind, Place};
use crate::process::{Child, Status};
use crate::random::Random;
use crate::worker;

/// A victim lives up to this long.
const LIFE_MICROSECONDS: u64 = 2000;

/// The name is removed once in so many rounds; in between, victims inherit what the dead have left.
const ROUNDS_A_NAME: u64 = 8;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    Library,
    Naive,
}

/// What the deaths left.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    kills: u64,
    steps: u64,
    nothing: u64,
    zeros: u64,
    written: u64,
    mid_write: u64,
    pub(crate) failures: Vec<String>,
}

impl Tally {
    fn count(&mut self, round: u64, found: Result<Found, String>) {
        match found {
            Ok(Found::Nothing) => self.nothing += 1,
            Ok(Found::Object(Content::Zeros)) => self.zeros += 1,
            Ok(Found::Object(Content::Written)) => self.written += 1,
            Ok(Found::Object(Content::MidWrite)) => self.mid_write += 1,
            Err(why) => self.failures.push(format!("kill {round}: {why}")),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, steps, nothing, zeros, written, mid_write, failures } = self;
        write!(f, "{kills} kills in {steps} steps, {} wrong", failures.len())?;
        if nothing + zeros + written + mid_write > 0 {
            write!(
                f,
                "; found {written} written, {zeros} new, {mid_write} being written, {nothing} none"
            )?;
        }
        Ok(())
    }
}

pub(crate) fn run(kind: Kind, victim: Victim, rounds: u64, seed: u64) -> Tally {
    let place = Place::new(kind);
    let counter = SharedMemory::create("anon:", 8).expect("a counter");
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    let memory_before = shared_memory();
    for round in 1..=rounds {
        let life = Duration::from_micros(random.below(LIFE_MICROSECONDS));
        let seed = random.next();
        let mut child = Child::run(|| match victim {
            Victim::Library => worker::work(&place, &counter, Random::new(seed)),
            Victim::Naive => naive::work(&place, Random::new(seed)),
        });
        // How long it really lives is up to the scheduler: all the better.
        std::thread::sleep(life);
        child.kill();
        match child.wait() {
            Status::Killed(libc::SIGKILL) => tally.kills += 1,
            other => tally.failures.push(format!("kill {round}: the victim had {other:?} before")),
        }
        if kind.is_named() {
            tally.count(round, checker::inspect(&place, child.pid()));
            let last = round % ROUNDS_A_NAME == 0 || round == rounds;
            let after = checker::reuse(&place)
                .and_then(|()| if last { checker::remove(&place, child.pid()) } else { Ok(()) });
            // The naive creator's half-made objects are in its own way.
            if victim == Victim::Library {
                tally.failures.extend(after.err().map(|why| format!("kill {round}: {why}")));
            }
        }
    }
    tally.steps = counter.load_u64(0).unwrap_or(0);
    if victim == Victim::Library {
        let leaked = leaked(&place, memory_before, tally.steps);
        tally.failures.extend(leaked);
        tally.failures.extend(one_sided(kind, &tally));
    }
    tally
}

/// A storm that found always the same has tested little.
fn one_sided(kind: Kind, tally: &Tally) -> Option<String> {
    let enough = tally.kills >= 200;
    let varied = !kind.is_named() || (tally.nothing > 0 && tally.zeros > 0 && tally.written > 0);
    (enough && (!varied || tally.steps == 0)).then(|| "the victims died too much alike".to_owned())
}

/// Nothing may hold the memory of the dead, and the system must have it back.
fn leaked(place: &Place, before: u64, steps: u64) -> Vec<String> {
    let mut leaked: Vec<_> =
        place.holders().iter().map(|holder| format!("still held: {holder}")).collect();
    // Other programs use shared memory meanwhile, so only a good part of all that was used here counts.
    let average = SIZES.iter().sum::<usize>() as u64 / SIZES.len() as u64;
    let growth = shared_memory().saturating_sub(before);
    let suspicious = (steps * average / 8).max(256 << 20);
    if growth > suspicious {
        leaked.push(format!("the system's shared memory has grown by {growth} bytes"));
    }
    leaked
}

/// All shared memory of the system in bytes.
fn shared_memory() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("Shmem:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

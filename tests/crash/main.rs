// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kills processes that use the library, and looks at what their deaths leave.
//!
//! `run.py` calls this for each backing. Every line of output but the explanations is `PASS what` or `FAIL what: why`.
#![allow(clippy::print_stdout, reason = "a test program reports on its standard output")]

mod channel;
mod checker;
mod history;
#[cfg(target_arch = "x86_64")]
#[path = "../inject/mod.rs"]
mod inject;
mod naive;
mod object;
mod place;
mod poll;
mod process;
mod race;
mod random;
mod record;
mod sem;
mod step;
mod storm;
mod sync;
mod tracer;
mod watcher;
mod worker;

use std::process::ExitCode;
use std::time::Instant;

use place::Kind;
use storm::Victim;

const USAGE: &str = "usage: crash storm|step|race|inject BACKING [ROUNDS [SEED]]
       crash sem
       crash sync [OPERATION [DEATHS]]
       crash channel [OPERATION]
       crash record [OPERATION [DEATHS]]
       crash sync-storm [KILLS [SEED]]
       crash poll [KILLS [SEED]]
       crash rooms | inject-room ROOM [FIRST OF] | control storm|step|inject|inject-room [ROUNDS [SEED]]
BACKING is posix, file or sysv, for storm and inject also memfd or anon. The seed makes the random choices come again.";

/// How many deaths an operation of a lock is good for, unless told otherwise.
const SYNC_DEATHS: u64 = 150;
/// And one of records, which takes many more instructions.
const RECORD_DEATHS: u64 = 10;

/// How many complaints are shown of what went wrong the same way many times.
const SHOWN: usize = 5;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |at: usize, default: u64| {
        words.get(at).map_or(Some(default), |word| word.parse::<u64>().ok())
    };
    let (Some(rounds), Some(seed)) = (number(2, 2000), number(3, 1)) else { return usage() };
    let kind = words.get(1).and_then(|word| Kind::parse(word));
    let named = kind.filter(|kind| kind.is_named());
    let ok = match (words.first().copied(), words.get(1).copied()) {
        (Some("control"), Some("storm")) => control_storm(rounds, seed),
        (Some("control"), Some("step")) => traced("control step", control_step),
        (Some("control"), Some("inject")) => traced("control inject", control_inject),
        (Some("control"), Some("inject-room")) => traced("control inject-room", control_room),
        (Some("storm"), _) => kind.is_some_and(|kind| storm(kind, rounds, seed)),
        (Some("step"), Some(word)) => {
            named.is_some_and(|kind| traced(&format!("step {word}"), || step(kind)))
        }
        (Some("race"), _) => named.is_some_and(|kind| race(kind, rounds, seed)),
        (Some("inject"), Some(word)) => {
            kind.is_some_and(|kind| traced(&format!("inject {word}"), || inject(kind)))
        }
        (Some("inject-room"), Some(word)) => {
            let Some(first) = number(2, 0) else { return usage() };
            let Some(of @ 1..) = number(3, 1) else { return usage() };
            traced(&format!("inject {word}"), || inject_room(word, first, of))
        }
        (Some("sync-storm"), _) => {
            let kills = number(1, 20_000).unwrap_or(20_000);
            sync_storm(kills, number(2, 1).unwrap_or(1))
        }
        (Some("poll"), _) => {
            let kills = number(1, 400).unwrap_or(400);
            poll_storm(kills, number(2, 1).unwrap_or(1))
        }
        (Some("sync"), name) => {
            let most = number(2, SYNC_DEATHS).unwrap_or(SYNC_DEATHS);
            traced("sync", || steps("sync", sync::SCENARIOS, name, most))
        }
        (Some("record"), name) => {
            let most = number(2, RECORD_DEATHS).unwrap_or(RECORD_DEATHS);
            traced("record", || steps("record", record::SCENARIOS, name, most))
        }
        (Some("channel"), name) => traced("channel", || channel_steps(name)),
        (Some("control"), Some("sync")) => traced("control sync", control_sync),
        (Some("sem"), None) => traced("sem", sem_steps),
        (Some("control"), Some("sem")) => traced("control sem", control_sem),
        (Some("rooms"), None) => rooms(),
        _ => return usage(),
    };
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    println!("{USAGE}");
    ExitCode::from(2)
}

/// Prints the verdict and the first complaints.
fn verdict(what: &str, text: &str, failures: &[String]) -> bool {
    if failures.is_empty() {
        println!("PASS {what}: {text}");
        return true;
    }
    println!("FAIL {what}: {text}; {} failures", failures.len());
    for failure in failures.iter().take(SHOWN) {
        println!("  {failure}");
    }
    false
}

fn storm(kind: Kind, rounds: u64, seed: u64) -> bool {
    let start = Instant::now();
    let tally = storm::run(kind, Victim::Library, rounds, seed);
    let text = format!("{tally}; {:.0} kills/s, seed {seed}", rate(rounds, start));
    verdict(&format!("storm {kind}"), &text, &tally.failures)
}

/// Runs what needs ptrace, or says why not.
fn traced(what: &str, work: impl FnOnce() -> bool) -> bool {
    if tracer::is_possible() {
        return work();
    }
    println!("SKIP {what}: processes may not trace their children here");
    true
}

fn step(kind: Kind) -> bool {
    all(step::run(kind).iter().map(|report| {
        let what = format!("step {kind} {}", report.operation);
        verdict(&what, &format!("{} deaths", report.deaths), &report.failures)
    }))
}

/// Kills the creators of semaphores at each of their system calls.
fn sem_steps() -> bool {
    all(sem::run().iter().map(|report| {
        let what = format!("sem {}", report.operation);
        verdict(&what, &format!("{} deaths", report.deaths), &report.failures)
    }))
}

/// A creator as textbooks have it.
fn control_sem() -> bool {
    caught("control sem", &sem::run_textbook().failures, &["saw a wrong value"])
}

fn race(kind: Kind, rounds: u64, seed: u64) -> bool {
    let reports = [race::rendezvous(kind, rounds), race::chaos(kind, rounds, seed)];
    all(reports.iter().map(|report| {
        verdict(&format!("race {kind} {}", report.what), &report.summary, &report.failures)
    }))
}

#[cfg(target_arch = "x86_64")]
fn inject(kind: Kind) -> bool {
    all(inject::run(kind).iter().map(|report| {
        let calls: Vec<_> = report.calls.iter().copied().collect();
        let text = format!("{} injections into {}", report.injections, calls.join(" "));
        verdict(&format!("inject {kind} {}", report.operation), &text, &report.failures)
    }))
}

/// Prints the names of the rooms that `inject-room` knows.
#[cfg(target_arch = "x86_64")]
fn rooms() -> bool {
    for room in inject::ROOMS {
        println!("{}", room.name);
    }
    true
}

#[cfg(target_arch = "x86_64")]
fn inject_room(name: &str, first: u64, of: u64) -> bool {
    let room = inject::ROOMS.iter().find(|room| room.name == name);
    room.is_some_and(|room| {
        all(inject::run_room(room, first, of).iter().map(|report| {
            let calls: Vec<_> = report.calls.iter().copied().collect();
            let text = format!("{} injections into {}", report.injections, calls.join(" "));
            verdict(&format!("inject {name} {}", report.operation), &text, &report.failures)
        }))
    })
}

#[cfg(target_arch = "x86_64")]
fn control_room() -> bool {
    let reports = inject::run_room(&inject::CARELESS_ROOM, 0, 1);
    let failures: Vec<_> = reports.into_iter().flat_map(|report| report.failures).collect();
    caught("control inject-room", &failures, inject::CAUGHT)
}

#[cfg(not(target_arch = "x86_64"))]
fn rooms() -> bool {
    true
}

#[cfg(not(target_arch = "x86_64"))]
fn inject_room(name: &str, first: u64, of: u64) -> bool {
    println!("SKIP inject {name}: the tracer does not know this processor's registers");
    true
}

#[cfg(not(target_arch = "x86_64"))]
fn control_room() -> bool {
    inject_room("control")
}

#[cfg(not(target_arch = "x86_64"))]
fn inject(kind: Kind) -> bool {
    println!("SKIP inject {kind}: the tracer does not know this processor's registers");
    true
}

fn sync_storm(kills: u64, seed: u64) -> bool {
    let start = Instant::now();
    let failures = sync::storm::run(kills, seed);
    let text = format!("{kills} kills, {:.0} kills/s, seed {seed}", rate(kills, start));
    verdict("sync-storm", &text, &failures)
}

fn poll_storm(kills: u64, seed: u64) -> bool {
    let start = Instant::now();
    let failures = poll::run(kills, seed);
    let text = format!("{kills} kills, {:.0} kills/s, seed {seed}", rate(kills, start));
    let takers = verdict("poll", &text, &failures);
    let (start, kills) = (Instant::now(), kills / 2);
    let failures = watcher::run(kills, seed);
    let text = format!("{kills} kills, {:.0} kills/s, seed {seed}", rate(kills, start));
    verdict("poll, taking nothing", &text, &failures) && takers
}

/// Dies at the instructions of a room's operations, or of those of this name.
fn steps(room: &str, scenarios: &[sync::Scenario], name: Option<&str>, most: u64) -> bool {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let wanted = scenarios.iter().filter(|it| name.is_none_or(|name| it.name.contains(name)));
    all(wanted.map(|scenario| {
        let report = sync::run(scenario, most);
        let text = format!("{} deaths in {} instructions", report.deaths, report.instructions);
        verdict(&format!("{room} {}", report.name), &text, &report.failures)
    }))
}

/// Dies at the instructions of the operations of channels, or of those of this name.
fn channel_steps(name: Option<&str>) -> bool {
    let exact = channel::scenarios().any(|it| Some(it.name) == name);
    let is_wanted = |it: &&channel::Scenario| {
        name.is_none_or(|name| if exact { it.name == name } else { it.name.contains(name) })
    };
    let wanted = channel::scenarios().filter(is_wanted);
    self::all(wanted.map(|scenario| {
        let report = channel::run(scenario);
        let text = format!("{} deaths in {} instructions", report.deaths, report.instructions);
        verdict(&format!("channel {}", report.name), &text, &report.failures)
    }))
}

/// The C library's semaphore and read lock, which do not survive.
fn control_sync() -> bool {
    all(sync::CONTROLS.iter().map(|scenario| {
        let report = sync::run(scenario, 150);
        caught(&format!("control sync {}", report.name), &report.failures, &["fresh process"])
    }))
}

fn control_storm(rounds: u64, seed: u64) -> bool {
    let tally = storm::run(Kind::Posix, Victim::Naive, rounds, seed);
    caught("control storm", &tally.failures, &["half-made"])
}

fn control_step() -> bool {
    caught(
        "control step",
        &step::run_naive().failures,
        &["half-made: 0 bytes", "half-made: 5000 bytes"],
    )
}

#[cfg(target_arch = "x86_64")]
fn control_inject() -> bool {
    caught(
        "control inject",
        &inject::run_careless().failures,
        &["still held", "failure turned None into"],
    )
}

#[cfg(not(target_arch = "x86_64"))]
fn control_inject() -> bool {
    inject(Kind::File)
}

/// A control passes when it fails, in each of these ways.
fn caught(what: &str, failures: &[String], ways: &[&str]) -> bool {
    let missed = ways.iter().filter(|way| !failures.iter().any(|failure| failure.contains(*way)));
    let missed: Vec<_> = missed.map(|way| format!("nothing was found to be {way}")).collect();
    verdict(what, &format!("caught {} times", failures.len()), &missed)
}

/// Are all true? Each of them is asked.
fn all(verdicts: impl Iterator<Item = bool>) -> bool {
    verdicts.filter(|fine| !fine).count() == 0
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several processes at one name at once: who creates, who attaches, and to what.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::thread;

use unipc::SharedMemory;

use crate::history::{Event, Verb, faults};
use crate::place::{Kind, Place};
use crate::process::{Child, Status, now};
use crate::random::Random;

const PROCESSES: usize = 6;
const SIZE: usize = 4096;

/// What a race came to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) what: &'static str,
    pub(crate) summary: String,
    pub(crate) failures: Vec<String>,
}

/// Where the racers meet, and where they write down what they got.
struct Board(SharedMemory);

const ARRIVED: usize = 0;
const FAILED: usize = 8;
const EVENTS: usize = 64;
const EVENT_SIZE: usize = 40;

impl Board {
    fn new(events: usize) -> Self {
        let size = EVENTS + events * EVENT_SIZE;
        Self(SharedMemory::create("anon:", size).expect("memory for the board"))
    }

    /// Waits until all racers have come here `times` times.
    fn meet(&self, times: u64) {
        self.0.add_u64(ARRIVED, 1).expect("the board");
        while self.0.load_u64(ARRIVED).expect("the board") < times * PROCESSES as u64 {
            thread::yield_now();
        }
    }

    fn note(&self, index: usize, event: &Event) {
        let verb = Verb::ALL.iter().position(|&verb| verb == event.verb).unwrap_or_default();
        let errno = event.errno.cast_unsigned().into();
        let words = [verb as u64, event.start, event.end, errno, event.object];
        for (word, value) in words.into_iter().enumerate() {
            self.0.write(EVENTS + index * EVENT_SIZE + word * 8, &value).expect("the board");
        }
    }

    fn event(&self, index: usize) -> Option<Event> {
        let word = |word: usize| self.0.read::<u64>(EVENTS + index * EVENT_SIZE + word * 8).ok();
        Some(Event {
            verb: *Verb::ALL.get(usize::try_from(word(0)?).ok()?)?,
            start: word(1)?,
            end: word(2)?,
            errno: i32::try_from(word(3)?).ok()?,
            object: word(4)?,
        })
    }
}

/// Which object that is, whatever its name means by now.
fn identity(shm: &SharedMemory) -> u64 {
    match (shm.system_v(), shm.fd()) {
        // Identifiers begin at 0, which stands for no object.
        (Some(segment), _) => u64::from(segment.id().cast_unsigned()) + 1,
        (None, Some(fd)) => {
            let file = fd.as_fd().try_clone_to_owned().expect("a descriptor");
            File::from(file).metadata().expect("fstat").ino()
        }
        (None, None) => 0,
    }
}

fn get(verb: Verb, name: &str) -> unipc::Result<Option<SharedMemory>> {
    match verb {
        Verb::Create => SharedMemory::create(name, SIZE).map(Some),
        Verb::Open => SharedMemory::open(name).map(Some),
        Verb::OpenOrCreate => SharedMemory::open_or_create(name, SIZE).map(Some),
        Verb::Unlink => SharedMemory::unlink(name).map(|()| None),
    }
}

fn all(mut racers: Vec<Child>) -> Vec<String> {
    let ends: Vec<_> = racers.iter_mut().map(Child::wait).collect();
    ends.into_iter()
        .filter(|end| *end != Status::Exited(0))
        .map(|end| format!("a racer: {end:?}"))
        .collect()
}

/// All start at once on a name that does not exist: one creates it, and all others get the same object.
pub(crate) fn rendezvous(kind: Kind, rounds: u64) -> Report {
    let place = Place::in_memory(kind);
    let name = place.name.as_str();
    let board = Board::new(PROCESSES);
    let mut racers = Vec::new();
    for racer in 0..PROCESSES {
        let work = || {
            for round in 0..rounds {
                // Half of them insist on creating.
                let verb = if racer % 2 == 0 { Verb::Create } else { Verb::OpenOrCreate };
                board.meet(3 * round + 1);
                let got = get(verb, name);
                let shm = got.as_ref().ok().and_then(Option::as_ref);
                let previous = shm.map(|shm| shm.add_u32(0, 1).expect("new memory"));
                let event = Event {
                    verb,
                    start: previous.map_or(0, u64::from),
                    end: 0,
                    errno: got.as_ref().err().map_or(0, unipc::Error::errno),
                    object: shm.map_or(0, identity),
                };
                board.note(racer, &event);
                board.meet(3 * round + 2);
                if racer == 0 && !judge(&board) {
                    board.0.add_u64(FAILED, 1).expect("the board");
                }
                if racer == 0 {
                    SharedMemory::unlink(name).expect("it was created");
                }
                drop(got);
                board.meet(3 * round + 3);
            }
        };
        racers.push(Child::run(work));
    }
    let mut failures = all(racers);
    let failed = board.0.load_u64(FAILED).unwrap_or(0);
    if failed > 0 {
        failures.push(format!("{failed} rounds did not give all of them one object"));
    }
    let summary = format!("{rounds} rounds of {PROCESSES} processes");
    Report { what: "rendezvous", summary, failures }
}

/// One creator at most, everybody else at the same object, each counted once in it.
fn judge(board: &Board) -> bool {
    let events: Vec<_> = (0..PROCESSES).filter_map(|index| board.event(index)).collect();
    let winners: Vec<_> = events.iter().filter(|event| event.errno == 0).collect();
    let creators = winners.iter().filter(|event| event.verb == Verb::Create).count();
    let mut counted: Vec<_> = winners.iter().map(|event| event.start).collect();
    counted.sort_unstable();
    events.len() == PROCESSES
        && creators <= 1
        && winners.len() == PROCESSES / 2 + creators
        && winners.iter().all(|event| event.object == winners[0].object)
        && events.iter().all(|event| matches!(event.errno, 0 | libc::EEXIST))
        && counted.into_iter().eq(0..winners.len() as u64)
}

/// Everybody creates, opens and unlinks without any order, and the history must make sense afterwards.
pub(crate) fn chaos(kind: Kind, rounds: u64, seed: u64) -> Report {
    let place = Place::in_memory(kind);
    let each = usize::try_from(rounds).expect("a number of rounds");
    let board = Board::new(PROCESSES * each);
    let mut racers = Vec::new();
    for racer in 0..PROCESSES {
        let mut random = Random::new(seed + racer as u64);
        let (board, name) = (&board, place.name.as_str());
        racers.push(Child::run(move || {
            board.meet(1);
            for index in racer * each..(racer + 1) * each {
                let verb = *random.pick(&Verb::ALL);
                let start = now();
                let got = get(verb, name);
                let end = now();
                let errno = got.as_ref().err().map_or(0, unipc::Error::errno);
                let object = got.ok().flatten().as_ref().map_or(0, identity);
                board.note(index, &Event { verb, start, end, errno, object });
            }
        }));
    }
    let mut failures = all(racers);
    let events: Vec<_> = (0..PROCESSES * each).filter_map(|index| board.event(index)).collect();
    failures.extend(faults(&events, place.look().is_some(), kind != Kind::SystemV));
    let got = |verb| events.iter().filter(|event| event.verb == verb && event.errno == 0).count();
    let summary = format!(
        "{} calls: {} created, {} removed, {} opened",
        events.len(),
        got(Verb::Create),
        got(Verb::Unlink),
        got(Verb::Open)
    );
    Report { what: "chaos", summary, failures }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Death of those who poll: the other party goes on, and nothing of the dead stays.
//!
//! Two processes poll a queue, an event and a mutex, each with its helper, and take what they are told of. One of them is killed
//! at a random moment, with its helper. What is sent and set afterwards must be told to the other within the limit, and the places of
//! the dead are there again for the next ones.

use std::time::Duration;

use unipc::channel::{Options, Queue};
use unipc::poll::{Poller, Wait};
use unipc::sync::{Event, Mutex};
use unipc::{SharedMemory, Timeout};

use crate::process::Child;
use crate::random::Random;

/// How long a message may take that somebody who lives is to be told of.
const LIMIT: Timeout = Timeout::After(Duration::from_secs(4));
/// A look at whether the parent still wants something.
const LOOK: Timeout = Timeout::After(Duration::from_millis(20));
const CAPACITY: usize = 4096;
/// As few places as those who live need, and some of the dead.
const PARTICIPANTS: u32 = 8;
/// The answer of who has taken the event.
const EVENT: &[u8] = b"event";
/// A victim lives at most for so many microseconds.
const LIFE: u64 = 4000;

struct Names {
    jobs: String,
    answers: String,
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = SharedMemory::unlink(self.jobs.as_str());
        let _ = SharedMemory::unlink(self.answers.as_str());
    }
}

/// So many kills; what went wrong.
pub(crate) fn run(kills: u64, seed: u64) -> Vec<String> {
    let pid = std::process::id();
    let names = Names {
        jobs: format!("/unipc-crash-poll-{pid:x}"),
        answers: format!("/unipc-crash-told-{pid:x}"),
    };
    let options = Options::new().participants(PARTICIPANTS);
    let mut jobs: Queue = options.create(names.jobs.as_str(), CAPACITY).expect("the name is free");
    let mut answers: Queue = options.create(names.answers.as_str(), CAPACITY).expect("it is free");
    let memory = SharedMemory::create("anon:", 8192).expect("memory");
    let event = Event::options().auto_reset(true).create((&memory, 0)).expect("zeros");
    drop(Mutex::create((&memory, 4096)).expect("zeros"));
    let mut random = Random::new(seed);
    let mut failures = Vec::new();
    let mut survivor = poller(&names, &memory);
    for round in 0..kills {
        let victim = poller(&names, &memory);
        // Something to be told of while it dies: it may be in the midst of any of it.
        let _ = jobs.send(b"taken by whoever is faster", Timeout::TRY);
        event.set().expect("it is there");
        std::thread::sleep(Duration::from_micros(random.below(LIFE)));
        victim.kill();
        let survivor_dies = random.below(4) == 0;
        if survivor_dies {
            survivor.kill();
        }
        drop(victim);
        if survivor_dies {
            survivor = poller(&names, &memory);
        }
        if let Err(why) = goes_on(round, &mut jobs, &mut answers, &event) {
            failures.push(format!("round {round}: {why}"));
            survivor = poller(&names, &memory);
        }
        if failures.len() > 20 {
            break;
        }
    }
    drop(survivor);
    failures
}

/// Who lives is told of a message, and of the event, and takes them.
fn goes_on(round: u64, jobs: &mut Queue, answers: &mut Queue, event: &Event) -> Result<(), String> {
    let text = round.to_ne_bytes();
    jobs.send(&text, LIMIT).map_err(|error| format!("sending: {error}"))?;
    answered(answers, &text)?;
    event.set().map_err(|error| format!("setting: {error}"))?;
    answered(answers, EVENT)
}

/// What was answered before is passed over.
fn answered(answers: &mut Queue, wanted: &[u8]) -> Result<(), String> {
    loop {
        let told = answers.recv(LIMIT);
        if told.map_err(|error| format!("nobody was told of {wanted:?}: {error}"))? == wanted {
            return Ok(());
        }
    }
}

/// A process that polls, and answers each message with the same.
fn poller(names: &Names, memory: &SharedMemory) -> Child {
    Child::run(|| {
        let mut jobs = Queue::open(names.jobs.as_str()).expect("a place, though others have died");
        let mut answers = Queue::open(names.answers.as_str()).expect("a place");
        let event = Event::open((memory, 0)).expect("it is there");
        let mutex = Mutex::open((memory, 4096)).expect("it is there");
        loop {
            let ready = wait(&jobs, &event, &mutex);
            if ready.contains(&1)
                && let Ok(message) = jobs.recv(Timeout::TRY)
                && message.len() == 8
            {
                answers.send(&message, LIMIT).expect("the parent reads");
            }
            if ready.contains(&2) && event.wait(Timeout::TRY).is_ok() {
                answers.send(EVENT, LIMIT).expect("the parent reads");
            }
            had(&mutex);
        }
    })
}

/// Could it be had? Then it is given back, in order again should its last holder have died.
fn had(mutex: &Mutex) -> bool {
    match mutex.lock(Timeout::TRY) {
        Ok(mut guard) => {
            if guard.owner_died() {
                guard.recovered().expect("nothing is kept under it");
            }
            true
        }
        Err(error) => {
            assert_eq!(error.errno(), libc::EAGAIN, "{error}");
            false
        }
    }
}

/// A new poller each time, so that its making and its end are places to die in as well.
fn wait(jobs: &Queue, event: &Event, mutex: &Mutex) -> Vec<u64> {
    let mut poller = Poller::new();
    poller.add(jobs.waitable().expect("a queue"), 1).expect("a descriptor");
    poller.add(event.waitable().expect("an event"), 2).expect("the same");
    if !had(mutex) {
        poller.add(mutex.waitable().expect("a mutex"), 3).expect("the same");
    }
    match poller.wait(LOOK) {
        Ok(ready) => ready,
        Err(error) => {
            assert_eq!(error.errno(), libc::ETIMEDOUT, "{error}");
            Vec::new()
        }
    }
}

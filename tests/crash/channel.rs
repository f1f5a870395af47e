// SPDX-License-Identifier: MIT OR Apache-2.0
//! Death at every instruction of what is done with channels.
//!
//! As in [`crate::sync`]: a victim is stepped through an operation and killed after the n-th instruction, for every n up to a
//! limit and for a part of them beyond. Afterwards fresh processes must get through within a second, what was committed
//! before must still be there, and what the victim sent is there once or not at all.
#![allow(unsafe_code, reason = "reserved bytes are a raw pointer")]

mod place;

use std::time::Duration;

use unipc::channel::{Channel, Client, Options, Queue, Service, Start, Subscriber, Topic};
use unipc::{SharedMemory, Timeout};

use crate::process::{Child, Status, alarm};
use crate::sync::{Reached, step};
use crate::tracer;

/// How long a fresh process may take.
const LIMIT: Timeout = Timeout::After(Duration::from_secs(1));
const LONG: Timeout = Timeout::After(Duration::from_secs(4));
/// Up to so many instructions each is a death; beyond, so many deaths are spread over them.
const DENSE: usize = 800;
const SPARSE: usize = 200;
/// Of an operation as long as this there are fewer deaths: each takes all the steps that lead to it.
const LENGTHY: usize = 10_000;
const FEW: usize = 50;

/// What the victim sends: too long to lie beside the tail, so long that it lies there in two lines, or in one.
const LONG_ONE: &[u8] = &[7; 200];
const MIDDLE_ONE: &[u8] = &[7; 100];
const SHORT_ONE: &[u8] = b"short";

/// An operation, and what surrounds it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    make: fn(&str),
    /// Another process, in place before the victim begins.
    bystander: Option<fn(&str)>,
    /// In the victim: opens, marks, does it, marks.
    victim: fn(&str, &dyn Fn()),
    /// In a fresh process: panics when something is wrong.
    check: fn(&str),
}

pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) instructions: usize,
    pub(crate) deaths: usize,
    pub(crate) failures: Vec<String>,
}

/// Steps through a scenario and dies in many places.
pub(crate) fn run(scenario: &Scenario) -> Report {
    let mut report =
        Report { name: scenario.name, instructions: 0, deaths: 0, failures: Vec::new() };
    match attempt(scenario, usize::MAX) {
        Ok(Reached::End(instructions)) => report.instructions = instructions,
        Ok(Reached::Death) => {}
        Err(why) => report.failures.push(format!("undisturbed: {why}")),
    }
    let step = match report.instructions {
        ..=DENSE => 1,
        few @ ..LENGTHY => few / SPARSE,
        many => many / FEW,
    };
    let mut places = (0..report.instructions).step_by(step);
    while report.failures.len() < 20
        && let Some(place) = places.next()
    {
        match attempt(scenario, place) {
            Ok(Reached::Death) => report.deaths += 1,
            // It took a shorter way this time.
            Ok(Reached::End(_)) => {}
            Err(why) => {
                report.deaths += 1;
                report.failures.push(format!("after {place} instructions: {why}"));
            }
        }
    }
    report
}

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = SharedMemory::unlink(self.0.as_str());
    }
}

/// Kills the victim after so many instructions, unless it ends before.
fn attempt(scenario: &Scenario, instructions: usize) -> Result<Reached, String> {
    let name = Unlinked(format!("/unipc-crash-channel-{:x}", std::process::id()));
    let name = name.0.as_str();
    let mut maker = Child::run(|| (scenario.make)(name));
    if maker.wait() != Status::Exited(0) {
        return Err("it cannot be made".into());
    }
    let mut bystander = scenario.bystander.map(|work| {
        let (mut there, tell) = std::io::pipe().expect("a pipe");
        let child = Child::run(|| {
            alarm(Duration::from_secs(8));
            drop(tell);
            work(name);
        });
        let _ = std::io::Read::read(&mut there, &mut [0]);
        child
    });
    let mut victim = Child::run(|| {
        tracer::allow();
        let pid = std::process::id().cast_signed();
        (scenario.victim)(name, &|| tracer::mark(pid));
    });
    let reached = step(&mut victim, instructions);
    victim.kill();
    while matches!(victim.wait(), Status::Stopped(_)) {}
    let reached = reached?;
    let mut fresh = Child::run(|| {
        alarm(Duration::from_secs(8));
        (scenario.check)(name);
    });
    let checked = fresh.wait();
    let ended = bystander.as_mut().map_or(Status::Exited(0), Child::wait);
    match (checked, ended) {
        (Status::Exited(0), Status::Exited(0)) => Ok(reached),
        (Status::Exited(0), other) => Err(format!("the bystander ended by {other:?}")),
        (other, _) => Err(format!("the fresh process ended by {other:?}")),
    }
}

fn queue(name: &str) -> Queue {
    Queue::open(name).expect("a place and a queue")
}

fn made<C: Channel>(name: &str, options: &Options) -> C {
    options.create(name, 4096).expect("a channel")
}

/// As many places as the operations need, so that those of the dead must be used again.
fn few() -> Options {
    Options::new().participants(4)
}

/// A queue of three messages, the turns of which the victim will keep or share.
fn three(name: &str) {
    let mut queue: Queue = made(name, &few());
    for number in 1..=3_u8 {
        queue.send(&[number; 60], LONG).expect("room");
    }
}

/// What is left of the three in their order, then at most one of the victim's, then one's own.
fn passes(name: &str) {
    let mut places: Vec<_> = (0..3).map(|_| queue(name)).collect();
    let mut queue = places.pop().expect("three");
    queue.send(b"mine", LIMIT).expect("room");
    let mut before = 0;
    let mut of_victim = 0;
    loop {
        let message = queue.recv(LIMIT).expect("at least one's own");
        match &*message {
            b"mine" => break,
            LONG_ONE | MIDDLE_ONE | SHORT_ONE => of_victim += 1,
            other => {
                assert!(other.len() == 60 && of_victim == 0, "{other:?}");
                assert!(other[0] > before && (before == 0 || other[0] == before + 1), "a gap");
                before = other[0];
            }
        }
    }
    // The victim took one at most.
    assert!(before == 3 && of_victim <= 1, "{before}, {of_victim} of the victim's");
    assert!(queue.recv(Timeout::TRY).is_err(), "one too many");
    // The others' turns too.
    for other in &mut places {
        other.send(b"again", LIMIT).expect("room");
        assert_eq!(queue.recv(LIMIT).expect("it was sent"), b"again");
    }
}

/// As [`passes`], and all three are there.
fn all_pass(name: &str) {
    let mut queue = queue(name);
    for number in 1..=3_u8 {
        assert_eq!(queue.recv(LIMIT).expect("it was committed"), [number; 60]);
    }
    let mut of_victim = 0;
    while queue.recv(Timeout::TRY).is_ok_and(|it| [LONG_ONE, MIDDLE_ONE, SHORT_ONE].contains(&&*it))
    {
        of_victim += 1;
    }
    assert!(of_victim <= 1, "{of_victim} of the victim's");
    queue.send(&[3; 60], LIMIT).expect("room");
    drop(queue);
    passes(name);
}

/// An operation on an opened handle, between the two marks.
macro_rules! operation {
    ($open:expr, $before:expr, $during:expr) => {
        |name: &str, mark: &dyn Fn()| {
            let mut handle = $open(name);
            $before(&mut handle, name);
            mark();
            $during(&mut handle, name);
            mark();
        }
    };
}

fn nothing<T>(_: &mut T, _: &str) {}

/// Another handle has used the queue since, so that the turns are its own or shared.
fn others(_: &mut Queue, name: &str) {
    let mut other = queue(name);
    send(&mut other, SHORT_ONE);
    let all: Vec<_> = (0..4).map(|_| other.recv(LONG).expect("four")).collect();
    for one in &all[..3] {
        send(&mut other, one);
    }
    // It dies with the victim.
    std::mem::forget(other);
}

fn send(queue: &mut Queue, message: &[u8]) {
    queue.send(message, LONG).expect("room");
}

fn reserve_commit(queue: &mut Queue, message: &[u8]) {
    let sender = queue.sender();
    let at = sender.reserve(200, LONG).expect("room");
    // SAFETY: 200 bytes are reserved, more than the message has.
    unsafe { at.copy_from_nonoverlapping(message.as_ptr(), message.len()) };
    sender.commit(message.len()).expect("reserved");
}

fn peek_release(queue: &mut Queue) {
    let receiver = queue.receiver();
    let (_, length) = receiver.peek(LONG).expect("there are three");
    assert_eq!(length, 60);
    receiver.release().expect("lent");
}

fn reliable(name: &str) {
    drop(made::<Topic>(name, &few().participants(5).reliable(true)));
}

fn topic(name: &str) -> Topic {
    Topic::open(name).expect("a place and a topic")
}

fn subscriber(name: &str) -> Subscriber {
    Options::new().start(Start::Oldest).open(name).expect("a place and a topic")
}

/// A dead subscriber holds nobody up, and numbers and messages are right.
fn published(name: &str) {
    let mut topic = topic(name);
    let mut reader: Subscriber = Subscriber::open(name).expect("a place");
    for round in 0..400_u32 {
        topic.publish(&[1; 100], LIMIT).expect("only the living hold up publishers");
        if round.is_multiple_of(7) {
            topic.publish(SHORT_ONE, LIMIT).expect("room");
            let (bytes, received) = reader.recv(LIMIT).expect("published");
            assert!(bytes == [1; 100] && received.lost == 0, "{received:?}");
            let (bytes, received) = reader.recv(LIMIT).expect("published");
            assert!(bytes == SHORT_ONE && received.lost == 0, "{received:?}");
        } else {
            let (bytes, received) = reader.recv(LIMIT).expect("published");
            assert!(bytes == [1; 100] && received.lost == 0, "{received:?}");
        }
    }
    let _more = (subscriber(name), Subscriber::open(name).expect("the places of the dead"));
}

fn service(name: &str) {
    drop(made::<Service>(name, &few().reply_capacity(4096)));
}

/// The last question.
const END: &[u8] = b"end";

/// Answers what comes, until the last question came and nobody asks for a moment.
fn serve(name: &str) {
    let mut service = Service::open(name).expect("a place");
    let mut patience = Timeout::After(Duration::from_secs(5));
    while let Ok(question) = service.recv(patience) {
        if question.bytes() == END {
            patience = Timeout::After(Duration::from_millis(60));
        }
        match service.reply(&question, question.bytes(), LIMIT) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.errno(), libc::EPIPE, "{error}"),
        }
    }
}

/// The server that is there answers a fresh client.
fn answered_still(name: &str) {
    ask(name);
    let mut client = Client::open(name).expect("a place");
    assert_eq!(client.call(END, LONG).expect("the server lives"), END);
}

/// A client that asks until it is answered; it may have had a server that died.
fn ask(name: &str) {
    let mut client = Client::open(name).expect("a place");
    for _ in 0..2 {
        match client.call(b"question", Timeout::After(Duration::from_secs(3))) {
            Ok(answer) => return assert_eq!(answer, b"question"),
            Err(error) => assert_eq!(error.errno(), libc::EPIPE, "{error}"),
        }
    }
    panic!("no answer");
}

/// So many questions of one client go through the ring; then it has a line.
const USUAL: usize = 3;

/// Asks one question more than that, whoever answers; one server may die with one.
fn ask_on(name: &str) {
    let mut client = Client::open(name).expect("a place");
    let (mut answered, mut lost) = (0, 0);
    while answered <= USUAL {
        match client.call(b"question", Timeout::After(Duration::from_secs(3))) {
            Ok(answer) => {
                assert_eq!(answer, b"question");
                answered += 1;
            }
            Err(error) => {
                assert_eq!(error.errno(), libc::EPIPE, "{error}");
                lost += 1;
            }
        }
    }
    assert!(lost <= 1, "{lost} questions lost");
}

fn ask_once(client: &mut Client) {
    assert_eq!(client.call(b"question", LONG).expect("answered"), b"question");
}

fn serve_once(service: &mut Service) {
    let question = service.recv(LONG).expect("somebody asks");
    service.reply(&question, question.bytes(), LONG).expect("he waits");
}

/// A fresh server and a fresh client.
fn answered(name: &str) {
    let mut server = Child::run(|| serve(name));
    answered_still(name);
    assert_eq!(server.wait(), Status::Exited(0));
}

macro_rules! scenario {
    ($name:expr, $make:expr, $bystander:expr, $victim:expr, $check:expr) => {
        Scenario { name: $name, make: $make, bystander: $bystander, victim: $victim, check: $check }
    };
}

/// All of them.
pub(crate) fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(place::SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    scenario!(
        "send",
        three,
        None,
        operation!(queue, nothing, |it: &mut Queue, _| send(it, SHORT_ONE)),
        all_pass
    ),
    scenario!(
        "send kept",
        three,
        None,
        operation!(
            queue,
            |it: &mut Queue, _| {
                // Now it has the turns, and the message beside the tail is its own.
                for _ in 0..3 {
                    let first = it.recv(LONG).expect("three");
                    send(it, &first);
                }
            },
            |it: &mut Queue, _| send(it, SHORT_ONE)
        ),
        all_pass
    ),
    scenario!(
        "send in two lines",
        three,
        None,
        operation!(queue, nothing, |it: &mut Queue, _| send(it, MIDDLE_ONE)),
        all_pass
    ),
    scenario!(
        "send after others",
        three,
        None,
        operation!(queue, others, |it: &mut Queue, _| send(it, LONG_ONE)),
        all_pass
    ),
    scenario!(
        "recv",
        three,
        None,
        operation!(queue, nothing, |it: &mut Queue, _| {
            assert_eq!(it.recv(LONG).expect("three"), [1; 60]);
        }),
        passes
    ),
    scenario!(
        "recv in vain",
        |name| drop(made::<Queue>(name, &few())),
        None,
        operation!(queue, nothing, |it: &mut Queue, _| {
            assert!(it.recv(Timeout::After(Duration::from_millis(2))).is_err());
        }),
        |name| {
            let (mut one, mut other) = (queue(name), queue(name));
            one.send(b"there", LIMIT).expect("room");
            assert_eq!(other.recv(LIMIT).expect("it was sent"), b"there");
        }
    ),
    scenario!(
        "reserve commit",
        three,
        None,
        operation!(queue, nothing, |it: &mut Queue, _| reserve_commit(it, LONG_ONE)),
        all_pass
    ),
    scenario!(
        "peek release",
        three,
        None,
        operation!(queue, nothing, |it: &mut Queue, _| peek_release(it)),
        passes
    ),
    Scenario {
        name: "attach detach",
        make: three,
        bystander: None,
        victim: |name, mark| {
            mark();
            drop(queue(name));
            mark();
        },
        check: all_pass,
    },
    scenario!(
        "publish",
        reliable,
        None,
        operation!(topic, nothing, |it: &mut Topic, _| it.publish(SHORT_ONE, LONG).expect("room")),
        published
    ),
    scenario!(
        "receive of a topic",
        |name| {
            let mut topic: Topic = made(name, &few().participants(5).reliable(true));
            for _ in 0..3 {
                topic.publish(SHORT_ONE, LONG).expect("room");
            }
        },
        None,
        operation!(subscriber, nothing, |it: &mut Subscriber, _| {
            assert_eq!(it.recv(LONG).expect("three").0, SHORT_ONE);
        }),
        published
    ),
    Scenario {
        name: "subscribe unsubscribe",
        make: reliable,
        bystander: None,
        victim: |name, mark| {
            mark();
            drop(subscriber(name));
            mark();
        },
        check: published,
    },
    scenario!(
        "call",
        service,
        Some(serve),
        operation!(
            |name: &str| Client::open(name).expect("a place"),
            nothing,
            |it: &mut Client, _| ask_once(it)
        ),
        answered_still
    ),
    scenario!(
        "call by the line",
        service,
        Some(serve),
        operation!(
            |name: &str| Client::open(name).expect("a place"),
            |it: &mut Client, _| (0..USUAL).for_each(|_| ask_once(it)),
            |it: &mut Client, _| ask_once(it)
        ),
        answered_still
    ),
    scenario!(
        "serve by the line",
        service,
        Some(ask_on),
        operation!(
            |name: &str| Service::open(name).expect("a place"),
            |it: &mut Service, _| (0..USUAL).for_each(|_| serve_once(it)),
            |it: &mut Service, _| serve_once(it)
        ),
        answered
    ),
    scenario!(
        "serve",
        service,
        Some(ask),
        operation!(
            |name: &str| Service::open(name).expect("a place"),
            nothing,
            |it: &mut Service, _| serve_once(it)
        ),
        answered
    ),
];

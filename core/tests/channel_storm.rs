// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that use channels are killed at random moments, over and over. What was sent is received once and in order by
//! those who live on, nobody hangs, and the places of the dead are used again.
//!
//! A ledger outside of the channel tells what happened. `UNIPC_STORM_SECONDS` makes each storm longer.
#![allow(unsafe_code, reason = "fork, signals and a shared ledger are raw calls")]
#![allow(clippy::print_stderr, reason = "figures for people")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use child::succeeds_alone;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use support::posix_name;
use unipc::channel::{Client, Options, Queue, Service, Start, Subscriber, Topic};
use unipc::{ErrorKind, SharedMemory, Timeout};

/// So short that a wait that should have ended is seen; the storm goes on after it.
const WAIT: Timeout = Timeout::After(Duration::from_millis(200));
/// Somebody comes to nothing for so long, though nobody is killed: he hangs.
const HANG: Duration = Duration::from_secs(15);
/// After so many deaths everybody comes to something before the next one: a busy machine would see nothing but deaths.
const KILLS: usize = 50;
/// A storm goes on until so many were killed, even on such a machine.
const LEAST: usize = 2 * KILLS;
/// and each role has completed more operations than this.
const OPERATIONS: u64 = 50;
/// So many messages of each producer the ledger knows.
const MOST: usize = 1 << 22;
const WRITERS: usize = 2;

/// Memory that all processes of a storm share, and no channel uses.
#[repr(C)]
struct Ledger {
    stop: AtomicU64,
    /// Of each role: how many operations were completed.
    done: [AtomicU64; 8],
    /// Of each writer: the last number it began to send, and the last whose sending returned.
    begun: [AtomicU64; WRITERS],
    sent: [AtomicU64; WRITERS],
    /// Of each role: 1 while a message may be in its hands, or already out of them but not in the ledger.
    in_hands: [AtomicU64; 8],
    /// How often each message was received.
    received: [[AtomicU8; MOST]; WRITERS],
    /// The writer was killed while it sent this one.
    unsure: [[AtomicU8; MOST]; WRITERS],
}

impl Ledger {
    fn new() -> &'static Self {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of zeros, which are a ledger; it is never unmapped.
        let at =
            unsafe { libc::mmap(std::ptr::null_mut(), size_of::<Self>(), access, flags, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        // SAFETY: as above.
        unsafe { &*at.cast::<Self>() }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst) != 0
    }

    /// How many operations that role has completed which has completed the fewest.
    fn fewest(&self, roles: usize) -> u64 {
        self.done[..roles].iter().map(|it| it.load(Ordering::SeqCst)).min().unwrap_or(0)
    }

    /// Waits until each role comes to an operation more.
    fn await_everybody(&self, roles: usize) {
        let now =
            || self.done[..roles].iter().map(|it| it.load(Ordering::SeqCst)).collect::<Vec<_>>();
        let (before, late) = (now(), Instant::now() + HANG);
        while now().iter().zip(&before).any(|(now, before)| now == before) {
            assert!(Instant::now() < late, "operations {before:?}, and {:?} a while after", now());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What a process of the storm is told.
struct World {
    ledger: &'static Ledger,
    name: String,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = SharedMemory::unlink(self.name.as_str());
    }
}

struct Random(u64);

impl Random {
    fn new() -> Self {
        let clock = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        Self(u64::try_from(clock & 0xffff_ffff).unwrap() << 20 | u64::from(std::process::id()) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

type Role = fn(&World, usize);

fn start(world: &World, role: Role, index: usize) -> Pid {
    // SAFETY: the child allocates and uses the library; the C library's allocator stands a fork.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid > 0 {
        return Pid::from_raw(pid);
    }
    // SAFETY: settings of this process: it dies with its parent, and if it hangs.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // SAFETY: as above.
    unsafe { libc::alarm(120) };
    let work = std::panic::AssertUnwindSafe(|| role(world, index));
    let status = i32::from(std::panic::catch_unwind(work).is_err());
    // SAFETY: ends this process without what belongs to the test program.
    unsafe { libc::_exit(status) }
}

/// Kills and replaces, until the time is over and enough were killed ([`LEAST`], [`OPERATIONS`]); then lets everybody come to
/// an end. Tells how many were killed.
fn storm(world: &World, roles: &[Role], mut killed: impl FnMut(usize)) -> usize {
    let seconds = std::env::var("UNIPC_STORM_SECONDS").ok().and_then(|it| it.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(6));
    let mut children: Vec<_> =
        roles.iter().enumerate().map(|(index, role)| start(world, *role, index)).collect();
    let mut random = Random::new();
    let mut kills = 0;
    while Instant::now() < end || kills < LEAST || world.ledger.fewest(roles.len()) <= OPERATIONS {
        // SAFETY: a setting of this process: should the parent itself hang.
        unsafe { libc::alarm(120) };
        std::thread::sleep(Duration::from_micros(random.below(2500)));
        let index = usize::try_from(random.below(roles.len() as u64)).unwrap();
        let victim = children[index];
        kill(victim, Signal::SIGKILL).unwrap();
        let status = waitpid(victim, None);
        assert_eq!(
            status,
            Ok(WaitStatus::Signaled(victim, Signal::SIGKILL, false)),
            "role {index}"
        );
        kills += 1;
        killed(index);
        children[index] = start(world, roles[index], index);
        if kills.is_multiple_of(KILLS) {
            world.ledger.await_everybody(roles.len());
        }
    }
    world.ledger.stop.store(1, Ordering::SeqCst);
    for (index, child) in children.into_iter().enumerate() {
        let late = Instant::now() + HANG;
        loop {
            match waitpid(child, Some(WaitPidFlag::WNOHANG)).unwrap() {
                WaitStatus::StillAlive if Instant::now() < late => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                status => {
                    assert_eq!(status, WaitStatus::Exited(child, 0), "role {index}");
                    break;
                }
            }
        }
    }
    kills
}

/// A message that tells whether it is whole.
fn message(writer: usize, number: u64) -> Vec<u8> {
    let mut bytes = (number << 8 | writer as u64).to_ne_bytes().to_vec();
    // Some fit beside the tail, some do not.
    let more = usize::try_from(number.wrapping_mul(0x9e37_79b9) >> 7 & 127).unwrap();
    bytes.extend((0..more).map(|at| (at as u64 ^ number).to_ne_bytes()[0]));
    bytes
}

fn parse(bytes: &[u8]) -> (usize, u64) {
    let word = u64::from_ne_bytes(bytes[..8].try_into().unwrap());
    let (writer, number) = (usize::try_from(word & 255).unwrap(), word >> 8);
    assert!(bytes == message(writer, number), "a torn message: {number} of {writer}");
    (writer, number)
}

/// Sends numbers with `send`, which tells whether it did, until the storm is over.
fn write_on(world: &World, role: usize, mut send: impl FnMut(&[u8], u64) -> bool) {
    let ledger = world.ledger;
    let mut number = ledger.begun[role].load(Ordering::SeqCst) + 1;
    while !ledger.stopped() && number < MOST as u64 {
        ledger.begun[role].store(number, Ordering::SeqCst);
        if send(&message(role, number), number) {
            ledger.sent[role].store(number, Ordering::SeqCst);
            ledger.done[role].fetch_add(1, Ordering::SeqCst);
            number += 1;
        }
    }
    // What timed out last was not sent.
    ledger.begun[role].store(number - 1, Ordering::SeqCst);
}

/// After a writer's death: did the message that it was sending get through? Nobody knows.
fn note_unsure(ledger: &Ledger, writer: usize) {
    let begun = ledger.begun[writer].load(Ordering::SeqCst);
    if begun != ledger.sent[writer].load(Ordering::SeqCst) {
        ledger.unsure[writer][usize::try_from(begun).unwrap()].store(1, Ordering::SeqCst);
    }
}

/// False when the time was over; any other error is one.
fn in_time<T>(result: unipc::Result<T>) -> Option<T> {
    match result {
        Ok(it) => Some(it),
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut) => None,
        Err(error) => panic!("{error}"),
    }
}

fn queue_writer(world: &World, role: usize) {
    let mut queue = Queue::open(world.name.as_str()).unwrap();
    write_on(world, role, |bytes, number| {
        if number % 3 != 0 {
            return in_time(queue.send(bytes, WAIT)).is_some();
        }
        let sender = queue.sender();
        let Some(at) = in_time(sender.reserve(256, WAIT)) else { return false };
        // SAFETY: 256 bytes are reserved, and the message is shorter.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        sender.commit(bytes.len()).unwrap();
        true
    });
}

fn queue_reader(world: &World, role: usize) {
    let ledger = world.ledger;
    let mut queue = Queue::open(world.name.as_str()).unwrap();
    let mut last = [0; WRITERS];
    let mut turn = 0_u64;
    loop {
        turn += 1;
        ledger.in_hands[role].store(1, Ordering::SeqCst);
        let bytes = if turn.is_multiple_of(3) {
            let receiver = queue.receiver();
            in_time(receiver.peek(WAIT)).map(|(at, length)| {
                // SAFETY: lent until it is released.
                let bytes = unsafe { std::slice::from_raw_parts(at, length) }.to_vec();
                receiver.release().unwrap();
                bytes
            })
        } else {
            in_time(queue.recv(WAIT))
        };
        if let Some(bytes) = &bytes {
            let (writer, number) = parse(bytes);
            assert!(number > last[writer], "{number} of {writer} after {}", last[writer]);
            last[writer] = number;
            ledger.received[writer][usize::try_from(number).unwrap()]
                .fetch_add(1, Ordering::SeqCst);
            ledger.done[role].fetch_add(1, Ordering::SeqCst);
        }
        ledger.in_hands[role].store(0, Ordering::SeqCst);
        if bytes.is_none() && ledger.stopped() {
            return;
        }
    }
}

fn queue_visitor(world: &World, role: usize) {
    while !world.ledger.stopped() {
        drop(Queue::open(world.name.as_str()).unwrap());
        world.ledger.done[role].fetch_add(1, Ordering::SeqCst);
    }
}

fn world(what: &str) -> World {
    World { ledger: Ledger::new(), name: posix_name(what) }
}

#[test]
fn what_was_sent_to_a_queue_is_received_once_whoever_is_killed() {
    succeeds_alone("what_was_sent_to_a_queue_is_received_once_whoever_is_killed", || {
        let world = world("storm-queue");
        let options = Options::new().participants(12);
        drop(options.create::<Queue>(world.name.as_str(), 4096).unwrap());
        let roles: [Role; 5] =
            [queue_writer, queue_writer, queue_reader, queue_reader, queue_visitor];
        let ledger = world.ledger;
        let mut in_hands = 0;
        let kills = storm(&world, &roles, |role| {
            if role < WRITERS {
                note_unsure(ledger, role);
            }
            in_hands += ledger.in_hands[role].swap(0, Ordering::SeqCst);
        });
        let (mut sent, mut missing, mut unsure) = (0, 0, 0);
        for writer in 0..WRITERS {
            let last = usize::try_from(ledger.begun[writer].load(Ordering::SeqCst)).unwrap();
            for number in 1..=last {
                let times = ledger.received[writer][number].load(Ordering::SeqCst);
                assert!(times <= 1, "{number} of {writer} came {times} times");
                if ledger.unsure[writer][number].load(Ordering::SeqCst) != 0 {
                    unsure += 1;
                } else {
                    sent += 1;
                    missing += u64::from(times == 0);
                }
            }
        }
        eprintln!(
            "queue storm: {kills} kills, {sent} sent, {unsure} unsure, {missing} missing of {in_hands} in hands"
        );
        assert!(sent > 1000, "{sent} sent");
        assert!(missing <= in_hands, "{missing} are missing, {in_hands} were in dead hands");
    });
}

fn publisher(world: &World, role: usize) {
    let mut topic = Topic::open(world.name.as_str()).unwrap();
    write_on(world, role, |bytes, number| {
        if number % 3 != 0 {
            return in_time(topic.publish(bytes, WAIT)).is_some();
        }
        let Some(at) = in_time(topic.reserve(256, WAIT)) else { return false };
        // SAFETY: 256 bytes are reserved, and the message is shorter.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        topic.commit(bytes.len()).unwrap();
        true
    });
}

/// Reads on; `reliable`: without a gap.
fn subscribe(world: &World, role: usize, reliable: bool) {
    let ledger = world.ledger;
    let start = if role.is_multiple_of(2) { Start::Newest } else { Start::Oldest };
    let mut subscriber: Subscriber = Options::new().start(start).open(world.name.as_str()).unwrap();
    let mut last = [None::<u64>; WRITERS];
    loop {
        let Some((bytes, received)) = in_time(subscriber.recv(WAIT)) else {
            if ledger.stopped() {
                return;
            }
            continue;
        };
        let (writer, number) = parse(&bytes);
        if let Some(last) = last[writer] {
            assert!(number > last, "{number} of {writer} after {last}");
            let unsure = |number| {
                let at = usize::try_from(number).unwrap();
                ledger.unsure[writer][at].load(Ordering::SeqCst) != 0
            };
            assert!(
                !reliable || (last + 1..number).all(unsure),
                "{number} of {writer} comes after {last}"
            );
        }
        assert!(!reliable || received.lost == 0, "{} lost", received.lost);
        last[writer] = Some(number);
        ledger.done[role].fetch_add(1, Ordering::SeqCst);
    }
}

fn reliable_subscriber(world: &World, role: usize) {
    subscribe(world, role, true);
}

fn latest_subscriber(world: &World, role: usize) {
    subscribe(world, role, false);
}

fn topic_visitor(world: &World, role: usize) {
    while !world.ledger.stopped() {
        drop(Topic::open(world.name.as_str()).unwrap());
        drop(Subscriber::open(world.name.as_str()).unwrap());
        world.ledger.done[role].fetch_add(1, Ordering::SeqCst);
    }
}

fn topic_storm(what: &str, reliable: bool, subscriber: Role) {
    let world = world(what);
    let options = Options::new().participants(14).reliable(reliable);
    drop(options.create::<Topic>(world.name.as_str(), 4096).unwrap());
    let roles = [publisher, publisher, subscriber, subscriber, topic_visitor];
    let ledger = world.ledger;
    let kills = storm(&world, &roles, |role| {
        if role < WRITERS {
            note_unsure(ledger, role);
        }
    });
    let done: Vec<_> = ledger.done.iter().map(|it| it.load(Ordering::SeqCst)).collect();
    eprintln!("{what}: {kills} kills, operations {done:?}");
}

#[test]
fn living_subscribers_of_a_reliable_topic_get_everything_whoever_is_killed() {
    succeeds_alone(
        "living_subscribers_of_a_reliable_topic_get_everything_whoever_is_killed",
        || topic_storm("storm-reliable", true, reliable_subscriber),
    );
}

#[test]
fn messages_of_a_latest_topic_are_whole_and_in_order_whoever_is_killed() {
    succeeds_alone("messages_of_a_latest_topic_are_whole_and_in_order_whoever_is_killed", || {
        topic_storm("storm-latest", false, latest_subscriber);
    });
}

fn client(world: &World, role: usize) {
    let mut client = Client::open(world.name.as_str()).unwrap();
    let mut random = Random::new();
    while !world.ledger.stopped() {
        let question = message(0, random.below(1 << 30));
        match client.call(&question, Timeout::After(Duration::from_secs(10))) {
            Ok(answer) => {
                assert!(answer == question, "another question's answer");
                world.ledger.done[role].fetch_add(1, Ordering::SeqCst);
            }
            // Its server was killed.
            Err(error) => assert_eq!(error.errno(), libc::EPIPE, "{error}"),
        }
    }
}

fn server(world: &World, role: usize) {
    let mut service = Service::open(world.name.as_str()).unwrap();
    loop {
        let Some(question) = in_time(service.recv(WAIT)) else {
            if world.ledger.stopped() {
                return;
            }
            continue;
        };
        match service.reply(&question, question.bytes(), Timeout::After(Duration::from_secs(10))) {
            Ok(()) => drop(world.ledger.done[role].fetch_add(1, Ordering::SeqCst)),
            // Its client was killed.
            Err(error) => assert_eq!(error.errno(), libc::EPIPE, "{error}"),
        }
    }
}

fn service_visitor(world: &World, role: usize) {
    while !world.ledger.stopped() {
        drop(Client::open(world.name.as_str()).unwrap());
        drop(Service::open(world.name.as_str()).unwrap());
        world.ledger.done[role].fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn every_call_is_answered_or_its_server_is_dead_whoever_is_killed() {
    succeeds_alone("every_call_is_answered_or_its_server_is_dead_whoever_is_killed", || {
        let world = world("storm-service");
        let options = Options::new().participants(14);
        drop(options.create::<Service>(world.name.as_str(), 4096).unwrap());
        let roles: [Role; 5] = [client, client, server, server, service_visitor];
        let kills = storm(&world, &roles, |_| ());
        let done: Vec<_> = world.ledger.done.iter().map(|it| it.load(Ordering::SeqCst)).collect();
        eprintln!("storm-service: {kills} kills, operations {done:?}");
    });
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer that writes anything anywhere in a channel's memory: whoever uses it gets messages or errors, in time, and nothing worse.
//!
//! `UNIPC_MUTATIONS` is how many bytes are changed in each kind of channel.
#![allow(unsafe_code, reason = "alarm is a raw call")]
#![allow(clippy::print_stderr, reason = "the seed makes it come again")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use child::succeeds_alone;
use support::{Removed, posix_name};
use unipc::channel::{
    Channel, Client, Options, Question, Queue, Service, Start, Subscriber, Topic,
};
use unipc::{SharedMemory, Timeout};

/// Beyond the limit that was given, and beyond what a new subscriber waits for publishers.
const SLACK: Duration = Duration::from_secs(4);
/// So many changes see the same handles.
const ROUND: u64 = 64;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn size(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }
}

/// Writes something at one place: mostly a word that means something, mostly a value at an edge.
fn mutate(shm: &SharedMemory, random: &mut Random) {
    let size = shm.len();
    let start = match random.below(8) {
        // The stamp, the settings, the record layout.
        0 => random.size(256),
        // The parts of the control page that are in use.
        1..=4 => 4096 + random.size(9) * 256 + random.size(64),
        // The places of four participants, and of a service their direct lines.
        5 => 8192 + random.size(2048),
        6 => 12288 + random.size(size - 12288),
        _ => random.size(size),
    };
    if random.below(3) == 0 {
        shm.write_at(start.min(size - 1), &[random.0.to_ne_bytes()[0]]).unwrap();
        return;
    }
    let at = (start & !7).min(size - 8);
    let mut word = [0; 8];
    shm.read_at(at, &mut word).unwrap();
    let before = u64::from_ne_bytes(word);
    let value = match random.below(9) {
        0 => 0,
        1 => u64::MAX - random.below(20),
        2 => 1 << 63,
        3 => before.wrapping_add(random.below(64)),
        4 => before.wrapping_sub(random.below(64)),
        5 => before ^ 1 << random.below(64),
        6 => random.below(8192) * 8,
        7 => before ^ random.below(4),
        _ => random.0,
    };
    shm.write_at(at, &value.to_ne_bytes()).unwrap();
}

fn mutations() -> u64 {
    std::env::var("UNIPC_MUTATIONS").ok().and_then(|it| it.parse().ok()).unwrap_or(25_000)
}

/// Mostly a try, sometimes a short wait.
fn soon(random: &mut Random) -> Timeout {
    if random.below(64) == 0 { Timeout::After(Duration::from_millis(1)) } else { Timeout::TRY }
}

/// Does it, and sees that it does not take long. What it says is all the same.
fn in_time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < SLACK, "{what} took {:?}", start.elapsed());
    result
}

/// Changes a channel of this kind again and again, and lets `usage` use it. `make` opens the handles anew each round.
fn attack<C: Channel, H>(
    options: &Options,
    make: impl Fn(&str) -> unipc::Result<H>,
    usage: impl Fn(&mut H, &str, &mut Random),
) {
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let mut random = Random(u64::try_from(seed).unwrap() | 1);
    eprintln!("seed {}", random.0);
    let (mut changes, mut handles) = (0, 0);
    while changes < mutations() {
        let name = Removed(posix_name("hostile"));
        let first: C = options.create(name.0.as_str(), 4096).unwrap();
        drop(first);
        let shm = SharedMemory::open(name.0.as_str()).unwrap();
        let mut before = vec![0; shm.len()];
        shm.read_at(0, &mut before).unwrap();
        let mut handle = make(&name.0).unwrap();
        // SAFETY: a setting of this process, which ends it should it hang.
        unsafe { libc::alarm(60) };
        for _ in 0..ROUND {
            for _ in 0..=random.below(3) {
                mutate(&shm, &mut random);
                changes += 1;
            }
            usage(&mut handle, &name.0, &mut random);
            if random.below(8) == 0 {
                shm.write_at(0, &before).unwrap();
            }
            if random.below(32) == 0
                && let Ok(other) = in_time("open", || make(&name.0))
            {
                handle = other;
                handles += 1;
            }
        }
    }
    eprintln!("{changes} changes, {handles} times opened under attack");
}

fn options() -> Options {
    Options::new().participants(4)
}

fn queue(options: &Options) {
    attack::<Queue, _>(
        options,
        |name| Ok((Queue::open(name)?, Queue::open(name)?)),
        |(one, other), _, random| {
            let size = [8, 8, 0, 100, 4000][random.size(5)];
            let _ = in_time("send", || one.send(&vec![7; size], soon(random)));
            let _ = in_time("send", || other.send(&[7; 8], soon(random)));
            if random.below(4) == 0 {
                let row = vec![1; 8 * random.size(2000)];
                let _ = in_time("send_row", || one.sender().send_row(&row, 8, soon(random)));
            }
            if let Ok(at) = in_time("reserve", || one.sender().reserve(8, soon(random))) {
                // SAFETY: eight bytes are reserved.
                unsafe { at.write_bytes(1, 8) };
                let _ = one.sender().commit(8);
            }
            let _ = in_time("recv", || other.recv(soon(random)));
            let mut buffer = [MaybeUninit::uninit(); 800];
            let _ = in_time("recv_row", || other.receiver().recv_row(&mut buffer, 8, soon(random)));
            let lent = in_time("peek", || one.receiver().peek(soon(random)));
            if let Ok((at, length)) = lent {
                // SAFETY: lent until it is released.
                let bytes = unsafe { std::slice::from_raw_parts(at, length) };
                let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
                assert!(sum < u64::MAX, "each byte can be read");
                let _ = one.receiver().release();
            }
        },
    );
}

fn topic(options: &Options, reliable: bool) {
    let options = &options.clone().reliable(reliable);
    attack::<Topic, _>(
        options,
        |name| {
            let oldest = Options::new().start(Start::Oldest);
            Ok((Topic::open(name)?, Subscriber::open(name)?, oldest.open::<Subscriber>(name)?))
        },
        |(topic, one, other), _, random| {
            let size = [8, 8, 0, 100, 4000][random.size(5)];
            for _ in 0..3 {
                let _ = in_time("publish", || topic.publish(&vec![7; size], soon(random)));
                let _ = in_time("publish", || topic.publish(&[7; 8], soon(random)));
            }
            if random.below(4) == 0 {
                let row = vec![1; 8 * random.size(600)];
                let _ = in_time("publish_row", || topic.publish_row(&row, 8, soon(random)));
            }
            let _ = in_time("recv", || one.recv(soon(random)));
            let _ = in_time("recv", || other.recv(soon(random)));
            let mut buffer = [MaybeUninit::uninit(); 80];
            let _ = in_time("recv_row", || one.recv_row(&mut buffer, 8, soon(random)));
            if in_time("peek", || one.peek(soon(random))).is_ok() {
                let _ = one.release();
            }
        },
    );
}

#[test]
fn a_queue_stands_any_bytes() {
    succeeds_alone("a_queue_stands_any_bytes", || queue(&options()));
}

#[test]
fn a_queue_of_one_size_stands_any_bytes() {
    succeeds_alone("a_queue_of_one_size_stands_any_bytes", || queue(&options().message_size(8)));
}

#[test]
fn a_topic_stands_any_bytes() {
    succeeds_alone("a_topic_stands_any_bytes", || {
        topic(&options(), false);
        topic(&options().message_size(8), false);
    });
}

#[test]
fn a_reliable_topic_stands_any_bytes() {
    succeeds_alone("a_reliable_topic_stands_any_bytes", || {
        topic(&options(), true);
        topic(&options().message_size(8), true);
    });
}

#[test]
fn a_service_stands_any_bytes() {
    succeeds_alone("a_service_stands_any_bytes", || {
        attack::<Service, _>(
            &options().reply_capacity(4096),
            |name| Ok((Service::open(name)?, Client::open(name)?, Question::default())),
            |(service, client, question), _, random| {
                let short = Timeout::After(Duration::from_millis(1));
                let call = in_time("begin", || client.begin(b"a question", soon(random)));
                // What it is after an error can be looked at as well.
                let received = in_time("recv", || service.recv_into(question, soon(random)));
                let _ = (question.has_expired(), question.bytes().len());
                if received.is_ok() {
                    let _ = in_time("part", || service.reply_part(question, b"one", soon(random)));
                    let _ = in_time("fail", || service.fail(question, 5, "no", soon(random)));
                    let _ = in_time("reply", || service.reply(question, b"two", soon(random)));
                }
                if let Ok(call) = call {
                    let _ = in_time("wait", || client.wait(call, soon(random)));
                    client.cancel(call);
                }
                if random.below(64) == 0 {
                    let _ = in_time("call", || client.call(b"nobody answers", short));
                }
            },
        );
    });
}

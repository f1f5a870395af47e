// SPDX-License-Identifier: MIT OR Apache-2.0
//! Creating channels in memory that holds other things as well, where no name comes last: whoever comes next finds the whole
//! channel, or takes over what the dead one began, and what lies beside it is as it was.

use std::thread::scope;

use unipc::SharedMemory;
use unipc::channel::{Channel, Client, Queue, Service, Subscriber, Topic};

use super::{LIMIT, LONG, Scenario, few};

/// What lies before the channel and behind it, in bytes.
const BESIDE: usize = 4096;
const CAPACITY: usize = 4096;
const MARK: u8 = 0xa5;

/// Memory with a place for the channel.
fn yard<C: Channel>(name: &str) {
    let size = few().size_for::<C>(CAPACITY).expect("such a channel");
    let shm = SharedMemory::create(name, size + 2 * BESIDE).expect("memory");
    shm.fill(0, BESIDE, MARK).expect("inside");
    shm.fill(BESIDE + size, BESIDE, MARK).expect("inside");
}

/// In the victim.
fn create<C: Channel>(name: &str, mark: &dyn Fn()) {
    let shm = SharedMemory::open(name).expect("it is there");
    mark();
    let channel: C = few().create((&shm, BESIDE), CAPACITY).expect("zeros");
    mark();
    drop(channel);
}

/// Opens or creates it, and one more of the same; `used` tries both.
fn find<C: Channel, D: Channel>(name: &str, used: impl FnOnce(C, D)) {
    let shm = SharedMemory::open(name).expect("it is there");
    let one = few().open_or_create((&shm, BESIDE), CAPACITY).expect("a channel, or a place for it");
    used(one, few().open((&shm, BESIDE)).expect("it is there by now"));
    let size = few().size_for::<C>(CAPACITY).expect("such a channel");
    for at in [0, BESIDE + size] {
        assert!(shm.compare(at, &[MARK; BESIDE]).expect("inside").is_eq(), "what lies beside it");
    }
}

fn queue(name: &str) {
    find(name, |mut one: Queue, mut other: Queue| {
        one.send(b"there", LIMIT).expect("room");
        assert_eq!(other.recv(LIMIT).expect("it was sent"), b"there");
    });
}

fn topic(name: &str) {
    find(name, |mut topic: Topic, mut reader: Subscriber| {
        topic.publish(b"there", LIMIT).expect("room");
        assert_eq!(reader.recv(LIMIT).expect("it was published").0, b"there");
    });
}

fn service(name: &str) {
    find(name, |mut service: Service, mut client: Client| {
        scope(|scope| {
            scope.spawn(move || {
                let question = service.recv(LONG).expect("somebody asks");
                service.reply(&question, b"answer", LIMIT).expect("he waits");
            });
            assert_eq!(client.call(b"question", LONG).expect("answered"), b"answer");
        });
    });
}

macro_rules! scenario {
    ($name:expr, $channel:ty, $check:expr) => {
        Scenario {
            name: $name,
            make: yard::<$channel>,
            bystander: None,
            victim: create::<$channel>,
            check: $check,
        }
    };
}

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("create a queue in a place", Queue, queue),
    scenario!("create a topic in a place", Topic, topic),
    scenario!("create a service in a place", Service, service),
];

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels whose messages are records: the layout is stored, learned, and compared.

mod support;

use std::time::Duration;

use support::posix_name;
use unipc::channel::{Channel, Client, Options, Queue, Service, Start, Subscriber, Topic};
use unipc::record::{Chars, Layout, Record};
use unipc::{SharedMemory, Timeout};

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = SharedMemory::unlink(self.0.as_str());
    }
}

fn named(what: &str) -> Unlinked {
    Unlinked(posix_name(what))
}

const SOON: Timeout = Timeout::After(Duration::from_secs(20));

#[derive(Record, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct People {
    name: Chars<5>,
    age: i32,
}

fn people(age: i32) -> People {
    People { name: Chars::from("ann"), age }
}

fn layout() -> Layout {
    People::layout().unwrap()
}

/// What an error says of another layout.
fn refused<C: Channel + std::fmt::Debug>(name: &str, layout: &str, words: &str) {
    let options = Options::new().layout(&Layout::parse(layout).unwrap());
    let error = options.open::<C>(name).unwrap_err();
    assert_eq!(error.errno(), libc::EPROTO, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn records_go_through_a_queue_and_its_openers_learn_the_layout() {
    let name = named("queue-record");
    let mut queue: Queue = Options::new().layout(&layout()).create(name.0.as_str(), 4096).unwrap();
    let mut other = Queue::open(name.0.as_str()).unwrap();
    assert_eq!(other.layout(), Some(&layout()));
    for age in 0..1000 {
        queue.send_record(&people(age), SOON).unwrap();
        assert_eq!(other.recv_record::<People>(SOON), Ok(people(age)));
    }
    // Padding is zeros, whatever the value's bytes are.
    queue.send_record(&people(1), SOON).unwrap();
    assert_eq!(other.recv(SOON).unwrap(), b"ann\0\0\0\0\0\x01\0\0\0");
}

#[test]
fn a_message_of_another_size_is_refused_in_words() {
    let name = named("queue-record-size");
    let mut queue: Queue = Options::new().layout(&layout()).create(name.0.as_str(), 4096).unwrap();
    let short = queue.send(b"short", SOON).unwrap_err();
    assert_eq!(short.errno(), libc::EMSGSIZE);
    assert!(short.to_string().contains("a message has 12 bytes here, not 5"), "{short}");
    queue.send_record(&people(7), SOON).unwrap();
    let wide = queue.recv_record::<[f64; 2]>(SOON).unwrap_err();
    assert!(wide.to_string().contains("a message has 12 bytes here, not 16"), "{wide}");
    assert_eq!(queue.recv_record::<People>(SOON), Ok(people(7)));
}

#[test]
fn records_go_to_every_subscriber_of_a_topic() {
    let name = named("topic-record");
    let options = Options::new().layout(&layout()).reliable(true).start(Start::Oldest);
    let mut topic: Topic = options.create(name.0.as_str(), 4096).unwrap();
    assert_eq!(topic.layout(), Some(&layout()));
    let mut subscribers: Vec<Subscriber> =
        (0..2).map(|_| options.open(name.0.as_str()).unwrap()).collect();
    let row: Vec<u8> = (0..3_i32).flat_map(|age| bytes(&people(age))).collect();
    assert_eq!(topic.publish_row(&row, 12, SOON), Ok(3));
    topic.publish_record(&people(3), SOON).unwrap();
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.layout(), Some(&layout()));
        for age in 0..4 {
            let (record, received) = subscriber.recv_record::<People>(SOON).unwrap();
            assert_eq!((record, received.lost), (people(age), 0));
        }
    }
}

fn bytes(record: &People) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    record.store(&mut bytes);
    bytes
}

#[test]
fn another_layout_is_refused_with_field_offsets_and_types() {
    let (queue, topic) = (named("queue-refused"), named("topic-refused"));
    let options = Options::new().layout(&layout());
    let _queue: Queue = options.create(queue.0.as_str(), 4096).unwrap();
    let _topic: Topic = options.create(topic.0.as_str(), 4096).unwrap();
    let (other, words) =
        ("T{5s:name:f:age:}", "\"age\" is int32 at offset 8 in the object, float32 at offset 8");
    refused::<Queue>(&queue.0, other, words);
    refused::<Topic>(&topic.0, other, words);
    refused::<Subscriber>(&topic.0, other, words);
    let moved = "T{9s:name:i:age:}";
    let words = "\"name\" is char[5] at offset 0 in the object, char[9] at offset 0";
    refused::<Queue>(&queue.0, moved, words);
    let same: Queue = options.open(queue.0.as_str()).unwrap();
    assert_eq!(same.layout(), Some(&layout()));
    let found: Queue = options.open_or_create(queue.0.as_str(), 4096).unwrap();
    assert_eq!(found.layout(), Some(&layout()));
    let other = Options::new().layout(&Layout::parse(other).unwrap());
    assert_eq!(
        other.open_or_create::<Queue>(queue.0.as_str(), 4096).unwrap_err().errno(),
        libc::EPROTO
    );
}

#[test]
fn a_channel_of_bytes_stays_one() {
    let name = named("queue-bytes");
    let options = Options::new().message_size(12);
    let queue: Queue = options.create(name.0.as_str(), 4096).unwrap();
    assert_eq!(queue.layout(), None);
    refused::<Queue>(&name.0, "T{5s:name:i:age:}", "its messages have no record layout");
    // Nothing was written where the layout of others is.
    let shm = SharedMemory::open(name.0.as_str()).unwrap();
    let mut page = vec![0; 4096 - 128];
    shm.read_at(128, &mut page).unwrap();
    assert!(page.iter().all(|&byte| byte == 0));
}

#[test]
fn what_cannot_be_is_refused_when_it_is_made() {
    let says = |made: unipc::Result<Queue>, words: &str| {
        let error = made.unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let with = || Options::new().layout(&layout());
    says(
        with().message_size(8).create("memfd:x", 4096),
        "a record has 12 bytes, and a message is to have 8",
    );
    let long = Layout::parse("5000s").unwrap();
    says(Options::new().layout(&long).create("memfd:x", 4096), "holds no message of 5000 bytes");
    let service = with().create::<Service>("memfd:x", 4096).unwrap_err();
    assert!(
        service.to_string().contains("questions and answers have no record layout"),
        "{service}"
    );
    let service = Service::create("memfd:x", 4096).unwrap();
    let fd = service.memory_fd().try_clone_to_owned().unwrap();
    assert_eq!(with().from_fd::<Client>(fd).unwrap_err().errno(), libc::EINVAL);
}

/// The bytes of the layout are a peer's to write, as all others are.
#[test]
fn a_damaged_layout_is_refused() {
    let name = named("queue-damaged");
    let queue: Queue = Options::new().layout(&layout()).create(name.0.as_str(), 4096).unwrap();
    let shm = SharedMemory::open(name.0.as_str()).unwrap();
    for (at, byte) in [(128, 2), (133, 255), (136, b'!'), (139, b'9'), (80, 16)] {
        let mut before = [0];
        shm.read_at(at, &mut before).unwrap();
        shm.write_at(at, &[byte]).unwrap();
        let error = Queue::open(name.0.as_str()).unwrap_err();
        assert_eq!(error.errno(), libc::EPROTO, "byte {at}: {error}");
        shm.write_at(at, &before).unwrap();
    }
    drop(queue);
    assert!(Queue::open(name.0.as_str()).is_ok());
}

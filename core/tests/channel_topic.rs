// SPDX-License-Identifier: MIT OR Apache-2.0
//! Topics: to all, reliable or latest.

mod support;

use std::time::Duration;

use support::posix_name;
use unipc::Timeout;
use unipc::channel::{Options, Start, Subscriber, Topic};

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = Topic::unlink(self.0.as_str());
    }
}

fn named(what: &str) -> Unlinked {
    Unlinked(posix_name(what))
}

const SOON: Timeout = Timeout::After(Duration::from_secs(20));

/// Bytes that tell their number, and whether they are whole.
fn message(number: u64) -> Vec<u8> {
    let words = 1 + (number % 40);
    (0..words).flat_map(|at| (number ^ (at << 56)).to_ne_bytes()).collect()
}

fn number_of(bytes: &[u8]) -> u64 {
    let number = u64::from_ne_bytes(bytes[..8].try_into().unwrap());
    assert!(bytes == message(number), "torn");
    number
}

#[test]
fn a_reliable_topic_gives_everything_to_everybody() {
    let name = named("topic-reliable");
    let options = Options::new().reliable(true);
    let mut topic: Topic = options.create(name.0.as_str(), 4096).unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let mut subscriber = Subscriber::open(name.0.as_str()).unwrap();
            std::thread::spawn(move || {
                for number in 0..20_000 {
                    let (bytes, received) = subscriber.recv(SOON).unwrap();
                    assert_eq!((number_of(&bytes), received.lost), (number, 0));
                }
            })
        })
        .collect();
    for number in 0..20_000 {
        topic.publish(&message(number), SOON).unwrap();
    }
    for reader in readers {
        reader.join().unwrap();
    }
}

#[test]
fn a_latest_topic_never_waits_and_tells_what_was_lost() {
    let name = named("topic-latest");
    let mut topic = Topic::create(name.0.as_str(), 4096).unwrap();
    let mut subscriber = Subscriber::open(name.0.as_str()).unwrap();
    let count = 200_000;
    let reader = std::thread::spawn(move || {
        let (mut expected, mut lost) = (0, 0);
        while expected < count {
            let (bytes, received) = subscriber.recv(SOON).unwrap();
            expected += received.lost;
            lost += received.lost;
            assert_eq!(number_of(&bytes), expected);
            expected += 1;
        }
        lost
    });
    for number in 0..count {
        topic.publish(&message(number), Timeout::TRY).unwrap();
    }
    reader.join().unwrap();
}

#[test]
fn a_slow_subscriber_loses_the_oldest_and_a_late_one_may_have_them() {
    let name = named("topic-late");
    let options = Options::new().message_size(8);
    let mut topic: Topic = options.create(name.0.as_str(), 4096).unwrap();
    let mut slow = Subscriber::open(name.0.as_str()).unwrap();
    for number in 0..1000_u64 {
        topic.publish(&number.to_ne_bytes(), Timeout::TRY).unwrap();
    }
    let (bytes, received) = slow.recv(Timeout::TRY).unwrap();
    assert_eq!(u64::from_ne_bytes(bytes.try_into().unwrap()), received.lost);
    assert!((488..=1000 - 384).contains(&received.lost), "{}", received.lost);
    let mut late: Subscriber = options.clone().start(Start::Oldest).open(name.0.as_str()).unwrap();
    let (bytes, _) = late.recv(Timeout::TRY).unwrap();
    assert_eq!(u64::from_ne_bytes(bytes.try_into().unwrap()), received.lost);
    let mut newest = Subscriber::open(name.0.as_str()).unwrap();
    assert_eq!(newest.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    topic.publish(&7_u64.to_ne_bytes(), Timeout::TRY).unwrap();
    assert_eq!(newest.recv(Timeout::TRY).unwrap().0, 7_u64.to_ne_bytes());
}

#[test]
fn a_subscriber_that_is_lapped_in_the_middle_goes_on_at_the_oldest() {
    let name = named("topic-lapped");
    let options = Options::new().message_size(8);
    let mut topic: Topic = options.create(name.0.as_str(), 4096).unwrap();
    let mut slow = Subscriber::open(name.0.as_str()).unwrap();
    for number in 0..10_u64 {
        topic.publish(&number.to_ne_bytes(), Timeout::TRY).unwrap();
    }
    // It knows of ten, and reads one.
    assert_eq!(slow.recv(Timeout::TRY).unwrap().0, 0_u64.to_ne_bytes());
    for number in 10..1000_u64 {
        topic.publish(&number.to_ne_bytes(), Timeout::TRY).unwrap();
    }
    let (bytes, received) = slow.recv(Timeout::TRY).unwrap();
    assert_eq!(u64::from_ne_bytes(bytes.try_into().unwrap()), received.lost + 1);
    assert!(received.lost > 400, "{}", received.lost);
}

/// Everything that it had not read was given up to make room; what comes then is short, and lies beside the tail.
#[test]
fn what_was_lost_is_told_with_the_next_message_even_a_short_one() {
    let name = named("topic-lost");
    let mut topic = Topic::create(name.0.as_str(), 4096).unwrap();
    let mut subscriber = Subscriber::open(name.0.as_str()).unwrap();
    topic.publish(&[1; 2000], Timeout::TRY).unwrap();
    topic.reserve(4000, Timeout::TRY).unwrap();
    assert_eq!(subscriber.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    topic.commit(0).unwrap();
    let (bytes, received) = subscriber.recv(Timeout::TRY).unwrap();
    assert_eq!((bytes.len(), received.lost), (0, 1));
    topic.publish(b"next", Timeout::TRY).unwrap();
    let (bytes, received) = subscriber.recv(Timeout::TRY).unwrap();
    assert_eq!((bytes.as_slice(), received.lost), (&b"next"[..], 0));
}

/// A short message that is waited for lies beside the tail, without its number; nothing was lost before it all the same.
#[test]
fn nothing_is_lost_before_a_short_message_however_it_is_received() {
    let name = named("topic-however");
    let mut topic = Topic::create(name.0.as_str(), 4096).unwrap();
    let mut subscriber = Subscriber::open(name.0.as_str()).unwrap();
    let mut publish = || topic.publish(b"hello", Timeout::TRY).unwrap();
    publish();
    assert_eq!(subscriber.recv(Timeout::TRY).unwrap().1.lost, 0);
    publish();
    subscriber.peek(Timeout::TRY).unwrap();
    assert_eq!(subscriber.release().unwrap().lost, 0);
    publish();
    let mut row = [std::mem::MaybeUninit::uninit(); 10];
    assert_eq!(subscriber.recv_row(&mut row, 5, Timeout::TRY).unwrap(), (1, 0));
    publish();
    assert_eq!(subscriber.recv(Timeout::TRY).unwrap().1.lost, 0);
}

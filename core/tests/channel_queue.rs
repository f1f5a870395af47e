// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queues in one process and between processes.

mod support;

use std::time::Duration;

use support::posix_name;
use unipc::Timeout;
use unipc::channel::Queue;

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = Queue::unlink(self.0.as_str());
    }
}

fn named(what: &str) -> Unlinked {
    Unlinked(posix_name(what))
}

const SOON: Timeout = Timeout::After(Duration::from_secs(20));

#[test]
fn what_is_sent_is_received_in_order_whatever_its_size() {
    let name = named("queue-sizes");
    let mut sender = Queue::create(name.0.as_str(), 1 << 16).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    let sizes = [0, 1, 7, 8, 9, 47, 48, 49, 64, 65, 100, 4095, 4096, 30_000, 65_528];
    for round in 0..50_u8 {
        for size in sizes {
            let message: Vec<u8> =
                (0..=255_u8).cycle().take(size).map(|at| at.wrapping_mul(31) ^ round).collect();
            sender.send(&message, SOON).unwrap();
            assert_eq!(receiver.recv(SOON).unwrap(), message, "{size} bytes");
        }
    }
    assert_eq!(receiver.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    let short = Timeout::After(Duration::from_millis(5));
    assert_eq!(receiver.recv(short).unwrap_err().errno(), libc::ETIMEDOUT);
    assert_eq!(sender.send(&vec![0; 65_529], SOON).unwrap_err().errno(), libc::EMSGSIZE);
}

#[test]
fn a_full_queue_makes_senders_wait_and_loses_nothing() {
    let name = named("queue-full");
    let mut sender = Queue::create(name.0.as_str(), 4096).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    let mut sent = 0_u64;
    while sender.send(&sent.to_ne_bytes(), Timeout::TRY).is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 256);
    let reader = std::thread::spawn(move || {
        for number in 0..100_000_u64 {
            let got = receiver.recv(SOON).unwrap();
            assert_eq!(got, number.to_ne_bytes());
        }
    });
    for number in sent..100_000 {
        sender.send(&number.to_ne_bytes(), SOON).unwrap();
    }
    reader.join().unwrap();
}

#[test]
fn several_producers_and_consumers_share_the_messages() {
    let name = named("queue-many");
    let first = Queue::create(name.0.as_str(), 1 << 14).unwrap();
    let each = 50_000_u64;
    let producers: Vec<_> = (0..3_u64)
        .map(|producer| {
            let mut queue = Queue::open(name.0.as_str()).unwrap();
            std::thread::spawn(move || {
                for number in 0..each {
                    queue.send(&(producer << 32 | number).to_ne_bytes(), SOON).unwrap();
                }
            })
        })
        .collect();
    let consumers: Vec<_> = (0..3)
        .map(|_| {
            let mut queue = Queue::open(name.0.as_str()).unwrap();
            std::thread::spawn(move || {
                let mut got = Vec::new();
                loop {
                    let bytes = queue.recv(SOON).unwrap();
                    if bytes.is_empty() {
                        return got;
                    }
                    got.push(u64::from_ne_bytes(bytes.try_into().unwrap()));
                }
            })
        })
        .collect();
    for producer in producers {
        producer.join().unwrap();
    }
    let mut first = first;
    for _ in &consumers {
        first.send(&[], SOON).unwrap();
    }
    let mut all = Vec::new();
    for consumer in consumers {
        let got = consumer.join().unwrap();
        for producer in 0..3 {
            let mine: Vec<_> = got.iter().filter(|it| *it >> 32 == producer).collect();
            assert!(mine.is_sorted(), "each consumer sees a producer's messages in order");
        }
        all.extend(got);
    }
    all.sort_unstable();
    let wanted: Vec<_> = (0..3).flat_map(|p| (0..each).map(move |n| p << 32 | n)).collect();
    assert_eq!(all.len(), wanted.len());
    assert!(all == wanted);
}

#[test]
fn a_try_takes_a_turn_that_another_keeps_and_does_not_use() {
    let name = named("queue-try");
    let mut first = Queue::create(name.0.as_str(), 4096).unwrap();
    let mut second = Queue::open(name.0.as_str()).unwrap();
    first.send(b"one", Timeout::TRY).unwrap();
    assert_eq!(first.recv(Timeout::TRY).unwrap(), b"one");
    second.send(b"two", Timeout::TRY).unwrap();
    assert_eq!(second.recv(Timeout::TRY).unwrap(), b"two");
}

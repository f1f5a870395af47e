// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queues in one process and between processes.

mod support;

use std::mem::MaybeUninit;
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

/// A message as the receiver copies it.
#[allow(unsafe_code, reason = "what was copied is initialised")]
fn copied(length: usize, copy: &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> Vec<u8> {
    let mut room = vec![MaybeUninit::uninit(); length];
    copy(&mut room);
    // SAFETY: the copy fills all of its room.
    room.into_iter().map(|byte| unsafe { byte.assume_init() }).collect()
}

#[test]
fn many_go_at_once_as_far_as_there_is_room_and_come_at_once() {
    let name = named("queue-each");
    let mut sender = Queue::create(name.0.as_str(), 4096).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    let of_size = |size: usize| vec![u8::try_from(size % 251).unwrap(); size];
    let messages: Vec<Vec<u8>> = (0..200).map(of_size).collect();
    let lent: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    assert_eq!(sender.sender().send_each(&[], SOON).unwrap(), 0);
    let (mut sent, mut got) = (0, Vec::new());
    while got.len() < messages.len() {
        while let Ok(more) = sender.sender().send_each(&lent[sent..], Timeout::TRY) {
            sent += more;
            if sent == lent.len() {
                break;
            }
            assert!(more > 0 && sent < lent.len());
        }
        // One that nobody wants stays, and those behind it.
        let mut wanted = 7;
        let before = got.len();
        let take = |length: usize, copy: &mut dyn FnMut(&mut [MaybeUninit<u8>])| {
            wanted -= 1;
            if wanted >= 0 {
                got.push(copied(length, copy));
            }
            wanted >= 0
        };
        let count = receiver.receiver().recv_each(10, SOON, take).unwrap();
        assert_eq!(count, got.len() - before);
        assert!(count <= 7);
    }
    assert_eq!(got, messages);
    assert_eq!(receiver.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);

    let long = vec![0; 5000];
    let with_one_too_long: [&[u8]; 3] = [b"one", &long, b"two"];
    assert_eq!(sender.sender().send_each(&with_one_too_long, SOON).unwrap(), 1);
    let refused = sender.sender().send_each(&with_one_too_long[1..], SOON).unwrap_err();
    assert_eq!(refused.errno(), libc::EMSGSIZE);
    assert!(refused.to_string().contains("5000 bytes are more than the"), "{refused}");
    let mut small = [MaybeUninit::uninit(); 2];
    let refused = receiver.receiver().recv_into(&mut small, SOON).unwrap_err();
    assert_eq!(refused.errno(), libc::EMSGSIZE);
    assert!(refused.to_string().contains("the message has 3 bytes, the buffer 2"), "{refused}");
    assert_eq!(receiver.recv(SOON).unwrap(), b"one");
    assert_eq!(receiver.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
}

/// More than the ring holds, to who sleeps for room: what is taken in between makes some.
#[test]
fn a_long_batch_gives_room_back_before_its_end() {
    let name = named("queue-batch");
    let mut sender = Queue::create(name.0.as_str(), 1 << 16).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    let message = vec![7; 1000];
    let all: Vec<&[u8]> = vec![&message; 5000];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sent = 0;
            while sent < all.len() {
                sent += sender.sender().send_each(&all[sent..], SOON).unwrap();
            }
        });
        let mut left = all.len();
        while left > 0 {
            let take = |length: usize, copy: &mut dyn FnMut(&mut [MaybeUninit<u8>])| {
                copied(length, copy) == message
            };
            left -= receiver.receiver().recv_each(usize::MAX, SOON, take).unwrap();
        }
    });
    assert_eq!(receiver.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
}

/// A try that looks for a while finds what comes meanwhile, and tells when nothing does.
#[test]
fn a_try_may_look_more_than_once() {
    let name = named("queue-looks");
    let mut sender = Queue::create(name.0.as_str(), 4096).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    receiver.receiver().look_more(40);
    assert_eq!(receiver.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    if std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1) {
        return; // there nobody looks twice
    }
    receiver.receiver().look_more(u32::MAX);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..1000_u32 {
                sender.send(&number.to_ne_bytes(), SOON).unwrap();
            }
        });
        for number in 0..1000_u32 {
            assert_eq!(receiver.recv(Timeout::TRY).unwrap(), number.to_ne_bytes());
        }
    });
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

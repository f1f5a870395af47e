// SPDX-License-Identifier: MIT OR Apache-2.0
//! The descriptors of channel ends: readable when, and only when, there is something to do.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;
mod support;

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use fork::{asleep, fork, killed, succeeded};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use support::posix_name;
use unipc::Timeout;
use unipc::channel::{Client, Options, Queue, Service, Subscriber, Topic};

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = Queue::unlink(self.0.as_str());
    }
}

fn named(what: &str) -> Unlinked {
    Unlinked(posix_name(what))
}

const SOON: Timeout = Timeout::After(Duration::from_secs(30));

fn is_readable(fd: BorrowedFd<'_>, timeout: PollTimeout) -> bool {
    let mut polled = [PollFd::new(fd, PollFlags::POLLIN)];
    poll(&mut polled, timeout).unwrap() == 1
}

/// Waits for it, with a watchdog.
fn becomes_readable(fd: BorrowedFd<'_>) {
    assert!(is_readable(fd, PollTimeout::from(30_000_u16)), "the descriptor tells of nothing");
}

fn is_quiet(fd: BorrowedFd<'_>) -> bool {
    !is_readable(fd, PollTimeout::ZERO)
}

#[test]
fn a_queue_is_readable_from_the_message_to_the_try_that_finds_none() {
    let name = named("bell-queue");
    let mut sender = Queue::create(name.0.as_str(), 1 << 12).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    let fd = receiver.fd().unwrap().as_raw_fd();
    assert!(is_quiet(receiver.fd().unwrap()));
    for round in 0..200_u32 {
        sender.send(&round.to_ne_bytes(), SOON).unwrap();
        sender.send(b"two", SOON).unwrap();
        becomes_readable(receiver.fd().unwrap());
        assert_eq!(receiver.recv(Timeout::TRY).unwrap(), round.to_ne_bytes());
        assert!(is_readable(receiver.fd().unwrap(), PollTimeout::ZERO), "there is another");
        assert_eq!(receiver.recv(Timeout::TRY).unwrap(), b"two");
        assert_eq!(receiver.recv(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        assert!(is_quiet(receiver.fd().unwrap()));
    }
    assert_eq!(receiver.fd().unwrap().as_raw_fd(), fd, "one descriptor for good");
}

#[test]
fn messages_that_were_there_before_are_told_at_once() {
    let name = named("bell-before");
    let mut queue = Queue::create(name.0.as_str(), 1 << 12).unwrap();
    queue.send(b"early", SOON).unwrap();
    assert!(is_readable(queue.fd().unwrap(), PollTimeout::ZERO));
}

#[test]
fn the_sending_end_tells_of_room() {
    let name = named("bell-room");
    let mut queue = Queue::create(name.0.as_str(), 4096).unwrap();
    assert!(is_readable(queue.sender().fd().unwrap(), PollTimeout::ZERO));
    while queue.send(&[7; 1000], Timeout::TRY).is_ok() {}
    assert!(is_quiet(queue.sender().fd().unwrap()));
    queue.recv(SOON).unwrap();
    becomes_readable(queue.sender().fd().unwrap());
    queue.send(&[7; 1000], Timeout::TRY).unwrap();
}

#[test]
fn subscribers_services_and_clients_have_one_each() {
    let name = named("bell-topic");
    let mut topic: Topic = Options::new().reliable(true).create(name.0.as_str(), 4096).unwrap();
    let mut subscriber = Subscriber::open(name.0.as_str()).unwrap();
    assert!(is_quiet(subscriber.fd().unwrap()));
    while topic.publish(&[1; 100], Timeout::TRY).is_ok() {}
    becomes_readable(subscriber.fd().unwrap());
    assert!(is_quiet(topic.fd().unwrap()), "the subscriber has read nothing");
    while subscriber.recv(Timeout::TRY).is_ok() {}
    assert!(is_quiet(subscriber.fd().unwrap()));
    becomes_readable(topic.fd().unwrap());

    let other = named("bell-service");
    let mut service = Service::create(other.0.as_str(), 4096).unwrap();
    let mut client = Client::open(other.0.as_str()).unwrap();
    assert!(is_quiet(service.fd().unwrap()) && is_quiet(client.fd().unwrap()));
    let call = client.begin(b"?", SOON).unwrap();
    becomes_readable(service.fd().unwrap());
    let question = service.recv(Timeout::TRY).unwrap();
    service.reply(&question, b"!", SOON).unwrap();
    becomes_readable(client.fd().unwrap());
    assert_eq!(client.wait(call, Timeout::TRY).unwrap().bytes, b"!");
}

#[test]
fn a_dead_subscriber_does_not_keep_a_publisher_from_being_told() {
    let name = named("bell-dead");
    let mut topic: Topic = Options::new().reliable(true).create(name.0.as_str(), 4096).unwrap();
    let ready = named("bell-dead-ready");
    let mut told = Queue::create(ready.0.as_str(), 4096).unwrap();
    let child = fork(|| {
        let _subscriber = Subscriber::open(name.0.as_str()).unwrap();
        Queue::open(ready.0.as_str()).unwrap().send(b"", SOON).unwrap();
        loop {
            std::thread::park();
        }
    });
    told.recv(SOON).unwrap();
    while topic.publish(&[1; 100], Timeout::TRY).is_ok() {}
    assert!(is_quiet(topic.fd().unwrap()));
    killed(child);
    becomes_readable(topic.fd().unwrap());
}

#[test]
fn the_death_of_a_server_is_told_to_its_client() {
    let name = named("bell-server");
    let service = Service::create(name.0.as_str(), 4096).unwrap();
    let mut client = Client::open(name.0.as_str()).unwrap();
    let ready = named("bell-server-ready");
    let mut told = Queue::create(ready.0.as_str(), 4096).unwrap();
    for _ in 0..3 {
        let child = fork(|| {
            let mut server = Service::open(name.0.as_str()).unwrap();
            let _question = server.recv(SOON).unwrap();
            Queue::open(ready.0.as_str()).unwrap().send(b"", SOON).unwrap();
            loop {
                std::thread::park();
            }
        });
        let call = client.begin(b"?", SOON).unwrap();
        told.recv(SOON).unwrap();
        assert!(is_quiet(client.fd().unwrap()));
        killed(child);
        becomes_readable(client.fd().unwrap());
        let dead = client.wait(call, Timeout::TRY).unwrap_err();
        assert_eq!(dead.errno(), libc::EPIPE);
        assert!(dead.to_string().contains("had taken the question died; ask again"), "{dead}");
        assert!(!client.is_pending(call), "the call is over");
        assert_eq!(client.wait(call, Timeout::TRY).unwrap_err().errno(), libc::EINVAL);
        // Another call finds nothing, and arms.
        let other = client.begin(b"nobody", SOON).unwrap();
        assert_eq!(client.wait(other, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        assert!(is_quiet(client.fd().unwrap()));
        client.cancel(other);
        let mut here = Service::open(name.0.as_str()).unwrap();
        here.recv(SOON).unwrap();
    }
    drop(service);
}

#[test]
fn a_message_of_a_sender_that_was_killed_is_told() {
    let name = named("bell-killed");
    let mut queue = Queue::create(name.0.as_str(), 1 << 16).unwrap();
    for _ in 0..10 {
        while queue.recv(Timeout::TRY).is_ok() {}
        assert!(is_quiet(queue.fd().unwrap()));
        let child = fork(|| {
            let mut sender = Queue::open(name.0.as_str()).unwrap();
            loop {
                let _ = sender.send(b"again and again", Timeout::TRY);
            }
        });
        becomes_readable(queue.fd().unwrap());
        killed(child);
        queue.recv(Timeout::TRY).unwrap();
    }
}

#[test]
fn one_who_polls_and_is_killed_harms_nobody() {
    let name = named("bell-poller");
    let mut sender = Queue::create(name.0.as_str(), 1 << 12).unwrap();
    let mut receiver = Queue::open(name.0.as_str()).unwrap();
    for round in 0..10_u8 {
        let child = fork(|| {
            let queue = Queue::open(name.0.as_str()).unwrap();
            becomes_readable(queue.fd().unwrap());
            panic!("it was woken, and should have been killed before");
        });
        asleep(child);
        killed(child);
        sender.send(&[round], SOON).unwrap();
        assert_eq!(receiver.recv(SOON).unwrap(), [round]);
    }
}

#[test]
fn a_child_of_fork_makes_its_own() {
    let name = named("bell-fork");
    let mut queue = Queue::create(name.0.as_str(), 1 << 12).unwrap();
    assert!(is_quiet(queue.fd().unwrap()));
    let child = fork(|| {
        assert_eq!(queue.fd().unwrap_err().errno(), libc::EINVAL);
        let mut own = Queue::open(name.0.as_str()).unwrap();
        assert!(is_quiet(own.fd().unwrap()));
        own.send(b"to myself", SOON).unwrap();
        becomes_readable(own.fd().unwrap());
        own.recv(SOON).unwrap();
        own.send(b"to my parent", SOON).unwrap();
    });
    becomes_readable(queue.fd().unwrap());
    succeeded(child);
    assert_eq!(queue.recv(SOON).unwrap(), b"to my parent");
}

/// Tasks of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Mappings of shared memory that has a name.
fn mapped() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("/dev/shm/")).count()
}

#[test]
fn nothing_is_left_when_the_ends_are_closed() {
    child::succeeds_alone("nothing_is_left_when_the_ends_are_closed", || {
        let name = named("bell-left");
        let queue = Queue::create(name.0.as_str(), 1 << 12).unwrap();
        let (before, alone) = (descriptors(), threads());
        for _ in 0..20 {
            let ends: Vec<_> = (0..8).map(|_| Queue::open(name.0.as_str()).unwrap()).collect();
            let with_memory = descriptors();
            assert!(ends.iter().all(|end| is_quiet(end.fd().unwrap())));
            assert_eq!(descriptors(), with_memory + 8, "one more for each");
            assert_eq!(threads(), alone + 1, "one thread for all");
        }
        assert_eq!(descriptors(), before);
        assert!(mapped() > 0);
        drop(queue);
        assert_eq!(mapped(), 0, "the helper has let go of the memory");
        let late = Instant::now() + Duration::from_secs(30);
        while threads() != alone {
            assert!(Instant::now() < late, "the thread stays");
            std::thread::yield_now();
        }
    });
}

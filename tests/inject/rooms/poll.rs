// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for anything: what has a descriptor, and what has none, by the thread that sleeps for it.
//!
//! What that thread calls fails in cases of its own. It stays for a second when it is not needed any more, and so does
//! nearly every run here: most cases are content with one failure.

use std::os::fd::AsFd;
use std::time::Duration;

use libc::{
    SYS_clone3, SYS_eventfd2, SYS_futex, SYS_futex_waitv, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_io_uring_setup, SYS_membarrier, SYS_mmap, SYS_msgctl, SYS_msgrcv,
    SYS_msgsnd, SYS_prctl, SYS_read, SYS_semctl, SYS_write,
};
use unipc::channel::{Client, Queue, Service, Subscriber, Topic};
use unipc::poll::{Doorbell, LoopBell, Poller, Wait, Waitable, wait_any};
use unipc::signal::{Set, Signal, Stream};
use unipc::socket::{Kind, Socket};
use unipc::sync::{self, Event};
use unipc::{MessageQueue, Result, Semaphore, SharedMemory, Timeout, mq, pipe};

use super::{ANY, Act, Case, Room, Yard};

const SHORT: Timeout = Timeout::After(Duration::from_millis(5));
const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const CAPACITY: usize = 4096;

pub(super) const ROOM: Room = Room {
    name: "poll",
    cases: &[
        Case::new("descriptors in vain", descriptors_in_vain),
        Case::new("an event in vain", event_in_vain),
        Case::new("an event in vain, the thread", event_in_vain)
            .in_helper()
            .singly()
            .impossible(THREAD),
        Case::new("an event, where nothing sleeps on two words", event_in_vain)
            .in_helper()
            .singly()
            .impossible(THREAD)
            .without(&[(SYS_futex_waitv, libc::ENOSYS)]),
        Case::new("an event, where no sleep works", event_in_vain)
            .in_helper()
            .singly()
            .impossible(THREAD)
            .without(&[(SYS_futex_waitv, libc::ENOMEM)]),
        Case::new("doorbell of an event", event_rings).singly(),
        Case::new("doorbell of an event, the thread", event_rings)
            .in_helper()
            .singly()
            .impossible(THREAD),
        Case::new("doorbell of a System V queue", orders_ring).singly(),
        Case::new("doorbell of a System V queue, the thread", orders_ring)
            .in_helper()
            .singly()
            .impossible(THREAD),
        Case::new("bell of a loop", loop_rings).singly().forgives(&[(SYS_mmap, ANY)]),
        Case::new("bell of a loop, where io_uring is not allowed", loop_rings)
            .singly()
            .without(&[(SYS_io_uring_setup, libc::EPERM)]),
        Case::new("descriptor of a queue's end", queue_rings).singly(),
        Case::new("descriptor of a queue's end, the thread", queue_rings)
            .in_helper()
            .singly()
            .impossible(THREAD),
        Case::new("a poller, again and again", poller_again).singly(),
        Case::new("every kind in vain", every_kind_in_vain).singly(),
    ],
    forgives: &[
        // A sleep that ended early, or that cannot be: there is another look.
        (SYS_futex, libc::EAGAIN),
        (SYS_futex_waitv, ANY),
        // A bell that nobody has rung.
        (SYS_read, libc::EAGAIN),
        // What cannot be looked at is ready, and the call that takes tells.
        (SYS_msgctl, ANY),
        (SYS_semctl, ANY),
        // Where an older call starts threads; and the name of one.
        (SYS_clone3, libc::ENOSYS),
        (SYS_prctl, ANY),
        // Where the loop's thread cannot sleep the helper does.
        (SYS_io_uring_setup, ANY),
        (SYS_io_uring_register, ANY),
        (SYS_io_uring_enter, ANY),
        // Without a barrier in all processors there are fences.
        (SYS_membarrier, ANY),
    ],
    translates: &[(SYS_clone3, ANY, libc::EBUSY), (SYS_mmap, ANY, libc::EBUSY)],
    impossible: &[
        // Sending and receiving fail in a room of their own.
        (SYS_msgsnd, ANY),
        (SYS_msgrcv, ANY),
        // An eventfd that does not block says nothing else.
        (SYS_read, libc::EIO),
        (SYS_read, libc::EINTR),
        (SYS_write, ANY),
        (SYS_eventfd2, libc::ENODEV),
    ],
};

/// The standard library ends a program when a thread gets no stack for its signal handlers.
const THREAD: &[(i64, i32)] = &[(SYS_mmap, ANY)];

fn descriptors_in_vain(yard: &mut Yard) -> Act {
    let (reader, writer) = pipe::pipe().expect("a pipe");
    let options = MessageQueue::options().max_messages(2).max_size(64).remove_on_drop(true);
    let orders = options.create(yard.posix("queue")).expect("the name is free");
    Box::new(move || {
        let _keeps = &writer;
        in_vain(wait_any(&[reader.waitable()?, orders.waitable()?], SHORT))
    })
}

fn event_in_vain(_: &mut Yard) -> Act {
    let event = event();
    Box::new(move || in_vain(wait_any(&[event.waitable()?], SHORT)))
}

/// The thread has it already when it is set.
fn event_rings(_: &mut Yard) -> Act {
    let event = event();
    Box::new(move || {
        let bell = Doorbell::new(&event.waitable()?)?;
        event.set()?;
        let told = is_told(&bell);
        event.reset()?;
        told?;
        bell.arm()
    })
}

/// One that is told, and one that is given up.
fn loop_rings(_: &mut Yard) -> Act {
    let (event, other) = (event(), event());
    Box::new(move || {
        let mut bell = LoopBell::new()?;
        let number = bell.arm(&event.waitable()?)?;
        let given_up = bell.arm(&other.waitable()?)?;
        event.set()?;
        let told = loop {
            if let Err(error) = is_told(&bell) {
                break Err(error);
            }
            match bell.rung() {
                Ok(rung) if rung.is_empty() => {}
                other => break other,
            }
        };
        event.reset()?;
        assert_eq!(told?, Vec::from_iter(number));
        bell.disarm(given_up.unwrap_or_default());
        Ok(())
    })
}

fn orders_ring(yard: &mut Yard) -> Act {
    let orders = system_v(yard);
    Box::new(move || {
        // One from a time before, which could not be received.
        while orders.receive(mq::Want::Any, Timeout::TRY).is_ok() {}
        let bell = Doorbell::new(&orders.waitable()?)?;
        orders.send(1, b"order", Timeout::TRY)?;
        is_told(&bell)?;
        orders.receive(mq::Want::Any, Timeout::TRY).map(drop)
    })
}

fn queue_rings(_: &mut Yard) -> Act {
    let (mut sender, mut receiver) = queue().split();
    Box::new(move || {
        receiver.fd()?;
        match receiver.recv(Timeout::TRY) {
            Err(error) if error.errno() == libc::EAGAIN => {}
            other => drop(other?),
        }
        sender.send(b"job", Timeout::TRY)?;
        is_told(&receiver.fd()?)?;
        assert_eq!(receiver.recv(Timeout::TRY)?, b"job");
        Ok(())
    })
}

/// A poller tells of one thing, then of both, then of nothing.
fn poller_again(yard: &mut Yard) -> Act {
    let (event, orders) = (event(), system_v(yard));
    Box::new(move || {
        event.reset()?;
        while orders.receive(mq::Want::Any, Timeout::TRY).is_ok() {}
        let mut poller = Poller::new();
        poller.add(event.waitable()?, 1)?;
        poller.add(orders.waitable()?, 2)?;
        event.set()?;
        assert!(poller.wait(LONG)?.contains(&1));
        orders.send(1, b"order", Timeout::TRY)?;
        assert_eq!(poller.wait(LONG)?, [1, 2]);
        event.reset()?;
        orders.receive(mq::Want::Any, Timeout::TRY)?;
        poller.remove(2)?;
        in_vain(poller.wait(SHORT))
    })
}

fn every_kind_in_vain(yard: &mut Yard) -> Act {
    let memory = SharedMemory::create("anon:", 2 * CAPACITY).expect("memory");
    let permits = sync::Semaphore::create((&memory, 0), 0).expect("zeros");
    let (event, jobs, orders) = (event(), queue(), system_v(yard));
    let topic = Topic::create("memfd:topic", CAPACITY).expect("memory");
    let copy = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned().expect("a descriptor");
    let news = Subscriber::from_fd(copy(topic.memory_fd())).expect("a place");
    let service = Service::create("memfd:service", CAPACITY).expect("memory");
    let client = Client::from_fd(copy(service.memory_fd())).expect("a place");
    let options = || Semaphore::options().remove_on_drop(true);
    let semaphore = options().create(yard.posix("semaphore"), 0).expect("the name is free");
    let set = options().create_set(yard.key(2), &[0, 0]).expect("the key is free");
    let (reader, writer) = pipe::pipe().expect("a pipe");
    let (socket, peer) = Socket::pair(Kind::Stream).expect("sockets");
    let signals = Set::from(Signal::new(libc::SIGUSR2).expect("it exists"));
    let signals = Stream::open(signals).expect("a descriptor");
    Box::new(move || {
        let _keeps = (&memory, &topic, &writer, &peer);
        let things = [
            jobs.waitable()?,
            news.waitable()?,
            service.waitable()?,
            client.waitable()?,
            permits.waitable()?,
            event.waitable()?,
            reader.waitable()?,
            socket.waitable()?,
            signals.waitable()?,
            orders.waitable()?,
            semaphore.waitable()?,
            Waitable::of_set(&set, 1)?,
        ];
        match wait_any(&things, SHORT) {
            // What could not be looked at is ready, once.
            Ok(LOOKED_AT..) => in_vain(wait_any(&things, SHORT)),
            other => in_vain(other),
        }
    })
}

/// From here on what stands in the list has neither a descriptor nor a word.
const LOOKED_AT: usize = 9;

fn event() -> Event {
    let memory = SharedMemory::create("anon:", CAPACITY).expect("memory");
    Event::create((&memory, 0)).expect("zeros")
}

fn queue() -> Queue {
    Queue::create("memfd:queue", CAPACITY).expect("memory")
}

fn system_v(yard: &Yard) -> MessageQueue {
    MessageQueue::options().remove_on_drop(true).create(yard.key(1)).expect("the key is free")
}

fn is_told(bell: &impl AsFd) -> Result<()> {
    wait_any(&[Waitable::readable(bell)], LONG).map(drop)
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels: making them, finding them, moving messages, waiting.

use std::time::Duration;

use unipc::channel::{Client, Options, Queue, Service, Subscriber, Topic};
use unipc::{Error, ErrorKind, Result, SharedMemory, Timeout};

use super::{ANY, Act, Case, MADE, MADE_OR_THERE, Room, Yard};

const SHORT: Timeout = Timeout::After(Duration::from_millis(2));
const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const CAPACITY: usize = 4096;

pub(super) const ROOM: Room = Room {
    name: "channel",
    cases: &[
        Case::new("create a queue", |yard| {
            creates(yard, |name| Queue::create(name, CAPACITY).map(drop))
        })
        .forgives(MADE),
        Case::new("open_or_create new", |yard| {
            creates(yard, |name| Queue::open_or_create(name, CAPACITY).map(drop))
        })
        .singly()
        .forgives(MADE_OR_THERE),
        Case::new("open_or_create old", |yard| {
            let name = queue(yard);
            Box::new(move || Queue::open_or_create(name.as_str(), CAPACITY).map(drop))
        })
        .singly()
        .forgives(MADE_OR_THERE),
        Case::new("open a queue", |yard| {
            let name = queue(yard);
            Box::new(move || Queue::open(name.as_str()).map(drop))
        })
        .singly(),
        Case::new("queue from a descriptor", |_| {
            let made: Queue = Queue::create("memfd:queue", CAPACITY).expect("memory");
            Box::new(move || {
                let copy = made.memory_fd().try_clone_to_owned().map_err(|error| {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    Error::new("dup", "the queue", ErrorKind::Os(errno))
                })?;
                Options::new().from_fd::<Queue>(copy).map(drop)
            })
        })
        .singly()
        // A memfd whose seals are not known is one that may shrink.
        .forgives(&[(libc::SYS_fcntl, ANY)]),
        Case::new("create a topic, subscribe", |yard| {
            let (name, end) = (yard.posix("topic"), yard.posix("topic"));
            yard.at_end(move || drop(Topic::unlink(end.as_str())));
            Box::new(move || {
                let _topic = Topic::open_or_create(name.as_str(), CAPACITY)?;
                Subscriber::open(name.as_str()).map(drop)
            })
        })
        .singly()
        .forgives(MADE_OR_THERE)
        // It was made, and nobody could join it.
        .may_leave(),
        Case::new("create a service, open a client", |yard| {
            let (name, end) = (yard.posix("service"), yard.posix("service"));
            yard.at_end(move || drop(Service::unlink(end.as_str())));
            Box::new(move || {
                let _service = Service::open_or_create(name.as_str(), CAPACITY)?;
                Client::open(name.as_str()).map(drop)
            })
        })
        .singly()
        .forgives(MADE_OR_THERE)
        // It was made, and nobody could join it.
        .may_leave(),
        Case::new("unlink", |yard| {
            let name = queue(yard);
            Box::new(move || Queue::unlink(name.as_str()))
        }),
        Case::new("queue: send, receive", |yard| {
            let name = queue(yard);
            let mut sender = Queue::open(name.as_str()).expect("it is there");
            let mut receiver = Queue::open(name.as_str()).expect("it is there");
            Box::new(move || {
                sender.send(b"message", LONG)?;
                assert_eq!(receiver.recv(LONG)?, b"message");
                Ok(())
            })
        }),
        Case::new("queue: receive in vain", |yard| {
            let mut receiver = Queue::open(queue(yard).as_str()).expect("it is there");
            Box::new(move || in_vain(receiver.recv(SHORT)))
        }),
        Case::new("queue: send in vain", |yard| {
            let mut sender = Queue::open(queue(yard).as_str()).expect("it is there");
            while sender.send(&[0; 64], Timeout::TRY).is_ok() {}
            Box::new(move || in_vain(sender.send(&[0; 64], SHORT)))
        }),
        Case::new("topic: publish, receive, receive in vain", |yard| {
            let (name, end) = (yard.posix("topic"), yard.posix("topic"));
            let mut topic = Topic::create(name.as_str(), CAPACITY).expect("the name is free");
            yard.at_end(move || drop(Topic::unlink(end.as_str())));
            let mut subscriber = Subscriber::open(name.as_str()).expect("it is there");
            Box::new(move || {
                topic.publish(b"message", LONG)?;
                assert_eq!(subscriber.recv(LONG)?.0, b"message");
                in_vain(subscriber.recv(SHORT))
            })
        }),
        Case::new("service: call in vain", |yard| {
            let (name, end) = (yard.posix("service"), yard.posix("service"));
            let service = Service::create(name.as_str(), CAPACITY).expect("the name is free");
            yard.at_end(move || drop(Service::unlink(end.as_str())));
            let mut client = Client::open(name.as_str()).expect("it is there");
            Box::new(move || {
                let _keeps = &service;
                in_vain(client.call(b"question", SHORT))
            })
        }),
        Case::new("service: wait for a question in vain", |yard| {
            let (name, end) = (yard.posix("service"), yard.posix("service"));
            let mut service = Service::create(name.as_str(), CAPACITY).expect("the name is free");
            yard.at_end(move || drop(Service::unlink(end.as_str())));
            Box::new(move || in_vain(service.recv(SHORT)))
        }),
    ],
    forgives: &[
        // A wait that ended early looks again; and without a barrier in all processors there are fences.
        (libc::SYS_futex, libc::EAGAIN),
        (libc::SYS_membarrier, ANY),
        // Who this is, from /proc. Who cannot be told is taken for alive.
        (libc::SYS_openat, ANY),
        (libc::SYS_read, ANY),
        (libc::SYS_readlink, ANY),
        (libc::SYS_statx, ANY),
        (libc::SYS_tgkill, ANY),
        // The size, for which there is another call.
        (libc::SYS_lseek, ANY),
    ],
    // posix_fallocate of the C library, where the file system cannot allocate.
    translates: &[(libc::SYS_fcntl, ANY, libc::EBADF), (libc::SYS_newfstatat, ANY, libc::EBADF)],
    // The handler of SIGBUS; and a process that is alive is there.
    impossible: &[(libc::SYS_rt_sigaction, libc::EINVAL), (libc::SYS_tgkill, libc::ESRCH)],
};

/// A creation: a failure must have left nothing.
fn creates(yard: &mut Yard, create: fn(&str) -> Result<()>) -> Act {
    let (name, same, end) = (yard.posix("queue"), yard.posix("queue"), yard.posix("queue"));
    yard.check(move |result| {
        let works = Queue::open(same.as_str()).and_then(|mut queue| queue.send(b"", Timeout::TRY));
        let agrees = result.is_ok() == works.is_ok();
        (!agrees).then(|| format!("{result:?}, and there: {works:?}"))
    });
    yard.at_end(move || drop(SharedMemory::unlink(end.as_str())));
    Box::new(move || create(&name))
}

fn queue(yard: &mut Yard) -> String {
    let (name, end) = (yard.posix("queue"), yard.posix("queue"));
    drop(Queue::create(name.as_str(), CAPACITY).expect("the name is free"));
    yard.at_end(move || drop(Queue::unlink(end.as_str())));
    name
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Message queues, System V and POSIX.

use std::time::Duration;

use libc::{
    SYS_fstat, SYS_lseek, SYS_mq_timedreceive, SYS_mq_timedsend, SYS_msgctl, SYS_msgget,
    SYS_msgrcv, SYS_msgsnd, SYS_openat, SYS_prlimit64, SYS_read, SYS_statx,
};
use unipc::mq::{Change, SystemV, TYPE_SIZE, Want, limits, usage};
use unipc::{MessageQueue, Result, Timeout};

use super::{ANY, Case, Room, Yard};

const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const SOON: Timeout = Timeout::After(Duration::from_millis(2));

/// What is only looked up for a better text, or for a number that may be missing.
const LOOK: &[(i64, i32)] =
    &[(SYS_openat, ANY), (SYS_read, ANY), (SYS_statx, ANY), (SYS_lseek, ANY), (SYS_prlimit64, ANY)];

fn posix(yard: &Yard) -> MessageQueue {
    let options = MessageQueue::options().max_messages(2).max_size(64).remove_on_drop(true);
    options.create(yard.posix("queue")).expect("the name is free")
}

fn system_v(yard: &Yard) -> MessageQueue {
    MessageQueue::options().remove_on_drop(true).create(yard.key(1)).expect("the key is free")
}

/// A creation: a failure must have left nothing, and success what it promises.
fn creating(
    yard: &mut Yard,
    name: String,
    create: fn(&str) -> Result<MessageQueue>,
) -> Box<dyn FnMut() -> Result<()>> {
    let (same, end) = (name.clone(), name.clone());
    yard.check(move |result| {
        let there = MessageQueue::unlink(same.as_str()).is_ok();
        (result.is_ok() != there).then(|| format!("{result:?}, and there: {there}"))
    });
    yard.at_end(move || drop(MessageQueue::unlink(end.as_str())));
    Box::new(move || create(&name).map(drop))
}

fn create(name: &str) -> Result<MessageQueue> {
    MessageQueue::create(name)
}

fn small(name: &str) -> Result<MessageQueue> {
    MessageQueue::options().max_messages(2).max_size(64).create(name)
}

fn replace(name: &str) -> Result<MessageQueue> {
    MessageQueue::options().replace(true).max_messages(2).max_size(64).create(name)
}

fn open_or_create(name: &str) -> Result<MessageQueue> {
    MessageQueue::open_or_create(name)
}

/// In and out again: whatever fails, no message is lost and none comes twice.
fn through(
    yard: &mut Yard,
    queue: MessageQueue,
    timeout: Timeout,
) -> Box<dyn FnMut() -> Result<()>> {
    exchange(
        yard,
        queue,
        move |queue| queue.send(1, b"message", timeout),
        move |queue| queue.receive(Want::Any, timeout).map(|message| message.data),
    )
}

fn through_in_a_msgbuf(
    yard: &mut Yard,
    queue: MessageQueue,
    timeout: Timeout,
) -> Box<dyn FnMut() -> Result<()>> {
    let msgbuf = [&libc::c_long::to_ne_bytes(1), &b"message"[..]].concat();
    exchange(
        yard,
        queue,
        move |queue| queue.send_msgbuf(&msgbuf, timeout),
        move |queue| {
            let mut room = [0; TYPE_SIZE + 64];
            let received = queue.receive_msgbuf(Want::Any, &mut room, timeout)?;
            Ok(room[TYPE_SIZE..][..received.len].to_vec())
        },
    )
}

/// Sends a message, once, and receives it.
fn exchange(
    yard: &mut Yard,
    queue: MessageQueue,
    send: impl Fn(&MessageQueue) -> Result<()> + 'static,
    receive: impl Fn(&MessageQueue) -> Result<Vec<u8>> + 'static,
) -> Box<dyn FnMut() -> Result<()>> {
    let name = queue.name().to_string();
    let mut in_it = false;
    yard.check(move |result| {
        let queue = MessageQueue::open(name.as_str()).ok()?;
        let left = queue.messages().ok()?;
        // A send that failed has sent nothing; a receive that failed has taken nothing.
        (left > 1 || (result.is_ok() && left != 0)).then(|| format!("{left} messages in it"))
    });
    Box::new(move || {
        if !in_it {
            send(&queue)?;
            in_it = true;
        }
        let data = receive(&queue)?;
        in_it = false;
        assert_eq!(data, b"message");
        Ok(())
    })
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}

fn filled(queue: MessageQueue) -> MessageQueue {
    while queue.send(1, &[0; 64], Timeout::TRY).is_ok() {}
    queue
}

pub(super) const ROOM: Room = Room {
    name: "mq",
    cases: &[
        Case::new("create POSIX", |yard| creating(yard, yard.posix("new"), small)).forgives(LOOK),
        // Others have removed it, or made another one, meanwhile.
        Case::new("replace POSIX", |yard| creating(yard, yard.posix("new"), replace)).forgives(&[
            (libc::SYS_mq_unlink, libc::ENOENT),
            (libc::SYS_mq_open, libc::EEXIST),
            (SYS_openat, ANY),
            (SYS_read, ANY),
            (SYS_statx, ANY),
            (SYS_lseek, ANY),
        ]),
        Case::new("create by key", |yard| creating(yard, yard.key(2), create)),
        Case::new("open or create by key", |yard| creating(yard, yard.key(2), open_or_create))
            .forgives(&[(SYS_msgget, libc::ENOENT), (SYS_msgget, libc::EEXIST)]),
        Case::new("open POSIX", |yard| {
            let queue = posix(yard);
            let name = queue.name().to_string();
            yard.at_end(move || drop(queue));
            Box::new(move || MessageQueue::open(name.as_str()).map(drop))
        }),
        Case::new("open by key", |yard| {
            let (queue, name) = (system_v(yard), yard.key(1));
            yard.at_end(move || drop(queue));
            Box::new(move || MessageQueue::open(name.as_str()).map(drop))
        }),
        Case::new("open by identifier", |yard| {
            let queue = system_v(yard);
            let name = format!("sysv:id={}", queue.id().expect("System V"));
            yard.at_end(move || drop(queue));
            Box::new(move || MessageQueue::open(name.as_str()).map(drop))
        }),
        Case::new("open an owned one by key", |yard| {
            let (queue, name) = (system_v(yard), yard.key(1));
            yard.at_end(move || drop(queue));
            Box::new(move || MessageQueue::options().own_only(true).open(name.as_str()).map(drop))
        })
        // A queue that cannot be read is looked up in the list, and one that has just gone is looked for again.
        .forgives(&[
            (SYS_msgctl, libc::EACCES),
            (SYS_msgctl, libc::EINVAL),
            (SYS_msgctl, libc::EIDRM),
        ]),
        Case::new("through POSIX, a try", |yard| {
            let queue = posix(yard);
            through(yard, queue, Timeout::TRY)
        })
        .translates(&[
            (SYS_mq_timedsend, libc::ETIMEDOUT, libc::EAGAIN),
            (SYS_mq_timedreceive, libc::ETIMEDOUT, libc::EAGAIN),
        ]),
        Case::new("through POSIX, for ever", |yard| {
            let queue = posix(yard);
            through(yard, queue, Timeout::Forever)
        })
        .forgives(&[(SYS_mq_timedsend, libc::EAGAIN), (SYS_mq_timedreceive, libc::EAGAIN)]),
        Case::new("through POSIX, with a limit", |yard| {
            let queue = posix(yard);
            through(yard, queue, LONG)
        })
        .forgives(&[
            (SYS_mq_timedsend, libc::EAGAIN),
            (SYS_mq_timedsend, libc::ETIMEDOUT),
            (SYS_mq_timedreceive, libc::EAGAIN),
            (SYS_mq_timedreceive, libc::ETIMEDOUT),
        ]),
        Case::new("through System V, a try", |yard| {
            let queue = system_v(yard);
            through(yard, queue, Timeout::TRY)
        })
        .forgives(&[(SYS_msgrcv, libc::E2BIG)])
        .translates(&[(SYS_msgrcv, libc::ENOMSG, libc::EAGAIN)]),
        Case::new("through System V, for ever", |yard| {
            let queue = system_v(yard);
            through(yard, queue, Timeout::Forever)
        })
        .forgives(&[
            (SYS_msgsnd, libc::EAGAIN),
            (SYS_msgrcv, libc::E2BIG),
            (SYS_msgrcv, libc::ENOMSG),
        ]),
        Case::new("through System V, with a limit", |yard| {
            let queue = system_v(yard);
            through(yard, queue, LONG)
        })
        .forgives(&[
            (SYS_msgsnd, libc::EAGAIN),
            (SYS_msgrcv, libc::E2BIG),
            (SYS_msgrcv, libc::ENOMSG),
        ]),
        Case::new("a msgbuf through System V, a try", |yard| {
            let queue = system_v(yard);
            through_in_a_msgbuf(yard, queue, Timeout::TRY)
        })
        .translates(&[(SYS_msgrcv, libc::ENOMSG, libc::EAGAIN)]),
        Case::new("a msgbuf through System V, with a limit", |yard| {
            let queue = system_v(yard);
            through_in_a_msgbuf(yard, queue, LONG)
        })
        .forgives(&[(SYS_msgsnd, libc::EAGAIN), (SYS_msgrcv, libc::ENOMSG)]),
        Case::new("wait at an empty POSIX queue", |yard| {
            let queue = posix(yard);
            Box::new(move || in_vain(queue.receive(Want::Any, SOON)))
        })
        .forgives(&[(SYS_mq_timedreceive, libc::EAGAIN), (SYS_mq_timedreceive, libc::ETIMEDOUT)]),
        Case::new("wait at a full POSIX queue", |yard| {
            let queue = filled(posix(yard));
            Box::new(move || in_vain(queue.send(1, b"", SOON)))
        })
        .forgives(&[(SYS_mq_timedsend, libc::EAGAIN), (SYS_mq_timedsend, libc::ETIMEDOUT)]),
        Case::new("wait at an empty System V queue", |yard| {
            let queue = system_v(yard);
            Box::new(move || in_vain(queue.receive(Want::Any, SOON)))
        })
        .forgives(&[(SYS_msgrcv, libc::ENOMSG), (SYS_msgrcv, libc::E2BIG)]),
        Case::new("wait at a full System V queue", |yard| {
            let queue = filled(system_v(yard));
            Box::new(move || in_vain(queue.send(1, &[0; 64], SOON)))
        })
        .forgives(&[(SYS_msgsnd, libc::EAGAIN), (SYS_msgctl, ANY)]),
        Case::new("peek", |yard| {
            let queue = system_v(yard);
            queue.send(1, b"message", LONG).expect("there is room");
            Box::new(move || queue.peek(0).map(drop))
        })
        .forgives(&[(SYS_msgrcv, libc::ENOMSG), (SYS_msgrcv, libc::E2BIG)])
        .translates(&[(SYS_msgrcv, libc::ENOSYS, libc::EOPNOTSUPP)]),
        Case::new("count and describe POSIX", |yard| {
            let queue = posix(yard);
            Box::new(move || queue.messages().and_then(|_| queue.posix_stat()).map(drop))
        })
        // The bytes and the notification are told by the file alone, and may be missing.
        .forgives(&[(libc::SYS_pread64, ANY)]),
        Case::new("count and describe System V", |yard| {
            let queue = system_v(yard);
            let id = queue.system_v().expect("System V");
            Box::new(move || queue.messages().and_then(|_| id.stat()).map(drop))
        }),
        Case::new("set", |yard| {
            let queue = system_v(yard);
            let id = queue.system_v().expect("System V");
            yard.at_end(move || drop(queue));
            let change = Change { mode: Some(0o640), max_bytes: Some(100), ..Change::default() };
            Box::new(move || id.set(change))
        })
        // Whoever may not read it is shown by the list what it is like.
        .forgives(&[(SYS_msgctl, libc::EACCES)]),
        Case::new("list", |yard| {
            let queue = system_v(yard);
            yard.at_end(move || drop(queue));
            Box::new(|| SystemV::list().map(drop))
        })
        // A queue that goes away meanwhile. And how many slots there are to look at changes from run to run, so that not
        // every call is made every time.
        .forgives(&[(SYS_msgctl, ANY)]),
        Case::new("limits and usage", |_| Box::new(|| limits().and_then(|_| usage()).map(drop)))
            .forgives(LOOK),
        Case::new("ask for a signal and not", |yard| {
            let queue = posix(yard);
            Box::new(move || {
                queue.notify_signal(libc::SIGWINCH, 0)?;
                queue.cancel_notification()
            })
        })
        .once(),
        Case::new("ask for a thread and not", |yard| {
            let queue = posix(yard);
            Box::new(move || {
                queue.notify_thread(|| ())?;
                queue.cancel_notification()
            })
        })
        .once()
        // The C library has an older call, and calls it EAGAIN that there is no memory.
        .forgives(&[(libc::SYS_clone3, libc::ENOSYS)])
        .translates(&[(libc::SYS_clone3, ANY, libc::EAGAIN)]),
        Case::new("receive into a buffer, and a part", |yard| {
            let queue = posix(yard);
            let mut sent = 0;
            Box::new(move || {
                while sent < 2 {
                    queue.send(1, b"message", LONG)?;
                    sent += 1;
                }
                let mut room = [0; 64];
                assert_eq!(queue.receive_into(Want::Any, &mut room, LONG)?.len, 7);
                sent -= 1;
                queue.receive_truncated(Want::Any, &mut room[..3], LONG)?;
                sent -= 1;
                assert_eq!(&room[..3], b"mes");
                queue.max_size().map(drop)
            })
        })
        .forgives(&[
            (SYS_mq_timedsend, libc::EAGAIN),
            (SYS_mq_timedsend, libc::ETIMEDOUT),
            (SYS_mq_timedreceive, libc::EAGAIN),
            (SYS_mq_timedreceive, libc::ETIMEDOUT),
        ]),
        Case::new("unlink POSIX", |yard| {
            let queue = posix(yard);
            let name = queue.name().to_string();
            yard.at_end(move || drop(queue));
            Box::new(move || MessageQueue::unlink(name.as_str()))
        }),
        Case::new("unlink by key", |yard| {
            let (queue, name) = (system_v(yard), yard.key(1));
            yard.at_end(move || drop(queue));
            Box::new(move || MessageQueue::unlink(name.as_str()))
        })
        // It was removed between the two calls, and is looked for again.
        .forgives(&[(SYS_msgctl, libc::EINVAL), (SYS_msgctl, libc::EIDRM)]),
        Case::new("remove POSIX", |yard| {
            let queue = posix(yard);
            Box::new(move || queue.remove())
        })
        .translates(&[(libc::SYS_mq_unlink, libc::ENOENT, libc::ESTALE)]),
        Case::new("remove System V", |yard| {
            let queue = system_v(yard);
            Box::new(move || queue.remove())
        }),
    ],
    forgives: &[(SYS_fstat, libc::EINTR)],
    translates: &[],
    impossible: &[],
};

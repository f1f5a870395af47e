// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals: what is sent to this very process, or read of it.

use std::time::Duration;

use unipc::signal::{self, Counter, PidFd, Set, Signal, Stream};
use unipc::{Result, Timeout};

use super::{ANY, Act, Case, Room};

const SHORT: Timeout = Timeout::After(Duration::from_millis(2));

pub(super) const ROOM: Room = Room {
    name: "signal",
    cases: &[
        Case::new("send", |_| Box::new(|| signal::send(me(), Signal::URG))),
        Case::new("queue", |_| Box::new(|| signal::queue(me(), Signal::URG, 1))),
        Case::new("send_thread", |_| Box::new(|| signal::send_thread(me(), me(), Signal::URG))),
        Case::new("queue_thread", |_| {
            Box::new(|| signal::queue_thread(me(), me(), Signal::URG, 1))
        }),
        Case::new("raise", |_| Box::new(|| signal::raise(Signal::URG))),
        Case::new("pidfd", |_| {
            // A leader of a group, whose only process it is.
            become_leader();
            Box::new(by_descriptor)
        })
        // A thread's number, as the kernel says it.
        .translates(&[
            (libc::SYS_pidfd_open, libc::ENOENT, libc::EINVAL),
            (libc::SYS_pidfd_send_signal, libc::EINVAL, libc::EOPNOTSUPP),
        ]),
        Case::new("pidfd: is_alive", |_| {
            let process = PidFd::open(me()).expect("it runs");
            Box::new(move || process.is_alive().map(drop))
        })
        .forgives(IS_A_PROCESS),
        Case::new("pidfd of one who was started then", |_| {
            let started = signal::start_time(me()).expect("it runs");
            Box::new(move || {
                let process = PidFd::open_started(me(), started)?;
                assert_eq!(process.pid()?, Some(me()));
                Ok(())
            })
        })
        .forgives(STARTED)
        .translates(&[
            (libc::SYS_pidfd_open, libc::ENOENT, libc::EINVAL),
            (libc::SYS_openat, ANY, libc::ESRCH),
            (libc::SYS_read, ANY, libc::ESRCH),
        ]),
        Case::new("probe, send_group", |_| {
            become_leader();
            Box::new(|| {
                signal::probe(me())?;
                signal::send_group(me(), Signal::URG)
            })
        }),
        Case::new("stat", |_| Box::new(|| signal::stat(me()).map(drop)))
            .forgives(SIZE_HINT)
            .translates(&[(libc::SYS_openat, libc::ENOENT, libc::ESRCH)]),
        Case::new("start_time", |_| Box::new(|| signal::start_time(me()).map(drop)))
            .forgives(SIZE_HINT)
            .translates(&[
                (libc::SYS_openat, ANY, libc::ESRCH),
                (libc::SYS_read, ANY, libc::ESRCH),
            ]),
        Case::new("block", |_| Box::new(|| signal::block(set()).map(drop))),
        Case::new("pending", |_| Box::new(|| signal::pending().map(drop))),
        Case::new("wait", |_| harmless(waits))
            // What the kernel says when the time is over.
            .translates(&[(libc::SYS_rt_sigtimedwait, libc::EAGAIN, libc::ETIMEDOUT)]),
        Case::new("stream read", |_| harmless(reads)).forgives(&[(libc::SYS_read, libc::EAGAIN)]),
        Case::new("stream read_many", |_| harmless(reads_many))
            // What was taken before the failure is given, and the next call tells it.
            .forgives(&[(libc::SYS_read, libc::EAGAIN), (libc::SYS_read, libc::EIO)]),
        Case::new("stream change", |_| {
            Box::new(|| Stream::open_keeping_mask(set())?.change(Set::from(Signal::URG)))
        }),
        Case::new("counter", |_| Box::new(counts))
            // Nobody is there to be told when the counter goes. The handler wakes, but what it counted is seen anyway.
            .forgives(&[
                (libc::SYS_rt_sigaction, ANY),
                (libc::SYS_read, libc::EAGAIN),
                (libc::SYS_write, ANY),
            ]),
        Case::new("set_action", |_| Box::new(acts)),
    ],
    forgives: &[],
    translates: &[],
    impossible: &[],
};

fn me() -> i32 {
    std::process::id().cast_signed()
}

fn data() -> Signal {
    Signal::realtime_min()
}

fn set() -> Set {
    Set::from(data())
}

/// It was asked whether it is a descriptor of a process, which all of these say, and the last does not deny.
const IS_A_PROCESS: &[(i64, i32)] = &[
    (libc::SYS_pidfd_send_signal, libc::EAGAIN),
    (libc::SYS_pidfd_send_signal, libc::EPERM),
    (libc::SYS_pidfd_send_signal, libc::ESRCH),
    (libc::SYS_pidfd_send_signal, libc::ENOSYS),
];

/// `read_to_string` asks for the size only to take room for it.
const SIZE_HINT: &[(i64, i32)] = &[(libc::SYS_statx, ANY)];

/// Both.
const STARTED: &[(i64, i32)] =
    &[SIZE_HINT[0], IS_A_PROCESS[0], IS_A_PROCESS[1], IS_A_PROCESS[2], IS_A_PROCESS[3]];

#[allow(unsafe_code, reason = "a call of C without pointers")]
fn become_leader() {
    // SAFETY: takes two integers.
    assert_eq!(unsafe { libc::setpgid(0, 0) }, 0);
}

/// What a failure leaves pending does nothing when the mask is given back.
fn harmless(act: fn() -> Result<()>) -> Act {
    signal::ignore(data()).expect("it can be ignored");
    Box::new(act)
}

fn by_descriptor() -> Result<()> {
    let process = PidFd::open(me())?;
    process.send(Signal::URG)?;
    process.queue(Signal::URG, 1)?;
    process.send_group(Signal::URG)
}

fn waits() -> Result<()> {
    let _blocked = signal::block(set())?;
    signal::send_thread(me(), me(), data())?;
    signal::wait(set(), SHORT).map(drop)
}

fn reads() -> Result<()> {
    let stream = Stream::open(set())?;
    signal::send_thread(me(), me(), data())?;
    stream.read(SHORT).map(drop)
}

fn reads_many() -> Result<()> {
    let stream = Stream::open(set())?;
    signal::send_thread(me(), me(), data())?;
    stream.read_many(2, SHORT).map(drop)
}

fn counts() -> Result<()> {
    let counter = Counter::open(Set::from(Signal::URG))?;
    signal::raise(Signal::URG)?;
    counter.wait(SHORT)?;
    counter.take().map(drop)
}

fn acts() -> Result<()> {
    signal::ensure_unhandled(Signal::URG)?;
    signal::action(Signal::URG)?;
    let before = signal::ignore(Signal::URG)?;
    signal::set_action(Signal::URG, before).map(drop)
}

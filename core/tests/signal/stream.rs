// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as a stream with a descriptor.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use unipc::Timeout;
use unipc::signal::{self, Set, Signal, Stream};

use crate::storm::Storm;
use crate::{SOON, asleep, drop_inherited, ended_well, me, rt, solo, start};

/// `F_SETSIG`, which the libc crate lacks here: with which signal a descriptor tells.
const F_SETSIG: i32 = 10;

fn is_readable(stream: &Stream) -> bool {
    let mut polled = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).unwrap() == 1
}

#[test]
fn it_polls_and_gives_what_a_wait_gives() {
    solo("stream::it_polls_and_gives_what_a_wait_gives", || {
        let before = signal::mask().unwrap();
        let set = Set::from([Signal::USR1, Signal::CHLD, rt(0)]);
        let stream = Stream::open(set).unwrap();
        assert_eq!((stream.set(), signal::mask().unwrap()), (set, before | set));
        assert!(!is_readable(&stream));
        assert_eq!(stream.read(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        assert_eq!(stream.read_many(3, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        assert_eq!(stream.read_many(0, Timeout::TRY).unwrap_err().errno(), libc::EINVAL);

        signal::queue(me(), rt(0), -3).unwrap();
        signal::queue(me(), rt(0), 4).unwrap();
        let child = start(|| {
            // SAFETY: takes nothing.
            signal::send(unsafe { libc::getppid() }, Signal::USR1).unwrap();
            // SAFETY: ends this process at once.
            unsafe { libc::_exit(9) }
        });
        crate::ended(child);
        assert!(is_readable(&stream));
        // The same five fields, by either way of reading, in one order.
        let first = stream.read(SOON).unwrap();
        assert_eq!((first.signal, first.cause(), first.pid), (Signal::USR1, "SI_USER", child));
        let rest = stream.read_many(10, SOON).unwrap();
        let told = rest.iter().map(|it| (it.signal, it.cause(), it.pid, it.value.int(), it.status));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (Signal::CHLD, "CLD_EXITED", child, 0, 9),
                (rt(0), "SI_QUEUE", me(), -3, 0),
                (rt(0), "SI_QUEUE", me(), 4, 0),
            ]
        );
        assert!(!is_readable(&stream));
        drop(stream);
        assert_eq!(signal::mask().unwrap(), before);
    });
}

#[test]
fn many_are_read_in_several_gulps() {
    solo("stream::many_are_read_in_several_gulps", || {
        let stream = Stream::open(Set::from(rt(1))).unwrap();
        for value in 0..100 {
            signal::queue(me(), rt(1), value).unwrap();
        }
        let values = |infos: Vec<signal::Info>| infos.iter().map(|it| it.value.int()).collect();
        let first: Vec<i32> = values(stream.read_many(70, SOON).unwrap());
        assert_eq!(first, (0..70).collect::<Vec<_>>());
        let rest: Vec<i32> = values(stream.read_many(usize::MAX, SOON).unwrap());
        assert_eq!(rest, (70..100).collect::<Vec<_>>());
    });
}

#[test]
fn both_ways_of_reading_have_a_time_limit() {
    let set = Set::from(rt(6));
    let stream = Stream::open(set).unwrap();
    let limit = Duration::from_millis(20);
    let started = Instant::now();
    assert_eq!(stream.read(Timeout::After(limit)).unwrap_err().errno(), libc::ETIMEDOUT);
    assert!(started.elapsed() >= limit);
    let started = Instant::now();
    assert_eq!(stream.read_many(2, Timeout::After(limit)).unwrap_err().errno(), libc::ETIMEDOUT);
    assert!(started.elapsed() >= limit);
}

#[test]
fn the_set_changes_and_the_mask_follows() {
    solo("stream::the_set_changes_and_the_mask_follows", || {
        let before = signal::mask().unwrap();
        let stream = Stream::open(Set::from(Signal::USR1)).unwrap();
        stream.change(Set::from(Signal::USR2)).unwrap();
        signal::raise(Signal::USR2).unwrap();
        assert_eq!(stream.read(SOON).unwrap().signal, Signal::USR2);
        assert_eq!(stream.change(Set::EMPTY).unwrap_err().errno(), libc::EINVAL);
        assert_eq!(stream.set(), Set::from(Signal::USR2));
        // What it has blocked once, it unblocks at its end.
        assert_eq!(signal::mask().unwrap(), before | Signal::USR1 | Signal::USR2);
        drop(stream);
        assert_eq!(signal::mask().unwrap(), before);

        let _mine = signal::block(Set::from(Signal::HUP)).unwrap();
        drop(Stream::open(Set::from([Signal::HUP, Signal::USR1])).unwrap());
        assert_eq!(signal::mask().unwrap(), before | Signal::HUP, "it was blocked before");
        let keeping = Stream::open_keeping_mask(Set::from(Signal::USR1)).unwrap();
        keeping.change(Set::from(Signal::USR2)).unwrap();
        assert_eq!(signal::mask().unwrap(), before | Signal::HUP);
    });
}

#[test]
fn dropped_elsewhere_it_leaves_the_masks_alone() {
    solo("stream::dropped_elsewhere_it_leaves_the_masks_alone", || {
        let stream = Stream::open(Set::from(Signal::USR1)).unwrap();
        let there = std::thread::spawn(move || {
            drop(stream);
            signal::mask().unwrap()
        })
        .join()
        .unwrap();
        assert!(there.contains(Signal::USR1), "inherited, and not this thread's to change");
        assert!(signal::mask().unwrap().contains(Signal::USR1));
    });
}

#[test]
fn a_child_of_fork_takes_its_own() {
    solo("stream::a_child_of_fork_takes_its_own", || {
        let stream = Stream::open(Set::from(rt(2))).unwrap();
        signal::queue(me(), rt(2), 1).unwrap();
        let child = start(|| {
            // What waits for the parent does not wait for the child.
            assert_eq!(stream.read(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
            assert_eq!(stream.read_many(1, SOON).unwrap()[0].value.int(), 2);
            assert_eq!(stream.read(SOON).unwrap().value.int(), 3);
            // Closing it gives the child its mask back, too: the thread is the same.
            drop_inherited(&stream);
            assert!(!signal::mask().unwrap().contains(rt(2)));
        });
        asleep(child);
        signal::queue(child, rt(2), 2).unwrap();
        signal::queue(child, rt(2), 3).unwrap();
        ended_well(child);
        assert_eq!(stream.read(Timeout::TRY).unwrap().value.int(), 1);
    });
}

#[test]
fn threads_share_it_and_each_signal_is_taken_once() {
    solo("stream::threads_share_it_and_each_signal_is_taken_once", || {
        const EACH: i32 = 500;
        let stream = Stream::open(Set::from([rt(0), rt(1)])).unwrap();
        let mut taken: Vec<i32> = std::thread::scope(|scope| {
            let take = || {
                let mut mine = Vec::new();
                loop {
                    let info = stream.read(SOON).unwrap();
                    if info.signal == rt(1) {
                        return mine;
                    }
                    mine.push(info.value.int());
                }
            };
            let takers: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            for value in 0..4 * EACH {
                signal::queue(me(), rt(0), value).unwrap();
            }
            for _ in 0..4 {
                signal::queue(me(), rt(1), 0).unwrap();
            }
            takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect()
        });
        taken.sort_unstable();
        assert_eq!(taken, (0..4 * EACH).collect::<Vec<_>>());
    });
}

#[test]
fn a_storm_interrupts_both_ways_of_reading() {
    solo("stream::a_storm_interrupts_both_ways_of_reading", || {
        let stream = Stream::open(Set::from(rt(0))).unwrap();
        let _storm = Storm::new();
        // The alarm lets the storm go on for a while.
        let limit = Timeout::After(Duration::from_millis(50));
        assert_eq!(stream.read(limit).unwrap_err().errno(), libc::EINTR);
        assert_eq!(stream.read_many(2, limit).unwrap_err().errno(), libc::EINTR);
        signal::queue(me(), rt(0), 1).unwrap();
        assert_eq!(stream.read_many(2, limit).unwrap().len(), 1);
    });
}

#[test]
fn the_descriptor_closes_on_exec_and_never_blocks() {
    let stream = Stream::open(Set::from(rt(9))).unwrap();
    let flags = fcntl(stream.as_fd(), FcntlArg::F_GETFD).unwrap();
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    let flags = fcntl(stream.as_fd(), FcntlArg::F_GETFL).unwrap();
    assert_eq!(flags & libc::O_NONBLOCK, libc::O_NONBLOCK);
    for nothing in [Set::EMPTY, Set::from([Signal::KILL, Signal::STOP])] {
        assert_eq!(Stream::open(nothing).unwrap_err().errno(), libc::EINVAL);
    }
}

#[test]
fn what_another_stream_of_the_thread_still_wants_stays_blocked() {
    solo("stream::what_another_stream_of_the_thread_still_wants_stays_blocked", || {
        let before = signal::mask().unwrap();
        let first = Stream::open(Set::from([Signal::USR1, Signal::USR2])).unwrap();
        let second = Stream::open(Set::from(Signal::HUP)).unwrap();
        second.change(Set::from([Signal::USR1, Signal::HUP])).unwrap();
        drop(first);
        let wanted = Set::from([Signal::USR1, Signal::HUP]);
        assert_eq!(signal::mask().unwrap(), before | wanted);
        // It would end this process.
        signal::raise(Signal::USR1).unwrap();
        assert_eq!(second.read(SOON).unwrap().signal, Signal::USR1);
        // One that another thread has dropped wants nothing any more.
        let moved = Stream::open(Set::from(Signal::HUP)).unwrap();
        std::thread::scope(|threads| drop(threads.spawn(|| drop(moved)).join()));
        assert_eq!(signal::mask().unwrap(), before | wanted);
        drop(second);
        assert_eq!(signal::mask().unwrap(), before);
        // What such a one has blocked stays so, whoever comes later.
        let moved = Stream::open(Set::from(Signal::HUP)).unwrap();
        std::thread::scope(|threads| drop(threads.spawn(|| drop(moved)).join()));
        drop(Stream::open(Set::from(Signal::HUP)).unwrap());
        assert_eq!(signal::mask().unwrap(), before | Signal::HUP);
    });
}

#[test]
fn a_descriptor_is_told_by_whatever_signal_its_owner_has_chosen() {
    solo("stream::a_descriptor_is_told_by_whatever_signal_its_owner_has_chosen", || {
        let (end, other) = nix::unistd::pipe().unwrap();
        let set = |command, number: i32| {
            // SAFETY: takes integers.
            assert_eq!(unsafe { libc::fcntl(end.as_raw_fd(), command, number) }, 0);
        };
        set(libc::F_SETOWN, me());
        set(libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK);
        for chosen in [Signal::IO, Signal::USR1, rt(3), Signal::CHLD] {
            let stream = Stream::open(Set::from(chosen)).unwrap();
            set(F_SETSIG, chosen.number());
            let readable = (libc::POLLIN | libc::POLLRDNORM) as u32;
            let cause = if chosen == Signal::CHLD { "SI_SIGIO" } else { "POLL_IN" };
            for wait in [true, false] {
                nix::unistd::write(&other, b"x").unwrap();
                let told = if wait {
                    signal::wait(Set::from(chosen), SOON).unwrap()
                } else {
                    stream.read(SOON).unwrap()
                };
                assert_eq!((told.cause(), told.fd, told.band), (cause, end.as_raw_fd(), readable));
                assert_eq!((told.pid, told.uid, told.value.int()), (0, 0, 0));
                nix::unistd::read(&end, &mut [0]).unwrap();
            }
        }
    });
}

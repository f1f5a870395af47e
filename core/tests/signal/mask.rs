// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blocking, what is pending, waiting.

use std::time::{Duration, Instant};

use unipc::signal::{self, Set, Signal};
use unipc::{ErrorKind, Timeout};

use crate::storm::Storm;
use crate::{SOON, asleep, ended_well, me, rt, solo, start};

#[test]
fn masks_come_back_in_the_reverse_order() {
    let before = signal::mask().unwrap();
    {
        let outer = signal::block(Set::from([Signal::USR1, Signal::USR2])).unwrap();
        assert_eq!(outer.before(), before);
        {
            let _inner = signal::unblock(Set::from(Signal::USR2)).unwrap();
            assert_eq!(signal::mask().unwrap(), before | Signal::USR1);
            let _only = signal::set_mask(Set::from(rt(0))).unwrap();
            assert_eq!(signal::mask().unwrap(), Set::from(rt(0)));
        }
        assert_eq!(signal::mask().unwrap(), before | Signal::USR1 | Signal::USR2);
        // Unwinding gives it back, too.
        let _ = std::panic::catch_unwind(|| {
            let _all = signal::block(Set::full()).unwrap();
            std::panic::resume_unwind(Box::new(()));
        });
        assert_eq!(signal::mask().unwrap(), before | Signal::USR1 | Signal::USR2);
    }
    assert_eq!(signal::mask().unwrap(), before);
}

#[test]
fn a_mask_is_one_threads_and_what_it_starts_inherits_it() {
    let _blocked = signal::block(Set::from(Signal::WINCH)).unwrap();
    let (inherited, changed) = std::thread::spawn(|| {
        let inherited = signal::mask().unwrap();
        signal::block(Set::from(Signal::URG)).unwrap().keep();
        (inherited, signal::mask().unwrap())
    })
    .join()
    .unwrap();
    assert!(inherited.contains(Signal::WINCH));
    assert_eq!(changed, inherited | Signal::URG);
    assert!(!signal::mask().unwrap().contains(Signal::URG));
}

#[test]
fn what_cannot_be_blocked_is_not() {
    let _blocked = signal::block(Set::from_bits(u64::MAX)).unwrap();
    let mask = signal::mask().unwrap();
    assert_eq!(mask, Set::full() - Signal::KILL - Signal::STOP);
    // As the kernel tells it.
    assert_eq!(signal::stat(0).unwrap().blocked, mask);
}

#[test]
fn three_standard_ones_merge_and_three_real_time_ones_do_not() {
    solo("mask::three_standard_ones_merge_and_three_real_time_ones_do_not", || {
        let set = Set::from([Signal::USR1, rt(1)]);
        let blocked = signal::block(set).unwrap();
        assert_eq!(signal::pending().unwrap(), Set::EMPTY);
        for _ in 0..3 {
            signal::send(me(), Signal::USR1).unwrap();
            signal::send(me(), rt(1)).unwrap();
        }
        assert_eq!(signal::pending().unwrap(), set);
        assert_eq!(signal::stat(0).unwrap().shared_pending, set);
        let mut came = Vec::new();
        while let Ok(info) = signal::wait(set, Timeout::TRY) {
            assert_eq!((info.pid, info.cause()), (me(), "SI_USER"));
            came.push(info.signal);
        }
        assert_eq!(came, [Signal::USR1, rt(1), rt(1), rt(1)]);
        assert_eq!(signal::pending().unwrap(), Set::EMPTY);
        drop(blocked);
    });
}

#[test]
fn lowest_numbers_come_first_and_each_in_its_order() {
    solo("mask::lowest_numbers_come_first_and_each_in_its_order", || {
        let _blocked = signal::block(Set::realtime()).unwrap();
        let all: Vec<_> = Set::realtime().iter().collect();
        for value in 0..2 {
            for signal in all.iter().rev() {
                signal::queue(me(), *signal, value).unwrap();
            }
        }
        for signal in all {
            for value in 0..2 {
                let info = signal::wait(Set::realtime(), Timeout::TRY).unwrap();
                assert_eq!((info.signal, info.value.int()), (signal, value));
            }
        }
    });
}

#[test]
fn a_wait_ends_at_its_time_and_not_before() {
    let set = Set::from(rt(3));
    let _blocked = signal::block(set).unwrap();
    let (limit, started) = (Duration::from_millis(20), Instant::now());
    let error = signal::wait(set, Timeout::After(limit)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TimedOut);
    assert!(started.elapsed() >= limit);
    assert_eq!(error.to_string(), "wait({SIGRTMIN+3}): timed out (ETIMEDOUT)");
    assert_eq!(signal::wait(set, Timeout::TRY).unwrap_err().kind(), &ErrorKind::WouldBlock);
    for nothing in [Set::EMPTY, Set::from(Signal::KILL), Set::from_bits(1 << 31)] {
        assert_eq!(signal::wait(nothing, Timeout::Forever).unwrap_err().errno(), libc::EINVAL);
    }
}

#[test]
fn a_sleeper_is_woken_by_a_plain_sender() {
    solo("mask::a_sleeper_is_woken_by_a_plain_sender", || {
        let set = Set::from(rt(4));
        let _blocked = signal::block(set).unwrap();
        let receiver = start(|| {
            let info = signal::wait(set, SOON).unwrap();
            assert_eq!((info.pid, info.value.int(), info.cause()), (info.pid, 99, "SI_QUEUE"));
            // SAFETY: takes nothing.
            assert_eq!(info.pid, unsafe { libc::getppid() });
        });
        asleep(receiver);
        let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(99) };
        // SAFETY: takes integers.
        assert_eq!(unsafe { libc::sigqueue(receiver, rt(4).number(), value) }, 0);
        ended_well(receiver);
    });
}

#[test]
fn children_tell_how_they_ended() {
    solo("mask::children_tell_how_they_ended", || {
        let set = Set::from(Signal::CHLD);
        let _blocked = signal::block(set).unwrap();
        let exits = start(|| {
            // SAFETY: ends this process at once.
            unsafe { libc::_exit(7) }
        });
        let info = signal::wait(set, SOON).unwrap();
        assert_eq!((info.cause(), info.status, info.pid), ("CLD_EXITED", 7, exits));
        crate::ended(exits);
        let dies = start(|| signal::raise(Signal::KILL).unwrap());
        let info = signal::wait(set, SOON).unwrap();
        assert_eq!((info.cause(), info.status, info.pid), ("CLD_KILLED", libc::SIGKILL, dies));
        assert_eq!(info.uid, nix::unistd::getuid().as_raw());
        crate::ended(dies);
        let stops = start(|| signal::raise(Signal::STOP).unwrap());
        let info = signal::wait(set, SOON).unwrap();
        assert_eq!((info.cause(), info.status), ("CLD_STOPPED", libc::SIGSTOP));
        signal::send(stops, Signal::CONT).unwrap();
        let causes = [signal::wait(set, SOON).unwrap(), info].map(|info| info.cause());
        assert!(["CLD_CONTINUED", "CLD_EXITED"].contains(&causes[0]), "{causes:?}");
        ended_well(stops);
    });
}

#[test]
fn a_storm_interrupts_and_loses_nothing() {
    solo("mask::a_storm_interrupts_and_loses_nothing", || {
        let set = Set::from(rt(0));
        let _blocked = signal::block(set).unwrap();
        let _storm = Storm::new();
        let parent = me();
        let mut interrupted = 0;
        for round in 0..20 {
            let sender = start(|| {
                let pause = Duration::from_millis(5);
                let late = Instant::now() + pause;
                while Instant::now() < late {
                    std::thread::sleep(pause);
                }
                signal::queue(parent, rt(0), round).unwrap();
            });
            let info = loop {
                match signal::wait(set, SOON) {
                    Err(error) if error.errno() == libc::EINTR => interrupted += 1,
                    other => break other.unwrap(),
                }
            };
            assert_eq!((info.value.int(), info.pid), (round, sender));
            while nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(sender), None).is_err() {}
        }
        assert!(interrupted > 0, "the storm interrupts");
        assert_eq!(signal::pending().unwrap(), Set::EMPTY);
    });
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending to processes, groups and threads, with values, and up to the limit.

use nix::sys::wait::WaitStatus;
use unipc::signal::{self, Set, Signal, Value};
use unipc::{ErrorKind, Timeout};

use crate::{SOON, asleep, child, ended, ended_well, in_fork, me, own_queue, rt, solo, start};

#[test]
fn numbers_that_mean_groups_or_everybody_are_refused() {
    for pid in [0, -1, -me(), i32::MIN] {
        for sent in [
            signal::send(pid, Signal::URG),
            signal::queue(pid, rt(0), 1),
            signal::send_thread(pid, 1, Signal::URG),
            signal::send_thread(me(), pid, Signal::URG),
            signal::queue_thread(me(), pid, rt(0), 1),
            signal::probe(pid),
        ] {
            assert_eq!(sent.unwrap_err().errno(), libc::EINVAL, "{pid}");
        }
    }
    for group in [1, -1, -2, i32::MIN] {
        assert_eq!(signal::send_group(group, Signal::URG).unwrap_err().errno(), libc::EINVAL);
    }
}

#[test]
fn nobody_is_told_apart_from_somebody() {
    signal::probe(me()).unwrap();
    let gone = start(|| {});
    ended_well(gone);
    for error in [
        signal::probe(gone).unwrap_err(),
        signal::send(gone, Signal::TERM).unwrap_err(),
        signal::queue(gone, rt(1), 1).unwrap_err(),
        signal::send_thread(gone, gone, Signal::TERM).unwrap_err(),
        signal::queue_thread(gone, gone, Signal::TERM, 1).unwrap_err(),
        signal::send_group(gone, Signal::TERM).unwrap_err(),
    ] {
        assert_eq!(error.errno(), libc::ESRCH);
        let text = error.to_string();
        assert!(
            text.contains(&gone.to_string()) && text.contains("nobody has this number"),
            "{text}"
        );
    }
    let error = signal::send(gone, Signal::TERM).unwrap_err();
    assert!(error.to_string().starts_with(&format!("send(SIGTERM to {gone}): ")), "{error}");
}

#[test]
fn another_users_process_is_not_ours_to_signal() {
    if !child::is_root() {
        child::skip("another_users_process_is_not_ours_to_signal", "needs root to become nobody");
        return;
    }
    let parent = me();
    let status = in_fork(|| {
        // SAFETY: takes an integer.
        assert_eq!(unsafe { libc::setuid(65534) }, 0);
        let error = signal::send(parent, Signal::URG).unwrap_err();
        assert_eq!(error.errno(), libc::EPERM);
        assert!(error.advice().unwrap().contains("CAP_KILL"), "{error}");
        assert_eq!(signal::probe(parent).unwrap_err().errno(), libc::EPERM);
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
}

#[test]
fn a_group_gets_it_and_so_does_a_child_that_sleeps() {
    let sleeper = start(|| {
        loop {
            // SAFETY: takes nothing.
            unsafe { libc::pause() };
        }
    });
    // SAFETY: takes two integers.
    assert_eq!(unsafe { libc::setpgid(sleeper, sleeper) }, 0);
    asleep(sleeper);
    signal::send_group(sleeper, Signal::USR1).unwrap();
    assert!(matches!(ended(sleeper), WaitStatus::Signaled(_, nix::sys::signal::SIGUSR1, _)));
}

#[test]
fn raise_acts_before_it_returns_and_can_kill() {
    for (signal, expected) in [
        (Signal::TERM, nix::sys::signal::SIGTERM),
        (Signal::ABRT, nix::sys::signal::SIGABRT),
        (Signal::KILL, nix::sys::signal::SIGKILL),
    ] {
        let status = in_fork(|| {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: the limit is alive. No core files.
            unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
            signal::raise(signal).unwrap();
            // SAFETY: ends this process at once.
            unsafe { libc::_exit(0) }
        });
        assert!(matches!(status, WaitStatus::Signaled(_, got, _) if got == expected), "{status:?}");
    }
}

#[test]
fn a_thread_alone_gets_what_is_sent_to_it() {
    solo("send::a_thread_alone_gets_what_is_sent_to_it", || {
        let set = Set::from([Signal::USR1, rt(2)]);
        let _blocked = signal::block(set).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn(move || {
            tell.send(nix::unistd::gettid().as_raw()).unwrap();
            let one = signal::wait(set, SOON).unwrap();
            let other = signal::wait(set, SOON).unwrap();
            (one, other)
        });
        let thread = told.recv().unwrap();
        signal::send_thread(me(), thread, Signal::USR1).unwrap();
        signal::queue_thread(me(), thread, rt(2), -5).unwrap();
        // It is not there for this thread.
        assert_eq!(signal::wait(set, Timeout::TRY).unwrap_err().kind(), &ErrorKind::WouldBlock);
        let (one, other) = waiter.join().unwrap();
        assert_eq!((one.signal, one.cause(), one.pid), (Signal::USR1, "SI_TKILL", me()));
        assert_eq!((other.signal, other.cause(), other.value.int()), (rt(2), "SI_QUEUE", -5));
        let error = signal::send_thread(me(), thread, Signal::USR1).unwrap_err();
        assert_eq!(error.errno(), libc::ESRCH, "the thread has ended");
    });
}

#[test]
fn ten_thousand_values_come_in_order() {
    solo("send::ten_thousand_values_come_in_order", || {
        let set = Set::from(rt(0));
        let _blocked = signal::block(set).unwrap();
        let count = 10_000;
        if !own_queue("ten_thousand_values_come_in_order", 10_000) {
            return;
        }
        let parent = me();
        let sender = start(|| {
            for value in 0..count {
                signal::queue(parent, rt(0), value).unwrap();
            }
        });
        // All of them wait before the first is taken.
        ended_well(sender);
        assert_eq!(signal::stat(0).unwrap().queued, 10_000);
        for value in 0..count {
            let info = signal::wait(set, SOON).unwrap();
            assert_eq!((info.value, info.pid), (Value::from(value), sender));
        }
        assert_eq!(signal::wait(set, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    });
}

#[test]
fn pointers_and_ints_share_their_place() {
    solo("send::pointers_and_ints_share_their_place", || {
        let set = Set::from(rt(0));
        let _blocked = signal::block(set).unwrap();
        for value in [Value::from_pointer(usize::MAX - 1), Value::from(i32::MIN), Value::from(7)] {
            signal::queue(me(), rt(0), value).unwrap();
            assert_eq!(signal::wait(set, SOON).unwrap().value, value);
        }
        assert_eq!(Value::from_pointer(usize::MAX - 1).int(), -2);
        assert_eq!(Value::from(-1).pointer(), 0xffff_ffff);
    });
}

#[test]
fn the_limit_is_named_with_its_value() {
    solo("send::the_limit_is_named_with_its_value", || {
        let set = Set::from([rt(0), Signal::USR1]);
        let _blocked = signal::block(set).unwrap();
        let limit = 5;
        if !own_queue("the_limit_is_named_with_its_value", limit) {
            return;
        }
        assert_eq!(signal::stat(0).unwrap().queue_limit, limit);

        let mut accepted = 0;
        let error = loop {
            match signal::queue(me(), rt(0), accepted) {
                Ok(()) => accepted += 1,
                Err(error) => break error,
            }
            assert!(accepted < 100, "the limit holds");
        };
        assert_eq!(error.errno(), libc::EAGAIN);
        let text = error.to_string();
        assert!(
            text.contains(&format!("RLIMIT_SIGPENDING of the receiver is {limit}: ")),
            "{text}"
        );
        assert!(text.starts_with(&format!("queue(SIGRTMIN to {}): ", me())), "{text}");
        // A thread's queue and a descriptor meet the same limit.
        let to_thread = signal::queue_thread(me(), me(), rt(0), 0).unwrap_err();
        let by_descriptor = signal::PidFd::open(me()).unwrap().queue(rt(0), 0).unwrap_err();
        for error in [to_thread, by_descriptor] {
            assert_eq!(error.errno(), libc::EAGAIN);
            assert!(
                error
                    .to_string()
                    .contains(&format!("RLIMIT_SIGPENDING of the receiver is {limit}"))
            );
        }
        // What was accepted is there, and nothing else; and a plain signal needs no place in the queue.
        signal::send(me(), Signal::USR1).unwrap();
        assert_eq!(signal::wait(set, SOON).unwrap().signal, Signal::USR1);
        for value in 0..accepted {
            assert_eq!(signal::wait(set, SOON).unwrap().value.int(), value);
        }
        assert_eq!(accepted, 5);
        assert_eq!(signal::wait(set, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        signal::queue(me(), rt(0), 0).unwrap();
        signal::wait(set, SOON).unwrap();
    });
}

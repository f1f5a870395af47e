// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors of processes.

use std::os::fd::{AsFd, OwnedFd};

use nix::sys::wait::WaitStatus;
use unipc::signal::{self, PidFd, Set, Signal};

use crate::{SOON, child, ended, ended_well, in_fork, me, rt, solo, start};

fn sleeper() -> i32 {
    start(|| {
        loop {
            // SAFETY: takes nothing.
            unsafe { libc::pause() };
        }
    })
}

#[test]
fn a_process_that_has_ended_is_never_another_one() {
    let pid = sleeper();
    let process = PidFd::open(pid).unwrap();
    assert_eq!(process.pid().unwrap(), Some(pid));
    assert!(process.is_alive().unwrap());
    process.send(Signal::TERM).unwrap();
    assert!(matches!(ended(pid), WaitStatus::Signaled(_, nix::sys::signal::SIGTERM, _)));
    assert!(!process.is_alive().unwrap());
    assert_eq!(process.pid().unwrap(), None);
    for error in [
        process.send(Signal::TERM).unwrap_err(),
        process.queue(rt(0), 1).unwrap_err(),
        process.send_group(Signal::TERM).unwrap_err(),
        PidFd::open(pid).unwrap_err(),
    ] {
        assert_eq!(error.errno(), libc::ESRCH, "{error}");
    }
}

#[test]
fn a_descriptor_of_something_else_is_refused() {
    let others: [OwnedFd; 2] = [
        // Readable, as the descriptor of a process that has ended; and not, as of one that runs.
        std::fs::File::open("/dev/null").unwrap().into(),
        nix::unistd::pipe().unwrap().0,
    ];
    for other in others {
        let process = PidFd::from_fd(other.as_fd());
        for error in [
            process.send(Signal::TERM).unwrap_err(),
            process.queue(rt(0), 1).unwrap_err(),
            process.is_alive().unwrap_err(),
            process.pid().unwrap_err(),
        ] {
            assert_eq!(error.errno(), libc::EBADF, "{error}");
            assert!(error.to_string().contains("not the descriptor of a process"), "{error}");
        }
    }
}

#[test]
fn a_number_that_was_used_again_is_noticed() {
    let pid = sleeper();
    let started = signal::start_time(pid).unwrap();
    PidFd::open_started(pid, started).unwrap().send(Signal::CONT).unwrap();
    let error = PidFd::open_started(pid, started + 1).unwrap_err();
    assert_eq!(error.errno(), libc::ESRCH);
    assert!(error.to_string().contains("not since then"), "{error}");
    signal::send(pid, Signal::KILL).unwrap();
    // A zombie runs no more, and is not the one that was meant.
    let process = PidFd::open(pid).unwrap();
    while process.is_alive().unwrap() {
        std::thread::yield_now();
    }
    assert_eq!(PidFd::open_started(pid, started).unwrap_err().errno(), libc::ESRCH);
    ended(pid);
    assert_eq!(signal::start_time(pid).unwrap_err().errno(), libc::ESRCH);
    assert!(signal::start_time(me()).unwrap() >= started.saturating_sub(100_000_000));
}

#[test]
fn whatever_name_a_process_gives_itself_is_read_over() {
    solo("pidfd::whatever_name_a_process_gives_itself_is_read_over", || {
        let before = signal::start_time(me()).unwrap();
        // What looks like the fields that follow, and what is no text.
        for name in [c") R 1 (2 3", c"caf\xe9"] {
            // SAFETY: the name ends in NUL.
            unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
            assert_eq!(signal::start_time(me()).unwrap(), before);
            assert_eq!(signal::stat(me()).unwrap().blocked, signal::mask().unwrap());
            PidFd::open_started(me(), before).unwrap();
        }
    });
}

#[test]
fn what_is_no_process_is_refused() {
    assert_eq!(PidFd::open(0).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(PidFd::open(-1).unwrap_err().errno(), libc::EINVAL);
    let (tell, told) = std::sync::mpsc::channel();
    let (keep, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        tell.send(nix::unistd::gettid().as_raw()).unwrap();
        let _ = wait.recv();
    });
    let error = PidFd::open(told.recv().unwrap()).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert!(error.to_string().contains("a thread"), "{error}");
    drop(keep);
    thread.join().unwrap();
}

#[test]
fn the_descriptor_is_taken_over_and_closes_on_exec() {
    let process = PidFd::open(me()).unwrap();
    let flags = nix::fcntl::fcntl(process.as_fd(), nix::fcntl::FcntlArg::F_GETFD).unwrap();
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    let again = PidFd::from_fd(process.into_fd());
    assert_eq!(again.pid().unwrap(), Some(me()));
}

#[test]
fn values_and_the_sender_come_along() {
    solo("pidfd::values_and_the_sender_come_along", || {
        let set = Set::from([rt(5), Signal::USR2]);
        let _blocked = signal::block(set).unwrap();
        let parent = PidFd::open(me()).unwrap();
        let sender = start(|| {
            parent.queue(rt(5), 17).unwrap();
            parent.send(Signal::USR2).unwrap();
        });
        ended_well(sender);
        let plain = signal::wait(set, SOON).unwrap();
        assert_eq!((plain.signal, plain.cause(), plain.pid), (Signal::USR2, "SI_USER", sender));
        let queued = signal::wait(set, SOON).unwrap();
        assert_eq!((queued.signal, queued.cause(), queued.pid), (rt(5), "SI_QUEUE", sender));
        assert_eq!((queued.value.int(), queued.uid), (17, nix::unistd::getuid().as_raw()));
    });
}

#[test]
fn a_group_is_reached_through_its_leader() {
    let status = in_fork(|| {
        nix::unistd::setpgid(nix::unistd::Pid::this(), nix::unistd::Pid::this()).unwrap();
        let member = sleeper();
        let _ignored = signal::ignore(Signal::HUP).unwrap();
        let sent = PidFd::open(me()).unwrap().send_group(Signal::HUP);
        if sent.as_ref().is_err_and(|error| error.errno() == libc::EOPNOTSUPP) {
            child::skip("a_group_is_reached_through_its_leader", "needs Linux 6.9");
            signal::send(member, Signal::KILL).unwrap();
            return;
        }
        sent.unwrap();
        // The member was forked before, with the default.
        assert!(matches!(ended(member), WaitStatus::Signaled(_, nix::sys::signal::SIGHUP, _)));
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dispositions: default, ignore, what others have installed, and what /proc says of it.

use nix::sys::wait::WaitStatus;
use unipc::signal::{self, Action, ActionFlags, Counter, Disposition, Set, Signal};

use crate::storm::Storm;
use crate::{ended_well, in_fork, me, solo, start};

#[test]
fn ignored_and_default_and_back() {
    solo("action::ignored_and_default_and_back", || {
        let before = signal::ignore(Signal::TERM).unwrap();
        assert_eq!(before.disposition(), Disposition::Default);
        assert!(signal::stat(0).unwrap().ignored.contains(Signal::TERM));
        signal::raise(Signal::TERM).unwrap();
        // Children of fork ignore it, too.
        ended_well(start(|| signal::raise(Signal::TERM).unwrap()));
        assert_eq!(signal::reset(Signal::TERM).unwrap().disposition(), Disposition::Ignore);
        assert!(!signal::stat(0).unwrap().ignored.contains(Signal::TERM));
        let status = in_fork(|| signal::raise(Signal::TERM).unwrap());
        assert!(matches!(status, WaitStatus::Signaled(_, nix::sys::signal::SIGTERM, _)));
        signal::set_action(Signal::TERM, before).unwrap();
        assert_eq!(signal::action(Signal::TERM).unwrap(), before);
    });
}

#[test]
fn a_foreign_handler_is_told_kept_and_put_back() {
    solo("action::a_foreign_handler_is_told_kept_and_put_back", || {
        // SIGUSR1 a thousand times a second, with a handler that counts.
        let storm = Storm::new();
        let foreign = signal::action(Signal::USR1).unwrap();
        assert_eq!(foreign.disposition(), Disposition::Handler);
        assert!(foreign.handler() > 1);
        let error = signal::ensure_unhandled(Signal::USR1).unwrap_err();
        assert_eq!(error.errno(), libc::EBUSY);
        assert!(error.to_string().contains("a handler is installed"), "{error}");
        assert_eq!(signal::ignore(Signal::USR1).unwrap(), foreign);
        signal::ensure_unhandled(Signal::USR1).unwrap();
        signal::set_action(Signal::USR1, foreign).unwrap();
        let before = Storm::signals();
        while Storm::signals() == before {
            std::thread::yield_now();
        }
        drop(storm);
    });
}

#[test]
fn flags_reach_the_kernel() {
    solo("action::flags_reach_the_kernel", || {
        let flags = ActionFlags::NO_CHILD_WAIT | ActionFlags::NO_CHILD_STOP;
        signal::set_action(Signal::CHLD, Action::default().with_flags(flags)).unwrap();
        assert_eq!(signal::action(Signal::CHLD).unwrap().flags(), flags);
        let child = start(|| {});
        // No zombie is left: the wait lasts until the child is gone, and finds nobody.
        let waited = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(child), None);
        assert_eq!(waited, Err(nix::errno::Errno::ECHILD));
        assert_eq!(format!("{flags:?}"), "NO_CHILD_STOP | NO_CHILD_WAIT");
        assert_eq!(ActionFlags::from_bits(1 << 20), None);
    });
}

#[test]
fn what_nobody_may_change_is_an_error_that_says_so() {
    for signal in [Signal::KILL, Signal::STOP] {
        let error = signal::ignore(signal).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
        assert!(error.to_string().contains("nobody"), "{error}");
        assert_eq!(signal::action(signal).unwrap().disposition(), Disposition::Default);
    }
    let theirs = Signal::new(32).unwrap();
    let error = signal::set_action(theirs, Action::ignore()).unwrap_err();
    assert!(error.to_string().contains("C library"), "{error}");
    assert_eq!(Counter::open(Set::from(theirs)).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn the_status_of_any_process_is_told() {
    let status = signal::stat(me()).unwrap();
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
    assert_eq!(format!("{:016x}", status.caught.bits()), line);
    let queue = text.lines().find_map(|line| line.strip_prefix("SigQ:\t")).unwrap();
    assert!(queue.ends_with(&format!("/{}", status.queue_limit)));
    signal::stat(1).unwrap();
    for (pid, errno) in [(-1, libc::EINVAL), (i32::MAX, libc::ESRCH)] {
        assert_eq!(signal::stat(pid).unwrap_err().errno(), errno);
    }
    assert!(signal::reserved().contains(Signal::new(32).unwrap()));
    assert!(!signal::reserved().contains(Signal::realtime_min()));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that are counted.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::WaitStatus;
use unipc::Timeout;
use unipc::signal::{self, ActionFlags, Counter, Disposition, Set, Signal};

use crate::storm::Storm;
use crate::{SOON, asleep, drop_inherited, ended, ended_well, in_fork, me, rt, solo, start};

fn is_readable(counter: &Counter) -> bool {
    let mut polled = [PollFd::new(counter.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).unwrap() == 1
}

#[test]
fn each_is_counted_and_taken_once() {
    solo("counter::each_is_counted_and_taken_once", || {
        let before = signal::action(Signal::USR1).unwrap();
        let counter = Counter::open(Set::from([Signal::USR1, rt(1)])).unwrap();
        let now = signal::action(Signal::USR1).unwrap();
        assert_eq!(now.disposition(), Disposition::Counter);
        assert!(now.flags().contains(ActionFlags::RESTART));
        assert!(signal::stat(0).unwrap().caught.contains(rt(1)));
        assert!(!is_readable(&counter));
        assert_eq!(counter.wait(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        assert!(counter.take().unwrap().is_empty());
        for _ in 0..3 {
            signal::raise(Signal::USR1).unwrap();
        }
        signal::queue(me(), rt(1), 5).unwrap();
        assert!(is_readable(&counter));
        let counts = counter.wait(SOON).unwrap();
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(Signal::USR1, 3), (rt(1), 1)]);
        assert_eq!((counts.of(Signal::USR1), counts.of(Signal::USR2), counts.total()), (3, 0, 4));
        assert!(!is_readable(&counter));
        drop(counter);
        assert_eq!(signal::action(Signal::USR1).unwrap(), before);
    });
}

#[test]
fn blocked_ones_merge_unless_they_are_real_time() {
    solo("counter::blocked_ones_merge_unless_they_are_real_time", || {
        let set = Set::from([Signal::USR1, rt(1)]);
        let counter = Counter::open(set).unwrap();
        let blocked = signal::block(set).unwrap();
        for _ in 0..3 {
            signal::send(me(), Signal::USR1).unwrap();
            signal::send(me(), rt(1)).unwrap();
        }
        assert!(counter.take().unwrap().is_empty());
        drop(blocked);
        let counts = counter.take().unwrap();
        assert_eq!((counts.of(Signal::USR1), counts.of(rt(1))), (1, 3));
    });
}

#[test]
fn a_handler_is_not_replaced_unless_asked_for() {
    solo("counter::a_handler_is_not_replaced_unless_asked_for", || {
        let storm = Storm::new();
        let foreign = signal::action(Signal::USR1).unwrap();
        let both = Set::from([Signal::HUP, Signal::USR1]);
        let error = Counter::open(both).unwrap_err();
        assert_eq!(error.errno(), libc::EBUSY);
        assert!(error.to_string().contains("replace it"), "{error}");
        // What had been installed before the refusal is undone.
        assert_eq!(signal::action(Signal::HUP).unwrap().disposition(), Disposition::Default);

        let counter = Counter::options().replace(true).open(both).unwrap();
        assert!(counter.wait(SOON).unwrap().of(Signal::USR1) > 0, "the storm is counted");
        let error = Counter::options().replace(true).open(Set::from(Signal::HUP)).unwrap_err();
        assert!(error.to_string().contains("another counter"), "{error}");
        drop(counter);
        assert_eq!(signal::action(Signal::USR1).unwrap(), foreign);
        drop(storm);
        drop(Counter::open(Set::from(Signal::HUP)).unwrap());
    });
}

#[test]
fn what_was_installed_since_stays() {
    solo("counter::what_was_installed_since_stays", || {
        let counter = Counter::open(Set::from(Signal::HUP)).unwrap();
        signal::ignore(Signal::HUP).unwrap();
        drop(counter);
        assert_eq!(signal::action(Signal::HUP).unwrap().disposition(), Disposition::Ignore);
    });
}

#[test]
fn one_shot_counts_one_and_the_next_acts() {
    solo("counter::one_shot_counts_one_and_the_next_acts", || {
        let child = start(|| {
            let once = Counter::options().one_shot(true);
            let counter = once.open(Set::from(Signal::INT)).unwrap();
            signal::raise(Signal::INT).unwrap();
            assert_eq!(counter.wait(SOON).unwrap().of(Signal::INT), 1);
            signal::raise(Signal::INT).unwrap();
            unreachable!("the default of SIGINT ends the process");
        });
        assert!(matches!(ended(child), WaitStatus::Signaled(_, nix::sys::signal::SIGINT, _)));
        // What was in force before comes back, used or not.
        signal::ignore(Signal::INT).unwrap();
        for raised in [false, true] {
            let counter = Counter::options().one_shot(true).open(Set::from(Signal::INT)).unwrap();
            if raised {
                signal::raise(Signal::INT).unwrap();
            }
            drop(counter);
            assert_eq!(signal::action(Signal::INT).unwrap().disposition(), Disposition::Ignore);
        }
    });
}

#[test]
fn options_reach_the_kernel() {
    solo("counter::options_reach_the_kernel", || {
        let mask = Set::from([Signal::TERM, rt(7)]);
        let options = Counter::options().restart(false).no_defer(true).no_child_stop(true);
        let counter = options.no_child_wait(true).mask(mask).open(Set::from(Signal::CHLD)).unwrap();
        let action = signal::action(Signal::CHLD).unwrap();
        assert_eq!(action.mask(), mask);
        let expected =
            ActionFlags::NO_DEFER | ActionFlags::NO_CHILD_STOP | ActionFlags::NO_CHILD_WAIT;
        assert_eq!(action.flags(), expected | ActionFlags::ON_STACK);
        assert_eq!(counter.set(), Set::from(Signal::CHLD));
        assert_eq!(Counter::open(Set::EMPTY).unwrap_err().errno(), libc::EINVAL);
    });
}

#[test]
fn a_sleeper_is_woken_though_nobody_blocks_anything() {
    solo("counter::a_sleeper_is_woken_though_nobody_blocks_anything", || {
        let child = start(|| {
            let counter = Counter::open(Set::from(Signal::TERM)).unwrap();
            // A thread that knows of nothing: the signal may arrive there.
            std::thread::spawn(|| std::thread::sleep(Duration::from_secs(3600)));
            assert_eq!(counter.wait(SOON).unwrap().of(Signal::TERM), 1);
            let limit = Duration::from_millis(20);
            let started = Instant::now();
            let error = counter.wait(Timeout::After(limit)).unwrap_err();
            assert_eq!(error.errno(), libc::ETIMEDOUT);
            assert!(started.elapsed() >= limit);
        });
        while !signal::stat(child).unwrap().caught.contains(Signal::TERM) {
            std::thread::yield_now();
        }
        asleep(child);
        signal::send(child, Signal::TERM).unwrap();
        ended_well(child);
    });
}

#[test]
fn a_signal_that_is_not_counted_interrupts() {
    solo("counter::a_signal_that_is_not_counted_interrupts", || {
        let counter = Counter::open(Set::from(Signal::HUP)).unwrap();
        let _storm = Storm::new();
        assert_eq!(counter.wait(SOON).unwrap_err().errno(), libc::EINTR);
        signal::raise(Signal::HUP).unwrap();
        assert_eq!(counter.wait(SOON).unwrap().of(Signal::HUP), 1);
    });
}

#[test]
fn a_child_of_fork_counts_its_own_and_wakes_itself() {
    solo("counter::a_child_of_fork_counts_its_own_and_wakes_itself", || {
        let counter = Counter::open(Set::from(Signal::USR1)).unwrap();
        signal::raise(Signal::USR1).unwrap();
        let child = start(|| {
            // What its parent has not taken is not the child's.
            assert!(counter.take().unwrap().is_empty());
            assert!(!is_readable(&counter));
            signal::raise(Signal::USR1).unwrap();
            assert!(is_readable(&counter));
            assert_eq!(counter.wait(SOON).unwrap().of(Signal::USR1), 1);
            drop_inherited(&counter);
            assert_eq!(signal::action(Signal::USR1).unwrap().disposition(), Disposition::Default);
        });
        ended_well(child);
        assert!(is_readable(&counter));
        assert_eq!(counter.wait(SOON).unwrap().of(Signal::USR1), 1);
        // A signal between fork and the first call is the child's as well, and wakes nobody else.
        let status = in_fork(|| {
            signal::raise(Signal::USR1).unwrap();
            assert_eq!(counter.wait(SOON).unwrap().of(Signal::USR1), 1);
        });
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
        assert!(!is_readable(&counter));
    });
}

#[test]
fn counters_come_and_go_under_fire() {
    solo("counter::counters_come_and_go_under_fire", || {
        let others = signal::ignore(Signal::USR2).unwrap();
        let parent = me();
        let sender = start(|| while signal::send(parent, Signal::USR2).is_ok() {});
        let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let before = descriptors();
        let mut total = 0;
        let late = Instant::now() + Duration::from_millis(300);
        while Instant::now() < late {
            // Another thread may be in the handler when the counter goes.
            let spinner = std::thread::spawn(|| std::thread::sleep(Duration::from_micros(100)));
            let counter = Counter::open(Set::from(Signal::USR2)).unwrap();
            total += counter.wait(SOON).unwrap().total();
            drop(counter);
            spinner.join().unwrap();
        }
        signal::send(sender, Signal::KILL).unwrap();
        ended(sender);
        assert!(total > 0);
        assert_eq!(descriptors(), before);
        assert_eq!(signal::action(Signal::USR2).unwrap().disposition(), Disposition::Ignore);
        signal::set_action(Signal::USR2, others).unwrap();
    });
}

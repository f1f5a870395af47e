// SPDX-License-Identifier: MIT OR Apache-2.0
//! One descriptor for an event loop, with `io_uring` and with the helper thread.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;
mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

use fork::{fork, killed, succeeded};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use unipc::channel::Queue;
use unipc::poll::{LoopBell, Wait, Waitable};
use unipc::sync::{self, Event, Mutex};
use unipc::{MessageQueue, SharedMemory, Timeout, mq, pipe};

const SOON: Timeout = Timeout::After(Duration::from_secs(30));

fn queue() -> Queue {
    Queue::create("memfd:loop", 1 << 16).unwrap()
}

fn another(queue: &Queue) -> Queue {
    Queue::from_fd(queue.memory_fd().try_clone_to_owned().unwrap()).unwrap()
}

/// One of each way to sleep.
fn bells(test: &str) -> Vec<LoopBell> {
    let (direct, helped) = (LoopBell::new().unwrap(), LoopBell::with_helper().unwrap());
    assert!(!helped.is_direct());
    if direct.is_direct() {
        return vec![direct, helped];
    }
    let _ = writeln!(std::io::stderr(), "SKIP {test}: no io_uring with futexes here: half of it");
    vec![helped]
}

fn is_readable(bell: &LoopBell, timeout: PollTimeout) -> bool {
    let mut polled = [PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, timeout).unwrap() == 1
}

/// Sleeps as a loop does until something is told. With a glance, or without one.
fn told(bell: &mut LoopBell, with_glance: bool) -> Vec<u64> {
    loop {
        assert!(is_readable(bell, PollTimeout::from(30_000_u16)), "nothing is told");
        let mut numbers = if with_glance { bell.glance() } else { Vec::new() };
        numbers.extend(bell.rung().unwrap());
        if !numbers.is_empty() {
            return numbers;
        }
    }
}

/// Returns when nothing more is told: what was late may ring once more.
fn is_quiet(bell: &mut LoopBell) {
    while is_readable(bell, PollTimeout::ZERO) {
        assert_eq!(bell.rung().unwrap(), []);
    }
}

#[test]
fn each_message_is_told_once_and_what_is_there_at_once() {
    for mut bell in bells("each_message_is_told") {
        let mut receiver = queue();
        let mut sender = another(&receiver);
        for round in 0..200_u32 {
            let number = bell.arm(&receiver.waitable().unwrap()).unwrap().unwrap();
            is_quiet(&mut bell);
            sender.send(&round.to_ne_bytes(), SOON).unwrap();
            assert_eq!(told(&mut bell, round % 2 == 0), [number]);
            is_quiet(&mut bell);
            assert_eq!(bell.arm(&receiver.waitable().unwrap()).unwrap(), None, "it is there");
            assert_eq!(receiver.recv(Timeout::TRY).unwrap(), round.to_ne_bytes());
        }
    }
}

#[test]
fn no_message_is_missed_between_the_try_and_the_sleep() {
    const MANY: u32 = 20_000;
    for mut bell in bells("no_message_is_missed") {
        let mut receiver = queue();
        let mut sender = another(&receiver);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..MANY {
                    sender.send(&number.to_ne_bytes(), SOON).unwrap();
                    if number % 7 == 0 {
                        std::thread::yield_now();
                    }
                }
            });
            let mut next = 0;
            while next < MANY {
                while let Ok(message) = receiver.recv(Timeout::TRY) {
                    assert_eq!(message, next.to_ne_bytes());
                    next += 1;
                }
                if next < MANY && bell.arm(&receiver.waitable().unwrap()).unwrap().is_some() {
                    told(&mut bell, next % 2 == 0);
                }
            }
        });
    }
}

#[test]
fn all_of_many_are_told_and_those_who_were_disarmed_are_not() {
    const MANY: usize = 1000;
    for mut bell in bells("all_of_many") {
        let shm = SharedMemory::create("anon:", 4096).unwrap();
        let event = Event::create((&shm, 0)).unwrap();
        let mut arm = |_| bell.arm(&event.waitable().unwrap()).unwrap().unwrap();
        let numbers: Vec<u64> = (0..MANY).map(&mut arm).collect();
        let (stay, go): (Vec<_>, Vec<_>) = numbers.into_iter().partition(|it| it % 3 != 0);
        for number in go {
            bell.disarm(number);
        }
        event.set().unwrap();
        let mut seen = BTreeSet::new();
        while seen.len() < stay.len() {
            for number in told(&mut bell, true) {
                assert!(seen.insert(number), "{number} was told twice");
            }
        }
        assert_eq!(seen, stay.into_iter().collect());
        is_quiet(&mut bell);
    }
}

#[test]
fn what_has_no_word_is_told_beside_what_has_one() {
    for mut bell in bells("what_has_no_word") {
        let (orders, mut jobs) = (MessageQueue::create("sysv:private").unwrap(), queue());
        let order = bell.arm(&orders.waitable().unwrap()).unwrap().unwrap();
        let job = bell.arm(&jobs.waitable().unwrap()).unwrap().unwrap();
        orders.send(1, b"order", SOON).unwrap();
        assert_eq!(told(&mut bell, true), [order]);
        jobs.send(b"job", SOON).unwrap();
        assert_eq!(told(&mut bell, false), [job]);
        assert_eq!(orders.receive(mq::Want::Any, Timeout::TRY).unwrap().data, b"order");
        orders.remove().unwrap();
        let (reader, _writer) = pipe::pipe().unwrap();
        assert_eq!(bell.arm(&Waitable::readable(&reader)).unwrap_err().errno(), libc::EINVAL);
    }
}

/// Who holds it in a process that is killed, without a word to anybody.
#[test]
fn the_death_of_a_holder_is_told() {
    for mut bell in bells("the_death_of_a_holder") {
        let shm = SharedMemory::create("memfd:death", 1 << 16).unwrap();
        let mutex = Mutex::create((&shm, 0)).unwrap();
        let permits = sync::Semaphore::create((&shm, 16384), 1).unwrap();
        let mut held = queue();
        for of_permit in [false, true] {
            let child = fork(|| {
                let taken =
                    if of_permit { permits.acquire_raw(SOON) } else { mutex.lock_raw(SOON) };
                assert!(taken.is_ok());
                another(&held).send(b"", SOON).unwrap();
                loop {
                    std::thread::park();
                }
            });
            held.recv(SOON).unwrap();
            let thing = if of_permit { permits.waitable() } else { mutex.waitable() };
            let number = bell.arm(&thing.unwrap()).unwrap().unwrap();
            is_quiet(&mut bell);
            killed(child);
            assert_eq!(told(&mut bell, true), [number]);
        }
    }
}

#[test]
fn a_loop_may_move_to_another_thread_and_its_first_one_end() {
    for (bell, ends) in [true, false]
        .into_iter()
        .flat_map(|ends| bells("a_loop_may_move").into_iter().map(move |bell| (bell, ends)))
    {
        let is_direct = bell.is_direct();
        drop(bell);
        let jobs = queue();
        let mut sender = another(&jobs);
        let (give, given) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let jobs = &jobs;
            let first = scope.spawn(move || {
                let mut bell =
                    if is_direct { LoopBell::new() } else { LoopBell::with_helper() }.unwrap();
                let number = bell.arm(&jobs.waitable().unwrap()).unwrap().unwrap();
                give.send((bell, number)).unwrap();
                let _ = ended.recv();
            });
            let (mut bell, number) = given.recv().unwrap();
            if ends {
                drop(end);
                first.join().unwrap();
            }
            sender.send(b"job", SOON).unwrap();
            assert_eq!(told(&mut bell, ends), [number]);
        });
    }
}

#[test]
fn a_child_of_fork_makes_its_own_and_takes_nothing_from_its_parent() {
    for mut bell in bells("a_child_of_fork") {
        let jobs = queue();
        let number = bell.arm(&jobs.waitable().unwrap()).unwrap().unwrap();
        let child = fork(|| {
            let mut jobs = another(&jobs);
            assert_eq!(bell.rung().unwrap_err().errno(), libc::EINVAL);
            assert_eq!(bell.arm(&jobs.waitable().unwrap()).unwrap_err().errno(), libc::EINVAL);
            bell.disarm(number);
            drop(bell);
            let mut own = LoopBell::new().unwrap();
            let number = own.arm(&jobs.waitable().unwrap()).unwrap().unwrap();
            jobs.send(b"to myself", SOON).unwrap();
            assert_eq!(told(&mut own, true), [number]);
        });
        succeeded(child);
    }
    // Who was armed before the fork is told all the same.
    for mut bell in bells("a_child_of_fork") {
        let mut jobs = queue();
        let number = bell.arm(&jobs.waitable().unwrap()).unwrap().unwrap();
        let child = fork(|| drop(bell.rung()));
        succeeded(child);
        jobs.send(b"job", SOON).unwrap();
        assert_eq!(told(&mut bell, true), [number]);
    }
}

/// As where the kernel refuses it: here there is no descriptor for it.
#[test]
fn without_io_uring_the_helper_sleeps() {
    child::succeeds_alone("without_io_uring_the_helper_sleeps", || {
        let mut jobs = queue();
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let next = nix::unistd::dup(jobs.memory_fd()).unwrap();
        let one_more = std::os::fd::AsRawFd::as_raw_fd(&next).unsigned_abs();
        drop(next);
        setrlimit(Resource::RLIMIT_NOFILE, u64::from(one_more) + 1, most).unwrap();
        let mut bell = LoopBell::new().unwrap();
        assert!(!bell.is_direct());
        let number = bell.arm(&jobs.waitable().unwrap()).unwrap().unwrap();
        jobs.send(b"job", SOON).unwrap();
        assert_eq!(told(&mut bell, true), [number]);
    });
}

#[test]
fn nothing_is_left_when_it_is_dropped() {
    for bell in bells("nothing_is_left") {
        drop(bell);
    }
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    child::succeeds_alone("nothing_is_left_when_it_is_dropped", || {
        let (shm, before) = (SharedMemory::create("anon:", 4096).unwrap(), open());
        let event = Event::create((&shm, 0)).unwrap();
        for mut bell in [LoopBell::new().unwrap(), LoopBell::with_helper().unwrap()] {
            bell.arm(&event.waitable().unwrap()).unwrap().unwrap();
        }
        assert_eq!(open(), before);
        // A sleeper that was left behind would take this wake-up.
        let mut bell = LoopBell::new().unwrap();
        let number = bell.arm(&event.waitable().unwrap()).unwrap().unwrap();
        event.set().unwrap();
        assert_eq!(told(&mut bell, true), [number]);
    });
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hundred thousand signals from a sender that is plain libc: no deadlock, and of what was accepted none is lost.

use unipc::Timeout;
use unipc::signal::{Counter, Set, Signal, Stream};

use crate::{SOON, ended_well, me, own_queue, rt, solo, start};

const COUNT: i32 = 100_000;

/// Queues with a value; tries again while the receiver's queue is full. What libc alone can do.
fn queue(pid: i32, signal: Signal, value: i32) {
    let value = libc::sigval {
        sival_ptr: std::ptr::without_provenance_mut(usize::try_from(value).unwrap()),
    };
    // SAFETY: takes integers.
    while unsafe { libc::sigqueue(pid, signal.number(), value) } != 0 {
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EAGAIN));
        std::thread::yield_now();
    }
}

#[test]
fn real_time_values_all_arrive_in_order() {
    solo("hammer::real_time_values_all_arrive_in_order", || {
        if !own_queue("real_time_values_all_arrive_in_order", 5_000) {
            return;
        }
        let stream = Stream::open(Set::from(rt(0))).unwrap();
        let parent = me();
        let sender = start(|| (0..COUNT).for_each(|value| queue(parent, rt(0), value)));
        let mut next = 0;
        while next < COUNT {
            // Now one, now many.
            let infos = match next % 3 {
                0 => vec![stream.read(SOON).unwrap()],
                _ => stream.read_many(64, SOON).unwrap(),
            };
            for info in infos {
                assert_eq!((info.value.int(), info.pid), (next, sender));
                next += 1;
            }
        }
        ended_well(sender);
        assert_eq!(stream.read(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    });
}

#[test]
fn a_counter_stands_a_hundred_thousand_of_both_kinds() {
    solo("hammer::a_counter_stands_a_hundred_thousand_of_both_kinds", || {
        if !own_queue("a_counter_stands_a_hundred_thousand_of_both_kinds", 5_000) {
            return;
        }
        let set = Set::from([Signal::USR1, rt(3)]);
        let counter = Counter::open(set).unwrap();
        let parent = me();
        let sender = start(|| {
            for value in 0..COUNT / 2 {
                // SAFETY: takes two integers.
                assert_eq!(unsafe { libc::kill(parent, libc::SIGUSR1) }, 0);
                queue(parent, rt(3), value);
            }
        });
        let (mut standard, mut realtime) = (0, 0);
        while realtime < COUNT as u64 / 2 {
            match counter.wait(SOON) {
                Ok(counts) => {
                    standard += counts.of(Signal::USR1);
                    realtime += counts.of(rt(3));
                }
                Err(error) => assert_eq!(error.errno(), libc::EINTR, "{error}"),
            }
        }
        // The sender's end interrupts the wait for it as any signal does.
        ended_well(sender);
        standard += counter.take().unwrap().of(Signal::USR1);
        assert_eq!(realtime, COUNT as u64 / 2);
        assert!((1..=COUNT as u64 / 2).contains(&standard), "{standard}: repeats merge");
    });
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting at both kinds of queue: limits, interruptions, several who wait, those who die. No message is ever lost.
#![allow(unsafe_code, reason = "processes are made by fork")]

#[path = "support/queue.rs"]
mod queue;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use queue::{LONG, each_kind, waiting};
use storm::{Storm, through};
use unipc::mq::{Options, Want};
use unipc::{MessageQueue, Timeout};

const MESSAGES: u32 = 3000;

fn small() -> Options {
    MessageQueue::options().max_messages(4).max_size(64)
}

/// Sends until the queue is full.
fn fill(queue: &MessageQueue) -> usize {
    let full = |sent: &usize| match queue.send(1, &[0; 64], Timeout::TRY) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.errno(), libc::EAGAIN, "after {sent} messages");
            false
        }
    };
    (0..1_000_000).take_while(full).count()
}

#[test]
fn a_try_never_waits_and_a_limit_is_kept() {
    for queue in each_kind("limit", &small()) {
        let limit = Duration::from_millis(30);
        let empty = |timeout| queue.receive(Want::Any, timeout).unwrap_err().errno();
        assert_eq!(empty(Timeout::TRY), libc::EAGAIN);
        let started = Instant::now();
        assert_eq!(empty(Timeout::After(limit)), libc::ETIMEDOUT);
        assert!(started.elapsed() >= limit);

        assert_eq!(queue.try_receive_with(Want::Any, |_, data| data.len()).unwrap(), None);
        assert!(queue.try_send(1, &[0; 64]).unwrap());
        assert_eq!(queue.try_receive_with(Want::Any, |_, data| data.len()).unwrap(), Some(64));

        assert!(fill(&queue) >= 4);
        assert!(!queue.try_send(1, &[0; 64]).unwrap());
        let started = Instant::now();
        let full = queue.send(1, &[0; 64], Timeout::After(limit)).unwrap_err();
        assert_eq!(full.errno(), libc::ETIMEDOUT);
        assert!(started.elapsed() >= limit);
    }
}

#[test]
fn who_waits_sleeps_until_it_happens() {
    for timeout in [LONG, Timeout::Forever] {
        for queue in each_kind("sleep", &small()) {
            let queue = Arc::new(queue);
            let other = Arc::clone(&queue);
            let receiver = waiting(move || other.receive(Want::Any, timeout).unwrap().data);
            queue.send(1, b"wake up", LONG).unwrap();
            assert_eq!(receiver.join().unwrap(), b"wake up");

            let filled = fill(&queue);
            let other = Arc::clone(&queue);
            let sender = waiting(move || other.send(1, b"room", timeout));
            for _ in 0..filled {
                assert_eq!(queue.receive(Want::Any, LONG).unwrap().data.len(), 64);
            }
            sender.join().unwrap().unwrap();
            assert_eq!(queue.receive(Want::Any, LONG).unwrap().data, b"room");
        }
    }
}

#[test]
fn several_who_wait_get_each_message_once() {
    for queue in each_kind("several", &small()) {
        let queue = Arc::new(queue);
        // Some wait for ever, some with a limit, some so short that it passes again and again.
        let timeouts = [Timeout::Forever, LONG, LONG, Timeout::After(Duration::from_micros(50))];
        let receivers: Vec<_> = timeouts
            .into_iter()
            .map(|timeout| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let mut got = Vec::new();
                    loop {
                        match queue.receive(Want::Any, timeout) {
                            Ok(message) if message.data.is_empty() => return got,
                            Ok(message) => {
                                got.push(u32::from_ne_bytes(message.data.try_into().unwrap()));
                            }
                            Err(error) => assert_eq!(error.errno(), libc::ETIMEDOUT),
                        }
                    }
                })
            })
            .collect();
        let senders: Vec<_> = (0..2)
            .map(|half| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    for number in (half..MESSAGES).step_by(2) {
                        queue.send(1, &number.to_ne_bytes(), LONG).unwrap();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        for _ in &receivers {
            queue.send(1, b"", LONG).unwrap();
        }
        let mut all: Vec<_> =
            receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..MESSAGES));
    }
}

#[test]
fn a_storm_of_signals_loses_nothing() {
    for timeout in [Timeout::Forever, LONG, Timeout::After(Duration::from_micros(200))] {
        for queue in each_kind("storm", &small()) {
            let patient = |call: &mut dyn FnMut() -> unipc::Result<()>| loop {
                match through(&mut *call) {
                    Err(error) if error.errno() == libc::ETIMEDOUT => {}
                    other => break other.unwrap(),
                }
            };
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _storm = Storm::new();
                    for number in 0..MESSAGES {
                        patient(&mut || queue.send(1, &number.to_ne_bytes(), timeout));
                    }
                });
                let _storm = Storm::new();
                for number in 0..MESSAGES {
                    if number % 500 == 0 {
                        // Lets the queue fill up, so that the sender waits as well.
                        thread::sleep(Duration::from_millis(5));
                    }
                    let mut data = Vec::new();
                    patient(&mut || {
                        data = queue.receive(Want::Any, timeout)?.data;
                        Ok(())
                    });
                    assert_eq!(data, number.to_ne_bytes());
                }
            });
            assert_eq!(queue.messages().unwrap(), 0);
        }
    }
    assert!(Storm::signals() > 0);
}

#[test]
fn an_interruption_is_told_and_takes_nothing() {
    for timeout in [Timeout::Forever, LONG] {
        for queue in each_kind("interrupt", &small()) {
            let _storm = Storm::new();
            let error = queue.receive(Want::Any, timeout).unwrap_err();
            assert_eq!(error.errno(), libc::EINTR);
            fill(&queue);
            let before = queue.messages().unwrap();
            assert_eq!(queue.send(1, b"x", timeout).unwrap_err().errno(), libc::EINTR);
            assert_eq!(queue.messages().unwrap(), before);
        }
    }
}

#[test]
fn a_receiver_that_is_killed_takes_no_message_with_it() {
    for timeout in [Timeout::Forever, LONG] {
        for queue in each_kind("killed", &small()) {
            // SAFETY: the child only waits, and is killed.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let _ = queue.receive(Want::Any, timeout);
                // SAFETY: ends the child without running the parent's exit handlers.
                unsafe { libc::_exit(1) };
            }
            let status = format!("/proc/{child}/status");
            while !std::fs::read_to_string(&status).unwrap().contains("State:\tS") {
                thread::yield_now();
            }
            // SAFETY: ours.
            unsafe { libc::kill(child, libc::SIGKILL) };
            let mut ended = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut ended, 0) }, child);
            assert_eq!(ended, libc::SIGKILL);
            queue.send(1, b"for the living", LONG).unwrap();
            assert_eq!(queue.receive(Want::Any, LONG).unwrap().data, b"for the living");
        }
    }
}

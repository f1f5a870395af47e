// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of message queues share: a queue of each kind that goes away after the test, threads that are seen asleep.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::time::{Duration, Instant};

use unipc::mq::Options;
use unipc::{MessageQueue, Timeout};

use crate::support::{key_name, posix_name};

/// Nothing in these tests takes as long, unless it hangs.
pub(crate) const LONG: Timeout = Timeout::After(Duration::from_secs(30));

/// Removes a queue when the test is over, however it ends.
pub(crate) struct Gone(pub(crate) String);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = MessageQueue::unlink(self.0.as_str());
    }
}

/// A name of each kind.
pub(crate) fn names(what: &str) -> [Gone; 2] {
    [Gone(posix_name(what)), Gone(key_name())]
}

/// A new queue of each kind, removed by its drop. `options` are those of a POSIX queue.
pub(crate) fn each_kind(what: &str, options: &Options) -> [MessageQueue; 2] {
    let posix = options.clone().remove_on_drop(true).create(posix_name(what)).unwrap();
    let system_v = MessageQueue::options().remove_on_drop(true).create("sysv:private").unwrap();
    [posix, system_v]
}

pub(crate) fn gettid() -> i32 {
    nix::unistd::gettid().as_raw()
}

/// Returns when this thread of this process sleeps in a system call.
pub(crate) fn asleep(thread: i32) {
    let started = Instant::now();
    loop {
        let status = std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
        if status.contains("State:\tS") {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "thread {thread} does not wait");
        std::thread::yield_now();
    }
}

/// Runs `wait` in a thread of its own and returns when it sleeps.
pub(crate) fn waiting<T: Send + 'static>(
    wait: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    let (told, thread) = std::sync::mpsc::channel();
    let handle = std::thread::spawn(move || {
        told.send(gettid()).unwrap();
        wait()
    });
    asleep(thread.recv().unwrap());
    handle
}

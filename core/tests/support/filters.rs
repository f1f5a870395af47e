// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small programs for the tests of pipes, and what can be seen of processes from outside.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs;
use std::time::Duration;

use unipc::Timeout;
use unipc::pipe::Command;

/// Long enough that only a fault reaches it.
pub(crate) const WATCHDOG: Timeout = Timeout::After(Duration::from_secs(30));
pub(crate) const SHORT: Timeout = Timeout::After(Duration::from_millis(20));

/// Answers "1 2" with "3" at once, and anything else with "invalid args"; ends with status 7 at "quit".
pub(crate) fn adder() -> Command {
    Command::shell(
        "while read -r a b; do case $a$b in quit) exit 7;; *[!0-9]*|'') echo invalid args;; \
         *) echo $((a + b));; esac; done",
    )
}

/// The state letter of a process; nothing when there is none.
pub(crate) fn state(pid: i32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    status.rsplit_once(") ")?.1.chars().next()
}

/// Returns when the process is gone, not even a zombie.
pub(crate) fn gone(pid: i32) {
    until(|| state(pid).is_none());
}

/// Returns when it holds. The test's watchdog is the harness's own.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        std::thread::yield_now();
    }
}

/// The numbers of the descriptors that this process has open.
pub(crate) fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

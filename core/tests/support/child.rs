// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests that change or end their whole process: they run again, alone, in a process of their own.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unsafe_code, reason = "settings of a process are raw calls")]

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};

const MARK: &str = "UNIPC_TEST_ALONE";

/// How long such a process may take before it counts as hung, in seconds.
const WATCHDOG: u32 = 60;

/// Runs `work` in a new process, this test program once more for the test of this name, and returns how it ended.
/// Exit status 0: `work` returned. 101: it panicked.
pub(crate) fn alone(test: &str, work: impl FnOnce()) -> Output {
    run_if_marked(test, work);
    let program = std::env::current_exe().expect("the test program");
    again(test, &mut Command::new(program)).expect("the test program runs again")
}

/// As [`alone`], for work that must succeed; what it skips is passed on.
pub(crate) fn succeeds_alone(test: &str, work: impl FnOnce()) {
    succeeded(&alone(test, work));
}

/// As [`succeeds_alone`], in mount and IPC namespaces of its own, in which it is root. Skipped where there are none.
pub(crate) fn succeeds_in_namespaces(test: &str, work: impl FnOnce()) {
    run_if_marked(test, work);
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--ipc", "--propagation", "private"]);
    if !is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.arg(std::env::current_exe().expect("the test program"));
    match again(test, &mut unshare) {
        Err(error) => skip(test, format!("unshare: {error}")),
        Ok(output) => match String::from_utf8_lossy(&output.stderr).lines().next() {
            Some(line) if line.starts_with("unshare: ") => skip(test, line),
            _ => succeeded(&output),
        },
    }
}

/// In the new process: does the work and ends.
fn run_if_marked(test: &str, work: impl FnOnce()) {
    if std::env::var_os(MARK).is_none_or(|name| name != test) {
        return;
    }
    // SAFETY: SIGALRM ends this process, should it hang.
    unsafe { libc::alarm(WATCHDOG) };
    let ended = catch_unwind(AssertUnwindSafe(work));
    std::process::exit(if ended.is_ok() { 0 } else { 101 });
}

fn again(test: &str, command: &mut Command) -> std::io::Result<Output> {
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, test).output()
}

fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    for line in said.lines().filter(|line| line.starts_with("SKIP ")) {
        say(line);
    }
    assert!(output.status.success(), "{}\n{said}", output.status);
}

/// Says that a test cannot run here. The caller returns then.
pub(crate) fn skip(test: &str, why: impl std::fmt::Display) {
    say(&format!("SKIP {test}: {why}"));
}

/// Past the capture of the test harness, so that the line is seen although the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Does `mlock` do anything? Sanitizers take the call for themselves and ignore it.
pub(crate) fn can_lock_memory() -> bool {
    let byte = Box::new(0_u8);
    let address = std::ptr::from_ref(&*byte).cast();
    // SAFETY: the byte is this function's own.
    let locked = unsafe { libc::mlock(address, 1) } == 0;
    let status = std::fs::read_to_string("/proc/self/status").expect("the process has a status");
    // SAFETY: as above.
    unsafe { libc::munlock(address, 1) };
    locked && !status.contains("VmLck:\t       0 kB")
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs: started, waited for, signalled, at the other end of pipes and on terminals.
//!
//! What the new process does before it executes its program belongs to the calls that fail, too.

mod filter;
mod start;
mod terminal;

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use libc::{SYS_pidfd_open, SYS_wait4, SYS_waitid};
use unipc::pipe::{Command, Coprocess, CoprocessOptions, Process, Writer, pipe};
use unipc::{Result, Timeout};

use super::super::audit::{WATCHDOG, children};
use super::{ANY, Case, Room, Yard};

const FOREVER: Timeout = Timeout::Forever;
const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const SHORT: Timeout = Timeout::After(Duration::from_millis(2));

pub(super) const ROOM: Room = Room {
    name: "process",
    cases: &CASES,
    // Nothing there yet, or no room: the call is made again after a poll. And each signal that there is can be given its
    // default action.
    forgives: &[
        (libc::SYS_read, libc::EAGAIN),
        (libc::SYS_preadv2, libc::EAGAIN),
        (libc::SYS_pwritev2, libc::EAGAIN),
        (libc::SYS_write, libc::EAGAIN),
        (libc::SYS_writev, libc::EAGAIN),
        (libc::SYS_rt_sigaction, libc::EINVAL),
    ],
    translates: &[],
    // A child that nobody has waited for is there, and is ours; and who waits for it has no other trouble.
    impossible: &[
        (SYS_pidfd_open, libc::ESRCH),
        (SYS_waitid, libc::ECHILD),
        (SYS_waitid, libc::EIO),
        (SYS_wait4, libc::ECHILD),
        (SYS_wait4, libc::EIO),
    ],
};

const CASES: [Case; COUNT] = joined(&[start::CASES, filter::CASES, terminal::CASES]);

const COUNT: usize = start::CASES.len() + filter::CASES.len() + terminal::CASES.len();

const fn joined(parts: &[&[Case]; 3]) -> [Case; COUNT] {
    let mut all = [parts[0][0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut of_part = 0;
        while of_part < parts[part].len() {
            all[at] = parts[part][of_part];
            at += 1;
            of_part += 1;
        }
        part += 1;
    }
    all
}

/// What is found out once is found out before the failures begin.
fn warm() {
    let (_reader, writer) = pipe().expect("a pipe");
    writer.write_all(b"warm", FOREVER).expect("there is room");
}

/// A program that runs until its input ends.
fn cat() -> Command {
    Command::new("/bin/cat")
}

/// It runs as long as the writer is there.
fn running() -> (Process, Writer) {
    let (reader, writer) = pipe().expect("a pipe");
    let process = cat().stdin(OwnedFd::from(reader)).spawn().expect("every system has it");
    (process, writer)
}

/// Afterwards: a program for which no thread could be had is taken away by those who start the next ones.
fn others_come_by(yard: &mut Yard) {
    yard.at_end(|| {
        let since = Instant::now();
        loop {
            let next = Command::new("/bin/true").spawn().expect("there is room");
            next.wait(LONG).expect("it does nothing");
            if children().is_empty() || since.elapsed() > WATCHDOG {
                break;
            }
        }
    });
}

/// A filter that gives back what it gets.
fn filter(terminal: bool) -> Coprocess {
    warm();
    CoprocessOptions::new().terminal(terminal).spawn(cat().null(2)).expect("every system has it")
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}

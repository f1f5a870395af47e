// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust observer of `make demo`: it maps memory read-only and tells what it sees.
//!
//! `python/examples/demo.py` starts it and sends it lines: `open NAME`, `fd NUMBER`, `watch` (ten
//! records, each as soon as it is written), `read NUMBER` (one record), `count` (the counter). It
//! answers each record or number with a line.
#![allow(unsafe_code, reason = "an inherited descriptor is a number")]
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::io::{BufRead, stdin};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::SharedMemory;

/// Behind the ten records: how many are written, how many are read, and a counter.
const WRITTEN: usize = 10 * PEOPLE;
const COUNTER: usize = WRITTEN + 8;

fn inherited(number: &str) -> Result<SharedMemory, Failure> {
    // SAFETY: the demo passes a descriptor that nothing else in this process uses, and names it once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number.parse()?) };
    Ok(SharedMemory::options().read_only(true).from_fd(descriptor)?)
}

fn tell(shm: &SharedMemory, record: usize) -> Result<(), Failure> {
    let people: People = shm.read(record * PEOPLE)?;
    println!("{} {}", people.name(), people.age);
    Ok(())
}

fn watch(shm: &SharedMemory) -> Result<(), Failure> {
    for record in 0..10 {
        common::wait_for(shm, WRITTEN, record + 1)?;
        tell(shm, record as usize)?;
    }
    Ok(())
}

fn observe() -> Result<(), Failure> {
    let mut shm = None;
    for line in stdin().lock().lines() {
        let line = line?;
        let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
        match (command, &shm) {
            ("open", _) => shm = Some(SharedMemory::options().read_only(true).open(argument)?),
            ("fd", _) => shm = Some(inherited(argument)?),
            ("watch", Some(shm)) => watch(shm)?,
            ("read", Some(shm)) => tell(shm, argument.parse()?)?,
            ("count", Some(shm)) => println!("{}", shm.load_u32(COUNTER)?),
            _ => return Err(format!("what is `{line}`?").into()),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(observe())
}

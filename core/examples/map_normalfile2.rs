// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the ten records that `map_normalfile1` has written through a mapped file of five.
//!
//! Run `map_normalfile2 /tmp/test_shm` while `map_normalfile1 /tmp/test_shm` runs, and again later.
//! It prints `name: b age 20;` to `name: k age 29;`. Records 6 to 10 are not in the file but in the
//! rest of its last page, and become empty when the kernel writes that page to disk (`sync`).
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::{Name, SharedMemory};

fn experiment() -> Result<(), Failure> {
    let name = Name::file(&common::arguments("map_normalfile2 FILE")?[0])?;
    let shm = SharedMemory::options().size(10 * PEOPLE).slack(true).open(&name)?;
    for i in 0..10 {
        let people: People = shm.read(i * PEOPLE)?;
        println!("name: {} age {};", people.name(), people.age);
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(experiment())
}

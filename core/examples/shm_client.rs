// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client attaches the segment whose identifier it is given, reads a record and answers.
//!
//! Run `shm_server` in another terminal, then `shm_client ID` with the identifier that it prints.
//! It prints `name b age 20` and makes the age 21.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::SharedMemory;

/// Behind the record, a word that says that the client has answered.
const ANSWERED: usize = PEOPLE;

fn ask() -> Result<(), Failure> {
    let id = &common::arguments("shm_client ID")?[0];
    let shm = SharedMemory::open(format!("sysv:id={}", id.display()))?;
    let mut people: People = shm.read(0)?;
    println!("name {} age {}", people.name(), people.age);
    people.age += 1;
    shm.write(0, &people)?;
    Ok(shm.store_u32(ANSWERED, 1)?)
}

fn main() -> ExitCode {
    common::finish(ask())
}

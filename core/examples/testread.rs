// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads ten records from the System V segment that `testwrite` has filled.
//!
//! Run `touch /dev/shm/myshm2`, then `testwrite`, then `testread`; the writer may have ended long
//! ago. It prints `name:b`, `age 20` to `name:k`, `age 29`; ten empty records when nobody has
//! written yet.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::SharedMemory;

fn experiment() -> Result<(), Failure> {
    let shm = SharedMemory::open_or_create("sysv:/dev/shm/myshm2,0", 4096)?;
    for i in 0..10 {
        let people: People = shm.read(i * PEOPLE)?;
        println!("name:{}", people.name());
        println!("age {}", people.age);
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(experiment())
}

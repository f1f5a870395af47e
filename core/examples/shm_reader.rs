// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the eight numbers that `shm_writer` has written and answers with their sum, in place of
//! the first one.
//!
//! Run it while `shm_writer` waits. It prints `0.0 1.0 4.0 9.0 16.0 25.0 36.0 49.0`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::SharedMemory;

fn read() -> Result<(), Failure> {
    let shm = SharedMemory::open("/demo")?;
    let numbers: [f64; 8] = shm.read(0)?;
    println!("{}", numbers.map(|number| format!("{number:.1}")).join(" "));
    shm.write(0, &numbers.iter().sum::<f64>())?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(read())
}

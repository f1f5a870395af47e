// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes eight numbers into shared memory and waits until another program has answered in the same
//! bytes.
//!
//! Run `shm_writer`, then `shm_reader` in another terminal, in any language; then press Enter here.
//! It prints the first number, which the reader has replaced by the sum: `140.0`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::SharedMemory;

fn write() -> Result<(), Failure> {
    let shm = SharedMemory::open_or_create("/demo", 64)?;
    shm.write(0, &[0.0_f64, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0])?;
    println!("written; Enter when the reader has run");
    std::io::stdin().read_line(&mut String::new())?;
    println!("{:.1}", shm.read::<f64>(0)?);
    Ok(shm.remove()?)
}

fn main() -> ExitCode {
    common::finish(write())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes a record of two numbers that must be equal, under a mutex, and stops in the middle.
//!
//! Run `sync_holder NAME`, end it by `kill -9`, and run `sync_repair NAME` in any language: it is told that the holder died, and
//! mends the record. If instead its standard input ends (Ctrl-D), the holder finishes its work.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::Mutex;
use unipc::{SharedMemory, Timeout};

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_holder NAME")?;
    let name = arguments[0].as_os_str();
    let shm = SharedMemory::open_or_create(name, 4096)?;
    let mutex = Mutex::open_or_create((&shm, 0))?;
    let guard = mutex.lock(Timeout::Forever)?;
    shm.store_u32(1024, shm.load_u32(1024)? + 1)?;
    println!("holding: {} and {}", shm.load_u32(1024)?, shm.load_u32(1028)?);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    shm.store_u32(1028, shm.load_u32(1024)?)?;
    guard.unlock()?;
    println!("done: {} and {}", shm.load_u32(1024)?, shm.load_u32(1028)?);
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

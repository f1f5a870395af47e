// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adds to a counter that others add to as well, under a mutex: no addition is lost.
//!
//! Run several at once, in any languages: `sync_counter NAME ROUNDS`, `NAME` being such as /counter. Remove it with
//! rm /dev/shm/NAME, or `unipc_shm_unlink()`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::Mutex;
use unipc::{SharedMemory, Timeout};

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_counter NAME ROUNDS")?;
    let name = arguments[0].as_os_str();
    let number = |at: usize| -> u32 {
        arguments.get(at).and_then(|word| word.to_str()?.parse().ok()).unwrap_or(0)
    };
    let shm = SharedMemory::open_or_create(name, 4096)?;
    let mutex = Mutex::open_or_create((&shm, 0))?;
    for _ in 0..number(1) {
        let _guard = mutex.lock(Timeout::Forever)?;
        shm.store_u32(1024, shm.load_u32(1024)? + 1)?;
    }
    println!("{}", shm.load_u32(1024)?);
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

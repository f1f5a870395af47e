// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts numbers into a box that has room for one, for `sync_consumer` to take out.
//!
//! Run `sync_producer NAME COUNT` and `sync_consumer NAME COUNT`, in any languages and any order.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::{Condvar, Mutex};
use unipc::{SharedMemory, Timeout};

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_producer NAME COUNT")?;
    let name = arguments[0].as_os_str();
    let number = |at: usize| -> u32 {
        arguments.get(at).and_then(|word| word.to_str()?.parse().ok()).unwrap_or(0)
    };
    let shm = SharedMemory::open_or_create(name, 4096)?;
    let mutex = Mutex::open_or_create((&shm, 0))?;
    let changed = Condvar::open_or_create((&shm, 1024))?;
    for item in 1..=number(1) {
        let mut guard = mutex.lock(Timeout::Forever)?;
        while shm.load_u32(2048)? != 0 {
            changed.wait(&mut guard, Timeout::Forever)?;
        }
        shm.store_u32(2048, item)?;
        changed.notify_all()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

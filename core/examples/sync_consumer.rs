// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes the numbers that `sync_producer` puts into a box, and prints their sum.
//!
//! Run `sync_producer NAME COUNT` and `sync_consumer NAME COUNT`, in any languages and any order.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::{Condvar, Mutex};
use unipc::{SharedMemory, Timeout};

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_consumer NAME COUNT")?;
    let name = arguments[0].as_os_str();
    let number = |at: usize| -> u32 {
        arguments.get(at).and_then(|word| word.to_str()?.parse().ok()).unwrap_or(0)
    };
    let shm = SharedMemory::open_or_create(name, 4096)?;
    let mutex = Mutex::open_or_create((&shm, 0))?;
    let changed = Condvar::open_or_create((&shm, 1024))?;
    let mut sum = 0;
    for _ in 0..number(1) {
        let mut guard = mutex.lock(Timeout::Forever)?;
        while shm.load_u32(2048)? == 0 {
            changed.wait(&mut guard, Timeout::Forever)?;
        }
        sum += shm.load_u32(2048)?;
        shm.store_u32(2048, 0)?;
        changed.notify_all()?;
    }
    println!("{sum}");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! One of five philosophers at a round table, each of whom needs the forks on both sides to eat.
//!
//! Run five of `sync_philosophers NAME WHICH MEALS`, WHICH from 0 to 4, in any languages. Each fork is a mutex; who takes the
//! lower one first never closes a circle. Kill one: its forks come back to the others.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::{Mutex, MutexGuard};
use unipc::{SharedMemory, Timeout};

const FORKS: usize = 5;

/// A fork of a philosopher who died is as good as any.
fn take(fork: &Mutex) -> unipc::Result<MutexGuard<'_>> {
    let mut guard = fork.lock(Timeout::Forever)?;
    if guard.owner_died() {
        guard.recovered()?;
    }
    Ok(guard)
}

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_philosophers NAME WHICH MEALS")?;
    let name = arguments[0].as_os_str();
    let number = |at: usize| -> u32 {
        arguments.get(at).and_then(|word| word.to_str()?.parse().ok()).unwrap_or(0)
    };
    let which = number(1) as usize % FORKS;
    let other = (which + 1) % FORKS;
    let shm = SharedMemory::open_or_create(name, 4096)?;
    let lower = Mutex::open_or_create((&shm, which.min(other) * Mutex::SIZE))?;
    let upper = Mutex::open_or_create((&shm, which.max(other) * Mutex::SIZE))?;
    for _ in 0..number(2) {
        let _lower = take(&lower)?;
        let _upper = take(&upper)?;
        shm.add_u32(2048, 1)?;
    }
    println!("philosopher {which} has eaten");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

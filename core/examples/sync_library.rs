// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readers and writers: two numbers that a writer changes together, and that readers must find equal.
//!
//! Run several of `sync_library NAME reader ROUNDS` and `sync_library NAME writer ROUNDS`, in any languages.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::RwLock;
use unipc::{SharedMemory, Timeout};

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_library NAME reader|writer ROUNDS")?;
    let name = arguments[0].as_os_str();
    let number = |at: usize| -> u32 {
        arguments.get(at).and_then(|word| word.to_str()?.parse().ok()).unwrap_or(0)
    };
    let writes = arguments.get(1).is_some_and(|word| word == "writer");
    let shm = SharedMemory::open_or_create(name, 8192)?;
    let lock = RwLock::open_or_create((&shm, 0))?;
    let mut different = 0;
    for _ in 0..number(2) {
        let _guard =
            if writes { lock.write(Timeout::Forever) } else { lock.read(Timeout::Forever) }?;
        if writes {
            shm.store_u32(6144, shm.load_u32(6144)? + 1)?;
            shm.store_u32(6148, shm.load_u32(6148)? + 1)?;
        }
        different += u32::from(shm.load_u32(6144)? != shm.load_u32(6148)?);
    }
    println!("{different} times different");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

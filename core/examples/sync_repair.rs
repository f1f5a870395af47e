// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes the mutex that `sync_holder` left, and mends the record if the holder was killed in the middle.
//!
//! Run `sync_repair NAME` after `sync_holder NAME`, in any language.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::sync::Mutex;
use unipc::{SharedMemory, Timeout};

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("sync_repair NAME")?;
    let name = arguments[0].as_os_str();
    let shm = SharedMemory::open_or_create(name, 4096)?;
    let mutex = Mutex::open_or_create((&shm, 0))?;
    let mut guard = mutex.lock(Timeout::Forever)?;
    if guard.owner_died() {
        println!("the holder died: {} and {}", shm.load_u32(1024)?, shm.load_u32(1028)?);
        shm.store_u32(1028, shm.load_u32(1024)?)?;
        guard.recovered()?;
    }
    println!("whole: {} and {}", shm.load_u32(1024)?, shm.load_u32(1028)?);
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

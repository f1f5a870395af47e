// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server makes a segment that has no key, and tells its identifier to whom it may concern.
//!
//! Run `shm_server`, then `shm_client ID` with the identifier that it prints, in any language. It
//! prints `id ID`, waits for the client's answer, and removes the segment.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::SharedMemory;

/// Behind the record, a word that says that the client has answered.
const ANSWERED: usize = PEOPLE;

fn serve() -> Result<(), Failure> {
    let shm = SharedMemory::options().remove_on_drop(true).create("sysv:private", 4096)?;
    shm.write(0, &People::number(0))?;
    println!("id {}", shm.system_v().ok_or("a segment")?.id());
    common::wait_for(&shm, ANSWERED, 1)?;
    println!("the client made the age {}", shm.read::<People>(0)?.age);
    Ok(())
}

fn main() -> ExitCode {
    common::finish(serve())
}

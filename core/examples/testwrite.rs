// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes ten records to the System V segment on which `testread` agrees by ftok("/dev/shm/myshm2",
//! 0).
//!
//! Run `touch /dev/shm/myshm2`, then `testwrite`, then `testread`, in any language and as often as
//! you like. It prints nothing. The segment stays when the programs have ended: `ipcs -m` shows it,
//! `ipcrm -m ID` removes it.

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::SharedMemory;

fn experiment() -> Result<(), Failure> {
    let shm = SharedMemory::open_or_create("sysv:/dev/shm/myshm2,0", 4096)?;
    for i in 0..10 {
        shm.write(usize::from(i) * PEOPLE, &People::number(i))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(experiment())
}

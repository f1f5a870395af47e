// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes ten records through a mapped file that holds five: the other five live in the rest of its
//! last page.
//!
//! Run `map_normalfile1 /tmp/test_shm`, and `map_normalfile2 /tmp/test_shm` in another terminal
//! between the two lines. It prints ` initialize over `, ten seconds later `umap ok `. The file is
//! 40 bytes long throughout.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::{Name, SharedMemory};

fn experiment() -> Result<(), Failure> {
    let name = Name::file(&common::arguments("map_normalfile1 FILE")?[0])?;
    let shm = SharedMemory::options().replace(true).slack(true).create(&name, 5 * PEOPLE)?;
    for i in 0..10 {
        shm.write(usize::from(i) * PEOPLE, &People::number(i))?;
    }
    print!(" initialize over \n ");
    common::pause(10.0);
    drop(shm);
    println!("umap ok ");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(experiment())
}

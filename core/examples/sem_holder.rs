// SPDX-License-Identifier: MIT OR Apache-2.0
//! Holds a semaphore until its standard input ends (Ctrl-D), as one holds a lock.
//!
//! Run `sem_holder NAME`, and `sem_waiter NAME` in any language beside it. `/NAME` is a POSIX semaphore,
//! `sysv:0x1234` or `sysv:PATH,1` a System V one. End the holder by `kill -9`: of the System V semaphore
//! the kernel gives back what it held; the POSIX one stays taken.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::{Semaphore, Timeout};

fn hold() -> Result<(), Failure> {
    let arguments = common::arguments("sem_holder NAME")?;
    let semaphore = Semaphore::open_or_create(arguments[0].as_os_str(), 1)?;
    let held = semaphore.hold(Timeout::Forever)?;
    println!("holding {}, value {}", semaphore.name(), semaphore.value()?);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    held.release()?;
    println!("given back");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(hold())
}

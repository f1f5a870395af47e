// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waits at most so many seconds for a semaphore that another program holds; once it has it, it removes it.
//!
//! Run `sem_holder NAME` in any language, then `sem_waiter NAME SECONDS`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::{Semaphore, Timeout};

fn wait() -> Result<(), Failure> {
    let usage = "sem_waiter NAME SECONDS";
    let arguments = common::arguments(usage)?;
    let [name, seconds] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let limit = Timeout::from_seconds(seconds.to_string_lossy().parse()?)?;
    let semaphore = Semaphore::open(name.as_os_str())?;
    let free = semaphore.try_acquire()?;
    if !free {
        println!("somebody holds it");
        match semaphore.acquire(limit) {
            Err(error) if [libc::ETIMEDOUT, libc::EAGAIN].contains(&error.errno()) => {
                println!("not in time");
                return Ok(());
            }
            other => other?,
        }
    }
    println!("taken");
    semaphore.remove()?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(wait())
}

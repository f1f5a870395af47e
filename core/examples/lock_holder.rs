// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks one record of a file, writes it, and keeps it locked until Enter.
//!
//! Run `lock_holder PATH NUMBER`, then `lock_waiter` with the same PATH and NUMBER in another terminal, in any
//! language: it waits. With another NUMBER it does not.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::lock::{FileLock, Sharing};
use unipc::{Name, Timeout};
use zerocopy::IntoBytes;

fn hold() -> Result<(), Failure> {
    let usage = "lock_holder PATH NUMBER";
    let arguments = common::arguments(usage)?;
    let [path, number] = arguments.as_slice() else { return Err(format!("usage: {usage}").into()) };
    let number: u8 = number.to_string_lossy().parse()?;
    let start = u64::from(number) * PEOPLE as u64;

    let mut lock = FileLock::open_or_create(Name::file(path)?)?;
    let file = File::from(lock.as_fd().try_clone_to_owned()?);
    let record = start..start + PEOPLE as u64;
    let guard = lock.lock_range(record, Sharing::Exclusive, Timeout::Forever)?;
    file.write_all_at(People::number(number).as_bytes(), start)?;
    println!("record {number} is locked; Enter unlocks it");
    std::io::stdin().read_line(&mut String::new())?;
    println!("unlocked");
    Ok(guard.release()?)
}

fn main() -> ExitCode {
    common::finish(hold())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waits until it can lock one record of a file, and makes the age in it one more.
//!
//! Run it as `lock_waiter PATH NUMBER` after `lock_holder` with the same PATH, in any language.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::time::Duration;

use common::{Failure, PEOPLE, People};
use unipc::lock::{FileLock, Range, Sharing};
use unipc::{Name, Timeout};
use zerocopy::{FromZeros, IntoBytes};

fn wait() -> Result<(), Failure> {
    let usage = "lock_waiter PATH NUMBER";
    let arguments = common::arguments(usage)?;
    let [path, number] = arguments.as_slice() else { return Err(format!("usage: {usage}").into()) };
    let start = number.to_string_lossy().parse::<u64>()? * PEOPLE as u64;
    let record = Range::new(start, Some(PEOPLE as u64));

    let mut lock = FileLock::open_or_create(Name::file(path)?)?;
    let file = File::from(lock.as_fd().try_clone_to_owned()?);
    if let Some(holder) = lock.holder(record, Sharing::Exclusive)? {
        let (first, length) = (holder.range.start(), holder.range.length().unwrap_or(u64::MAX));
        println!("bytes {first} to {} are locked", first.saturating_add(length - 1));
    }
    let minute = Timeout::After(Duration::from_secs(60));
    let guard = lock.lock_range(record, Sharing::Exclusive, minute)?;
    let mut people = People::new_zeroed();
    file.read_at(people.as_mut_bytes(), start)?;
    people.age += 1;
    println!("name: {} age {}", people.name(), people.age);
    file.write_all_at(people.as_bytes(), start)?;
    Ok(guard.release()?)
}

fn main() -> ExitCode {
    common::finish(wait())
}

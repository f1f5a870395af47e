// SPDX-License-Identifier: MIT OR Apache-2.0
//! Removing a System V segment that is in use: its key is free at once, its memory goes with the
//! last one attached.
//!
//! Run `removal`; for five seconds after the removal `ipcs -m` shows the segment with the key
//! 0x00000000 and `dest`. It prints what becomes of the key, of the data, and of those who want to
//! attach or detach.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, People};
use unipc::SharedMemory;
use unipc::shm::SystemV;

const NAME: &str = "sysv:0x12345678";

fn show(what: &str, segment: SystemV) -> Result<(), Failure> {
    let status = segment.stat()?;
    let mark = if status.removed { ", marked for removal" } else { "" };
    println!("{what}: key {:#010x}, attached {}{mark}", status.permissions.key, status.attached);
    Ok(())
}

fn experiment() -> Result<(), Failure> {
    let first = SharedMemory::create(NAME, 4096)?;
    let second = SharedMemory::open(NAME)?;
    let segment = first.system_v().ok_or("a segment")?;
    first.write(0, &People::number(0))?;
    show("in use", segment)?;

    first.remove()?;
    show("removed", segment)?;
    let people: People = second.read(0)?;
    println!("the data are still there: name {} age {}", people.name(), people.age);
    match SharedMemory::open(NAME) {
        Ok(_) => println!("open by key: another segment"),
        Err(error) => println!("open by key: {}", unipc::errname(error.errno())),
    }
    common::pause(5.0);

    drop(first);
    show("one detached", segment)?;
    drop(second);
    if segment.stat().is_ok() {
        return Err("the segment outlived its last user".into());
    }
    println!("the last one detached: the segment is gone");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(experiment())
}

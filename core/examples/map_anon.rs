// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parent and child share memory that has no name: the child inherits it by fork.
//!
//! Run `map_anon`. The child prints the five ages that the parent has written, then changes the
//! first one to 100; three seconds later the parent prints that 100, `umap` and `umap ok`.
#![allow(unsafe_code, reason = "fork")]
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE, People};
use unipc::SharedMemory;

/// Behind the ten records, a word that says when they are written.
const READY: usize = 10 * PEOPLE;

fn child(shm: &SharedMemory) -> Result<(), Failure> {
    common::pause(2.0);
    common::wait_for(shm, READY, 1)?;
    for i in 0..5 {
        let people: People = shm.read(i * PEOPLE)?;
        println!("child read: the {} people's age is {}", i + 1, people.age);
    }
    shm.write(0, &People { age: 100, ..shm.read(0)? })?;
    Ok(())
}

fn parent(shm: SharedMemory, child: i32) -> Result<(), Failure> {
    for i in 0..5 {
        shm.write(usize::from(i) * PEOPLE, &People::number(i))?;
    }
    shm.store_u32(READY, 1)?;
    common::pause(5.0);
    // SAFETY: waits for our own child; the status is not asked for.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    println!("parent read: the first people,s age is {}", shm.read::<People>(0)?.age);
    println!("umap");
    drop(shm);
    println!("umap ok");
    Ok(())
}

fn experiment() -> Result<(), Failure> {
    let shm = SharedMemory::create("anon:", READY + 4)?;
    // SAFETY: this process has one thread, so the child may do what it likes.
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error().into()),
        0 => child(&shm),
        pid => parent(shm, pid),
    }
}

fn main() -> ExitCode {
    common::finish(experiment())
}

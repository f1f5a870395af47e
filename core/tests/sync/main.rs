// SPDX-License-Identifier: MIT OR Apache-2.0
//! Condition variables, semaphores, read-write locks, barriers, events and once: what they do, and what a death does to them.
#![allow(unsafe_code, reason = "signals are raw calls")]

mod barrier;
mod condvar;
mod event;
mod object;
mod once;
#[path = "../support/process.rs"]
mod process;
mod rwlock;
mod semaphore;
#[path = "../support/storm.rs"]
mod storm;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use unipc::sync::{Condvar, Form, Mutex};
use unipc::{SharedMemory, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));
const FORMS: [Form; 2] = [Form::Robust, Form::Pthread];

/// Where the tests keep numbers beside the objects.
const DATA: usize = 1 << 15;
/// How many consumers have had the mutex.
const CONSUMERS: usize = DATA + 4;

fn memory() -> SharedMemory {
    SharedMemory::create("anon:", 1 << 16).unwrap()
}

fn errno<T: std::fmt::Debug>(result: unipc::Result<T>) -> i32 {
    result.unwrap_err().errno()
}

/// Adds 1 in two steps, between which another would be lost.
fn add_one(shm: &SharedMemory) {
    let before = shm.load_u32(DATA).unwrap();
    shm.store_u32(DATA, before + 1).unwrap();
}

fn pair(shm: &SharedMemory, form: Form) -> (Mutex, Condvar) {
    let mutex = Mutex::options().form(form).open_or_create((shm, 0)).unwrap();
    (mutex, Condvar::options().form(form).open_or_create((shm, 1024)).unwrap())
}

/// Waits until the number is not 0, and takes 1 from it.
fn consume(shm: &SharedMemory, mutex: &Mutex, filled: &Condvar) {
    let mut guard = mutex.lock(LONG).unwrap();
    shm.add_u32(CONSUMERS, 1).unwrap();
    while shm.load_u32(DATA).unwrap() == 0 {
        filled.wait(&mut guard, LONG).unwrap();
    }
    shm.add_u32(DATA, u32::MAX).unwrap();
}

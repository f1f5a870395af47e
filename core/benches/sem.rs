// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores in Rust against the plain calls. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(unsafe_code, reason = "the plain calls are calls of C")]

mod harness;
mod machine;
#[allow(dead_code, reason = "the clock alone is of use here")]
mod plain;

use std::ffi::CString;
use std::process::id;
use std::time::Duration;

use harness::{Side, compare};
use unipc::sem::{Operation, Options};
use unipc::{Semaphore, SemaphoreSet, Timeout};

fn done(result: i32) {
    assert!(result >= 0, "{}", std::io::Error::last_os_error());
}

/// What the plain calls know a semaphore by.
#[derive(Clone, Copy)]
enum Plain {
    SystemV(i32),
    Posix(*mut libc::sem_t),
}

impl Plain {
    fn take(self) {
        match self {
            Self::SystemV(id) => change(id, &mut [operation(0, -1, 0)]),
            // SAFETY: the semaphore is open.
            Self::Posix(semaphore) => done(unsafe { libc::sem_wait(semaphore) }),
        }
    }

    fn give(self) {
        match self {
            Self::SystemV(id) => change(id, &mut [operation(0, 1, 0)]),
            // SAFETY: the semaphore is open.
            Self::Posix(semaphore) => done(unsafe { libc::sem_post(semaphore) }),
        }
    }
}

fn operation(sem_num: u16, sem_op: i16, sem_flg: i16) -> libc::sembuf {
    libc::sembuf { sem_num, sem_op, sem_flg }
}

fn change(id: i32, operations: &mut [libc::sembuf]) {
    // SAFETY: the kernel reads as many operations as it is told.
    done(unsafe { libc::semop(id, operations.as_mut_ptr(), operations.len()) });
}

fn posix(what: &str, value: u32) -> (Semaphore, Plain) {
    let name = format!("/unipc-bench-{what}-{}", id());
    let semaphore = Semaphore::create(name.as_str(), value).expect("a semaphore");
    let c_name = CString::new(name.as_str()).expect("a name");
    // SAFETY: the name is NUL-terminated.
    let plain = unsafe { libc::sem_open(c_name.as_ptr(), 0) };
    assert_ne!(plain, libc::SEM_FAILED);
    Semaphore::unlink(name.as_str()).expect("it is there");
    (semaphore, Plain::Posix(plain))
}

fn system_v(_: &str, value: u32) -> (Semaphore, Plain) {
    let options = Semaphore::options().remove_on_drop(true);
    let semaphore = options.create("sysv:private", value).expect("a semaphore");
    let id = semaphore.set().map(SemaphoreSet::id).expect("System V");
    (semaphore, Plain::SystemV(id))
}

fn pair(first: &Semaphore, second: &Semaphore, timeout: Timeout) {
    first.acquire(timeout).expect("a unit");
    second.release().expect("room");
}

/// Another process that gives back, by the plain calls.
fn echo(there: Plain, back: Plain) -> i32 {
    // SAFETY: the child makes plain calls alone, until it is killed.
    let child = unsafe { libc::fork() };
    if child != 0 {
        return child;
    }
    loop {
        there.take();
        back.give();
    }
}

fn end(child: i32) {
    // SAFETY: ours.
    unsafe { libc::kill(child, libc::SIGKILL) };
    // SAFETY: as above; its status is of no interest.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

fn measure(kind: &str, calls: &str, make: fn(&str, u32) -> (Semaphore, Plain)) {
    let (one, plain) = make("one", 1);
    compare(
        &format!("{kind}: acquire and release (expected: at most 1.03 x)"),
        vec![
            Side::new("unipc acquire, release", || pair(&one, &one, Timeout::Forever)),
            Side::new(calls, || {
                plain.take();
                plain.give();
            }),
        ],
    );
    compare(
        &format!("{kind}: held for a scope; System V with SEM_UNDO, which costs more"),
        vec![
            Side::new("unipc hold", || drop(one.hold(Timeout::Forever).expect("a unit"))),
            Side::new(calls, || {
                plain.take();
                plain.give();
            }),
        ],
    );
    let ((there, plain_there), (back, plain_back)) = (make("there", 0), make("back", 0));
    let child = echo(plain_there, plain_back);
    compare(
        &format!("{kind}: round trip, time of this side (expected: at most 1.03 x)"),
        vec![
            Side::new("unipc release, acquire", || {
                there.release().expect("room");
                back.acquire(Timeout::Forever).expect("a unit");
            }),
            Side::new(calls, || {
                plain_there.give();
                plain_back.take();
            }),
        ],
    );
    end(child);
}

fn limited() {
    let (one, plain) = system_v("", 1);
    let Plain::SystemV(id) = plain else { unreachable!("it is System V") };
    let second = Duration::from_secs(1);
    compare(
        "System V semaphore: acquire with a limit and release (expected: at most 1.03 x)",
        vec![
            Side::new("unipc acquire, release", || pair(&one, &one, Timeout::After(second))),
            Side::new("semtimedop, semop", || {
                let limit = libc::timespec { tv_sec: 1, tv_nsec: 0 };
                let mut take = operation(0, -1, 0);
                let (call, count) = (libc::SYS_semtimedop, 1_usize);
                // SAFETY: the kernel reads one operation and the limit.
                let taken =
                    unsafe { libc::syscall(call, id, &raw mut take, count, &raw const limit) };
                assert_eq!(taken, 0);
                plain.give();
            }),
        ],
    );
}

fn arrays() {
    let options = Options::new().remove_on_drop(true);
    let set = options.create_set("sysv:private", &[1, 1, 1]).expect("a set");
    #[allow(clippy::cast_possible_truncation, reason = "the kernel's number fits its field")]
    let undo = libc::SEM_UNDO as i16;
    let ours = |delta| [0, 1, 2].map(|index| Operation::new(index, delta).undo(true));
    let theirs = |delta| [0, 1, 2].map(|index| operation(index, delta, undo));
    compare(
        "System V set: three at once with SEM_UNDO and back (expected: at most 1.03 x)",
        vec![
            Side::new("unipc operate", || {
                set.operate(&ours(-1), Timeout::Forever).expect("units");
                set.operate(&ours(1), Timeout::Forever).expect("room");
            }),
            Side::new("semop", || {
                change(set.id(), &mut theirs(-1));
                change(set.id(), &mut theirs(1));
            }),
        ],
    );
}

fn main() {
    machine::print_head("Rust");
    plain::share_a_processor();
    measure("POSIX semaphore", "sem_wait, sem_post", posix);
    measure("System V semaphore", "semop, semop", system_v);
    limited();
    arrays();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Benchmarks of file locks: locking and unlocking with nobody in the way, beside flock and fcntl themselves.
#![allow(clippy::print_stdout, reason = "a benchmark reports on its standard output")]
#![allow(unsafe_code, reason = "the plain calls are calls of C")]

mod harness;
#[allow(dead_code, reason = "shared memory needs the rest")]
mod machine;
#[allow(dead_code, reason = "shared memory needs the rest")]
mod plain;

use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{Side, compare};
use unipc::Timeout;
use unipc::lock::{FileLock, Kind, Range, Sharing};

fn flock(fd: i32, operation: i32) {
    // SAFETY: numbers alone.
    assert_eq!(unsafe { libc::flock(fd, operation) }, 0);
}

/// Locks and unlocks.
fn record(fd: i32, command: i32, kind: i32, start: i64, length: i64) {
    let mut record = libc::flock {
        l_type: i16::try_from(kind).expect("a small number"),
        l_whence: 0,
        l_start: start,
        l_len: length,
        l_pid: 0,
    };
    // SAFETY: the structure lives as long as the call.
    assert_eq!(unsafe { libc::fcntl(fd, command, &raw const record) }, 0);
    record.l_type = 2; // F_UNLCK
    // SAFETY: as above.
    assert_eq!(unsafe { libc::fcntl(fd, command, &raw const record) }, 0);
}

fn both(lock: &FileLock, range: Range, sharing: Sharing, timeout: Timeout) {
    lock.acquire(range, sharing, timeout).expect("nobody has it");
    lock.release(range).expect("it is locked");
}

fn open(path: &Path, kind: Kind) -> FileLock {
    let name = format!("file:{}", path.display());
    FileLock::options().kind(kind).open_or_create(name).expect("it can be made")
}

fn whole(path: &Path, kind: Kind, what: &str, plain: &str, call: impl Fn(i32)) {
    let lock = open(path, kind);
    let mut guarded = open(path, kind);
    let fd = lock.as_fd().as_raw_fd();
    compare(
        &format!("lock and unlock the whole file, {what}"),
        vec![
            Side::new("unipc acquire and release", || {
                both(&lock, Range::ALL, Sharing::Exclusive, Timeout::Forever);
            }),
            Side::new(plain, || call(fd)),
        ],
    );
    compare(
        &format!("lock the whole file and drop the guard, {what}"),
        vec![
            Side::new("unipc lock", || {
                drop(guarded.lock(Sharing::Exclusive, Timeout::Forever).expect("nobody has it"));
            }),
            Side::new(plain, || call(fd)),
        ],
    );
}

fn ofd(path: &Path) {
    let lock = open(path, Kind::Ofd);
    let fd = lock.as_fd().as_raw_fd();
    let second = Timeout::After(Duration::from_secs(1));
    compare(
        "lock and unlock the whole file with a time limit, OFD",
        vec![
            Side::new("unipc acquire and release", || {
                both(&lock, Range::ALL, Sharing::Exclusive, second);
            }),
            Side::new("fcntl(F_OFD_SETLKW) twice, without one", || {
                record(fd, libc::F_OFD_SETLKW, libc::F_WRLCK, 0, 0);
            }),
        ],
    );
    compare(
        "try to lock and unlock 10 bytes, shared, OFD",
        vec![
            Side::new("unipc acquire and release", || {
                both(&lock, Range::new(100, Some(10)), Sharing::Shared, Timeout::TRY);
            }),
            Side::new("fcntl(F_OFD_SETLK) twice", || {
                record(fd, libc::F_OFD_SETLK, libc::F_RDLCK, 100, 10);
            }),
        ],
    );
}

/// Every kind of lock beside its own call.
fn main() {
    machine::print_head("Rust");
    let path = PathBuf::from(format!("/dev/shm/unipc-bench-lock-{}", std::process::id()));
    whole(&path, Kind::Ofd, "OFD", "fcntl(F_OFD_SETLKW) twice", |fd| {
        record(fd, libc::F_OFD_SETLKW, libc::F_WRLCK, 0, 0);
    });
    ofd(&path);
    whole(&path, Kind::Posix, "POSIX", "fcntl(F_SETLKW) twice", |fd| {
        record(fd, libc::F_SETLKW, libc::F_WRLCK, 0, 0);
    });
    whole(&path, Kind::Flock, "flock", "flock twice", |fd| {
        flock(fd, libc::LOCK_EX);
        flock(fd, libc::LOCK_UN);
    });
    std::fs::remove_file(path).expect("it is there");
}

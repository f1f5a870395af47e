// SPDX-License-Identifier: MIT OR Apache-2.0
//! File locks of the three kinds: what excludes whom, in one process and between several, and what becomes of locks.
#![allow(unsafe_code, reason = "settings of a process are raw calls")]

#[path = "../support/child.rs"]
mod child;
mod conflict;
mod holder;
mod open;
mod owner;
#[path = "../support/peer.rs"]
mod peer;
#[path = "../support/storm.rs"]
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod wait;

use std::io::{Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peer::Peer;
use unipc::Timeout;
use unipc::lock::{FileLock, Kind, Range, Sharing};

const KINDS: [Kind; 3] = [Kind::Ofd, Kind::Posix, Kind::Flock];
const TRY: Timeout = Timeout::TRY;
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));
const FOREVER: Timeout = Timeout::Forever;

/// How often each of the threads counts.
const ROUNDS: u64 = 200;

/// A child of another test would inherit this test's files, and with them its locks.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(kind: Kind, name: &str) -> FileLock {
    FileLock::options().kind(kind).open_or_create(name).unwrap()
}

fn errno<T>(result: unipc::Result<T>) -> i32 {
    result.err().map_or(0, |error| error.errno())
}

/// Can somebody else have it? Asked in a child, since a process does not exclude itself by POSIX locks.
fn is_free(kind: Kind, name: &str, range: Range, sharing: Sharing) -> bool {
    let mut answer = [0];
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let child = Peer::run(|_| {
        let got = open(kind, name).acquire(range, sharing, TRY);
        writer.write_all(&[u8::from(got.is_ok())]).unwrap();
        assert!(got.is_ok() || errno(got) == libc::EAGAIN);
    });
    reader.read_exact(&mut answer).unwrap();
    child.ends();
    answer == [1]
}

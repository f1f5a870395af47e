// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores of every kind, for facts that hold for all.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use unipc::sem::{Backing, Options};
use unipc::{Semaphore, SharedMemory};

use crate::support::{key_name, posix_name};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Posix,
    SystemV,
    Memory,
}

/// Removes a semaphore when the test is over, however it ends.
pub(crate) struct Unlinked(pub(crate) String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = Semaphore::unlink(self.0.as_str());
    }
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Posix, Self::SystemV, Self::Memory];

    pub(crate) fn of(backing: Backing) -> Self {
        match backing {
            Backing::Posix => Self::Posix,
            Backing::SystemV => Self::SystemV,
            Backing::Memory => Self::Memory,
        }
    }

    pub(crate) fn make(self, value: u32) -> (Semaphore, Unlinked) {
        self.make_with(&Semaphore::options(), value)
    }

    pub(crate) fn make_with(self, options: &Options, value: u32) -> (Semaphore, Unlinked) {
        let name = match self {
            Self::Posix => posix_name("sem"),
            Self::SystemV => key_name(),
            Self::Memory => "anon:".to_owned(),
        };
        let semaphore = if self == Self::Memory {
            let memory = Arc::new(SharedMemory::create("anon:", 4096).unwrap());
            options.create_in(memory.region(64, Semaphore::SIZE).unwrap(), value)
        } else {
            options.create(name.as_str(), value)
        };
        (semaphore.unwrap(), Unlinked(name))
    }
}

/// Does it for a new semaphore of each kind.
pub(crate) fn each(value: u32, work: impl Fn(Semaphore, Kind)) {
    for kind in Kind::ALL {
        let (semaphore, _unlinked) = kind.make(value);
        work(semaphore, kind);
    }
}

/// Returns when the process sleeps in a system call.
pub(crate) fn asleep(pid: i32) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let sleeps = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.contains("State:\tS")
    };
    while !sleeps() {
        assert!(Instant::now() < deadline, "process {pid} does not wait");
        std::thread::sleep(Duration::from_millis(1));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests of one face share: names that nobody else has, and directories that go away.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A number that no other test of this machine uses now.
pub(crate) fn unique() -> u32 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    // SYNC: a counter alone; it orders nothing.
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    std::process::id() << 8 | (number & 0xff)
}

/// A POSIX name of its own.
pub(crate) fn posix_name(what: &str) -> String {
    format!("/unipc-test-{what}-{:x}", unique())
}

/// A System V key of its own, never 0.
pub(crate) fn key_name() -> String {
    format!("sysv:{:#x}", 0x4000_0000 | unique())
}

/// Removes an object when the test is over, however it ends.
pub(crate) struct Removed(pub(crate) String);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = unipc::SharedMemory::unlink(self.0.as_str());
    }
}

/// A directory on a disk file system (the build directory), gone when dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(what: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{what}-{:x}", unique()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub(crate) fn name(&self, file: &str) -> String {
        format!("file:{}", self.path(file).display())
    }

    pub(crate) fn entries(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What may be done at an address of this process, as `/proc/self/maps` has it; `None` where nothing is mapped.
pub(crate) fn protection_at(address: usize) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let inside = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        inside.contains(&address).then(|| rest[..4].to_owned())
    })
}

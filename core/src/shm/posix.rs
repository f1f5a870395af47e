// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where POSIX objects live: `shm_open("/demo")` of every Linux libc is the file `/dev/shm/demo`.

use std::path::{Path, PathBuf};

use crate::name::{Name, PosixName};

const DIRECTORY: &str = "/dev/shm";

pub(super) fn path(name: &PosixName) -> PathBuf {
    // `join` would allocate three times, which shows in the time that opening takes.
    let mut path = PathBuf::with_capacity(DIRECTORY.len() + 1 + name.file_name().len());
    path.push(DIRECTORY);
    path.push(name.file_name());
    path
}

/// The POSIX name of a path directly in `/dev/shm`. Behind a descriptor of an object that was made without a name, the
/// kernel shows `#NUMBER (deleted)` even after it was given one; that is told as it is, and leads to no object.
pub(super) fn name_at(path: &Path) -> Option<Name> {
    let inside = path.strip_prefix(DIRECTORY).ok()?;
    Name::parse(Path::new("/").join(inside)).ok()
}

/// Free and total bytes of the file system that holds POSIX objects.
pub(super) fn space() -> Option<(u64, u64)> {
    let space = nix::sys::statvfs::statvfs(DIRECTORY).ok()?;
    Some((space.blocks_available() * space.fragment_size(), space.blocks() * space.fragment_size()))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where POSIX objects live: `shm_open("/demo")` of every Linux libc is the file `/dev/shm/demo`.

use std::path::{Path, PathBuf};

use crate::name::{Name, PosixName};

const DIRECTORY: &str = "/dev/shm";

pub(super) fn path(name: &PosixName) -> PathBuf {
    Path::new(DIRECTORY).join(name.file_name())
}

/// The POSIX name of a path directly in `/dev/shm`.
pub(super) fn name_at(path: &Path) -> Option<Name> {
    let inside = path.strip_prefix(DIRECTORY).ok()?;
    Name::parse(Path::new("/").join(inside)).ok()
}

/// Free and total bytes of the file system that holds POSIX objects.
pub(super) fn space() -> Option<(u64, u64)> {
    let space = nix::sys::statvfs::statvfs(DIRECTORY).ok()?;
    Some((space.blocks_available() * space.fragment_size(), space.blocks() * space.fragment_size()))
}

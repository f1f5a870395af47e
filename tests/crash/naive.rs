// SPDX-License-Identifier: MIT OR Apache-2.0
//! The negative control: a creator as textbooks have it, which the checker must catch half-way.
//!
//! The name appears first, then the size, then the mode: three moments at which its death is visible.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::object::{MODE, SIZES, UMASK};
use crate::place::Place;
use crate::process::umask;
use crate::random::Random;

/// As [`crate::worker::work`], by the plain calls.
pub(crate) fn work(place: &Place, mut random: Random) {
    umask(UMASK);
    let path = Path::new("/dev/shm").join(place.name.trim_start_matches('/'));
    loop {
        if create(&path, *random.pick(&SIZES)).is_err() {
            let _ = fs::remove_file(&path);
        }
    }
}

/// `shm_open(O_CREAT | O_EXCL)`, `ftruncate`, `fchmod`.
pub(crate) fn create(path: &Path, size: usize) -> io::Result<()> {
    let file =
        fs::OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(path)?;
    file.set_len(size as u64)?;
    file.set_permissions(fs::Permissions::from_mode(MODE))
}

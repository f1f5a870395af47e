// SPDX-License-Identifier: MIT OR Apache-2.0
//! A new POSIX queue with exactly the mode that was asked for, from its first moment on.
//!
//! `mq_open` takes the umask's bits away, and the file system of queues knows no other way to make one: none can be
//! made aside and named when it is ready. The umask belongs to the whole process, so changing it would change the files
//! that other threads make meanwhile. A thread that has left the others (`unshare(CLONE_FS)`) has a umask of its own.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::sys::stat::{Mode as FileMode, fchmod};

use crate::name::PosixName;
use crate::open::Mode;
use crate::sys::mqueue;

/// `mq_open` with `O_CREAT | O_EXCL`, and with all bits of `mode`.
pub(super) fn create(
    name: &PosixName,
    access: i32,
    mode: Mode,
    limits: Option<(usize, usize)>,
) -> nix::Result<OwnedFd> {
    let flags = access | libc::O_CREAT | libc::O_EXCL;
    let make = || mqueue::mq_open(name, flags, mode.bits(), limits);
    match umask() {
        Some(umask) if umask & mode.bits() == 0 => return make(),
        Some(_) => {
            if let Some(result) = on_a_thread(make) {
                return result;
            }
        }
        None => {}
    }
    // Without /proc, in a sandbox that forbids it, or without another thread: then others are kept out for an instant.
    let fd = make()?;
    match fchmod(&fd, FileMode::from_bits_truncate(mode.bits())) {
        Ok(()) => Ok(fd),
        Err(errno) => {
            // Ours, new and not as it should be.
            let _ = mqueue::mq_unlink(name);
            Err(errno)
        }
    }
}

/// Makes it where no umask takes anything away.
fn on_a_thread(make: impl FnOnce() -> nix::Result<OwnedFd> + Send) -> Option<nix::Result<OwnedFd>> {
    let elsewhere = || mqueue::umask_of_its_own().ok().map(|()| make());
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, elsewhere);
        thread.ok().and_then(|thread| thread.join().ok().flatten())
    })
}

/// The umask of this process, read without changing it (Linux 4.7).
fn umask() -> Option<u32> {
    // It is the second line, after a name of a few bytes.
    let mut start = [0; 256];
    let length = File::open("/proc/thread-self/status").ok()?.read(&mut start).ok()?;
    let text = String::from_utf8_lossy(&start[..length]);
    let line = text.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(line.trim(), 8).ok()
}

/// Did this call make no queue because others had it or took it away meanwhile?
pub(super) fn is_race(errno: Errno) -> bool {
    matches!(errno, Errno::EEXIST | Errno::ENOENT)
}

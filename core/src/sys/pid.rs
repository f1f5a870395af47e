// SPDX-License-Identifier: MIT OR Apache-2.0
//! The number of this process, cheap enough to be asked for at every release of a lock; and one of this thread.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

/// As [`std::process::id`], but after the first time without a system call: the number is kept in a page that the kernel
/// zeroes in a child of fork (`MADV_WIPEONFORK`, Linux 4.14), however that fork was made.
pub(crate) fn process_id() -> u32 {
    static KEPT: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();
    let Some(kept) = KEPT.get_or_init(wiped_by_fork) else {
        return std::process::id();
    };
    // SYNC: a number alone; all threads of a process store the same.
    match kept.load(Ordering::Relaxed) {
        0 => {
            let pid = std::process::id();
            // SYNC: as above.
            kept.store(pid, Ordering::Relaxed);
            pid
        }
        pid => pid,
    }
}

/// A number, not 0, that the calling thread alone has; a child of fork goes on with that of the thread that forked.
pub(crate) fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // SYNC: a counter alone; it orders nothing.
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    // A thread that is ending is none that has begun anything.
    NUMBER.try_with(|number| *number).unwrap_or(u64::MAX)
}

/// A place that is 0 at first and again in each child; `None` where the kernel has none to give.
fn wiped_by_fork() -> Option<&'static AtomicU32> {
    let page = NonZeroUsize::new(super::page_size())?;
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses the address of a new mapping.
    let start = unsafe { mmap_anonymous(None, page, protection, MapFlags::MAP_PRIVATE) }.ok()?;
    // SAFETY: the page is new, and holds nothing.
    if unsafe { super::madvise(start.as_ptr().cast(), page.get(), libc::MADV_WIPEONFORK) }.is_err()
    {
        // SAFETY: the page is ours and nobody else knows it.
        let _ = unsafe { nix::sys::mman::munmap(start, page.get()) };
        return None;
    }
    // SAFETY: the page is never unmapped, is aligned for any integer, and is only ever seen as this atomic.
    Some(unsafe { AtomicU32::from_ptr(start.as_ptr().cast()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_number_of_the_process_in_a_child_too() {
        assert_eq!(process_id(), std::process::id());
        assert_eq!(process_id(), std::process::id());
        // SAFETY: the child makes no allocation and calls only what is async-signal-safe.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let right = process_id() == std::process::id() && process_id() == std::process::id();
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!right)) };
        }
        let mut status = 0;
        // SAFETY: the child is ours; the pointer is to a local.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `futex(2)` and `futex_waitv(2)` on words that processes share.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use nix::errno::Errno;

use super::timer::timespec;

/// How many words one call can wait for: the kernel's `FUTEX_WAITV_MAX`.
pub(crate) const WAIT_MAX: usize = 128;

/// `FUTEX_32`: a 32-bit word, shared between processes.
pub(super) const FUTEX_32: u32 = 2;

/// Sleeps while the word is `expected`, at most `limit`. `EAGAIN`: it is not; `ETIMEDOUT`, `EINTR`.
pub(crate) fn wait(word: &AtomicU32, expected: u32, limit: Duration) -> nix::Result<()> {
    let limit = timespec(limit);
    // SAFETY: the word and the time live as long as the call.
    let result = unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const limit)
    };
    Errno::result(result).map(drop)
}

/// Sleeps while each word is what stands beside it. The first of them that are too many are enough. `ENOSYS` before Linux 5.16.
pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], limit: Duration) -> nix::Result<()> {
    #[repr(C)]
    struct Waiter {
        value: u64,
        address: u64,
        flags: u32,
        reserved: u32,
    }
    let words = &words[..words.len().min(WAIT_MAX)];
    let waiters: Vec<Waiter> = words
        .iter()
        .map(|(word, expected)| Waiter {
            value: u64::from(*expected),
            address: word.as_ptr().addr() as u64,
            flags: FUTEX_32,
            reserved: 0,
        })
        .collect();
    // This call takes a moment, not a duration.
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?;
    let until = timespec(Duration::from(now).saturating_add(limit));
    // SAFETY: the words, the list and the time live as long as the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            waiters.as_ptr(),
            waiters.len(),
            0,
            &raw const until,
            libc::CLOCK_MONOTONIC,
        )
    };
    Errno::result(result).map(drop)
}

/// Wakes at most `count` sleepers; tells how many there were.
pub(crate) fn wake(word: &AtomicU32, count: i32) -> usize {
    // SAFETY: the call uses the word's address alone, as a name.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count) };
    usize::try_from(woken).unwrap_or(0)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! [membarrier(2)](https://man7.org/linux/man-pages/man2/membarrier.2.html): one side pays for the fences of both.

use nix::errno::Errno;

const GLOBAL_EXPEDITED: i32 = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: i32 = 1 << 2;

/// From now on [`everywhere`] reaches the threads of this process, whoever calls it. False where the kernel cannot.
pub(crate) fn register() -> bool {
    call(REGISTER_GLOBAL_EXPEDITED)
}

/// Every running thread of every registered process passes a full memory barrier before this returns. False where the
/// kernel cannot.
pub(crate) fn everywhere() -> bool {
    call(GLOBAL_EXPEDITED)
}

fn call(command: i32) -> bool {
    // SAFETY: the call takes numbers alone.
    Errno::result(unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }).is_ok()
}

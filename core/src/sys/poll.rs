// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ppoll(2)` on plain numbers of descriptors: one that is not open is told by the kernel, and harms nothing.

use nix::errno::Errno;

use super::timer::timespec;
use crate::time::Timeout;

pub(crate) use libc::pollfd as Polled;

/// Waits until something is there, and writes down what. How many; 0 when the time is over.
///
/// Errors: `EINTR`, `ENOMEM`; `EINVAL` for more descriptors than `RLIMIT_NOFILE`.
pub(crate) fn ppoll(polled: &mut [Polled], timeout: Timeout) -> nix::Result<usize> {
    let left = match timeout {
        Timeout::Forever => None,
        Timeout::After(left) => Some(timespec(left)),
    };
    let left = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let count = libc::nfds_t::try_from(polled.len()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads and writes the entries of the slice alone, and reads a time that lives as long as the call, or none.
    let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), count, left, std::ptr::null()) };
    Errno::result(ready).map(|ready| usize::try_from(ready).unwrap_or(0))
}

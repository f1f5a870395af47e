// SPDX-License-Identifier: MIT OR Apache-2.0
//! File systems in memory, in a mount namespace of the test's own.
#![allow(unsafe_code, reason = "mount is a raw call")]

use std::ffi::CString;
use std::path::Path;

/// Mounts a tmpfs with `flags` of mount(2) and its own `options`.
pub(crate) fn tmpfs(at: &Path, flags: libc::c_ulong, options: &str) {
    let at = CString::new(at.to_str().unwrap()).unwrap();
    let options = CString::new(options).unwrap();
    let (kind, options) = (c"tmpfs".as_ptr(), options.as_ptr());
    // SAFETY: all strings are NUL-terminated and outlive the call.
    let result = unsafe { libc::mount(kind, at.as_ptr(), kind, flags, options.cast()) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

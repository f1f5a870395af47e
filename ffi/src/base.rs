// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/base.h: which library this is, and the size of a page.

use std::ffi::{CStr, c_char, c_uint};

use super::boundary::guard;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a version has no NUL"),
    };

const VERSION_NUMBER: c_uint = number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + number(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
    + number(env!("CARGO_PKG_VERSION_PATCH"));

const fn number(digits: &str) -> c_uint {
    match c_uint::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("a part of a version is a number"),
    }
}

/// What an object is to the kernel, see unipc_shm_backing(), unipc_mq_backing().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_backing {
    /// A System V segment: shmget().
    UNIPC_BACKING_SYSTEM_V = 1,
    /// A POSIX object: shm_open().
    UNIPC_BACKING_POSIX = 2,
    /// A file: open().
    UNIPC_BACKING_FILE = 3,
    /// Memory without a name: memfd_create().
    UNIPC_BACKING_MEMFD = 4,
    /// An anonymous mapping: MAP_ANONYMOUS.
    UNIPC_BACKING_ANONYMOUS = 5,
}

/// For opts.mode.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_mode {
    /// In opts.mode, where 0 is the default: no permission for anybody.
    UNIPC_MODE_NONE = 1 << 30,
}

/// The version of the library that is loaded: major * 1000000 + minor * 1000 + patch.
///
/// UNIPC_VERSION_NUMBER is the version of the header that the program was compiled with.
/// Returns the number. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_version() -> c_uint {
    VERSION_NUMBER
}

/// The version of the library that is loaded, as text: "0.1.0".
///
/// Returns a static string. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_version_string() -> *const c_char {
    VERSION.as_ptr()
}

/// The size of a page of memory in bytes, as sysconf(_SC_PAGESIZE) tells it.
///
/// Returns the size. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_page_size() -> usize {
    guard("page_size", || Ok(unipc_core::page_size()))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! File locks as C calls them.

use std::ffi::{CStr, CString, c_int, c_uint};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::ptr::{null, null_mut};

use unipc_core::lock::{Kind, Sharing};

use crate::ffi::error::unipc_last_error;
use crate::ffi::lock::unipc_lock_flag::UNIPC_LOCK_READ_ONLY;
use crate::ffi::lock::unipc_lock_kind::*;
use crate::ffi::lock::unipc_lock_sharing::*;
use crate::ffi::lock::*;
use crate::null::INVALID;

const ALONE: c_uint = UNIPC_LOCK_EXCLUSIVE as c_uint;
const TOGETHER: c_uint = UNIPC_LOCK_SHARED as c_uint;
const TRY: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
const SHORT: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The path of a file of this test's own, removed when dropped.
struct Path(PathBuf);

impl Path {
    fn new(what: &str) -> Self {
        let file = format!("unipc-ffi-lock-{what}-{}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    fn name(&self) -> CString {
        CString::new(format!("file:{}", self.0.display())).unwrap()
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn opts(kind: c_uint, mode: u32) -> unipc_lock_opts {
    unipc_lock_opts { sz: size_of::<unipc_lock_opts>(), kind, mode }
}

fn open(name: &CStr, opts: &unipc_lock_opts) -> *mut unipc_lock {
    let mut lock = null_mut();
    // SAFETY: all pointers are valid.
    assert_eq!(unsafe { unipc_lock_open_or_create(&raw mut lock, name.as_ptr(), 0, opts) }, 0);
    lock
}

fn acquire(lock: *const unipc_lock, sharing: c_uint, start: u64, length: u64) -> c_int {
    // SAFETY: the handle is open.
    unsafe { unipc_lock_acquire(lock, sharing, start, length, &TRY) }
}

/// Waits for the whole file. What was closed is free at once, unless a child that another test starts has it until its exec.
fn acquire_at_last(lock: *const unipc_lock, sharing: c_uint) -> c_int {
    // SAFETY: the handle is open.
    unsafe { unipc_lock_acquire(lock, sharing, 0, 0, std::ptr::null()) }
}

fn close(lock: *mut unipc_lock) {
    // SAFETY: the handle is open and used no more.
    unsafe { unipc_lock_close(lock) };
}

/// For null.rs: the functions that were asked.
pub(crate) fn null_is_refused() -> Vec<&'static str> {
    let path = Path::new("null");
    let name = path.name();
    let lock = open(&name, &opts(0, 0));
    let mut out = null_mut();
    let mut holder = unipc_lock_holder_info::default();
    let none = null::<unipc_lock>();
    let (out, holder, name) = (&raw mut out, &raw mut holder, name.as_ptr());
    let asked = ask! {
        unipc_lock_open_or_create(null_mut(), name, 0, null()) -> INVALID;
        unipc_lock_open_or_create(out, null(), 0, null()) -> INVALID;
        unipc_lock_create(null_mut(), name, 0, null()) -> INVALID;
        unipc_lock_create(out, null(), 0, null()) -> INVALID;
        unipc_lock_open(null_mut(), name, 0, null()) -> INVALID;
        unipc_lock_open(out, null(), 0, null()) -> INVALID;
        unipc_lock_from_fd(null_mut(), 0, 0, null()) -> INVALID;
        unipc_lock_name(none) -> null();
        unipc_lock_kind_of(none) -> INVALID;
        unipc_lock_fd(none) -> INVALID;
        unipc_lock_acquire(none, ALONE, 0, 0, null()) -> INVALID;
        unipc_lock_release(none, 0, 0) -> INVALID;
        unipc_lock_holder(none, ALONE, 0, 0, holder) -> INVALID;
        unipc_lock_holder(lock, ALONE, 0, 0, null_mut()) -> INVALID;
    };
    close(null_mut());
    close(lock);
    asked.into()
}

#[test]
fn the_constants_are_the_cores() {
    assert_eq!(UNIPC_LOCK_OFD as c_int, Kind::Ofd as c_int);
    assert_eq!(UNIPC_LOCK_POSIX as c_int, Kind::Posix as c_int);
    assert_eq!(UNIPC_LOCK_FLOCK as c_int, Kind::Flock as c_int);
    assert_eq!(UNIPC_LOCK_EXCLUSIVE as c_int, Sharing::Exclusive as c_int);
    assert_eq!(UNIPC_LOCK_SHARED as c_int, Sharing::Shared as c_int);
}

#[test]
fn a_lock_is_taken_told_and_given_back() {
    let path = Path::new("life");
    let name = path.name();
    let (first, second) = (open(&name, &opts(0, 0o640)), open(&name, &opts(0, 0)));
    // SAFETY: the handles are open.
    unsafe {
        assert_eq!(CStr::from_ptr(unipc_lock_name(first)), name.as_c_str());
        assert_eq!(unipc_lock_kind_of(first), UNIPC_LOCK_OFD as c_int);
        assert!(unipc_lock_fd(first) >= 0);
    }
    let mode = std::fs::metadata(&path.0).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o777, 0o640);

    assert_eq!(acquire(first, TOGETHER, 10, 5), 0);
    assert_eq!(acquire(second, TOGETHER, 0, 0), 0);
    assert_eq!(acquire(second, ALONE, 14, 1), -libc::EAGAIN);
    // SAFETY: the handle is open.
    let late = unsafe { unipc_lock_acquire(second, ALONE, 14, 1, &SHORT) };
    assert_eq!(late, -libc::ETIMEDOUT);
    assert_eq!(acquire(second, ALONE, 15, 1), 0);
    let mut holder = unipc_lock_holder_info::default();
    // SAFETY: the handle is open, and the place is a local.
    let mut ask = |sharing| unsafe { unipc_lock_holder(second, sharing, 0, 0, &raw mut holder) };
    assert_eq!(ask(TOGETHER), 0);
    assert_eq!(ask(ALONE), 1);
    let expected = unipc_lock_holder_info {
        kind: UNIPC_LOCK_OFD as u32,
        sharing: TOGETHER,
        start: 10,
        length: 5,
        ..Default::default()
    };
    assert_eq!(holder, expected);
    // SAFETY: the handle is open.
    assert_eq!(unsafe { unipc_lock_release(first, 12, 0) }, 0);
    assert_eq!(acquire(second, ALONE, 12, 9), 0);
    close(first);
    assert_eq!(acquire_at_last(second, ALONE), 0);
    close(second);
}

#[test]
fn a_descriptor_is_duplicated_and_one_owner_with_its_copy() {
    let path = Path::new("fd");
    let file = File::create(&path.0).unwrap();
    let flock = opts(UNIPC_LOCK_FLOCK as u32, 0);
    let mut lock = null_mut();
    // SAFETY: all pointers are valid.
    let made = unsafe { unipc_lock_from_fd(&raw mut lock, file.as_raw_fd(), 0, &raw const flock) };
    assert_eq!(made, 0);
    assert_eq!(acquire(lock, ALONE, 0, 0), 0);
    assert_eq!(acquire(lock, ALONE, 0, 1), -libc::EOPNOTSUPP);
    let other = open(&path.name(), &flock);
    assert_eq!(acquire(other, TOGETHER, 0, 0), -libc::EAGAIN);
    close(lock);
    // The caller's descriptor still has it.
    assert_eq!(acquire(other, TOGETHER, 0, 0), -libc::EAGAIN);
    drop(file);
    assert_eq!(acquire_at_last(other, TOGETHER), 0);
    close(other);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let path = Path::new("odd");
    let name = path.name();
    let mut lock = std::ptr::dangling_mut();
    let mut create = |flags, opts: unipc_lock_opts| {
        // SAFETY: all pointers are valid.
        let made =
            unsafe { unipc_lock_create(&raw mut lock, name.as_ptr(), flags, &raw const opts) };
        assert!(lock.is_null());
        made
    };
    assert_eq!(create(UNIPC_LOCK_READ_ONLY as c_uint, opts(0, 0)), -libc::EINVAL);
    assert_eq!(create(0, opts(4, 0)), -libc::EINVAL);
    assert_eq!(create(0, opts(0, 0o1000)), -libc::EINVAL);
    // SAFETY: all pointers are valid.
    let missing = unsafe {
        unipc_lock_open(&raw mut lock, name.as_ptr(), UNIPC_LOCK_READ_ONLY as c_uint, null())
    };
    assert_eq!(missing, -libc::ENOENT);
    let lock = open(&name, &opts(0, 0));
    for sharing in [0, 3, c_uint::MAX] {
        assert_eq!(acquire(lock, sharing, 0, 0), -libc::EINVAL);
        // SAFETY: the string lives until this thread's next failure.
        let words = unsafe { CStr::from_ptr(unipc_last_error()) }.to_str().unwrap();
        assert!(words.contains("UNIPC_LOCK_EXCLUSIVE or UNIPC_LOCK_SHARED"), "{words}");
    }
    assert_eq!(acquire(lock, ALONE, u64::MAX, 0), -libc::EOVERFLOW);
    let bad = libc::timespec { tv_sec: -1, tv_nsec: 0 };
    // SAFETY: the handle is open.
    assert_eq!(unsafe { unipc_lock_acquire(lock, ALONE, 0, 0, &raw const bad) }, -libc::EINVAL);
    close(lock);
}

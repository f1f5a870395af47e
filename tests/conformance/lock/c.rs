// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: libunipc.so as a C program calls it, with the header's declarations spelled in Rust.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

use libc::timespec;
use unipc::lock::{Kind, Sharing};

use super::face::{Bytes, Holder, Limit, Lock};
use crate::memory::Result;

/// `unipc_lock *`.
#[derive(Debug)]
pub(crate) struct C(Handle);

type Handle = *mut c_void;

const READ_ONLY: c_uint = 1 << 0;

#[repr(C)]
struct Opts {
    sz: usize,
    kind: u32,
    mode: u32,
}

#[repr(C)]
#[derive(Default)]
struct Info {
    pid: i32,
    kind: u32,
    sharing: u32,
    reserved: u32,
    start: u64,
    length: u64,
}

type Get = unsafe extern "C" fn(*mut Handle, *const c_char, c_uint, *const Opts) -> c_int;

#[link(name = "unipc", kind = "dylib")]
unsafe extern "C" {
    fn unipc_lock_create(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_lock_open(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_lock_open_or_create(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_lock_name(lock: Handle) -> *const c_char;
    fn unipc_lock_acquire(
        lock: Handle,
        sharing: c_uint,
        start: u64,
        length: u64,
        timeout: *const timespec,
    ) -> c_int;
    fn unipc_lock_release(lock: Handle, start: u64, length: u64) -> c_int;
    fn unipc_lock_holder(
        lock: Handle,
        sharing: c_uint,
        start: u64,
        length: u64,
        holder: *mut Info,
    ) -> c_int;
    fn unipc_lock_close(lock: Handle);
}

/// `-errno` is a failure, and errno says the same.
fn check(returned: c_int) -> Result<c_int> {
    if returned >= 0 {
        return Ok(returned);
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(-returned));
    Err(-returned)
}

const KINDS: [(Kind, u32); 3] = [(Kind::Ofd, 1), (Kind::Posix, 2), (Kind::Flock, 3)];
const SHARINGS: [(Sharing, c_uint); 2] = [(Sharing::Exclusive, 1), (Sharing::Shared, 2)];

fn number<T: PartialEq + Copy>(table: &[(T, u32)], of: T) -> u32 {
    table.iter().find(|(it, _)| *it == of).unwrap().1
}

fn meaning<T: PartialEq + Copy>(table: &[(T, u32)], of: u32) -> T {
    table.iter().find(|(_, number)| *number == of).unwrap().0
}

fn get(function: Get, name: &str, kind: Kind, mode: u32, flags: c_uint) -> Result<C> {
    let name = CString::new(name).unwrap();
    let opts = Opts { sz: size_of::<Opts>(), kind: number(&KINDS, kind), mode };
    let mut handle: Handle = std::ptr::dangling_mut::<u64>().cast();
    // SAFETY: the string ends in NUL, and the options know their size.
    let got = unsafe { function(&raw mut handle, name.as_ptr(), flags, &raw const opts) };
    check(got).inspect_err(|_| assert!(handle.is_null()))?;
    Ok(C(handle))
}

impl Lock for C {
    fn create(name: &str, kind: Kind, mode: Option<u32>) -> Result<Self> {
        get(unipc_lock_create, name, kind, mode.unwrap_or(0), 0)
    }

    fn open(name: &str, kind: Kind, read_only: bool) -> Result<Self> {
        get(unipc_lock_open, name, kind, 0, if read_only { READ_ONLY } else { 0 })
    }

    fn open_or_create(name: &str, kind: Kind) -> Result<Self> {
        get(unipc_lock_open_or_create, name, kind, 0, 0)
    }

    fn name(&self) -> String {
        // SAFETY: the handle is open.
        let name = unsafe { unipc_lock_name(self.0) };
        // SAFETY: the string lives as long as the handle.
        let name = unsafe { CStr::from_ptr(name) };
        name.to_str().unwrap().to_owned()
    }

    fn acquire(&self, sharing: Sharing, (start, length): Bytes, limit: Limit) -> Result<()> {
        let timeout = limit.map(|limit| timespec {
            tv_sec: limit.as_secs().try_into().unwrap(),
            tv_nsec: limit.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let sharing = number(&SHARINGS, sharing);
        // SAFETY: the handle is open, the time is live or NULL.
        check(unsafe { unipc_lock_acquire(self.0, sharing, start, length, timeout) }).map(drop)
    }

    fn release(&self, (start, length): Bytes) -> Result<()> {
        // SAFETY: the handle is open.
        check(unsafe { unipc_lock_release(self.0, start, length) }).map(drop)
    }

    fn holder(&self, sharing: Sharing, (start, length): Bytes) -> Result<Option<Holder>> {
        let mut info = Info::default();
        let sharing = number(&SHARINGS, sharing);
        // SAFETY: the handle is open, and the room is one structure.
        let found = unsafe { unipc_lock_holder(self.0, sharing, start, length, &raw mut info) };
        if check(found)? == 0 {
            return Ok(None);
        }
        assert_eq!(info.reserved, 0);
        Ok(Some(Holder {
            pid: info.pid,
            kind: meaning(&KINDS, info.kind),
            sharing: meaning(&SHARINGS, info.sharing),
            bytes: (info.start, info.length),
        }))
    }
}

impl Drop for C {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_lock_close(self.0) };
    }
}

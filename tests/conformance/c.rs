// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: libunipc.so as a C program calls it, with the header's declarations spelled in Rust.

use std::cmp::Ordering;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;

use crate::memory::{Memory, Options, Result};

/// `unipc_shm *`.
#[derive(Debug)]
pub(crate) struct C(*mut c_void);

// SAFETY: the header lets const calls on one handle run at once.
unsafe impl Sync for C {}

const READ_ONLY: c_uint = 1 << 0;
const REPLACE: c_uint = 1 << 6;
const REMOVE_ON_CLOSE: c_uint = 1 << 7;
const ALLOW_REMOVED: c_uint = 1 << 8;
const SEAL_NONE: u32 = 0x4000_0000;

#[repr(C)]
pub(crate) struct Opts {
    sz: usize,
    size: usize,
    offset: u64,
    mode: u32,
    seals: u32,
    required_seals: u32,
    reserved: u32,
    huge_page_size: usize,
    address: *mut c_void,
}

type Handle = *mut c_void;

#[link(name = "unipc", kind = "dylib")]
unsafe extern "C" {
    fn unipc_shm_create(
        out: *mut Handle,
        name: *const c_char,
        size: usize,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_shm_open(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_shm_open_or_create(
        out: *mut Handle,
        name: *const c_char,
        size: usize,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_shm_from_fd(out: *mut Handle, fd: c_int, flags: c_uint, opts: *const Opts) -> c_int;
    fn unipc_shm_close(shm: Handle);
    fn unipc_shm_unlink(name: *const c_char) -> c_int;
    fn unipc_shm_remove(shm: Handle, flags: c_uint) -> c_int;
    fn unipc_shm_data(shm: Handle) -> *mut c_void;
    fn unipc_shm_size(shm: Handle) -> usize;
    fn unipc_shm_mapped_size(shm: Handle) -> usize;
    fn unipc_shm_name(shm: Handle) -> *const c_char;
    fn unipc_shm_is_read_only(shm: Handle) -> c_int;
    fn unipc_shm_fd(shm: Handle) -> c_int;
    fn unipc_shm_id(shm: Handle) -> c_int;
    fn unipc_shm_read_at(shm: Handle, offset: usize, buf: *mut c_void, len: usize) -> c_int;
    fn unipc_shm_write_at(shm: Handle, offset: usize, buf: *const c_void, len: usize) -> c_int;
    fn unipc_shm_fill(shm: Handle, offset: usize, len: usize, byte: u8) -> c_int;
    fn unipc_shm_compare(
        shm: Handle,
        offset: usize,
        buf: *const c_void,
        len: usize,
        order: *mut c_int,
    ) -> c_int;
    fn unipc_shm_load_u32(shm: Handle, offset: usize, value: *mut u32) -> c_int;
    fn unipc_shm_store_u32(shm: Handle, offset: usize, value: u32) -> c_int;
    fn unipc_shm_add_u32(shm: Handle, offset: usize, addend: u32, previous: *mut u32) -> c_int;
    fn unipc_shm_compare_exchange_u32(
        shm: Handle,
        offset: usize,
        expected: u32,
        desired: u32,
        previous: *mut u32,
    ) -> c_int;
    fn unipc_shm_load_u64(shm: Handle, offset: usize, value: *mut u64) -> c_int;
    fn unipc_shm_store_u64(shm: Handle, offset: usize, value: u64) -> c_int;
    fn unipc_shm_add_u64(shm: Handle, offset: usize, addend: u64, previous: *mut u64) -> c_int;
    fn unipc_shm_compare_exchange_u64(
        shm: Handle,
        offset: usize,
        expected: u64,
        desired: u64,
        previous: *mut u64,
    ) -> c_int;
    fn unipc_shm_begin_access(shm: Handle) -> c_int;
    fn unipc_shm_end_access(shm: Handle) -> c_int;
    fn unipc_shm_resize(shm: Handle, size: usize) -> c_int;
    fn unipc_shm_refresh(shm: Handle) -> c_int;
    fn unipc_shm_flush(shm: Handle, offset: usize, len: usize, flags: c_uint) -> c_int;
    fn unipc_shm_advise(shm: Handle, offset: usize, len: usize, advice: c_int) -> c_int;
    fn unipc_shm_lock(shm: Handle) -> c_int;
    fn unipc_shm_unlock(shm: Handle) -> c_int;
}

/// `-errno` is a failure, and errno says the same.
fn check(returned: c_int) -> Result<c_int> {
    if returned >= 0 {
        return Ok(returned);
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(-returned));
    Err(-returned)
}

fn flags(options: Options) -> c_uint {
    let flag = |on: bool, bit: c_uint| if on { bit } else { 0 };
    flag(options.read_only, READ_ONLY)
        | flag(options.replace, REPLACE)
        | flag(options.remove_on_close, REMOVE_ON_CLOSE)
        | flag(options.allow_removed, ALLOW_REMOVED)
}

fn opts(options: Options) -> Opts {
    Opts {
        sz: size_of::<Opts>(),
        size: options.size,
        offset: options.offset,
        mode: options.mode.unwrap_or(0),
        seals: if options.unsealed { SEAL_NONE } else { 0 },
        required_seals: 0,
        reserved: 0,
        huge_page_size: 0,
        address: null_mut(),
    }
}

fn string(name: &str) -> CString {
    CString::new(name).unwrap()
}

/// A handle made by `make`, which must be NULL after a failure.
fn made(make: impl FnOnce(*mut Handle) -> c_int) -> Result<C> {
    let mut handle: Handle = std::ptr::dangling_mut::<u64>().cast();
    match check(make(&raw mut handle)) {
        Ok(_) => Ok(C(handle)),
        Err(errno) => {
            assert!(handle.is_null());
            Err(errno)
        }
    }
}

/// One call on an open handle.
macro_rules! call {
    ($function:ident($($argument:expr),*)) => {
        // SAFETY: the handle is open, strings end in NUL, buffers have the length that is told.
        unsafe { $function($($argument),*) }
    };
}

impl Drop for C {
    fn drop(&mut self) {
        call!(unipc_shm_close(self.0));
    }
}

impl Memory for C {
    fn create(name: &str, size: usize, options: Options) -> Result<Self> {
        let (name, opts) = (string(name), opts(options));
        made(|out| {
            call!(unipc_shm_create(out, name.as_ptr(), size, flags(options), &raw const opts))
        })
    }

    fn open(name: &str, options: Options) -> Result<Self> {
        let (name, opts) = (string(name), opts(options));
        made(|out| call!(unipc_shm_open(out, name.as_ptr(), flags(options), &raw const opts)))
    }

    fn open_or_create(name: &str, size: usize, options: Options) -> Result<Self> {
        let (name, opts) = (string(name), opts(options));
        made(|out| {
            call!(unipc_shm_open_or_create(
                out,
                name.as_ptr(),
                size,
                flags(options),
                &raw const opts
            ))
        })
    }

    fn from_fd(fd: i32, options: Options) -> Result<Self> {
        let opts = opts(options);
        made(|out| call!(unipc_shm_from_fd(out, fd, flags(options), &raw const opts)))
    }

    fn unlink(name: &str) -> Result<()> {
        let name = string(name);
        check(call!(unipc_shm_unlink(name.as_ptr()))).map(drop)
    }

    fn remove(&self) -> Result<()> {
        check(call!(unipc_shm_remove(self.0, 0))).map(drop)
    }

    fn data(&self) -> *mut u8 {
        call!(unipc_shm_data(self.0)).cast()
    }

    fn len(&self) -> usize {
        call!(unipc_shm_size(self.0))
    }

    fn mapped_len(&self) -> usize {
        call!(unipc_shm_mapped_size(self.0))
    }

    fn name(&self) -> String {
        let name = call!(unipc_shm_name(self.0));
        // SAFETY: the name lives as long as the handle.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap().to_owned()
    }

    fn is_read_only(&self) -> bool {
        call!(unipc_shm_is_read_only(self.0)) == 1
    }

    fn fd(&self) -> Option<i32> {
        check(call!(unipc_shm_fd(self.0))).ok()
    }

    fn id(&self) -> Option<i32> {
        check(call!(unipc_shm_id(self.0))).ok()
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check(call!(unipc_shm_read_at(self.0, offset, buffer.as_mut_ptr().cast(), buffer.len())))
            .map(drop)
    }

    fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        check(call!(unipc_shm_write_at(self.0, offset, bytes.as_ptr().cast(), bytes.len())))
            .map(drop)
    }

    fn fill(&self, offset: usize, length: usize, byte: u8) -> Result<()> {
        check(call!(unipc_shm_fill(self.0, offset, length, byte))).map(drop)
    }

    fn compare(&self, offset: usize, bytes: &[u8]) -> Result<Ordering> {
        let mut order = 0;
        check(call!(unipc_shm_compare(
            self.0,
            offset,
            bytes.as_ptr().cast(),
            bytes.len(),
            &raw mut order
        )))?;
        Ok(order.cmp(&0))
    }

    fn load_u32(&self, offset: usize) -> Result<u32> {
        let mut value = 0;
        check(call!(unipc_shm_load_u32(self.0, offset, &raw mut value))).map(|_| value)
    }

    fn store_u32(&self, offset: usize, value: u32) -> Result<()> {
        check(call!(unipc_shm_store_u32(self.0, offset, value))).map(drop)
    }

    fn add_u32(&self, offset: usize, addend: u32) -> Result<u32> {
        let mut previous = 0;
        check(call!(unipc_shm_add_u32(self.0, offset, addend, &raw mut previous))).map(|_| previous)
    }

    fn compare_exchange_u32(
        &self,
        offset: usize,
        expected: u32,
        desired: u32,
    ) -> Result<(bool, u32)> {
        let mut previous = 0;
        check(call!(unipc_shm_compare_exchange_u32(
            self.0,
            offset,
            expected,
            desired,
            &raw mut previous
        )))
        .map(|exchanged| (exchanged == 1, previous))
    }

    fn load_u64(&self, offset: usize) -> Result<u64> {
        let mut value = 0;
        check(call!(unipc_shm_load_u64(self.0, offset, &raw mut value))).map(|_| value)
    }

    fn store_u64(&self, offset: usize, value: u64) -> Result<()> {
        check(call!(unipc_shm_store_u64(self.0, offset, value))).map(drop)
    }

    fn add_u64(&self, offset: usize, addend: u64) -> Result<u64> {
        let mut previous = 0;
        check(call!(unipc_shm_add_u64(self.0, offset, addend, &raw mut previous))).map(|_| previous)
    }

    fn compare_exchange_u64(
        &self,
        offset: usize,
        expected: u64,
        desired: u64,
    ) -> Result<(bool, u64)> {
        let mut previous = 0;
        check(call!(unipc_shm_compare_exchange_u64(
            self.0,
            offset,
            expected,
            desired,
            &raw mut previous
        )))
        .map(|exchanged| (exchanged == 1, previous))
    }

    fn begin_access(&self) {
        check(call!(unipc_shm_begin_access(self.0))).unwrap();
    }

    fn end_access(&self) -> Result<()> {
        check(call!(unipc_shm_end_access(self.0))).map(drop)
    }

    fn resize(&mut self, size: usize) -> Result<()> {
        check(call!(unipc_shm_resize(self.0, size))).map(drop)
    }

    fn refresh(&mut self) -> Result<()> {
        check(call!(unipc_shm_refresh(self.0))).map(drop)
    }

    fn flush(&self, offset: usize, length: usize) -> Result<()> {
        check(call!(unipc_shm_flush(self.0, offset, length, 0))).map(drop)
    }

    fn advise(&self, offset: usize, length: usize, advice: i32) -> Result<()> {
        check(call!(unipc_shm_advise(self.0, offset, length, advice))).map(drop)
    }

    fn lock(&self) -> Result<()> {
        check(call!(unipc_shm_lock(self.0))).map(drop)
    }

    fn unlock(&self) -> Result<()> {
        check(call!(unipc_shm_unlock(self.0))).map(drop)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: libunipc.so as a C program calls it, with the header's declarations spelled in Rust.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

use libc::timespec;

use super::face::{Limit, Options, Semaphore};
use crate::memory::Result;

/// `unipc_sem *`, and `unipc_shm *` where it lies in memory.
#[derive(Debug)]
pub(crate) struct C(Handle, Handle);

// SAFETY: the header lets const calls on one handle run at once, on any thread.
unsafe impl Sync for C {}
// SAFETY: as above.
unsafe impl Send for C {}

const REPLACE: c_uint = 1 << 0;
const REMOVE_ON_CLOSE: c_uint = 1 << 1;
const BINARY: c_uint = 1 << 3;
const UNDO: c_uint = 1 << 4;
const MODE_NONE: u32 = 1 << 30;

#[repr(C)]
struct Opts {
    sz: usize,
    mode: u32,
    index: u32,
    creator_timeout: *const timespec,
}

type Handle = *mut c_void;

#[link(name = "unipc", kind = "dylib")]
unsafe extern "C" {
    fn unipc_shm_create(
        out: *mut Handle,
        name: *const c_char,
        size: usize,
        flags: c_uint,
        opts: *const crate::c::Opts,
    ) -> c_int;
    fn unipc_shm_close(shm: Handle);
    fn unipc_sem_create(
        out: *mut Handle,
        name: *const c_char,
        value: c_uint,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_sem_open(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_sem_open_or_create(
        out: *mut Handle,
        name: *const c_char,
        value: c_uint,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_sem_create_at(
        out: *mut Handle,
        shm: Handle,
        offset: usize,
        value: c_uint,
        flags: c_uint,
    ) -> c_int;
    fn unipc_sem_close(sem: Handle);
    fn unipc_sem_unlink(name: *const c_char) -> c_int;
    fn unipc_sem_remove(sem: Handle) -> c_int;
    fn unipc_sem_name(sem: Handle) -> *const c_char;
    fn unipc_sem_id(sem: Handle) -> c_int;
    fn unipc_sem_value(sem: Handle, value: *mut c_uint) -> c_int;
    fn unipc_sem_set_value(sem: Handle, value: u16) -> c_int;
    fn unipc_sem_acquire(sem: Handle, timeout: *const timespec) -> c_int;
    fn unipc_sem_release(sem: Handle) -> c_int;
}

/// `-errno` is a failure, and errno says the same.
fn check(returned: c_int) -> Result<c_int> {
    if returned >= 0 {
        return Ok(returned);
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(-returned));
    Err(-returned)
}

fn done(returned: c_int) -> Result<()> {
    check(returned).map(drop)
}

fn flags(options: Options) -> c_uint {
    let flag = |wanted, flag| if wanted { flag } else { 0 };
    flag(options.replace, REPLACE)
        | flag(options.remove_on_close, REMOVE_ON_CLOSE)
        | flag(options.binary, BINARY)
        | flag(options.undo, UNDO)
}

fn opts(options: Options) -> Opts {
    let mode = options.mode.map_or(0, |mode| if mode == 0 { MODE_NONE } else { mode });
    Opts { sz: size_of::<Opts>(), mode, index: 0, creator_timeout: null() }
}

/// A handle made by `make`, which must be NULL after a failure.
fn made(make: impl FnOnce(*mut Handle) -> c_int) -> Result<Handle> {
    let mut handle: Handle = std::ptr::dangling_mut::<u64>().cast();
    check(make(&raw mut handle)).inspect_err(|_| assert!(handle.is_null()))?;
    Ok(handle)
}

fn string(name: &str) -> CString {
    CString::new(name).unwrap()
}

/// One call.
macro_rules! call {
    ($function:ident($($argument:expr),*)) => {
        // SAFETY: handles are open, strings end in NUL, and options know their size.
        unsafe { $function($($argument),*) }
    };
}

impl Semaphore for C {
    fn create(name: &str, value: u32, options: Options) -> Result<Self> {
        let (name, flags, opts) = (string(name), flags(options), opts(options));
        made(|out| call!(unipc_sem_create(out, name.as_ptr(), value, flags, &raw const opts)))
            .map(|sem| Self(sem, null_mut()))
    }

    fn open(name: &str, options: Options) -> Result<Self> {
        let (name, flags, opts) = (string(name), flags(options), opts(options));
        made(|out| call!(unipc_sem_open(out, name.as_ptr(), flags, &raw const opts)))
            .map(|sem| Self(sem, null_mut()))
    }

    fn open_or_create(name: &str, value: u32, options: Options) -> Result<Self> {
        let (name, flags, opts) = (string(name), flags(options), opts(options));
        made(|out| {
            call!(unipc_sem_open_or_create(out, name.as_ptr(), value, flags, &raw const opts))
        })
        .map(|sem| Self(sem, null_mut()))
    }

    fn create_in_memory(value: u32, options: Options) -> Result<Self> {
        let memory = made(|out| call!(unipc_shm_create(out, c"anon:".as_ptr(), 4096, 0, null())))?;
        let sem = made(|out| call!(unipc_sem_create_at(out, memory, 64, value, flags(options))));
        if sem.is_err() {
            call!(unipc_shm_close(memory));
        }
        sem.map(|sem| Self(sem, memory))
    }

    fn unlink(name: &str) -> Result<()> {
        done(call!(unipc_sem_unlink(string(name).as_ptr())))
    }

    fn remove(&self) -> Result<()> {
        done(call!(unipc_sem_remove(self.0)))
    }

    fn name(&self) -> String {
        let name = call!(unipc_sem_name(self.0));
        // SAFETY: the string lives as long as the handle.
        let name = unsafe { CStr::from_ptr(name) };
        name.to_str().unwrap().to_owned()
    }

    fn id(&self) -> Result<i32> {
        check(call!(unipc_sem_id(self.0)))
    }

    fn value(&self) -> Result<u32> {
        let mut value = 0;
        done(call!(unipc_sem_value(self.0, &raw mut value)))?;
        Ok(value)
    }

    fn set_value(&self, value: u16) -> Result<()> {
        done(call!(unipc_sem_set_value(self.0, value)))
    }

    fn acquire(&self, limit: Limit) -> Result<()> {
        let timeout = limit.map(|limit| timespec {
            tv_sec: limit.as_secs().try_into().unwrap(),
            tv_nsec: limit.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(null(), std::ptr::from_ref);
        done(call!(unipc_sem_acquire(self.0, timeout)))
    }

    fn release(&self) -> Result<()> {
        done(call!(unipc_sem_release(self.0)))
    }
}

impl Drop for C {
    fn drop(&mut self) {
        call!(unipc_sem_close(self.0));
        // The memory outlives what lies in it.
        call!(unipc_shm_close(self.1));
    }
}

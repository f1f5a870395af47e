// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: libunipc.so as a C program calls it, with the header's declarations spelled in Rust.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_void};
use std::ptr::{null, null_mut};

use libc::timespec;

use super::face::{How, Limit, Options, Queue};
use crate::memory::Result;

/// `unipc_mq *`.
#[derive(Debug)]
pub(crate) struct C(Handle);

// SAFETY: the header lets const calls on one handle run at once, on any thread.
unsafe impl Sync for C {}
// SAFETY: as above.
unsafe impl Send for C {}

const SEND_ONLY: c_uint = 1 << 0;
const RECEIVE_ONLY: c_uint = 1 << 1;
const REPLACE: c_uint = 1 << 2;
const REMOVE_ON_CLOSE: c_uint = 1 << 3;
const TRUNCATE: c_uint = 1 << 5;
const EXCEPT: c_uint = 1 << 6;
const MODE_NONE: u32 = 1 << 30;

#[repr(C)]
struct Opts {
    sz: usize,
    max_messages: usize,
    max_size: usize,
    mode: u32,
    reserved: u32,
}

type Handle = *mut c_void;

#[link(name = "unipc", kind = "dylib")]
unsafe extern "C" {
    fn unipc_mq_create(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_mq_open(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_mq_open_or_create(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_mq_close(mq: Handle);
    fn unipc_mq_unlink(name: *const c_char) -> c_int;
    fn unipc_mq_remove(mq: Handle) -> c_int;
    fn unipc_mq_name(mq: Handle) -> *const c_char;
    fn unipc_mq_fd(mq: Handle) -> c_int;
    fn unipc_mq_id(mq: Handle) -> c_int;
    fn unipc_mq_max_size(mq: Handle) -> usize;
    fn unipc_mq_messages(mq: Handle, out: *mut u64) -> c_int;
    fn unipc_mq_notify_signal(mq: Handle, signal: c_int, value: c_int) -> c_int;
    fn unipc_mq_cancel_notification(mq: Handle) -> c_int;
    fn unipc_mq_send(
        mq: Handle,
        tag: c_long,
        msg: *const c_void,
        len: usize,
        timeout: *const timespec,
    ) -> c_int;
    fn unipc_mq_receive(
        mq: Handle,
        want: c_long,
        flags: c_uint,
        buf: *mut c_void,
        cap: usize,
        tag: *mut c_long,
        timeout: *const timespec,
    ) -> isize;
    fn unipc_mq_peek(
        mq: Handle,
        index: usize,
        buf: *mut c_void,
        cap: usize,
        tag: *mut c_long,
    ) -> isize;
}

/// `-errno` is a failure, and errno says the same.
fn check(returned: isize) -> Result<usize> {
    usize::try_from(returned).map_err(|_| {
        let errno = i32::try_from(-returned).unwrap();
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(errno));
        errno
    })
}

fn done(returned: c_int) -> Result<()> {
    check(returned as isize).map(drop)
}

fn flags(options: Options) -> c_uint {
    let flag = |wanted, flag| if wanted { flag } else { 0 };
    flag(options.send_only, SEND_ONLY)
        | flag(options.receive_only, RECEIVE_ONLY)
        | flag(options.replace, REPLACE)
        | flag(options.remove_on_close, REMOVE_ON_CLOSE)
}

type Constructor = unsafe extern "C" fn(*mut Handle, *const c_char, c_uint, *const Opts) -> c_int;

fn construct(function: Constructor, name: &str, options: Options) -> Result<C> {
    let (name, mut handle) = (CString::new(name).unwrap(), null_mut());
    let mode = options.mode.map_or(0, |mode| if mode == 0 { MODE_NONE } else { mode });
    let Options { max_messages, max_size, .. } = options;
    let opts = Opts { sz: size_of::<Opts>(), max_messages, max_size, mode, reserved: 0 };
    // SAFETY: all pointers are valid, and the options know their size.
    done(unsafe { function(&raw mut handle, name.as_ptr(), flags(options), &raw const opts) })?;
    Ok(C(handle))
}

/// The limit as C has it, in a place that lives as long as the call.
fn timeout(limit: Limit, place: &mut timespec) -> *const timespec {
    let Some(limit) = limit else {
        return null();
    };
    place.tv_sec = limit.as_secs().try_into().unwrap();
    place.tv_nsec = limit.subsec_nanos().into();
    place
}

const NOW: timespec = timespec { tv_sec: 0, tv_nsec: 0 };

impl Queue for C {
    fn create(name: &str, options: Options) -> Result<Self> {
        construct(unipc_mq_create, name, options)
    }

    fn open(name: &str, options: Options) -> Result<Self> {
        construct(unipc_mq_open, name, options)
    }

    fn open_or_create(name: &str, options: Options) -> Result<Self> {
        construct(unipc_mq_open_or_create, name, options)
    }

    fn unlink(name: &str) -> Result<()> {
        let name = CString::new(name).unwrap();
        // SAFETY: a string.
        done(unsafe { unipc_mq_unlink(name.as_ptr()) })
    }

    fn remove(&self) -> Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { unipc_mq_remove(self.0) })
    }

    fn name(&self) -> String {
        // SAFETY: the handle is open.
        let name = unsafe { unipc_mq_name(self.0) };
        // SAFETY: a string that lives as long as the handle.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap().to_owned()
    }

    fn fd(&self) -> Result<i32> {
        // SAFETY: the handle is open.
        let fd = unsafe { unipc_mq_fd(self.0) };
        done(fd).map(|()| fd)
    }

    fn id(&self) -> Result<i32> {
        // SAFETY: the handle is open.
        let id = unsafe { unipc_mq_id(self.0) };
        done(id).map(|()| id)
    }

    fn max_size(&self) -> usize {
        // SAFETY: the handle is open.
        unsafe { unipc_mq_max_size(self.0) }
    }

    fn messages(&self) -> Result<u64> {
        let mut count = u64::MAX;
        // SAFETY: the handle is open, and there is a place for the number.
        done(unsafe { unipc_mq_messages(self.0, &raw mut count) }).map(|()| count)
    }

    fn notify_signal(&self, signal: i32) -> Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { unipc_mq_notify_signal(self.0, signal, 0) })?;
        // SAFETY: as above.
        done(unsafe { unipc_mq_cancel_notification(self.0) })
    }

    fn send(&self, tag: i64, data: &[u8], limit: Limit) -> Result<()> {
        let (mut place, bytes) = (NOW, data.as_ptr().cast());
        let limit = timeout(limit, &mut place);
        // SAFETY: the handle is open, and the bytes and the limit are there.
        done(unsafe { unipc_mq_send(self.0, tag, bytes, data.len(), limit) })
    }

    fn receive(&self, how: How, buffer: &mut [u8], limit: Limit) -> Result<(i64, usize)> {
        let (mut place, mut tag) = (NOW, 0);
        let limit = timeout(limit, &mut place);
        let flags = if how.except { EXCEPT } else { 0 } | if how.truncate { TRUNCATE } else { 0 };
        let (start, cap) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: the handle is open, and there is room for what is received.
        let length = check(unsafe {
            unipc_mq_receive(self.0, how.want, flags, start, cap, &raw mut tag, limit)
        })?;
        Ok((tag, length))
    }

    fn peek(&self, index: usize) -> Result<Option<(i64, Vec<u8>)>> {
        let (mut buffer, mut tag) = (vec![0; 1 << 16], 0);
        let (start, cap) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: the handle is open, and there is room for what is copied.
        match check(unsafe { unipc_mq_peek(self.0, index, start, cap, &raw mut tag) }) {
            Ok(length) => {
                buffer.truncate(length);
                Ok(Some((tag, buffer)))
            }
            Err(libc::ENOMSG) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for C {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_mq_close(self.0) };
    }
}

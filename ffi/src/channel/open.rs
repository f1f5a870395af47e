// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all functions that get a channel have in common.

use std::ffi::{CString, c_char, c_int, c_uint};
use std::os::fd::RawFd;

use libc::ssize_t;
use unipc_core::channel::{Channel, Options, Start};
use unipc_core::{Mode, Result};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::layout_of;
use super::unipc_channel_flag as flag;
use super::unipc_channel_opts;

const SPIN: c_uint = flag::UNIPC_CHANNEL_SPIN as c_uint;
const RELIABLE: c_uint = flag::UNIPC_CHANNEL_RELIABLE as c_uint;
const OLDEST: c_uint = flag::UNIPC_CHANNEL_OLDEST as c_uint;

fn options(caller: &Caller, flags: c_uint, opts: *const unipc_channel_opts) -> Result<Options> {
    let flags = caller.flags(flags, SPIN | RELIABLE | OLDEST)?;
    let opts = caller.options(opts)?;
    let start = if flags.has(OLDEST) { Start::Oldest } else { Start::Newest };
    let mut options = Options::new()
        .spin(flags.has(SPIN))
        .reliable(flags.has(RELIABLE))
        .start(start)
        .message_size(opts.message_size);
    if opts.mode != 0 {
        options = options.mode(Mode::new(opts.mode)?);
    }
    if opts.participants != 0 {
        options = options.participants(opts.participants);
    }
    if !opts.layout.is_null() {
        options = options.layout(&layout_of(caller, "opts.layout", opts.layout)?);
    }
    if opts.huge_page_size != 0 {
        options = options.huge_pages(opts.huge_page_size);
    }
    if opts.reply_capacity != 0 {
        options = options.reply_capacity(opts.reply_capacity);
    }
    Ok(options)
}

/// Where a channel comes from.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Create(usize),
    Open,
    OpenOrCreate(usize),
}

pub(super) fn get<C: Channel, H>(
    caller: &Caller,
    out: *mut *mut H,
    name: *const c_char,
    way: Way,
    flags: c_uint,
    opts: *const unipc_channel_opts,
    wrap: impl FnOnce(C) -> H,
) -> c_int {
    caller.construct(out, || {
        let options = options(caller, flags, opts)?;
        let name = caller.name(name)?;
        let channel = match way {
            Way::Create(capacity) => options.create(name, capacity),
            Way::Open => options.open(name),
            Way::OpenOrCreate(capacity) => options.open_or_create(name, capacity),
        };
        channel.map(wrap)
    })
}

/// Opens a channel by name, of which a layout was declared.
pub(super) fn get_declared<C: Channel, H>(
    caller: &Caller,
    out: *mut *mut H,
    name: *const c_char,
    layout: *const c_char,
    flags: c_uint,
    wrap: impl FnOnce(C) -> H,
) -> c_int {
    caller.construct(out, || {
        let layout = layout_of(caller, "layout", layout)?;
        let options = options(caller, flags, std::ptr::null())?.layout(&layout);
        options.open(caller.name(name)?).map(wrap)
    })
}

/// Where a channel lies in memory that holds other things as well.
pub(super) struct At {
    pub(super) shm: *const unipc_shm,
    pub(super) offset: usize,
    pub(super) how: c_int,
    pub(super) capacity: usize,
}

pub(super) fn get_at<C: Channel, H>(
    caller: &Caller,
    out: *mut *mut H,
    at: &At,
    flags: c_uint,
    opts: *const unipc_channel_opts,
    wrap: impl FnOnce(C) -> H,
) -> c_int {
    caller.construct(out, || {
        let options = options(caller, flags, opts)?;
        let place = (caller.handle(at.shm)?.memory(), at.offset);
        let channel = match at.how {
            0 => options.open(place),
            1 => options.create(place, at.capacity),
            2 => options.open_or_create(place, at.capacity),
            other => {
                return Err(caller.invalid("how", format!("{other} is no UNIPC_CHANNEL_ number")));
            }
        };
        channel.map(wrap)
    })
}

/// The options of who subscribes to a topic that is open.
pub(super) fn subscribing(caller: &Caller, flags: c_uint) -> Result<Options> {
    options(caller, flags, std::ptr::null())
}

/// How many bytes such a channel takes.
pub(super) fn size<C: Channel>(
    caller: &Caller,
    capacity: usize,
    opts: *const unipc_channel_opts,
) -> ssize_t {
    caller.guard(|| {
        let size = options(caller, 0, opts)?.size_for::<C>(capacity)?;
        Ok(size.cast_signed())
    })
}

/// A layout's text as C reads it; NULL for none.
pub(super) fn told(layout: Option<&CString>) -> *const c_char {
    layout.map_or(std::ptr::null(), |text| text.as_ptr())
}

pub(super) fn receive<C: Channel, H>(
    caller: &Caller,
    out: *mut *mut H,
    fd: RawFd,
    flags: c_uint,
    wrap: impl FnOnce(C) -> H,
) -> c_int {
    caller.construct(out, || {
        let options = options(caller, flags, std::ptr::null())?;
        options.from_fd(caller.duplicate(fd)?).map(wrap)
    })
}

/// The size of a row.
pub(super) fn row(caller: &Caller, len: usize, count: usize) -> unipc_core::Result<usize> {
    len.checked_mul(count).ok_or_else(|| caller.invalid("count", "so many bytes cannot be"))
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! One record that is always whole.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::AsRawFd;

use libc::timespec;
use unipc_core::record::{Cell, Layout};
use unipc_core::sync::Place;
use unipc_core::{Error, ErrorKind, Result};

use super::super::boundary::{self, Caller};
use super::super::shm::unipc_shm;
use super::{How, layout_of, unipc_cell, unipc_record_opts};

fn open<'a>(
    how: &How,
    place: impl TryInto<Place<'a>, Error: Into<Error>>,
    layout: Option<&Layout>,
) -> Result<unipc_cell> {
    let options = &how.options;
    let cell = match (layout, how.disposition) {
        (Some(layout), 1) => options.create_cell(place, layout),
        (Some(layout), 2) => options.open_or_create_cell(place, layout),
        _ => options.open_cell(place, layout),
    };
    cell.map(unipc_cell::new)
}

/// Opens or creates a cell in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_cell_close().
/// shm:    the memory; it may be closed before the handle is
/// offset: where the cell begins: a multiple of 64
/// how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
/// layout: what a record consists of: UNIPC_LAYOUT() or a PEP 3118 format. NULL when opening: whatever
///         is there
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors:
///   -EPROTO      there is none; or its layout is another: unipc_last_error() names the first field
///                that differs, with both offsets and both types
///   -EEXIST      UNIPC_RECORD_CREATE, and there is one
///   -EBUSY       the bytes of its header are not zero and no object: fill them with zeros first
///   -EINVAL      the offset is no such multiple, the layout does not parse, an argument is out of range;
///                out or shm is NULL, or layout when creating
///   -ERANGE      it does not fit into the memory
///   -EACCES      it is to be created, and the memory is mapped read-only
///   -EOPNOTSUPP  the memory is mapped copy-on-write
///   -EINTR       a signal came while it waited for a creator
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_open(
    out: *mut *mut unipc_cell,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    layout: *const c_char,
    opts: *const unipc_record_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("cell_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts)?;
        let layout = how.layout(&caller, layout)?;
        open(&how, (caller.handle(shm)?.memory(), offset), layout.as_ref())
    })
}

/// Opens or creates a cell under a name of its own, in a segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_cell_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
/// layout: as for unipc_cell_open()
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_cell_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_open_named(
    out: *mut *mut unipc_cell,
    name: *const c_char,
    how: c_int,
    layout: *const c_char,
    opts: *const unipc_record_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, strings, and options that know their size.
    let caller = unsafe { Caller::trusted("cell_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts)?;
        let layout = how.layout(&caller, layout)?;
        open(&how, caller.name(name)?, layout.as_ref())
    })
}

/// Closes the handle; the cell stays.
///
/// cell: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_close(cell: *mut unipc_cell) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("cell_close") };
    caller.destroy(cell);
}

/// What a record consists of: a PEP 3118 format with the names of the fields.
///
/// cell: a handle
///
/// Returns a string that is valid until the handle is closed; NULL when cell is NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_layout(cell: *const unipc_cell) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("cell_layout") };
    caller.guard(|| Ok(caller.handle(cell)?.layout.as_ptr()))
}

/// How many bytes a record takes.
///
/// cell: a handle
///
/// Returns the size; 0 when cell is NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_record_size(cell: *const unipc_cell) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("cell_record_size") };
    caller.guard(|| Ok(caller.handle(cell)?.object.layout().size()))
}

/// The descriptor of the memory, to be handed on: whoever gets it opens it with unipc_shm_from_fd(), and
/// the cell in it at offset 0. Close-on-exec, and valid until the handle is closed.
///
/// cell: a handle
///
/// Returns the descriptor, or
///   -EOPNOTSUPP  System V and anonymous memory have none
///   -EINVAL      cell is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_fd(cell: *const unipc_cell) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("cell_fd") };
    caller.guard(|| {
        let object = &caller.handle(cell)?.object;
        object.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| {
            let why = "System V and anonymous memory have no descriptor";
            Error::new("fd", object.label(), ErrorKind::Unsupported(why.into()))
        })
    })
}

/// How many bytes a cell takes, with its header.
///
/// layout: what the record consists of
///
/// Returns the size, or
///   -EOVERFLOW  there are no so many bytes
///   -EINVAL     the layout does not parse, or is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_size(layout: *const c_char) -> isize {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("cell_size") };
    caller.guard(|| Cell::size_for(&layout_of(&caller, "layout", layout)?).map(boundary::count))
}

/// Copies the latest value: always whole, and without waiting for writers.
///
/// cell:    a handle
/// record:  where it goes
/// size:    sizeof() the record
/// version: how many values had been published; may be NULL
///
/// Returns 0.
/// Errors:
///   -EINVAL  the size is another; cell or record is NULL
///   -EBUSY   writers are so much faster that no whole value was found in 65536 attempts
///   -EFAULT  the file lost its pages
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_read(
    cell: *const unipc_cell,
    record: *mut c_void,
    size: usize,
    version: *mut u64,
) -> c_int {
    // SAFETY: the header asks for an open handle, room for a record, and NULL or a place for a number.
    let caller = unsafe { Caller::trusted("cell_read") };
    // The usual case is done before anything can fail.
    if let Some(it) = caller.live(cell)
        && let Some(room) = caller.live_room(record.cast(), size)
        && let Some(read) = it.object.read_at_once(room)
    {
        caller.give(version, read);
        return 0;
    }
    caller.seldom(move |it| {
        let read = it.handle(cell)?.object.read_uninit(it.room(record.cast(), size)?)?;
        it.give(version, read);
        Ok(0)
    })
}

/// Publishes a value. A writer that is killed before it is done leaves the value before.
///
/// Example:
///
///     unipc_cell *cell;
///     double value = 0.5;
///
///     if (unipc_cell_open_named(&cell, "memfd:level", UNIPC_RECORD_CREATE, "d", NULL) < 0)
///         return 1;
///     if (unipc_cell_write(cell, &value, sizeof value, NULL) < 0)
///         return 1;
///     if (unipc_cell_read(cell, &value, sizeof value, NULL) < 0)
///         return 1;
///     unipc_cell_close(cell);
///
/// cell:    a handle
/// record:  the value
/// size:    sizeof() the record
/// timeout: how long to wait for other writers' turns; NULL is for ever, {0, 0} a try. Who writes alone
///          never waits
///
/// Returns 0.
/// Errors:
///   -EINVAL     the size is another; the timeout is none; cell or record is NULL
///   -EACCES     it is mapped for reading only
///   -EAGAIN     it was a try, and another writer has its turn
///   -ETIMEDOUT  the time is over
///   -EINTR      a signal came
///   -EFAULT     the file lost its pages
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_write(
    cell: *const unipc_cell,
    record: *const c_void,
    size: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle, a record, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("cell_write") };
    caller.quick(cell, |cell| {
        cell.object.write(caller.bytes(record, size)?, caller.timeout(timeout)?)
    })
}

/// How many values have been published.
///
/// cell:    a handle
/// version: where the number goes
///
/// Returns 0.
/// Errors:
///   -EFAULT  the file lost its pages
///   -EINVAL  cell or version is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_cell_version(cell: *const unipc_cell, version: *mut u64) -> c_int {
    // SAFETY: the header asks for an open handle, and for a place for a number.
    let caller = unsafe { Caller::trusted("cell_version") };
    caller.guard(|| {
        let cell = &caller.handle(cell)?.object;
        let version = caller.output("version", version)?;
        version.set(cell.version()?);
        Ok(0)
    })
}

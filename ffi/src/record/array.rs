// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in a row.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::AsRawFd;

use unipc_core::record::{Array, Layout};
use unipc_core::sync::Place;
use unipc_core::{Error, ErrorKind, Result};

use super::super::boundary::{self, Caller};
use super::super::shm::unipc_shm;
use super::{How, layout_of, unipc_array, unipc_record_opts};

fn open<'a>(
    how: &How,
    place: impl TryInto<Place<'a>, Error: Into<Error>>,
    layout: Option<&Layout>,
    count: usize,
) -> Result<unipc_array> {
    let options = &how.options;
    let array = match (layout, how.disposition) {
        (Some(layout), 1) => options.create_array(place, layout, count),
        (Some(layout), 2) => options.open_or_create_array(place, layout, count),
        _ => options.open_array(place, layout),
    };
    array.map(unipc_array::new)
}

/// Opens or creates an array in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_array_close().
/// shm:    the memory; it may be closed before the handle is
/// offset: where the array begins: a multiple of 64
/// how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
/// layout: what a record consists of: UNIPC_LAYOUT() or a PEP 3118 format. NULL when opening: whatever
///         is there
/// count:  when creating: how many records, at least 1
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors:
///   -EPROTO      there is none; or its layout is another: unipc_last_error() names the first field
///                that differs, with both offsets and both types; or it has fewer records than were asked for
///   -EEXIST      UNIPC_RECORD_CREATE, and there is one
///   -EBUSY       the bytes of its header are not zero and no object: fill them with zeros first
///   -EINVAL      the offset is no such multiple, the layout does not parse, an argument is out of range;
///                out or shm is NULL, or layout when creating
///   -ERANGE      it does not fit into the memory
///   -EOVERFLOW   no address space has so many bytes
///   -EACCES      it is to be created, and the memory is mapped read-only
///   -EOPNOTSUPP  the memory is mapped copy-on-write
///   -EINTR       a signal came while it waited for a creator
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_open(
    out: *mut *mut unipc_array,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    layout: *const c_char,
    count: usize,
    opts: *const unipc_record_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("array_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts)?;
        let layout = how.layout(&caller, layout)?;
        open(&how, (caller.handle(shm)?.memory(), offset), layout.as_ref(), count)
    })
}

/// Opens or creates an array under a name of its own, in a segment for it alone.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_array_close().
/// name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
/// how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
/// layout: as for unipc_array_open()
/// count:  when creating: how many records, at least 1
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_array_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_open_named(
    out: *mut *mut unipc_array,
    name: *const c_char,
    how: c_int,
    layout: *const c_char,
    count: usize,
    opts: *const unipc_record_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, strings, and options that know their size.
    let caller = unsafe { Caller::trusted("array_open_named") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts)?;
        let layout = how.layout(&caller, layout)?;
        open(&how, caller.name(name)?, layout.as_ref(), count)
    })
}

/// Closes the handle; the array stays.
///
/// array: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_close(array: *mut unipc_array) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("array_close") };
    caller.destroy(array);
}

/// What a record consists of: a PEP 3118 format with the names of the fields.
///
/// array: a handle
///
/// Returns a string that is valid until the handle is closed; NULL when array is NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_layout(array: *const unipc_array) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("array_layout") };
    caller.guard(|| Ok(caller.handle(array)?.layout.as_ptr()))
}

/// How many bytes a record takes.
///
/// array: a handle
///
/// Returns the size; 0 when array is NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_record_size(array: *const unipc_array) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("array_record_size") };
    caller.guard(|| Ok(caller.handle(array)?.object.layout().size()))
}

/// The descriptor of the memory, to be handed on: whoever gets it opens it with unipc_shm_from_fd(), and
/// the array in it at offset 0. Close-on-exec, and valid until the handle is closed.
///
/// array: a handle
///
/// Returns the descriptor, or
///   -EOPNOTSUPP  System V and anonymous memory have none
///   -EINVAL      array is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_fd(array: *const unipc_array) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("array_fd") };
    caller.guard(|| {
        let object = &caller.handle(array)?.object;
        object.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| {
            let why = "System V and anonymous memory have no descriptor";
            Error::new("fd", object.label(), ErrorKind::Unsupported(why.into()))
        })
    })
}

/// Lays a layout over raw memory, which keeps its bytes: it has no header.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_array_close().
/// shm:    the memory; it may be closed before the handle is
/// offset: where the first record begins
/// layout: what a record consists of
/// count:  how many records; 0: as many as there is room for
///
/// Returns 0.
/// Errors:
///   -ERANGE      they do not fit into the memory
///   -EINVAL      there is room for none; their address is no multiple of what C asks for; the layout does
///                not parse; out, shm or layout is NULL
///   -EOPNOTSUPP  the memory is mapped copy-on-write
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_over(
    out: *mut *mut unipc_array,
    shm: *const unipc_shm,
    offset: usize,
    layout: *const c_char,
    count: usize,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and a string.
    let caller = unsafe { Caller::trusted("array_over") };
    caller.construct(out, || {
        let memory = caller.handle(shm)?.memory();
        let layout = layout_of(&caller, "layout", layout)?;
        let count = (count != 0).then_some(count);
        Array::over(memory, offset, &layout, count).map(unipc_array::new)
    })
}

/// How many bytes an array takes, with its header.
///
/// layout: what a record consists of
/// count:  how many records
///
/// Returns the size, or
///   -EOVERFLOW  there are no so many bytes
///   -EINVAL     the layout does not parse, or is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_size(layout: *const c_char, count: usize) -> isize {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("array_size") };
    caller.guard(|| {
        let layout = layout_of(&caller, "layout", layout)?;
        Array::size_for(&layout, count).map(boundary::count)
    })
}

/// The first record. The others follow; each has unipc_array_record_size() bytes.
///
/// Others change what is there at any time. A file that others cut reads as zeros.
///
/// array: a handle
///
/// Returns the address, valid until the handle is closed, at a multiple of 64 (but for
/// unipc_array_over()); NULL when array is NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_data(array: *const unipc_array) -> *mut c_void {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("array_data") };
    caller.guard(|| Ok(caller.handle(array)?.object.as_ptr().cast()))
}

/// How many records there are.
///
/// array: a handle
///
/// Returns the number; 0 when array is NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_length(array: *const unipc_array) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("array_length") };
    caller.guard(|| Ok(caller.handle(array)?.object.len()))
}

/// Copies a record out.
///
/// array:  a handle
/// index:  which one
/// record: where it goes
/// size:   sizeof() the record
///
/// Returns 0.
/// Errors:
///   -ERANGE  there is no such record
///   -EINVAL  the size is another; array or record is NULL
///   -EFAULT  the file lost the record
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_get(
    array: *const unipc_array,
    index: usize,
    record: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for room for a record.
    let caller = unsafe { Caller::trusted("array_get") };
    caller.guard(|| {
        let array = &caller.handle(array)?.object;
        array.read_uninit(index, caller.room(record.cast(), size)?).map(|()| 0)
    })
}

/// Copies a record in.
///
/// array:  a handle
/// index:  which one
/// record: what it is to be
/// size:   sizeof() the record
///
/// Returns 0.
/// Errors: as unipc_array_get(); -EACCES when it is mapped for reading only.
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_array_set(
    array: *const unipc_array,
    index: usize,
    record: *const c_void,
    size: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for a record.
    let caller = unsafe { Caller::trusted("array_set") };
    caller.guard(|| {
        let array = &caller.handle(array)?.object;
        array.write_at(index, caller.bytes(record, size)?).map(|()| 0)
    })
}

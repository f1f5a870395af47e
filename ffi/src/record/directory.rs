// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names for places inside a segment.

use std::ffi::{c_char, c_int};

use unipc_core::Result;
use unipc_core::record::Entry;

use super::super::boundary::{Caller, count};
use super::super::shm::unipc_shm;
use super::{How, unipc_directory, unipc_record_constant, unipc_record_opts};

const _: () = assert!(unipc_record_constant::UNIPC_PLACE_NAME_MAX as usize == 104);

/// A place with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_place {
    /// Its first byte in the memory.
    pub offset: usize,
    /// How many bytes it has: a multiple of 64.
    pub size: usize,
    /// What kind of object lies there: "mutex", "array"; empty where there is none of this library's.
    pub kind: [c_char; 16],
    /// Its name: UNIPC_PLACE_NAME_MAX.
    pub name: [c_char; 104],
}

impl From<&Entry> for unipc_place {
    fn from(entry: &Entry) -> Self {
        let (kind, name) = (letters(&entry.kind().unwrap_or_default()), letters(entry.name()));
        Self { offset: entry.offset(), size: entry.size(), kind, name }
    }
}

/// As much as there is room for with a NUL, which is all of it.
fn letters<const N: usize>(text: &str) -> [c_char; N] {
    let mut letters = [0; N];
    for (letter, byte) in letters.iter_mut().take(N - 1).zip(text.bytes()) {
        *letter = c_char::from_ne_bytes([byte]);
    }
    letters
}

/// Opens or creates a directory in shared memory.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_directory_close().
/// shm:    the memory, writable; it may be closed before the handle is
/// offset: where the directory begins: a multiple of 64
/// how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
/// size:   when creating: how many bytes it takes with all its places; 0: all from the offset on.
///         Its table has 320 bytes and 128 for each place that it can have
/// opts:   NULL for the defaults
///
/// Returns 0.
/// Errors:
///   -EPROTO      there is none
///   -EEXIST      UNIPC_RECORD_CREATE, and there is one
///   -EBUSY       the bytes of its table are not zero and no object: fill them with zeros first
///   -EINVAL      the offset is no such multiple, the size is too small for the table, an argument is out
///                of range; out or shm is NULL
///   -ERANGE      it does not fit into the memory
///   -EACCES      the memory is mapped read-only
///   -EOPNOTSUPP  the memory is mapped copy-on-write
///   -EINTR       a signal came while it waited for a creator
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_open(
    out: *mut *mut unipc_directory,
    shm: *const unipc_shm,
    offset: usize,
    how: c_int,
    size: usize,
    opts: *const unipc_record_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, an open handle, and options that know their size.
    let caller = unsafe { Caller::trusted("directory_open") };
    caller.construct(out, || {
        let how = How::new(&caller, how, opts)?;
        let memory = caller.handle(shm)?.memory();
        let size = if size == 0 { memory.len().saturating_sub(offset) } else { size };
        let (options, place) = (&how.options, (memory, offset));
        let object = match how.disposition {
            0 => options.open_directory(place),
            1 => options.create_directory(place, size),
            _ => options.open_or_create_directory(place, size),
        };
        object.map(|object| unipc_directory { object })
    })
}

/// Closes the handle; the directory stays.
///
/// directory: NULL is fine
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_close(directory: *mut unipc_directory) {
    // SAFETY: the header asks for NULL or an open handle, which is given up.
    let caller = unsafe { Caller::trusted("directory_close") };
    caller.destroy(directory);
}

/// Makes a place of at least size bytes, all zero, in which an object can be created.
///
/// Example:
///
///     unipc_shm *shm;
///     unipc_directory *plant;
///     unipc_mutex *lock;
///     unipc_place place;
///
///     if (unipc_shm_create(&shm, "anon:", 1 << 16, 0, NULL) < 0 ||
///         unipc_directory_open(&plant, shm, 0, UNIPC_RECORD_OPEN_OR_CREATE, 0, NULL) < 0 ||
///         unipc_directory_find_or_place(plant, "lock", unipc_mutex_size(), &place) < 0 ||
///         unipc_mutex_open(&lock, shm, place.offset, UNIPC_SYNC_OPEN_OR_CREATE, NULL) < 0)
///         return 1;
///     unipc_mutex_close(lock);
///     unipc_directory_close(plant);
///     unipc_shm_close(shm);
///
/// directory: a handle
/// name:      of 1 to 103 bytes, in UTF-8
/// size:      in bytes
/// place:     where the place is told; may be NULL
///
/// Returns 0.
/// Errors:
///   -EEXIST      the name is taken
///   -ENOSPC      there is no such room in one piece, or no entry left
///   -EINVAL      the name is none, the size is 0; directory or name is NULL
///   -ETIMEDOUT   another process kept its turn
///   -EINTR       a signal came
///   -EPROTO      the table is damaged
///   -EFAULT      the file lost its pages
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_place(
    directory: *const unipc_directory,
    name: *const c_char,
    size: usize,
    place: *mut unipc_place,
) -> c_int {
    // SAFETY: the header asks for an open handle, a string, and NULL or room for a place.
    let caller = unsafe { Caller::trusted("directory_place") };
    caller.guard(|| {
        let directory = &caller.handle(directory)?.object;
        let entry = directory.place(name_of(&caller, name)?, size)?;
        caller.give(place, unipc_place::from(&entry));
        Ok(0)
    })
}

/// As unipc_directory_place(), for what begins on a page of the memory, as channels do: unipc_queue_at() and
/// its kin. Up to a page is left free before it.
///
/// Returns 0.
/// Errors: as unipc_directory_place(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_place_on_page(
    directory: *const unipc_directory,
    name: *const c_char,
    size: usize,
    place: *mut unipc_place,
) -> c_int {
    // SAFETY: the header asks for an open handle, a string, and NULL or room for a place.
    let caller = unsafe { Caller::trusted("directory_place_on_page") };
    caller.guard(|| {
        let directory = &caller.handle(directory)?.object;
        let entry = directory.place_on_page(name_of(&caller, name)?, size)?;
        caller.give(place, unipc_place::from(&entry));
        Ok(0)
    })
}

/// Finds a place.
///
/// directory: a handle
/// name:      its name
/// place:     where the place is told; may be NULL
///
/// Returns 0.
/// Errors: -ENOENT when there is none; otherwise as unipc_directory_place().
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_find(
    directory: *const unipc_directory,
    name: *const c_char,
    place: *mut unipc_place,
) -> c_int {
    // SAFETY: the header asks for an open handle, a string, and NULL or room for a place.
    let caller = unsafe { Caller::trusted("directory_find") };
    caller.guard(|| {
        let entry = caller.handle(directory)?.object.find(name_of(&caller, name)?)?;
        caller.give(place, unipc_place::from(&entry));
        Ok(0)
    })
}

/// Finds a place, or makes it when there is none.
///
/// directory: a handle
/// name:      its name
/// size:      how many bytes it has at least
/// place:     where the place is told; may be NULL
///
/// Returns 1 when it was made, 0 when it was there, or
///   -EINVAL  it is there with fewer bytes
/// and the other errors of unipc_directory_place().
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_find_or_place(
    directory: *const unipc_directory,
    name: *const c_char,
    size: usize,
    place: *mut unipc_place,
) -> c_int {
    // SAFETY: the header asks for an open handle, a string, and NULL or room for a place.
    let caller = unsafe { Caller::trusted("directory_find_or_place") };
    caller.guard(|| {
        let directory = &caller.handle(directory)?.object;
        let (entry, made) = directory.find_or_place(name_of(&caller, name)?, size)?;
        caller.give(place, unipc_place::from(&entry));
        Ok(c_int::from(made))
    })
}

/// As unipc_directory_find_or_place(), on a page of the memory where it makes the place.
///
/// Returns 1 when it was made, 0 when it was there.
/// Errors: as unipc_directory_find_or_place(). Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_find_or_place_on_page(
    directory: *const unipc_directory,
    name: *const c_char,
    size: usize,
    place: *mut unipc_place,
) -> c_int {
    // SAFETY: the header asks for an open handle, a string, and NULL or room for a place.
    let caller = unsafe { Caller::trusted("directory_find_or_place_on_page") };
    caller.guard(|| {
        let directory = &caller.handle(directory)?.object;
        let (entry, made) = directory.find_or_place_on_page(name_of(&caller, name)?, size)?;
        caller.give(place, unipc_place::from(&entry));
        Ok(c_int::from(made))
    })
}

/// Frees a place: its bytes are given to others. Those who use what is there must have stopped.
///
/// directory: a handle
/// name:      its name
///
/// Returns 0.
/// Errors: as unipc_directory_find().
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_remove(
    directory: *const unipc_directory,
    name: *const c_char,
) -> c_int {
    // SAFETY: the header asks for an open handle and a string.
    let caller = unsafe { Caller::trusted("directory_remove") };
    caller.guard(|| caller.handle(directory)?.object.remove(name_of(&caller, name)?).map(|()| 0))
}

/// Lists the places in the order in which they lie.
///
/// directory:        a handle
/// places, capacity: where they go, as many as there is room for; NULL and 0 to count
///
/// Returns how many there are, or
///   -EINVAL  directory is NULL, or places is NULL and capacity is not 0
/// and the errors of unipc_directory_place() that have to do with the table.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_directory_list(
    directory: *const unipc_directory,
    places: *mut unipc_place,
    capacity: usize,
) -> isize {
    // SAFETY: the header asks for an open handle, and for room.
    let caller = unsafe { Caller::trusted("directory_list") };
    caller.guard(|| {
        let directory = &caller.handle(directory)?.object;
        let room = caller.room(places, capacity)?;
        let entries = directory.list()?;
        for (place, entry) in room.iter_mut().zip(&entries) {
            *place = unipc_place::from(entry);
        }
        Ok(count(entries.len()))
    })
}

fn name_of(caller: &Caller, name: *const c_char) -> Result<&str> {
    let name = caller.text("name", name)?;
    name.to_str().ok_or_else(|| caller.invalid("name", "it is not UTF-8"))
}

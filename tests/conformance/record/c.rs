// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: libunipc.so as a C program calls it, with the header's declarations spelled in Rust.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

use libc::timespec;

use super::face::{Array, Cell, Directory, Face, Found, How};
use crate::memory::Result;

type Handle = *mut c_void;

#[derive(Debug)]
pub(crate) struct C;
#[derive(Debug)]
pub(crate) struct CArray(Handle);
#[derive(Debug)]
pub(crate) struct CCell(Handle);
#[derive(Debug)]
pub(crate) struct CDirectory(Handle);

impl Face for C {
    type Array = CArray;
    type Cell = CCell;
    type Directory = CDirectory;
}

#[repr(C)]
struct Opts {
    sz: usize,
    mode: u32,
    read_only: u32,
    entries: u32,
    turn_ms: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    size: usize,
    kind: [c_char; 16],
    name: [c_char; 104],
}

const NOWHERE: Place = Place { offset: 0, size: 0, kind: [0; 16], name: [0; 104] };

#[link(name = "unipc", kind = "dylib")]
unsafe extern "C" {
    fn unipc_shm_open(
        out: *mut Handle,
        name: *const c_char,
        flags: c_uint,
        opts: *const crate::c::Opts,
    ) -> c_int;
    fn unipc_shm_close(shm: Handle);
    fn unipc_array_open_named(
        out: *mut Handle,
        name: *const c_char,
        how: c_int,
        layout: *const c_char,
        count: usize,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_array_close(array: Handle);
    fn unipc_array_layout(array: Handle) -> *const c_char;
    fn unipc_array_record_size(array: Handle) -> usize;
    fn unipc_array_length(array: Handle) -> usize;
    fn unipc_array_data(array: Handle) -> *mut c_void;
    fn unipc_array_get(array: Handle, index: usize, record: *mut u8, size: usize) -> c_int;
    fn unipc_array_set(array: Handle, index: usize, record: *const u8, size: usize) -> c_int;
    fn unipc_cell_open_named(
        out: *mut Handle,
        name: *const c_char,
        how: c_int,
        layout: *const c_char,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_cell_close(cell: Handle);
    fn unipc_cell_read(cell: Handle, record: *mut u8, size: usize, version: *mut u64) -> c_int;
    fn unipc_cell_write(
        cell: Handle,
        record: *const u8,
        size: usize,
        timeout: *const timespec,
    ) -> c_int;
    fn unipc_cell_version(cell: Handle, version: *mut u64) -> c_int;
    fn unipc_directory_open(
        out: *mut Handle,
        shm: Handle,
        offset: usize,
        how: c_int,
        size: usize,
        opts: *const Opts,
    ) -> c_int;
    fn unipc_directory_close(directory: Handle);
    fn unipc_directory_place(d: Handle, name: *const c_char, s: usize, place: *mut Place) -> c_int;
    fn unipc_directory_find(d: Handle, name: *const c_char, place: *mut Place) -> c_int;
    fn unipc_directory_find_or_place(
        directory: Handle,
        name: *const c_char,
        size: usize,
        place: *mut Place,
    ) -> c_int;
    fn unipc_directory_remove(directory: Handle, name: *const c_char) -> c_int;
    fn unipc_directory_list(directory: Handle, places: *mut Place, capacity: usize) -> isize;
}

/// `-errno` is a failure, and errno says the same.
fn check(returned: c_int) -> Result<c_int> {
    if returned >= 0 {
        return Ok(returned);
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(-returned));
    Err(-returned)
}

/// The number of the way, and the options.
fn how(how: How, entries: u32) -> (c_int, Opts) {
    let number = match how {
        How::Open | How::OpenToRead => 0,
        How::Create => 1,
        How::OpenOrCreate => 2,
    };
    let read_only = u32::from(how == How::OpenToRead);
    (number, Opts { sz: size_of::<Opts>(), mode: 0, read_only, entries, turn_ms: 0 })
}

fn text(layout: Option<&str>) -> Option<CString> {
    layout.map(|layout| CString::new(layout).unwrap())
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(null(), |text| text.as_ptr())
}

/// A handle that is NULL after a failure.
fn got(returned: c_int, handle: Handle) -> Result<Handle> {
    check(returned).inspect_err(|_| assert!(handle.is_null()))?;
    Ok(handle)
}

impl Array for CArray {
    fn get(name: &str, way: How, layout: Option<&str>, count: usize) -> Result<Self> {
        let (name, layout) = (CString::new(name).unwrap(), text(layout));
        let ((number, opts), mut handle) = (how(way, 0), null_mut());
        let layout = pointer(layout.as_ref());
        // SAFETY: the strings end in NUL or are NULL, and the options know their size.
        let returned = unsafe {
            unipc_array_open_named(
                &raw mut handle,
                name.as_ptr(),
                number,
                layout,
                count,
                &raw const opts,
            )
        };
        got(returned, handle).map(Self)
    }

    fn len(&self) -> usize {
        // SAFETY: the handle is open.
        unsafe { unipc_array_length(self.0) }
    }

    fn layout(&self) -> String {
        // SAFETY: the handle is open.
        let layout = unsafe { unipc_array_layout(self.0) };
        // SAFETY: the string lives as long as the handle.
        unsafe { CStr::from_ptr(layout) }.to_str().unwrap().to_owned()
    }

    fn record_size(&self) -> usize {
        // SAFETY: the handle is open.
        unsafe { unipc_array_record_size(self.0) }
    }

    fn data(&self) -> *mut u8 {
        // SAFETY: the handle is open.
        unsafe { unipc_array_data(self.0) }.cast()
    }

    fn read(&self, index: usize, buffer: &mut [u8]) -> Result<()> {
        // SAFETY: the handle is open, and the room is as large as it says.
        let returned = unsafe { unipc_array_get(self.0, index, buffer.as_mut_ptr(), buffer.len()) };
        check(returned).map(drop)
    }

    fn write(&self, index: usize, bytes: &[u8]) -> Result<()> {
        // SAFETY: the handle is open, and the bytes are as many as it says.
        check(unsafe { unipc_array_set(self.0, index, bytes.as_ptr(), bytes.len()) }).map(drop)
    }
}

impl Cell for CCell {
    fn get(name: &str, way: How, layout: Option<&str>) -> Result<Self> {
        let (name, layout) = (CString::new(name).unwrap(), text(layout));
        let ((number, opts), mut handle) = (how(way, 0), null_mut());
        let layout = pointer(layout.as_ref());
        // SAFETY: the strings end in NUL or are NULL, and the options know their size.
        let returned = unsafe {
            unipc_cell_open_named(&raw mut handle, name.as_ptr(), number, layout, &raw const opts)
        };
        got(returned, handle).map(Self)
    }

    fn version(&self) -> Result<u64> {
        let mut version = 0;
        // SAFETY: the handle is open, and the place is a local.
        check(unsafe { unipc_cell_version(self.0, &raw mut version) })?;
        Ok(version)
    }

    fn read(&self, buffer: &mut [u8]) -> Result<u64> {
        let (room, size, mut version) = (buffer.as_mut_ptr(), buffer.len(), 0);
        // SAFETY: the handle is open, and the room is as large as it says.
        check(unsafe { unipc_cell_read(self.0, room, size, &raw mut version) })?;
        Ok(version)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        let now = timespec { tv_sec: 0, tv_nsec: 0 };
        let (bytes, size) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the handle is open, the bytes are as many as it says, and the time is a local.
        check(unsafe { unipc_cell_write(self.0, bytes, size, &raw const now) }).map(drop)
    }
}

fn letters(letters: &[c_char]) -> String {
    let bytes = letters.iter().take_while(|letter| **letter != 0);
    bytes.map(|letter| char::from(letter.to_ne_bytes()[0])).collect()
}

fn found(place: &Place) -> Found {
    Found {
        name: letters(&place.name),
        offset: place.offset,
        size: place.size,
        kind: letters(&place.kind),
    }
}

impl Directory for CDirectory {
    fn get(name: &str, way: How, entries: u32) -> Result<Self> {
        let name = CString::new(name).unwrap();
        let ((number, opts), mut shm, mut handle) = (how(way, entries), null_mut(), null_mut());
        // SAFETY: the string ends in NUL.
        check(unsafe { unipc_shm_open(&raw mut shm, name.as_ptr(), 0, null()) })?;
        // SAFETY: the memory is open, and the options know their size.
        let returned =
            unsafe { unipc_directory_open(&raw mut handle, shm, 0, number, 0, &raw const opts) };
        let handle = got(returned, handle);
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_shm_close(shm) };
        handle.map(Self)
    }

    fn place(&self, name: &str, size: usize) -> Result<Found> {
        let (name, mut place) = (CString::new(name).unwrap(), NOWHERE);
        // SAFETY: the handle is open, the string ends in NUL, and the place is a local.
        check(unsafe { unipc_directory_place(self.0, name.as_ptr(), size, &raw mut place) })?;
        Ok(found(&place))
    }

    fn find(&self, name: &str) -> Result<Found> {
        let (name, mut place) = (CString::new(name).unwrap(), NOWHERE);
        // SAFETY: as above.
        check(unsafe { unipc_directory_find(self.0, name.as_ptr(), &raw mut place) })?;
        Ok(found(&place))
    }

    fn find_or_place(&self, name: &str, size: usize) -> Result<(Found, bool)> {
        let (name, mut place) = (CString::new(name).unwrap(), NOWHERE);
        let (text, room) = (name.as_ptr(), &raw mut place);
        // SAFETY: as above.
        let made = check(unsafe { unipc_directory_find_or_place(self.0, text, size, room) })?;
        Ok((found(&place), made == 1))
    }

    fn remove(&self, name: &str) -> Result<()> {
        let name = CString::new(name).unwrap();
        // SAFETY: the handle is open, and the string ends in NUL.
        check(unsafe { unipc_directory_remove(self.0, name.as_ptr()) }).map(drop)
    }

    fn list(&self) -> Result<Vec<Found>> {
        let mut places = [NOWHERE; 16];
        // SAFETY: the handle is open, and the room is as large as it says.
        let count = unsafe { unipc_directory_list(self.0, places.as_mut_ptr(), places.len()) };
        let count = check(c_int::try_from(count).unwrap())?;
        Ok(places[..usize::try_from(count).unwrap()].iter().map(found).collect())
    }
}

impl Drop for CArray {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_array_close(self.0) };
    }
}

impl Drop for CCell {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_cell_close(self.0) };
    }
}

impl Drop for CDirectory {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_directory_close(self.0) };
    }
}

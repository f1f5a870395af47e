// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records as C calls them.

use std::ptr::{null, null_mut};

use crate::ffi::record::*;
use crate::ffi::shm::{unipc_shm, unipc_shm_close, unipc_shm_create};
use crate::null::INVALID;

/// What takes no pointer that must not be NULL.
pub(crate) const EXEMPT: &[&str] =
    &["unipc_array_close", "unipc_cell_close", "unipc_directory_close", "unipc_layout_text"];

/// The functions of records that were asked with NULL.
pub(crate) fn null_is_refused() -> Vec<&'static str> {
    const NOTHING: isize = INVALID as isize;
    let layout = c"T{i:x:}".as_ptr();
    let name = c"memfd:null".as_ptr();
    let mut shm: *mut unipc_shm = null_mut();
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_shm_create(&raw mut shm, c"anon:".as_ptr(), 65536, 0, null()) }, 0);
    let (mut array, mut cell, mut plant) = (null_mut(), null_mut(), null_mut());
    // SAFETY: as above.
    unsafe {
        assert_eq!(unipc_array_open(&raw mut array, shm, 0, 1, layout, 4, null()), 0);
        assert_eq!(unipc_cell_open(&raw mut cell, shm, 4096, 1, layout, null()), 0);
        assert_eq!(unipc_array_fd(array), -libc::EOPNOTSUPP);
        assert_eq!(unipc_cell_fd(cell), -libc::EOPNOTSUPP);
        assert_eq!(unipc_directory_open(&raw mut plant, shm, 8192, 1, 0, null()), 0);
    }
    let (mut a, mut c, mut d) = (null_mut(), null_mut(), null_mut());
    let (a, c, d) = (&raw mut a, &raw mut c, &raw mut d);
    let mut record = 0_u32;
    let record = (&raw mut record).cast::<std::ffi::c_void>();
    let asked = ask! {
        unipc_layout_size(null()) -> NOTHING;
        unipc_layout_check(null(), layout) -> INVALID;
        unipc_layout_check(layout, null()) -> INVALID;
        unipc_layout_c(null(), name, null_mut(), 0) -> NOTHING;
        unipc_layout_c(layout, null(), null_mut(), 0) -> NOTHING;
        unipc_layout_c(layout, c"x".as_ptr(), null_mut(), 8) -> NOTHING;
        unipc_array_open(null_mut(), shm, 0, 0, null(), 0, null()) -> INVALID;
        unipc_array_open(a, null(), 0, 0, null(), 0, null()) -> INVALID;
        unipc_array_open(a, shm, 0, 2, null(), 4, null()) -> INVALID;
        unipc_array_open_named(null_mut(), name, 1, layout, 4, null()) -> INVALID;
        unipc_array_open_named(a, null(), 1, layout, 4, null()) -> INVALID;
        unipc_array_open_named(a, name, 1, null(), 4, null()) -> INVALID;
        unipc_array_over(null_mut(), shm, 0, layout, 4) -> INVALID;
        unipc_array_over(a, null(), 0, layout, 4) -> INVALID;
        unipc_array_over(a, shm, 0, null(), 4) -> INVALID;
        unipc_array_size(null(), 4) -> NOTHING;
        unipc_array_data(null()) -> null_mut();
        unipc_array_length(null()) -> 0;
        unipc_array_layout(null()) -> null();
        unipc_array_record_size(null()) -> 0;
        unipc_array_fd(null()) -> INVALID;
        unipc_array_get(null(), 0, record, 4) -> INVALID;
        unipc_array_get(array, 0, null_mut(), 4) -> INVALID;
        unipc_array_set(null(), 0, record, 4) -> INVALID;
        unipc_array_set(array, 0, null(), 4) -> INVALID;
        unipc_cell_open(null_mut(), shm, 0, 0, null(), null()) -> INVALID;
        unipc_cell_open(c, null(), 0, 0, null(), null()) -> INVALID;
        unipc_cell_open(c, shm, 0, 2, null(), null()) -> INVALID;
        unipc_cell_open_named(null_mut(), name, 1, layout, null()) -> INVALID;
        unipc_cell_open_named(c, null(), 1, layout, null()) -> INVALID;
        unipc_cell_open_named(c, name, 1, null(), null()) -> INVALID;
        unipc_cell_size(null()) -> NOTHING;
        unipc_cell_layout(null()) -> null();
        unipc_cell_record_size(null()) -> 0;
        unipc_cell_fd(null()) -> INVALID;
        unipc_cell_read(null(), record, 4, null_mut()) -> INVALID;
        unipc_cell_read(cell, null_mut(), 4, null_mut()) -> INVALID;
        unipc_cell_write(null(), record, 4, null()) -> INVALID;
        unipc_cell_write(cell, null(), 4, null()) -> INVALID;
        unipc_cell_version(null(), null_mut()) -> INVALID;
        unipc_cell_version(cell, null_mut()) -> INVALID;
        unipc_directory_open(null_mut(), shm, 0, 0, 0, null()) -> INVALID;
        unipc_directory_open(d, null(), 0, 0, 0, null()) -> INVALID;
        unipc_directory_place_on_page(null(), name, 64, null_mut()) -> INVALID;
        unipc_directory_place_on_page(plant, null(), 64, null_mut()) -> INVALID;
        unipc_directory_find_or_place_on_page(null(), name, 64, null_mut()) -> INVALID;
        unipc_directory_find_or_place_on_page(plant, null(), 64, null_mut()) -> INVALID;
        unipc_directory_place(null(), name, 64, null_mut()) -> INVALID;
        unipc_directory_place(plant, null(), 64, null_mut()) -> INVALID;
        unipc_directory_find(null(), name, null_mut()) -> INVALID;
        unipc_directory_find(plant, null(), null_mut()) -> INVALID;
        unipc_directory_find_or_place(null(), name, 64, null_mut()) -> INVALID;
        unipc_directory_find_or_place(plant, null(), 64, null_mut()) -> INVALID;
        unipc_directory_remove(null(), name) -> INVALID;
        unipc_directory_remove(plant, null()) -> INVALID;
        unipc_directory_list(null(), null_mut(), 0) -> NOTHING;
        unipc_directory_list(plant, null_mut(), 1) -> NOTHING;
    };
    // SAFETY: the handles are open, or NULL, and used no more.
    unsafe {
        unipc_array_close(array);
        unipc_cell_close(cell);
        unipc_directory_close(plant);
        unipc_array_close(null_mut());
        unipc_cell_close(null_mut());
        unipc_directory_close(null_mut());
        unipc_shm_close(shm);
    }
    asked.into()
}

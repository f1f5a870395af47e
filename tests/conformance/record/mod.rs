// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays, cells and directories: one suite over each kind of named memory, on the Rust types and through the C functions.

mod c;
mod face;
mod rust;
mod suite;

macro_rules! conformance {
    ($($fact:ident)*) => {
        mod rust_face {
            conformance!(@kinds crate::record::rust::Rust, $($fact)*);
        }
        mod c_face {
            conformance!(@kinds crate::record::c::C, $($fact)*);
        }
    };
    (@kinds $face:ty, $($fact:ident)*) => {
        conformance!(@kind $face, posix, Posix, $($fact)*);
        conformance!(@kind $face, file, File, $($fact)*);
        conformance!(@kind $face, key, Key, $($fact)*);
    };
    (@kind $face:ty, $module:ident, $kind:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $fact() {
                    crate::record::suite::$fact::<$face>(crate::Kind::$kind);
                }
            )*
        }
    };
}

conformance! {
    a_new_array_is_zeros_and_tells_its_layout
    what_one_handle_sets_another_gets
    names_are_created_once
    another_layout_is_refused
    one_kind_is_not_another
    a_read_only_handle_reads_and_refuses_to_write
    counts_sizes_and_layouts_that_make_no_sense
    each_value_of_a_cell_has_a_number
    a_cell_is_whole_while_another_process_writes
    places_are_found_by_name_freed_and_used_again
    a_directory_says_what_it_cannot_do
}

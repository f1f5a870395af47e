// SPDX-License-Identifier: MIT OR Apache-2.0
//! One suite over every backing, run on the Rust type and again through the C functions.
//!
//! `memory` says what a face must offer, `rust` and `c` offer it, `suite` holds the facts, and the
//! table below is their product: a new backing is one more line, a new face one more column.
#![allow(unsafe_code, reason = "the C face is called as C calls it")]

mod c;
mod lock;
mod memory;
mod object;
mod queue;
mod record;
mod rust;
mod semaphore;
mod socket;
mod suite;

use object::Kind;

macro_rules! conformance {
    ($($fact:ident)*) => {
        mod rust_face {
            conformance!(@kinds crate::rust::Rust, $($fact)*);
        }
        mod c_face {
            conformance!(@kinds crate::c::C, $($fact)*);
        }
    };
    (@kinds $face:ty, $($fact:ident)*) => {
        conformance!(@kind $face, posix, Posix, $($fact)*);
        conformance!(@kind $face, file, File, $($fact)*);
        conformance!(@kind $face, key, Key, $($fact)*);
        conformance!(@kind $face, ftok, Ftok, $($fact)*);
        conformance!(@kind $face, private, Private, $($fact)*);
        conformance!(@kind $face, memfd, Memfd, $($fact)*);
        conformance!(@kind $face, anonymous, Anonymous, $($fact)*);
    };
    (@kind $face:ty, $module:ident, $kind:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $fact() {
                    crate::suite::$fact::<$face>(crate::Kind::$kind);
                }
            )*
        }
    };
}

conformance! {
    a_new_object_is_zero_and_as_long_as_asked
    what_one_handle_writes_another_reads
    the_mode_is_exact_whatever_the_umask
    nothing_outside_can_be_touched
    a_read_only_handle_reads_and_refuses_to_write
    names_are_created_once
    open_or_create_does_either
    closing_never_removes
    removing_leaves_the_open_handles_alone
    the_name_of_a_successor_is_not_removed
    remove_on_close_removes
    replacing_makes_a_new_object
    fill_and_compare
    atomic_integers
    threads_add_exactly
    resizing
    others_follow_a_resize
    pages_can_be_flushed_advised_and_locked
    a_guarded_access_ends_well
    fork_shares_and_the_childs_end_changes_nothing
    descriptors_close_on_exec
    sizes_and_names_that_make_no_sense
    offsets_and_lengths
    large_copies
}

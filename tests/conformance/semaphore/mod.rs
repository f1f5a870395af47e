// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores: one suite over POSIX, System V and shared memory, on the Rust type and through the C functions.

mod c;
mod face;
mod rust;
mod suite;

macro_rules! conformance {
    ($($fact:ident)*) => {
        mod rust_face {
            conformance!(@kinds crate::semaphore::rust::Rust, $($fact)*);
        }
        mod c_face {
            conformance!(@kinds crate::semaphore::c::C, $($fact)*);
        }
    };
    (@kinds $face:ty, $($fact:ident)*) => {
        conformance!(@kind $face, posix, Posix, $($fact)*);
        conformance!(@kind $face, key, Key, $($fact)*);
        conformance!(@kind $face, ftok, Ftok, $($fact)*);
        conformance!(@kind $face, private, Private, $($fact)*);
        conformance!(@kind $face, memory, Anonymous, $($fact)*);
    };
    (@kind $face:ty, $module:ident, $kind:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $fact() {
                    crate::semaphore::suite::$fact::<$face>(crate::Kind::$kind);
                }
            )*
        }
    };
}

conformance! {
    units_are_counted
    a_try_never_waits
    a_limit_is_kept
    who_waits_is_woken
    the_highest_value_is_not_passed
    a_binary_one_is_given_back_once
    closing_never_removes
    names_are_created_once
    open_or_create_does_either
    the_mode_is_exact_whatever_the_umask
    replacing_makes_a_new_one
    removing_is_by_name_or_by_handle
    remove_on_close_removes
    fork_shares_and_the_childs_end_changes_nothing
    only_system_v_undoes
    only_system_v_can_be_set
    threads_take_each_unit_once
    names_of_other_objects_are_refused
}

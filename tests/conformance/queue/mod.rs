// SPDX-License-Identifier: MIT OR Apache-2.0
//! Message queues: one suite over System V and POSIX, on the Rust type and through the C functions.

mod c;
mod face;
mod rust;
mod suite;

macro_rules! conformance {
    ($($fact:ident)*) => {
        mod rust_face {
            conformance!(@kinds crate::queue::rust::Rust, $($fact)*);
        }
        mod c_face {
            conformance!(@kinds crate::queue::c::C, $($fact)*);
        }
    };
    (@kinds $face:ty, $($fact:ident)*) => {
        conformance!(@kind $face, posix, Posix, $($fact)*);
        conformance!(@kind $face, key, Key, $($fact)*);
        conformance!(@kind $face, ftok, Ftok, $($fact)*);
        conformance!(@kind $face, private, Private, $($fact)*);
    };
    (@kind $face:ty, $module:ident, $kind:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $fact() {
                    crate::queue::suite::$fact::<$face>(crate::Kind::$kind);
                }
            )*
        }
    };
}

conformance! {
    messages_come_as_they_were_sent
    closing_never_removes
    a_try_never_waits
    a_limit_is_kept
    a_message_that_is_too_long_stays
    a_message_may_be_cut
    what_is_too_long_to_send_is_refused
    tags_have_bounds
    only_system_v_chooses_by_type
    names_are_created_once
    open_or_create_does_either
    the_mode_is_exact_whatever_the_umask
    replacing_makes_a_new_queue
    removing_is_by_name_or_by_handle
    remove_on_close_removes
    a_handle_does_what_it_is_for
    fork_shares_and_the_childs_end_changes_nothing
    threads_get_each_message_once
    only_posix_has_a_descriptor
    only_posix_notifies
    names_of_other_objects_are_refused
}

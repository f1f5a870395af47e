// SPDX-License-Identifier: MIT OR Apache-2.0
//! File locks: one suite over the three kinds, on the Rust type and through the C functions.

mod c;
mod face;
mod rust;
mod suite;

macro_rules! conformance {
    ($($fact:ident)*) => {
        mod rust_face {
            conformance!(@kinds crate::lock::rust::Rust, $($fact)*);
        }
        mod c_face {
            conformance!(@kinds crate::lock::c::C, $($fact)*);
        }
    };
    (@kinds $face:ty, $($fact:ident)*) => {
        conformance!(@kind $face, ofd, Ofd, $($fact)*);
        conformance!(@kind $face, posix, Posix, $($fact)*);
        conformance!(@kind $face, flock, Flock, $($fact)*);
    };
    (@kind $face:ty, $module:ident, $kind:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $fact() {
                    crate::lock::suite::$fact::<$face>(unipc::lock::Kind::$kind);
                }
            )*
        }
    };
}

conformance! {
    one_alone_keeps_all_others_out
    several_share_and_nobody_is_alone
    a_limit_is_kept
    who_waits_gets_it_in_the_end
    ranges_are_apart
    who_is_in_the_way_is_told
    the_end_of_a_process_gives_it_back
    a_read_only_handle_shares
    names_are_created_once
    the_mode_is_exact_whatever_the_umask
}

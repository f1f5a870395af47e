// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets: one suite over the three kinds, on the Rust type and through the C functions.

mod c;
mod face;
mod rust;
mod suite;

macro_rules! conformance {
    ($($fact:ident)*) => {
        mod rust_face {
            conformance!(@kinds crate::socket::rust::Rust, $($fact)*);
        }
        mod c_face {
            conformance!(@kinds crate::socket::c::C, $($fact)*);
        }
    };
    (@kinds $face:ty, $($fact:ident)*) => {
        conformance!(@kind $face, stream, Stream, $($fact)*);
        conformance!(@kind $face, datagram, Datagram, $($fact)*);
        conformance!(@kind $face, seqpacket, SeqPacket, $($fact)*);
    };
    (@kind $face:ty, $module:ident, $kind:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $fact() {
                    crate::socket::suite::$fact::<$face>(unipc::socket::Kind::$kind);
                }
            )*
        }
    };
}

conformance! {
    what_is_sent_arrives_with_its_boundaries
    a_message_too_long_is_refused
    limits_are_kept
    a_full_socket_takes_no_more
    the_end_is_seen_on_both_sides
    half_a_connection_goes_on
    a_name_is_listened_at_once
    the_mode_is_exact_whatever_the_umask
    descriptors_arrive_as_expected_or_not_at_all
}

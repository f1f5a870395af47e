// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes, as what comes in from a socket: frames, and messages with descriptors. `core/tests/socket` does the same with
//! bytes of a seed.
#![no_main]

#[path = "../../tests/support/incoming.rs"]
mod incoming;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| incoming::check(bytes));

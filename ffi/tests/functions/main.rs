// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exported functions, called as C calls them: what holds for all, NULL everywhere, and the numbers that C sees.
#![allow(unsafe_code, reason = "the functions are called as C calls them")]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "one argument serves a list of calls")]

// Its macro is for the modules below.
#[macro_use]
mod null;

mod boundary;
mod channel;
#[allow(dead_code, unreachable_pub, reason = "not all that C sees is used here")]
#[path = "../../src/lib.rs"]
mod ffi;
mod lock;
mod pipe;
mod poll;
mod program;
mod queue;
mod record;
mod signal;
mod sync;
mod values;

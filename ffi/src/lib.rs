// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C ABI: one file for each header, `boundary` for all that is unsafe about it.
//!
//! Nothing here decides anything about IPC; that is the core's. The comments of what is exported
//! become the comments of the headers, so they are written for C programmers.
#![allow(unsafe_code, reason = "this is the boundary to C; see boundary.rs")]
#![allow(non_camel_case_types, reason = "the names are those of the C ABI")]
#![allow(clippy::missing_safety_doc, reason = "the headers tell preconditions in prose")]
#![allow(clippy::doc_markdown, reason = "the comments land in C headers as they are")]

pub mod base;
pub(crate) mod boundary;
pub mod channel;
pub mod error;
pub mod frame;
pub mod lock;
pub mod mechanism;
pub mod mq;
pub mod name;
pub mod pipe;
pub mod poll;
pub mod record;
pub mod sem;
pub mod shm;
pub mod signal;
pub mod socket;
pub mod sync;

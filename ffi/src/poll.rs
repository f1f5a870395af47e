// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/poll.h: waiting for any of several things.

mod doorbell;
mod loop_bell;
mod poller;
mod thing;

use std::ffi::{c_int, c_uint, c_void};

use unipc_core::poll::{Doorbell, LoopBell, Poller};

pub use doorbell::*;
pub use loop_bell::*;
pub use poller::*;
pub use thing::*;

use super::{boundary, channel, mq, sem, sync};

/// What a descriptor is waited for.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_wait_for {
    /// It can be read, is at its end, or in error.
    UNIPC_WAIT_READ = 1 << 0,
    /// It can be written, or is in error.
    UNIPC_WAIT_WRITE = 1 << 1,
}

/// One thing to wait for, made by the functions below; what is in it is the library's.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_waitable {
    /// The handle.
    pub object: *const c_void,
    /// What it is.
    pub kind: c_int,
    /// The descriptor.
    pub fd: c_int,
    /// Of the descriptor what, of the set which.
    pub which: c_uint,
    /// Not used.
    pub reserved: c_uint,
}

/// What is waited for again and again. A poller serves one thread at a time.
#[derive(Debug)]
pub struct unipc_poller {
    poller: Poller<'static>,
}

/// A descriptor for one thing that has none.
#[derive(Debug)]
pub struct unipc_doorbell {
    doorbell: Doorbell,
}

/// One descriptor for all that an event loop waits for and that has none. A handle serves one thread at a time.
#[derive(Debug)]
pub struct unipc_loop_bell {
    bell: LoopBell,
    /// What did not fit.
    rung: Vec<u64>,
}

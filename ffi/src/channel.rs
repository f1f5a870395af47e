// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/channel.h: queues. The types are here, the functions in the modules.

mod queue;

use unipc_core::channel::Queue;

pub use queue::*;

use super::boundary;
use boundary::SizeFirst;

/// An open queue. A handle serves one thread at a time; a child of fork() opens its own.
#[derive(Debug)]
pub struct unipc_queue {
    queue: Queue,
}

/// Options of a queue, made by UNIPC_QUEUE_OPTS(); all zero are the defaults.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct unipc_queue_opts {
    /// The size of this struct.
    pub sz: usize,
    /// When creating: permission bits, exact whatever the umask. 0: 0600.
    pub mode: u32,
    /// When creating: every message has this size in bytes. 0: messages of any size.
    pub message_size: u32,
    /// When creating: how many handles there can be at a time. 0: 64.
    pub participants: u32,
    /// UNIPC_QUEUE_ flags.
    pub flags: u32,
}

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_queue_opts {}

/// Flags of queues.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_queue_flag {
    /// Never sleep: waiting takes a processor, and the least time.
    UNIPC_QUEUE_SPIN = 1 << 0,
}

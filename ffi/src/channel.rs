// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/channel.h: queues, topics, services. The types are here, the functions in the modules.

mod client;
mod each;
mod open;
mod queue;
mod service;
mod subscriber;
mod topic;

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStringExt;

use unipc_core::Name;
use unipc_core::channel::{Client, Question, Queue, Service, Subscriber, Topic};

pub use client::*;
pub use each::*;
pub use queue::*;
pub use service::*;
pub use subscriber::*;
pub use topic::*;

use super::boundary;
use super::record::{layout_of, text_of};
use boundary::SizeFirst;

/// Options of channels, made by UNIPC_CHANNEL_OPTS(); a field that is zero has its default.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct unipc_channel_opts {
    /// The size of this struct, for versions to come; the OPTS macro sets it.
    pub sz: usize,
    /// When creating a service: the least size in bytes of the ring of answers that each
    /// participant has. 0: 16384.
    pub reply_capacity: usize,
    /// When creating: permission bits, exact whatever the umask. 0: 0600.
    pub mode: u32,
    /// When creating a queue or topic: every message has this size in bytes, which saves the
    /// lengths and is fastest. 0: messages of any size.
    pub message_size: u32,
    /// When creating: how many handles there can be at a time, in all processes together. 0: 64.
    pub participants: u32,
    /// Not used: 0.
    pub reserved: u32,
    /// Of a queue or topic: what every message consists of, which message_size follows then:
    /// UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format. It is stored in the channel; where one is
    /// there already, it must be this one. NULL: messages are bytes.
    pub layout: *const c_char,
    /// When creating a memfd or a file on hugetlbfs: it lies in huge pages of this size in bytes, two at
    /// least, or fails with -ENOSPC where there are none. 0: ordinary pages.
    pub huge_page_size: usize,
}

const _: () = assert!(
    size_of::<unipc_channel_opts>() == 4 * size_of::<usize>() + 4 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers and a pointer, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_channel_opts {}

/// What the functions whose names end in _at do when there is a channel, and when there is none.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_channel_how {
    /// Open the one that is there. Where the bytes are zero, wait for up to a second for a creator.
    UNIPC_CHANNEL_OPEN = 0,
    /// Create it where there are zeros.
    UNIPC_CHANNEL_CREATE = 1,
    /// Open it, or create it when there is none.
    UNIPC_CHANNEL_OPEN_OR_CREATE = 2,
}

/// Flags for creating and opening channels.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_channel_flag {
    /// Never sleep: waiting takes a processor, and the least time. Without it a wait spins for some
    /// microseconds and then sleeps.
    UNIPC_CHANNEL_SPIN = 1 << 0,
    /// When creating a topic: publishers wait for the slowest living subscriber, so that nobody loses
    /// a message. Without it they never wait, and a subscriber is told how many messages it lost.
    UNIPC_CHANNEL_RELIABLE = 1 << 1,
    /// For unipc_subscriber_open(): begin with the oldest message that is still there, not with the
    /// next one.
    UNIPC_CHANNEL_OLDEST = 1 << 2,
}

/// A name as C reads it; names hold no NUL.
fn text(name: &Name) -> CString {
    CString::new(name.to_os_string().into_vec()).unwrap_or_default()
}

/// A queue: each message goes to exactly one of those who receive. A handle serves one thread at a
/// time; a child of fork() opens its own.
#[derive(Debug)]
pub struct unipc_queue {
    pub(crate) queue: Queue,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
    /// The layout of its records, likewise.
    layout: Option<CString>,
}

/// A topic, to publish on: each message goes to all subscribers. Threads and fork() as a queue.
#[derive(Debug)]
pub struct unipc_topic {
    pub(crate) topic: Topic,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
    /// The layout of its records, likewise.
    layout: Option<CString>,
}

/// A subscriber of a topic, with a position of its own. Threads and fork() as a queue.
#[derive(Debug)]
pub struct unipc_subscriber {
    pub(crate) subscriber: Subscriber,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
    /// The layout of its records, likewise.
    layout: Option<CString>,
}

/// One who answers questions. Threads and fork() as a queue.
#[derive(Debug)]
pub struct unipc_service {
    pub(crate) service: Service,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

/// One who asks questions. Threads and fork() as a queue.
#[derive(Debug)]
pub struct unipc_client {
    pub(crate) client: Client,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

macro_rules! make {
    ($($handle:ident: $field:ident $channel:ident $(, $layout:ident)?;)*) => {$(
        impl $handle {
            fn new($field: $channel) -> Self {
                let name = text($field.name());
                $(let $layout = $field.layout().map(text_of);)?
                Self { $field, name $(, $layout)? }
            }
        }
    )*};
}

make! {
    unipc_queue: queue Queue, layout;
    unipc_topic: topic Topic, layout;
    unipc_subscriber: subscriber Subscriber, layout;
    unipc_service: service Service;
    unipc_client: client Client;
}

/// A question that a service has received.
#[derive(Debug, Default)]
pub struct unipc_question {
    question: Question,
}

// SPDX-License-Identifier: MIT OR Apache-2.0
#![doc = include_str!("../../README.md")]
#![warn(clippy::unwrap_used)]

pub mod channel;
mod error;
mod fd;
mod interrupt;
pub mod layout;
pub mod lock;
mod map;
pub mod mechanism;
pub mod mq;
mod name;
mod open;
pub mod pipe;
pub mod poll;
pub mod record;
mod seals;
pub mod sem;
pub mod shm;
pub mod signal;
pub mod socket;
pub mod stream;
pub mod sync;
mod sys;
pub mod sysv;
mod time;
mod watch;

pub use error::{Error, ErrorKind, Result, description, errname};
pub use map::{Advice, Placement, Region};
pub use mq::MessageQueue;
pub use name::{
    HostPort, MEMFD_LABEL_MAX, Name, POSIX_NAME_MAX, PosixName, SOCKET_NAME_MAX, SocketName,
    SystemVName,
};
pub use open::Mode;
pub use sem::{Semaphore, SemaphoreSet};
pub use shm::SharedMemory;
pub use time::{Deadline, Timeout};
/// The version of zerocopy whose traits [`SharedMemory::read`] and [`SharedMemory::write`] ask for.
pub use zerocopy;

/// The size of a page of memory in bytes: `sysconf(_SC_PAGESIZE)`.
#[doc(alias = "sysconf")]
#[doc(alias = "getpagesize")]
pub fn page_size() -> usize {
    sys::page_size()
}

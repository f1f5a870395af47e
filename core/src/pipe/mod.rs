// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes and what is made of them: bytes in order from one end to the other, each read once.
//!
//! | what | is | document's word |
//! |---|---|---|
//! | [`pipe`] | two ends of a pipe | 管道 |
//! | [`Fifo`] | a pipe with a name in the file system | FIFO, 命名管道 |
//! | [`Turnstile`] | whose turn it is, between parent and child | TELL_WAIT |
//! | [`duplex`] | two ends that both read and write (a socket pair) | 全双工管道 |

mod create;
mod end;
mod fifo;
mod turnstile;

pub use create::{Options, capacity_limit, duplex, pipe};
pub use end::{Duplex, End, Reader, Writer};
pub use fifo::Fifo;
pub use turnstile::{Side, Turnstile};

/// How many bytes a pipe takes together, whatever other writers do: 4096. It is no capacity, see
/// [`End::capacity`].
#[doc(alias = "_PC_PIPE_BUF")]
pub const PIPE_BUF: usize = libc::PIPE_BUF;

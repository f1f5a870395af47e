// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes and what is made of them: bytes in order from one end to the other, each read once.
//!
//! | what | is | document's word |
//! |---|---|---|
//! | [`pipe`] | two ends of a pipe | 管道 |
//! | [`Fifo`] | a pipe with a name in the file system | FIFO, 命名管道 |
//! | [`Turnstile`] | whose turn it is, between parent and child | TELL_WAIT |
//! | [`duplex`] | two ends that both read and write (a socket pair) | 全双工管道 |
//! | [`Command`], [`Process`] | a program that is started, waited for, signalled | 进程控制 |
//! | [`Shell`] | a program at the other end of a pipe | popen, pclose |
//! | [`Coprocess`] | a filter at the other end of two | 协同进程 |
//! | [`Pty`], [`RawMode`] | a program on a terminal of its own | 伪终端 |

mod coprocess;
mod create;
mod direction;
mod end;
mod fifo;
mod orphan;
mod process;
mod pty;
mod shell;
mod sink;
mod source;
mod spawn;
mod terminal;
mod turn;
mod turnstile;

pub use coprocess::{Communication, Coprocess, CoprocessOptions, Exchange};
pub use create::{Options, capacity_limit, duplex, pipe};
pub use direction::{Duplex, Reader, Writer};
pub use end::End;
pub use fifo::Fifo;
pub use process::{Process, status_number};
pub use pty::Pty;
pub use shell::{OpenFd, Shell};
pub use sink::Writing;
pub use spawn::Command;
pub use terminal::{
    Modes, RawMode, WindowSize, is_terminal, modes, set_modes, set_window_size, window_size,
};
#[doc(hidden)]
pub use turn::OneByOne;
pub use turnstile::{Side, Turnstile};

/// How many bytes a pipe takes together, whatever other writers do: 4096. It is no capacity, see
/// [`End::capacity`].
#[doc(alias = "_PC_PIPE_BUF")]
pub const PIPE_BUF: usize = libc::PIPE_BUF;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/pipe.h: pipes and what is made of them. The types are here, the functions in the modules.

mod coprocess;
mod end;
mod fifo;
mod process;
mod pty;
mod shell;
mod terminal;
mod transfer;
mod turnstile;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use unipc_core::pipe::{Coprocess, End, Process, Pty, RawMode, Shell, Turnstile};

pub use coprocess::*;
pub use end::*;
pub use fifo::*;
pub use process::*;
pub use pty::*;
pub use shell::*;
pub use terminal::*;
pub use transfer::*;
pub use turnstile::*;

use super::boundary;
use boundary::SizeFirst;

/// One end of a pipe or of a FIFO, or either end of a duplex. A handle belongs to the process; a child
/// of fork() has its own copy, and as long as any process keeps a writing end the readers see no end.
#[derive(Debug)]
pub struct unipc_pipe {
    end: End,
    /// The name as C reads it, which lives as long as the handle.
    name: CString,
}

impl unipc_pipe {
    pub(crate) fn new(end: impl Into<End>) -> Self {
        let end = end.into();
        // Names hold no NUL.
        let name = CString::new(end.name()).unwrap_or_default();
        Self { end, name }
    }
}

/// Two pipes through which a parent and its child take turns.
#[derive(Debug)]
pub struct unipc_turnstile {
    turnstile: Turnstile,
}

/// A program that this process has started. A child of fork() cannot wait for it.
#[derive(Debug)]
pub struct unipc_process {
    process: Arc<Process>,
}

/// A program at the other end of a pipe.
#[derive(Debug)]
pub struct unipc_shell {
    shell: Shell,
    process: unipc_process,
}

impl unipc_shell {
    fn new(shell: Shell) -> Self {
        let process = unipc_process { process: Arc::clone(shell.process()) };
        Self { shell, process }
    }
}

/// A filter at the other end of two pipes.
#[derive(Debug)]
pub struct unipc_coprocess {
    coprocess: Coprocess,
    process: unipc_process,
}

impl unipc_coprocess {
    fn new(coprocess: Coprocess) -> Self {
        let process = unipc_process { process: Arc::clone(coprocess.process()) };
        Self { coprocess, process }
    }
}

/// The master of a pseudoterminal, perhaps with a program on the other side.
#[derive(Debug)]
pub struct unipc_pty {
    pty: Pty,
    process: Option<unipc_process>,
    /// The path of the other side as C reads it, which lives as long as the handle.
    name: CString,
}

impl unipc_pty {
    fn new(pty: Pty) -> Self {
        let process = pty.process().map(|process| unipc_process { process: Arc::clone(process) });
        // Paths hold no NUL.
        let name = CString::new(pty.name().as_os_str().as_bytes()).unwrap_or_default();
        Self { pty, process, name }
    }
}

/// A terminal in raw mode, and how it was before.
#[derive(Debug)]
pub struct unipc_raw_mode {
    raw: RawMode,
}

/// Numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_pipe_constant {
    /// How many bytes a pipe takes together, whatever other writers do. It is no capacity.
    UNIPC_PIPE_BUF = 4096,
}

/// Flags of unipc_pipe_create().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_pipe_flag {
    /// Each write is a packet, and each read gives one, cut to its room: what does not fit is lost
    /// (O_DIRECT). A write of more than UNIPC_PIPE_BUF bytes is several packets.
    UNIPC_PIPE_PACKETS = 1 << 0,
}

/// Flags of unipc_fifo_create().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_fifo_flag {
    /// A FIFO that exists is fine, whoever made it.
    UNIPC_FIFO_EXIST_OK = 1 << 0,
}

/// The two sides of a turnstile.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_side {
    /// Who made the turnstile.
    UNIPC_SIDE_PARENT = 1,
    /// Who came of fork().
    UNIPC_SIDE_CHILD = 2,
}

/// How a pipe is made. Make it with UNIPC_PIPE_OPTS(...); a field that is 0 has its default.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_pipe_opts {
    /// sizeof(unipc_pipe_opts).
    pub sz: usize,
    /// How many bytes the pipe holds, see unipc_pipe_set_capacity(). 0: what the kernel gives, 65536.
    pub capacity: usize,
}

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_pipe_opts {}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes a text with its NUL into a FIFO, /tmp/fifo unless a path is given: makes it if need be, and waits for the
//! reader.
//!
//! Run `fifo_write`, then `fifo_read`, in any two languages.

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::pipe::Fifo;
use unipc::{Mode, Name, Timeout};

fn write() -> Result<(), Failure> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "/tmp/fifo".into());
    let fifo = Fifo::open_or_create(Name::file(path)?, Mode::PRIVATE)?;
    let writer = fifo.writer(Timeout::Forever)?;
    writer.write_all(b"www.yanbinghu.com\0", Timeout::Forever)?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(write())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads a text from a FIFO, /tmp/fifo unless a path is given, and removes the FIFO.
//!
//! Run `fifo_write`, then `fifo_read`, in any two languages.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::pipe::Fifo;
use unipc::{Name, Timeout};

fn read() -> Result<(), Failure> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "/tmp/fifo".into());
    let fifo = Fifo::open(Name::file(path)?)?;
    let reader = fifo.reader(Timeout::Forever)?;
    let mut line = [0; 128];
    let count = reader.read(&mut line, Timeout::Forever)?;
    let text = line[..count].split(|&byte| byte == 0).next().unwrap_or_default();
    println!("read {count} bytes from pipe :{}", text.escape_ascii());
    Fifo::unlink(fifo.name())?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(read())
}

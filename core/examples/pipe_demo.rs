// SPDX-License-Identifier: MIT OR Apache-2.0
//! A pipe between a child, which writes a text with its NUL, and its parent, which reads it.
//!
//! `pipe_demo writer | pipe_demo reader` does the same with two programs, in any two languages.
#![allow(unsafe_code, reason = "fork is unsafe")]
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::os::fd::AsFd;
use std::process::ExitCode;

use common::Failure;
use nix::unistd::ForkResult;
use unipc::Timeout;
use unipc::pipe::{Reader, Writer, pipe};

fn put(writer: &Writer) -> unipc::Result<()> {
    writer.write_all(b"www.bing.com\0", Timeout::Forever)
}

fn get(reader: &Reader) -> unipc::Result<()> {
    let mut line = [0; 128];
    let count = reader.read(&mut line, Timeout::Forever)?;
    let text = line[..count].split(|&byte| byte == 0).next().unwrap_or_default();
    println!("read {count} bytes from pipe :{}", text.escape_ascii());
    Ok(())
}

fn demo() -> Result<(), Failure> {
    match std::env::args().nth(1).as_deref() {
        Some("writer") => {
            let output = std::io::stdout().as_fd().try_clone_to_owned()?;
            return Ok(put(&Writer::from_fd(output)?)?);
        }
        Some(_) => {
            let input = std::io::stdin().as_fd().try_clone_to_owned()?;
            return Ok(get(&Reader::from_fd(input)?)?);
        }
        None => {}
    }
    let (reader, writer) = pipe()?;
    // SAFETY: the program has one thread.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => {
            drop(reader);
            put(&writer)?;
        }
        ForkResult::Parent { child } => {
            drop(writer);
            get(&reader)?;
            nix::sys::wait::waitpid(child, None)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(demo())
}

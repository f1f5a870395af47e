// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends each text as a record, and prints the answers.
//!
//! Run `socket_server NAME` in any language, then `socket_client NAME TEXT...`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use common::Failure;
use unipc::Timeout;
use unipc::socket::Socket;
use unipc::stream::{FrameReader, FrameWriter};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(10));

fn ask() -> Result<(), Failure> {
    let usage = "socket_client NAME TEXT...";
    let arguments = common::arguments(usage)?;
    let [name, texts @ ..] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let server = Socket::connect(name.as_os_str(), PATIENCE)?;
    let (mut reader, mut writer) = (FrameReader::new(&server)?, FrameWriter::new(&server)?);
    for text in texts {
        writer.write(text.as_bytes(), PATIENCE)?;
        if let Some(answer) = reader.read(PATIENCE)? {
            println!("{}", String::from_utf8_lossy(answer));
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(ask())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends each text as a datagram, and prints the answers.
//!
//! Run `datagram_server NAME COUNT` in any language, then `datagram_client NAME TEXT...`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use common::Failure;
use unipc::Timeout;
use unipc::socket::{Kind, Options};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(10));

fn ask() -> Result<(), Failure> {
    let usage = "datagram_client NAME TEXT...";
    let arguments = common::arguments(usage)?;
    let [name, texts @ ..] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    // The socket gets a free name, to which the server answers.
    let server = Options::new().kind(Kind::Datagram).connect(name.as_os_str(), PATIENCE)?;
    let mut answer = [0; 1100];
    for text in texts {
        server.send(text.as_bytes(), PATIENCE)?;
        let length = server.recv(&mut answer, PATIENCE)?;
        println!("{}", String::from_utf8_lossy(&answer[..length]));
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(ask())
}

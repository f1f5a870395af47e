// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gives jobs to workers, several at a time, and shows the results; a job whose worker died is given to another. Then
//! it removes the service.
//!
//! Run `worker NAME` in any languages, as many as you like, and `dispatcher NAME TEXT...`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::collections::VecDeque;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::{Client, Service};

const AT_ONCE: usize = 8;

fn dispatch() -> Result<(), Failure> {
    let arguments = common::arguments("dispatcher NAME TEXT...")?;
    let Some((name, texts)) = arguments.split_first() else { return Ok(()) };
    let mut client = Client::open(name.as_os_str())?;
    let mut left = texts.iter();
    let mut given = VecDeque::new();
    loop {
        while given.len() < AT_ONCE
            && let Some(text) = left.next()
        {
            given.push_back((text, client.begin(text.as_bytes(), Timeout::Forever)?));
        }
        let Some((text, call)) = given.pop_front() else { break };
        match client.wait(call, Timeout::Forever) {
            Ok(result) => {
                println!("{}: {}", text.display(), String::from_utf8_lossy(&result.bytes));
            }
            Err(error) if error.errno() == libc::EPIPE => {
                println!("{}: its worker died, another gets it", text.display());
                client.cancel(call);
                given.push_back((text, client.begin(text.as_bytes(), Timeout::Forever)?));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Service::unlink(name.as_os_str())?)
}

fn main() -> ExitCode {
    common::finish(dispatch())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks for the sum of each pair of numbers.
//!
//! Run `calculator_server NAME COUNT`, then `calculator_client NAME 'A B'...`, in any languages.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::Client;

fn ask() -> Result<(), Failure> {
    let arguments = common::arguments("calculator_client NAME 'A B'...")?;
    let mut client = Client::open(arguments[0].as_os_str())?;
    for text in &arguments[1..] {
        match client.call(text.as_bytes(), Timeout::Forever) {
            Ok(sum) => println!("{} = {}", text.display(), String::from_utf8_lossy(&sum)),
            Err(error) => println!("{}: {}", text.display(), unipc::errname(error.errno())),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(ask())
}

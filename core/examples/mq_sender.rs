// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends each text as a message of its own, with the tags 1, 2, 3 ..., and ends: messages outlive their sender.
//!
//! Run `mq_sender NAME TEXT...`, then `mq_receiver NAME COUNT` in any language. `/NAME` is a POSIX queue,
//! where the tag is a priority; `sysv:0x1234` or `sysv:PATH,1` a System V queue, where it is a type. With
//! `sysv:private` give the receiver the name that is printed.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use common::Failure;
use unipc::{MessageQueue, Timeout};

fn send() -> Result<(), Failure> {
    let arguments = common::arguments("mq_sender NAME TEXT...")?;
    let queue = MessageQueue::open_or_create(arguments[0].as_os_str())?;
    println!("queue {}", queue.name());
    for (tag, text) in (1..).zip(&arguments[1..]) {
        queue.send(tag, text.as_bytes(), Timeout::Forever)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(send())
}

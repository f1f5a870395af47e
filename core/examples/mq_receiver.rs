// SPDX-License-Identifier: MIT OR Apache-2.0
//! Receives so many messages, waiting for those that are not there yet, and removes the queue.
//!
//! Run `mq_sender NAME TEXT...` in any language, then `mq_receiver NAME COUNT`. It prints the tag and the
//! text of each message: of a POSIX queue the highest priority first, of a System V queue the oldest.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::mq::Want;
use unipc::{MessageQueue, Timeout};

fn receive() -> Result<(), Failure> {
    let usage = "mq_receiver NAME COUNT";
    let arguments = common::arguments(usage)?;
    let [name, count] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let count: u32 = count.to_string_lossy().parse()?;
    let queue = MessageQueue::options().remove_on_drop(true).open(name.as_os_str())?;
    for _ in 0..count {
        let message = queue.receive(Want::Any, Timeout::Forever)?;
        println!("{} {}", message.tag, String::from_utf8_lossy(&message.data));
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(receive())
}

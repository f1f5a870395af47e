// SPDX-License-Identifier: MIT OR Apache-2.0
//! Receives so many messages, waiting for those that are not there yet, and removes the queue.
//!
//! Run `queue_sender NAME TEXT...` and `queue_receiver NAME COUNT`, in any languages, in any order.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::Queue;

fn receive() -> Result<(), Failure> {
    let usage = "queue_receiver NAME COUNT";
    let arguments = common::arguments(usage)?;
    let [name, count] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let count: u32 = count.to_string_lossy().parse()?;
    let mut queue = Queue::open_or_create(name.as_os_str(), 1 << 20)?;
    for _ in 0..count {
        println!("{}", String::from_utf8_lossy(&queue.recv(Timeout::Forever)?));
    }
    Ok(Queue::unlink(name.as_os_str())?)
}

fn main() -> ExitCode {
    common::finish(receive())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends each text through a queue in shared memory, and ends: the queue and what is in it stay.
//!
//! Run `queue_sender NAME TEXT...` and `queue_receiver NAME COUNT`, in any languages, in any order.

mod common;

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::Queue;

fn send() -> Result<(), Failure> {
    let arguments = common::arguments("queue_sender NAME TEXT...")?;
    let mut queue = Queue::open_or_create(arguments[0].as_os_str(), 1 << 20)?;
    for text in &arguments[1..] {
        queue.send(text.as_bytes(), Timeout::Forever)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(send())
}

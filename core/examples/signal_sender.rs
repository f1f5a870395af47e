// SPDX-License-Identifier: MIT OR Apache-2.0
//! A sender queues three numbers to the process that it is given, and then says that it is done.
//!
//! Run `signal_receiver` in another terminal, then `signal_sender PID` with the number that it prints. It prints its
//! own. The descriptor makes sure that no other process gets the signals should the receiver end meanwhile.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::signal::{PidFd, Signal};

fn send() -> Result<(), Failure> {
    let pid = common::arguments("signal_sender PID")?[0].to_string_lossy().parse()?;
    let receiver = PidFd::open(pid)?;
    for value in 20..23 {
        receiver.queue(Signal::realtime(0)?, value)?;
    }
    // A higher number, since the lowest come first: a SIGTERM would overtake the values.
    receiver.send(Signal::realtime(1)?)?;
    println!("pid {}", std::process::id());
    Ok(())
}

fn main() -> ExitCode {
    common::finish(send())
}

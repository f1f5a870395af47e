// SPDX-License-Identifier: MIT OR Apache-2.0
//! A receiver reads signals as a stream: `SIGRTMIN` with a number, until `SIGRTMIN+1` says that it was the last one.
//!
//! It prints its number for `signal_sender`, and for each value who sent it: `value 20 from 4711`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;
use std::time::Duration;

use common::Failure;
use unipc::Timeout;
use unipc::signal::{Set, Signal, Stream};

fn receive() -> Result<(), Failure> {
    let (data, done) = (Signal::realtime(0)?, Signal::realtime(1)?);
    // Blocks both from here on: what comes before the first read waits.
    let stream = Stream::open(Set::from([data, done]))?;
    println!("pid {}", std::process::id());
    loop {
        let info = stream.read(Timeout::After(Duration::from_secs(60)))?;
        if info.signal == done {
            break;
        }
        println!("value {} from {}", info.value.int(), info.pid);
    }
    println!("done");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(receive())
}

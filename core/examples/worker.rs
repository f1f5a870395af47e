// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does one job after the other, until it is ended: half a second's work, whose result is the text in capitals.
//!
//! Run `worker NAME` in any languages, as many as you like, and `dispatcher NAME TEXT...`. Kill one of them (kill -9)
//! after it has said that it took a job: another worker gets that job.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::convert::Infallible;
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::Service;

fn work() -> Result<Infallible, Failure> {
    let arguments = common::arguments("worker NAME")?;
    let mut service = Service::open_or_create(arguments[0].as_os_str(), 1 << 16)?;
    println!("ready");
    loop {
        let job = service.recv(Timeout::Forever)?;
        println!("took {}", String::from_utf8_lossy(job.bytes()));
        common::pause(0.5);
        service.reply(&job, &job.bytes().to_ascii_uppercase(), Timeout::Forever)?;
    }
}

fn main() -> ExitCode {
    common::finish(work().map(|never| match never {}))
}

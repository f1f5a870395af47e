// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adds two numbers for whoever asks, so many times, and removes the service.
//!
//! Run `calculator_server NAME COUNT`, then `calculator_client NAME 'A B'...`, in any languages.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::Service;

fn sum(question: &[u8]) -> Option<i64> {
    let mut numbers = std::str::from_utf8(question).ok()?.split_whitespace();
    let sum = numbers.next()?.parse::<i64>().ok()? + numbers.next()?.parse::<i64>().ok()?;
    numbers.next().is_none().then_some(sum)
}

fn serve() -> Result<(), Failure> {
    let usage = "calculator_server NAME COUNT";
    let arguments = common::arguments(usage)?;
    let [name, count] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let count: u32 = count.to_string_lossy().parse()?;
    let mut service = Service::create(name.as_os_str(), 1 << 16)?;
    println!("ready");
    for _ in 0..count {
        let question = service.recv(Timeout::Forever)?;
        match sum(question.bytes()) {
            Some(sum) => service.reply(&question, sum.to_string().as_bytes(), Timeout::Forever)?,
            None => {
                service.fail(&question, libc::EINVAL, "ask with two numbers", Timeout::Forever)?;
            }
        }
    }
    Ok(Service::unlink(name.as_os_str())?)
}

fn main() -> ExitCode {
    common::finish(serve())
}

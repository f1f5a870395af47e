// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends each line of its input to a filter and prints the filter's answer.
//!
//! Run `coproc FILTER`, for example `coproc ./add2`, with any filter that answers each line by one. Where the textbook's
//! program would get SIGPIPE, because the filter has died, this one says how it ended.

mod common;

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::pipe::{Command, Coprocess};

fn drive() -> Result<(), Failure> {
    let arguments = common::arguments("coproc FILTER [ARGUMENT...]")?;
    let filter = Coprocess::spawn(Command::from_list(arguments)?)?;
    let mut output = stdout().lock();
    for line in stdin().lock().split(b'\n') {
        let answer = filter.exchange(&line?, Timeout::Forever)?;
        output.write_all(&answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    filter.wait(Timeout::Forever)?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(drive())
}

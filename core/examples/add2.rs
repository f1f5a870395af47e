// SPDX-License-Identifier: MIT OR Apache-2.0
//! A filter: for each line of two numbers their sum, for any other line "invalid args".
//!
//! It is written to be a coprocess, and writes each answer at once: see `coproc`.

mod common;

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use common::Failure;

fn answer() -> Result<(), Failure> {
    let mut output = stdout().lock();
    for line in stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace().map(str::parse::<i32>);
        match (words.next(), words.next()) {
            (Some(Ok(one)), Some(Ok(other))) => writeln!(output, "{}", one.wrapping_add(other))?,
            _ => writeln!(output, "invalid args")?,
        }
        output.flush()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(answer())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shows a file in the user's pager, started by the shell.
//!
//! Run `pager_popen FILE`. `PAGER` names the program (default: `more`), with arguments if you like. A user who leaves
//! the pager early ends it, no error.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::pipe::{Command, Shell};

fn show() -> Result<(), Failure> {
    let arguments = common::arguments("pager_popen FILE")?;
    let mut file = BufReader::new(File::open(&arguments[0])?);
    let pager = Shell::writer(Command::shell("${PAGER:-more}"))?;
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        match pager.write(&line, Timeout::Forever) {
            Err(error) if error.errno() == libc::EPIPE => break,
            other => other?,
        }
        line.clear();
    }
    pager.close(Timeout::Forever)?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(show())
}

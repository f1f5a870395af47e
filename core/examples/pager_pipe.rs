// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shows a file in the user's pager, through a pipe that is its standard input.
//!
//! Run `pager_pipe FILE`. `PAGER` names the program (default `/bin/more`); no shell looks at it, so it may not have
//! arguments. `pager_popen` allows them. A user who leaves the pager early ends it, no error.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::pipe::{Command, pipe};

fn show() -> Result<(), Failure> {
    let arguments = common::arguments("pager_pipe FILE")?;
    let mut file = BufReader::new(File::open(&arguments[0])?);
    let pager = std::env::var_os("PAGER").unwrap_or_else(|| "/bin/more".into());
    let (reader, writer) = pipe()?;
    // The reading end moves to the pager: with it open here the pager could not end before we do.
    let process = Command::new(pager).stdin(reader).spawn()?;
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        match writer.write_all(&line, Timeout::Forever) {
            Err(error) if error.errno() == libc::EPIPE => break,
            other => other?,
        }
        line.clear();
    }
    drop(writer);
    process.wait(Timeout::Forever)?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(show())
}

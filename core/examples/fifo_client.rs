// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks a `fifo_server`, in any language, and prints its reply: see there.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use common::Failure;
use unipc::pipe::Fifo;
use unipc::{Name, Timeout};

fn ask() -> Result<(), Failure> {
    let arguments = common::arguments("fifo_client PATH TEXT")?;
    let (path, pid) = (arguments[0].to_string_lossy(), std::process::id());
    let text = arguments.get(1).ok_or("usage: fifo_client PATH TEXT")?.to_string_lossy();
    let limit = Timeout::After(Duration::from_secs(5));
    let server = Fifo::open(Name::file(&*path)?)?.writer(limit)?;
    let own = Fifo::create(Name::file(format!("{path}.{pid}"))?)?;
    let asked = server.write_atomic(format!("{pid} {text}\n").as_bytes(), limit);
    let opened = asked.and_then(|()| own.reader(limit));
    Fifo::unlink(own.name())?;
    let mut reply = String::new();
    opened?.read_to_string(&mut reply)?;
    println!("{reply}");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(ask())
}

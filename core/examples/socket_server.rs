// SPDX-License-Identifier: MIT OR Apache-2.0
//! Listens, and answers the records of one client until it ends: a stream keeps no boundaries, frames put them there.
//!
//! Run `socket_server NAME`, then `socket_client NAME TEXT...` in any language. NAME is unix:PATH, unix:@NAME or
//! tcp:HOST:PORT; port 0 and unix:@ take what is free, which is printed.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::socket::Options;
use unipc::stream::{FrameReader, FrameWriter};

fn serve() -> Result<(), Failure> {
    let usage = "socket_server NAME";
    let arguments = common::arguments(usage)?;
    let [name] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let listener = Options::new().remove_on_drop(true).listen(name.as_os_str())?;
    println!("listening at {}", listener.local_name()?.ok_or("a listener has a name")?);
    let client = listener.accept(Timeout::Forever)?;
    let (mut reader, mut writer) = (FrameReader::new(&client)?, FrameWriter::new(&client)?);
    while let Some(text) = reader.read(Timeout::Forever)? {
        println!("{}", String::from_utf8_lossy(text));
        writer.write(&[b"got ", text].concat(), Timeout::Forever)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(serve())
}

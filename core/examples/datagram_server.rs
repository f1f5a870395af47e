// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers so many datagrams, each to whoever sent it. There is no connection.
//!
//! Run `datagram_server NAME COUNT`, then `datagram_client NAME TEXT...` in any language. NAME is unix:PATH, unix:@NAME
//! or udp:HOST:PORT; port 0 and unix:@ take what is free, which is printed.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::socket::Options;

fn serve() -> Result<(), Failure> {
    let usage = "datagram_server NAME COUNT";
    let arguments = common::arguments(usage)?;
    let [name, count] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let count: u32 = count.to_string_lossy().parse()?;
    let server = Options::new().remove_on_drop(true).bind(name.as_os_str())?;
    println!("bound to {}", server.local_name()?.ok_or("what is bound has a name")?);
    let mut buffer = [0; 1024];
    for _ in 0..count {
        let (length, sender) = server.recv_from(&mut buffer, Timeout::Forever)?;
        let (text, sender) = (&buffer[..length], sender.ok_or("nobody to answer")?);
        println!("{}", String::from_utf8_lossy(text));
        server.send_to(&[b"got ", text].concat(), &sender, Timeout::Forever)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(serve())
}

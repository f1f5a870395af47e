// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hands memory over to one client: a System V segment without a key by its identifier, and a memfd by its descriptor.
//! Nobody else can find either of them. The client changes both.
//!
//! Run `handover_server NAME`, then `handover_client NAME` in any language. NAME is unix:PATH or unix:@NAME; unix:@ takes
//! a name that is free, which is printed.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, People};
use unipc::socket::{Kind, Options};
use unipc::{SharedMemory, Timeout};

fn serve() -> Result<(), Failure> {
    let usage = "handover_server NAME";
    let arguments = common::arguments(usage)?;
    let [name] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let segment = SharedMemory::options().remove_on_drop(true).create("sysv:private", 4096)?;
    let memory = SharedMemory::create("memfd:handover", 4096)?;
    segment.write(0, &People::number(0))?;
    memory.write(0, &People::number(1))?;

    let options = Options::new().kind(Kind::SeqPacket).remove_on_drop(true);
    let listener = options.listen(name.as_os_str())?;
    println!("listening at {}", listener.local_name()?.ok_or("a listener has a name")?);
    let client = listener.accept(Timeout::Forever)?;
    // "sysv:id=42" in the message, the descriptor beside it.
    let id = segment.name().to_string();
    let fd = memory.fd().ok_or("a memfd has a descriptor")?;
    client.send_message(id.as_bytes(), &[fd], None, Timeout::Forever)?;
    let length = client.recv(&mut [0; 8], Timeout::Forever)?;
    for (what, shm) in [("segment", &segment), ("memfd", &memory)] {
        let people: People = shm.read(0)?;
        println!("{what}: name {} age {}", people.name(), people.age);
    }
    if length == 4 { Ok(()) } else { Err("the client has ended".into()) }
}

fn main() -> ExitCode {
    common::finish(serve())
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes the memory that the server hands over, shows the record in each, and makes it a year older.
//!
//! Run `handover_server NAME` in any language, then `handover_client NAME`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;
use std::time::Duration;

use common::{Failure, People};
use unipc::shm::Seals;
use unipc::socket::{DescriptorKind, Expect, Kind, Options};
use unipc::{SharedMemory, Timeout};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(10));

fn take() -> Result<(), Failure> {
    let usage = "handover_client NAME";
    let arguments = common::arguments(usage)?;
    let [name] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let options = Options::new().kind(Kind::SeqPacket).own_only(true);
    let server = options.connect(name.as_os_str(), PATIENCE)?;
    // It must be memory, as large as we think, that nobody can cut short under us.
    let expect =
        Expect::exactly(1).kind(DescriptorKind::Memfd).seals(Seals::SHRINK).size_at_least(4096);
    let mut id = [0; 64];
    let message = server.recv_message(&mut id, &expect, PATIENCE)?;
    let id = std::str::from_utf8(&id[..message.length])?;
    let fd = message.descriptors.into_iter().next().ok_or("no descriptor came")?;
    for (what, shm) in [("segment", SharedMemory::open(id)?), ("memfd", SharedMemory::from_fd(fd)?)]
    {
        let mut people: People = shm.read(0)?;
        println!("{what}: name {} age {}", people.name(), people.age);
        people.age += 1;
        shm.write(0, &people)?;
    }
    server.send(b"done", PATIENCE)?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(take())
}

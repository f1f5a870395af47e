// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets: what each kind keeps and promises, how calls wait, what lies in the file system, what travels along.
#![allow(unsafe_code, reason = "other programs, settings of the process and signals are raw calls")]

#[path = "../support/child.rs"]
mod child;
mod descriptors;
mod files;
mod hostile;
#[path = "../support/incoming.rs"]
mod incoming;
mod inet;
mod kinds;
#[path = "../support/storm.rs"]
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod waits;

use std::time::Duration;

use unipc::Timeout;
use unipc::socket::{Kind, Listener, Options, Socket};

/// A limit that no test reaches unless something hangs.
const SOON: Timeout = Timeout::After(Duration::from_secs(20));
/// A time that passes in a test.
const SHORT: Timeout = Timeout::After(Duration::from_millis(30));

const KINDS: [Kind; 3] = [Kind::Stream, Kind::Datagram, Kind::SeqPacket];

/// A name in the abstract name space that nobody else has.
fn abstract_name(what: &str) -> String {
    format!("unix:@unipc-test-{what}-{:x}", support::unique())
}

/// A connection of this kind, made by a listener.
fn connection(options: &Options) -> (Listener, Socket, Socket) {
    let listener = options.listen("unix:@").unwrap();
    let name = listener.local_name().unwrap().unwrap();
    let client = options.connect(&name, SOON).unwrap();
    let server = listener.accept(SOON).unwrap();
    (listener, client, server)
}

fn received(socket: &Socket) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer, SOON).unwrap();
    buffer[..length].to_vec()
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads frames until the empty one, beginning with the oldest: number, size, sum of all pixels, and how many were
//! lost. Then it writes the last one as a picture (PGM), where one is wanted, and removes the name, if no other
//! subscriber has.
//!
//! Run `topic_subscriber NAME [PICTURE]` in any language, as many as you like, and `topic_publisher NAME COUNT`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::{Options, Start, Subscriber, Topic};

fn number(frame: &[u8], at: usize) -> u32 {
    frame.get(4 * at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

fn subscribe() -> Result<(), Failure> {
    let usage = "topic_subscriber NAME [PICTURE]";
    let arguments = common::arguments(usage)?;
    let ([name], picture) = arguments.split_at(1) else {
        return Err(format!("usage: {usage}").into());
    };
    let options = Options::new().reliable(true).start(Start::Oldest);
    let _topic: Topic = options.open_or_create(name.as_os_str(), 1 << 20)?;
    let mut subscriber: Subscriber = options.open(name.as_os_str())?;
    println!("subscribed");
    let mut last = Vec::new();
    loop {
        let (frame, received) = subscriber.recv(Timeout::Forever)?;
        if frame.is_empty() {
            break;
        }
        let sum: u32 = frame[12..].iter().copied().map(u32::from).sum();
        let [number, width, height] = [0, 1, 2].map(|at| number(&frame, at));
        println!("frame {number}: {width}x{height}, sum {sum}, lost {}", received.lost);
        last = frame;
    }
    if let [path, ..] = picture {
        let [width, height] = [1, 2].map(|at| number(&last, at));
        let head = format!("P5 {width} {height} 255\n").into_bytes();
        std::fs::write(path, [head, last.split_off(12)].concat())?;
    }
    match Topic::unlink(name.as_os_str()) {
        Err(error) if error.errno() != libc::ENOENT => Err(error.into()),
        _ => Ok(()),
    }
}

fn main() -> ExitCode {
    common::finish(subscribe())
}

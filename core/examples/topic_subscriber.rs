// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads frames until the one without a size, beginning with the oldest: number, size, sum of all pixels, and how
//! many were lost. Then it writes the last one as a picture (PGM), where one is wanted, and removes the name, if no
//! other subscriber has.
//!
//! Run `topic_subscriber NAME [PICTURE]` in any language, as many as you like, and `topic_publisher NAME COUNT`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::{Options, Start, Subscriber, Topic};
use unipc::record::Record;

#[derive(Record, Clone, Copy)]
#[repr(C)]
struct Frame {
    number: u32,
    width: u32,
    height: u32,
    pixels: [[u8; 64]; 48],
}

fn subscribe() -> Result<(), Failure> {
    let usage = "topic_subscriber NAME [PICTURE]";
    let arguments = common::arguments(usage)?;
    let ([name], picture) = arguments.split_at(1) else {
        return Err(format!("usage: {usage}").into());
    };
    let options = Options::new().reliable(true).start(Start::Oldest).layout(&Frame::layout()?);
    let _topic: Topic = options.open_or_create(name.as_os_str(), 1 << 20)?;
    let mut subscriber: Subscriber = options.open(name.as_os_str())?;
    println!("subscribed");
    let mut last = None;
    loop {
        let (frame, received) = subscriber.recv_record::<Frame>(Timeout::Forever)?;
        let Frame { number, width, height, pixels } = frame;
        if width == 0 {
            break;
        }
        let sum: u32 = pixels.as_flattened().iter().copied().map(u32::from).sum();
        println!("frame {number}: {width}x{height}, sum {sum}, lost {}", received.lost);
        last = Some(frame);
    }
    if let ([path, ..], Some(Frame { width, height, pixels, .. })) = (picture, last) {
        let head = format!("P5 {width} {height} 255\n").into_bytes();
        std::fs::write(path, [&head, pixels.as_flattened()].concat())?;
    }
    match Topic::unlink(name.as_os_str()) {
        Err(error) if error.errno() != libc::ENOENT => Err(error.into()),
        _ => Ok(()),
    }
}

fn main() -> ExitCode {
    common::finish(subscribe())
}

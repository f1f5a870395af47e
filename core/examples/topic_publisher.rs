// SPDX-License-Identifier: MIT OR Apache-2.0
//! A camera: publishes so many frames of 64 x 48 pixels, and one without a size at the end.
//!
//! Run `topic_subscriber NAME` in any language, as many as you like, and `topic_publisher NAME COUNT`. Frames that
//! nobody has seen yet stay, so that one subscriber may be late. What a frame consists of is stored in the topic.

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::{Options, Topic};
use unipc::record::Record;

#[derive(Record, Clone, Copy)]
#[repr(C)]
struct Frame {
    number: u32,
    width: u32,
    height: u32,
    pixels: [[u8; 64]; 48],
}

fn frame(number: u32) -> Frame {
    let mut pixels = [[0; 64]; 48];
    for (y, row) in (0..).zip(&mut pixels) {
        for (x, pixel) in (0..).zip(row) {
            *pixel = (x + y + number).to_le_bytes()[0];
        }
    }
    Frame { number, width: 64, height: 48, pixels }
}

fn publish() -> Result<(), Failure> {
    let usage = "topic_publisher NAME COUNT";
    let arguments = common::arguments(usage)?;
    let [name, count] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let count: u32 = count.to_string_lossy().parse()?;
    let options = Options::new().reliable(true).layout(&Frame::layout()?);
    let mut topic: Topic = options.open_or_create(name.as_os_str(), 1 << 20)?;
    for number in 0..count {
        topic.publish_record(&frame(number), Timeout::Forever)?;
    }
    let last = Frame { number: 0, width: 0, height: 0, pixels: [[0; 64]; 48] };
    Ok(topic.publish_record(&last, Timeout::Forever)?)
}

fn main() -> ExitCode {
    common::finish(publish())
}

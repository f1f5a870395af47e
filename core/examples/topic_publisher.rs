// SPDX-License-Identifier: MIT OR Apache-2.0
//! A camera: publishes so many frames of 64 x 48 bytes, and an empty one at the end.
//!
//! Run `topic_subscriber NAME` in any language, as many as you like, and `topic_publisher NAME COUNT`. Frames that
//! nobody has seen yet stay, so that one subscriber may be late.

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::channel::{Options, Topic};

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;

fn frame(number: u32) -> Vec<u8> {
    let mut frame: Vec<u8> =
        [number, WIDTH, HEIGHT].iter().flat_map(|it| it.to_ne_bytes()).collect();
    for y in 0..HEIGHT {
        frame.extend((0..WIDTH).map(|x| (x + y + number).to_le_bytes()[0]));
    }
    frame
}

fn publish() -> Result<(), Failure> {
    let usage = "topic_publisher NAME COUNT";
    let arguments = common::arguments(usage)?;
    let [name, count] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let count: u32 = count.to_string_lossy().parse()?;
    let options = Options::new().reliable(true);
    let mut topic: Topic = options.open_or_create(name.as_os_str(), 1 << 20)?;
    for number in 0..count {
        topic.publish(&frame(number), Timeout::Forever)?;
    }
    Ok(topic.publish(b"", Timeout::Forever)?)
}

fn main() -> ExitCode {
    common::finish(publish())
}

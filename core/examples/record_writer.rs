// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes samples into an array that tells what they consist of, and the latest one into a cell.
//!
//! `record_writer NAME COUNT`, `NAME` being such as /frames; then any `record_reader`, in any language. The cell is called
//! NAME.latest. Remove both with rm /dev/shm/NAME, or `unipc_shm_unlink()`.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
use unipc::Timeout;
use unipc::record::{Array, Cell, Chars, Record};

#[derive(Record, Clone, Copy)]
#[repr(C)]
struct Sample {
    t_ns: u64,
    kind: u16,
    channels: [f32; 4],
    source: Chars<6>,
}

fn work() -> Result<(), Failure> {
    let arguments = common::arguments("record_writer NAME COUNT")?;
    let name = arguments[0].to_str().ok_or("a name in UTF-8")?;
    let count: u16 =
        arguments.get(1).and_then(|word| word.to_str()?.parse().ok()).ok_or("a COUNT")?;
    let frames = Array::open_or_create(name, &Sample::layout()?, count.into())?;
    let latest = Cell::open_or_create(format!("{name}.latest"), &Sample::layout()?)?;
    for index in 0..count {
        let first = f32::from(index);
        let sample = Sample {
            t_ns: 1000 * u64::from(index),
            kind: index % 3,
            channels: [first, first + 0.25, first + 0.5, first + 0.75],
            source: Chars::from("adc"),
        };
        frames.set(index.into(), &sample)?;
        latest.set(&sample, Timeout::Forever)?;
    }
    println!("{count} written");
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

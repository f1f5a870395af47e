// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the samples of a `record_writer`, in whatever language that was written.
//!
//! `record_reader NAME`
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::Failure;
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
    let arguments = common::arguments("record_reader NAME")?;
    let name = arguments[0].to_str().ok_or("a name in UTF-8")?;
    let frames = Array::open(name, Some(&Sample::layout()?))?;
    let latest = Cell::open(format!("{name}.latest"), Some(&Sample::layout()?))?;
    let samples: unipc::Result<Vec<Sample>> = (0..frames.len()).map(|at| frames.get(at)).collect();
    let samples = samples?;
    let sum: f64 = samples.iter().map(|sample| f64::from(sample.channels[3])).sum();
    let (count, size) = (frames.len(), frames.layout().size());
    println!("{count} samples of {size} bytes from {}, channel 3: {sum:.2}", samples[0].source);
    let last: Sample = latest.get()?;
    println!("the latest: {} ns, kind {}", last.t_ns, last.kind);
    Ok(())
}

fn main() -> ExitCode {
    common::finish(work())
}

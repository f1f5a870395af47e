// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Queue`, `unipc.Topic`, `unipc.Subscriber`, `unipc.Service`, `unipc.Client`.

mod batches;
mod client;
mod end;
mod half;
mod lent;
mod many;
mod queue;
mod records;
mod service;
mod subscriber;
mod topic;

use std::mem::MaybeUninit;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Mode;
use unipc::channel::{Options, Start};

use crate::buffer::new_bytes;
use crate::error::raise;
use crate::record::LayoutArgument;

pub(crate) use batches::Batches;
pub(crate) use client::{Call, Client};
pub(crate) use end::ChannelEnd;
pub(crate) use lent::Loan;
pub(crate) use queue::Queue;
pub(crate) use service::{Question, Service};
pub(crate) use subscriber::Subscriber;
pub(crate) use topic::Topic;

/// The options of creating; the others are set where they belong.
fn creating(
    mode: u32,
    message_size: u32,
    participants: u32,
    layout: Option<LayoutArgument>,
) -> PyResult<Options> {
    let mode = Mode::new(mode).map_err(raise)?;
    let options = opening(layout, false).mode(mode);
    Ok(options.message_size(message_size).participants(participants))
}

/// The options of opening.
fn opening(layout: Option<LayoutArgument>, spin: bool) -> Options {
    let options = Options::new().spin(spin);
    match layout {
        Some(layout) => options.layout(&layout.0),
        None => options,
    }
}

fn start(oldest: bool) -> Start {
    if oldest { Start::Oldest } else { Start::Newest }
}

/// A `bytes` object of a message, copied once. With or without the interpreter.
fn bytes(length: usize, copy: &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> PyResult<Py<PyBytes>> {
    Python::attach(|py| {
        new_bytes(py, length, |room| {
            copy(room);
            Ok(())
        })
        .map(Bound::unbind)
    })
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Queue`, `unipc.Topic`, `unipc.Subscriber`, `unipc.Service`, `unipc.Client`.

mod half;
mod lent;
mod many;
mod queue;
mod service;
mod topic;

use std::mem::MaybeUninit;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Mode;
use unipc::channel::{Options, Start};

use crate::buffer::new_bytes;
use crate::error::raise;

pub(crate) use lent::Loan;
pub(crate) use queue::Queue;
pub(crate) use service::{Call, Client, Question, Service};
pub(crate) use topic::{Subscriber, Topic};

/// The options of creating; the others are set where they belong.
fn creating(mode: u32, message_size: u32, participants: u32) -> PyResult<Options> {
    let mode = Mode::new(mode).map_err(raise)?;
    Ok(Options::new().mode(mode).message_size(message_size).participants(participants))
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

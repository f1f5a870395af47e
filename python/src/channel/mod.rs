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
use std::os::fd::RawFd;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::Mode;
use unipc::channel::{Channel, Options, Start};

use crate::buffer::{duplicate, new_bytes};
use crate::error::raise;
use crate::record::LayoutArgument;
use crate::sync::{How, PlaceArgument, Site};

pub(crate) use batches::Batches;
pub(crate) use client::{Call, Client};
pub(crate) use end::ChannelEnd;
pub(crate) use lent::Loan;
pub(crate) use queue::Queue;
pub(crate) use service::{Question, Service};
pub(crate) use subscriber::Subscriber;
pub(crate) use topic::Topic;

/// The options of creating that all channels have.
fn creating(mode: u32, participants: u32, huge_pages: Option<usize>) -> PyResult<Options> {
    let mode = Mode::new(mode).map_err(raise)?;
    let options = Options::new().mode(mode).participants(participants);
    Ok(match huge_pages {
        Some(size) => options.huge_pages(size),
        None => options,
    })
}

/// With what the messages of a queue or topic are.
fn of_messages(options: Options, layout: Option<&LayoutArgument>, message_size: u32) -> Options {
    let options = options.message_size(message_size);
    match layout {
        Some(layout) => options.layout(&layout.0),
        None => options,
    }
}

/// The options of opening.
fn opening(layout: Option<&LayoutArgument>, spin: bool) -> Options {
    of_messages(Options::new(), layout, 0).spin(spin)
}

/// A channel, and where it was found; of a descriptor nothing is known.
type Found<C> = (C, Option<Site>);

/// Gets a channel: under a name, or in memory that holds other things as well.
fn reach<C: Channel>(
    how: How,
    place: &Bound<'_, PyAny>,
    offset: usize,
    capacity: usize,
    options: &Options,
) -> PyResult<Found<C>> {
    let place = PlaceArgument::new(place, offset)?;
    let channel = place.reach(|place| match how {
        How::Open => options.open(place),
        How::Create => options.create(place, capacity),
        How::OpenOrCreate => options.open_or_create(place, capacity),
    })?;
    Ok((channel, Some(place.site())))
}

/// Gets the channel that a descriptor refers to.
fn receive<C: Channel + Send>(py: Python<'_>, options: &Options, fd: RawFd) -> PyResult<Found<C>> {
    let fd = duplicate(fd)?;
    Ok((py.detach(|| options.from_fd(fd)).map_err(raise)?, None))
}

/// How many bytes a place for such a channel takes.
fn size<C: Channel>(options: &Options, capacity: usize) -> PyResult<usize> {
    options.size_for::<C>(capacity).map_err(raise)
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

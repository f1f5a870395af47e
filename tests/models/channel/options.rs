// SPDX-License-Identifier: MIT OR Apache-2.0
//! How handles are made: there are no names here, only memory.

use std::sync::Arc;

use super::memory::Memory;
use super::seat::Label;
use crate::error::{ErrorKind, Result};
use crate::name::Name;

pub(super) trait Channel: Sealed {}

pub(super) trait Sealed: Sized + Send + 'static {
    const KIND: [u8; 8];
    const RECORDS: bool = true;

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind>;

    fn reply_size(_: usize, _: usize) -> Result<usize, ErrorKind> {
        Ok(0)
    }
}

/// A handle of a channel that is there.
pub(super) fn open<C: Channel>(memory: &Arc<Memory>) -> Result<C, ErrorKind> {
    C::attach(Arc::clone(memory), Name.into(), &Options::new())
}

#[derive(Debug)]
pub(super) struct Options {
    pub(super) spin: bool,
}

#[allow(clippy::unused_self, clippy::wrong_self_convention, reason = "as in the original")]
impl Options {
    pub(super) fn new() -> Self {
        Self { spin: false }
    }

    pub(super) fn create<C, P>(&self, _: P, _: usize) -> Result<C> {
        nowhere()
    }

    pub(super) fn open<C, P>(&self, _: P) -> Result<C> {
        nowhere()
    }

    pub(super) fn open_or_create<C, P>(&self, _: P, _: usize) -> Result<C> {
        nowhere()
    }

    pub(super) fn from_fd<C, F>(&self, _: F) -> Result<C> {
        nowhere()
    }
}

fn nowhere<C>() -> Result<C> {
    Err(ErrorKind::unsupported("there are no names here").during("open", ""))
}

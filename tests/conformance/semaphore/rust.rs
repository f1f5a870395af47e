// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust face.

use std::sync::Arc;

use unipc::{Mode, SemaphoreSet, SharedMemory, Timeout, sem};

use super::face::{Limit, Options, Semaphore};
use crate::memory::{Errno, Result};

#[derive(Debug)]
pub(crate) struct Rust(unipc::Semaphore);

#[allow(clippy::needless_pass_by_value, reason = "what map_err passes")]
fn errno(error: unipc::Error) -> Errno {
    error.errno()
}

fn options(options: Options) -> sem::Options {
    let mut given = unipc::Semaphore::options()
        .replace(options.replace)
        .remove_on_drop(options.remove_on_close)
        .binary(options.binary);
    if let Some(bits) = options.mode {
        given = given.mode(Mode::new(bits).unwrap());
    }
    if options.undo { given.undo(true) } else { given }
}

impl Semaphore for Rust {
    fn create(name: &str, value: u32, given: Options) -> Result<Self> {
        options(given).create(name, value).map(Self).map_err(errno)
    }

    fn open(name: &str, given: Options) -> Result<Self> {
        options(given).open(name).map(Self).map_err(errno)
    }

    fn open_or_create(name: &str, value: u32, given: Options) -> Result<Self> {
        options(given).open_or_create(name, value).map(Self).map_err(errno)
    }

    fn create_in_memory(value: u32, given: Options) -> Result<Self> {
        let memory = Arc::new(SharedMemory::create("anon:", 4096).map_err(errno)?);
        let region = memory.region(64, unipc::Semaphore::SIZE).map_err(errno)?;
        options(given).create_in(region, value).map(Self).map_err(errno)
    }

    fn unlink(name: &str) -> Result<()> {
        unipc::Semaphore::unlink(name).map_err(errno)
    }

    fn remove(&self) -> Result<()> {
        self.0.remove().map_err(errno)
    }

    fn name(&self) -> String {
        self.0.name().to_string()
    }

    fn id(&self) -> Result<i32> {
        self.0.set().map(SemaphoreSet::id).ok_or(libc::EOPNOTSUPP)
    }

    fn value(&self) -> Result<u32> {
        self.0.value().map_err(errno)
    }

    fn set_value(&self, value: u16) -> Result<()> {
        self.0.set_value(value).map_err(errno)
    }

    fn acquire(&self, limit: Limit) -> Result<()> {
        self.0.acquire(limit.map_or(Timeout::Forever, Timeout::After)).map_err(errno)
    }

    fn release(&self) -> Result<()> {
        self.0.release().map_err(errno)
    }
}

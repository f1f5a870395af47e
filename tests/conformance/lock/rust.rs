// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust face.

use unipc::lock::{FileLock, Kind, Range, Sharing};
use unipc::{Mode, Timeout};

use super::face::{Bytes, Holder, Limit, Lock};
use crate::memory::{Errno, Result};

#[derive(Debug)]
pub(crate) struct Rust(FileLock);

#[allow(clippy::needless_pass_by_value, reason = "what map_err passes")]
fn errno(error: unipc::Error) -> Errno {
    error.errno()
}

fn range((start, length): Bytes) -> Range {
    if length == 0 { (start..).into() } else { (start..start + length).into() }
}

impl Lock for Rust {
    fn create(name: &str, kind: Kind, mode: Option<u32>) -> Result<Self> {
        let mut options = FileLock::options().kind(kind);
        if let Some(bits) = mode {
            options = options.mode(Mode::new(bits).unwrap());
        }
        options.create(name).map(Self).map_err(errno)
    }

    fn open(name: &str, kind: Kind, read_only: bool) -> Result<Self> {
        let options = FileLock::options().kind(kind).read_only(read_only);
        options.open(name).map(Self).map_err(errno)
    }

    fn open_or_create(name: &str, kind: Kind) -> Result<Self> {
        FileLock::options().kind(kind).open_or_create(name).map(Self).map_err(errno)
    }

    fn name(&self) -> String {
        self.0.name().to_string()
    }

    fn acquire(&self, sharing: Sharing, bytes: Bytes, limit: Limit) -> Result<()> {
        let timeout = limit.map_or(Timeout::Forever, Timeout::After);
        self.0.acquire(range(bytes), sharing, timeout).map_err(errno)
    }

    fn release(&self, bytes: Bytes) -> Result<()> {
        self.0.release(range(bytes)).map_err(errno)
    }

    fn holder(&self, sharing: Sharing, bytes: Bytes) -> Result<Option<Holder>> {
        let found = self.0.holder(range(bytes), sharing).map_err(errno)?;
        Ok(found.map(|holder| Holder {
            pid: holder.pid.unwrap_or(0),
            kind: holder.kind,
            sharing: holder.sharing,
            bytes: (holder.range.start(), holder.range.length().unwrap_or(0)),
        }))
    }
}

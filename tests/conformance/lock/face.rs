// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every face offers: the same verbs, with the errno as the error.

use std::time::Duration;

use unipc::lock::{Kind, Sharing};

use crate::memory::Result;

/// How long to wait; `None` is for ever.
pub(crate) type Limit = Option<Duration>;

/// Not at all.
pub(crate) const TRY: Limit = Some(Duration::ZERO);
/// A time that passes in a test.
pub(crate) const SHORT: Limit = Some(Duration::from_millis(10));
/// Longer than anything takes that does not hang.
pub(crate) const LONG: Limit = Some(Duration::from_secs(30));

/// The first byte and how many; 0 is to the end.
pub(crate) type Bytes = (u64, u64);

/// The whole file.
pub(crate) const ALL: Bytes = (0, 0);

/// Who is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: i32,
    pub(crate) kind: Kind,
    pub(crate) sharing: Sharing,
    pub(crate) bytes: Bytes,
}

/// A lock as one face shows it. Dropping closes.
pub(crate) trait Lock: Sized {
    fn create(name: &str, kind: Kind, mode: Option<u32>) -> Result<Self>;
    fn open(name: &str, kind: Kind, read_only: bool) -> Result<Self>;
    fn open_or_create(name: &str, kind: Kind) -> Result<Self>;
    fn name(&self) -> String;
    fn acquire(&self, sharing: Sharing, bytes: Bytes, limit: Limit) -> Result<()>;
    fn release(&self, bytes: Bytes) -> Result<()>;
    fn holder(&self, sharing: Sharing, bytes: Bytes) -> Result<Option<Holder>>;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every face offers: the same verbs, with the errno as the error.

use std::time::Duration;

use crate::memory::Result;

/// The options that the suite uses; all faces have them.
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) mode: Option<u32>,
    pub(crate) replace: bool,
    pub(crate) remove_on_close: bool,
    pub(crate) binary: bool,
    pub(crate) undo: bool,
}

/// How long to wait; `None` is for ever.
pub(crate) type Limit = Option<Duration>;

/// Not at all.
pub(crate) const TRY: Limit = Some(Duration::ZERO);
/// Longer than anything takes that does not hang.
pub(crate) const LONG: Limit = Some(Duration::from_secs(30));

/// A semaphore as one face shows it. Dropping closes.
pub(crate) trait Semaphore: Sized + Sync + Send {
    fn create(name: &str, value: u32, options: Options) -> Result<Self>;
    fn open(name: &str, options: Options) -> Result<Self>;
    fn open_or_create(name: &str, value: u32, options: Options) -> Result<Self>;
    /// In anonymous memory of its own.
    fn create_in_memory(value: u32, options: Options) -> Result<Self>;
    fn unlink(name: &str) -> Result<()>;
    fn remove(&self) -> Result<()>;

    fn name(&self) -> String;
    fn id(&self) -> Result<i32>;
    fn value(&self) -> Result<u32>;
    fn set_value(&self, value: u16) -> Result<()>;
    fn acquire(&self, limit: Limit) -> Result<()>;
    fn release(&self) -> Result<()>;
}

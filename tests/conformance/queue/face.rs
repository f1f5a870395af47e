// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every face offers: the same verbs, with the errno as the error.

use std::time::Duration;

use crate::memory::Result;

/// The options that the suite uses; all faces have them.
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) max_messages: usize,
    pub(crate) max_size: usize,
    pub(crate) mode: Option<u32>,
    pub(crate) send_only: bool,
    pub(crate) receive_only: bool,
    pub(crate) replace: bool,
    pub(crate) remove_on_close: bool,
}

/// Which message is wanted, and what is to become of one that is too long.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) want: i64,
    pub(crate) except: bool,
    pub(crate) truncate: bool,
}

/// How long to wait; `None` is for ever.
pub(crate) type Limit = Option<Duration>;

/// Not at all.
pub(crate) const TRY: Limit = Some(Duration::ZERO);
/// Longer than anything takes that does not hang.
pub(crate) const LONG: Limit = Some(Duration::from_secs(30));

/// A message queue as one face shows it. Dropping closes.
pub(crate) trait Queue: Sized + Sync + Send {
    fn create(name: &str, options: Options) -> Result<Self>;
    fn open(name: &str, options: Options) -> Result<Self>;
    fn open_or_create(name: &str, options: Options) -> Result<Self>;
    fn unlink(name: &str) -> Result<()>;
    fn remove(&self) -> Result<()>;

    fn name(&self) -> String;
    fn fd(&self) -> Result<i32>;
    fn id(&self) -> Result<i32>;
    fn max_size(&self) -> usize;
    fn messages(&self) -> Result<u64>;
    fn notify_signal(&self, signal: i32) -> Result<()>;

    fn send(&self, tag: i64, data: &[u8], limit: Limit) -> Result<()>;
    /// The tag, and how long the message is.
    fn receive(&self, how: How, buffer: &mut [u8], limit: Limit) -> Result<(i64, usize)>;
    /// The tag and the bytes of the message at this place, if there is one.
    fn peek(&self, index: usize) -> Result<Option<(i64, Vec<u8>)>>;
}

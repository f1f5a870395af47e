// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every face offers: the same verbs, with the errno as the error.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use unipc::socket::{DescriptorKind, Kind};

use crate::memory::Result;

/// How long to wait; `None` is for ever.
pub(crate) type Limit = Option<Duration>;

/// Not at all.
pub(crate) const TRY: Limit = Some(Duration::ZERO);
/// A time that passes in a test.
pub(crate) const SHORT: Limit = Some(Duration::from_millis(10));
/// Longer than anything takes that does not hang.
pub(crate) const LONG: Limit = Some(Duration::from_secs(30));

/// What came with a message.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) bytes: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
    pub(crate) ended: bool,
}

/// A socket as one face shows it. Dropping closes.
pub(crate) trait Socket: Sized {
    type Listener;

    fn pair(kind: Kind) -> Result<(Self, Self)>;
    fn connect(name: &str, kind: Kind, limit: Limit) -> Result<Self>;
    fn listen(name: &str, kind: Kind, mode: Option<u32>) -> Result<Self::Listener>;
    fn accept(listener: &Self::Listener, limit: Limit) -> Result<Self>;
    fn unlink(name: &str) -> Result<()>;

    fn send(&self, bytes: &[u8], limit: Limit) -> Result<usize>;
    /// The bytes, at most so many.
    fn recv(&self, room: usize, limit: Limit) -> Result<Vec<u8>>;
    fn send_message(&self, bytes: &[u8], fds: &[BorrowedFd<'_>], limit: Limit) -> Result<usize>;
    /// At least and at most so many descriptors of this kind.
    fn recv_message(
        &self,
        room: usize,
        count: (usize, usize),
        kind: DescriptorKind,
        limit: Limit,
    ) -> Result<Came>;
    /// Sends no more.
    fn finish(&self) -> Result<()>;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time limit of one call that may need several attempts.

use std::os::fd::BorrowedFd;

use nix::poll::PollFlags;

use crate::error::ErrorKind;
use crate::fd;
use crate::time::{Deadline, Timeout};

/// A timeout whose clock starts when it is first needed, so that a call that need not wait does not ask for the time.
#[derive(Debug)]
pub(crate) struct Limit {
    timeout: Timeout,
    deadline: Option<Deadline>,
}

impl Limit {
    #[inline]
    pub(crate) fn new(timeout: Timeout) -> Self {
        Self { timeout, deadline: None }
    }

    #[inline]
    pub(crate) fn is_forever(&self) -> bool {
        self.timeout == Timeout::Forever
    }

    #[inline]
    pub(super) fn timeout(&self) -> Timeout {
        self.timeout
    }

    pub(crate) fn deadline(&mut self) -> Deadline {
        *self.deadline.get_or_insert_with(|| self.timeout.deadline())
    }

    /// The error when the time is over.
    pub(crate) fn expired(&self) -> ErrorKind {
        self.timeout.expired()
    }

    /// Waits until the descriptor is ready; a limit of no time asks once.
    pub(crate) fn wait(&mut self, fd: BorrowedFd<'_>, events: PollFlags) -> Result<(), ErrorKind> {
        let deadline = self.deadline();
        if fd::wait(fd, events, deadline)?.is_empty() { Err(self.expired()) } else { Ok(()) }
    }
}

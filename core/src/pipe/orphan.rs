// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that nobody has a handle of any more: they are waited for all the same, so that no zombie remains.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::sys::signal::{SIGKILL, SigSet, SigmaskHow, kill, pthread_sigmask};
use nix::unistd::Pid;

use super::source::lock;
use crate::sys::spawn::{Which, reap};

/// Those for which there was no thread, to be taken away when somebody comes by.
static LEFT: Mutex<Vec<Arc<Orphan>>> = Mutex::new(Vec::new());

/// A program that was started here and not waited for.
#[derive(Debug)]
pub(super) enum Orphan {
    Opened(OwnedFd),
    /// It could not be opened. Its number stays its own until it is waited for.
    Numbered(libc::pid_t),
}

/// Ends a program that could not be opened, and takes it away. One that may not be ended, because it has changed its
/// user, goes on, and is taken away later.
pub(super) fn end(pid: libc::pid_t) {
    let orphan = Orphan::Numbered(pid);
    match kill(Pid::from_raw(pid), SIGKILL) {
        Ok(()) => orphan.take_away(),
        Err(_) => orphan.take_away_later(),
    }
}

impl Orphan {
    /// Waits for it, in a thread that no signal of the program comes to.
    pub(super) fn take_away_later(self) {
        let ours = Arc::new(self);
        let theirs = Arc::clone(&ours);
        let mut before = SigSet::empty();
        let blocked =
            pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before));
        let thread = std::thread::Builder::new().name("unipc-wait".into()).stack_size(64 << 10);
        if thread.spawn(move || theirs.take_away()).is_err() {
            lock(&LEFT).push(ours);
        }
        if blocked.is_ok() {
            let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
        }
    }

    fn take_away(&self) {
        while reap(self.which(), true) == Err(Errno::EINTR) {}
    }

    fn which(&self) -> Which<'_> {
        match self {
            Self::Opened(pidfd) => Which::Opened(pidfd.as_fd()),
            Self::Numbered(pid) => Which::Numbered(*pid),
        }
    }
}

/// Takes away those that have ended meanwhile and have no thread that waits for them.
pub(super) fn take_away_left() {
    // Another thread that has the lock does the same; and in a child of fork it may be locked for good.
    if let Ok(mut left) = LEFT.try_lock() {
        left.retain(|orphan| matches!(reap(orphan.which(), false), Ok(None) | Err(Errno::EINTR)));
    }
}

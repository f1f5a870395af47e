// SPDX-License-Identifier: MIT OR Apache-2.0
//! The barrier.

#[path = "../../../core/src/sync/barrier/round.rs"]
mod round;

use std::sync::atomic::Ordering;

use super::object::{HEAD, MAIN, Object};
use crate::error::ErrorKind;
use crate::scheduler;
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct Barrier(Object);

impl Barrier {
    pub(crate) fn new(parties: usize) -> Self {
        Self(Object::new(parties))
    }

    /// Whether it was the last; `None` when the barrier is broken.
    pub(crate) fn wait(&self) -> Option<bool> {
        let waited = round::Round::arrive(&self.0).and_then(|round| round.wait(Timeout::Forever));
        match waited {
            Ok(last) => Some(last),
            Err(ErrorKind::Broken(_)) => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// False when the barrier is broken.
    pub(crate) fn join(&self) -> bool {
        match round::take_place(&self.0) {
            Ok(_) => true,
            Err(ErrorKind::Broken(_)) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Whether it has passed at once; otherwise its arrival is taken back.
    pub(crate) fn try_wait(&self) -> Option<bool> {
        let waited = round::Round::arrive(&self.0).and_then(|round| round.wait(Timeout::TRY));
        match waited {
            Ok(_) => Some(true),
            Err(ErrorKind::WouldBlock) => Some(false),
            Err(ErrorKind::Broken(_)) => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    pub(crate) fn end_of_thread(&self) {
        self.0.lines.end_of_thread();
        let mut cells = self.0.lines.cells()[HEAD..].iter();
        if cells.any(|cell| round::is_dead(cell.word.plain().load(Ordering::SeqCst))) {
            return;
        }
        // It had not arrived, so the barrier does not know of it: somebody who does breaks the barrier.
        let state = &self.0.lines.cell(MAIN).state;
        state.plain().fetch_or(round::BROKEN, Ordering::SeqCst);
        scheduler::wake(state.as_ptr().addr(), usize::MAX);
    }
}

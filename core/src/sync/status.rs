// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is to be seen of an object from outside: who holds it, who waits.

use std::sync::atomic::Ordering;

use super::object::WAITING;
use crate::map::cell::{Cell, HOLDER};
use crate::map::lines::Lines;
use crate::sys::identity::{self, Identity};

/// A thread that holds something.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its process, in the PID namespace of that process; 0 when it is not known (it has only just come).
    pub pid: u32,
    /// The thread's number, likewise.
    pub tid: u32,
    /// When the thread began, in clock ticks since boot, as in `/proc/PID/stat`; 0 when it is not known.
    pub start_time: u64,
}

impl Holder {
    pub(super) fn of_thread(tid: u32) -> Option<Self> {
        (tid != 0 && tid < HOLDER).then_some(Self { pid: 0, tid, start_time: 0 })
    }
}

impl From<Identity> for Holder {
    fn from(identity: Identity) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "the upper half")]
        let pid = (identity.who >> 32) as u32;
        let known = identity.who & u64::from(u32::MAX) != 0;
        let start_time = if known { identity::start_ticks(identity.since) } else { 0 };
        Self { pid, tid: identity.tid, start_time }
    }
}

pub(super) fn holder(cell: &Cell) -> Option<Holder> {
    cell.holder().map(Holder::from)
}

pub(super) fn waiters(lines: &Lines) -> Vec<u32> {
    // SYNC: numbers for people; they order nothing.
    let numbers = lines.words(WAITING)[1..].iter().map(|slot| slot.load(Ordering::Relaxed));
    numbers.filter(|&tid| tid != 0).collect()
}

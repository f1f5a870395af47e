// SPDX-License-Identifier: MIT OR Apache-2.0
//! An event's word, and the gate before it.

use std::sync::atomic::Ordering;

use crate::error::ErrorKind;
use crate::map::lines::Lines;
use crate::sync::gate::Gate;
use crate::sync::hold::Sleep;
use crate::sync::object::MAIN;
use crate::time::Timeout;

/// The flag of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag<'a> {
    pub(super) lines: &'a Lines,
    /// Who passes takes it back.
    pub(super) auto_reset: bool,
}

impl Flag<'_> {
    pub(super) fn set(self) {
        // SYNC: sequentially consistent, before the look at the gate; a release for what was written before.
        self.lines.cell(MAIN).state.store(1, Ordering::SeqCst);
        Gate::of(self.lines).open(!self.auto_reset);
    }

    /// Passes if the flag is set.
    pub(super) fn pass(self) -> bool {
        let state = &self.lines.cell(MAIN).state;
        // SYNC: sequentially consistent, after `Gate::prepare`; an acquire for what was written before the set.
        if self.auto_reset {
            state.compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        } else {
            state.load(Ordering::SeqCst) != 0
        }
    }

    /// Waits until it has passed.
    pub(super) fn wait(self, timeout: Timeout) -> Result<(), ErrorKind> {
        let gate = Gate::of(self.lines);
        let mut sleep = Sleep::new(timeout);
        let mut waiting = None;
        loop {
            sleep.check_try()?;
            let prepared = gate.prepare();
            if self.pass() {
                return self.lines.check();
            }
            gate.sleep(prepared, Vec::new(), &mut waiting, &mut sleep)?;
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The event.

#[path = "../../../core/src/sync/event/flag.rs"]
mod flag;

use super::object::Object;
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct Event {
    object: Object,
    auto_reset: bool,
}

impl Event {
    pub(crate) fn new(auto_reset: bool) -> Self {
        Self { object: Object::new(0), auto_reset }
    }

    pub(crate) fn set(&self) {
        self.flag().set();
    }

    pub(crate) fn wait(&self) {
        if !self.flag().pass() {
            self.flag().wait(Timeout::Forever).expect("it is set");
        }
    }

    pub(crate) fn pass(&self) -> bool {
        self.flag().pass()
    }

    fn flag(&self) -> flag::Flag<'_> {
        flag::Flag { lines: &self.object.lines, auto_reset: self.auto_reset }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Once.

#[path = "../../../core/src/sync/once/work.rs"]
mod work;

use super::Acquired;
use super::hold::Spin;
use super::object::Object;
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct Once {
    object: Object,
    spin: Spin,
}

impl Once {
    pub(crate) fn new() -> Self {
        Self { object: Object::new(0), spin: Spin::default() }
    }

    /// `None`: it is done.
    pub(crate) fn begin(&self) -> Option<Acquired> {
        if work::is_done(&self.object.lines) {
            return None;
        }
        let begun = work::begin(&self.object.lines, Timeout::Forever, &self.spin);
        begun.expect("its turn comes").map(Acquired::from)
    }

    pub(crate) fn end(&self, done: bool) {
        work::end(&self.object.lines, done).expect("it is at it");
    }

    pub(crate) fn end_of_thread(&self) {
        self.object.lines.end_of_thread();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! An object that is there already.

use crate::map::lines::Lines;

pub(crate) const MAIN: usize = 2;
pub(crate) const WAITING: usize = 3;
pub(crate) const HEAD: usize = 4;

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) lines: Lines,
}

impl Object {
    /// With so many lines behind the head.
    pub(crate) fn new(more: usize) -> Self {
        Self { lines: Lines::new(HEAD + more) }
    }
}

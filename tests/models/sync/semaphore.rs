// SPDX-License-Identifier: MIT OR Apache-2.0
//! The semaphore.

#[path = "../../../core/src/sync/semaphore/robust.rs"]
mod robust;

use super::Acquired;
use super::object::{HEAD, MAIN, Object};
use crate::time::Timeout;

#[derive(Debug)]
pub(crate) struct Semaphore(robust::Robust, robust::Quick);

impl Semaphore {
    pub(crate) fn new(max: usize, value: usize) -> Self {
        let object = Object::new(max);
        for cell in &object.lines.cells()[HEAD + value..] {
            cell.word.store(robust::ABSENT, std::sync::atomic::Ordering::Relaxed);
        }
        let quick = robust::Quick::to(&object.lines, MAIN);
        Self(robust::Robust::new(object), quick)
    }

    pub(crate) fn acquire(&self) -> Acquired {
        if robust::acquire_at_once(&self.1) {
            return Acquired::Clean;
        }
        self.0.get(&self.1, Timeout::Forever, robust::hold).expect("it can be had")
    }

    pub(crate) fn release(&self) {
        if !robust::release_or(&self.1, true, || false) {
            self.0.release().expect("it is held");
        }
    }

    pub(crate) fn wait(&self) {
        if !robust::wait_at_once(&self.1) {
            self.0.get(&self.1, Timeout::Forever, robust::remove).expect("it can be had");
        }
    }

    pub(crate) fn post(&self) {
        if !robust::post_at_once(&self.1) {
            self.0.post(&self.1).expect("there is room");
        }
    }

    pub(crate) fn value(&self) -> usize {
        let cells = self.0.object.lines.cells()[HEAD..].iter();
        let word =
            |cell: &crate::map::cell::Cell| cell.word.load(std::sync::atomic::Ordering::Relaxed);
        cells.filter(|cell| robust::is_free(word(cell))).count()
    }

    pub(crate) fn max(&self) -> usize {
        self.0.permits()
    }

    pub(crate) fn end_of_thread(&self) {
        self.0.object.lines.end_of_thread();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Someone who sleeps for a source, and takes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Source;
use crate::sys::futex;

/// A source that is slept for.
pub(crate) struct Rest {
    source: Arc<dyn Source>,
    /// Which word, and while it has which value.
    word: Option<(usize, u32)>,
}

impl Rest {
    /// Announces the sleeper, where there is a word. [`Rest::goes_on`] must be asked after it.
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        let word = source.lie_down();
        Self { source, word }
    }

    /// On which word, and while it has which value.
    pub(crate) fn word(&self) -> Option<(&AtomicU32, u32)> {
        let (which, expected) = self.word?;
        Some((self.source.word(which)?, expected))
    }

    /// Has somebody changed the word? Then the wake-up is passed on. True also where there is none.
    pub(crate) fn is_stirred(&mut self) -> bool {
        if self.word.is_none() {
            return true;
        }
        match self.word() {
            Some((word, expected)) if word.load(Ordering::SeqCst) != expected => {
                futex::wake(word, 1);
            }
            _ => return false,
        }
        self.get_up();
        true
    }

    /// Was the word changed since, and is the source ready? Then it is slept for no more. Costs loads while that is not so.
    pub(crate) fn is_over(&mut self) -> bool {
        self.word().is_some_and(|(word, expected)| word.load(Ordering::SeqCst) != expected)
            && self.source.is_ready()
            && self.is_stirred()
    }

    /// Is the source not ready? Then it is slept for again, where there is a word. That comes after the look, since it may cost a
    /// barrier on all processors.
    pub(crate) fn goes_on(&mut self) -> bool {
        if !self.source.is_ready() {
            if self.word.is_some() {
                return true;
            }
            self.word = self.source.lie_down();
            if self.word.is_none() || !self.source.is_ready() {
                return true;
            }
        }
        self.get_up();
        false
    }

    /// Takes back what was announced.
    pub(crate) fn get_up(&mut self) {
        if self.word.take().is_some() {
            self.source.get_up();
        }
    }

    pub(crate) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }
}

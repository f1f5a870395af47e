// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stores that others see late.
//!
//! When a thread is stopped, the last of its stores may not have come to the others yet: all from one of them on, or
//! one of them alone, if it could be overtaken by what was stored after it. They come when the thread goes on, or when
//! somebody makes every processor pass a barrier. So a missing fence or release of who stores is seen; one of who loads is not.

use std::sync::atomic::Ordering;

use super::with;
use crate::sys::atomic::Place;

/// A store that nobody else has looked for yet.
#[derive(Debug)]
struct Store {
    place: Place,
    before: u64,
    after: u64,
    is_release: bool,
}

/// What is on its way.
#[derive(Debug)]
pub(super) struct Late {
    left: usize,
    /// What the current thread has stored since it passed a barrier or was let go on.
    recent: Vec<Store>,
    held_back: Vec<(usize, Vec<Store>)>,
}

impl Late {
    pub(super) fn new(left: usize) -> Self {
        Self { left, recent: Vec::new(), held_back: Vec::new() }
    }

    /// In how many ways stores can come late now.
    pub(super) fn ways(&self) -> usize {
        if self.left == 0 { 0 } else { self.recent.len() + self.overtaken().count() }
    }

    /// Those that can come alone after what was stored behind them.
    fn overtaken(&self) -> impl Iterator<Item = usize> {
        let last = self.recent.len().saturating_sub(1);
        let releases = self.recent.iter().rposition(|store| store.is_release);
        (0..last).filter(move |&at| releases.is_none_or(|release| at >= release))
    }

    /// The thread is stopped; which of the ways it is, or 0 for none.
    pub(super) fn hold_back(&mut self, thread: usize, how: usize) {
        let count = self.recent.len();
        let stores = match how {
            0 => Vec::new(),
            how if how <= count => self.recent.split_off(how - 1),
            how => {
                let at = self.overtaken().nth(how - 1 - count);
                at.map(|at| self.recent.remove(at)).into_iter().collect()
            }
        };
        self.recent.clear();
        if !stores.is_empty() {
            self.left -= 1;
            for store in stores.iter().rev() {
                store.place.put(store.before);
            }
            self.held_back.push((thread, stores));
        }
    }

    /// What this thread has stored, or everybody, has come.
    pub(super) fn arrive(&mut self, thread: Option<usize>) {
        let comes = |whose: usize| thread.is_none_or(|thread| thread == whose);
        for (_, stores) in self.held_back.extract_if(.., |(whose, _)| comes(*whose)) {
            for store in &stores {
                store.place.put(store.after);
            }
        }
    }

    /// The current thread passes a barrier.
    pub(super) fn flush(&mut self) {
        self.recent.clear();
    }

    fn note(&mut self, store: Store) {
        if self.left == 0 {
            return;
        }
        self.come(store.place);
        self.recent.push(store);
    }

    /// Stores to one place come in order.
    fn come(&mut self, place: Place) {
        self.recent.retain(|store| store.place != place);
    }
}

/// The current thread has stored.
pub(crate) fn stored(place: Place, before: u64, after: u64, order: Ordering) {
    with(|here| {
        let mut state = here.run.lock();
        match order {
            Ordering::SeqCst => state.late.flush(),
            order => {
                let is_release = order == Ordering::Release;
                state.late.note(Store { place, before, after, is_release });
            }
        }
    });
}

/// What the current thread has stored to this place has come.
pub(crate) fn come(place: Place) {
    with(|here| here.run.lock().late.come(place));
}

/// The current thread passes a barrier.
pub(crate) fn flush() {
    with(|here| here.run.lock().late.flush());
}

/// Every thread does.
pub(crate) fn flush_all() {
    with(|here| {
        let mut state = here.run.lock();
        state.late.flush();
        state.late.arrive(None);
    });
}

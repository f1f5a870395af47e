// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes beside the ring.

use super::super::aside::Aside;
use super::super::ring::{Found, Ring};
use super::{Come, Receiver};
use crate::error::ErrorKind;
use crate::time::Timeout;

impl<A: Aside> Receiver<A> {
    /// Receives the next message, or what is there beside the ring, each as it is told, into the same place; before it is taken.
    #[inline]
    pub(in crate::channel) fn receive_either<S, R>(
        &mut self,
        timeout: Timeout,
        into: &mut S,
        message: impl FnOnce(&mut S, &Ring, Found) -> R,
        aside: impl FnOnce(&mut S, A::Thing) -> R,
    ) -> Result<R, ErrorKind> {
        match self.arrive_at_either(timeout)? {
            Come::Message(found) => {
                let received = message(into, &self.ring, found);
                self.take(found.end, 1);
                Ok(received)
            }
            Come::Aside(thing) => {
                let received = aside(into, thing);
                self.took_aside();
                Ok(received)
            }
        }
    }

    /// What comes beside the ring within a few looks, while nothing is in the ring. It is seen without the turn, and then this has the turn
    /// until [`Receiver::took_aside`]. `None` says nothing, and nothing was done.
    #[inline]
    pub(in crate::channel) fn glance_aside(&mut self, timeout: Timeout) -> Option<A::Thing> {
        let (ring, aside, position) = (&self.ring, &self.aside, self.position);
        let is_alone = || position == self.tail && ring.tail() == position;
        if !is_alone() {
            return None;
        }
        let mut thing = None;
        self.patience.glance_at_line(timeout, || {
            thing = aside.glimpse();
            thing.is_some() || !is_alone()
        });
        if thing.is_none() || self.lent.is_some() || !self.turn.enter_kept().is_ok_and(|it| it) {
            return None;
        }
        // After what is there: who has put it there may have put something older into the ring.
        if !is_alone() {
            self.turn.exit();
            return None;
        }
        thing
    }

    /// It is taken now.
    #[inline]
    pub(in crate::channel) fn took_aside(&mut self) {
        self.was_aside = true;
        self.pace.note_alone();
        self.count(1);
        self.turn.exit();
    }

    /// With the turn, when something is there beside the ring: is there a message too, whose turn it is?
    pub(super) fn is_the_rings_turn(&self, thing: &A::Thing) -> bool {
        if !self.was_aside || self.position == self.tail {
            return false;
        }
        let first = self.ring.find(self.position, self.tail).filter(|found| found.length >= 8);
        !first.is_some_and(|found| A::precedes(thing, self.ring.mirror.word(found.payload)))
    }
}

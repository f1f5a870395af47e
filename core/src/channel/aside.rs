// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes to a receiver beside its ring: to a server and to a client, by the direct line.

use std::convert::Infallible;
use std::fmt::Debug;

/// A place that a receiver looks at as well.
pub(super) trait Aside: Clone + Debug + Send + Sync + 'static {
    /// What is found there.
    type Thing;

    /// May there be something? Without the turn, again and again.
    fn is_there(&self) -> bool;

    /// What is there at a glance. It is there for as long as nobody has the turn.
    fn glimpse(&self) -> Option<Self::Thing>;

    /// What is there, with the turn.
    fn look(&self) -> Option<Self::Thing>;

    /// Must it come before the message in the ring that begins with this word?
    fn precedes(thing: &Self::Thing, word: u64) -> bool;
}

/// Of who receives from a ring alone.
#[derive(Debug, Clone)]
pub(super) struct Nothing;

impl Aside for Nothing {
    type Thing = Infallible;

    #[inline]
    fn is_there(&self) -> bool {
        false
    }

    #[inline]
    fn glimpse(&self) -> Option<Infallible> {
        None
    }

    #[inline]
    fn look(&self) -> Option<Infallible> {
        None
    }

    fn precedes(thing: &Infallible, _: u64) -> bool {
        match *thing {}
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The algorithms are the library's own files; their public types are not here.

pub(crate) mod barrier;
pub(crate) mod condvar;
pub(crate) mod event;
#[path = "../../../core/src/sync/gate.rs"]
pub(crate) mod gate;
#[path = "../../../core/src/sync/hold.rs"]
pub(crate) mod hold;
pub(crate) mod mutex;
pub(crate) mod object;
pub(crate) mod once;
pub(crate) mod rwlock;
pub(crate) mod semaphore;

use std::marker::PhantomData;

use crate::sync::hold::Entered;

/// Where a channel would be looked for.
pub(crate) struct Place<'a>(PhantomData<&'a ()>);

/// As in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acquired {
    Clean,
    OwnerDied,
}

impl From<Entered> for Acquired {
    fn from(entered: Entered) -> Self {
        match entered {
            Entered::Clean => Self::Clean,
            Entered::OwnerDied => Self::OwnerDied,
        }
    }
}

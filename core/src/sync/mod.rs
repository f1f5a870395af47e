// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks placed in shared memory that survive a `kill -9`.

mod form;
mod hold;
mod mutex;
mod object;
mod place;
mod status;

pub use form::Form;
pub use mutex::{Acquired, Mutex, MutexGuard, MutexKind, MutexOptions, MutexStatus};
pub use place::Place;
pub use status::Holder;

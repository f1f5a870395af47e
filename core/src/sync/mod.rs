// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks placed in shared memory that survive a `kill -9`.

mod barrier;
mod condvar;
mod event;
mod form;
mod gate;
mod hold;
mod mutex;
mod object;
mod once;
mod options;
mod place;
mod rwlock;
mod semaphore;
mod status;

pub use barrier::{Barrier, BarrierOptions};
pub use condvar::{Condvar, CondvarOptions};
pub use event::{Event, EventOptions};
pub use form::Form;
pub use mutex::{Acquired, Mutex, MutexGuard, MutexKind, MutexOptions, MutexStatus};
pub use once::{Once, OnceOptions};
pub use place::Place;
pub use rwlock::{RwLock, RwLockGuard, RwLockOptions, RwLockStatus};
pub use semaphore::{Permit, Semaphore, SemaphoreOptions};
pub use status::Holder;

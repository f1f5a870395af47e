// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a class has open until it is closed, whatever the threads that use it are in at that time.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::prelude::*;

use crate::error::closed;

/// Closed: nobody may begin to use it.
const CLOSED: usize = 1;

/// One user more.
const USER: usize = 2;

/// A value that can be closed. A call that is in it when it is closed goes on to its end, and the value is dropped then.
///
/// It is a lock and a reference count in one word, since both show in a call of half a microsecond.
pub(crate) struct Handle<T> {
    /// How many use it, and whether it was closed.
    state: AtomicUsize,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: users have shared references only, from any thread, which `T: Sync` allows, and the last of a closed handle drops
// the value, in whatever thread it is, which `T: Send` allows.
unsafe impl<T: Send + Sync> Sync for Handle<T> {}

impl<T> Handle<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { state: AtomicUsize::new(0), value: UnsafeCell::new(Some(value)) }
    }

    /// The value, kept for the time of one call whatever other threads do with the handle; None when it was closed.
    #[inline]
    pub(crate) fn open(&self) -> Option<Open<'_, T>> {
        self.enter(USER)
    }

    /// As `open`; the exception says what was closed.
    #[inline]
    pub(crate) fn get(&self, name: &impl fmt::Display) -> PyResult<Open<'_, T>> {
        self.open().ok_or_else(|| closed(name))
    }

    /// Closes it, and gives the value for what is to be done at the end; None when that was done before.
    pub(crate) fn close(&self) -> Option<Open<'_, T>> {
        self.enter(USER | CLOSED)
    }

    pub(crate) fn is_closed(&self) -> bool {
        // SYNC: only to tell; who uses the value enters.
        self.state.load(Ordering::Relaxed) & CLOSED != 0
    }

    #[inline]
    fn enter(&self, how: usize) -> Option<Open<'_, T>> {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & CLOSED == 0 {
            // SYNC: the value was there from the beginning, and whoever drops it comes after all who have entered.
            let entered = self.state.compare_exchange_weak(
                state,
                state + how,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match entered {
                Ok(_) => return Some(Open(self)),
                Err(now) => state = now,
            }
        }
        None
    }
}

/// A handle in use, which is not dropped before this is.
pub(crate) struct Open<'a, T>(&'a Handle<T>);

impl<T> Deref for Open<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this user is counted, and only when none is left is the value changed.
        let value = unsafe { &*self.0.value.get() };
        value.as_ref().unwrap_or_else(|| unreachable!("it is there as long as somebody uses it"))
    }
}

impl<T> Drop for Open<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SYNC: release and acquire pair with each other: what all users did comes before the drop by the last.
        if self.0.state.fetch_sub(USER, Ordering::AcqRel) == USER | CLOSED {
            // SAFETY: nobody enters a closed handle, and the last of those who were in it is this one.
            drop(unsafe { &mut *self.0.value.get() }.take());
        }
    }
}

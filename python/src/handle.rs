// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a class has open until it is closed, whatever the threads that use it are in at that time.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pyo3::prelude::*;

use crate::error::closed;

/// Closed: nobody may begin to use it.
const CLOSED: u64 = 1;

/// One user more.
const USER: u64 = 2;

/// Above these bits stands the generation of processes in which the users were counted.
const GENERATION_AT: u32 = 32;

/// Higher in a child of fork than in its parent. The threads that were in a handle when the process was forked are in the
/// parent alone, and would keep the child from ever closing it.
static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// How deep this thread is in handlers of signals that were called in the midst of a call.
    static HANDLERS: Cell<u32> = const { Cell::new(0) };
}

/// Runs in a child of fork, before anything else does.
extern "C" fn count() {
    // A handler may have forked: its thread goes on in the child, and so does the call that it is in.
    if HANDLERS.try_with(Cell::get) == Ok(0) {
        // SYNC: the child has one thread.
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs Python's handlers of signals in the midst of a call.
pub(crate) fn check_signals(py: Python<'_>) -> PyResult<()> {
    HANDLERS.set(HANDLERS.get() + 1);
    let handled = py.check_signals();
    HANDLERS.set(HANDLERS.get() - 1);
    handled
}

/// Lets forks be counted; once, when the module is loaded.
pub(crate) fn notice_forks() {
    // SAFETY: the handler adds to an atomic, which is async-signal-safe. Without memory for it nothing is noticed.
    unsafe { libc::pthread_atfork(None, None, Some(count)) };
}

/// A value that can be closed. A call that is in it when it is closed goes on to its end, and the value is dropped then.
///
/// It is a lock and a reference count in one word, since both show in a call of half a microsecond.
pub(crate) struct Handle<T> {
    /// How many use it, and whether it was closed.
    state: AtomicU64,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: users have shared references only, from any thread, which `T: Sync` allows, and the last of a closed handle drops
// the value, in whatever thread it is, which `T: Send` allows.
unsafe impl<T: Send + Sync> Sync for Handle<T> {}

impl<T> Handle<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { state: AtomicU64::new(0), value: UnsafeCell::new(Some(value)) }
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
    fn enter(&self, how: u64) -> Option<Open<'_, T>> {
        let mut state = self.state.load(Ordering::Relaxed);
        // SYNC: changed only where no other thread is.
        let generation = u64::from(GENERATION.load(Ordering::Relaxed));
        while state & CLOSED == 0 {
            let here = state >> GENERATION_AT == generation;
            let users = if here { state } else { generation << GENERATION_AT };
            // SYNC: the value was there from the beginning, and whoever drops it comes after all who have entered.
            let entered = self.state.compare_exchange_weak(
                state,
                users + how,
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
        let state = self.0.state.fetch_sub(USER, Ordering::AcqRel);
        if state & !(u64::MAX << GENERATION_AT) == USER | CLOSED {
            // SAFETY: nobody enters a closed handle, and the last of those who were in it is this one.
            drop(unsafe { &mut *self.0.value.get() }.take());
        }
    }
}

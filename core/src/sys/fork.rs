// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which process this is, told without a system call: a child of fork is another one.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Runs in a child of fork, before anything else does.
extern "C" fn count() {
    // SYNC: the child has one thread.
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A number that a child of fork has different. (A raw `clone` that goes past the C library is not noticed.)
#[inline]
pub(crate) fn generation() -> u32 {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: the handler adds to an atomic, which is async-signal-safe. Without memory for it nothing is noticed.
        unsafe { libc::pthread_atfork(None, None, Some(count)) };
    });
    // SYNC: changed only where no other thread is.
    GENERATION.load(Ordering::Relaxed)
}

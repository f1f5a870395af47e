// SPDX-License-Identifier: MIT OR Apache-2.0
//! An allocator that takes from shared memory while it is told to. A crate that was made for threads, and whose ring
//! lies on the heap, works between a process and its child when that heap is shared.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SIZE: usize = 64 << 20;

struct Arena;

static SHARING: AtomicBool = AtomicBool::new(false);
static START: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ARENA: Arena = Arena;

// SAFETY: System's blocks are System's; the others are cut off one shared mapping and never given back.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !SHARING.load(Ordering::Relaxed) {
            // SAFETY: the caller's layout is passed on.
            return unsafe { System.alloc(layout) };
        }
        let start = START.load(Ordering::Relaxed);
        let at = (start + USED.load(Ordering::Relaxed)).next_multiple_of(layout.align());
        let end = at + layout.size() - start;
        if end > SIZE {
            return std::ptr::null_mut();
        }
        USED.store(end, Ordering::Relaxed);
        at as *mut u8
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if (pointer as usize).wrapping_sub(START.load(Ordering::Relaxed)) >= SIZE {
            // SAFETY: not of the mapping, hence of System.
            unsafe { System.dealloc(pointer, layout) }
        }
    }
}

/// What `make` allocates is shared with the processes that are forked later. Once for each process.
pub fn shared<T>(make: impl FnOnce() -> T) -> T {
    START.store(crate::peer::shared(SIZE) as usize, Ordering::Relaxed);
    SHARING.store(true, Ordering::Relaxed);
    let made = make();
    SHARING.store(false, Ordering::Relaxed);
    made
}

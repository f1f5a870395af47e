// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a thread keeps of its robust list, in private memory.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// How much a thread can hold in its list. The kernel follows 2048 links; two are ours, and some are left to the C library.
pub(crate) const CAPACITY: usize = 1980;

/// `struct robust_list_head`.
#[repr(C)]
pub(super) struct Head {
    pub(super) first: AtomicUsize,
    pub(super) offset: libc::c_long,
    pub(super) pending: AtomicUsize,
}

/// A member of the list as the C library sees it; its address is that of `next`.
#[repr(C)]
pub(super) struct Sentinel {
    /// What the kernel takes for a word: no thread has the number 0.
    word: [AtomicU64; 3],
    pub(super) previous: AtomicUsize,
    pub(super) next: AtomicUsize,
}

/// What one thread holds. All zero after a fork.
///
/// The gaps are for speed: a processor takes a load for one of a value that was stored a moment before where the last 12
/// bits of the addresses are the same, and waits. What is used here in each lock lies at other 8 bytes of a line of 64 than
/// what is used in a cell, which begins a line.
#[repr(C, align(64))]
pub(super) struct State {
    gaps_0: [u64; 3],
    /// The thread's number; 0 when nothing else here is valid.
    pub(super) tid: AtomicU32,
    gap_1: u32,
    gap_2: u64,
    pub(super) who: AtomicU64,
    gap_3: u64,
    pub(super) since: AtomicU64,
    gaps_4: [u64; 3],
    pub(super) head: AtomicUsize,
    gap_5: u64,
    /// How many there are in `held`.
    pub(super) under: AtomicUsize,
    gap_6: u64,
    /// The address of `after.next`, which `before.next` is while nothing is held.
    pub(super) bottom: AtomicUsize,
    gaps_7: [u64; 3],
    pub(super) before: Sentinel,
    gaps_8: [u64; 3],
    pub(super) after: Sentinel,
    /// What is linked, the latest last, but for the last one of all: `before` points to that. So who holds one thing alone
    /// need not write here.
    pub(super) held: [Held; CAPACITY - 1],
}

/// The address of a link.
#[repr(C)]
pub(super) struct Held {
    gaps: [u64; 3],
    link: AtomicUsize,
}

/// Is this a place in a line of 64 bytes at which a cell has nothing that is used in each lock?
const fn is_apart(offset: usize) -> bool {
    matches!(offset % 64, 0x18 | 0x28 | 0x38)
}

const _: () = assert!(is_apart(offset_of!(State, tid)) && is_apart(offset_of!(State, who)));
const _: () = assert!(is_apart(offset_of!(State, since)) && is_apart(offset_of!(State, head)));
const _: () =
    assert!(is_apart(offset_of!(State, under)) && is_apart(offset_of!(State, before.next)));
const _: () = assert!(is_apart(offset_of!(State, bottom)));
const _: () = assert!(is_apart(offset_of!(State, held) + offset_of!(Held, link)));
const _: () = assert!(size_of::<Held>() == 32);

impl Held {
    #[inline]
    pub(super) fn get(&self) -> usize {
        self.link.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set(&self, link: usize) {
        self.link.store(link, Ordering::Relaxed);
    }
}

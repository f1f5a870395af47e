// SPDX-License-Identifier: MIT OR Apache-2.0
//! `peer.h` in Rust, and what its users share.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

pub const ROUND_TRIP: c_uint = 1;
pub const ONE_WAY: c_uint = 2;
pub const COPIES_OUT: c_uint = 8;
pub const UNTOUCHED: c_uint = 16;
pub const ASKS: c_uint = 32;

/// The sizes of messages that all are measured with; 0 ends them.
pub static SIZES: [usize; 5] = [8, 64, 1024, 65536, 0];

/// `struct peer`.
#[repr(C)]
pub struct Peer {
    pub name: *const c_char,
    pub traits: c_uint,
    pub sizes: *const usize,
    pub open: unsafe extern "C" fn(usize),
    pub attach: unsafe extern "C" fn(c_int),
    pub detach: Option<unsafe extern "C" fn(c_int)>,
    pub send: unsafe extern "C" fn(c_int, *const c_void, usize),
    pub receive: unsafe extern "C" fn(c_int, *mut c_void, usize),
}

/// The pointers of `unipc_bench_peers`.
#[repr(transparent)]
pub struct List(pub [*const Peer; 6]);

// SAFETY: what is pointed to is constant, and lives as long as the library.
unsafe impl Sync for List {}
// SAFETY: as above; the pointers in it are to constants.
unsafe impl Sync for Peer {}

/// `peer_slots`.
pub fn slots(size: usize) -> usize {
    match size {
        0..=64 => (1 << 20) / 64,
        65..=1024 => (1 << 20) / size,
        _ => 64,
    }
}

/// A value that one process has for itself, made before or after the fork. The process has one thread.
pub struct Own<T>(pub std::cell::UnsafeCell<Option<T>>);

// SAFETY: the benchmark's processes call from their only thread.
unsafe impl<T> Sync for Own<T> {}

impl<T> Own<T> {
    pub const fn new() -> Self {
        Self(std::cell::UnsafeCell::new(None))
    }

    pub fn set(&self, value: T) {
        // SAFETY: no reference is alive between two calls of the one thread.
        unsafe { *self.0.get() = Some(value) }
    }

    pub fn take(&self) -> Option<T> {
        // SAFETY: as in `set`.
        unsafe { (*self.0.get()).take() }
    }

    #[allow(clippy::mut_from_ref)]
    #[inline]
    pub fn get(&self) -> &mut T {
        // SAFETY: each caller uses it for one call, and the process has one thread.
        match unsafe { &mut *self.0.get() } {
            Some(value) => value,
            None => fail("a peer was not attached"),
        }
    }
}

/// Memory that the processes of a case share.
pub fn shared(bytes: usize) -> *mut u8 {
    // SAFETY: a new mapping, at no wanted address.
    let memory = unsafe {
        libc::mmap(
            null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        fail("mmap");
    }
    memory.cast()
}

/// Where both processes of a pair wait for each other.
pub struct Meeting(*const AtomicUsize);

impl Meeting {
    /// Before the fork.
    pub fn new() -> Self {
        Self(shared(4096).cast())
    }

    pub fn wait(&self) {
        // SAFETY: the memory is mapped as long as the process lives, and zeroed at first.
        let arrived = unsafe { &*self.0 };
        let round = arrived.fetch_add(1, Ordering::AcqRel) / 2;
        while arrived.load(Ordering::Acquire) < 2 * (round + 1) {
            std::thread::yield_now();
        }
    }
}

/// Ends this process.
pub fn fail(why: impl std::fmt::Display) -> ! {
    eprintln!("peer: {why}");
    // SAFETY: ends the process without running what the other one needs.
    unsafe { libc::_exit(3) }
}

/// The good value, or the end.
pub fn good<T, E: std::fmt::Debug>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fail(format_args!("{what}: {error:?}")),
    }
}

/// A message as words.
///
/// # Safety
/// `bytes` is readable for `size` bytes, a multiple of 8, and aligned so.
#[inline]
pub unsafe fn words<'a>(bytes: *const c_void, size: usize) -> &'a [u64] {
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(bytes.cast(), size / 8) }
}

/// Where a message is received, as words.
///
/// # Safety
/// `bytes` is writable for `size` bytes, a multiple of 8, aligned so, and nobody else uses it.
#[inline]
pub unsafe fn words_mut<'a>(bytes: *mut c_void, size: usize) -> &'a mut [u64] {
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts_mut(bytes.cast(), size / 8) }
}

/// Reads all words where they lie.
#[inline]
pub fn read_all(words: &[u64]) {
    std::hint::black_box(words.iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
}

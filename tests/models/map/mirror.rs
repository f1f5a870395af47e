// SPDX-License-Identifier: MIT OR Apache-2.0
//! A ring on the heap, of any size, and parts of what is beside it. Each word of a message is written and read by a step
//! of its own, in no order that others could rely on.

use std::any::Any;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::ErrorKind;
use crate::sys::atomic::AtomicU64;

#[derive(Debug)]
pub(crate) struct Mirror(Box<[AtomicU64]>);

#[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in the original")]
impl Mirror {
    /// Of so many bytes, a power of two and at least 8.
    pub(crate) fn new(size: usize) -> Self {
        assert!(size.is_power_of_two());
        Self((0..size / 8).map(|_| AtomicU64::default()).collect())
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.len() as u64 * 8
    }

    pub(crate) fn prefetch(&self, _: u64) {}

    pub(crate) fn claim(&self, position: u64) {
        self.set_word(position, 0);
    }

    pub(crate) fn check(&self) -> Result<(), ErrorKind> {
        Ok(())
    }

    /// Only a number, for [`at`].
    pub(crate) fn address(&self, position: u64) -> *mut u8 {
        std::ptr::without_provenance_mut(usize::try_from(position).expect("few bytes"))
    }

    fn at(&self, position: u64) -> &AtomicU64 {
        assert!(position.is_multiple_of(8));
        let words = self.0.len() as u64;
        &self.0[usize::try_from(position / 8 % words).expect("an index")]
    }

    pub(crate) fn write(&self, position: u64, bytes: &[u8]) {
        assert!(bytes.len() as u64 <= self.size());
        for (chunk, index) in bytes.chunks(8).zip(0..) {
            let place = self.at(position + 8 * index);
            let mut word = match chunk.len() {
                8 => [0; 8],
                _ => place.plain().load(Ordering::SeqCst).to_ne_bytes(),
            };
            word[..chunk.len()].copy_from_slice(chunk);
            place.store(u64::from_ne_bytes(word), Ordering::Relaxed);
        }
    }

    pub(crate) fn read<'a>(
        &self,
        position: u64,
        buffer: &'a mut [MaybeUninit<u8>],
    ) -> &'a mut [u8] {
        assert!(buffer.len() as u64 <= self.size());
        for (chunk, index) in buffer.chunks_mut(8).zip(0..) {
            let word = self.at(position + 8 * index).load(Ordering::Relaxed).to_ne_bytes();
            for (room, byte) in chunk.iter_mut().zip(word) {
                room.write(byte);
            }
        }
        // SAFETY: these bytes were written just now.
        unsafe { std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<u8>(), buffer.len()) }
    }

    pub(crate) fn word(&self, position: u64) -> u64 {
        self.at(position & !7).load(Ordering::Relaxed)
    }

    pub(crate) fn set_word(&self, position: u64, value: u64) {
        self.at(position & !7).store(value, Ordering::Relaxed);
    }
}

/// The position that an address stands for.
pub(crate) fn at(address: *mut u8) -> u64 {
    address.addr() as u64
}

/// Atomics that live as long as somebody has a part of them.
pub(crate) struct Part<T> {
    at: NonNull<T>,
    keeper: Arc<dyn Any + Send + Sync>,
}

// SAFETY: what it leads to are atomics, which any thread may use.
unsafe impl<T> Send for Part<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Part<T> {}

impl<T: Send + Sync + 'static> Part<T> {
    pub(crate) fn new(whole: T) -> Self {
        let whole = Arc::new(whole);
        Self { at: NonNull::from(&*whole), keeper: whole }
    }
}

#[allow(clippy::unused_self, reason = "as in the original")]
impl<T> Part<T> {
    pub(crate) fn prefetch(&self) {}

    pub(crate) fn project<U>(&self, choose: impl for<'a> FnOnce(&'a T) -> &'a U) -> Part<U> {
        Part { at: NonNull::from(choose(self)), keeper: Arc::clone(&self.keeper) }
    }
}

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        Self { at: self.at, keeper: Arc::clone(&self.keeper) }
    }
}

impl<T> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the keeper keeps it.
        unsafe { self.at.as_ref() }
    }
}

impl<T> std::fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({:?})", self.at)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that were copied out of shared memory; a few of them need no memory of their own.

use std::mem::MaybeUninit;
use std::ops::Deref;

use zerocopy::IntoBytes;

/// How many are a few: a message that lies in a line beside others, and the words before it. More would be moved often.
const FEW: usize = 72;

/// As a vector that is never changed.
#[derive(Clone)]
pub(crate) struct Bytes(Room);

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "that is what it is for")]
enum Room {
    Few(Aligned, usize),
    Many(Vec<u8>),
}

/// So that it is moved by whole words.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Aligned([MaybeUninit<u8>; FEW]);

impl Bytes {
    pub(crate) const EMPTY: Self = Self(Room::Few(Aligned([MaybeUninit::uninit(); FEW]), 0));

    /// Replaces them, in their place, by the first `length` bytes of a few words.
    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, words: [u64; N], length: usize) {
        const { assert!(8 * N <= FEW) };
        let length = length.min(8 * N);
        let Room::Few(Aligned(room), few) = &mut self.0 else {
            return self.refill(length, |room| {
                let bytes = words.as_bytes()[..length].iter().copied().map(MaybeUninit::new);
                room.iter_mut().zip(bytes).for_each(|(room, byte)| *room = byte);
            });
        };
        // All of them: to look how many are needed takes longer.
        for (room, word) in room.as_chunks_mut().0.iter_mut().zip(words) {
            *room = word.to_ne_bytes().map(MaybeUninit::new);
        }
        *few = length;
    }

    /// Replaces them, in their place, by so many, all of which `copy` writes.
    #[inline]
    pub(crate) fn refill(&mut self, length: usize, copy: impl FnOnce(&mut [MaybeUninit<u8>])) {
        match &mut self.0 {
            Room::Few(room, few) if length <= FEW => {
                copy(&mut room.0[..length]);
                *few = length;
            }
            Room::Many(bytes) => refill(bytes, length, copy),
            Room::Few(..) => {
                let mut bytes = Vec::new();
                refill(&mut bytes, length, copy);
                self.0 = Room::Many(bytes);
            }
        }
    }
}

/// Replaces what is in a vector by so many bytes, all of which `copy` writes.
#[inline]
pub(crate) fn refill(
    bytes: &mut Vec<u8>,
    length: usize,
    copy: impl FnOnce(&mut [MaybeUninit<u8>]),
) {
    bytes.clear();
    bytes.reserve(length);
    copy(&mut bytes.spare_capacity_mut()[..length]);
    // SAFETY: inside the capacity, and by the caller's word written: those who call copy out of a ring, which fills the room.
    unsafe { bytes.set_len(length) };
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Room::Few(Aligned(room), length) => {
                let written = &room[..*length];
                // SAFETY: `refill` had them written.
                unsafe { std::slice::from_raw_parts(written.as_ptr().cast(), written.len()) }
            }
            Room::Many(bytes) => bytes,
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

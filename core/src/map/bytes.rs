// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that were copied out of shared memory; a few of them need no memory of their own.

use std::mem::MaybeUninit;
use std::ops::Deref;

/// How many are a few: a message that lies in a line beside others, and the words before it. More would be moved often.
const FEW: usize = 72;

/// As a vector that is never changed.
#[derive(Clone)]
pub(crate) struct Bytes(Room);

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "that is what it is for")]
enum Room {
    Few([MaybeUninit<u8>; FEW], usize),
    Many(Vec<u8>),
}

impl Bytes {
    /// So many bytes, all of which `copy` writes.
    #[inline]
    pub(crate) fn copied(length: usize, copy: impl FnOnce(&mut [MaybeUninit<u8>])) -> Self {
        if length <= FEW {
            let mut room = [MaybeUninit::uninit(); FEW];
            copy(&mut room[..length]);
            return Self(Room::Few(room, length));
        }
        let mut bytes = Vec::with_capacity(length);
        copy(&mut bytes.spare_capacity_mut()[..length]);
        Self(Room::Many(super::mirror::written(bytes, length)))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            // SAFETY: `copied` had them written.
            Room::Few(room, length) => unsafe { room[..*length].assume_init_ref() },
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

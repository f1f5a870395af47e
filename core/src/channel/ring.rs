// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in the ring: how they are written, committed, found and read. Who may do it is decided elsewhere.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::layout::{BESIDE, Front};
use crate::error::ErrorKind;
use crate::map::mirror::{Mirror, Part};
use crate::sys::atomic::fence;

/// Bytes before a payload of a size that differs from message to message.
const LENGTH: u64 = 8;

/// How many bytes ahead of what is read or written a line is fetched: a processor waits for one line from another
/// as long as for eight.
const AHEAD: u64 = 512;

/// The length has half a word.
const LONGEST: u64 = 0xffff_ffff - 8;

/// The shape of records.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    pub(super) mirror: Arc<Mirror>,
    front: Part<Front>,
    /// 0: any.
    message_size: u64,
}

/// A payload that was found beside the tail.
pub(super) type Beside = [u64; BESIDE / 8];

/// A record that is committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Where its payload begins.
    pub(super) payload: u64,
    pub(super) length: usize,
    /// The lower half of its number, in a topic with messages of any size.
    pub(super) number: u64,
    /// Where the next record begins.
    pub(super) end: u64,
}

impl Ring {
    pub(super) fn new(mirror: Arc<Mirror>, front: Part<Front>, message_size: u32) -> Self {
        Self { mirror, front, message_size: message_size.into() }
    }

    /// The size of a record with a payload of so many bytes; `EMSGSIZE` when there can be none.
    #[inline]
    pub(super) fn record(&self, length: usize) -> Result<u64, ErrorKind> {
        let length = length as u64;
        if self.message_size == 0 {
            if length <= (self.mirror.size() - LENGTH).min(LONGEST) {
                return Ok(LENGTH + length.next_multiple_of(8));
            }
        } else if length == self.message_size {
            return Ok(length.next_multiple_of(8));
        } else {
            return Err(other_size(self.message_size, length));
        }
        Err(ErrorKind::Os(libc::EMSGSIZE))
    }

    /// The size of every record, where all have the same.
    pub(super) fn fixed_record(&self) -> Option<u64> {
        (self.message_size != 0).then(|| self.message_size.next_multiple_of(8))
    }

    /// Where the payload of a record at `position` goes.
    #[inline]
    pub(super) fn payload(&self, position: u64) -> u64 {
        if self.message_size == 0 { position.wrapping_add(LENGTH) } else { position }
    }

    /// Writes a record at `position`, where there must be room; nobody sees it yet.
    #[inline]
    pub(super) fn write(&self, position: u64, number: u64, payload: &[u8]) {
        self.write_length(position, number, payload.len());
        self.mirror.write(self.payload(position), payload);
    }

    /// Fetches a line that will be written soon, if it is before the limit: behind that it is still read.
    #[inline]
    pub(super) fn prefetch_room(&self, position: u64, limit: u64) {
        if limit.saturating_sub(position) > AHEAD {
            self.mirror.prefetch_to_write(position.wrapping_add(AHEAD));
        }
    }

    /// Writes the length of a record whose payload is there already, or comes later.
    #[inline]
    pub(super) fn write_length(&self, position: u64, number: u64, length: usize) {
        if self.message_size == 0 {
            self.mirror.set_word(position, number << 32 | length as u64);
        }
    }

    /// Where everything is committed before.
    #[inline]
    pub(super) fn tail(&self) -> u64 {
        // SYNC: acquire pairs with the release in `commit`.
        self.front.tail.load(Ordering::Acquire)
    }

    /// Commits what was written before `end`, of which `last` is the last payload if it is short.
    #[inline]
    pub(super) fn commit(&self, end: u64, last: &[u8]) {
        let front = &*self.front;
        if last.len() <= BESIDE {
            // SYNC: relaxed, then a fence: who sees a part of the new body finds `last` changed after it.
            front.last.store(0, Ordering::Relaxed);
            fence(Ordering::Release);
            let mut words = last.chunks_exact(8);
            for (word, bytes) in front.body.iter().zip(&mut words) {
                let number = u64::from_ne_bytes(std::array::from_fn(|index| bytes[index]));
                word.store(number, Ordering::Relaxed);
            }
            let rest = words.remainder();
            if !rest.is_empty() {
                let mut bytes = [0; 8];
                bytes[..rest.len()].copy_from_slice(rest);
                front.body[last.len() / 8].store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
            }
            // SYNC: release pairs with the acquire in `beside`.
            front.last.store(mark(end, last.len()), Ordering::Release);
        }
        // SYNC: release pairs with the acquire in `tail`.
        front.tail.store(end, Ordering::Release);
    }

    /// The record at `head`, which must be before `tail`, if its payload is beside the tail: that and its length.
    #[inline]
    pub(super) fn beside(&self, head: u64, tail: u64) -> Option<(Beside, Found)> {
        let front = &*self.front;
        // SYNC: acquire pairs with the release in `commit`.
        let seen = front.last.load(Ordering::Acquire);
        let length = (seen & 0xffff_ffff).wrapping_sub(1);
        let length = usize::try_from(length).ok().filter(|&length| length <= BESIDE)?;
        if seen != mark(tail, length) {
            return None;
        }
        let record = self.record(length).ok()?;
        if head.wrapping_add(record) != tail {
            return None;
        }
        let mut body = [0; BESIDE / 8];
        for (copy, word) in body.iter_mut().zip(&front.body).take(length.div_ceil(8)) {
            *copy = word.load(Ordering::Relaxed);
        }
        // SYNC: pairs with the fence in `commit`.
        fence(Ordering::Acquire);
        (front.last.load(Ordering::Relaxed) == seen)
            .then_some((body, Found { payload: self.payload(head), length, number: 0, end: tail }))
    }

    /// The record at `head`, which must be before `tail`.
    ///
    /// Errors: `EPROTO` when what is there cannot be a record.
    #[inline]
    pub(super) fn find(&self, head: u64, tail: u64) -> Result<Found, ErrorKind> {
        // Read once: whoever writes to it now cannot lead anybody astray.
        let (number, length) = match self.message_size {
            0 => {
                let word = self.mirror.word(head);
                (word >> 32, word & 0xffff_ffff)
            }
            size => (0, size),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let record = self.record(length).ok();
        let ahead = tail.wrapping_sub(head);
        if ahead > AHEAD {
            self.mirror.prefetch(head.wrapping_add(AHEAD));
        }
        match record {
            Some(record) if record <= ahead && ahead <= self.mirror.size() => Ok(Found {
                payload: self.payload(head),
                length,
                number,
                end: head.wrapping_add(record),
            }),
            _ => Err(damaged(head, tail, length)),
        }
    }

    /// Copies a payload out.
    #[inline]
    pub(super) fn read<'a>(&self, found: Found, buffer: &'a mut [MaybeUninit<u8>]) -> &'a mut [u8] {
        let length = found.length.min(buffer.len());
        self.mirror.read(found.payload, &mut buffer[..length])
    }
}

/// What `last` is for a payload of this length that ends at this tail; never 0.
#[inline]
fn mark(tail: u64, length: usize) -> u64 {
    tail << 32 | (length as u64 + 1)
}

/// The error of who gives or expects messages of another size than they have.
#[cold]
pub(super) fn other_size(is: u64, given: u64) -> ErrorKind {
    ErrorKind::MessageSize { is, given }
}

#[cold]
fn damaged(head: u64, tail: u64, length: usize) -> ErrorKind {
    ErrorKind::Layout(
        format!("the ring is damaged: at {head}, before {tail}, stands the length {length}").into(),
    )
}

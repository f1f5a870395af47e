// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in the ring: how they are written, committed, found and read. Who may do it is decided elsewhere.
#![allow(
    clippy::inline_always,
    reason = "between near processors a call more shows in the round trip"
)]

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::layout::{BESIDE, Front, SAME_LINE};
use crate::error::ErrorKind;
use crate::map::mirror::{Mirror, Part};
use crate::sys::atomic::{AtomicU64, fence};

/// Bytes before a payload of a size that differs from message to message.
const LENGTH: u64 = 8;

/// How many bytes ahead of what is read or written a line is fetched: a processor waits for one line from another
/// as long as for eight.
const AHEAD: u64 = 512;

/// How many bytes of room a sender makes its own at a time.
const BLOCK: u64 = 1024;
const LINE: usize = 64;

/// The length has half a word.
const LONGEST: u64 = 0xffff_ffff - 8;

/// The shape of records.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    pub(super) mirror: Arc<Mirror>,
    front: Part<Front>,
    /// The line behind that which is polled.
    rest: Part<AtomicU64>,
    /// 0: any.
    message_size: u64,
}

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
    /// What stands at the copy beside the tail, if there is one; otherwise 0.
    mark: u64,
}

impl Found {
    /// What is found beside the tail has none: it is the one behind the last.
    #[inline]
    pub(super) fn has_number(self) -> bool {
        self.mark == 0
    }
}

impl Ring {
    pub(super) fn new(mirror: Arc<Mirror>, front: Part<Front>, message_size: u32) -> Self {
        let rest = front.project(|front| &front.rest_last);
        Self { mirror, front, rest, message_size: message_size.into() }
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
        Err(too_long(length, (self.mirror.size() - LENGTH).min(LONGEST)))
    }

    /// The length of every payload, where all have the same; otherwise 0.
    pub(super) fn fixed_length(&self) -> usize {
        usize::try_from(self.message_size).unwrap_or(usize::MAX)
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
        self.write_after(position, number, [], payload);
    }

    /// As [`Ring::write`], with words that the payload begins with.
    #[inline]
    pub(super) fn write_after<const N: usize>(
        &self,
        position: u64,
        number: u64,
        words: [u64; N],
        payload: &[u8],
    ) {
        self.write_length(position, number, 8 * N + payload.len());
        let mut at = self.payload(position);
        for word in words {
            self.mirror.set_word(at, word);
            at = at.wrapping_add(8);
        }
        self.mirror.write(at, payload);
    }

    /// Before a record from `position` to `end` is written: from time to time makes the lines that will be written next
    /// the sender's own, if they are before the limit; behind that they are still read.
    ///
    /// Each store waits for the line of the store before it. Among a call's own stores to the stack a processor
    /// sees two or three records ahead and fetches their lines at once; here it fetches sixteen.
    #[inline]
    pub(super) fn claim_room(&self, position: u64, end: u64, limit: u64) {
        if (position ^ end) >= BLOCK && end.wrapping_sub(position) <= BLOCK {
            self.claim_block((end & !(BLOCK - 1)).saturating_add(BLOCK), limit);
        }
    }

    fn claim_block(&self, block: u64, limit: u64) {
        if limit.saturating_sub(block) >= BLOCK {
            (block..block + BLOCK).step_by(LINE).for_each(|line| self.mirror.claim(line));
        }
    }

    /// Fetches what a waiting consumer will read besides the line that it polls, if the next message is as long as this.
    #[inline]
    pub(super) fn prefetch_next(&self, position: u64, length: usize) {
        if length > BESIDE {
            self.mirror.prefetch(position);
        } else if length > SAME_LINE {
            self.rest.prefetch();
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

    /// Commits what was written before `end`, of which `last` is the last payload, behind these words; it is put beside the tail if
    /// it is short.
    #[inline]
    pub(super) fn commit<const N: usize>(&self, end: u64, words: [u64; N], last: Option<&[u8]>) {
        let front = &*self.front;
        if let Some(last) = last.filter(|last| 8 * N + last.len() <= BESIDE) {
            let mark = mark(end, 8 * N + last.len());
            let (body, rest) = last.split_at(last.len().min(SAME_LINE - 8 * N));
            // The line that is polled comes last: a consumer that looks in between would take it away half written.
            if !rest.is_empty() {
                put(&front.rest_last, &front.rest, [], rest, mark);
            }
            put(&front.last, &front.body, words, body, mark);
        } else {
            // What another left, who was killed before he committed it, or 4 GiB ago, must not pass for this one. To look
            // whether there is any would fetch the line twice.
            // SYNC: before the tail, as in `put`.
            front.last.store(0, Ordering::Relaxed);
        }
        // SYNC: release pairs with the acquire in `tail`.
        front.tail.store(end, Ordering::Release);
    }

    /// The record at `head`, which must be before `tail`, if its payload is beside the tail.
    #[inline]
    pub(super) fn beside(&self, head: u64, tail: u64) -> Option<Found> {
        // SYNC: acquire pairs with the release in `put`.
        let mark = self.front.last.load(Ordering::Acquire);
        let length = (mark & 0xffff_ffff).wrapping_sub(1);
        let length = usize::try_from(length).ok().filter(|&length| length <= BESIDE)?;
        if mark != self::mark(tail, length) {
            return None;
        }
        let record = self.record(length).ok()?;
        let is_next = head.wrapping_add(record) == tail;
        let payload = self.payload(head);
        is_next.then_some(Found { payload, length, number: 0, end: tail, mark })
    }

    /// The record at `head`, which must be before `tail`; `None` when what is there cannot be one.
    #[inline]
    pub(super) fn find(&self, head: u64, tail: u64) -> Option<Found> {
        // Read once: whoever writes to it now cannot lead anybody astray.
        let (number, length) = match self.message_size {
            0 => {
                let word = self.mirror.word(head);
                (word >> 32, word & 0xffff_ffff)
            }
            size => (0, size),
        };
        let length = usize::try_from(length).ok()?;
        let ahead = tail.wrapping_sub(head);
        if ahead > AHEAD {
            self.mirror.prefetch(head.wrapping_add(AHEAD));
        }
        let record = self.record(length).ok()?;
        let is_inside = record <= ahead && ahead <= self.mirror.size();
        let (payload, end) = (self.payload(head), head.wrapping_add(record));
        is_inside.then_some(Found { payload, length, number, end, mark: 0 })
    }

    /// The error when there is none: `EPROTO`.
    #[cold]
    pub(super) fn damaged(&self, head: u64, tail: u64) -> ErrorKind {
        let what = match self.message_size {
            0 => format!("stands the length {}", self.mirror.word(head) & 0xffff_ffff),
            size => format!("is no room for {size} bytes"),
        };
        ErrorKind::Layout(format!("the ring is damaged: at {head}, before {tail}, {what}").into())
    }

    /// Copies a payload out. True if it was beside the tail: then it is whole, whatever became of the ring meanwhile.
    #[inline(always)]
    pub(super) fn read(&self, found: Found, buffer: &mut [MaybeUninit<u8>]) -> bool {
        let length = found.length.min(buffer.len());
        let buffer = &mut buffer[..length];
        let is_beside = found.mark != 0 && self.read_beside(found.mark, buffer);
        if !is_beside {
            self.mirror.read(found.payload, buffer);
        }
        is_beside
    }

    #[inline(always)]
    fn read_beside(&self, mark: u64, buffer: &mut [MaybeUninit<u8>]) -> bool {
        let front = &*self.front;
        let (body, rest) = buffer.split_at_mut(buffer.len().min(SAME_LINE));
        get(&front.body, body);
        if !rest.is_empty() {
            // SYNC: acquire pairs with the release in `put`.
            if front.rest_last.load(Ordering::Acquire) != mark {
                return false;
            }
            get(&front.rest, rest);
        }
        // SYNC: pairs with the fence in `put`.
        fence(Ordering::Acquire);
        let is_there = |last: &AtomicU64| last.load(Ordering::Relaxed) == mark;
        is_there(&front.last) && (rest.is_empty() || is_there(&front.rest_last))
    }
}

/// Puts a payload, or a part of one, behind these words into others, of which `last` tells whose they are.
#[inline]
fn put<const N: usize>(
    last: &AtomicU64,
    body: &[AtomicU64],
    words: [u64; N],
    payload: &[u8],
    mark: u64,
) {
    // SYNC: relaxed, then a fence: who sees a part of the new body finds `last` changed after it.
    last.store(0, Ordering::Relaxed);
    fence(Ordering::Release);
    fill(body, words, payload);
    // SYNC: release pairs with the acquire in `beside`.
    last.store(mark, Ordering::Release);
}

/// Writes a payload behind these words into others, which hold it.
#[inline]
pub(super) fn fill<const N: usize>(body: &[AtomicU64], words: [u64; N], payload: &[u8]) {
    let (first, body) = body.split_at(N);
    for (place, word) in first.iter().zip(words) {
        place.store(word, Ordering::Relaxed);
    }
    let (whole, rest) = payload.as_chunks::<8>();
    for (place, bytes) in body.iter().zip(whole) {
        place.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
    }
    if !rest.is_empty() {
        let mut bytes = [0; 8];
        bytes[..rest.len()].copy_from_slice(rest);
        body[whole.len()].store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
    }
}

/// Copies what is in words out, as much as there is room for.
#[inline]
pub(super) fn get(body: &[AtomicU64], room: &mut [MaybeUninit<u8>]) {
    // SYNC: relaxed: after the acquire with which the caller has found it, before the fence with which he checks it.
    let word = |word: &AtomicU64| word.load(Ordering::Relaxed).to_ne_bytes().map(MaybeUninit::new);
    let (rooms, rest) = room.as_chunks_mut::<8>();
    for (room, from) in rooms.iter_mut().zip(body) {
        *room = word(from);
    }
    if let Some(last) = body.get(rooms.len()).filter(|_| !rest.is_empty()) {
        rest.copy_from_slice(&word(last)[..rest.len()]);
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

/// The error of who gives more than there is room for.
#[cold]
pub(super) fn too_long(length: u64, limit: u64) -> ErrorKind {
    ErrorKind::TooLong { length, limit }
}

/// The error of whose buffer is smaller than the message.
#[cold]
pub(super) fn no_room_for(message: usize, buffer: usize) -> ErrorKind {
    ErrorKind::BufferSize { message: message as u64, buffer: buffer as u64 }
}

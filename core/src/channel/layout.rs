// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bytes of a channel, version 3. Another language can be taught to use it by this page alone.
//!
//! All numbers are in the machine's own byte order. All positions are 64-bit counts of bytes that went through the ring
//! since it was made; a position's place in the ring is its lowest bits.
//!
//! | bytes | what |
//! |---|---|
//! | 0..64 | the stamp of [`crate::layout`], kind `queue`, `topic` or `service`, the size of the whole object |
//! | 64..128 | [`Settings`]: fixed when the channel is made |
//! | 128..132 | what the record layout is: 0 none, 1 a PEP 3118 format; another number is of a later version |
//! | 132..136 | how many bytes its text has |
//! | 136..4032 | its text; with one, `message_size` is the size of a record |
//! | 4032..4096 | of a channel in a place: the creator's latch, a cell of [`sync`](crate::sync), until it is finished |
//! | 4096.. | [`Control`]: each part in 256 bytes of its own, so that no two are in one line nor in two that a processor fetches together |
//! | 8192.. | [`Participant`]s, 256 bytes each, as many as the settings say |
//! | behind them | of a service, for each participant: a [`Direct`] line, 256 bytes |
//! | settings.ring | the ring, on the next page |
//! | behind it | of a service, for each participant: [`Control`] in a page, and a ring of answers |
//!
//! A channel has a segment of its own, or lies in one that holds other things as well; it begins on a page, and positions count from
//! there.
//!
//! **Records.** With `message_size` 0, a record is 8 bytes that hold its payload's length (lower half) and, in a topic, the lower
//! half of the number of messages before it (upper half), then the payload, padded to a multiple of 8. Otherwise every payload has that size, there are no lengths, and a record is the payload padded to
//! a multiple of 8. A record that runs over the ring's end goes on at its beginning.
//!
//! **Sending.** Whoever has the producers' turn writes a record at `tail`, then adds its size to `tail`: that commits it. There
//! must be room: `tail - credit` is at most the ring's size after that. What lies in that room means nothing, and may be written
//! at any time by whoever has the turn. A payload of at most 104 bytes is put beside the tail as
//! well, so that a consumer that waits finds it in the line that it polls, or in the next one. If it has more than 48 bytes, `rest_last` is set to 0,
//! what is behind the 48th is written to `rest`, and `rest_last` is set to the mark: the lower half
//! of the new tail (upper half) and the payload's length plus one (lower half). Then `last` is set to 0, the first 48 bytes are written to `body`, and `last` is
//! set to the mark. Then comes the tail. A part is whole if its mark belongs to the tail before and after it was read.
//!
//! **Receiving.** Whoever has the consumers' turn reads the record at `head`, then adds its size to `head`: that takes it.
//! `credit` follows `head` when a quarter of the ring has been read.
//!
//! **Topics.** Nobody takes a message; each subscriber has a `position` of its own. `credit` is the oldest record that is
//! still whole. A publisher that runs out of room moves it on first, to the beginning of a record, by a quarter of the ring if it can: of a
//! reliable topic not beyond any living subscriber's position, of a latest one as far as needed. Then it writes. A subscriber
//! that finds `credit` beyond its position after it has read a record has read nothing: it goes on at `credit`, and the number
//! of the record there tells what it lost (with a `message_size`, the position tells).
//!
//! **Services.** The ring is a queue of questions, and each participant has a queue of answers to his. A question begins with the
//! asker's ticket (32 bits), the question's number (16 bits) and flags (16 bits); an answer begins in the same way. See [`super::service`].
//!
//! **Direct lines.** The lower half of `watch` is the ticket of the client who may ask in the line of his slot, where there is nothing of his
//! in the ring that was not taken yet: he writes the question to `body`, and then `word`. If `watch` names somebody else after that, he adds
//! 1 to its upper half, which tells servers to look at all lines. The word has, from the lowest bit on, 8 bits of state, 7 bits that tell how many bytes of `body`
//! count (56 at most), 1 bit that is set when the first 8 of them are the moment after which nobody waits, 16 bits of the asker's ticket (the upper ones; the
//! lower ones are the slot's), 16 bits of the question's number, and 16 bits that are the line's: never 0, and another number for each question in it.
//! The states are 0 nothing, 1 a question, 2 being answered, 3 answered, 4 answered by an error, 5 answered through the ring. Whoever has the consumers' turn
//! takes a question by writing `taken`: the upper half of the word, and his ticket in the lower half. Who has taken it changes the state from 1 to 2 (or to 5) by
//! compare and exchange, writes the answer to `body`, and then the word with the answer's length, and 3 or 4 for a state. A client who does not wait any
//! more changes 1 to 0 in the same way once the question was taken. See `service/direct.rs`.
//!
//! **Turns.** See [`super::turn`]. **Sleeping.** See [`super::wait`].

use zerocopy::FromBytes;

use crate::layout::STAMP_SIZE;
use crate::sys::atomic::{AtomicU32, AtomicU64};

/// Raised whenever the bytes change their meaning.
pub(super) const VERSION: u32 = 3;

/// Where [`Settings`] begin.
pub(super) const SETTINGS: usize = STAMP_SIZE;
/// Where the record layout begins, see [`super::declared`].
pub(super) const LAYOUT: usize = 128;
/// Where [`Control`] begins.
pub(super) const CONTROL: usize = 4096;
/// Where the [`Participant`]s begin.
pub(super) const PARTICIPANTS: usize = 8192;

/// How much of a payload is put into the same line as the tail.
pub(super) const SAME_LINE: usize = 48;
/// The longest payload that is put beside the tail, with the rest of it in the next line.
pub(super) const BESIDE: usize = SAME_LINE + 56;

/// What was chosen when the channel was made.
#[derive(Debug, FromBytes)]
#[repr(C)]
pub(super) struct Settings {
    /// Where the ring begins, on a page.
    pub(super) ring: AtomicU64,
    /// Its size, a power of two.
    pub(super) ring_size: AtomicU64,
    /// 0: messages of any size. Otherwise the size of each.
    pub(super) message_size: AtomicU32,
    /// How many participants there can be.
    pub(super) participants: AtomicU32,
    /// See [`super::wait`]: 1 when somebody could not do without fences.
    pub(super) fences: AtomicU32,
    /// Of a topic: 1 when publishers wait for subscribers.
    pub(super) reliable: AtomicU32,
    /// Of a service: the size of each ring of answers, a power of two; 0 of others.
    pub(super) reply_size: AtomicU64,
    reserved: [AtomicU32; 6],
}

/// A part that is alone in its 256 bytes.
#[derive(Debug, FromBytes)]
#[repr(C, align(256))]
pub(super) struct Apart<T>(pub(super) T);

/// What changes with every message.
#[derive(Debug, FromBytes)]
#[repr(C)]
pub(super) struct Control {
    /// Written by whoever has the producers' turn.
    pub(super) front: Apart<Front>,
    /// Written by whoever has the consumers' turn.
    pub(super) head: Apart<AtomicU64>,
    /// Everything before this position may be overwritten. Of a queue it is written as `head`, of a topic as `front`.
    pub(super) credit: Apart<AtomicU64>,
    /// Of a topic: how many messages were committed. The one whose tail is the tail counts.
    pub(super) counts: Apart<[Count; 2]>,
    /// Whose turn it is to send.
    pub(super) producers: Apart<Turn>,
    /// Whose turn it is to receive.
    pub(super) consumers: Apart<Turn>,
    /// Who sleeps until something comes.
    pub(super) data: Apart<Bed>,
    /// Who sleeps until there is room.
    pub(super) room: Apart<Bed>,
    /// Of a service: whose direct line servers look at (lower half), and whether they must look at all (upper half, not 0).
    pub(super) watch: Apart<AtomicU64>,
}

/// The line that a waiting consumer polls, and the next one.
#[derive(Debug, FromBytes)]
#[repr(C, align(128))]
pub(super) struct Front {
    /// Everything before this position is committed.
    pub(super) tail: AtomicU64,
    /// Which message `body` is.
    pub(super) last: AtomicU64,
    pub(super) body: [AtomicU64; SAME_LINE / 8],
    /// Which message `rest` is of.
    pub(super) rest_last: AtomicU64,
    pub(super) rest: [AtomicU64; (BESIDE - SAME_LINE) / 8],
}

/// How many messages there were when the tail was this. Each time the other of the two is written: its tail to 0, its messages,
/// its tail; and then the tail itself. So there is always one that is right, whenever the writer dies.
#[derive(Debug, FromBytes)]
#[repr(C)]
pub(super) struct Count {
    pub(super) tail: AtomicU64,
    pub(super) messages: AtomicU64,
}

/// See [`super::turn`].
#[derive(Debug, FromBytes)]
#[repr(C, align(64))]
pub(super) struct Turn {
    /// Who has it, and how.
    pub(super) word: AtomicU64,
    /// Changes when it is given back to somebody who sleeps.
    pub(super) bell: AtomicU32,
    /// Who had it before.
    pub(super) previous: AtomicU32,
}

/// See [`super::wait`].
#[derive(Debug, FromBytes)]
#[repr(C, align(64))]
pub(super) struct Bed {
    /// Whether somebody may be asleep (lowest bit); the rest changes whenever somebody lies down.
    pub(super) sleepers: AtomicU32,
    /// Changes with each wake-up: the futex.
    pub(super) bell: AtomicU32,
    /// Where consumers sleep: 1 while one of them lets several messages come each time, see [`super::pace`]. A hint.
    pub(super) paced: AtomicU32,
}

/// One handle of one process.
#[derive(Debug, FromBytes)]
#[repr(C, align(256))]
pub(super) struct Participant {
    pub(super) identity: Who,
    pub(super) sender: Half,
    pub(super) receiver: Half,
    /// Of a service's client: who took the question of each call: the call's number (upper half) and a ticket. Written
    /// before the question is taken; until then it may tell of an earlier call, or of a server that died before it
    /// could take this one. So whoever reads it looks first whether the question was taken.
    pub(super) calls: [AtomicU64; CALLS],
}

/// Who the participant is.
#[derive(Debug, FromBytes)]
#[repr(C, align(64))]
pub(super) struct Who {
    /// See [`super::participant`].
    pub(super) state: AtomicU64,
    pub(super) process: AtomicU64,
    pub(super) since: AtomicU64,
}

/// One of the two things that a handle can do at a time, each of them by one thread.
#[derive(Debug, FromBytes)]
#[repr(C, align(64))]
pub(super) struct Half {
    /// 1 while it is at work, see [`super::turn`].
    pub(super) busy: AtomicU32,
    /// How many messages it has sent, or received.
    pub(super) messages: AtomicU64,
    /// How often it had to wait.
    pub(super) waits: AtomicU64,
    /// Of a topic's subscriber: how many messages it has lost.
    pub(super) lost: AtomicU64,
    /// Of a topic's subscriber: what it has not read yet begins here.
    pub(super) position: AtomicU64,
    /// Of a topic's subscriber: its ticket while its position counts, otherwise 0.
    pub(super) subscribed: AtomicU32,
}

/// Of a service's participant: where a question and its answer go to and fro in one line, see `service/direct.rs`.
#[derive(Debug, FromBytes)]
#[repr(C, align(256))]
pub(super) struct Direct {
    /// What is in `body`, and whose turn it is to write there.
    pub(super) word: AtomicU64,
    pub(super) body: [AtomicU64; DIRECT / 8],
    apart: [AtomicU64; 8],
    /// Which question was taken (upper half), and by whom (a ticket). Written by whoever has the consumers' turn.
    pub(super) taken: AtomicU64,
}

/// How many bytes a direct line holds.
pub(super) const DIRECT: usize = 56;

/// How many questions of one client can be open at a time.
pub(super) const CALLS: usize = 8;

const _: () = assert!(size_of::<Settings>() == 64);
const _: () = assert!(size_of::<Front>() == 128);
const _: () = assert!(size_of::<Participant>() == 256);
const _: () = assert!(size_of::<Direct>() == 256);
const _: () = assert!(CONTROL + size_of::<Control>() <= PARTICIPANTS);

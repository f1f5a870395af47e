// SPDX-License-Identifier: MIT OR Apache-2.0
//! What questions and answers consist of.

/// Bytes before a question or an answer; twice as many with a moment.
pub(super) const HEADER: usize = 8;

/// In a question: the moment follows.
pub(super) const HAS_DEADLINE: u16 = 1;

/// In an answer: it is the last one,
pub(super) const LAST: u16 = 0;
/// a part before more,
pub(super) const MORE: u16 = 1;
/// an error.
pub(super) const FAILED: u16 = 2;

/// The word that a question, or an answer, begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) client: u32,
    pub(super) call: u16,
    pub(super) what: u16,
}

impl Header {
    #[inline]
    pub(super) fn word(self) -> [u8; HEADER] {
        (u64::from(self.what) << 48 | u64::from(self.call) << 32 | u64::from(self.client))
            .to_ne_bytes()
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the parts of a word")]
    pub(super) fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (word, rest) = bytes.split_first_chunk()?;
        let word = u64::from_ne_bytes(*word);
        let header =
            Self { client: word as u32, call: (word >> 32) as u16, what: (word >> 48) as u16 };
        Some((header, rest))
    }
}

/// What is not kept for the next answer.
const MUCH: usize = 1 << 14;

/// What is put together without asking for memory.
const SHORT: usize = 128;

/// Puts a message together for somebody who sends it.
#[inline]
pub(super) fn joined<R>(header: Header, parts: [&[u8]; 2], send: impl FnOnce(&[u8]) -> R) -> R {
    let length = HEADER + parts[0].len() + parts[1].len();
    let mut short = [0; SHORT];
    let Some((first, mut room)) =
        short.get_mut(..length).and_then(<[u8]>::split_first_chunk_mut::<HEADER>)
    else {
        return send(&[&header.word(), parts[0], parts[1]].concat());
    };
    *first = header.word();
    for part in parts {
        let (here, behind) = room.split_at_mut(part.len());
        here.copy_from_slice(part);
        room = behind;
    }
    send(&short[..length])
}

/// An answer as it came, or a part of one.
#[derive(Debug)]
pub(super) struct Part {
    what: u16,
    bytes: Vec<u8>,
}

impl Part {
    /// What came, with the word that it begins with.
    #[inline]
    pub(super) fn new(header: Header, bytes: Vec<u8>) -> Self {
        Self { what: header.what, bytes }
    }

    /// What was answered, where it is no error.
    pub(super) fn into_payload(mut self) -> Vec<u8> {
        self.bytes.drain(..HEADER);
        self.bytes
    }

    /// Its memory, for the next one, unless it is much.
    pub(super) fn into_room(self) -> Vec<u8> {
        if self.bytes.capacity() <= MUCH { self.bytes } else { Vec::new() }
    }

    /// Will more follow?
    #[inline]
    pub(super) fn has_more(&self) -> bool {
        self.what == MORE
    }

    /// What was answered; otherwise the number and the words of an error.
    #[inline]
    pub(super) fn payload(&self) -> Result<&[u8], (i32, &[u8])> {
        let rest = &self.bytes[HEADER..];
        if self.what != FAILED {
            return Ok(rest);
        }
        match rest.split_first_chunk() {
            Some((errno, words)) => Err((i32::from_ne_bytes(*errno), words)),
            None => Err((libc::EIO, rest)),
        }
    }
}

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
    pub(super) fn word(self) -> u64 {
        u64::from(self.what) << 48 | u64::from(self.call) << 32 | u64::from(self.client)
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

/// An answer as it came, or a part of one: with the word that it begins with.
#[derive(Debug, Default)]
pub(super) struct Part(pub(super) Vec<u8>);

impl Part {
    /// The word, if there is one.
    #[inline]
    pub(super) fn header(&self) -> Option<Header> {
        Header::parse(&self.0).map(|(header, _)| header)
    }

    #[inline]
    fn what(&self) -> u16 {
        self.header().map_or(LAST, |header| header.what)
    }

    /// What was answered, where it is no error.
    pub(super) fn into_payload(mut self) -> Vec<u8> {
        self.0.drain(..HEADER);
        self.0
    }

    /// Its memory is for the next one, unless it is much.
    #[inline]
    pub(super) fn forget(&mut self) {
        if self.0.capacity() > MUCH {
            self.0 = Vec::new();
        }
    }

    /// Will more follow?
    #[inline]
    pub(super) fn has_more(&self) -> bool {
        self.what() == MORE
    }

    /// What was answered; otherwise the number and the words of an error.
    #[inline]
    pub(super) fn payload(&self) -> Result<&[u8], (i32, &[u8])> {
        let rest = self.0.get(HEADER..).unwrap_or_default();
        if self.what() != FAILED {
            return Ok(rest);
        }
        match rest.split_first_chunk() {
            Some((errno, words)) => Err((i32::from_ne_bytes(*errno), words)),
            None => Err((libc::EIO, rest)),
        }
    }
}

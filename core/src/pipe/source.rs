// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end from which a program's output is read: bytes or lines, with a buffer behind it.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::poll::PollFlags;

use super::turn::{Taken, Turn};
use crate::error::ErrorKind;
use crate::stream::{Limit, Stream, uninit};
use crate::time::Timeout;
use crate::{fd, sys};

/// The longest line unless said otherwise, in bytes.
pub(super) const LINE_LIMIT: usize = 1 << 20;
/// So much is kept at most for somebody who writes and does not read.
const UNREAD_LIMIT: usize = 64 << 20;
/// How much is read at once.
const STEP: usize = 64 << 10;
/// Into less room nothing is read at once: a line that is longer would come in pieces, and several lines one by one.
const WORTH_IT: usize = 4096;

/// Bytes that were read and not yet given away.
#[derive(Debug, Default)]
struct Buffer {
    /// Initialised room, of which `start..end` are bytes.
    room: Vec<u8>,
    start: usize,
    end: usize,
    /// Up to here there is no newline.
    searched: usize,
    ended: bool,
}

/// What is behind the lock, which nobody holds while waiting.
#[derive(Debug)]
struct State {
    stream: Option<Arc<Stream>>,
    buffer: Buffer,
}

/// The reading end, for any number of threads.
#[derive(Debug)]
pub(super) struct Source {
    state: Mutex<State>,
    /// Who has it is alone with the stream, so that the buffer's order is the stream's.
    turn: Turn,
    line_limit: usize,
    /// A terminal that nobody else has, so that it does not block and ends with EIO.
    terminal: bool,
}

impl State {
    /// The stream, kept for one call whatever other threads do; `EBADF` once it is closed.
    fn stream(&self) -> Result<Arc<Stream>, ErrorKind> {
        self.stream.clone().ok_or(ErrorKind::Os(libc::EBADF))
    }
}

impl Source {
    pub(super) fn new(stream: Arc<Stream>, line_limit: usize, terminal: bool) -> Self {
        let state = State { stream: Some(stream), buffer: Buffer::default() };
        Self { state: Mutex::new(state), turn: Turn::default(), line_limit, terminal }
    }

    /// The stream, kept for one call whatever other threads do; `EBADF` once it is closed.
    pub(super) fn stream(&self) -> Result<Arc<Stream>, ErrorKind> {
        lock(&self.state).stream()
    }

    /// Nobody reads any more. A call that is under way goes on to its end.
    pub(super) fn close(&self) {
        lock(&self.state).stream.take();
    }

    pub(super) fn line_limit(&self) -> usize {
        self.line_limit
    }

    /// For who writes and finds no room meanwhile.
    pub(super) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// Are there bytes that were read already, which no poll shows?
    pub(super) fn has_buffered(&self) -> bool {
        lock(&self.state).buffer.length() > 0
    }

    /// Is nothing to be read any more, as far as one can tell now?
    pub(super) fn has_ended(&self) -> bool {
        let state = lock(&self.state);
        let still = || match &state.stream {
            // Somebody may have opened the other side of a terminal again.
            Some(stream) if self.terminal => has_hung_up(stream),
            _ => true,
        };
        state.buffer.ended && still()
    }

    /// The state at the beginning of a read. The turn is the caller's.
    fn begin(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        if self.terminal {
            // Who opens the other side again has more to say; as long as nobody has, the kernel tells the end again.
            state.buffer.ended = false;
        }
        state
    }

    /// What is there, at most the room; 0 at the end.
    pub(super) fn read(&self, room: &mut [u8], limit: &mut Limit) -> Result<usize, ErrorKind> {
        let _turn = self.turn.take(limit)?;
        let mut state = self.begin();
        let stream = state.stream()?;
        let kept = state.buffer.bytes();
        if !kept.is_empty() {
            let count = kept.len().min(room.len());
            room[..count].copy_from_slice(&kept[..count]);
            state.buffer.consume(count);
            return Ok(count);
        }
        if state.buffer.ended || room.is_empty() {
            return Ok(0);
        }
        drop(state);
        let count = self.read_stream(&stream, room, limit)?;
        if count == 0 {
            lock(&self.state).buffer.ended = true;
        }
        Ok(count)
    }

    /// Gives the next line, without its newline, to `take`, and forgets it if `take` succeeds. Nothing at the end; a
    /// last line may have no newline.
    ///
    /// Errors: `TooLong` when no newline comes within the limit; the bytes stay, for `read`.
    pub(super) fn line<R>(
        &self,
        limit: &mut Limit,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<Option<R>, ErrorKind> {
        let _turn = self.turn.take(limit)?;
        let state = self.begin();
        let stream = state.stream()?;
        self.next_line(&stream, state, limit, take)
    }

    /// As `line`, into room for the line and one byte more: how long it is. When nothing was read ahead, the line comes
    /// there at once, without a copy.
    ///
    /// Errors: also `EMSGSIZE` when it does not fit; it stays the next line.
    pub(super) fn line_into(
        &self,
        room: &mut [u8],
        limit: &mut Limit,
    ) -> Result<Option<usize>, ErrorKind> {
        let _turn = self.turn.take(limit)?;
        let mut state = self.begin();
        let stream = state.stream()?;
        if room.len() >= WORTH_IT && state.buffer.length() == 0 && !state.buffer.ended {
            drop(state);
            let count = self.read_stream(&stream, room, limit)?;
            let came = &room[..count];
            match newline(came) {
                Some(length) if length + 1 == count && length <= self.line_limit => {
                    return Ok(Some(length));
                }
                _ => {}
            }
            state = lock(&self.state);
            state.buffer.add(came);
            state.buffer.ended = count == 0;
        }
        self.next_line(&stream, state, limit, |line| {
            if line.len() >= room.len() {
                return Err(ErrorKind::Os(libc::EMSGSIZE));
            }
            room[..line.len()].copy_from_slice(line);
            Ok(line.len())
        })
    }

    /// The first line of the buffer, or of what comes. The turn is the caller's.
    fn next_line<'a, R>(
        &'a self,
        stream: &Stream,
        mut state: MutexGuard<'a, State>,
        limit: &mut Limit,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<Option<R>, ErrorKind> {
        loop {
            let buffer = &mut state.buffer;
            let length = match buffer.newline() {
                Some(length) => length,
                None if buffer.ended && buffer.bytes().is_empty() => return Ok(None),
                None if buffer.ended => buffer.bytes().len(),
                None => {
                    self.check_length(buffer.bytes().len())?;
                    state = self.fill(stream, state, limit)?;
                    continue;
                }
            };
            self.check_length(length)?;
            let given = take(&buffer.bytes()[..length])?;
            let newline = usize::from(length < buffer.bytes().len());
            buffer.consume(length + newline);
            return Ok(Some(given));
        }
    }

    fn check_length(&self, length: usize) -> Result<(), ErrorKind> {
        if length > self.line_limit {
            let (length, limit) = (length as u64, self.line_limit as u64);
            return Err(ErrorKind::TooLong { length, limit });
        }
        Ok(())
    }

    /// Reads once what is there, for somebody who needs the program to go on. The turn is the caller's.
    pub(super) fn drain(&self, _turn: &Taken<'_>) -> Result<(), ErrorKind> {
        let state = lock(&self.state);
        let stream = state.stream()?;
        if state.buffer.length() >= UNREAD_LIMIT {
            return Err(ErrorKind::Os(libc::ENOBUFS));
        }
        match self.fill(&stream, state, &mut Limit::new(Timeout::TRY)) {
            Err(ErrorKind::WouldBlock) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Waits for more bytes, or the end, and puts them into the buffer. The turn is the caller's; the lock is given up
    /// meanwhile, with the room taken out of the buffer.
    fn fill<'a>(
        &'a self,
        stream: &Stream,
        mut state: MutexGuard<'a, State>,
        limit: &mut Limit,
    ) -> Result<MutexGuard<'a, State>, ErrorKind> {
        let mut room = state.buffer.lend();
        drop(state);
        let end = room.end;
        let outcome = self.read_stream(stream, &mut room.bytes[end..], limit);
        if let Ok(count) = outcome {
            room.end += count;
        }
        let mut state = lock(&self.state);
        state.buffer.take_back(room);
        state.buffer.ended |= outcome == Ok(0);
        outcome.map(|_| state)
    }

    fn read_stream(
        &self,
        stream: &Stream,
        room: &mut [u8],
        limit: &mut Limit,
    ) -> Result<usize, ErrorKind> {
        if !self.terminal {
            return stream.read_within(uninit(room), limit);
        }
        loop {
            match sys::stream::read(stream.as_fd(), uninit(room)) {
                // The other side has hung up.
                Err(Errno::EIO) => return Ok(0),
                Err(Errno::EAGAIN) => limit.wait(stream.as_fd(), PollFlags::POLLIN)?,
                other => return Ok(other?),
            }
        }
    }
}

/// Does nobody hold the other side of a terminal?
fn has_hung_up(stream: &Stream) -> bool {
    let now = Timeout::TRY.deadline();
    fd::wait(stream.as_fd(), PollFlags::POLLIN, now)
        .is_ok_and(|events| events.contains(PollFlags::POLLHUP))
}

/// The buffer's room while bytes are read into it.
struct Room {
    bytes: Vec<u8>,
    end: usize,
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        &self.room[self.start..self.end]
    }

    /// Holds while the room is lent, too.
    fn length(&self) -> usize {
        self.end - self.start
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.searched = self.searched.max(self.start);
        if self.start == self.end {
            (self.start, self.end, self.searched) = (0, 0, 0);
        }
    }

    /// How long the first line is, if there is a newline. Each byte is looked at once.
    fn newline(&mut self) -> Option<usize> {
        let found = newline(&self.room[self.searched..self.end]);
        self.searched = found.map_or(self.end, |at| self.searched + at);
        found.map(|_| self.searched - self.start)
    }

    /// Room for more bytes, behind those that are there.
    fn lend(&mut self) -> Room {
        if self.start > 0 && self.room.len() - self.end < STEP {
            self.room.copy_within(self.start..self.end, 0);
            self.searched -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        if self.room.len() - self.end < STEP / 2 {
            // Twice as much each time, so that a long line is not copied too often.
            self.room.resize(2 * self.room.len().max(STEP / 2), 0);
        }
        Room { bytes: std::mem::take(&mut self.room), end: self.end }
    }

    fn take_back(&mut self, room: Room) {
        self.room = room.bytes;
        self.end = room.end;
    }

    /// Puts bytes behind those that are there.
    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut room = self.lend();
            let free = &mut room.bytes[room.end..];
            let (now, later) = bytes.split_at(bytes.len().min(free.len()));
            free[..now.len()].copy_from_slice(now);
            room.end += now.len();
            self.take_back(room);
            bytes = later;
        }
    }
}

/// Where the first newline is.
pub(super) fn newline(bytes: &[u8]) -> Option<usize> {
    sys::stream::find(b'\n', bytes)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic could have left half-done is whole under each of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.add(bytes);
        buffer
    }

    #[test]
    fn lines_are_found_across_what_comes_in_pieces() {
        let mut buffer = with(b"one\ntw");
        assert_eq!(buffer.newline(), Some(3));
        buffer.consume(4);
        assert_eq!(buffer.newline(), None);
        buffer.add(b"o\n\nrest");
        assert_eq!(buffer.newline(), Some(3));
        assert_eq!(buffer.newline(), Some(3), "asking again gives the same");
        buffer.consume(4);
        assert_eq!(buffer.newline(), Some(0));
        buffer.consume(1);
        assert_eq!((buffer.newline(), buffer.bytes()), (None, b"rest".as_slice()));
    }

    #[test]
    fn a_long_line_makes_the_room_grow_and_a_consumed_one_does_not() {
        let mut buffer = Buffer::default();
        for _ in 0..100 {
            buffer.add(&[b'x'; 1000]);
            assert_eq!(buffer.newline(), None);
        }
        assert_eq!(buffer.bytes().len(), 100_000);
        let mut short = Buffer::default();
        for _ in 0..1000 {
            short.add(&[b'\n'; 1000]);
            while let Some(length) = short.newline() {
                short.consume(length + 1);
            }
        }
        assert!(short.room.len() <= 2 * STEP, "{}", short.room.len());
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages in a row, and one that is lent.

use std::mem::MaybeUninit;

use super::super::ring::other_size;
use super::Receiver;
use crate::error::ErrorKind;
use crate::time::Timeout;

impl Receiver {
    /// Receives messages of one size in a row, as many as are there and fit, at least one; tells how many.
    pub(in crate::channel) fn receive_row(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> Result<usize, ErrorKind> {
        let most = buffer.len().checked_div(size).unwrap_or(0);
        if most == 0 {
            return Err(ErrorKind::invalid("there is no room for a message"));
        }
        let mut found = self.arrive(timeout)?;
        if found.length != size {
            self.turn.exit();
            return Err(other_size(found.length as u64, size as u64));
        }
        let record = found.end.wrapping_sub(self.position);
        let ahead = self.tail.wrapping_sub(self.position).min(self.ring.mirror.size());
        let rows = usize::try_from(ahead / record).unwrap_or(usize::MAX);
        if self.ring.payload(0) == 0 && record == size as u64 {
            let count = most.min(rows);
            self.ring.mirror.read(self.position, &mut buffer[..count * size]);
            self.take(self.position.wrapping_add(record * count as u64), count);
            return Ok(count);
        }
        let mut count = 0;
        for room in buffer.chunks_exact_mut(size) {
            self.ring.read(found, room);
            count += 1;
            if count == most || found.end == self.tail {
                break;
            }
            match self.ring.find(found.end, self.tail) {
                Some(next) if next.length == size => found = next,
                _ => break,
            }
        }
        self.take(found.end, count);
        Ok(count)
    }

    /// Receives the messages that are there, at most so many and at least one: each into memory that `make` makes for its length. One for which it
    /// makes none stays, and those behind it. How many.
    pub(in crate::channel) fn receive_each(
        &mut self,
        most: usize,
        timeout: Timeout,
        mut make: impl FnMut(usize, &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> bool,
    ) -> Result<usize, ErrorKind> {
        let mut found = self.arrive(timeout)?;
        let (mut count, mut told, mut end) = (0, 0, self.position);
        while make(found.length, &mut |buffer| _ = self.ring.read(found, buffer)) {
            (count, end) = (count + 1, found.end);
            if end.wrapping_sub(self.position) >= self.ring.mirror.size() / 4 {
                self.advance(end, count - told);
                told = count;
            }
            if count >= most || end == self.tail {
                break;
            }
            // What is damaged the next call says.
            let Some(next) = self.ring.find(end, self.tail) else { break };
            found = next;
        }
        self.take(end, count - told);
        Ok(count)
    }

    /// Lends the next message where it lies; others who receive wait until it is taken or left.
    pub(in crate::channel) fn peek(
        &mut self,
        timeout: Timeout,
    ) -> Result<(*mut u8, usize), ErrorKind> {
        let found = self.arrive(timeout)?;
        self.lent = Some(found);
        Ok((self.ring.mirror.address(found.payload), found.length))
    }

    /// Takes what was lent, or leaves it in the queue.
    pub(in crate::channel) fn finish(&mut self, taken: bool) -> Result<(), ErrorKind> {
        let Some(found) = self.lent.take() else {
            return Err(ErrorKind::invalid("nothing is lent"));
        };
        if taken {
            self.take(found.end, 1);
        } else {
            self.turn.exit();
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end to which a program's input is written, and what to do when it is full.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::source::{Source, lock};
use super::turn::{Taken, Turn};
use crate::error::ErrorKind;
use crate::stream::{Limit, Stream};
use crate::sys;
use crate::time::{Deadline, Timeout};

/// How long a line may be that gets its newline in such room: the copy costs less than the newline's own call.
pub(super) const COPIED: usize = 4096;

/// What is behind the lock, which nobody holds while waiting.
#[derive(Debug)]
struct State {
    stream: Option<Arc<Stream>>,
    /// Where a line gets its newline, so that both go together: kept from one line to the next.
    room: Vec<u8>,
}

/// The writing end, for any number of threads.
#[derive(Debug)]
pub(super) struct Sink {
    state: Mutex<State>,
    turn: Turn,
    /// A terminal that nobody else has, so that it does not block.
    terminal: bool,
}

impl Sink {
    pub(super) fn new(stream: Arc<Stream>, terminal: bool) -> Self {
        let state = State { stream: Some(stream), room: Vec::new() };
        Self { state: Mutex::new(state), turn: Turn::default(), terminal }
    }

    /// The stream, kept for one call whatever other threads do; `EBADF` once it is closed.
    pub(super) fn stream(&self) -> Result<Arc<Stream>, ErrorKind> {
        lock(&self.state).stream.clone().ok_or(ErrorKind::Os(libc::EBADF))
    }

    /// Nobody writes any more: the program sees the end of its input. A call that is under way goes on to its end.
    pub(super) fn close(&self) {
        lock(&self.state).stream.take();
    }

    /// Nobody else's bytes come between.
    pub(super) fn take_turn(&self, limit: &mut Limit) -> Result<Taken<'_>, ErrorKind> {
        self.turn.take(limit)
    }

    /// Writes all bytes to a program whose output is not ours.
    pub(super) fn write(&self, bytes: &[u8], limit: &mut Limit) -> Result<(), ErrorKind> {
        let stream = self.stream()?;
        let _turn = self.take_turn(limit)?;
        let written = stream.write_all_within(bytes, limit);
        written.map_err(|(cause, done)| cause.after(done, bytes.len()))
    }

    /// Writes what is left of both parts behind the first `done` bytes, and counts there, to a program whose output is `output`. As long
    /// as the input is full, what the program puts out is read and kept: it would else wait for us, and we for it.
    /// The turn is the caller's.
    pub(super) fn write_and_drain(
        &self,
        parts: [&[u8]; 2],
        done: &mut usize,
        output: &Source,
        limit: &mut Limit,
        _turn: &Taken<'_>,
    ) -> Result<(), ErrorKind> {
        let stream = self.stream()?;
        while let Some(rest) = behind(parts, *done) {
            *done += match self.attempt(&stream, rest) {
                Err(ErrorKind::WouldBlock | ErrorKind::Os(libc::EAGAIN)) => {
                    make_room(&stream, output, limit).map(|()| 0)
                }
                other => other,
            }?;
        }
        Ok(())
    }

    /// Room for a line, which was used before.
    pub(super) fn take_room(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.state).room)
    }

    /// Gives the room back for the next line.
    pub(super) fn give_room(&self, mut room: Vec<u8>) {
        room.clear();
        lock(&self.state).room = room;
    }

    /// Writes what fits at once.
    fn attempt(&self, stream: &Stream, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if self.terminal {
            return Ok(sys::stream::write(stream.as_fd(), bytes, true)?);
        }
        stream.write(bytes, Timeout::TRY)
    }
}

/// What is left of the part that is being written, behind `done` bytes of both.
fn behind([first, second]: [&[u8]; 2], done: usize) -> Option<&[u8]> {
    let of_second = done.saturating_sub(first.len());
    let rest = first.get(done..).filter(|rest| !rest.is_empty()).unwrap_or(&second[of_second..]);
    (!rest.is_empty()).then_some(rest)
}

/// Waits until there may be room in the input, and reads output that comes meanwhile.
fn make_room(input: &Stream, output: &Source, limit: &mut Limit) -> Result<(), ErrorKind> {
    let room = PollFd::new(input.as_fd(), PollFlags::POLLOUT);
    let stream = match output.stream() {
        Ok(stream) if !output.has_ended() => stream,
        // Nothing is to be read any more.
        _ => return limit.wait(input.as_fd(), PollFlags::POLLOUT),
    };
    let turn = output.turn();
    if turn.is_taken() {
        // Another thread reads, which keeps the program going as well as we would, as long as it does.
        let waiter = turn.waiter()?;
        if turn.is_taken() {
            let reader = PollFd::new(waiter.as_fd(), PollFlags::POLLIN);
            if let [_, true] = either([room, reader], limit)? {
                waiter.heard();
            }
        }
        return Ok(());
    }
    let more = PollFd::new(stream.as_fd(), PollFlags::POLLIN);
    match (either([room, more], limit)?, turn.try_take()) {
        ([false, true], Some(turn)) => output.drain(&turn),
        // There may be room, or somebody else reads.
        _ => Ok(()),
    }
}

/// Waits for one of two; which of them there are.
fn either(mut polled: [PollFd<'_>; 2], limit: &mut Limit) -> Result<[bool; 2], ErrorKind> {
    let left = time_left(limit.deadline());
    if ppoll(&mut polled, left, None)? == 0 {
        return Err(limit.expired());
    }
    // Bits that nix does not know mean that something happened, too.
    Ok(polled.map(|one| one.revents().is_none_or(|events| !events.is_empty())))
}

fn time_left(deadline: Deadline) -> Option<TimeSpec> {
    match deadline.remaining() {
        Timeout::Forever => None,
        Timeout::After(left) => Some(TimeSpec::from(sys::timer::timespec(left))),
    }
}

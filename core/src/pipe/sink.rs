// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end to which a program's input is written, and what to do when it is full.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use nix::sys::uio::writev;

use super::source::{Source, lock};
use super::turn::{Taken, Turn};
use crate::error::{Error, ErrorKind};
use crate::stream::{Limit, Stream, behind};
use crate::sys;
use crate::time::{Deadline, Timeout};

/// The writing end, for any number of threads.
#[derive(Debug)]
pub(super) struct Sink {
    /// Nobody holds the lock while waiting.
    stream: Mutex<Option<Arc<Stream>>>,
    turn: Turn,
    /// A terminal that nobody else has, so that it does not block.
    terminal: bool,
}

impl Sink {
    pub(super) fn new(stream: Arc<Stream>, terminal: bool) -> Self {
        Self { stream: Mutex::new(Some(stream)), turn: Turn::default(), terminal }
    }

    /// The stream, kept for one call whatever other threads do; `EBADF` once it is closed.
    pub(super) fn stream(&self) -> Result<Arc<Stream>, ErrorKind> {
        lock(&self.stream).clone().ok_or(ErrorKind::Os(libc::EBADF))
    }

    /// Nobody writes any more: the program sees the end of its input. A call that is under way goes on to its end.
    pub(super) fn close(&self) {
        lock(&self.stream).take();
    }

    /// Nobody else's bytes come between.
    pub(super) fn take_turn(&self, limit: &mut Limit) -> Result<Taken<'_>, ErrorKind> {
        self.turn.take(limit)
    }

    /// The turn that is held, which goes on in this thread, or a new one that is held from now on.
    pub(super) fn hold_turn<'h, 'a>(
        &'a self,
        held: &'h mut Option<Taken<'a>>,
        limit: &mut Limit,
    ) -> Result<&'h Taken<'a>, ErrorKind> {
        match held {
            Some(turn) => {
                turn.keep();
                Ok(turn)
            }
            none => Ok(none.insert(self.take_turn(limit)?)),
        }
    }

    /// Writes what is left behind the first `done` bytes, and counts there, to a program whose output is not ours. The
    /// turn is the caller's.
    pub(super) fn write(
        &self,
        bytes: &[u8],
        done: &mut usize,
        limit: &mut Limit,
        _turn: &Taken<'_>,
    ) -> Result<(), ErrorKind> {
        let stream = self.stream()?;
        let rest = &bytes[*done..];
        let written = stream.write_all_within(rest, limit);
        *done += written.as_ref().map_or_else(|(_, more)| *more, |()| rest.len());
        written.map_err(|(cause, _)| cause)
    }

    /// Writes what is left of both parts behind the first `done` bytes, and counts there, to a program whose output is
    /// `output`. As long as the input is full, what the program puts out is read and kept: it would else wait for us, and
    /// we for it. The turn is the caller's.
    pub(super) fn write_and_drain(
        &self,
        parts: [&[u8]; 2],
        done: &mut usize,
        output: &Source,
        limit: &mut Limit,
        _turn: &Taken<'_>,
    ) -> Result<(), ErrorKind> {
        let stream = self.stream()?;
        let all = parts[0].len() + parts[1].len();
        while *done < all {
            *done += match self.attempt(&stream, behind(parts, *done)) {
                Err(ErrorKind::WouldBlock | ErrorKind::Os(libc::EAGAIN)) => {
                    make_room(&stream, output, limit).map(|()| 0)
                }
                other => other,
            }?;
        }
        Ok(())
    }

    /// Writes what fits at once.
    fn attempt(&self, stream: &Stream, parts: [&[u8]; 2]) -> Result<usize, ErrorKind> {
        if self.terminal {
            // It raises no SIGPIPE.
            return Ok(match parts {
                [bytes, b""] => nix::unistd::write(stream, bytes),
                parts => writev(stream, &parts.map(IoSlice::new)),
            }?);
        }
        stream.write_parts_within(parts, &mut Limit::new(Timeout::TRY))
    }
}

/// Bytes for a program, step by step: a call that a signal or a time limit has ended is made again and goes on where it
/// was. Nobody else's bytes come between as long as it lives. Made by [`Shell::begin`](super::Shell::begin) and
/// [`Pty::begin`](super::Pty::begin).
///
/// Dropped before it is done, it leaves a part of them with the program.
#[derive(Debug)]
pub struct Writing<'a> {
    to: &'a dyn Program,
    bytes: &'a [u8],
    done: usize,
    turn: Option<Taken<'a>>,
}

/// Whose input it is.
pub(super) trait Program: fmt::Debug + Sync {
    fn sink(&self) -> Result<&Sink, ErrorKind>;

    /// Its output, if that is ours and has to be read meanwhile.
    fn source(&self) -> Option<&Source>;

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error;
}

impl<'a> Writing<'a> {
    pub(super) fn new(to: &'a dyn Program, bytes: &'a [u8]) -> Self {
        Self { to, bytes, done: 0, turn: None }
    }

    /// Writes what was not written yet.
    ///
    /// Errors: those of [`Shell::write`](super::Shell::write) and [`Pty::write`](super::Pty::write).
    pub fn go_on(&mut self, timeout: Timeout) -> crate::Result<()> {
        let written = self.within(&mut Limit::new(timeout));
        written.map_err(|kind| self.to.failed("write", kind.after(self.done, self.bytes.len())))
    }

    fn within(&mut self, limit: &mut Limit) -> Result<(), ErrorKind> {
        let sink = self.to.sink()?;
        let turn = sink.hold_turn(&mut self.turn, limit)?;
        let (bytes, done) = (self.bytes, &mut self.done);
        match self.to.source() {
            None => sink.write(bytes, done, limit, turn),
            Some(output) => sink.write_and_drain([bytes, b""], done, output, limit, turn),
        }
    }
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

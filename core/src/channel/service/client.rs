// SPDX-License-Identifier: MIT OR Apache-2.0
//! Those who ask.

mod ask;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use zerocopy::IntoBytes;

use super::direct::{Line, Reply};
use super::message::{Header, MORE, Part};
use super::{KIND, SLICE};
use crate::channel::layout::{CALLS, DIRECT, Participant};
use crate::channel::memory::Memory;
use crate::channel::options::{Channel, Options, Sealed};
use crate::channel::owed::{Answers, Open, Owed};
use crate::channel::participant::is_dead;
use crate::channel::receiver::Receiver;
use crate::channel::ring::Ring;
use crate::channel::seat::{Label, Seat};
use crate::channel::sender::{Sender, rest};
use crate::error::{Error, ErrorKind, Result};
use crate::map::bytes::refill;
use crate::name::Name;
use crate::sync::Place;
use crate::time::Timeout;
use crate::watch::Source;

/// Asks questions.
#[derive(Debug)]
pub struct Client {
    questions: Sender,
    answers: Receiver<Reply>,
    line: Line,
    next: u16,
    /// Answers to calls that nobody has waited for yet.
    early: Vec<(u16, Part)>,
    /// The answer that came last; its memory is used again and again.
    came: Part,
    /// The calls that are open, by number modulo [`CALLS`].
    open: [Option<Open>; CALLS],
    owed: Arc<Owed>,
    seat: Seat,
}

/// A call that was begun, see [`Client::begin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call(u16);

impl Call {
    /// The call with this number.
    pub fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// Its number among those of its client; used again after 65,536 calls.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// One answer, or a part of one.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// More parts will follow.
    pub more: bool,
}

impl Channel for Client {}

impl Sealed for Client {
    const KIND: [u8; 8] = KIND;
    const RECORDS: bool = false;

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Seat::take(memory, label)?;
        let mut questions = seat.queue_sender(&seat.memory.control, seat.ring());
        let (mirror, control) = seat.memory.replies(seat.slot)?;
        let ring = Ring::new(mirror, control.project(|control| &control.front.0), 0);
        let line = Line::of(&seat)?;
        let mut answers = seat.queue_receiver(&control, ring, line.reply());
        questions.patience.restless = options.spin;
        answers.patience.restless = options.spin;
        let open = [None; CALLS];
        for call in &seat.memory.slots[seat.slot].calls {
            call.store(0, Ordering::Relaxed);
        }
        let (early, came, owed) = (Vec::new(), Part::default(), Arc::default());
        Ok(Self { questions, answers, line, next: 0, early, came, open, owed, seat })
    }
}

impl Client {
    /// Opens the service `name` to ask it. Errors: as [`Options::open`].
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(place)
    }

    /// Opens the service that a descriptor refers to.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// Asks, and waits for the answer; one in parts comes whole.
    ///
    /// Errors: `EPIPE` when the server that has taken the question died; what [`Service::fail`](super::Service::fail) said; `ETIMEDOUT`, `EINTR`: a late
    /// answer is thrown away; `EMSGSIZE`, `EBUSY` when too many calls are open.
    pub fn call(&mut self, question: &[u8], timeout: Timeout) -> Result<Vec<u8>> {
        let deadline = timeout.deadline();
        let call = self.begin(question, timeout)?;
        let mut whole = Vec::new();
        loop {
            let take = |part: &[u8], more| {
                whole.extend_from_slice(part);
                more
            };
            match self.wait_with(call, rest(timeout, deadline), take) {
                Ok(true) => {}
                Ok(false) => return Ok(whole),
                Err(error) => {
                    self.cancel(call);
                    return Err(error);
                }
            }
        }
    }

    /// Waits for the answer to a call, or for the next part of it.
    ///
    /// Errors: as [`Client::call`]; after `EPIPE`, and what the server said, the call is over. `EINVAL` when it is over.
    pub fn wait(&mut self, call: Call, timeout: Timeout) -> Result<Answer> {
        self.wait_for(call.0, timeout).map_err(|kind| self.seat.failed("wait", kind))?;
        let part = std::mem::take(&mut self.came);
        match part.payload() {
            Ok(_) => Ok(Answer { more: part.has_more(), bytes: part.into_payload() }),
            Err((errno, words)) => Err(self.told(errno, words)),
        }
    }

    /// As [`Client::wait`], for who needs the bytes, and whether more will follow, for a moment only.
    #[inline]
    pub fn wait_with<R>(
        &mut self,
        call: Call,
        timeout: Timeout,
        take: impl FnOnce(&[u8], bool) -> R,
    ) -> Result<R> {
        if let Some((words, length)) = self.glance(call.0, timeout) {
            self.answers.count(1);
            self.close(call.0);
            return Ok(take(&words.as_bytes()[..length], false));
        }
        self.wait_for(call.0, timeout).map_err(|kind| self.seat.failed("wait", kind))?;
        let taken = match self.came.payload() {
            Ok(bytes) => Ok(take(bytes, self.came.has_more())),
            Err((errno, words)) => Err(self.told(errno, words)),
        };
        self.came.forget();
        taken
    }

    /// The answer that comes in the line within a few looks, and how many bytes it has. `None` says nothing.
    #[inline]
    fn glance(&mut self, number: u16, timeout: Timeout) -> Option<([u64; DIRECT / 8], usize)> {
        let asked = self.line.asked(number)?;
        let mut answer = None;
        let (line, patience) = (&self.line, &mut self.answers.patience);
        patience.glance_at_line(timeout, || {
            answer = line.answer(asked);
            answer.is_some()
        });
        answer.filter(|_| self.seat.is_here())
    }

    /// The error that a server has answered with.
    fn told(&self, errno: i32, words: &[u8]) -> Error {
        let errno = if errno > 0 { errno } else { libc::EIO };
        let error = ErrorKind::Os(errno).during("call", &self.seat.label.text);
        if words.is_empty() {
            return error;
        }
        error.with_advice(format!("the server says: {}", String::from_utf8_lossy(words)))
    }

    /// Is there an answer still to be waited for?
    pub fn is_pending(&self, call: Call) -> bool {
        self.is_open(call.0)
    }

    /// No longer waits for the answer to a call; it is thrown away when it comes.
    pub fn cancel(&mut self, call: Call) {
        let has_come = |(number, part): &(u16, Part)| *number == call.0 && !part.has_more();
        let is_late = self.is_open(call.0) && !self.early.iter().any(has_come);
        self.early.retain(|(number, _)| *number != call.0);
        self.close(call.0);
        if is_late {
            self.open[usize::from(call.0) % CALLS] = Some(Open::given_up(call.0));
        }
    }

    /// What was answered to nobody any more. After the last of it the call's place is free.
    #[cold]
    fn came_late(&mut self, header: Header) {
        let place = &mut self.open[usize::from(header.call) % CALLS];
        let is_last = header.client == self.seat.ticket.0 && header.what != MORE;
        if is_last && place.is_some_and(|open| open.is_in_place_of(header.call)) {
            *place = None;
        }
    }

    #[inline]
    fn close(&mut self, number: u16) {
        let place = &mut self.open[usize::from(number) % CALLS];
        if place.is_some_and(|open| open.number() == number) {
            *place = None;
            self.owed.clear(number);
            self.line.forget(number);
        }
    }

    #[inline]
    fn is_open(&self, number: u16) -> bool {
        self.open[usize::from(number) % CALLS].is_some_and(|open| open.number() == number)
    }

    /// Then it is what came last.
    #[inline]
    fn wait_for(&mut self, number: u16, timeout: Timeout) -> Result<(), ErrorKind> {
        if let Some(at) = self.early.iter().position(|(early, _)| *early == number) {
            self.finish(number, at);
            return Ok(());
        }
        if !self.is_open(number) {
            return Err(ErrorKind::invalid("this call is over"));
        }
        let deadline = timeout.deadline();
        loop {
            let slice = match (timeout, deadline.remaining()) {
                (Timeout::TRY, _) => Timeout::TRY,
                (_, Timeout::Forever) => Timeout::After(SLICE),
                (_, Timeout::After(left)) => Timeout::After(left.min(SLICE)),
            };
            match self.receive(slice) {
                Ok(Some(answered)) if answered == number => {
                    self.end(number);
                    return Ok(());
                }
                Ok(Some(answered)) => self.set_aside(answered),
                Ok(None) if timeout == Timeout::TRY => {}
                Ok(None) if deadline.has_passed() => return Err(timeout.expired()),
                Ok(None) => {}
                Err(ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                    if let Err(dead) = self.check_server(number) {
                        // It may have answered before it died.
                        match self.receive(Timeout::TRY) {
                            Ok(Some(answered)) => self.set_aside(answered),
                            Ok(None) => {}
                            Err(_) => {
                                self.close(number);
                                return Err(dead);
                            }
                        }
                        if let Some(at) = self.early.iter().position(|(it, _)| *it == number) {
                            self.finish(number, at);
                            return Ok(());
                        }
                        continue;
                    }
                    if timeout == Timeout::TRY || deadline.has_passed() {
                        return Err(timeout.expired());
                    }
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Keeps the answer that came until its call is waited for.
    fn set_aside(&mut self, number: u16) {
        self.early.push((number, std::mem::take(&mut self.came)));
        self.owed.set_early(number, true);
    }

    /// Takes an answer that is there; the last one ends the call.
    fn finish(&mut self, number: u16, at: usize) {
        (_, self.came) = self.early.remove(at);
        self.end(number);
    }

    #[inline]
    fn end(&mut self, number: u16) {
        if self.came.has_more() {
            self.owed.set_early(number, self.early.iter().any(|(early, _)| *early == number));
        } else {
            self.close(number);
        }
    }

    /// To which open call the next answer is; `None` for one that nobody waits for.
    #[inline]
    fn receive(&mut self, timeout: Timeout) -> Result<Option<u16>, ErrorKind> {
        let line = &self.line;
        self.answers.receive_either(
            timeout,
            &mut self.came.0,
            |came, ring, found| refill(came, found.length, |room| _ = ring.read(found, room)),
            |came, word| line.read(word, came),
        )?;
        let Some(header) = self.came.header() else { return Ok(None) };
        if header.client != self.seat.ticket.0 || !self.is_open(header.call) {
            self.came_late(header);
            return Ok(None);
        }
        Ok(Some(header.call))
    }

    /// Errors: `EPIPE` when the server that has taken the question is dead.
    fn check_server(&self, number: u16) -> Result<(), ErrorKind> {
        let Some(open) = self.open[usize::from(number) % CALLS] else { return Ok(()) };
        let taken = || self.questions.taken_up_to();
        match open.taken_by(taken, self.line.line(), self.slot()) {
            Some(server) if is_dead(&self.seat.memory.slots, server) => {
                Err(ErrorKind::Os(libc::EPIPE))
            }
            _ => Ok(()),
        }
    }

    fn slot(&self) -> &Participant {
        &self.seat.memory.slots[self.seat.slot]
    }

    /// How often a try looks once more, about 50 ns later, before it says that there is nothing; see
    /// [`QueueReceiver::look_more`](crate::channel::QueueReceiver::look_more).
    pub fn look_more(&mut self, times: u32) {
        self.answers.more_looks = times;
    }

    /// That there is an answer, or will be none, to wait for: to this call, or to any.
    pub(crate) fn source(&self, call: Option<Call>) -> Arc<dyn Source> {
        Arc::new(Answers {
            call: call.map(Call::number),
            ring: self.answers.source(),
            owed: Arc::clone(&self.owed),
            slots: Arc::clone(&self.seat.memory.slots),
            slot: self.seat.slot,
            line: self.line.line().clone(),
            room: self.questions.room().clone(),
            orphaned: false.into(),
        })
    }

    /// That there is room for the question for which there was none the last time, to wait for.
    pub(crate) fn room(&self) -> Arc<dyn Source> {
        self.questions.source()
    }

    /// A descriptor that is readable while there is an answer, to whichever of the open calls: for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// The death of a server is told within 0.1 s. Use it as one that does not block: when it is readable, [`Client::wait`] with [`Timeout::TRY`] for each of the open calls until that is
    /// `EAGAIN`, which lets it tell of the next. (To wait for one of several calls there is [`Waitable::answer`](crate::poll::Waitable::answer).) Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.answers.fd_of(|| self.source(None)).map_err(|kind| self.seat.failed("fd", kind))
    }

    /// The service's name; in a place, that of the memory.
    pub fn name(&self) -> &Name {
        &self.seat.label.name
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.questions.leave();
            self.answers.leave();
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Service` and `Client`: questions and answers.
//!
//! All questions go through one queue, from which any number of servers take them. Each client has a queue of answers of its own. A
//! question begins with a word: the client's ticket (lower half), the number of the call (16 bits), and whether a moment follows, on the
//! monotonic clock in nanoseconds, after which nobody waits for the answer any more. An answer begins with the same word, in which the upper 16 bits
//! tell what it is: 0 the last one, 1 a part before more, 2 an error: a number (4 bytes) and words.
//!
//! Before a server takes a question it puts its own ticket into the client's [`CALLS`], so that the client can tell when the one that
//! works on the call dies.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::layout::{CALLS, Participant};
use super::memory::Memory;
use super::options::{Channel, Options, Sealed};
use super::owed::{Answers, Owed};
use super::participant::{Ticket, is_dead};
use super::receiver::Receiver;
use super::ring::Ring;
use super::seat::Seat;
use super::sender::{Sender, rest};
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::map::mirror::written;
use crate::name::Name;
use crate::sys;
use crate::time::Timeout;
use crate::watch::Source;

const KIND: [u8; 8] = *b"service\0";

/// Bytes before a question or an answer; twice as many with a moment.
const HEADER: usize = 8;

/// In a question: the moment follows.
const HAS_DEADLINE: u16 = 1;

/// How often a client that waits looks whether its server lives.
const SLICE: Duration = Duration::from_millis(20);

/// The word that a question, or an answer, begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    client: u32,
    call: u16,
    what: u16,
}

impl Header {
    fn word(self) -> [u8; HEADER] {
        (u64::from(self.what) << 48 | u64::from(self.call) << 32 | u64::from(self.client))
            .to_ne_bytes()
    }

    #[allow(clippy::cast_possible_truncation, reason = "the parts of a word")]
    fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (word, rest) = bytes.split_first_chunk()?;
        let word = u64::from_ne_bytes(*word);
        let header =
            Self { client: word as u32, call: (word >> 32) as u16, what: (word >> 48) as u16 };
        Some((header, rest))
    }
}

const LAST: u16 = 0;
const MORE: u16 = 1;
const FAILED: u16 = 2;

/// Answers questions.
///
/// ```
/// use unipc::{Timeout, channel::{Client, Service}};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-service-{}", std::process::id());
/// let mut service = Service::create(name.as_str(), 1 << 16)?;
/// # let other = name.clone();
/// let asker = std::thread::spawn(move || -> unipc::Result<Vec<u8>> {
///     Client::open(other.as_str())?.call(b"1 2", Timeout::Forever) // in any process
/// });
/// let question = service.recv(Timeout::Forever)?;
/// assert_eq!(question.bytes(), b"1 2");
/// service.reply(&question, b"3", Timeout::Forever)?;
/// assert_eq!(asker.join().unwrap()?, b"3");
/// # Service::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// Several servers may answer on one name: each question goes to one of them. Threads and fork: as [`super::Queue`].
#[derive(Debug)]
pub struct Service {
    receiver: ServiceReceiver,
    sender: ServiceSender,
}

/// The half of a [`Service`] that receives questions, for a thread of its own; see [`Service::split`].
#[derive(Debug)]
pub struct ServiceReceiver {
    questions: Receiver,
    seat: Arc<Seat>,
}

/// The half of a [`Service`] that answers, for a thread of its own; see [`Service::split`].
#[derive(Debug)]
pub struct ServiceSender {
    /// To each client that was answered, by slot.
    answers: Vec<Option<Sender>>,
    seat: Arc<Seat>,
    spin: bool,
}

/// Asks questions.
#[derive(Debug)]
pub struct Client {
    questions: Sender,
    answers: Receiver,
    next: u16,
    /// Answers to calls that nobody has waited for yet.
    early: Vec<(u16, Answer)>,
    /// Where the questions that are open end in the ring, by number modulo [`CALLS`].
    open: [Option<(u16, u64)>; CALLS],
    owed: Arc<Owed>,
    seat: Seat,
}

/// A question that a service has received, to be answered with [`Service::reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    header: Header,
    deadline: Option<Duration>,
    bytes: Vec<u8>,
    payload: usize,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// More parts will follow.
    pub more: bool,
    failure: Option<i32>,
}

impl Question {
    /// What was asked.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.payload..]
    }

    /// Has the time that the client gave passed? Then nobody waits for the answer.
    pub fn has_expired(&self) -> bool {
        self.deadline.is_some_and(|deadline| now() >= deadline)
    }
}

/// On the monotonic clock.
fn now() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Into::into)
}

impl Channel for Service {}

impl Sealed for Service {
    const KIND: [u8; 8] = KIND;

    fn attach(memory: Arc<Memory>, name: Name, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Arc::new(Seat::take(memory, name)?);
        let mut questions = seat.queue_receiver(&seat.memory.control, seat.ring());
        questions.patience.restless = options.spin;
        let answers = (0..seat.memory.slots.len()).map(|_| None).collect();
        let receiver = ServiceReceiver { questions, seat: Arc::clone(&seat) };
        Ok(Self { receiver, sender: ServiceSender { answers, seat, spin: options.spin } })
    }

    fn reply_size(capacity: usize) -> Result<usize, ErrorKind> {
        let least = capacity.max(sys::page_size());
        least.checked_next_power_of_two().ok_or(ErrorKind::Os(libc::EOVERFLOW))
    }
}

impl Channel for Client {}

impl Sealed for Client {
    const KIND: [u8; 8] = KIND;

    fn attach(memory: Arc<Memory>, name: Name, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Seat::take(memory, name)?;
        let mut questions = seat.queue_sender(&seat.memory.control, seat.ring());
        let (mirror, control) = seat.memory.replies(seat.slot)?;
        let ring = Ring::new(mirror, control.project(|control| &control.front.0), 0);
        let mut answers = seat.queue_receiver(&control, ring);
        questions.patience.restless = options.spin;
        answers.patience.restless = options.spin;
        let open = [None; CALLS];
        for call in &seat.memory.slots[seat.slot].calls {
            call.store(0, Ordering::Relaxed);
        }
        let (early, owed) = (Vec::new(), Arc::default());
        Ok(Self { questions, answers, next: 0, early, open, owed, seat })
    }
}

impl Service {
    /// Creates the service `name`, with room for `capacity` bytes of questions. Errors: as [`Options::create`].
    pub fn create(name: impl TryInto<Name, Error: Into<Error>>, capacity: usize) -> Result<Self> {
        Options::new().create(name, capacity)
    }

    /// Opens the service `name` as one more server. Errors: as [`Options::open`].
    pub fn open(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(name)
    }

    /// Opens the service, or creates it when there is none. Errors: those of both.
    pub fn open_or_create(
        name: impl TryInto<Name, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().open_or_create(name, capacity)
    }

    /// Opens the service that a descriptor refers to.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// Removes the service of this name; who has it open keeps it.
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        SharedMemory::unlink(name)
    }

    /// Both halves apart, for two threads.
    pub fn split(self) -> (ServiceReceiver, ServiceSender) {
        (self.receiver, self.sender)
    }

    /// [`ServiceReceiver::recv`].
    pub fn recv(&mut self, timeout: Timeout) -> Result<Question> {
        self.receiver.recv(timeout)
    }

    /// [`ServiceSender::reply`].
    pub fn reply(&mut self, question: &Question, answer: &[u8], timeout: Timeout) -> Result<()> {
        self.sender.reply(question, answer, timeout)
    }

    /// [`ServiceSender::reply_part`].
    pub fn reply_part(&mut self, question: &Question, part: &[u8], timeout: Timeout) -> Result<()> {
        self.sender.reply_part(question, part, timeout)
    }

    /// [`ServiceSender::fail`].
    pub fn fail(
        &mut self,
        question: &Question,
        errno: i32,
        why: &str,
        timeout: Timeout,
    ) -> Result<()> {
        self.sender.fail(question, errno, why, timeout)
    }

    /// That there is a question, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.receiver.source()
    }

    /// [`ServiceReceiver::fd`].
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.receiver.fd()
    }

    /// The descriptor of the memory: close-on-exec, to be handed on.
    pub fn memory_fd(&self) -> BorrowedFd<'_> {
        self.sender.seat.memory.fd()
    }

    /// The service's name.
    pub fn name(&self) -> &Name {
        &self.sender.seat.name
    }
}

impl ServiceReceiver {
    /// Receives the next question.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT` when there is none; `EINTR`; `EPROTO` for one that is damaged, which is skipped.
    pub fn recv(&mut self, timeout: Timeout) -> Result<Question> {
        self.next(timeout).map_err(|kind| self.seat.failed("recv", kind))
    }

    /// That there is a question, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.questions.source()
    }

    /// A descriptor that is readable while there is a question: for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// Use it as one that does not block: when it is readable, receive with [`Timeout::TRY`] until that is `EAGAIN`, which lets it
    /// tell of the next. Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.questions.fd().map_err(|kind| self.seat.failed("fd", kind))
    }

    fn next(&mut self, timeout: Timeout) -> Result<Question, ErrorKind> {
        let (slots, me) = (&self.seat.memory.slots, self.seat.ticket);
        let (bytes, length) = self.questions.receive_with(timeout, |length, copy| {
            let mut bytes = Vec::with_capacity(length);
            copy(bytes.spare_capacity_mut());
            let bytes = written(bytes, length);
            // Before it is taken: whoever waits for the answer must know who owes it.
            if let Some((header, _)) = Header::parse(&bytes)
                && let Some(slot) = Ticket(header.client).slot(slots.len())
            {
                let call = &slots[slot].calls[usize::from(header.call) % CALLS];
                call.store(u64::from(header.call) << 32 | u64::from(me.0), Ordering::Release);
            }
            (bytes, length)
        })?;
        debug_assert_eq!(bytes.len(), length);
        let damaged = || ErrorKind::Layout("a question without its beginning".into());
        let (header, rest) = Header::parse(&bytes).ok_or_else(damaged)?;
        let (deadline, payload) = if header.what & HAS_DEADLINE == 0 {
            (None, HEADER)
        } else {
            let moment = rest.first_chunk().ok_or_else(damaged)?;
            (Some(Duration::from_nanos(u64::from_ne_bytes(*moment))), 2 * HEADER)
        };
        Ok(Question { header, deadline, bytes, payload })
    }
}

impl ServiceSender {
    /// Answers a question, for the last time.
    ///
    /// Errors: `EPIPE` when the client is gone; `EMSGSIZE` when the answer is longer than the client's ring; `EAGAIN`, `ETIMEDOUT` when
    /// the client has not made room; `EINTR`.
    pub fn reply(&mut self, question: &Question, answer: &[u8], timeout: Timeout) -> Result<()> {
        self.answer(question, LAST, &[answer], timeout)
            .map_err(|kind| self.seat.failed("reply", kind))
    }

    /// Answers a part of a question; more will follow. Errors: as [`ServiceSender::reply`].
    pub fn reply_part(&mut self, question: &Question, part: &[u8], timeout: Timeout) -> Result<()> {
        self.answer(question, MORE, &[part], timeout)
            .map_err(|kind| self.seat.failed("reply_part", kind))
    }

    /// Answers that it could not be done: the client's call fails with this number, and these words. Errors: as [`ServiceSender::reply`].
    pub fn fail(
        &mut self,
        question: &Question,
        errno: i32,
        why: &str,
        timeout: Timeout,
    ) -> Result<()> {
        self.answer(question, FAILED, &[&errno.to_ne_bytes(), why.as_bytes()], timeout)
            .map_err(|kind| self.seat.failed("fail", kind))
    }

    fn answer(
        &mut self,
        question: &Question,
        what: u16,
        parts: &[&[u8]],
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let client = Ticket(question.header.client);
        let slots = &self.seat.memory.slots;
        let gone = || ErrorKind::Os(libc::EPIPE);
        let slot = client.slot(slots.len()).ok_or_else(gone)?;
        if !super::participant::is_present(&slots[slot], client, slot) {
            return Err(gone());
        }
        if self.answers[slot].is_none() {
            let (mirror, control) = self.seat.memory.replies(slot)?;
            let ring = Ring::new(mirror, control.project(|control| &control.front.0), 0);
            let mut sender = self.seat.queue_sender(&control, ring);
            sender.patience.restless = self.spin;
            self.answers[slot] = Some(sender);
        }
        let Some(sender) = &mut self.answers[slot] else { return Err(gone()) };
        let header = Header { what, ..question.header }.word();
        let mut message =
            Vec::with_capacity(HEADER + parts.iter().map(|part| part.len()).sum::<usize>());
        message.extend(header);
        for part in parts {
            message.extend(*part);
        }
        let deadline = timeout.deadline();
        loop {
            // In slices: the dead make no room, and nobody tells of their death.
            let slice = match rest(timeout, deadline) {
                Timeout::Forever => SLICE,
                Timeout::After(left) => left.min(SLICE),
            };
            match sender.send(&message, Timeout::After(slice)) {
                Err(ErrorKind::TimedOut | ErrorKind::WouldBlock) if is_dead(slots, client) => {
                    return Err(gone());
                }
                Err(ErrorKind::TimedOut) if !deadline.has_passed() => {}
                Err(ErrorKind::TimedOut) => return Err(timeout.expired()),
                other => return other,
            }
        }
    }
}

impl Client {
    /// Opens the service `name` to ask it. Errors: as [`Options::open`].
    pub fn open(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(name)
    }

    /// Opens the service that a descriptor refers to.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// Asks, and waits for the answer.
    ///
    /// Errors: `EPIPE` when the server that has taken the question died; what [`Service::fail`] said; `ETIMEDOUT`, `EINTR`: a late
    /// answer is thrown away; `EMSGSIZE`, `EBUSY` when too many calls are open.
    pub fn call(&mut self, question: &[u8], timeout: Timeout) -> Result<Vec<u8>> {
        let deadline = timeout.deadline();
        let call = self.begin(question, timeout)?;
        let answer = self.wait(call, deadline.remaining());
        if answer.is_err() {
            self.cancel(call);
        }
        answer.map(|answer| answer.bytes)
    }

    /// Asks, and does not wait for the answer: [`Client::wait`] does. `timeout` is for both: a server may leave a question unanswered
    /// for which nobody waits any more.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT` when the service takes no more questions, `EMSGSIZE`, `EINTR`; `EBUSY` when 8 calls are open.
    pub fn begin(&mut self, question: &[u8], timeout: Timeout) -> Result<Call> {
        self.begin_until(question, timeout, timeout)
    }

    /// As [`Client::begin`], with one time for sending the question and another, from now on too, for having the answer.
    pub fn begin_until(
        &mut self,
        question: &[u8],
        timeout: Timeout,
        answer: Timeout,
    ) -> Result<Call> {
        self.ask(question, timeout, answer).map_err(|kind| self.seat.failed("begin", kind))
    }

    fn ask(
        &mut self,
        question: &[u8],
        timeout: Timeout,
        answer: Timeout,
    ) -> Result<Call, ErrorKind> {
        let free = |place: &Option<(u16, u64)>| place.is_none();
        if !self.open.iter().any(free) {
            return Err(ErrorKind::Busy(
                format!("{CALLS} calls are open; wait for one first").into(),
            ));
        }
        let (number, place) = loop {
            let number = self.next;
            self.next = self.next.wrapping_add(1);
            let place = usize::from(number) % CALLS;
            if self.open[place].is_none() {
                break (number, place);
            }
        };
        self.slot().calls[place].store(0, Ordering::Release);
        let deadline = match answer {
            Timeout::After(left) if !left.is_zero() => Some(now().saturating_add(left)),
            _ => None,
        };
        let what = if deadline.is_some() { HAS_DEADLINE } else { 0 };
        let header = Header { client: self.seat.ticket.0, call: number, what };
        let mut message = Vec::with_capacity(2 * HEADER + question.len());
        message.extend(header.word());
        if let Some(deadline) = deadline {
            let moment = u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX);
            message.extend(moment.to_ne_bytes());
        }
        message.extend(question);
        self.questions.send(&message, timeout)?;
        self.open[place] = Some((number, self.questions.sent_up_to()));
        self.owed.set(number, self.questions.sent_up_to());
        Ok(Call(number))
    }

    /// Waits for the answer to a call, or for the next part of it.
    ///
    /// Errors: as [`Client::call`]; `EINVAL` when the call is over.
    pub fn wait(&mut self, call: Call, timeout: Timeout) -> Result<Answer> {
        let answer = self.wait_for(call.0, timeout);
        let answer = answer.map_err(|kind| self.seat.failed("wait", kind))?;
        match answer.failure {
            None => Ok(answer),
            Some(errno) => {
                let words = String::from_utf8_lossy(&answer.bytes).into_owned();
                let error = self
                    .seat
                    .failed("call", ErrorKind::Os(if errno > 0 { errno } else { libc::EIO }));
                Err(if words.is_empty() {
                    error
                } else {
                    error.with_advice(format!("the server says: {words}"))
                })
            }
        }
    }

    /// Is there an answer still to be waited for?
    pub fn is_pending(&self, call: Call) -> bool {
        self.is_open(call.0)
    }

    /// No longer waits for the answer to a call; it is thrown away when it comes.
    pub fn cancel(&mut self, call: Call) {
        self.early.retain(|(number, _)| *number != call.0);
        self.close(call.0);
    }

    fn close(&mut self, number: u16) {
        let place = &mut self.open[usize::from(number) % CALLS];
        if place.is_some_and(|(open, _)| open == number) {
            *place = None;
            self.owed.clear(number);
        }
    }

    fn is_open(&self, number: u16) -> bool {
        self.open[usize::from(number) % CALLS].is_some_and(|(open, _)| open == number)
    }

    fn wait_for(&mut self, number: u16, timeout: Timeout) -> Result<Answer, ErrorKind> {
        if let Some(at) = self.early.iter().position(|(early, _)| *early == number) {
            return Ok(self.finish(number, at));
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
                Ok(Some((answered, answer))) => {
                    self.early.push((answered, answer));
                    if answered == number {
                        let at = self.early.len() - 1;
                        return Ok(self.finish(number, at));
                    }
                }
                Ok(None) if timeout == Timeout::TRY => {}
                Ok(None) if deadline.has_passed() => return Err(timeout.expired()),
                Ok(None) => {}
                Err(ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                    if let Err(dead) = self.check_server(number) {
                        // It may have answered before it died.
                        match self.receive(Timeout::TRY) {
                            Ok(Some(answer)) => self.early.push(answer),
                            Ok(None) => {}
                            Err(_) => return Err(dead),
                        }
                        if let Some(at) = self.early.iter().position(|(it, _)| *it == number) {
                            return Ok(self.finish(number, at));
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

    /// Takes an answer that is there; the last one ends the call.
    fn finish(&mut self, number: u16, at: usize) -> Answer {
        let (_, answer) = self.early.remove(at);
        if !answer.more {
            self.close(number);
        }
        answer
    }

    /// The next answer to any open call; `None` for one that nobody waits for.
    fn receive(&mut self, timeout: Timeout) -> Result<Option<(u16, Answer)>, ErrorKind> {
        let bytes = self.answers.receive_with(timeout, |length, copy| {
            let mut bytes = Vec::with_capacity(length);
            copy(bytes.spare_capacity_mut());
            written(bytes, length)
        })?;
        let Some((header, rest)) = Header::parse(&bytes) else { return Ok(None) };
        if header.client != self.seat.ticket.0 || !self.is_open(header.call) {
            return Ok(None);
        }
        let (failure, rest) = match (header.what, rest.split_first_chunk()) {
            (FAILED, Some((errno, words))) => (Some(i32::from_ne_bytes(*errno)), words),
            (FAILED, None) => (Some(libc::EIO), rest),
            _ => (None, rest),
        };
        let answer = Answer { bytes: rest.to_vec(), more: header.what == MORE, failure };
        Ok(Some((header.call, answer)))
    }

    /// Errors: `EPIPE` when the server that has taken the question is dead.
    fn check_server(&self, number: u16) -> Result<(), ErrorKind> {
        let place = usize::from(number) % CALLS;
        // SYNC: acquire pairs with the release of the server.
        let owed = self.slot().calls[place].load(Ordering::Acquire);
        let was_taken =
            self.open[place].is_some_and(|(_, end)| self.questions.taken_up_to() >= end);
        #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
        let (call, server) = ((owed >> 32) as u16, Ticket(owed as u32));
        // A question that is still in the queue is the next server's, whoever looked at it.
        if !was_taken || server.0 == 0 || call != number {
            return Ok(());
        }
        if is_dead(&self.seat.memory.slots, server) {
            Err(ErrorKind::Os(libc::EPIPE))
        } else {
            Ok(())
        }
    }

    fn slot(&self) -> &Participant {
        &self.seat.memory.slots[self.seat.slot]
    }

    /// That there is an answer, or will be none, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        Arc::new(Answers {
            ring: self.answers.source(),
            owed: Arc::clone(&self.owed),
            slots: Arc::clone(&self.seat.memory.slots),
            slot: self.seat.slot,
            room: self.questions.room().clone(),
            orphaned: false.into(),
        })
    }

    /// A descriptor that is readable while there is an answer, to whichever of the open calls: for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// The death of a server is told within 0.1 s. Use it as one that does not block: when it is readable, [`Client::wait`] with [`Timeout::TRY`] until that is `EAGAIN`, which lets it
    /// tell of the next. Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.answers.fd_of(|| self.source()).map_err(|kind| self.seat.failed("fd", kind))
    }

    /// The service's name.
    pub fn name(&self) -> &Name {
        &self.seat.name
    }
}

impl Drop for ServiceReceiver {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.questions.leave();
        }
    }
}

impl Drop for ServiceSender {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.answers.iter().flatten().for_each(Sender::leave);
        }
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

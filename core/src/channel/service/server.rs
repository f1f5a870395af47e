// SPDX-License-Identifier: MIT OR Apache-2.0
//! Those who answer.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::direct::{Lines, Regular, Word};
use super::message::{FAILED, HAS_DEADLINE, HEADER, Header, LAST, MORE};
use super::{Question, SLICE};
use crate::channel::layout::{CALLS, Participant};
use crate::channel::participant::{Ticket, is_dead, is_present};
use crate::channel::receiver::Receiver;
use crate::channel::ring::Ring;
use crate::channel::seat::Seat;
use crate::channel::sender::{Sender, rest};
use crate::error::{ErrorKind, Result};
use crate::map::mirror::Part;
use crate::time::Timeout;
use crate::watch::Source;

/// The half of a [`Service`](super::Service) that receives questions, for a thread of its own; see [`Service::split`](super::Service::split).
#[derive(Debug)]
pub struct ServiceReceiver {
    pub(super) questions: Receiver<Lines>,
    pub(super) regular: Regular,
    pub(super) lines: Lines,
    pub(super) seat: Arc<Seat>,
}

/// The half of a [`Service`](super::Service) that answers, for a thread of its own; see [`Service::split`](super::Service::split).
#[derive(Debug)]
pub struct ServiceSender {
    /// To each client that was answered, by slot.
    pub(super) answers: Vec<Option<Sender>>,
    pub(super) lines: Lines,
    pub(super) seat: Arc<Seat>,
    pub(super) spin: bool,
}

impl ServiceReceiver {
    /// Receives the next question.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT` when there is none; `EINTR`; `EPROTO` for one that is damaged, which is skipped.
    #[inline]
    pub fn recv(&mut self, timeout: Timeout) -> Result<Question> {
        let mut question = Question::default();
        self.recv_into(&mut question, timeout)?;
        Ok(question)
    }

    /// As [`ServiceReceiver::recv`], in place of a question that was answered: its memory is used again.
    ///
    /// Errors: as `recv`; after `EPROTO` it is one that nobody has asked, otherwise still that one.
    #[inline]
    pub fn recv_into(&mut self, question: &mut Question, timeout: Timeout) -> Result<()> {
        self.next(question, timeout).map_err(|kind| self.seat.failed("recv", kind))
    }

    /// How often a try looks once more, about 50 ns later, before it says that there is nothing; see
    /// [`QueueReceiver::look_more`](crate::channel::QueueReceiver::look_more).
    pub fn look_more(&mut self, times: u32) {
        self.questions.more_looks = times;
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

    #[inline]
    fn next(&mut self, question: &mut Question, timeout: Timeout) -> Result<(), ErrorKind> {
        let (slots, me, lines) = (&self.seat.memory.slots, self.seat.ticket, &self.lines);
        if let Some(asked) = self.questions.glance_aside(timeout) {
            let taken = lines.take(asked, me, question);
            self.questions.took_aside();
            self.regular.note_direct();
            return taken;
        }
        let regular = &mut self.regular;
        self.questions.receive_either(
            timeout,
            question,
            |question, ring, found| {
                let bytes = &mut question.bytes;
                bytes.refill(found.length, |room| _ = ring.read(found, room));
                // Before it is taken: whoever waits for the answer must know who owes it.
                if let Some((header, payload)) = Header::parse(bytes)
                    && let Some(slot) = Ticket(header.client).slot(slots.len())
                {
                    let call = &slots[slot].calls[usize::from(header.call) % CALLS];
                    call.store(u64::from(header.call) << 32 | u64::from(me.0), Ordering::Release);
                    regular.note(header.client, payload.len(), lines);
                }
                question.begin()
            },
            |question, asked| lines.take(asked, me, question),
        )??;
        if question.word != Word::NONE {
            self.regular.note_direct();
        }
        Ok(())
    }
}

impl Question {
    /// Reads what it begins with in the ring.
    fn begin(&mut self) -> Result<(), ErrorKind> {
        let Some((header, deadline, payload)) = beginning(&self.bytes) else {
            return Err(self.damaged());
        };
        (self.header, self.deadline, self.payload) = (header, deadline, payload);
        self.word = Word::NONE;
        Ok(())
    }

    /// It becomes one that nobody has asked.
    #[cold]
    pub(super) fn damaged(&mut self) -> ErrorKind {
        *self = Self::default();
        ErrorKind::Layout("a question without its beginning".into())
    }
}

/// What a question begins with, and how many bytes that are.
#[inline]
fn beginning(bytes: &[u8]) -> Option<(Header, Option<Duration>, usize)> {
    let (header, rest) = Header::parse(bytes)?;
    if header.what & HAS_DEADLINE == 0 {
        return Some((header, None, HEADER));
    }
    let moment = u64::from_ne_bytes(*rest.first_chunk()?);
    Some((header, Some(Duration::from_nanos(moment)), 2 * HEADER))
}

impl ServiceSender {
    /// Answers a question, for the last time.
    ///
    /// Errors: `EPIPE` when the client is gone; `EMSGSIZE` when the answer is longer than the client's ring; `EAGAIN`, `ETIMEDOUT` when
    /// the client has not made room; `EINTR`.
    #[inline]
    pub fn reply(&mut self, question: &Question, answer: &[u8], timeout: Timeout) -> Result<()> {
        self.answer(question, LAST, answer, timeout).map_err(|kind| self.seat.failed("reply", kind))
    }

    /// Answers a part of a question; more will follow. Errors: as [`ServiceSender::reply`].
    pub fn reply_part(&mut self, question: &Question, part: &[u8], timeout: Timeout) -> Result<()> {
        self.answer(question, MORE, part, timeout)
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
        let words = [&errno.to_ne_bytes(), why.as_bytes()].concat();
        self.answer(question, FAILED, &words, timeout)
            .map_err(|kind| self.seat.failed("fail", kind))
    }

    #[inline]
    fn answer(
        &mut self,
        question: &Question,
        what: u16,
        payload: &[u8],
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let client = Ticket(question.header.client);
        let slots = &self.seat.memory.slots;
        let slot = client.slot(slots.len()).filter(|&at| is_present(&slots[at], client, at));
        let Some(slot) = slot else { return Err(ErrorKind::Os(libc::EPIPE)) };
        let sender = match &mut self.answers[slot] {
            Some(sender) => sender,
            place => place.insert(sender_to(&self.seat, slot, self.spin)?),
        };
        if question.word != Word::NONE {
            self.seat.home().check()?;
            if self.lines.answer(slot, question.word, what, payload) {
                sender.has_sent_aside();
                return Ok(());
            }
        }
        let header = Header { what, ..question.header };
        answer_in_ring(sender, slots, header, payload, timeout)
    }
}

/// What sends to the client in this slot.
#[cold]
fn sender_to(seat: &Seat, slot: usize, spin: bool) -> Result<Sender, ErrorKind> {
    let (mirror, control) = seat.memory.replies(slot)?;
    let ring = Ring::new(mirror, control.project(|control| &control.front.0), 0);
    let mut sender = seat.queue_sender(&control, ring);
    sender.patience.restless = spin;
    Ok(sender)
}

#[inline(never)]
fn answer_in_ring(
    sender: &mut Sender,
    slots: &[Part<Participant>],
    header: Header,
    payload: &[u8],
    timeout: Timeout,
) -> Result<(), ErrorKind> {
    let client = Ticket(header.client);
    let gone = ErrorKind::Os(libc::EPIPE);
    let deadline = timeout.deadline();
    loop {
        // In slices: the dead make no room, and nobody tells of their death.
        let slice = match rest(timeout, deadline) {
            Timeout::Forever => SLICE,
            Timeout::After(left) => left.min(SLICE),
        };
        match sender.send_after([header.word()], payload, Timeout::After(slice)) {
            Err(ErrorKind::TimedOut | ErrorKind::WouldBlock) if is_dead(slots, client) => {
                return Err(gone);
            }
            Err(ErrorKind::TimedOut) if !deadline.has_passed() => {}
            Err(ErrorKind::TimedOut) => return Err(timeout.expired()),
            other => return other,
        }
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Service` and `Client`: questions and answers.
//!
//! All questions go through one queue, from which any number of servers take them, and each client has a queue of answers of its own; who asks one short
//! question after the other has a line for both, see [`direct`]. A
//! question begins with a word: the client's ticket (lower half), the number of the call (16 bits), and whether a moment follows, on the
//! monotonic clock in nanoseconds, after which nobody waits for the answer any more. An answer begins with the same word, in which the upper 16 bits
//! tell what it is: 0 the last one, 1 a part before more, 2 an error: a number (4 bytes) and words.
//!
//! Before a server takes a question it puts its own ticket into the client's [`CALLS`], so that the client can tell when the one that
//! works on the call dies.

mod client;
pub(super) mod direct;
mod message;
mod server;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use self::direct::{Lines, Regular, Word};
use self::message::Header;
use super::memory::Memory;
use super::options::{Channel, Options, Sealed};
use super::seat::{Label, Seat};
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::map::bytes::Bytes;
use crate::name::Name;
use crate::sync::Place;
use crate::time::Timeout;
use crate::watch::Source;

pub use client::{Answer, Call, Client};
pub use server::{ServiceReceiver, ServiceSender};

const KIND: [u8; 8] = *b"service\0";

/// How often who waits for the other side looks whether it lives.
const SLICE: Duration = Duration::from_millis(20);

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

/// A question that a service has received, to be answered with [`Service::reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    header: Header,
    deadline: Option<Duration>,
    bytes: Bytes,
    payload: usize,
    /// If it came by the direct line, what stood there.
    word: Word,
}

/// One that nobody has asked, to receive another in its place.
impl Default for Question {
    #[inline]
    fn default() -> Self {
        let header = Header { client: 0, call: 0, what: 0 };
        Self { header, deadline: None, bytes: Bytes::EMPTY, payload: 0, word: Word::NONE }
    }
}

impl Question {
    /// What was asked.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.payload..).unwrap_or_default()
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
    const RECORDS: bool = false;

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Arc::new(Seat::take(memory, label)?);
        let lines = Lines::of(&seat.memory);
        let control = &seat.memory.control;
        let mut questions = seat.queue_receiver(control, seat.ring(), lines.clone());
        questions.patience.restless = options.spin;
        let answers = (0..seat.memory.slots.len()).map(|_| None).collect();
        let receiver = ServiceReceiver {
            questions,
            regular: Regular::default(),
            lines: lines.clone(),
            seat: Arc::clone(&seat),
        };
        Ok(Self { receiver, sender: ServiceSender { answers, lines, seat, spin: options.spin } })
    }

    fn reply_size(capacity: usize, page: usize) -> Result<usize, ErrorKind> {
        let least = capacity.max(page);
        least.checked_next_power_of_two().ok_or(ErrorKind::Os(libc::EOVERFLOW))
    }
}

impl Service {
    /// Creates the service `name`, with room for `capacity` bytes of questions. Errors: as [`Options::create`].
    pub fn create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().create(place, capacity)
    }

    /// Opens the service `name` as one more server. Errors: as [`Options::open`].
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(place)
    }

    /// Opens the service, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().open_or_create(place, capacity)
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

    /// [`ServiceReceiver::recv_into`].
    #[inline]
    pub fn recv_into(&mut self, question: &mut Question, timeout: Timeout) -> Result<()> {
        self.receiver.recv_into(question, timeout)
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

    /// The descriptor of the memory: close-on-exec, to be handed on. In a place, that of all the memory.
    pub fn memory_fd(&self) -> BorrowedFd<'_> {
        self.sender.seat.memory.fd()
    }

    /// The service's name; in a place, that of the memory.
    pub fn name(&self) -> &Name {
        &self.sender.seat.label.name
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Queue`: each message to exactly one.

use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::aside::Nothing;
use super::memory::Memory;
use super::options::{Channel, Options, Sealed};
use super::receiver::Receiver;
use super::seat::{Label, Seat};
use super::sender::Sender;
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::record::Layout;
use crate::sync::Place;
use crate::time::Timeout;
use crate::watch::Source;

/// A queue of messages: many may send, many may receive, and each message goes to exactly one of them, in the order in
/// which they were sent.
///
/// ```
/// use unipc::{Timeout, channel::Queue};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-queue-{}", std::process::id());
/// let mut jobs = Queue::open_or_create(name.as_str(), 1 << 20)?;
/// jobs.send(b"hello", Timeout::Forever)?;
/// assert_eq!(jobs.recv(Timeout::Forever)?, b"hello");
/// # Queue::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// A full queue makes senders wait; nothing is ever lost silently. A participant that is killed loses what it had not
/// committed, and what it had not taken stays for the others.
///
/// Threads: a handle serves one thread at a time, or one that sends and one that receives ([`Queue::split`]); open
/// one more for each other thread. fork: the handle is the parent's; a child opens its own.
#[derive(Debug)]
pub struct Queue {
    sender: QueueSender,
    receiver: QueueReceiver,
}

/// The half of a [`Queue`] that sends, for a thread of its own; see [`Queue::split`].
#[derive(Debug)]
pub struct QueueSender {
    half: Sender,
    seat: Arc<Seat>,
}

/// The half of a [`Queue`] that receives, for a thread of its own; see [`Queue::split`].
#[derive(Debug)]
pub struct QueueReceiver {
    half: Receiver,
    seat: Arc<Seat>,
}

impl Channel for Queue {}

impl Sealed for Queue {
    const KIND: [u8; 8] = *b"queue\0\0\0";

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Arc::new(Seat::take(memory, label)?);
        let control = &seat.memory.control;
        let mut sender = seat.queue_sender(control, seat.ring());
        let mut receiver = seat.queue_receiver(control, seat.ring(), Nothing);
        sender.patience.restless = options.spin;
        receiver.patience.restless = options.spin;
        Ok(Self {
            sender: QueueSender { half: sender, seat: Arc::clone(&seat) },
            receiver: QueueReceiver { half: receiver, seat },
        })
    }
}

impl Queue {
    /// Creates the queue, with a ring of at least `capacity` bytes, under a name or in a place. Errors: as [`Options::create`].
    pub fn create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().create(place, capacity)
    }

    /// Opens the queue. Errors: as [`Options::open`].
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(place)
    }

    /// Opens the queue, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().open_or_create(place, capacity)
    }

    /// Opens the queue that a descriptor refers to: a memfd that was inherited or received.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// Removes the queue of this name; who has it open keeps it.
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        SharedMemory::unlink(name)
    }

    /// Both halves apart, for two threads.
    pub fn split(self) -> (QueueSender, QueueReceiver) {
        (self.sender, self.receiver)
    }

    /// The half that sends.
    #[inline]
    pub fn sender(&mut self) -> &mut QueueSender {
        &mut self.sender
    }

    /// The half that receives.
    #[inline]
    pub fn receiver(&mut self) -> &mut QueueReceiver {
        &mut self.receiver
    }

    /// [`QueueSender::send`].
    #[inline]
    pub fn send(&mut self, message: &[u8], timeout: Timeout) -> Result<()> {
        self.sender.send(message, timeout)
    }

    /// [`QueueReceiver::recv`].
    pub fn recv(&mut self, timeout: Timeout) -> Result<Vec<u8>> {
        self.receiver.recv(timeout)
    }

    /// That there is a message, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.receiver.source()
    }

    /// [`QueueReceiver::fd`].
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.receiver.fd()
    }

    pub(crate) fn room(&self) -> Arc<dyn Source> {
        self.sender.source()
    }

    /// The descriptor of the memory: close-on-exec, to be handed on. In a place, that of all the memory.
    pub fn memory_fd(&self) -> BorrowedFd<'_> {
        self.sender.seat.memory.fd()
    }

    /// What every message consists of, if whoever created the queue said so ([`Options::layout`]).
    pub fn layout(&self) -> Option<&Layout> {
        self.sender.seat.memory.layout()
    }

    /// The queue's name; in a place, that of the memory.
    pub fn name(&self) -> &Name {
        &self.sender.seat.label.name
    }
}

impl QueueSender {
    /// Sends a message.
    ///
    /// Errors: `EMSGSIZE` when it is longer than the ring holds (or not of the one size); `EAGAIN`, `ETIMEDOUT`
    /// when the queue is full; `EINTR`.
    #[inline]
    pub fn send(&mut self, message: &[u8], timeout: Timeout) -> Result<()> {
        match self.half.send(message, timeout) {
            Ok(()) => Ok(()),
            Err(kind) => Err(self.seat.failed("send", kind)),
        }
    }

    /// Sends messages of `size` bytes that lie in a row, with one wake-up: as many as there is room for, at
    /// least one; how many. Errors: as [`QueueSender::send`].
    pub fn send_row(&mut self, messages: &[u8], size: usize, timeout: Timeout) -> Result<usize> {
        self.half
            .send_row(messages, size, timeout)
            .map_err(|kind| self.seat.failed("send_row", kind))
    }

    /// Sends messages that lie anywhere, with one wake-up: as many as there is room for, at least one; how many. Errors: as
    /// [`QueueSender::send`], of the first message; one behind it that is too long is not sent, nor what comes after it.
    pub fn send_each(&mut self, messages: &[&[u8]], timeout: Timeout) -> Result<usize> {
        self.half.send_each(messages, timeout).map_err(|kind| self.seat.failed("send_each", kind))
    }

    /// Makes room for a message in the ring itself; see [`QueueSender::commit`].
    pub fn reserve(&mut self, length: usize, timeout: Timeout) -> Result<*mut u8> {
        self.half.reserve(length, timeout).map_err(|kind| self.seat.failed("reserve", kind))
    }

    /// Commits the first `length` bytes of what was reserved.
    pub fn commit(&mut self, length: usize) -> Result<()> {
        let finished = self.half.finish(Some(length));
        finished.map_err(|kind| self.seat.failed("commit", kind))
    }

    /// Gives up what was reserved.
    pub fn abort(&mut self) -> Result<()> {
        self.half.finish(None).map_err(|kind| self.seat.failed("abort", kind))
    }

    /// That there is room, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.half.source()
    }

    /// A descriptor that is readable while there is room for the message for which there was none the last time: for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// Use it as one that does not block: when it is readable, send with [`Timeout::TRY`] until that is `EAGAIN`, which lets it
    /// tell of the next. Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.half.fd().map_err(|kind| self.seat.failed("fd", kind))
    }
}

impl QueueReceiver {
    /// Receives a message. Errors: `EAGAIN`, `ETIMEDOUT` when there is none; `EINTR`.
    pub fn recv(&mut self, timeout: Timeout) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.half.receive_anew(&mut bytes, timeout) {
            Ok(()) => Ok(bytes),
            Err(kind) => Err(self.seat.failed("recv", kind)),
        }
    }

    /// Receives a message into what `make` makes for its length: it gets that, and a function that copies the bytes.
    ///
    /// Errors: as [`QueueReceiver::recv`].
    pub fn recv_with<R>(
        &mut self,
        timeout: Timeout,
        make: impl FnOnce(usize, &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> R,
    ) -> Result<R> {
        self.half.receive_with(timeout, make).map_err(|kind| self.seat.failed("recv", kind))
    }

    /// Receives a message into a buffer; its length.
    ///
    /// Errors: as [`QueueReceiver::recv`]; `EMSGSIZE` when it does not fit: it stays in the queue.
    #[inline]
    pub fn recv_into(&mut self, buffer: &mut [MaybeUninit<u8>], timeout: Timeout) -> Result<usize> {
        match self.half.receive(buffer, timeout) {
            Ok(length) => Ok(length),
            Err(kind) => Err(self.seat.failed("recv", kind)),
        }
    }

    /// Receives messages of `size` bytes into a row: as many as are there and fit, at least one; how many.
    pub fn recv_row(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> Result<usize> {
        self.half
            .receive_row(buffer, size, timeout)
            .map_err(|kind| self.seat.failed("recv_row", kind))
    }

    /// Receives the messages that are there, at most so many and at least one, as [`QueueReceiver::recv_with`] does with each; how many. One for
    /// which `make` says false stays in the queue, and those behind it.
    ///
    /// Errors: as [`QueueReceiver::recv`].
    pub fn recv_each(
        &mut self,
        most: usize,
        timeout: Timeout,
        make: impl FnMut(usize, &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> bool,
    ) -> Result<usize> {
        let received = self.half.receive_each(most, timeout, make);
        received.map_err(|kind| self.seat.failed("recv_each", kind))
    }

    /// How often a try looks once more, about 50 ns later, before it says that there is nothing: 0 at first. For who has to
    /// give up something before he may wait, as the lock of an interpreter.
    pub fn look_more(&mut self, times: u32) {
        self.half.more_looks = times;
    }

    /// Lends the next message where it lies: its address and length. See [`QueueReceiver::release`].
    pub fn peek(&mut self, timeout: Timeout) -> Result<(*const u8, usize)> {
        let lent = self.half.peek(timeout);
        lent.map(|(address, length)| (address.cast_const(), length))
            .map_err(|kind| self.seat.failed("peek", kind))
    }

    /// Takes the message that was lent.
    pub fn release(&mut self) -> Result<()> {
        self.half.finish(true).map_err(|kind| self.seat.failed("release", kind))
    }

    /// Leaves the message that was lent in the queue, for the next one to receive.
    pub fn leave(&mut self) -> Result<()> {
        self.half.finish(false).map_err(|kind| self.seat.failed("leave", kind))
    }

    /// That there is a message, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.half.source()
    }

    /// A descriptor that is readable while there is a message: for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// Use it as one that does not block: when it is readable, receive with [`Timeout::TRY`] until that is `EAGAIN`, which lets it
    /// tell of the next. Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.half.fd().map_err(|kind| self.seat.failed("fd", kind))
    }
}

impl Drop for QueueSender {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.half.leave();
        }
    }
}

impl Drop for QueueReceiver {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.half.leave();
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Topic`: each message to all.

use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::memory::Memory;
use super::options::{Channel, Options, Sealed};
use super::room::Room;
use super::seat::{Label, Seat};
use super::sender::Sender;
use super::subscriber::{Reader, Received};
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::map::bytes::refill;
use crate::name::Name;
use crate::record::Layout;
use crate::sync::Place;
use crate::time::Timeout;
use crate::watch::Source;

/// A topic, to publish on: each message goes to every [`Subscriber`].
///
/// ```
/// use unipc::{Timeout, channel::{Subscriber, Topic}};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-topic-{}", std::process::id());
/// let mut frames = Topic::create(name.as_str(), 1 << 20)?;
/// let mut camera = Subscriber::open(name.as_str())?; // in any process
/// frames.publish(b"frame 1", Timeout::Forever)?;
/// let (frame, received) = camera.recv(Timeout::Forever)?;
/// assert_eq!((frame.as_slice(), received.lost), (&b"frame 1"[..], 0));
/// # Topic::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// A topic keeps the latest messages: a publisher never waits, and a subscriber that is too slow is told how many it lost. A
/// *reliable* one ([`Options::reliable`]) makes publishers wait for the slowest living subscriber.
///
/// Threads and fork: as [`super::Queue`].
#[derive(Debug)]
pub struct Topic {
    sender: Sender,
    seat: Seat,
}

/// A subscriber of a [`Topic`], with a position of its own.
#[derive(Debug)]
pub struct Subscriber {
    reader: Reader,
    seat: Seat,
}

const KIND: [u8; 8] = *b"topic\0\0\0";

fn sender(seat: &Seat) -> Sender {
    let control = &seat.memory.control;
    let room = Room::Topic {
        credit: control.project(|control| &control.credit.0),
        slots: Arc::clone(&seat.memory.slots),
        reliable: seat.memory.reliable,
    };
    let turn = seat.taker(control.project(|it| &it.producers.0), |it| &it.sender);
    Sender::new(Arc::clone(&seat.memory), control, seat.ring(), turn, room, seat.fences)
}

impl Channel for Topic {}

impl Sealed for Topic {
    const KIND: [u8; 8] = KIND;

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Seat::take(memory, label)?;
        let mut sender = sender(&seat);
        sender.patience.restless = options.spin;
        Ok(Self { sender, seat })
    }
}

impl Channel for Subscriber {}

impl Sealed for Subscriber {
    const KIND: [u8; 8] = KIND;

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind> {
        let seat = Seat::take(memory, label)?;
        let control = &seat.memory.control;
        let mut turn = seat.taker(control.project(|it| &it.producers.0), |it| &it.sender);
        let half = seat.memory.slots[seat.slot].project(|it| &it.receiver);
        let memory = Arc::clone(&seat.memory);
        let begun = Reader::begin(
            memory,
            seat.ring(),
            half,
            &mut turn,
            seat.fences,
            seat.home(),
            options.start,
        );
        turn.leave();
        let mut reader = begun?;
        reader.patience.restless = options.spin;
        Ok(Self { reader, seat })
    }
}

impl Topic {
    /// Creates the topic `name`. Errors: as [`Options::create`].
    pub fn create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().create(place, capacity)
    }

    /// Opens the topic `name` to publish on it. Errors: as [`Options::open`].
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(place)
    }

    /// Opens the topic, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<Self> {
        Options::new().open_or_create(place, capacity)
    }

    /// Opens the topic that a descriptor refers to.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// Removes the topic of this name; who has it open keeps it.
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        SharedMemory::unlink(name)
    }

    /// Subscribes to this topic, wherever it lies.
    ///
    /// Errors: `EBUSY` when all places for participants are taken; `EPROTO` when the options state another layout; `EINVAL` in a
    /// child of fork.
    pub fn subscribe(&self, options: &Options) -> Result<Subscriber> {
        let (memory, label) = (Arc::clone(&self.seat.memory), self.seat.label.clone());
        let subscribed = self.seat.home().check().and_then(|()| options.seat(memory, label));
        subscribed.map_err(|kind| self.seat.failed("subscribe", kind))
    }

    /// Publishes a message.
    ///
    /// Errors: `EMSGSIZE` when it is longer than the ring holds (or not of the one size); of a reliable topic
    /// `EAGAIN`, `ETIMEDOUT` when a subscriber has not made room; `EINTR`.
    #[inline]
    pub fn publish(&mut self, message: &[u8], timeout: Timeout) -> Result<()> {
        match self.sender.send(message, timeout) {
            Ok(()) => Ok(()),
            Err(kind) => Err(self.seat.failed("publish", kind)),
        }
    }

    /// Publishes messages of `size` bytes that lie in a row: as many as there is room for, at least one; how many.
    pub fn publish_row(&mut self, messages: &[u8], size: usize, timeout: Timeout) -> Result<usize> {
        let sent = self.sender.send_row(messages, size, timeout);
        sent.map_err(|kind| self.seat.failed("publish_row", kind))
    }

    /// Publishes messages that lie anywhere; see [`QueueSender::send_each`](super::QueueSender::send_each).
    pub fn publish_each(&mut self, messages: &[&[u8]], timeout: Timeout) -> Result<usize> {
        let sent = self.sender.send_each(messages, timeout);
        sent.map_err(|kind| self.seat.failed("publish_each", kind))
    }

    /// Makes room for a message in the ring itself; see [`Topic::commit`].
    pub fn reserve(&mut self, length: usize, timeout: Timeout) -> Result<*mut u8> {
        let reserved = self.sender.reserve(length, timeout);
        reserved.map_err(|kind| self.seat.failed("reserve", kind))
    }

    /// Publishes the first `length` bytes of what was reserved.
    pub fn commit(&mut self, length: usize) -> Result<()> {
        let finished = self.sender.finish(Some(length));
        finished.map_err(|kind| self.seat.failed("commit", kind))
    }

    /// Gives up what was reserved.
    pub fn abort(&mut self) -> Result<()> {
        self.sender.finish(None).map_err(|kind| self.seat.failed("abort", kind))
    }

    /// That there is room, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.sender.source()
    }

    /// A descriptor that is readable while there is room for the message for which there was none the last time (always, in a topic that keeps the
    /// latest): for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// Use it as one that does not block: when it is readable, publish with [`Timeout::TRY`] until that is `EAGAIN`, which lets it
    /// tell of the next. Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.sender.fd().map_err(|kind| self.seat.failed("fd", kind))
    }

    /// The descriptor of the memory: close-on-exec, to be handed on. In a place, that of all the memory.
    pub fn memory_fd(&self) -> BorrowedFd<'_> {
        self.seat.memory.fd()
    }

    /// What every message consists of, if whoever created the topic said so ([`Options::layout`]).
    pub fn layout(&self) -> Option<&Layout> {
        self.seat.memory.layout()
    }

    /// The topic's name; in a place, that of the memory.
    pub fn name(&self) -> &Name {
        &self.seat.label.name
    }
}

impl Subscriber {
    /// Subscribes to the topic `name`. Errors: as [`Options::open`].
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(place)
    }

    /// Subscribes to the topic that a descriptor refers to.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// Receives the next message. Errors: `EAGAIN`, `ETIMEDOUT` when there is none; `EINTR`.
    pub fn recv(&mut self, timeout: Timeout) -> Result<(Vec<u8>, Received)> {
        let mut bytes = Vec::new();
        let received = self.reader.receive_with(timeout, |length, copy| {
            refill(&mut bytes, length, copy);
        });
        match received {
            Ok(((), received)) => Ok((bytes, received)),
            Err(kind) => Err(self.seat.failed("recv", kind)),
        }
    }

    /// Receives the next message into what `make` makes for its length: it gets that, and a function that copies the bytes. It is
    /// called again when the message was overwritten meanwhile.
    ///
    /// Errors: as [`Subscriber::recv`].
    pub fn recv_with<R>(
        &mut self,
        timeout: Timeout,
        make: impl FnMut(usize, &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> R,
    ) -> Result<(R, Received)> {
        self.reader.receive_with(timeout, make).map_err(|kind| self.seat.failed("recv", kind))
    }

    /// Receives the next message into a buffer.
    ///
    /// Errors: as [`Subscriber::recv`]; `EMSGSIZE` when it does not fit: it can be received again.
    #[inline]
    pub fn recv_into(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        timeout: Timeout,
    ) -> Result<Received> {
        match self.reader.receive(buffer, timeout) {
            Ok(received) => Ok(received),
            Err(kind) => Err(self.seat.failed("recv", kind)),
        }
    }

    /// Receives messages of `size` bytes into a row: as many as are there and fit, at least one; how many, and how many were lost
    /// before them.
    pub fn recv_row(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> Result<(usize, u64)> {
        let received = self.reader.receive_row(buffer, size, timeout);
        received.map_err(|kind| self.seat.failed("recv_row", kind))
    }

    /// Lends the next message where it lies: its address and length. See [`Subscriber::release`].
    pub fn peek(&mut self, timeout: Timeout) -> Result<(*const u8, usize)> {
        let lent = self.reader.peek(timeout);
        lent.map(|(address, length)| (address.cast_const(), length))
            .map_err(|kind| self.seat.failed("peek", kind))
    }

    /// Goes on behind what was lent.
    ///
    /// Errors: `EOVERFLOW` when it was overwritten meanwhile: what was read of it means nothing.
    pub fn release(&mut self) -> Result<Received> {
        let overwritten = ErrorKind::Os(libc::EOVERFLOW);
        let released = self.reader.finish(true).and_then(|received| received.ok_or(overwritten));
        released.map_err(|kind| {
            self.seat
                .failed("release", kind)
                .with_advice("the message was overwritten while it was lent")
        })
    }

    /// Does not go on: what was lent can be received again.
    pub fn leave(&mut self) -> Result<()> {
        let left = self.reader.finish(false);
        left.map(drop).map_err(|kind| self.seat.failed("leave", kind))
    }

    /// How often a try looks once more, about 50 ns later, before it says that there is nothing; see
    /// [`QueueReceiver::look_more`](super::QueueReceiver::look_more).
    pub fn look_more(&mut self, times: u32) {
        self.reader.more_looks = times;
    }

    /// That there is a message, to wait for.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.reader.source()
    }

    /// A descriptor that is readable while there is a message: for `poll`, `select`, `epoll` or an event loop. It is this handle's, made
    /// by the first call, and close-on-exec.
    ///
    /// Use it as one that does not block: when it is readable, receive with [`Timeout::TRY`] until that is `EAGAIN`, which lets it
    /// tell of the next. Until it is asked for, and while it is readable, the other side pays nothing for it.
    ///
    /// Errors: `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started; `EINVAL` in a child of fork.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.reader.fd().map_err(|kind| self.seat.failed("fd", kind))
    }

    /// What every message consists of, if whoever created the topic said so.
    pub fn layout(&self) -> Option<&Layout> {
        self.seat.memory.layout()
    }

    /// The topic's name; in a place, that of the memory.
    pub fn name(&self) -> &Name {
        &self.seat.label.name
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.sender.leave();
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if self.seat.is_here() {
            self.reader.leave();
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The half of a topic that reads: a position of its own, and a check after each reading that the record was still there.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::doorbell::{Doorbell, Waiting};
use super::layout::{Bed, Half};
use super::memory::Memory;
use super::pace::Pace;
use super::ring::{Found, Ring, no_room_for, other_size};
use super::seat::Home;
use super::turn::Taker;
use super::wait::{self, Patience, SOON};
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU64, fence};
use crate::time::{Deadline, Timeout};
use crate::watch::Source;

/// Where a new subscriber begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the next message that is published.
    Newest,
    /// With the oldest that is still in the ring.
    Oldest,
}

/// Reads each message; one thread at a time.
#[derive(Debug)]
pub(super) struct Reader {
    ring: Ring,
    half: Part<Half>,
    credit: Part<AtomicU64>,
    data: Part<Bed>,
    bed: Part<Bed>,
    memory: Arc<Memory>,
    pub(super) patience: Patience,
    fences: bool,
    position: u64,
    tail: u64,
    /// The number of the next message; `None` until one was read that tells.
    number: Option<u32>,
    /// Only the number of the next message will tell whether some were lost before it.
    astray: bool,
    received: u64,
    lost: u64,
    pace: Pace,
    /// How often a try looks once more.
    pub(super) more_looks: u32,
    /// The length of the last message: that of the next one, mostly.
    length: usize,
    lent: Option<Found>,
    home: Home,
    doorbell: Doorbell,
}

/// A message that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// How many bytes it has.
    pub length: usize,
    /// How many messages were lost just before it, because they were overwritten before this subscriber came to
    /// read them. Always 0 in a reliable topic.
    pub lost: u64,
}

/// How long a new subscriber waits for the publishers' turn: far longer than anybody takes who does not keep a reservation.
const A_PUBLISHERS_TURN: Timeout = Timeout::After(Duration::from_secs(10));

impl Reader {
    /// Begins to subscribe. Takes the publishers' turn for a moment, so that none of them is at work.
    pub(super) fn begin(
        memory: Arc<Memory>,
        ring: Ring,
        half: Part<Half>,
        turn: &mut Taker,
        fences: bool,
        home: Home,
        start: Start,
    ) -> Result<Self, ErrorKind> {
        let control = &memory.control;
        let credit = control.project(|control| &control.credit.0);
        turn.enter(A_PUBLISHERS_TURN)?;
        let tail = ring.tail();
        let position = match start {
            Start::Newest => tail,
            Start::Oldest => credit.load(Ordering::Acquire).min(tail),
        };
        let counts = &control.counts.0;
        let number = counts.iter().find(|count| count.tail.load(Ordering::Acquire) == tail);
        #[allow(clippy::cast_possible_truncation, reason = "half a word")]
        let number = number.map(|count| count.messages.load(Ordering::Relaxed) as u32);
        half.position.store(position, Ordering::Relaxed);
        // SYNC: release pairs with the acquire in `Room::slowest`.
        half.subscribed.store(turn.ticket().0, Ordering::Release);
        turn.exit();
        Ok(Self {
            data: control.project(|control| &control.data.0),
            bed: control.project(|control| &control.room.0),
            length: ring.fixed_length(),
            ring,
            half,
            credit,
            memory,
            patience: Patience::new(),
            fences,
            position,
            tail: position,
            // Of an older message it is what stands there.
            number: number.filter(|_| position == tail),
            astray: position != tail || number.is_none(),
            received: 0,
            lost: 0,
            pace: Pace::new(),
            more_looks: 0,
            lent: None,
            home,
            doorbell: Doorbell::default(),
        })
    }

    /// Reads the next message into the buffer.
    ///
    /// Errors: `EMSGSIZE` when it does not fit: it can be read again.
    #[inline]
    pub(super) fn receive(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        timeout: Timeout,
    ) -> Result<Received, ErrorKind> {
        loop {
            let found = self.arrive(timeout)?;
            if found.length > buffer.len() {
                if self.is_whole() {
                    return Err(no_room_for(found.length, buffer.len()));
                }
                continue;
            }
            let is_beside = self.ring.read(found, &mut buffer[..found.length]);
            if is_beside || self.is_whole() {
                return Ok(self.take(found));
            }
        }
    }

    /// As [`Reader::receive`], into memory that `make` makes for the length, again when the message was overwritten meanwhile.
    pub(super) fn receive_with<R>(
        &mut self,
        timeout: Timeout,
        mut make: impl FnMut(usize, &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> R,
    ) -> Result<(R, Received), ErrorKind> {
        loop {
            let found = self.arrive(timeout)?;
            let mut is_beside = !found.has_number();
            let result = make(found.length, &mut |room| is_beside &= self.ring.read(found, room));
            if is_beside || self.is_whole() {
                return Ok((result, self.take(found)));
            }
        }
    }

    /// Reads messages of one size in a row, as many as are there and fit, at least one; how many, and how many were lost before them.
    pub(super) fn receive_row(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        size: usize,
        timeout: Timeout,
    ) -> Result<(usize, u64), ErrorKind> {
        let most = buffer.len().checked_div(size).unwrap_or(0);
        if most == 0 {
            return Err(ErrorKind::invalid("there is no room for a message"));
        }
        loop {
            let first = self.arrive(timeout)?;
            if first.length != size {
                if self.is_whole() {
                    return Err(other_size(first.length as u64, size as u64));
                }
                continue;
            }
            let (mut found, mut count) = (first, 0);
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
            if self.is_whole() {
                let lost = self.take(first).lost;
                self.skip(found.end, count - 1);
                return Ok((count, lost));
            }
        }
    }

    /// Lends the next message where it lies. In a topic that keeps the latest, only [`Reader::finish`] tells whether it stayed whole.
    pub(super) fn peek(&mut self, timeout: Timeout) -> Result<(*mut u8, usize), ErrorKind> {
        let found = self.arrive(timeout)?;
        self.lent = Some(found);
        Ok((self.ring.mirror.address(found.payload), found.length))
    }

    /// Goes on behind what was lent; `None` when it was overwritten meanwhile.
    pub(super) fn finish(&mut self, taken: bool) -> Result<Option<Received>, ErrorKind> {
        let Some(found) = self.lent.take() else {
            return Err(ErrorKind::invalid("nothing is lent"));
        };
        if !taken {
            return Ok(Some(Received { length: found.length, lost: 0 }));
        }
        Ok(self.is_whole().then(|| self.take(found)))
    }

    /// Was what was read at the position whole until now?
    #[inline]
    fn is_whole(&mut self) -> bool {
        // SYNC: pairs with the fence in `forget`, and in `Sender::refresh` of whoever uses the room then: what was read
        // before this is older than the credit seen after it.
        fence(Ordering::Acquire);
        let is_whole = self.credit.load(Ordering::Relaxed) <= self.position;
        if !is_whole {
            self.catch_up();
        }
        is_whole
    }

    /// Waits until there is a message.
    #[inline]
    fn arrive(&mut self, timeout: Timeout) -> Result<Found, ErrorKind> {
        self.home.check()?;
        if self.lent.is_some() {
            return Err(ErrorKind::invalid("release what is lent first"));
        }
        let has_caught_up = self.position == self.tail;
        if has_caught_up {
            self.arrive_when_there_is_one(timeout)?;
        }
        // What is beside the tail has no number.
        let is_told = !self.astray || self.ring.fixed_record().is_some();
        let (head, tail) = (self.position, self.tail);
        let beside = if has_caught_up && is_told { self.ring.beside(head, tail) } else { None };
        let Some(found) = beside.or_else(|| self.ring.find(head, tail)) else {
            return self.find_again(timeout);
        };
        self.length = found.length;
        if has_caught_up {
            self.pace.note(found.end.wrapping_sub(head), head, tail, &self.data);
        }
        Ok(found)
    }

    /// When no record is at the position, most likely since it was overwritten.
    #[cold]
    fn find_again(&mut self, timeout: Timeout) -> Result<Found, ErrorKind> {
        loop {
            if self.is_whole() {
                return Err(self.ring.damaged(self.position, self.tail));
            }
            if self.position == self.tail {
                self.arrive_when_there_is_one(timeout)?;
            }
            if let Some(found) = self.ring.find(self.position, self.tail) {
                return Ok(found);
            }
        }
    }

    /// Goes on at the oldest message that is there.
    fn catch_up(&mut self) {
        let credit = self.credit.load(Ordering::Acquire);
        if let Some(record) = self.ring.fixed_record() {
            self.lose(credit.saturating_sub(self.position) / record);
        }
        self.astray = true;
        self.position = credit.max(self.position);
        self.half.position.store(self.position, Ordering::Release);
        self.tail = self.ring.tail().max(self.position);
    }

    fn lose(&mut self, messages: u64) {
        self.lost = self.lost.wrapping_add(messages);
        let all = self.half.lost.load(Ordering::Relaxed).wrapping_add(messages);
        self.half.lost.store(all, Ordering::Relaxed);
    }

    #[inline]
    fn arrive_when_there_is_one(&mut self, timeout: Timeout) -> Result<(), ErrorKind> {
        let (ring, position, length) = (&self.ring, self.position, self.length);
        self.pace.keep(|| ring.tail());
        let looks = &mut self.pace.looks;
        self.patience.glance(timeout, SOON, || {
            let is_there = ring.tail() != position;
            if !is_there {
                *looks += 1;
                ring.prefetch_next(position, length);
            }
            is_there
        });
        self.tail = self.ring.tail();
        if self.tail == self.position { self.wait(timeout) } else { Ok(()) }
    }

    fn wait(&mut self, timeout: Timeout) -> Result<(), ErrorKind> {
        let mut deadline = None;
        while self.tail == self.position {
            self.ring.mirror.check()?;
            if timeout == Timeout::TRY {
                let (ring, position, length) = (&self.ring, self.position, self.length);
                let came = self.pace.comes(&self.patience, self.more_looks, || {
                    ring.prefetch_next(position, length);
                    ring.tail() != position
                });
                self.tail = if came { self.ring.tail() } else { self.tail };
                if self.tail == self.position {
                    return Err(self.doorbell.nothing(timeout.expired()));
                }
                return Ok(());
            }
            let deadline = *deadline.get_or_insert_with(|| timeout.deadline());
            self.pace.looks += self.wait_for_message(deadline)?;
            self.tail = self.ring.tail();
            if self.tail == self.position && deadline.has_passed() {
                return Err(self.doorbell.nothing(timeout.expired()));
            }
        }
        Ok(())
    }

    fn wait_for_message(&mut self, deadline: Deadline) -> Result<u32, ErrorKind> {
        let (ring, position, length) = (&self.ring, self.position, self.length);
        let mut looks = 0;
        let ready = || {
            looks += 1;
            ring.prefetch_next(position, length);
            ring.tail() != position
        };
        if !self.patience.spin(deadline, ready) {
            super::count(&self.half.waits);
            if self.patience.restless {
                return Ok(looks);
            }
            let ready = || ring.tail() != position;
            wait::sleep(&self.data, &self.memory.settings, deadline, ready)?;
        }
        Ok(looks)
    }

    /// Goes on behind a message that was read whole.
    #[inline]
    fn take(&mut self, found: Found) -> Received {
        #[allow(clippy::cast_possible_truncation, reason = "half a word")]
        let number = found.number as u32;
        if self.ring.fixed_record().is_none() && found.has_number() {
            if let Some(expected) = self.number {
                self.lose(u64::from(number.wrapping_sub(expected)));
            }
            self.number = Some(number);
            self.astray = false;
        }
        let lost = std::mem::take(&mut self.lost);
        self.skip(found.end, 1);
        Received { length: found.length, lost }
    }

    #[inline]
    fn skip(&mut self, end: u64, messages: usize) {
        self.position = end;
        #[allow(clippy::cast_possible_truncation, reason = "half a word")]
        let number = self.number.map(|number| number.wrapping_add(messages as u32));
        self.number = number;
        self.received += messages as u64;
        // SYNC: release pairs with the acquire in `Room::slowest`.
        self.half.position.store(end, Ordering::Release);
        self.half.messages.store(self.received, Ordering::Relaxed);
        wait::ring(&self.bed, self.fences || self.memory.fences(), i32::MAX);
    }

    /// That there is a message, to wait for.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        let (ring, half) = (self.ring.clone(), self.half.clone());
        Arc::new(Waiting {
            memory: Arc::clone(&self.memory),
            bed: self.data.clone(),
            // A ring without its pages is for the caller to find.
            ready: move || {
                ring.tail() != half.position.load(Ordering::Acquire) || ring.mirror.check().is_err()
            },
            bury: || {},
        })
    }

    /// Readable while there is a message, see [`super::doorbell`].
    pub(super) fn fd(&self) -> Result<BorrowedFd<'_>, ErrorKind> {
        self.home.check()?;
        self.doorbell.fd(|| self.source())
    }

    /// Leaves for good.
    pub(super) fn leave(&self) {
        self.half.subscribed.store(0, Ordering::Release);
        wait::ring(&self.bed, true, i32::MAX);
    }
}

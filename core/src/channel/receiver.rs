// SPDX-License-Identifier: MIT OR Apache-2.0
//! The half of a queue that receives.

#[path = "receiver/beside.rs"]
mod beside;
#[path = "receiver/several.rs"]
mod several;

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::aside::{Aside, Nothing};
use super::doorbell::{Doorbell, Waiting};
use super::layout::{Bed, Control};
use super::memory::Memory;
use super::pace::Pace;
use super::ring::{Found, Ring};
use super::sender::rest;
use super::turn::Taker;
use super::wait::{self, Patience, SOON};
use crate::error::ErrorKind;
use crate::map::bytes::refill;
use crate::map::mirror::Part;
use crate::sys::atomic::AtomicU64;
use crate::time::{Deadline, Timeout};
use crate::watch::Source;

/// Receives, one message at a time or many; one thread at a time.
#[derive(Debug)]
pub(super) struct Receiver<A = Nothing> {
    ring: Ring,
    aside: A,
    /// What came last came by there.
    was_aside: bool,
    turn: Taker,
    head: Part<AtomicU64>,
    credit: Part<AtomicU64>,
    data: Part<Bed>,
    room: Part<Bed>,
    memory: Arc<Memory>,
    pub(super) patience: Patience,
    /// As far as this handle knows.
    position: u64,
    tail: u64,
    /// The last credit that was given.
    given: u64,
    fences: bool,
    received: u64,
    pace: Pace,
    /// The length of the last message: that of the next one, mostly.
    length: usize,
    /// How often a try looks once more.
    pub(super) more_looks: u32,
    /// A message that was lent: the turn is held until it is taken or left.
    lent: Option<Found>,
    doorbell: Doorbell,
}

/// What has come.
#[derive(Debug)]
enum Come<T> {
    Message(Found),
    Aside(T),
}

impl Receiver {
    /// Takes the turn, and waits until there is a message.
    #[inline]
    fn arrive(&mut self, timeout: Timeout) -> Result<Found, ErrorKind> {
        match self.arrive_at_either(timeout)? {
            Come::Message(found) => Ok(found),
            Come::Aside(nothing) => match nothing {},
        }
    }

    /// Receives the next message into the buffer; its length.
    ///
    /// Errors: `EMSGSIZE` when it does not fit: it stays in the queue.
    #[inline]
    pub(super) fn receive(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        timeout: Timeout,
    ) -> Result<usize, ErrorKind> {
        let found = self.arrive(timeout)?;
        if found.length > buffer.len() {
            self.turn.exit();
            return Err(super::ring::no_room_for(found.length, buffer.len()));
        }
        self.ring.read(found, &mut buffer[..found.length]);
        self.take(found.end, 1);
        Ok(found.length)
    }

    /// Receives the next message into memory that `make` makes for its length.
    pub(super) fn receive_with<R>(
        &mut self,
        timeout: Timeout,
        make: impl FnOnce(usize, &mut dyn FnMut(&mut [MaybeUninit<u8>])) -> R,
    ) -> Result<R, ErrorKind> {
        self.receive_by(timeout, |ring, found| {
            make(found.length, &mut |room| _ = ring.read(found, room))
        })
    }

    /// Receives the next message in place of what is in a vector.
    #[inline]
    pub(super) fn receive_anew(
        &mut self,
        bytes: &mut Vec<u8>,
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        self.receive_by(timeout, |ring, found| {
            refill(bytes, found.length, |room| _ = ring.read(found, room));
        })
    }

    /// Takes the next message when `copy` has copied it.
    #[inline]
    fn receive_by<R>(
        &mut self,
        timeout: Timeout,
        copy: impl FnOnce(&Ring, Found) -> R,
    ) -> Result<R, ErrorKind> {
        let found = self.arrive(timeout)?;
        let copied = copy(&self.ring, found);
        self.take(found.end, 1);
        Ok(copied)
    }
}

impl<A: Aside> Receiver<A> {
    pub(super) fn new(
        memory: Arc<Memory>,
        control: &Part<Control>,
        ring: Ring,
        turn: Taker,
        fences: bool,
        aside: A,
    ) -> Self {
        Self {
            aside,
            was_aside: false,
            length: ring.fixed_length(),
            ring,
            turn,
            head: control.project(|control| &control.head.0),
            credit: control.project(|control| &control.credit.0),
            data: control.project(|control| &control.data.0),
            room: control.project(|control| &control.room.0),
            memory,
            patience: Patience::new(),
            position: 0,
            tail: 0,
            given: 0,
            fences,
            received: 0,
            pace: Pace::new(),
            more_looks: 0,
            lent: None,
            doorbell: Doorbell::default(),
        }
    }

    /// Takes the turn, and waits until there is something.
    #[inline]
    fn arrive_at_either(&mut self, timeout: Timeout) -> Result<Come<A::Thing>, ErrorKind> {
        if self.lent.is_some() {
            return Err(ErrorKind::invalid("take or leave what is lent first"));
        }
        if self.position == self.tail {
            self.glance(timeout);
        }
        if !self.turn.enter(timeout)? {
            self.refresh();
        }
        let has_caught_up = self.position == self.tail;
        let aside = if has_caught_up {
            self.arrive_when_there_is_something(timeout)?
        } else {
            self.aside.look()
        };
        if let Some(thing) = aside
            && !self.is_the_rings_turn(&thing)
        {
            return Ok(Come::Aside(thing));
        }
        self.was_aside = false;
        let (head, tail) = (self.position, self.tail);
        let beside = if has_caught_up { self.ring.beside(head, tail) } else { None };
        let Some(found) = beside.or_else(|| self.ring.find(head, tail)) else {
            self.turn.exit();
            return Err(self.ring.damaged(head, tail));
        };
        if has_caught_up {
            self.length = found.length;
            self.pace.note(found.end.wrapping_sub(head), head, tail, &self.data);
        }
        Ok(Come::Message(found))
    }

    /// Before it takes the turn: most of what comes soon comes within a few looks, after which there is less left to do.
    #[inline]
    fn glance(&mut self, timeout: Timeout) {
        let (ring, aside, position, length) = (&self.ring, &self.aside, self.position, self.length);
        self.pace.keep(|| ring.tail());
        let looks = &mut self.pace.looks;
        self.patience.glance(timeout, SOON, || {
            let is_there = aside.is_there() || ring.tail() != position;
            if !is_there {
                *looks += 1;
                ring.prefetch_next(position, length);
            }
            is_there
        });
    }

    /// With the turn, before and after. What is there beside the ring, where there may be something too.
    #[inline]
    fn arrive_when_there_is_something(
        &mut self,
        timeout: Timeout,
    ) -> Result<Option<A::Thing>, ErrorKind> {
        self.tail = self.ring.tail();
        // After the ring: who has put something there may have put something older here.
        let aside = self.aside.look();
        if aside.is_none() && self.tail == self.position {
            return self.wait_with_the_turn(timeout);
        }
        Ok(aside)
    }

    fn refresh(&mut self) {
        // SYNC: acquire pairs with the release in `take`.
        self.position = self.head.load(Ordering::Acquire);
        self.given = self.credit.load(Ordering::Relaxed);
        self.tail = self.ring.tail();
    }

    /// As [`Receiver::arrive_when_there_is_something`], when nothing is there.
    #[inline(never)]
    fn wait_with_the_turn(&mut self, timeout: Timeout) -> Result<Option<A::Thing>, ErrorKind> {
        let (mut deadline, mut tried) = (None, false);
        while self.tail == self.position {
            self.turn.exit();
            self.ring.mirror.check()?;
            if timeout == Timeout::TRY {
                if std::mem::replace(&mut tried, true) || !self.comes_soon() {
                    return Err(self.doorbell.nothing(timeout.expired()));
                }
            } else {
                let deadline = *deadline.get_or_insert_with(|| timeout.deadline());
                self.pace.looks += self.wait_for_message(deadline)?;
                // The message first: to look at the clock takes longer.
                if !self.is_there() && deadline.has_passed() {
                    return Err(self.doorbell.nothing(timeout.expired()));
                }
            }
            if !self.turn.enter_within(|| deadline.map_or(timeout, |at| rest(timeout, at)))? {
                self.refresh();
            }
            self.tail = self.ring.tail();
            let aside = self.aside.look();
            if aside.is_some() {
                return Ok(aside);
            }
            // There may have been something, again and again, that somebody else took or that was nothing.
            if self.tail == self.position && deadline.is_some_and(Deadline::has_passed) {
                self.turn.exit();
                return Err(self.doorbell.nothing(timeout.expired()));
            }
        }
        Ok(None)
    }

    /// Without the turn: may there be something?
    fn is_there(&self) -> bool {
        self.aside.is_there() || self.ring.tail() != self.position
    }

    /// Is there a message after looking more often than a try would?
    fn comes_soon(&mut self) -> bool {
        let (ring, aside, position, length) = (&self.ring, &self.aside, self.position, self.length);
        self.pace.comes(&self.patience, self.more_looks, || {
            ring.prefetch_next(position, length);
            aside.is_there() || ring.tail() != position
        })
    }

    /// Without the turn. How often it looked.
    fn wait_for_message(&mut self, deadline: Deadline) -> Result<u32, ErrorKind> {
        let (position, length) = (self.position, self.length);
        let mut looks = 0;
        let ready = || {
            looks += 1;
            self.ring.prefetch_next(position, length);
            self.aside.is_there() || self.ring.tail() != position
        };
        if !self.patience.spin(deadline, ready) {
            super::count(&self.turn.half().waits);
            if self.patience.restless {
                return Ok(looks);
            }
            let ready = || self.aside.is_there() || self.ring.tail() != position;
            wait::sleep(&self.data, &self.memory.settings, deadline, ready)?;
        }
        Ok(looks)
    }

    /// Takes everything before `end`, gives the turn back, and lets producers know when it is time.
    #[inline]
    fn take(&mut self, end: u64, messages: usize) {
        self.advance(end, messages);
        let fences = self.fences || self.memory.fences();
        self.turn.exit();
        wait::ring(&self.room, fences, i32::MAX);
    }

    /// Takes everything before `end`.
    #[inline]
    fn advance(&mut self, end: u64, messages: usize) {
        self.position = end;
        // SYNC: release pairs with the acquire of whoever sends or receives next.
        self.head.store(end, Ordering::Release);
        self.count(messages);
        if end.wrapping_sub(self.given) >= self.ring.mirror.size() / 4 {
            self.given = end;
            // SYNC: as above.
            self.credit.store(end, Ordering::Release);
        }
    }

    /// Counts messages that were received.
    #[inline]
    pub(super) fn count(&mut self, messages: usize) {
        self.received += messages as u64;
        self.turn.half().messages.store(self.received, Ordering::Relaxed);
    }

    /// That there is a message, to wait for.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        let (ring, aside, head) = (self.ring.clone(), self.aside.clone(), self.head.clone());
        Arc::new(Waiting {
            memory: Arc::clone(&self.memory),
            bed: self.data.clone(),
            // A ring without its pages is for the caller to find.
            ready: move || {
                aside.is_there()
                    || ring.tail() != head.load(Ordering::Acquire)
                    || ring.mirror.check().is_err()
            },
            bury: || {},
        })
    }

    /// Readable while there is a message, see [`super::doorbell`].
    pub(super) fn fd(&self) -> Result<BorrowedFd<'_>, ErrorKind> {
        self.fd_of(|| self.source())
    }

    /// The same of somebody who waits for more than that.
    pub(super) fn fd_of(
        &self,
        source: impl FnOnce() -> Arc<dyn Source>,
    ) -> Result<BorrowedFd<'_>, ErrorKind> {
        self.doorbell.fd(source)
    }

    /// Leaves for good.
    pub(super) fn leave(&self) {
        self.turn.leave();
    }
}

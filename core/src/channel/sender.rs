// SPDX-License-Identifier: MIT OR Apache-2.0
//! The half of a queue that sends.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::doorbell::{Doorbell, Waiting};
use super::layout::{BESIDE, Bed, Control, Count};
use super::memory::Memory;
use super::ring::Ring;
use super::room::{Room, fits};
use super::turn::Taker;
use super::wait::{self, Patience};
use crate::error::ErrorKind;
use crate::map::mirror::Part;
use crate::sys::atomic::{AtomicU64, fence};
use crate::time::{Deadline, Timeout};
use crate::watch::Source;

/// Sends, one message at a time or many; one thread at a time.
#[derive(Debug)]
pub(super) struct Sender {
    ring: Ring,
    turn: Taker,
    room: Room,
    counts: Option<Part<[Count; 2]>>,
    /// How many messages there were in all, and in which of the counts that is written.
    number: u64,
    count: usize,
    data: Part<Bed>,
    bed: Part<Bed>,
    /// How many sleepers a message is for.
    audience: i32,
    memory: Arc<Memory>,
    pub(super) patience: Patience,
    /// As far as this handle knows.
    tail: u64,
    /// Up to where there is room, as far as it knows.
    limit: u64,
    fences: bool,
    sent: u64,
    /// Bytes that were reserved: the turn is held until they are committed or given up.
    reserved: Option<usize>,
    /// When it last looked for dead subscribers although it does not wait.
    buried: Option<Instant>,
    doorbell: Doorbell,
    /// How many bytes there was no room for the last time; at first those of the least message.
    wanted: Arc<AtomicU64>,
}

/// The least time between two looks for dead subscribers by who does not wait.
const BETWEEN_BURIALS: Duration = Duration::from_millis(10);

/// What is left of the time, but never a try, which would be another error.
pub(super) fn rest(timeout: Timeout, deadline: Deadline) -> Timeout {
    match deadline.remaining() {
        Timeout::After(left) if timeout != Timeout::TRY => {
            Timeout::After(left.max(Duration::from_nanos(1)))
        }
        left => left,
    }
}

impl Sender {
    pub(super) fn new(
        memory: Arc<Memory>,
        control: &Part<Control>,
        ring: Ring,
        turn: Taker,
        room: Room,
        fences: bool,
    ) -> Self {
        let is_topic = matches!(room, Room::Topic { .. });
        let least = ring.fixed_record().unwrap_or(8);
        let audience = if is_topic { i32::MAX } else { 1 };
        Self {
            ring,
            turn,
            room,
            counts: is_topic.then(|| control.project(|control| &control.counts.0)),
            number: 0,
            count: 0,
            data: control.project(|control| &control.data.0),
            bed: control.project(|control| &control.room.0),
            audience,
            memory,
            patience: Patience::new(),
            tail: 0,
            limit: 0,
            fences,
            sent: 0,
            reserved: None,
            buried: None,
            doorbell: Doorbell::default(),
            wanted: Arc::new(AtomicU64::new(least)),
        }
    }

    #[inline]
    pub(super) fn send(&mut self, payload: &[u8], timeout: Timeout) -> Result<(), ErrorKind> {
        self.send_after([], payload, timeout)
    }

    /// As [`Sender::send`], with words that the message begins with.
    #[inline]
    pub(super) fn send_after<const N: usize>(
        &mut self,
        words: [u64; N],
        payload: &[u8],
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        let record = self.ring.record(8 * N + payload.len())?;
        self.enter(record, timeout)?;
        self.ring.claim_room(self.tail, self.tail.wrapping_add(record), self.limit);
        self.ring.write_after(self.tail, self.number, words, payload);
        self.commit(record, words, Some(payload), 1);
        Ok(())
    }

    /// Sends payloads of one size that lie in a row, as many as there is room for, at least one; tells how many.
    pub(super) fn send_row(
        &mut self,
        payloads: &[u8],
        size: usize,
        timeout: Timeout,
    ) -> Result<usize, ErrorKind> {
        if size == 0 || !payloads.len().is_multiple_of(size) {
            return Err(ErrorKind::invalid("the bytes are no whole number of messages"));
        }
        let record = self.ring.record(size)?;
        if payloads.is_empty() {
            return Ok(0);
        }
        self.enter(record, timeout)?;
        self.look_for_room(record * (payloads.len() / size) as u64)?;
        // There is room for one at least; `enter` saw it.
        let room = self.limit.saturating_sub(self.tail).min(self.ring.mirror.size());
        let fit = usize::try_from(room / record).unwrap_or(usize::MAX).max(1);
        let count = fit.min(payloads.len() / size);
        let payloads = &payloads[..count * size];
        if self.ring.payload(0) == 0 && record == size as u64 {
            // Without lengths and padding the row is what the ring will hold.
            self.ring.mirror.write(self.tail, payloads);
        } else {
            for (payload, index) in payloads.chunks_exact(size).zip(0..) {
                let at = self.tail.wrapping_add(record * index);
                self.ring.write(at, self.number.wrapping_add(index), payload);
            }
        }
        let last = &payloads[payloads.len() - size..];
        self.commit(record * count as u64, [], Some(last), count);
        Ok(count)
    }

    /// Sends payloads that lie anywhere, as many as there is room for, at least one; tells how many.
    pub(super) fn send_each(
        &mut self,
        payloads: &[&[u8]],
        timeout: Timeout,
    ) -> Result<usize, ErrorKind> {
        let Some(mut last) = payloads.first().copied() else { return Ok(0) };
        self.enter(self.ring.record(last.len())?, timeout)?;
        let record = |ring: &Ring, payload: &[u8]| ring.record(payload.len()).ok();
        let (mut wanted, size) = (0_u64, self.ring.mirror.size());
        for record in payloads.iter().map_while(|payload| record(&self.ring, payload)) {
            // More than the ring holds is not to be had at once.
            if wanted > size {
                break;
            }
            wanted = wanted.saturating_add(record);
        }
        self.look_for_room(wanted)?;
        let (mut count, mut end) = (0, self.tail);
        for (payload, number) in payloads.iter().zip(self.number..) {
            let Some(record) = record(&self.ring, payload) else { break };
            // There is room for one; `enter` saw it.
            if count > 0 && !fits(end, record, self.limit) {
                break;
            }
            let start = end;
            end = start.wrapping_add(record);
            self.ring.claim_room(start, end, self.limit);
            self.ring.write(start, number, payload);
            (count, last) = (count + 1, payload);
        }
        self.commit(end.wrapping_sub(self.tail), [], Some(last), count);
        Ok(count)
    }

    /// Makes room for a payload, to be written at the address, and then committed. Others who send wait meanwhile.
    pub(super) fn reserve(
        &mut self,
        length: usize,
        timeout: Timeout,
    ) -> Result<*mut u8, ErrorKind> {
        let record = self.ring.record(length)?;
        self.enter(record, timeout)?;
        self.reserved = Some(length);
        Ok(self.ring.mirror.address(self.ring.payload(self.tail)))
    }

    /// Commits the first `length` bytes of what was reserved, or gives it up.
    pub(super) fn finish(&mut self, length: Option<usize>) -> Result<(), ErrorKind> {
        let Some(reserved) = self.reserved.take() else {
            return Err(ErrorKind::invalid("nothing is reserved"));
        };
        let record = match length {
            None => {
                self.turn.exit();
                return Ok(());
            }
            Some(length) if length > reserved => {
                Err(super::ring::too_long(length as u64, reserved as u64))
            }
            Some(length) => self.ring.record(length).map(|record| (record, length)),
        };
        let (record, length) = match record {
            Ok(record) => record,
            Err(error) => {
                self.reserved = Some(reserved);
                return Err(error);
            }
        };
        self.ring.write_length(self.tail, self.number, length);
        let mut beside = [std::mem::MaybeUninit::uninit(); BESIDE];
        let at = self.ring.payload(self.tail);
        let payload = beside.get_mut(..length).map(|short| &*self.ring.mirror.read(at, short));
        self.commit(record, [], payload, 1);
        Ok(())
    }

    /// Takes the turn, and waits until there is room for so many bytes.
    #[inline]
    fn enter(&mut self, bytes: u64, timeout: Timeout) -> Result<(), ErrorKind> {
        if self.reserved.is_some() {
            return Err(ErrorKind::invalid("commit or give up what is reserved first"));
        }
        if !self.turn.enter(timeout)? {
            self.refresh();
        }
        if !fits(self.tail, bytes, self.limit) {
            return self.enter_when_there_is_room(bytes, timeout);
        }
        Ok(())
    }

    fn refresh(&mut self) {
        self.tail = self.ring.tail();
        self.limit = self.room.known(&self.ring);
        // SYNC: another publisher may have made this room: pairs with the fence in `Reader::is_whole` as his own does.
        fence(Ordering::Release);
        if let Some(counts) = &self.counts {
            let is_right = |count: &Count| count.tail.load(Ordering::Acquire) == self.tail;
            self.count = counts.iter().position(is_right).unwrap_or(0);
            self.number = counts[self.count].messages.load(Ordering::Relaxed);
        }
    }

    /// Before the tail says so: how many messages there will be.
    #[inline]
    fn count(&mut self, messages: usize) {
        let Some(counts) = &self.counts else { return };
        self.number = self.number.wrapping_add(messages as u64);
        self.count ^= 1;
        let count = &counts[self.count & 1];
        // SYNC: pairs with the acquire in `refresh`.
        count.tail.store(0, Ordering::Release);
        count.messages.store(self.number, Ordering::Release);
        count.tail.store(self.tail, Ordering::Release);
    }

    /// With the turn: makes room if it can, and gives the turn back if it fails.
    fn look_for_room(&mut self, bytes: u64) -> Result<(), ErrorKind> {
        if !fits(self.tail, bytes, self.limit) {
            // More than the ring holds is not to be had at once.
            let bytes = bytes.min(self.ring.mirror.size());
            match self.room.make(&self.ring, self.tail, bytes) {
                Ok(limit) => self.limit = limit,
                Err(error) => {
                    self.turn.exit();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn enter_when_there_is_room(&mut self, bytes: u64, timeout: Timeout) -> Result<(), ErrorKind> {
        let mut deadline = None;
        loop {
            self.look_for_room(bytes)?;
            if fits(self.tail, bytes, self.limit) {
                return Ok(());
            }
            self.turn.exit();
            self.ring.mirror.check()?;
            let deadline = *deadline.get_or_insert_with(|| timeout.deadline());
            if timeout == Timeout::TRY || deadline.has_passed() {
                // A dead subscriber must not stand in the way of those who never wait.
                if !self.bury_at_times() || !self.room.is(&self.ring, self.tail, bytes) {
                    self.wanted.store(bytes, Ordering::Relaxed);
                    return Err(self.doorbell.nothing(timeout.expired()));
                }
            } else {
                self.wait_for_room(bytes, deadline)?;
            }
            if !self.turn.enter(rest(timeout, deadline))? {
                self.refresh();
            }
        }
    }

    /// Takes the dead out of the way, if nobody has looked for a while: it costs more than a message.
    fn bury_at_times(&mut self) -> bool {
        let now = Instant::now();
        let is_early = self.buried.is_some_and(|last| now - last < BETWEEN_BURIALS);
        if !is_early {
            self.buried = Some(now);
            self.room.bury();
        }
        !is_early
    }

    fn wait_for_room(&mut self, bytes: u64, deadline: Deadline) -> Result<(), ErrorKind> {
        super::count(&self.turn.half().waits);
        let (room, ring, tail) = (&self.room, &self.ring, self.tail);
        let mut looks = 0;
        if self.patience.spin(deadline, || room.may_be(ring, tail, bytes, &mut looks)) {
            return Ok(());
        }
        self.room.bury();
        if self.patience.restless {
            return Ok(());
        }
        let room = &self.room;
        let ready = || room.is(ring, tail, bytes);
        Ok(wait::sleep(&self.bed, &self.memory.settings, deadline, ready)?)
    }

    /// Commits so many bytes, gives the turn back, and wakes who waits for messages.
    #[inline]
    fn commit<const N: usize>(
        &mut self,
        bytes: u64,
        words: [u64; N],
        last: Option<&[u8]>,
        messages: usize,
    ) {
        self.tail = self.tail.wrapping_add(bytes);
        self.count(messages);
        let last = last.filter(|_| self.data.paced.load(Ordering::Relaxed) == 0);
        self.ring.commit(self.tail, words, last);
        self.sent += messages as u64;
        self.turn.half().messages.store(self.sent, Ordering::Relaxed);
        self.turn.exit();
        let wake = self.audience.saturating_mul(i32::try_from(messages).unwrap_or(i32::MAX));
        wait::ring(&self.data, self.must_fence(), wake);
    }

    /// Where the last message that this handle sent ends.
    pub(super) fn sent_up_to(&self) -> u64 {
        self.tail
    }

    /// Where it finds room.
    pub(super) fn room(&self) -> &Room {
        &self.room
    }

    /// Was everything taken that this handle has sent?
    #[inline]
    pub(super) fn is_all_taken(&self) -> bool {
        self.room.taken() >= self.tail
    }

    /// It has sent a message by another way: counts it, and wakes who waits for messages.
    #[inline]
    pub(super) fn has_sent_aside(&mut self) {
        self.sent += 1;
        self.turn.half().messages.store(self.sent, Ordering::Relaxed);
        wait::ring(&self.data, self.must_fence(), self.audience);
    }

    /// Must it use full fences itself?
    #[inline]
    pub(super) fn must_fence(&self) -> bool {
        self.fences || self.memory.fences()
    }

    /// Where the last message that was taken from the queue ends.
    pub(super) fn taken_up_to(&self) -> u64 {
        self.room.taken()
    }

    /// That there is room for what there was none for the last time, to wait for.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        let (ring, room, wanted) = (self.ring.clone(), self.room.clone(), Arc::clone(&self.wanted));
        let subscribers = self.room.clone();
        Arc::new(Waiting {
            memory: Arc::clone(&self.memory),
            bed: self.bed.clone(),
            ready: move || {
                let wanted = wanted.load(Ordering::Relaxed);
                room.is(&ring, ring.tail(), wanted) || ring.mirror.check().is_err()
            },
            bury: move || subscribers.bury(),
        })
    }

    /// Readable while there is room, see [`super::doorbell`].
    pub(super) fn fd(&self) -> Result<BorrowedFd<'_>, ErrorKind> {
        self.doorbell.fd(|| self.source())
    }

    /// Leaves for good.
    pub(super) fn leave(&self) {
        self.turn.leave();
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A channel, who uses it, and what they have sent and got.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory::{Memory, Shape};
use super::party::Party;
use crate::error::ErrorKind;
use crate::map::mirror;
use crate::scheduler;
use crate::sys::identity;
use crate::time::Timeout;

/// The longest message.
pub(super) const LONGEST: usize = 112;

/// Which message it is: the thread that sends it, and its number among that one's.
pub(super) type Mark = (usize, usize);

pub(super) struct Stage {
    pub(super) memory: Arc<Memory>,
    parties: Vec<Mutex<Option<Party>>>,
    senders: Vec<usize>,
    /// Whose sending began, and ended.
    begun: Mutex<Vec<Mark>>,
    done: Mutex<Vec<Mark>>,
    /// By whom.
    got: Mutex<Vec<(usize, Mark)>>,
    /// How many messages each is just taking, which may go with it.
    taking: Vec<AtomicUsize>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn bytes((thread, number): Mark, length: usize) -> Vec<u8> {
    vec![u8::try_from(thread * 16 + number + 1).expect("few"); length]
}

/// What message that is, which must be whole.
pub(super) fn mark(bytes: &[u8]) -> Mark {
    let first = usize::from(bytes[0]);
    assert!(bytes.iter().all(|byte| usize::from(*byte) == first) && first > 0, "torn: {bytes:?}");
    ((first - 1) / 16, (first - 1) % 16)
}

pub(super) fn me() -> usize {
    scheduler::number().expect("a thread of a run")
}

impl Stage {
    /// With the handle of each thread.
    pub(super) fn new(shape: Shape, parties: &[fn(&Arc<Memory>) -> Party]) -> Self {
        let memory = Arc::new(Memory::new(shape));
        let mut senders = Vec::new();
        let open = |(thread, party): (usize, &fn(&Arc<Memory>) -> Party)| {
            let party = identity::instead_of(thread, || party(&memory));
            senders.extend(party.sends().then_some(thread));
            Mutex::new(Some(party))
        };
        let parties: Vec<_> = parties.iter().enumerate().map(open).collect();
        Self {
            taking: (0..=parties.len()).map(|_| AtomicUsize::new(0)).collect(),
            parties,
            senders,
            memory,
            begun: Mutex::default(),
            done: Mutex::default(),
            got: Mutex::default(),
        }
    }

    /// And so many threads which open their own.
    pub(super) fn with_more(mut self, threads: usize) -> Self {
        let count = self.parties.len() + threads;
        self.parties.resize_with(count, Mutex::default);
        self.taking.resize_with(count + 1, AtomicUsize::default);
        self
    }

    /// Sends before the run begins, instead of this thread.
    pub(super) fn fill(self, thread: usize, count: usize, length: usize) -> Self {
        for number in 0..count {
            let bytes = bytes((thread, number), length);
            let sent = self.party_of(thread, |party| party.sender().send(&bytes, Timeout::TRY));
            sent.expect("there is room");
            lock(&self.begun).push((thread, number));
            lock(&self.done).push((thread, number));
        }
        self
    }

    /// The calling thread's.
    pub(super) fn party<T>(&self, work: impl FnOnce(&mut Party) -> T) -> T {
        self.party_of(me(), work)
    }

    pub(super) fn party_of<T>(&self, thread: usize, work: impl FnOnce(&mut Party) -> T) -> T {
        work(lock(&self.parties[thread]).as_mut().expect("it has one"))
    }

    pub(super) fn begin(&self, number: usize) {
        lock(&self.begun).push((me(), number));
    }

    pub(super) fn end(&self, number: usize) {
        lock(&self.done).push((me(), number));
    }

    /// Sends the message of this number.
    pub(super) fn send(&self, number: usize, length: usize) {
        self.send_within(number, length, Timeout::Forever).expect("it can be sent");
    }

    pub(super) fn send_within(
        &self,
        number: usize,
        length: usize,
        timeout: Timeout,
    ) -> Result<(), ErrorKind> {
        self.begin(number);
        let sent = self.party(|party| party.sender().send(&bytes((me(), number), length), timeout));
        if sent.is_ok() {
            self.end(number);
        }
        sent
    }

    /// Makes room, writes, and commits.
    pub(super) fn place(&self, number: usize, length: usize) {
        self.party(|party| {
            let sender = party.sender();
            let address = sender.reserve(length, Timeout::Forever).expect("there is room");
            self.memory.mirror.write(mirror::at(address), &bytes((me(), number), length));
            self.begin(number);
            sender.finish(Some(length)).expect("it is reserved");
            self.end(number);
        });
    }

    /// Makes room, writes, and gives it up.
    pub(super) fn give_up(&self, length: usize) {
        self.party(|party| {
            let sender = party.sender();
            let address = sender.reserve(length, Timeout::Forever).expect("there is room");
            self.memory.mirror.write(mirror::at(address), &bytes((me(), 15), length));
            sender.finish(None).expect("it is reserved");
        });
    }

    /// Receives a message from a queue.
    pub(super) fn receive(&self, timeout: Timeout) -> Result<(), ErrorKind> {
        self.take(1);
        let mut buffer = [MaybeUninit::uninit(); LONGEST];
        let received = self.party(|party| party.receiver().receive(&mut buffer, timeout));
        if let Ok(length) = received {
            self.note(&buffer[..length]);
        }
        self.take(0);
        received.map(drop)
    }

    /// Looks at a message of a queue where it lies, and then takes it or leaves it.
    pub(super) fn look(&self, taken: bool, timeout: Timeout) -> Result<(), ErrorKind> {
        self.party(|party| {
            let receiver = party.receiver();
            let (address, length) = receiver.peek(timeout)?;
            let mut buffer = [MaybeUninit::uninit(); LONGEST];
            let seen = self.memory.mirror.read(mirror::at(address), &mut buffer[..length]);
            let seen = mark(seen);
            if !taken {
                return receiver.finish(false);
            }
            self.take(1);
            receiver.finish(true)?;
            lock(&self.got).push((me(), seen));
            self.take(0);
            Ok(())
        })
    }

    /// The calling thread is about to take so many.
    pub(super) fn take(&self, count: usize) {
        self.taking[me()].store(count, Ordering::SeqCst);
    }

    /// The calling thread has this.
    pub(super) fn note(&self, message: &[MaybeUninit<u8>]) {
        // SAFETY: a byte is a byte, and all of these were written.
        let bytes: Vec<u8> = message.iter().map(|byte| unsafe { byte.assume_init() }).collect();
        lock(&self.got).push((me(), mark(&bytes)));
    }

    pub(super) fn got_by(&self, thread: usize) -> Vec<Mark> {
        let got = lock(&self.got);
        got.iter().filter(|(whose, _)| *whose == thread).map(|(_, mark)| *mark).collect()
    }

    pub(super) fn was_begun(&self, mark: Mark) -> bool {
        lock(&self.begun).contains(&mark)
    }

    /// Has every sender that lives sent so many?
    pub(super) fn living_have_sent(&self, count: usize) -> bool {
        let done = lock(&self.done);
        let sent = |thread| done.iter().filter(|mark| mark.0 == thread).count();
        let mut living = (0..self.parties.len()).filter(|&thread| !scheduler::has_died(thread));
        living.all(|thread| !self.senders.contains(&thread) || sent(thread) >= count)
    }

    /// Everybody leaves who lives.
    pub(super) fn leave(&self) {
        for (thread, party) in self.parties.iter().enumerate() {
            if !scheduler::has_died(thread) {
                lock(party).take();
            }
        }
    }

    /// After all is over: somebody new takes a dead one's place, receives what is left, and sends and receives as ever.
    pub(super) fn settle_queue(&self) {
        self.leave();
        let mut party = Party::queue(&self.memory).expect("there is a place");
        assert_eq!(party.slot(), 0, "the first place is free, or a dead one's");
        let mut buffer = [MaybeUninit::uninit(); LONGEST];
        for again in [true, false] {
            loop {
                match party.receiver().receive(&mut buffer, Timeout::TRY) {
                    Ok(length) => self.note(&buffer[..length]),
                    Err(ErrorKind::WouldBlock) => break,
                    Err(other) => panic!("{other:?}"),
                }
            }
            if again {
                self.begin(0);
                party.sender().send(&bytes((me(), 0), 8), Timeout::TRY).expect("it is empty");
                self.end(0);
            }
        }
        assert_eq!(self.got_by(me()).last(), Some(&(me(), 0)), "it sends and receives as ever");
        self.judge();
    }

    /// Each message to exactly one, and to each in order.
    pub(super) fn judge(&self) {
        let got = lock(&self.got).clone();
        let mut messages: Vec<_> = got.iter().map(|(_, mark)| *mark).collect();
        for message in &messages {
            assert!(self.was_begun(*message), "nobody sent {message:?}: {got:?}");
        }
        messages.sort_unstable();
        assert!(messages.windows(2).all(|two| two[0] != two[1]), "one was received twice: {got:?}");
        for thread in 0..=self.parties.len() {
            let mine = self.got_by(thread);
            for sender in 0..=self.parties.len() {
                let of_one: Vec<_> = mine.iter().filter(|mark| mark.0 == sender).collect();
                assert!(of_one.is_sorted(), "out of order: {got:?}");
            }
        }
        let gone = (0..self.parties.len()).filter(|&thread| scheduler::has_died(thread));
        let gone: usize = gone.map(|thread| self.taking[thread].load(Ordering::SeqCst)).sum();
        let done = lock(&self.done);
        let missing: Vec<_> = done.iter().filter(|mark| !messages.contains(mark)).collect();
        assert!(missing.len() <= gone, "{missing:?} lost: {got:?}");
    }
}

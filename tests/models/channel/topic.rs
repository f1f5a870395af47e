// SPDX-License-Identifier: MIT OR Apache-2.0
//! Topics: each subscriber gets each message in order, or is told how many it lost.

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::memory::{Memory, Shape};
use super::party::Party;
use super::stage::{LONGEST, Stage, bytes, me};
use super::subscriber::{Received, Start};
use crate::error::ErrorKind;
use crate::time::Timeout;
use crate::{Depth, holds};

/// Two messages of eight bytes fill it.
const LATEST: Shape =
    Shape { ring: 32, message_size: 0, participants: 3, reliable: false, replies: 0 };
const RELIABLE: Shape = Shape { reliable: true, ..LATEST };
/// How many messages a publisher sends.
const MANY: usize = 3;

fn topic(memory: &Arc<Memory>) -> Party {
    Party::topic(memory).expect("there is a place")
}

fn subscriber(memory: &Arc<Memory>) -> Party {
    Party::subscriber(memory, Start::Newest).expect("there is a place")
}

fn nothing(_: &Stage) {}

fn publish(it: &Stage) {
    for number in 0..MANY {
        it.send(number, 8);
    }
}

/// Reads one message; how many were lost before it.
fn read(it: &Stage, party: &mut Party, timeout: Timeout) -> Result<u64, ErrorKind> {
    let mut buffer = [MaybeUninit::uninit(); LONGEST];
    let Received { length, lost } = party.reader().receive(&mut buffer, timeout)?;
    it.note(&buffer[..length]);
    Ok(lost)
}

/// Until all that are published were read or lost, or the publisher is dead.
fn follow(it: &Stage, publishers: usize) {
    let mut lost = 0;
    while it.got_by(me()).len() + lost < MANY * publishers {
        match it.party(|party| read(it, party, Timeout::LONG)) {
            Ok(more) => lost += usize::try_from(more).expect("few"),
            Err(ErrorKind::TimedOut) if it.living_have_sent(MANY) => break,
            Err(ErrorKind::TimedOut) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(lost == 0 || !it.memory.reliable, "a reliable topic loses nothing");
    }
    let got = it.got_by(me());
    assert!(got.len() + lost <= MANY * publishers, "{lost} lost of {got:?}");
    if publishers == 1 && lost == 0 {
        assert!(got.iter().enumerate().all(|(at, mark)| mark.1 == at), "{got:?}");
    }
    for thread in 0..=publishers {
        let of_one: Vec<_> = got.iter().filter(|mark| mark.0 == thread).collect();
        assert!(of_one.windows(2).all(|two| two[0] < two[1]), "{got:?}");
    }
}

fn follow_one(it: &Stage) {
    follow(it, 1);
}

fn follow_two(it: &Stage) {
    follow(it, 2);
}

/// After all is over: places and the turn are free, and somebody new gets what is published and nothing else.
fn settle(it: &Stage) {
    it.leave();
    let mut reader = Party::subscriber(&it.memory, Start::Newest).expect("there is a place");
    assert_eq!(reader.slot(), 0, "the first place is free, or a dead one's");
    let mut topic = Party::topic(&it.memory).expect("there is a place");
    for number in 0..3 {
        it.begin(number);
        let sent = topic.sender().send(&bytes((me(), number), 8), Timeout::TRY);
        sent.expect("nobody is in the way");
        assert_eq!(read(it, &mut reader, Timeout::TRY), Ok(0));
    }
    assert_eq!(it.got_by(me()), [(me(), 0), (me(), 1), (me(), 2)]);
    assert_eq!(read(it, &mut reader, Timeout::TRY), Err(ErrorKind::WouldBlock));
}

#[test]
fn reliable() {
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    let make = || Stage::new(RELIABLE, &[topic, subscriber]);
    holds(make, &[publish, follow_one], nothing, settle, depth);
    let make = || Stage::new(RELIABLE, &[subscriber, topic]);
    holds(make, &[follow_one, publish], nothing, settle, depth);
}

#[test]
fn reliable_with_two_subscribers() {
    let depth = Depth { alive: 1, dying: 0, late: 0 };
    let make = || Stage::new(RELIABLE, &[subscriber, topic, subscriber]);
    holds(make, &[follow_one, publish, follow_one], nothing, settle, depth);
}

#[test]
fn latest() {
    let depth = Depth { alive: 2, dying: 1, late: 0 };
    let make = || Stage::new(LATEST, &[topic, subscriber]);
    holds(make, &[publish, follow_one], nothing, settle, depth);
    let make = || Stage::new(LATEST, &[subscriber, topic]);
    holds(make, &[follow_one, publish], nothing, settle, depth);
}

/// What is being read is written over.
#[test]
fn written_over() {
    fn publish_the_last(it: &Stage) {
        it.send(MANY - 1, 8);
    }
    let depth = Depth { alive: 2, dying: 1, late: 2 };
    let make = || Stage::new(LATEST, &[topic, subscriber]).fill(0, MANY - 1, 8);
    holds(make, &[publish_the_last, follow_one], nothing, settle, depth);
}

/// Of one size, where positions tell what was lost.
#[test]
fn latest_of_one_size() {
    let depth = Depth { alive: 2, dying: 1, late: 0 };
    let shape = Shape { message_size: 8, ring: 16, ..LATEST };
    let make = || Stage::new(shape, &[topic, subscriber]);
    holds(make, &[publish, follow_one], nothing, settle, depth);
}

#[test]
fn two_publish() {
    let depth = Depth { alive: 1, dying: 0, late: 0 };
    let make = || Stage::new(LATEST, &[topic, topic, subscriber]);
    holds(make, &[publish, publish, follow_two], nothing, settle, depth);
    let make = || Stage::new(RELIABLE, &[topic, topic, subscriber]);
    holds(make, &[publish, publish, follow_two], nothing, settle, depth);
}

/// Lent where it lies; in a topic that keeps the latest it may be gone before it is read.
#[test]
fn lent() {
    fn look(it: &Stage) {
        loop {
            let lent = it.party(|party| party.reader().peek(Timeout::LONG));
            let (address, length) = match lent {
                Ok(lent) => lent,
                Err(ErrorKind::TimedOut) => return,
                Err(other) => panic!("{other:?}"),
            };
            let mut buffer = [MaybeUninit::uninit(); LONGEST];
            let at = crate::map::mirror::at(address);
            it.memory.mirror.read(at, &mut buffer[..length]);
            let whole = it.party(|party| party.reader().finish(true)).expect("it is lent");
            if whole.is_some() {
                it.note(&buffer[..length]);
            }
            if it.got_by(me()).last().is_some_and(|mark| mark.1 == MANY - 1) {
                return;
            }
        }
    }
    let depth = Depth { alive: 2, dying: 1, late: 0 };
    let make = || Stage::new(LATEST, &[topic, subscriber]);
    holds(make, &[publish, look], nothing, settle, depth);
}

/// Who begins to subscribe while others publish misses nothing from then on.
#[test]
fn beginning() {
    fn join(it: &Stage) {
        let mut party = Party::subscriber(&it.memory, Start::Oldest).expect("there is a place");
        while read(it, &mut party, Timeout::TRY).is_ok_and(|lost| lost == 0) {}
        let got = it.got_by(me());
        let follows = |two: &[(usize, usize)]| two[0].1 + 1 == two[1].1;
        assert!(got.windows(2).all(follows), "{got:?}");
    }
    let shape = Shape { ring: 64, ..RELIABLE };
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    let make = || Stage::new(shape, &[topic]).with_more(1);
    holds(make, &[publish, join], nothing, settle, depth);
}

/// So long that the end of it is in the line behind the tail's.
#[test]
fn in_two_lines() {
    fn publish_long(it: &Stage) {
        for number in 0..MANY {
            it.send(number, 64);
        }
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let shape = Shape { message_size: 64, ring: 128, ..LATEST };
    let make = || Stage::new(shape, &[topic, subscriber]);
    holds(make, &[publish_long, follow_one], nothing, settle_long, depth);
}

/// As [`settle`], of which the messages are shorter.
fn settle_long(it: &Stage) {
    it.leave();
    let mut reader = Party::subscriber(&it.memory, Start::Newest).expect("there is a place");
    let mut topic = Party::topic(&it.memory).expect("there is a place");
    it.begin(0);
    let sent = topic.sender().send(&bytes((me(), 0), 64), Timeout::TRY);
    sent.expect("nobody is in the way");
    assert_eq!(read(it, &mut reader, Timeout::TRY), Ok(0));
    assert_eq!(it.got_by(me()), [(me(), 0)]);
}

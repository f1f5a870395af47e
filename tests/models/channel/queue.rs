// SPDX-License-Identifier: MIT OR Apache-2.0
//! Queues.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::memory::{Memory, Shape};
use super::party::Party;
use super::stage::{LONGEST, Stage, bytes, me};
use crate::error::ErrorKind;
use crate::time::Timeout;
use crate::{Depth, holds};

const TINY: Shape =
    Shape { ring: 32, message_size: 0, participants: 3, reliable: false, replies: 0 };

fn queue(memory: &Arc<Memory>) -> Party {
    Party::queue(memory).expect("there is a place")
}

fn nothing(_: &Stage) {}

/// Three messages, of which the ring holds two: the third runs over its end.
fn send_three(it: &Stage) {
    for number in 0..3 {
        if it.send_within(number, 8, Timeout::LONG).is_err() {
            return;
        }
    }
}

/// Until nothing comes any more, which is so only after a death.
fn receive_three(it: &Stage) {
    for _ in 0..3 {
        match it.receive(Timeout::LONG) {
            Ok(()) => {}
            Err(ErrorKind::TimedOut) => return,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_sends_and_one_receives() {
    let make = || Stage::new(TINY, &[queue, queue]);
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    holds(make, &[send_three, receive_three], nothing, Stage::settle_queue, depth);
    holds(make, &[receive_three, send_three], nothing, Stage::settle_queue, depth);
}

/// The last one is beside the tail with its end in the next line, or too long for that.
#[test]
fn long_ones() {
    let make = || Stage::new(Shape { ring: 256, ..TINY }, &[queue, queue]);
    fn send_and(it: &Stage, length: usize) {
        it.send(0, 20);
        it.send(1, length);
    }
    fn receive(it: &Stage) {
        for _ in 0..2 {
            if it.receive(Timeout::LONG).is_err() {
                return;
            }
        }
    }
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    for send in [|it: &Stage| send_and(it, 64), |it: &Stage| send_and(it, 112)] {
        holds(make, &[send, receive], nothing, Stage::settle_queue, depth);
        holds(make, &[receive, send], nothing, Stage::settle_queue, depth);
    }
}

fn send_one(it: &Stage) {
    it.send(3, 8);
}

fn send_two(it: &Stage) {
    it.send(3, 8);
    it.send(4, 8);
}

#[test]
fn two_send() {
    let make = || Stage::new(Shape { ring: 128, ..TINY }, &[queue, queue]);
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    holds(make, &[send_two, send_two], nothing, Stage::settle_queue, depth);
    // One of them keeps the turn already.
    let kept = || Stage::new(Shape { ring: 128, ..TINY }, &[queue, queue]).fill(0, 1, 8);
    holds(kept, &[send_one, send_two], nothing, Stage::settle_queue, depth);
    let kept = || Stage::new(Shape { ring: 128, ..TINY }, &[queue, queue]).fill(1, 1, 8);
    holds(kept, &[send_one, send_two], nothing, Stage::settle_queue, depth);
}

/// One has put its message beside the tail when it is killed; the next one need not, as consumers keep a pace, and its own is
/// as long.
#[test]
fn what_a_dead_one_left_beside_the_tail() {
    let make = || Stage::new(Shape { ring: 128, ..TINY }, &[queue, queue, queue]);
    fn receive_two(it: &Stage) {
        for _ in 0..2 {
            if it.receive(Timeout::LONG).is_err() {
                return;
            }
        }
    }
    fn send_as_they_keep_a_pace(it: &Stage) {
        it.memory.control.data.0.paced.plain().store(1, Ordering::SeqCst);
        it.send(4, 8);
    }
    let depth = Depth { alive: 1, dying: 1, late: 0 };
    let threads = [send_one, receive_two, send_as_they_keep_a_pace];
    holds(make, &threads, nothing, Stage::settle_queue, depth);
}

/// Whoever has seen a turn kept must not take a later time for the same.
#[test]
fn kept_again() {
    let it = Stage::new(Shape { ring: 4096, ..TINY }, &[queue, queue]);
    let send = |thread| {
        let bytes = bytes((thread, 0), 8);
        it.party_of(thread, |party| party.sender().send(&bytes, Timeout::TRY)).expect("its turn");
        it.memory.control.producers.0.word.plain().load(Ordering::SeqCst)
    };
    let first = send(0);
    let shared = send(1);
    let again = (0..70).fold(shared, |_, _| send(0));
    // The lowest two bits are its flags, the upper half says whose it is.
    assert_eq!((first & 3, shared & 3, again & 3), (0, 1, 0));
    assert_eq!(first >> 32, again >> 32);
    assert_ne!(first, again);
}

#[test]
fn three_send() {
    let make = || Stage::new(Shape { ring: 128, ..TINY }, &[queue, queue, queue]);
    let depth = Depth { alive: 1, dying: 1, late: 0 };
    holds(make, &[send_one, send_one, send_one], nothing, Stage::settle_queue, depth);
}

fn receive_one(it: &Stage) {
    it.receive(Timeout::LONG).expect("there are enough");
}

#[test]
fn two_receive() {
    let make = || Stage::new(Shape { ring: 64, ..TINY }, &[queue, queue]).fill(0, 3, 8);
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    holds(make, &[receive_one, receive_one], nothing, Stage::settle_queue, depth);
    fn twice(it: &Stage) {
        receive_one(it);
        receive_one(it);
    }
    let depth = Depth { alive: 2, dying: 1, late: 0 };
    holds(make, &[twice, receive_one], nothing, Stage::settle_queue, depth);
}

/// While others take what is there, and want more.
#[test]
fn two_receive_and_one_sends() {
    let make = || Stage::new(TINY, &[queue, queue, queue]).fill(2, 1, 8);
    fn receive(it: &Stage) {
        match it.receive(Timeout::LONG) {
            Ok(()) | Err(ErrorKind::TimedOut) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    let depth = Depth { alive: 1, dying: 1, late: 0 };
    holds(make, &[receive, receive, send_one], nothing, Stage::settle_queue, depth);
}

#[test]
fn in_place() {
    fn place(it: &Stage) {
        it.give_up(8);
        it.place(0, 8);
        it.place(1, 8);
    }
    fn look(it: &Stage) {
        for taken in [false, true, true] {
            match it.look(taken, Timeout::LONG) {
                Ok(()) => {}
                Err(ErrorKind::TimedOut) => return,
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    let make = || Stage::new(TINY, &[queue, queue]);
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    holds(make, &[place, look], nothing, Stage::settle_queue, depth);
    holds(make, &[look, place], nothing, Stage::settle_queue, depth);
    // What was given up is in nobody's way.
    fn give_up(it: &Stage) {
        it.give_up(8);
    }
    holds(make, &[give_up, send_one], nothing, Stage::settle_queue, depth);
    // What is lent stays for the other when its borrower dies.
    let lent = || Stage::new(Shape { ring: 64, ..TINY }, &[queue, queue]).fill(0, 2, 8);
    fn look_twice(it: &Stage) {
        it.look(false, Timeout::LONG).expect("there are two");
        it.look(true, Timeout::LONG).expect("there are two");
    }
    holds(lent, &[look_twice, receive_one], nothing, Stage::settle_queue, depth);
}

/// Of one size, without lengths: one is longer than its record would be without padding.
#[test]
fn rows() {
    const SIZE: usize = 12;
    fn send(it: &Stage) {
        let mut next = 0;
        while next < 3 {
            let row: Vec<u8> = (next..3).flat_map(|number| bytes((me(), number), SIZE)).collect();
            (next..3).for_each(|number| it.begin(number));
            let sent = it.party(|party| party.sender().send_row(&row, SIZE, Timeout::LONG));
            let Ok(sent) = sent else { return };
            (next..next + sent).for_each(|number| it.end(number));
            next += sent;
        }
    }
    fn receive(it: &Stage) {
        let mut count = 0;
        while count < 3 {
            let mut buffer = [MaybeUninit::uninit(); LONGEST];
            it.take(3);
            let room = &mut buffer[..3 * SIZE];
            let got = it.party(|party| party.receiver().receive_row(room, SIZE, Timeout::LONG));
            let Ok(got) = got else { return };
            buffer[..got * SIZE].chunks(SIZE).for_each(|message| it.note(message));
            it.take(0);
            count += got;
        }
    }
    /// The check's own message is of that size as well.
    fn settle(it: &Stage) {
        it.leave();
        let mut party = Party::queue(&it.memory).expect("there is a place");
        let mut buffer = [MaybeUninit::uninit(); LONGEST];
        while party.receiver().receive(&mut buffer, Timeout::TRY).is_ok() {
            it.note(&buffer[..SIZE]);
        }
        it.judge();
    }
    let shape = Shape { message_size: 12, ..TINY };
    let make = || Stage::new(shape, &[queue, queue]);
    let depth = Depth { alive: 1, dying: 1, late: 0 };
    holds(make, &[send, receive], nothing, settle, depth);
    holds(make, &[receive, send], nothing, settle, depth);
}

/// Places: who joins beside others, in the place of the dead.
#[test]
fn joining() {
    let shape = Shape { ring: 64, participants: 2, ..TINY };
    fn join(it: &Stage) {
        let mut party = Party::queue(&it.memory).expect("there are two places");
        it.begin(0);
        let sent = party.sender().send(&bytes((me(), 0), 8), Timeout::Forever);
        sent.expect("there is room");
        it.end(0);
    }
    let make = || Stage::new(shape, &[]).with_more(2);
    let depth = Depth { alive: 2, dying: 1, late: 0 };
    holds(make, &[join, join], nothing, Stage::settle_queue, depth);
}

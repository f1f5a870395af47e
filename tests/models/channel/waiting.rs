// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who waits for a channel among other things, and takes nothing: as the thread behind a descriptor does.

use std::sync::Arc;
use std::time::Duration;

use super::memory::{Memory, Shape};
use super::party::Party;
use super::stage::{Stage, me};
use crate::error::ErrorKind;
use crate::scheduler::give_way;
use crate::sys::futex;
use crate::time::Timeout;
use crate::watch::Source;
use crate::{Depth, holds};

const TINY: Shape =
    Shape { ring: 32, message_size: 0, participants: 3, reliable: false, replies: 0 };

fn queue(memory: &Arc<Memory>) -> Party {
    Party::queue(memory).expect("there is a place")
}

fn nothing(_: &Stage) {}

/// Waits as long as others live. False when time has passed instead.
pub(super) fn poll(source: &dyn Source) -> bool {
    loop {
        if source.is_ready() {
            return true;
        }
        let (which, bell) = source.lie_down().expect("it has a word");
        let is_ready = source.is_ready();
        let word = source.word(which).expect("it has a word");
        let slept = if is_ready { Ok(()) } else { futex::wait(word, bell, Duration::MAX) };
        source.get_up();
        match slept {
            Err(nix::errno::Errno::ETIMEDOUT) => {
                source.look();
                return source.is_ready();
            }
            // It has taken nothing: whoever sleeps as well must learn of it.
            Ok(()) if !is_ready => _ = futex::wake(word, 1),
            _ => {}
        }
    }
}

/// Tries, and polls when there is nothing.
fn receive(it: &Stage) {
    let source = it.party(|party| party.receiver().source());
    loop {
        match it.receive(Timeout::TRY) {
            // It may be another's just now.
            Err(ErrorKind::WouldBlock) if poll(&*source) => give_way(),
            Ok(()) | Err(ErrorKind::WouldBlock) => return,
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn send_one(it: &Stage) {
    it.send(5, 8);
}

#[test]
fn for_a_message() {
    let make = || Stage::new(TINY, &[queue, queue]);
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    holds(make, &[receive, send_one], nothing, Stage::settle_queue, depth);
    holds(make, &[send_one, receive], nothing, Stage::settle_queue, depth);
}

/// One polls and one sleeps; a message for each.
#[test]
fn beside_a_sleeper() {
    fn sleep(it: &Stage) {
        match it.receive(Timeout::LONG) {
            Ok(()) | Err(ErrorKind::TimedOut) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    fn send_two(it: &Stage) {
        it.send(0, 8);
        it.send(1, 8);
    }
    let make = || Stage::new(TINY, &[queue, queue, queue]);
    let depth = Depth { alive: 1, dying: 0, late: 0 };
    holds(make, &[receive, sleep, send_two], nothing, Stage::settle_queue, depth);
}

#[test]
fn for_room() {
    fn send(it: &Stage) {
        let source = it.party(|party| party.sender().source());
        loop {
            match it.send_within(7, 8, Timeout::TRY) {
                Err(ErrorKind::WouldBlock) if poll(&*source) => {}
                Ok(()) | Err(ErrorKind::WouldBlock) => return,
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    fn receive_one(it: &Stage) {
        it.receive(Timeout::LONG).expect("there are two");
        assert!(me() < 2);
    }
    let make = || Stage::new(TINY, &[queue, queue]).fill(0, 2, 8);
    let depth = Depth { alive: 2, dying: 1, late: 1 };
    holds(make, &[send, receive_one], nothing, Stage::settle_queue, depth);
    let make = || Stage::new(TINY, &[queue, queue]).fill(1, 2, 8);
    holds(make, &[receive_one, send], nothing, Stage::settle_queue, depth);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Services whose servers look at a client's direct line: what holds of the ring holds of the line, and of both together.

use super::calls::{SHAPE, call, nothing, serve, serve_one, serve_two};
use super::desk::{Desk, End, FAILS, IN_PARTS, client, server};
use super::memory::Shape;
use super::stage::mark;
use super::waiting::poll;
use crate::time::Timeout;
use crate::{Depth, holds};

const DEPTH: Depth = Depth { alive: 1, dying: 1, late: 1 };

/// With either of them as the one that can die.
fn both_ways(shape: Shape, serve: fn(&Desk), ask: fn(&Desk)) {
    let make = || Desk::new(shape, &[server, client]).with_a_line(1);
    holds(make, &[serve, ask], nothing, Desk::settle, DEPTH);
    let make = || Desk::new(shape, &[client, server]).with_a_line(0);
    holds(make, &[ask, serve], nothing, Desk::settle, DEPTH);
}

#[test]
fn one_asks_and_one_answers() {
    fn ask(it: &Desk) {
        call(it, 0);
        call(it, FAILS);
    }
    both_ways(SHAPE, serve_two, ask);
}

/// Asked in the line, answered through the ring.
#[test]
fn in_parts() {
    fn ask(it: &Desk) {
        call(it, IN_PARTS);
    }
    both_ways(Shape { replies: 32, ..SHAPE }, serve_one, ask);
}

/// The second question goes through the ring while the first one is in the line, and is not taken before it.
#[test]
fn one_in_the_line_and_one_in_the_ring() {
    fn serve_backwards(it: &Desk) {
        let Ok(Some(first)) = it.take(Timeout::LONG) else { return };
        assert_eq!(mark(first.bytes()).1, 0, "what was asked first is taken first");
        let Ok(Some(second)) = it.take(Timeout::LONG) else { return it.reply(&first) };
        for question in [second, first] {
            it.reply(&question);
        }
    }
    fn ask_twice(it: &Desk) {
        let calls = [0, 2].map(|number| (number, it.ask(number)));
        for (number, call) in calls {
            it.wait(number, call, Timeout::LONG);
        }
    }
    both_ways(SHAPE, serve_backwards, ask_twice);
    // An answer that comes while another one is waited for is kept, once.
    fn wait_backwards(it: &Desk) {
        let calls = [0, 2].map(|number| (number, it.ask(number)));
        for (number, call) in calls.into_iter().rev() {
            it.wait(number, call, Timeout::LONG);
        }
    }
    both_ways(SHAPE, serve_two, wait_backwards);
}

/// What it was given up for uses the line again.
#[test]
fn given_up() {
    fn ask_again(it: &Desk) {
        it.call(0, Timeout::TRY);
        call(it, 2);
        call(it, 4);
    }
    fn serve_three(it: &Desk) {
        serve_two(it);
        serve_one(it);
    }
    both_ways(SHAPE, serve_three, ask_again);
}

/// What comes late comes to where another question is by then, or is about to be.
#[test]
fn answered_late() {
    fn reply_late(it: &Desk) {
        it.reply_held();
        serve_one(it);
    }
    fn ask(it: &Desk) {
        call(it, 2);
    }
    let make = || Desk::new(SHAPE, &[server, client]).with_a_line(1).with_old_calls(1, 0, 1);
    holds(make, &[reply_late, ask], nothing, Desk::settle, DEPTH);
    let make = || Desk::new(SHAPE, &[client, server]).with_a_line(0).with_old_calls(0, 1, 1);
    holds(make, &[ask, reply_late], nothing, Desk::settle, DEPTH);
}

/// The call of a server that dies with it fails, and one that it has not taken is the other's.
#[test]
fn two_answer() {
    fn take_one(it: &Desk) {
        if let Ok(Some(question)) = it.take(Timeout::LONG) {
            it.reply(&question);
        }
    }
    fn ask(it: &Desk) {
        it.call(0, Timeout::Forever);
        it.dismiss(1);
    }
    let make = || Desk::new(SHAPE, &[server, client, server]).with_a_line(1);
    let depth = Depth { late: 0, ..DEPTH };
    holds(make, &[take_one, ask, take_one], nothing, Desk::settle, depth);
}

/// While one asks in its line, servers turn to another one's, or die while they do.
#[test]
fn no_longer_looked_at() {
    fn turn_and_serve(it: &Desk) {
        it.watch(2);
        serve_two(it);
    }
    fn ask(it: &Desk) {
        call(it, 0);
    }
    let make = || Desk::new(SHAPE, &[server, client, client]).with_a_line(1);
    holds(make, &[turn_and_serve, ask, ask], nothing, Desk::settle, Depth { dying: 0, ..DEPTH });
    let make = || Desk::new(SHAPE, &[client, server, client]).with_a_line(0);
    holds(make, &[ask, turn_and_serve, ask], nothing, Desk::settle, DEPTH);
    // Another server is left.
    fn turn(it: &Desk) {
        it.watch(3);
    }
    fn ask_for_ever(it: &Desk) {
        assert_eq!(it.call(0, Timeout::Forever), End::Answered);
    }
    let shape = Shape { participants: 4, ..SHAPE };
    let make = || Desk::new(shape, &[server, client, server]).with_a_line(1);
    holds(make, &[turn, ask_for_ever, serve_one], nothing, Desk::settle, DEPTH);
}

/// A client in the place of another one, whose question may still be in the line or with a server.
#[test]
fn in_the_place_of_another() {
    fn ask_and_go(it: &Desk) {
        it.call(0, Timeout::TRY);
        it.go();
    }
    fn ask_next(it: &Desk) {
        it.come();
        for number in [0, 2, 4] {
            it.call(number, Timeout::Forever);
        }
        it.dismiss(1);
    }
    fn serve_all(it: &Desk) {
        serve(it, usize::MAX, |question| it.reply(&question));
    }
    let shape = Shape { participants: 2, ..SHAPE };
    let make = || Desk::new(shape, &[client, server]).with_a_line(0).with_newcomer();
    let bodies = [ask_and_go as fn(&Desk), serve_all, ask_next];
    holds(make, &bodies, Desk::open_door, Desk::settle, Depth { late: 0, ..DEPTH });
}

/// Who waits for calls among other things is told of answers and of deaths, and of nothing else.
#[test]
fn polled() {
    fn ask(it: &Desk) {
        for number in [0, 2] {
            let call = it.ask(number);
            let source = it.client(|client| client.source(Some(call)));
            let told = poll(&*source);
            let again = || poll(&*source).then_some(Timeout::TRY);
            let end = it.wait_on(number, call, Timeout::TRY, again);
            assert!(told || end != End::Broken, "nobody told of the death");
            assert!(source.is_ready(), "who waits for a call that is over need not wait");
        }
    }
    both_ways(SHAPE, serve_two, ask);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Services: each call ends with its own answer, or with the news that the server which took the question died.

use super::desk::{Desk, End, FAILS, IN_PARTS, client, server};
use super::memory::Shape;
use super::waiting::poll;
use crate::error::ErrorKind;
use crate::scheduler::{give_way, has_died};
use crate::time::Timeout;
use crate::{Depth, holds};

/// For four questions, and two answers of one part.
pub(super) const SHAPE: Shape =
    Shape { ring: 128, message_size: 0, participants: 3, reliable: false, replies: 64 };

pub(super) fn nothing(_: &Desk) {}

/// Until it is told to stop, or time has passed and the client is dead.
pub(super) fn serve(it: &Desk, client: usize, mut reply: impl FnMut(super::service::Question)) {
    loop {
        match it.take(Timeout::LONG) {
            Ok(Some(question)) => reply(question),
            Ok(None) => return,
            Err(ErrorKind::TimedOut) if has_died(client) => return,
            Err(ErrorKind::TimedOut) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// So many questions, or until time has passed.
fn serve_some(it: &Desk, count: usize) {
    for _ in 0..count {
        match it.take(Timeout::LONG) {
            Ok(question) => it.reply(&question.expect("nobody tells it to stop")),
            Err(ErrorKind::TimedOut) => return,
            Err(other) => panic!("{other:?}"),
        }
    }
}

pub(super) fn serve_one(it: &Desk) {
    serve_some(it, 1);
}

pub(super) fn serve_two(it: &Desk) {
    serve_some(it, 2);
}

/// With the only server.
pub(super) fn call(it: &Desk, number: usize) {
    it.call(number, Timeout::LONG);
}

#[test]
fn one_asks_and_one_answers() {
    fn ask(it: &Desk) {
        call(it, 0);
        call(it, FAILS);
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(SHAPE, &[server, client]);
    holds(make, &[serve_two, ask], nothing, Desk::settle, depth);
    let make = || Desk::new(SHAPE, &[client, server]);
    holds(make, &[ask, serve_two], nothing, Desk::settle, depth);
}

/// More than the ring of answers holds.
#[test]
fn in_parts() {
    fn ask(it: &Desk) {
        call(it, IN_PARTS);
    }
    let shape = Shape { replies: 32, ..SHAPE };
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(shape, &[server, client]);
    holds(make, &[serve_one, ask], nothing, Desk::settle, depth);
    let make = || Desk::new(shape, &[client, server]);
    holds(make, &[ask, serve_one], nothing, Desk::settle, depth);
}

/// The call of a server that dies with it fails, and one that it has not taken is the other's: nobody waits for ever.
#[test]
fn two_answer() {
    fn ask(it: &Desk) {
        it.call(0, Timeout::Forever);
        it.dismiss(2);
    }
    fn first(it: &Desk) {
        serve(it, 1, |question| it.reply(&question));
    }
    fn second(it: &Desk) {
        serve(it, 1, |question| {
            // It takes its time.
            give_way();
            it.reply(&question);
        });
    }
    let depth = Depth { alive: 1, dying: 0, late: 0 };
    let make = || Desk::new(SHAPE, &[server, client, server]);
    holds(make, &[first, ask, second], nothing, Desk::settle, depth);
    fn both(it: &Desk) {
        serve(it, 0, |question| it.reply(&question));
    }
    let make = || Desk::new(SHAPE, &[client, server, server]);
    holds(make, &[ask, both, both], nothing, Desk::settle, depth);
}

/// One question for two servers, of which the first that comes can die with it, or leave it to the other.
#[test]
fn left_to_the_other() {
    fn first(it: &Desk) {
        if let Ok(Some(question)) = it.take(Timeout::LONG) {
            it.reply(&question);
        }
    }
    fn second(it: &Desk) {
        if let Ok(Some(question)) = it.take(Timeout::LONG) {
            give_way();
            it.reply(&question);
        }
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(SHAPE, &[server, client, server]).with_a_call(1);
    holds(make, &[first, Desk::wait_for_asked, second], nothing, Desk::settle, depth);
}

#[test]
fn in_the_other_order() {
    fn serve_backwards(it: &Desk) {
        let Ok(first) = it.take(Timeout::LONG) else { return };
        let Ok(second) = it.take(Timeout::LONG) else { return };
        for question in [second, first] {
            it.reply(&question.expect("nobody tells it to stop"));
        }
    }
    fn ask_twice(it: &Desk) {
        let calls = [0, 2].map(|number| (number, it.ask(number)));
        for (number, call) in calls {
            it.wait(number, call, Timeout::LONG);
        }
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(SHAPE, &[server, client]);
    holds(make, &[serve_backwards, ask_twice], nothing, Desk::settle, depth);
    let make = || Desk::new(SHAPE, &[client, server]);
    holds(make, &[ask_twice, serve_backwards], nothing, Desk::settle, depth);
}

/// A late answer is nobody's.
#[test]
fn given_up() {
    fn ask_again(it: &Desk) {
        it.call(0, Timeout::TRY);
        call(it, 2);
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(SHAPE, &[server, client]);
    holds(make, &[serve_two, ask_again], nothing, Desk::settle, depth);
    let make = || Desk::new(SHAPE, &[client, server]);
    holds(make, &[ask_again, serve_two], nothing, Desk::settle, depth);
    // Its answer was there before it was given up.
    fn give_up_the_first(it: &Desk) {
        let first = it.ask(0);
        call(it, 2);
        it.give_up(0, first);
    }
    let depth = Depth { alive: 1, dying: 0, late: 0 };
    let make = || Desk::new(SHAPE, &[server, client]);
    holds(make, &[serve_two, give_up_the_first], nothing, Desk::settle, depth);
}

/// A call has the place of an old one, whose answer comes only now.
#[test]
fn in_an_old_place() {
    fn reply_late(it: &Desk) {
        it.reply_held();
        serve_one(it);
    }
    fn ask(it: &Desk) {
        call(it, 2);
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(SHAPE, &[server, client]).with_an_old_call(1, 0);
    holds(make, &[reply_late, ask], nothing, Desk::settle, depth);
    let make = || Desk::new(SHAPE, &[client, server]).with_an_old_call(0, 1);
    holds(make, &[ask, reply_late], nothing, Desk::settle, depth);
    // Whoever has the old one dies with it, and another one answers.
    fn ask_other(it: &Desk) {
        assert_eq!(it.call(2, Timeout::Forever), End::Answered);
    }
    let depth = Depth { alive: 1, dying: 1, late: 0 };
    let make = || Desk::new(SHAPE, &[server, client, server]).with_an_old_call(1, 0);
    holds(make, &[Desk::reply_held, ask_other, serve_one], nothing, Desk::settle, depth);
}

/// A client in the place of another one, whose calls had the same numbers, and who may have died.
#[test]
fn in_the_place_of_another() {
    fn ask_and_go(it: &Desk) {
        it.call(0, Timeout::Forever);
        it.go();
    }
    fn ask_next(it: &Desk) {
        it.come();
        it.call(0, Timeout::Forever);
        it.dismiss(1);
    }
    fn serve_all(it: &Desk) {
        serve(it, usize::MAX, |question| it.reply(&question));
    }
    let make = || Desk::new(Shape { participants: 2, ..SHAPE }, &[client, server]).with_newcomer();
    let depth = Depth { alive: 1, dying: 0, late: 0 };
    let bodies = [ask_and_go as fn(&Desk), serve_all, ask_next];
    holds(make, &bodies, Desk::open_door, Desk::settle, depth);
}

/// Who waits for calls among other things is told of answers and of deaths, and of nothing else.
#[test]
fn polled() {
    fn ask(it: &Desk) {
        let calls = [0, 2].map(|number| (number, it.ask(number)));
        // The last one first: the other's answer may come meanwhile.
        for (number, call) in calls.into_iter().rev() {
            let source = it.client(|client| client.source(Some(call)));
            let told = poll(&*source);
            let again = || poll(&*source).then_some(Timeout::TRY);
            let end = it.wait_on(number, call, Timeout::TRY, again);
            assert!(told || end != End::Broken, "nobody told of the death");
            assert!(source.is_ready(), "who waits for a call that is over need not wait");
        }
    }
    let depth = Depth { alive: 1, dying: 1, late: 1 };
    let make = || Desk::new(SHAPE, &[server, client]);
    holds(make, &[serve_two, ask], nothing, Desk::settle, depth);
}

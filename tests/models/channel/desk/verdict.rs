// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether all went as it should.

use std::sync::atomic::Ordering;

use super::super::service::{Call, Client, Service};
use super::super::stage::{bytes, lock, mark, me};
use super::{Desk, End, Handle, QUIT, opened};
use crate::error::{Error, ErrorKind};
use crate::scheduler;
use crate::time::Timeout;

impl Desk {
    /// After all is over: somebody new takes the questions that are left, and asks and answers as ever.
    pub(in super::super) fn settle(&self) {
        let is_alive = |(thread, _): &(usize, _)| !scheduler::has_died(*thread);
        let handles = || self.handles.iter().enumerate().filter(is_alive).map(|(_, it)| lock(it));
        for mut handle in handles() {
            handle.take_if(|handle| matches!(handle, Handle::Server(_)));
        }
        let mut server: Service = opened(&self.memory);
        while let Ok(question) = server.recv(Timeout::TRY) {
            let asked = mark(question.bytes());
            if asked.1 != QUIT {
                lock(&self.taken).push((me(), asked));
            }
        }
        for mut handle in handles() {
            if let Some(Handle::Client(mut client)) = handle.take() {
                end(&mut client, &mut server);
            }
        }
        let mut client: Client = opened(&self.memory);
        let call = client.begin(&bytes((me(), 0), 8), Timeout::TRY).expect("it is empty");
        let question = server.recv(Timeout::TRY).expect("there is one");
        assert_eq!(mark(question.bytes()), (me(), 0));
        // What was meant for a dead one goes out of the way.
        let early = client.wait(call, Timeout::TRY);
        assert!(matches!(early, Err(Error(ErrorKind::WouldBlock))), "{early:?}");
        server.reply(&question, b"at last", Timeout::TRY).expect("there is room");
        assert_eq!(client.wait(call, Timeout::TRY).expect("it is there").bytes, b"at last");
        self.judge();
    }

    /// Each question to one server; each call its answer, or the truth.
    fn judge(&self) {
        let (taken, answered) = (lock(&self.taken).clone(), lock(&self.answered).clone());
        let ended = lock(&self.ended).clone();
        let (begun, asked) = (lock(&self.begun).clone(), lock(&self.asked).clone());
        let mut questions: Vec<_> = taken.iter().map(|(_, question)| *question).collect();
        assert!(questions.iter().all(|question| begun.contains(question)), "asked: {taken:?}");
        questions.sort_unstable();
        assert!(questions.windows(2).all(|two| two[0] != two[1]), "taken twice: {taken:?}");
        let mut gone = (0..self.handles.len()).filter(|&thread| scheduler::has_died(thread));
        let gone = gone.next();
        for (question, end) in &ended {
            let by = taken.iter().find(|(_, taken)| taken == question).map(|(by, _)| *by);
            let is_answered = answered.contains(question);
            let told = format!("{question:?} {end:?}, taken by {by:?}, {gone:?} died");
            match end {
                End::Answered => assert!(by.is_some(), "{told}"),
                End::Broken => {
                    assert!(gone.is_some() && (by.is_none() || by == gone), "{told}");
                    assert!(!is_answered, "{told}, and it was answered");
                }
                // A server that died before it took the question owes nothing.
                End::TimedOut => assert!(gone.is_some() && by != gone, "{told}"),
                End::GivenUp => {}
            }
        }
        // The dead one may have taken one, and then its client knows.
        let missing: Vec<_> = asked.iter().filter(|it| !questions.contains(it)).collect();
        let may_be = gone.is_some_and(|thread| self.taking[thread].load(Ordering::SeqCst));
        assert!(missing.len() <= usize::from(may_be), "{missing:?} lost");
        for (question, end) in ended.iter().filter(|(question, _)| missing.contains(&question)) {
            assert!(matches!(end, End::Broken | End::GivenUp), "{question:?} {end:?}, and lost");
        }
    }
}

/// All calls of this client are over: it throws away what comes late, and keeps nothing of it.
fn end(client: &mut Client, server: &mut Service) {
    let call = client.begin(&[0], Timeout::TRY).expect("there is room");
    server.recv(Timeout::TRY).expect("there is one");
    let late = client.wait(call, Timeout::TRY);
    assert!(matches!(late, Err(Error(ErrorKind::WouldBlock))), "{late:?}");
    client.cancel(call);
    for number in 0..=call.number() {
        let over = client.wait(Call::from_number(number), Timeout::TRY);
        assert!(matches!(over, Err(Error(ErrorKind::Other(_)))), "{number} is over: {over:?}");
    }
    let source = client.source(None);
    source.look();
    assert!(!source.is_ready(), "no call is open");
}

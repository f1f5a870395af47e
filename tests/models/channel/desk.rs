// SPDX-License-Identifier: MIT OR Apache-2.0
//! A service, who uses it, and what became of each call.

mod verdict;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::memory::{Memory, Shape};
use super::options::{Channel, open};
use super::participant::Ticket;
use super::service::direct::Lines;
use super::service::{Call, Client, Question, Service};
use super::stage::{Mark, bytes, lock, mark, me};
use crate::error::{Error, ErrorKind};
use crate::scheduler;
use crate::sys::atomic::AtomicU32;
use crate::sys::{futex, identity};
use crate::time::Timeout;

/// How a question is answered, by its number: most in one piece.
pub(super) const FAILS: usize = 1;
pub(super) const IN_PARTS: usize = 3;
const PARTS: usize = 3;
/// No question: whoever takes it stops serving.
const QUIT: usize = 15;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    /// The server that has taken it died.
    Broken,
    TimedOut,
    /// It was not waited for.
    GivenUp,
}

pub(super) enum Handle {
    Client(Box<Client>),
    Server(Box<Service>),
}

pub(super) struct Desk {
    pub(super) memory: Arc<Memory>,
    handles: Vec<Mutex<Option<Handle>>>,
    has_left: Vec<AtomicBool>,
    /// The calls whose questions may be, and are for certain, in the queue.
    begun: Mutex<Vec<Mark>>,
    asked: Mutex<Vec<Mark>>,
    /// By whom.
    taken: Mutex<Vec<(usize, Mark)>>,
    answered: Mutex<Vec<Mark>>,
    ended: Mutex<Vec<(Mark, End)>>,
    /// Each server's that is just taking a question, which may go with it.
    taking: Vec<AtomicBool>,
    /// A call that was begun, and a question that was taken, before the run.
    call: Mutex<Option<Call>>,
    held: Mutex<Option<Question>>,
    /// Opened when a place is free.
    door: AtomicU32,
}

pub(super) fn client(memory: &Arc<Memory>) -> Handle {
    Handle::Client(Box::new(opened(memory)))
}

pub(super) fn server(memory: &Arc<Memory>) -> Handle {
    Handle::Server(Box::new(opened(memory)))
}

fn opened<C: Channel>(memory: &Arc<Memory>) -> C {
    open(memory).expect("there is a place")
}

/// Of whoever had this place first.
fn first_ticket(thread: usize) -> u32 {
    1 << 16 | (u32::try_from(thread).expect("few") + 1)
}

/// A part of the right answer.
fn answer(question: Mark, part: usize) -> Vec<u8> {
    let mut bytes = bytes(question, 8);
    bytes[7] = u8::try_from(part).expect("few");
    bytes
}

impl Desk {
    /// With the handle of each thread.
    pub(super) fn new(shape: Shape, handles: &[fn(&Arc<Memory>) -> Handle]) -> Self {
        let memory = Arc::new(Memory::new(shape));
        let open = |(thread, handle): (usize, &fn(&Arc<Memory>) -> Handle)| {
            Mutex::new(Some(identity::instead_of(thread, || handle(&memory))))
        };
        let handles: Vec<_> = handles.iter().enumerate().map(open).collect();
        let flags = |count| (0..count).map(|_| AtomicBool::new(false)).collect();
        let count = handles.len() + 2;
        Self {
            memory,
            handles,
            has_left: flags(count),
            begun: Mutex::default(),
            asked: Mutex::default(),
            taken: Mutex::default(),
            answered: Mutex::default(),
            ended: Mutex::default(),
            taking: flags(count),
            call: Mutex::default(),
            held: Mutex::default(),
            door: AtomicU32::new(0),
        }
    }

    /// Before the run: servers look at this client's line.
    pub(super) fn with_a_line(self, client: usize) -> Self {
        self.memory.control.watch.0.plain().store(first_ticket(client).into(), Ordering::SeqCst);
        self
    }

    /// As servers do when another client asks often: they look at its line instead.
    pub(super) fn watch(&self, client: usize) {
        Lines::of(&self.memory).watch(Ticket(first_ticket(client)), true);
    }

    /// And a thread that comes when there is a place.
    pub(super) fn with_newcomer(mut self) -> Self {
        self.handles.push(Mutex::default());
        self
    }

    /// Before the run: this client's call 0 was taken by this server and is given up; its next call has another number
    /// and the same place.
    pub(super) fn with_an_old_call(self, client: usize, server: usize) -> Self {
        self.with_old_calls(client, server, super::layout::CALLS)
    }

    /// Before the run: this client's call 0 was taken by this server and is given up, and so are so many in all.
    pub(super) fn with_old_calls(self, client: usize, server: usize, count: usize) -> Self {
        for number in 0..count {
            let question = (client, if number == 0 { 0 } else { QUIT });
            self.with_client(client, |client| {
                let begun = client.begin(&bytes(question, 8), Timeout::TRY);
                client.cancel(begun.expect("there is room"));
            });
            let taken = self.with_server(server, |server| server.recv(Timeout::TRY));
            if number == 0 {
                lock(&self.begun).push(question);
                lock(&self.asked).push(question);
                lock(&self.taken).push((server, question));
                lock(&self.ended).push((question, End::GivenUp));
                *lock(&self.held) = taken.ok();
            }
        }
        self
    }

    /// Before the run: this client's question is in the queue, and behind it the news for one server that it is all.
    pub(super) fn with_a_call(self, thread: usize) -> Self {
        let question = (thread, 0);
        let begin = |client: &mut Client, question| client.begin(&bytes(question, 8), Timeout::TRY);
        let call = self.with_client(thread, |client| {
            let call = begin(client, question).expect("there is room");
            let quit = begin(client, (thread, QUIT)).expect("there is room");
            client.cancel(quit);
            call
        });
        lock(&self.begun).push(question);
        lock(&self.asked).push(question);
        *lock(&self.call) = Some(call);
        self
    }

    /// Waits for the answer to what was asked before the run; a try looks for the server as well.
    pub(super) fn wait_for_asked(&self) {
        let call = lock(&self.call).take().expect("it was asked");
        self.wait_on(0, call, Timeout::TRY, || Some(Timeout::Forever));
    }

    fn with_client<T>(&self, thread: usize, work: impl FnOnce(&mut Client) -> T) -> T {
        match lock(&self.handles[thread]).as_mut() {
            Some(Handle::Client(client)) => work(client),
            _ => panic!("no client"),
        }
    }

    fn with_server<T>(&self, thread: usize, work: impl FnOnce(&mut Service) -> T) -> T {
        match lock(&self.handles[thread]).as_mut() {
            Some(Handle::Server(server)) => work(server),
            _ => panic!("no server"),
        }
    }

    /// The calling thread's.
    pub(super) fn client<T>(&self, work: impl FnOnce(&mut Client) -> T) -> T {
        self.with_client(me(), work)
    }

    /// Asks the question of this number.
    pub(super) fn ask(&self, number: usize) -> Call {
        let question = (me(), number);
        lock(&self.begun).push(question);
        let call = self.client(|client| client.begin(&bytes(question, 8), Timeout::Forever));
        lock(&self.asked).push(question);
        call.expect("it can be asked")
    }

    /// Waits for the whole answer; gives the call up when it does not come.
    pub(super) fn wait(&self, number: usize, call: Call, timeout: Timeout) -> End {
        self.wait_on(number, call, timeout, || None)
    }

    /// As [`Desk::wait`], with a word on how long to wait again when a try finds nothing.
    pub(super) fn wait_on(
        &self,
        number: usize,
        call: Call,
        mut timeout: Timeout,
        again: impl Fn() -> Option<Timeout>,
    ) -> End {
        let question = (me(), number);
        let mut parts = 0;
        let end = loop {
            match self.client(|client| client.wait(call, timeout)) {
                Ok(part) => {
                    assert_eq!(part.bytes, answer(question, parts), "of {question:?}");
                    parts += 1;
                    if !part.more {
                        break End::Answered;
                    }
                }
                Err(Error(ErrorKind::Os(libc::EDOM))) if number == FAILS => break End::Answered,
                Err(Error(ErrorKind::Os(libc::EPIPE))) => break End::Broken,
                Err(Error(ErrorKind::TimedOut)) => break End::TimedOut,
                Err(Error(ErrorKind::WouldBlock)) => match again() {
                    Some(again) => timeout = again,
                    None => break End::GivenUp,
                },
                Err(other) => panic!("{other:?}"),
            }
        };
        let all = if number == IN_PARTS { PARTS } else { usize::from(number != FAILS) };
        assert!(end != End::Answered || parts == all, "{parts} parts of {question:?}");
        if matches!(end, End::TimedOut | End::GivenUp) {
            self.client(|client| client.cancel(call));
        }
        let over = self.client(|client| client.wait(call, Timeout::TRY));
        assert!(matches!(over, Err(Error(ErrorKind::Other(_)))), "{question:?} is over: {over:?}");
        lock(&self.ended).push((question, end));
        end
    }

    pub(super) fn call(&self, number: usize, timeout: Timeout) -> End {
        let call = self.ask(number);
        self.wait(number, call, timeout)
    }

    /// Does not wait for the answer.
    pub(super) fn give_up(&self, number: usize, call: Call) {
        self.client(|client| client.cancel(call));
        lock(&self.ended).push(((me(), number), End::GivenUp));
    }

    /// Tells so many servers to stop.
    pub(super) fn dismiss(&self, servers: usize) {
        for _ in 0..servers {
            self.client(|client| {
                let begun = client.begin(&bytes((me(), QUIT), 8), Timeout::Forever);
                client.cancel(begun.expect("it can be asked"));
            });
        }
    }

    /// The calling server takes a question; `None` when it is to stop.
    pub(super) fn take(&self, timeout: Timeout) -> Result<Option<Question>, ErrorKind> {
        self.taking[me()].store(true, Ordering::SeqCst);
        let taken = self.with_server(me(), |server| server.recv(timeout));
        let question = match taken {
            Ok(question) if mark(question.bytes()).1 == QUIT => None,
            Ok(question) => {
                lock(&self.taken).push((me(), mark(question.bytes())));
                Some(question)
            }
            Err(Error(kind)) => return Err(kind),
        };
        self.taking[me()].store(false, Ordering::SeqCst);
        Ok(question)
    }

    /// Answers as the number of the question says.
    pub(super) fn reply(&self, question: &Question) {
        let asked = mark(question.bytes());
        let part = |number| answer(asked, number);
        let replied = self.with_server(me(), |server| match asked.1 {
            FAILS => server.fail(question, libc::EDOM, "", Timeout::Forever),
            IN_PARTS => (0..PARTS - 1)
                .try_for_each(|number| server.reply_part(question, &part(number), Timeout::Forever))
                .and_then(|()| server.reply(question, &part(PARTS - 1), Timeout::Forever)),
            _ => server.reply(question, &part(0), Timeout::Forever),
        });
        match replied {
            Ok(()) => lock(&self.answered).push(asked),
            Err(Error(ErrorKind::Os(libc::EPIPE))) => {
                assert!(self.is_gone(asked.0), "{asked:?} is there to be answered");
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Answers what was taken before the run.
    pub(super) fn reply_held(&self) {
        let held = lock(&self.held).take();
        self.reply(&held.expect("a question was taken"));
    }

    fn is_gone(&self, thread: usize) -> bool {
        scheduler::has_died(thread) || self.has_left[thread].load(Ordering::SeqCst)
    }

    /// The calling thread gives its place to the newcomer.
    pub(super) fn go(&self) {
        self.has_left[me()].store(true, Ordering::SeqCst);
        let handle = lock(&self.handles[me()]).take();
        drop(handle);
        self.open_door();
    }

    /// Also what somebody does for whoever has died.
    pub(super) fn open_door(&self) {
        self.door.plain().store(1, Ordering::SeqCst);
        scheduler::wake(self.door.as_ptr().addr(), 1);
    }

    /// The newcomer waits until there is a place, and opens the service.
    pub(super) fn come(&self) {
        while self.door.plain().load(Ordering::SeqCst) == 0 {
            let _ = futex::wait(&self.door, 0, std::time::Duration::MAX);
        }
        *lock(&self.handles[me()]) = Some(client(&self.memory));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run: a child that is followed through its system calls, some of which fail.

use unipc::SharedMemory;

use super::{Always, Injection, Made, Whose};
use crate::process::{Child, Status};
use crate::tracer::{self, Stop, Traced};

/// More calls than the threads make that an operation starts, unless one of them spins.
const MANY: usize = 300;

/// What a child answers that has nothing to complain of.
pub(super) const FINE: &str = "fine";

/// Where in the answer stands which failures there were, how long the complaint is, and the complaint.
const HAPPENED: usize = 0;
const LENGTH: usize = 8;
const TEXT: usize = 16;

/// The longest complaint in bytes.
const ANSWER: usize = 4080;

/// What a child is told at the end of what is watched: which of the failures there were. In a run that takes another
/// course than the first (programs run beside it) a call may not come any more.
pub(super) struct Told<'a> {
    pub(super) injections: &'a [Injection],
    answer: &'a SharedMemory,
}

/// What was seen of a child that was traced.
pub(super) struct Observed {
    pub(super) pid: i32,
    /// The System V objects without a key that it has made, as the audit names them.
    pub(super) unnamed: Vec<String>,
    /// The calls that it made, or what is wrong.
    pub(super) outcome: Result<Vec<Made>, String>,
}

/// Which calls are to fail in a run, and what was seen of it.
struct Plan<'a> {
    whose: Whose,
    always: &'a [Always],
    injections: &'a [Injection],
    /// Which of the injections there were.
    happened: u64,
    made: Vec<Made>,
    unnamed: Vec<String>,
}

impl Told<'_> {
    pub(super) fn happened(&self) -> Vec<Injection> {
        let happened = self.answer.read::<u64>(HAPPENED).expect("a number");
        let all = self.injections.iter().enumerate();
        all.filter(|(at, _)| happened & 1 << at != 0).map(|(_, &injection)| injection).collect()
    }
}

/// Does `work` in a child, which is to be told to fail between its marks.
pub(super) fn observe(
    work: impl FnOnce(&Told) -> String,
    whose: Whose,
    always: &[Always],
    injections: &[Injection],
) -> Observed {
    let answer = SharedMemory::create("anon:", TEXT + ANSWER).expect("memory for the answer");
    let mut child = Child::run(|| {
        tracer::allow();
        let text = work(&Told { injections, answer: &answer });
        let bytes = &text.as_bytes()[..text.len().min(ANSWER)];
        answer.write(LENGTH, &(bytes.len() as u64)).expect("room for the answer");
        answer.write_at(TEXT, bytes).expect("room for the answer");
    });
    let pid = child.pid();
    let mut plan =
        Plan { whose, always, injections, happened: 0, made: Vec::new(), unnamed: Vec::new() };
    let followed = plan.follow(&mut child, &answer);
    let Plan { made, unnamed, .. } = plan;
    let outcome = followed.and_then(|()| {
        let length =
            answer.read::<u64>(LENGTH).ok().and_then(|length| usize::try_from(length).ok());
        let mut bytes = vec![0; length.unwrap_or(0).min(ANSWER)];
        answer.read_at(TEXT, &mut bytes).expect("the answer's bytes");
        if bytes == FINE.as_bytes() {
            return Ok(made);
        }
        Err(String::from_utf8_lossy(&bytes).into_owned())
    });
    Observed { pid, unnamed, outcome }
}

impl Plan<'_> {
    /// Follows the child through its system calls, and lets some of them fail.
    fn follow(&mut self, child: &mut Child, answer: &SharedMemory) -> Result<(), String> {
        let mut traced =
            Traced::new(child).map_err(|status| format!("it ended early: {status:?}"))?;
        if self.whose == Whose::Helper {
            traced.follow_threads();
        }
        // In a call from which it will come back.
        let mut is_inside = false;
        let mut spins = false;
        loop {
            let stop = traced.next();
            match stop {
                Stop::Entry { .. } | Stop::Exit
                    if traced.is_in_thread() != (self.whose == Whose::Helper) => {}
                // The end of a signal handler, and the heap that grows: no call of the library's, and at no certain place.
                Stop::Entry { call: libc::SYS_rt_sigreturn | libc::SYS_brk, .. } => {}
                Stop::Entry { call: number, arguments } => {
                    let call = Made { number, arguments };
                    let errno = self.failure(&call);
                    if let Some(errno) = errno {
                        traced.fail(errno);
                    }
                    is_inside = errno.is_none();
                    self.made.push(call);
                    if self.whose == Whose::Helper && self.made.len() > MANY {
                        spins = true;
                        break;
                    }
                }
                Stop::Exit => {
                    let made = self.made.last().filter(|_| is_inside);
                    self.unnamed.extend(made.and_then(|made| made.unnamed(traced.returned())));
                    is_inside = false;
                }
                Stop::End => break,
                Stop::Ended(status) => {
                    return Err(format!("it ended in the operation: {status:?}"));
                }
            }
        }
        answer.write(HAPPENED, &self.happened).expect("room for the number");
        match traced.finish() {
            _ if spins => Err(format!("a thread spins: {MANY} calls")),
            Status::Exited(0) => Ok(()),
            other => Err(format!("it ended afterwards: {other:?}")),
        }
    }

    /// How the call that comes now is to fail: at its place, or where a call of its kind comes next.
    fn failure(&mut self, call: &Made) -> Option<i32> {
        let number = call.number;
        // Of its kind, and one that can fail: to wait for a futex and to wake at one have the same number.
        let can_fail = call.known().is_some_and(|known| !known.2.is_empty());
        let due = self.injections.iter().enumerate().find(|(at, injection)| {
            let is_due = injection.position <= self.made.len() && injection.call == number;
            can_fail && is_due && self.happened & 1 << at == 0
        });
        if let Some((at, injection)) = due {
            self.happened |= 1 << at;
            return Some(injection.errno);
        }
        let first = || self.made.iter().all(|made| made.number != number);
        let applies = |it: &&Always| it.call == number && (it.each || first());
        self.always.iter().find(applies).map(|always| always.errno)
    }
}

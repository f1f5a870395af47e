// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tries all orders in which a few threads can take their steps, up to a number of changes at places where a thread
//! could have gone on; and, for one of them, all places at which it can die.
//!
//! One thread runs at a time. Each operation on shared memory is a step, before which the scheduler chooses. A run is told
//! by its choices; the next run makes the last of them that has an alternative differently. Memory is sequentially
//! consistent here: what depends on weaker orders is not seen.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// More steps than any run needs: beyond them it goes round in circles.
const STEPS: usize = 3000;

/// What unwinds a thread that dies, or that is of a run that has failed.
struct Death;

/// A step of one thread.
pub(crate) type Body<'a> = Box<dyn Fn() + Send + Sync + 'a>;

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    Called,
    /// Time passed. Only after a death: whoever was woken may have been the one that died.
    TimePassed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Thread {
    Ready,
    /// On these addresses, since then.
    Asleep(Vec<usize>, usize),
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    taken: usize,
    of: usize,
}

#[derive(Debug)]
struct State {
    current: usize,
    threads: Vec<Thread>,
    woken: Vec<Woken>,
    choices: Vec<Choice>,
    at: usize,
    changes_left: usize,
    victim: Option<usize>,
    died: bool,
    naps_left: usize,
    steps: usize,
    failure: Option<String>,
}

#[derive(Debug)]
struct Run {
    state: Mutex<State>,
    turn: Condvar,
}

#[derive(Clone)]
struct Here {
    run: Arc<Run>,
    thread: usize,
    dead: bool,
    /// What the thread has in the kernel's list, and what it is about to take or give back: addresses of links.
    held: Vec<usize>,
    pending: usize,
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

impl State {
    fn choose(&mut self, of: usize) -> usize {
        if of == 1 {
            return 0;
        }
        if self.at == self.choices.len() {
            self.choices.push(Choice { taken: 0, of });
        }
        let choice = self.choices[self.at];
        assert_eq!(choice.of, of, "a run does not depend on anything but its choices");
        self.at += 1;
        choice.taken
    }

    fn ready(&self) -> Vec<usize> {
        let ready = |&thread: &usize| self.threads[thread] == Thread::Ready;
        (0..self.threads.len()).filter(ready).collect()
    }

    /// The current thread cannot go on: who can?
    fn next(&mut self) {
        let mut ready = self.ready();
        if ready.is_empty() {
            let is_asleep = |thread: &usize| matches!(self.threads[*thread], Thread::Asleep(..));
            let asleep: Vec<_> = (0..self.threads.len()).filter(is_asleep).collect();
            if asleep.is_empty() {
                return;
            }
            if !self.died || self.naps_left == 0 {
                self.fail(format!("threads {asleep:?} sleep, and nobody is left to wake them"));
                return;
            }
            self.naps_left -= 1;
            for &thread in &asleep {
                self.threads[thread] = Thread::Ready;
                self.woken[thread] = Woken::TimePassed;
            }
            ready = asleep;
        }
        let which = self.choose(ready.len());
        self.current = ready[which];
    }

    fn fail(&mut self, why: String) {
        self.failure.get_or_insert(why);
    }
}

impl Run {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until it is the thread's turn. Every thread of a run that has failed ends.
    fn await_turn<'a>(&'a self, mut state: MutexGuard<'a, State>, thread: usize) {
        self.turn.notify_all();
        while state.current != thread && state.failure.is_none() {
            state = self.turn.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if state.failure.is_some() {
            drop(state);
            die();
        }
    }
}

fn with<T>(work: impl FnOnce(&mut Here) -> T) -> Option<T> {
    HERE.with_borrow_mut(|here| here.as_mut().map(work))
}

fn die() -> ! {
    with(|here| here.dead = true);
    resume_unwind(Box::new(Death))
}

/// Is the calling thread dead, and only unwinding?
pub(crate) fn is_dead() -> bool {
    with(|here| here.dead).unwrap_or(false)
}

/// Its number, from 0 on; `None` outside of a run.
pub(crate) fn number() -> Option<usize> {
    with(|here| here.thread)
}

/// Has the thread with this number died?
pub(crate) fn has_died(thread: usize) -> bool {
    with(|here| {
        let state = here.run.lock();
        state.died && state.victim == Some(thread)
    })
    .unwrap_or(false)
}

/// A place at which the thread can die, or another go on. False when it is dead already: then nothing must happen.
pub(crate) fn step() -> bool {
    step_or_die(true)
}

/// A place at which the thread can die: something that no other thread sees.
pub(crate) fn private_step() -> bool {
    step_or_die(false)
}

fn step_or_die(visible: bool) -> bool {
    let Some(here) = with(|here| here.clone()) else { return true };
    if here.dead {
        return false;
    }
    let mut state = here.run.lock();
    state.steps += 1;
    if state.steps > STEPS {
        state.fail(format!("no end after {STEPS} steps"));
        here.run.turn.notify_all();
    }
    if state.failure.is_some() {
        drop(state);
        die();
    }
    let may_die = state.victim == Some(here.thread) && !state.died;
    let mut others = Vec::new();
    if visible && state.changes_left > 0 {
        others = state.ready();
        others.retain(|&other| other != here.thread);
    }
    let which = state.choose(1 + usize::from(may_die) + others.len());
    if which == 0 {
        return true;
    }
    if may_die && which == 1 {
        state.died = true;
        drop(state);
        die();
    }
    state.changes_left -= 1;
    state.current = others[which - 1 - usize::from(may_die)];
    here.run.await_turn(state, here.thread);
    true
}

/// Sleeps on these addresses until somebody wakes.
pub(crate) fn sleep(addresses: Vec<usize>) -> Woken {
    let Some(here) = with(|here| here.clone()) else { return Woken::Called };
    if here.dead {
        return Woken::Called;
    }
    let mut state = here.run.lock();
    let since = state.steps;
    state.threads[here.thread] = Thread::Asleep(addresses, since);
    state.next();
    here.run.await_turn(state, here.thread);
    here.run.lock().woken[here.thread]
}

/// Wakes so many of those that sleep on this address, in the order of their coming.
pub(crate) fn wake(address: usize, count: usize) -> usize {
    let Some(here) = with(|here| here.clone()) else { return 0 };
    let mut state = here.run.lock();
    let mut asleep: Vec<_> = (state.threads.iter().enumerate())
        .filter_map(|(thread, it)| match it {
            Thread::Asleep(on, since) if on.contains(&address) => Some((*since, thread)),
            _ => None,
        })
        .collect();
    asleep.sort_unstable();
    asleep.truncate(count);
    for &(_, thread) in &asleep {
        state.threads[thread] = Thread::Ready;
        state.woken[thread] = Woken::Called;
    }
    asleep.len()
}

/// Uses what the kernel knows of the calling thread: the links in its list, and the pending one.
pub(crate) fn kernel<T>(work: impl FnOnce(&mut Vec<usize>, &mut usize) -> T) -> T {
    let taken = with(|here| (std::mem::take(&mut here.held), here.pending));
    let (mut held, mut pending) = taken.unwrap_or_default();
    let result = work(&mut held, &mut pending);
    with(|here| (here.held, here.pending) = (held, pending));
    result
}

/// What is to be tried.
pub(crate) struct Plan {
    /// How often a thread may be stopped where it could have gone on.
    pub(crate) changes: usize,
    /// Which thread can die.
    pub(crate) victim: Option<usize>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) runs: usize,
    pub(crate) deaths: usize,
    pub(crate) failure: Option<String>,
}

/// Tries everything. `make` makes the objects of a run, `bodies` what each thread does with them, `bury` is what the
/// kernel does at a death, `check` looks at the objects afterwards.
pub(crate) fn explore<T: Sync>(
    plan: &Plan,
    make: impl Fn() -> T,
    bodies: &[fn(&T)],
    bury: fn(&T),
    check: fn(&T),
) -> Outcome {
    let mut choices = Vec::new();
    let mut outcome = Outcome { runs: 0, deaths: 0, failure: None };
    loop {
        let objects = make();
        let state = once(plan, choices, &objects, bodies, bury);
        outcome.runs += 1;
        outcome.deaths += usize::from(state.died);
        let failure = state.failure.or_else(|| {
            // One more thread, which comes when all is over.
            let after = Plan { changes: 0, victim: None };
            once(&after, Vec::new(), &objects, &[check], bury).failure
        });
        choices = state.choices;
        if let Some(why) = failure {
            let taken: Vec<_> = choices.iter().map(|choice| choice.taken).collect();
            outcome.failure = Some(format!("{why}; in run {}: {taken:?}", outcome.runs));
            return outcome;
        }
        while choices.last().is_some_and(|last| last.taken + 1 == last.of) {
            choices.pop();
        }
        match choices.last_mut() {
            Some(last) => last.taken += 1,
            None => return outcome,
        }
    }
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}

/// One run.
fn once<T: Sync>(
    plan: &Plan,
    choices: Vec<Choice>,
    objects: &T,
    bodies: &[fn(&T)],
    bury: fn(&T),
) -> State {
    let state = State {
        current: 0,
        threads: vec![Thread::Ready; bodies.len()],
        woken: vec![Woken::Called; bodies.len()],
        choices,
        at: 0,
        changes_left: plan.changes,
        victim: plan.victim,
        died: false,
        naps_left: 20,
        steps: 0,
        failure: None,
    };
    let run = Arc::new(Run { state: Mutex::new(state), turn: Condvar::new() });
    std::thread::scope(|scope| {
        for (thread, body) in bodies.iter().enumerate() {
            let run = Arc::clone(&run);
            scope.spawn(move || live(&run, thread, || body(objects), || bury(objects)));
        }
    });
    Arc::into_inner(run).expect("all threads have ended").state.into_inner().expect("whole")
}

/// A thread of a run, from its first turn to its end.
fn live(run: &Arc<Run>, thread: usize, body: impl FnOnce(), bury: impl FnOnce()) {
    let here = Here { run: Arc::clone(run), thread, dead: false, held: Vec::new(), pending: 0 };
    HERE.set(Some(here));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run.await_turn(run.lock(), thread);
        body();
    }));
    match ended {
        Ok(()) => {}
        Err(payload) if payload.is::<Death>() => {
            if run.lock().failure.is_none() {
                bury();
            }
        }
        Err(payload) => run.lock().fail(words(payload.as_ref())),
    }
    HERE.set(None);
    let mut state = run.lock();
    state.threads[thread] = Thread::Done;
    state.next();
    run.turn.notify_all();
}

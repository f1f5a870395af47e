// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tries all orders in which a few threads can take their steps, up to a number of changes at places where a thread
//! could have gone on; and, for one of them, all places at which it can die.
//!
//! One thread runs at a time. Each operation on shared memory is a step, before which the scheduler chooses. A run is told
//! by its choices; the next run makes the last of them that has an alternative differently.
//!
//! Memory is sequentially consistent, but for what a plan allows of late stores, see [`late`].

mod explore;
mod late;

use std::cell::RefCell;
use std::panic::{Location, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

pub(crate) use explore::{Outcome, Plan, explore};
use late::Late;
pub(crate) use late::{come, flush, flush_all, stored};

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
    /// Comes when all others are done.
    Last,
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
    /// Where the next number comes from, if it is by chance.
    chance: Option<u64>,
    changes_left: usize,
    victim: Option<usize>,
    died: bool,
    naps: usize,
    naps_left: usize,
    steps: usize,
    /// Which thread was about to do what.
    trail: Vec<(usize, &'static Location<'static>)>,
    late: Late,
    failure: Option<String>,
}

#[derive(Debug)]
struct Run {
    state: Mutex<State>,
    /// Each thread's own.
    turns: Vec<Condvar>,
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
    /// Of a run that goes by these choices first.
    fn new(plan: &Plan, count: usize, choices: Vec<Choice>, chance: Option<u64>) -> Self {
        let mut threads = vec![Thread::Ready; count];
        threads[count - 1] = Thread::Last;
        Self {
            current: 0,
            threads,
            woken: vec![Woken::Called; count],
            choices,
            at: 0,
            chance,
            changes_left: plan.changes,
            victim: plan.victim,
            died: false,
            naps: 0,
            naps_left: 20,
            steps: 0,
            trail: Vec::new(),
            late: Late::new(plan.late),
            failure: None,
        }
    }

    fn choose(&mut self, of: usize) -> usize {
        if of == 1 {
            return 0;
        }
        if self.at == self.choices.len() {
            let taken = self.chance.as_mut().map_or(0, |chance| by_chance(chance, of));
            self.choices.push(Choice { taken, of });
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
                let last = self.threads.len() - 1;
                if self.threads[last] == Thread::Last {
                    // It finds the dust settled, and need not wait for anybody.
                    self.threads[last] = Thread::Ready;
                    self.naps_left = 0;
                    self.current = last;
                }
                return;
            }
            if !self.died || self.naps_left == 0 {
                self.fail(format!("threads {asleep:?} sleep, and nobody is left to wake them"));
                return;
            }
            self.naps_left -= 1;
            self.naps += 1;
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

    /// Lets another thread go on, for which the last of the stores may come late.
    fn change(&mut self, other: usize, how: usize) {
        self.changes_left -= 1;
        self.late.hold_back(self.current, how);
        self.current = other;
    }
}

/// Mostly the first, which is to go on.
fn by_chance(number: &mut u64, of: usize) -> usize {
    const SELDOM: u64 = 20;
    let mut next = || {
        // A sequence of Weyl, and the mixing of splitmix64.
        *number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*number ^ *number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    };
    if !next().is_multiple_of(SELDOM) {
        return 0;
    }
    usize::try_from(next() % of as u64).unwrap_or(0)
}

impl Run {
    fn new(state: State) -> Self {
        let turns = state.threads.iter().map(|_| Condvar::new()).collect();
        Self { state: Mutex::new(state), turns }
    }

    fn into_state(self) -> State {
        self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Wakes the one whose turn it is, or all if the run has failed.
    fn call(&self, state: &State) {
        match state.failure {
            None => self.turns[state.current].notify_one(),
            Some(_) => self.turns.iter().for_each(Condvar::notify_one),
        }
    }

    /// Waits until it is the thread's turn. Every thread of a run that has failed ends.
    fn await_turn<'a>(&'a self, mut state: MutexGuard<'a, State>, thread: usize) {
        if state.current != thread {
            self.call(&state);
        }
        while state.current != thread && state.failure.is_none() {
            let turn = &self.turns[thread];
            state = turn.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if state.failure.is_some() {
            drop(state);
            die();
        }
        // What came late has come by now.
        state.late.arrive(Some(thread));
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

/// How often time has passed.
pub(crate) fn naps() -> usize {
    with(|here| here.run.lock().naps).unwrap_or(0)
}

/// A place at which the thread can die, or another go on. False when it is dead already: then nothing must happen.
#[track_caller]
pub(crate) fn step() -> bool {
    step_or_die(true)
}

/// A place at which the thread can die: something that no other thread sees.
#[track_caller]
pub(crate) fn private_step() -> bool {
    step_or_die(false)
}

#[track_caller]
fn step_or_die(visible: bool) -> bool {
    let Some(here) = with(|here| here.clone()) else { return true };
    if here.dead {
        return false;
    }
    let mut state = here.run.lock();
    state.steps += 1;
    state.trail.push((here.thread, Location::caller()));
    if state.steps > STEPS {
        state.fail(format!("no end after {STEPS} steps"));
        here.run.call(&state);
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
    let ways = 1 + state.late.ways();
    let which = state.choose(1 + usize::from(may_die) + others.len() * ways);
    if which == 0 {
        return true;
    }
    if may_die && which == 1 {
        state.died = true;
        drop(state);
        die();
    }
    let which = which - 1 - usize::from(may_die);
    state.change(others[which / ways], which % ways);
    here.run.await_turn(state, here.thread);
    true
}

/// Lets others go on first, if any can.
pub(crate) fn give_way() {
    let Some(here) = with(|here| here.clone()) else { return };
    let mut state = here.run.lock();
    let mut others = state.ready();
    others.retain(|&other| other != here.thread);
    if here.dead || others.is_empty() {
        return;
    }
    state.late.flush();
    let which = state.choose(others.len());
    state.current = others[which];
    here.run.await_turn(state, here.thread);
}

/// Sleeps on these addresses until somebody wakes.
pub(crate) fn sleep(addresses: Vec<usize>) -> Woken {
    let Some(here) = with(|here| here.clone()) else { return Woken::Called };
    if here.dead {
        return Woken::Called;
    }
    let mut state = here.run.lock();
    state.late.flush();
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

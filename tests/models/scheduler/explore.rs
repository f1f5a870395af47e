// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run after the other, until all were tried or one has failed.

use std::any::Any;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, mpsc};

use super::{Death, HERE, Here, Run, State, Thread, step};

/// What is to be tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How often a thread may be stopped where it could have gone on.
    pub(crate) changes: usize,
    /// Which thread can die.
    pub(crate) victim: Option<usize>,
    /// How often stores may come late for the others.
    pub(crate) late: usize,
    /// So many runs at most.
    pub(crate) most: usize,
    /// Not one after the other, but by chance; the same each time.
    pub(crate) chance: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { changes: 0, victim: None, late: 0, most: usize::MAX, chance: false }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) runs: usize,
    pub(crate) deaths: usize,
    /// Nothing is left to be tried.
    pub(crate) is_all: bool,
    pub(crate) failure: Option<String>,
}

/// Tries everything. `make` makes the objects of a run, `bodies` what each thread does with them, `bury` is what the
/// kernel does at a death, `check` looks at the objects afterwards, as one more thread.
pub(crate) fn explore<T: Send + Sync>(
    plan: &Plan,
    make: impl Fn() -> T,
    bodies: &[fn(&T)],
    bury: fn(&T),
    check: fn(&T),
) -> Outcome {
    std::thread::scope(|scope| {
        let (done, all_done) = mpsc::channel();
        let bodies = bodies.iter().copied().chain([check]);
        let workers = bodies.enumerate().map(|(thread, body)| {
            let (next, runs) = mpsc::channel::<(Arc<Run>, Arc<T>)>();
            let done = done.clone();
            scope.spawn(move || {
                for (run, objects) in runs {
                    live(&run, thread, || body(&objects), || bury(&objects));
                    drop((run, objects));
                    done.send(()).expect("it is waited for");
                }
            });
            next
        });
        let workers: Vec<_> = workers.collect();
        explore_with(plan, workers.len(), |state| {
            let run = Arc::new(Run::new(state));
            let objects = Arc::new(make());
            for worker in &workers {
                worker.send((Arc::clone(&run), Arc::clone(&objects))).expect("it lives");
            }
            for _ in &workers {
                all_done.recv().expect("it comes to its end");
            }
            Arc::into_inner(run).expect("all have let it go").into_state()
        })
    })
}

/// Lets one run follow the other.
fn explore_with(plan: &Plan, threads: usize, mut once: impl FnMut(State) -> State) -> Outcome {
    let mut choices = Vec::new();
    let mut outcome = Outcome { runs: 0, deaths: 0, is_all: false, failure: None };
    loop {
        if outcome.runs == plan.most {
            return outcome;
        }
        let chance = plan.chance.then_some(outcome.runs as u64 + 1);
        let state = once(State::new(plan, threads, choices, chance));
        outcome.runs += 1;
        outcome.deaths += usize::from(state.died);
        if let Some(why) = &state.failure {
            outcome.failure = Some(format!("{why}\n{}", told(&state.trail)));
            return outcome;
        }
        choices = if plan.chance { Vec::new() } else { state.choices };
        while choices.last().is_some_and(|last| last.taken + 1 == last.of) {
            choices.pop();
        }
        match choices.last_mut() {
            Some(last) => last.taken += 1,
            None if plan.chance => {}
            None => {
                outcome.is_all = true;
                return outcome;
            }
        }
    }
}

/// The end of the way to a failure, a line for each thread's turn.
fn told(trail: &[(usize, &'static Location<'static>)]) -> String {
    const LAST: usize = 120;
    let mut text = String::new();
    let mut before = None;
    for (thread, place) in &trail[trail.len().saturating_sub(LAST)..] {
        if before != Some(thread) {
            let _ = write!(text, "\nthread {thread}:");
            before = Some(thread);
        }
        let file = place.file().rsplit('/').next().unwrap_or_default();
        let _ = write!(text, " {file}:{}", place.line());
    }
    text
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}

/// A thread of a run, from its first turn to its end.
fn live(run: &Arc<Run>, thread: usize, body: impl FnOnce(), bury: impl FnOnce()) {
    let here = Here { run: Arc::clone(run), thread, dead: false, held: Vec::new(), pending: 0 };
    HERE.set(Some(here));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run.await_turn(run.lock(), thread);
        body();
        // Others may come before its last stores do.
        step();
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
    state.late.flush();
    state.threads[thread] = Thread::Done;
    state.next();
    run.call(&state);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A point that a number of threads pass together, or not at all when one of them has died.
//!
//! Each party that has arrived holds a cell, in which the round stands. How many have arrived is not counted but looked at: a
//! party that dies takes its arrival with it. A word carries the round, a version that changes when a party goes away
//! without passing, and whether the barrier is broken; who finds all arrived moves it on, if it is still as it was before the look.

use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::form::{self, Form};
use super::gate::{self, Watched};
use super::hold::{Sleep, Waiting};
use super::object::{HEAD, Kind, MAIN, Object, WAITING};
use super::options::{common_setters, constructors};
use super::place::Place;
use super::status::{self, Holder};
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::{HOLDER, LINE, OWNER_DIED, WAITERS};
use crate::open::{Disposition, Mode};
use crate::sys::futex;
use crate::sys::pthread::Foreign;
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"barrier\0",
    version: 1,
    operation: ["Barrier::open", "Barrier::create", "Barrier::open_or_create"],
};

const BROKEN: u32 = 1 << 31;
const VERSION_BITS: u32 = 12;
const VERSION: u32 = (1 << VERSION_BITS) - 1;
const ROUNDS: u32 = BROKEN - 1 - VERSION;

/// A cell's note when its party has joined and not arrived.
const ABSENT: u64 = 0;

fn round(state: u32) -> u32 {
    state & ROUNDS
}

/// So many rounds later, with a version of 0.
fn later(state: u32, rounds: u32) -> u32 {
    round(state).wrapping_add(rounds << VERSION_BITS) & ROUNDS
}

/// What stands in the cell of a party that has arrived in this round.
fn arrival(state: u32) -> u64 {
    u64::from(round(state)) + 1
}

/// How to create or open a [`Barrier`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct BarrierOptions {
    form: Form,
    mode: Mode,
}

/// A barrier: each of its parties waits until all have arrived.
///
/// ```no_run
/// use unipc::sync::Barrier;
/// use unipc::Timeout;
/// # fn main() -> unipc::Result<()> {
/// let barrier = Barrier::open_or_create("/round", 3)?;
/// if barrier.wait(Timeout::Forever)? {
///     println!("one of the three prints this");
/// }
/// # Ok(())
/// # }
/// ```
///
/// Death: a party that dies while it waits breaks the barrier: all who wait, and all who come, get `EOWNERDEAD` until
/// somebody calls [`Barrier::reset`]. A party that has not arrived yet is not known to the barrier, unless its thread
/// has called [`Barrier::join`]: then its death, and its end without [`Barrier::leave`], break the barrier too.
///
/// A wait that ends early (time, signal) takes the arrival back and breaks nothing.
#[doc(alias = "pthread_barrier_t")]
#[derive(Debug)]
pub struct Barrier(Inner);

#[derive(Debug)]
enum Inner {
    Robust(Object),
    Pthread { foreign: Foreign<libc::pthread_barrier_t>, label: String, parties: u32 },
}

constructors!(Barrier, BarrierOptions, parties: u32, 0);

impl BarrierOptions {
    /// The defaults: robust, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        parties: u32,
    ) -> Result<Barrier> {
        let operation = KIND.operation[disposition as usize];
        let opening = disposition == Disposition::Open;
        if !opening && !(1..=Barrier::MAX).contains(&parties) {
            return Err(
                ErrorKind::invalid("a barrier has 1 to 65536 parties").during(operation, parties)
            );
        }
        if self.form == Form::Pthread {
            let make = |foreign: &Foreign<libc::pthread_barrier_t>| foreign.init(parties);
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Barrier(Inner::Pthread { foreign, label, parties }));
        }
        let count = HEAD + parties.max(1) as usize;
        let object = KIND.establish(place, disposition, self.mode, count, |lines| {
            lines.cell(MAIN).limit.store(parties.into(), Ordering::Relaxed);
        })?;
        let there = (object.lines.count() - HEAD) as u64;
        if there == 0 || object.lines.cell(MAIN).limit.load(Ordering::Relaxed) != there {
            let why = ErrorKind::Layout("the table of parties has another size".into());
            return Err(object.failed(operation, why));
        }
        if !opening && there != u64::from(parties) {
            let why = ErrorKind::invalid(format!("the barrier that is there has {there} parties"));
            return Err(object.failed(operation, why));
        }
        Ok(Barrier(Inner::Robust(object)))
    }
}

impl Barrier {
    /// The largest number of parties.
    pub const MAX: u32 = 1 << 16;

    /// How many bytes a barrier for so many parties takes in the robust form.
    pub const fn size(parties: u32) -> usize {
        (HEAD + parties as usize) * LINE
    }

    /// Arrives, and waits until all have. True for one of them, the last.
    ///
    /// Errors: `EOWNERDEAD` when the barrier is broken; `EAGAIN` when it was a try and others are missing; `ETIMEDOUT`;
    /// `EINTR`; `EBUSY` when more threads than parties use it; `EFAULT` when the file lost its pages. The pthread form waits for
    /// ever: any other timeout is `EOPNOTSUPP`.
    #[doc(alias = "pthread_barrier_wait")]
    pub fn wait(&self, timeout: Timeout) -> Result<bool> {
        let waited = match &self.0 {
            Inner::Robust(object) => Round::arrive(object).and_then(|round| round.wait(timeout)),
            Inner::Pthread { foreign, .. } if timeout == Timeout::Forever => {
                foreign.wait().map_err(form::kind_of)
            }
            Inner::Pthread { .. } => Err(ErrorKind::unsupported(
                "the pthread form's barrier waits for ever or not at all",
            )),
        };
        waited.map_err(|kind| self.failed("wait", kind))
    }

    /// Makes the calling thread known as a party: from now on its death breaks the barrier, also between its waits.
    ///
    /// Errors: `EALREADY` when it is known; `EBUSY` when all places are taken; `EOWNERDEAD` when the barrier is broken;
    /// `EOPNOTSUPP` in the pthread form.
    pub fn join(&self) -> Result<()> {
        self.robustly("join", |object| {
            if object.lines.latest_of_mine(HEAD)?.is_some() {
                return Err(ErrorKind::Os(libc::EALREADY));
            }
            // SYNC: pairs with `break_it`.
            if object.lines.cell(MAIN).state.load(Ordering::SeqCst) & BROKEN != 0 {
                return Err(broken());
            }
            let index = take_place(object)?;
            object.lines.cell(index).kind.store(1, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Ends what [`Barrier::join`] began. Errors: `EPERM` when the calling thread has not joined.
    pub fn leave(&self) -> Result<()> {
        self.robustly("leave", |object| {
            let index = object.lines.latest_of_mine(HEAD)?.ok_or(ErrorKind::Os(libc::EPERM))?;
            object.lines.cell(index).kind.store(0, Ordering::Relaxed);
            object.lines.give_back(index, 0, i32::MAX)
        })
    }

    /// Breaks the barrier: all who wait, and all who come, get `EOWNERDEAD`.
    pub fn abort(&self) -> Result<()> {
        self.robustly("abort", |object| {
            break_it(object);
            Ok(())
        })
    }

    /// Makes a broken barrier whole again. Who still waits there gets `EOWNERDEAD`.
    ///
    /// Errors: `EOPNOTSUPP` in the pthread form.
    pub fn reset(&self) -> Result<()> {
        self.robustly("reset", |object| {
            let lines = &object.lines;
            for index in HEAD..lines.count() {
                lines.bury(index);
                let word = &lines.cell(index).word;
                let seen = word.load(Ordering::SeqCst);
                if seen & HOLDER == 0 {
                    lines.cell(index).note.store(ABSENT, Ordering::Relaxed);
                    lines.cell(index).kind.store(0, Ordering::Relaxed);
                    let _ = word.compare_exchange(seen, 0, Ordering::SeqCst, Ordering::Relaxed);
                }
            }
            let state = &lines.cell(MAIN).state;
            // Two rounds later: who waits knows that its round did not end but was ended.
            let _ =
                state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(later(now, 2)));
            futex::wake(state, i32::MAX);
            Ok(())
        })
    }

    /// Is it broken? A pthread barrier does not know.
    pub fn is_broken(&self) -> bool {
        match &self.0 {
            Inner::Robust(object) => {
                let cells = object.lines.cells();
                cells[MAIN].state.load(Ordering::Acquire) & BROKEN != 0
                    || cells[HEAD..].iter().any(|cell| is_dead(cell.word.load(Ordering::Acquire)))
            }
            Inner::Pthread { .. } => false,
        }
    }

    /// How many parties it is for; 0 for a pthread barrier that was only opened.
    pub fn parties(&self) -> u32 {
        match &self.0 {
            Inner::Robust(object) => u32::try_from(object.lines.count() - HEAD).unwrap_or(u32::MAX),
            Inner::Pthread { parties, .. } => *parties,
        }
    }

    /// How many wait in this round.
    pub fn arrived(&self) -> u32 {
        let Inner::Robust(object) = &self.0 else { return 0 };
        let arrived = arrival(object.lines.cell(MAIN).state.load(Ordering::Acquire));
        let cells = object.lines.cells()[HEAD..].iter();
        let here = cells.filter(|cell| {
            cell.word.load(Ordering::Acquire) & HOLDER != 0
                && cell.note.load(Ordering::Acquire) == arrived
        });
        u32::try_from(here.count()).unwrap_or(u32::MAX)
    }

    /// The threads that have joined or wait.
    pub fn holders(&self) -> Vec<Holder> {
        match &self.0 {
            Inner::Robust(object) => {
                object.lines.cells()[HEAD..].iter().filter_map(status::holder).collect()
            }
            Inner::Pthread { .. } => Vec::new(),
        }
    }

    /// Whose layout it has.
    pub fn form(&self) -> Form {
        match &self.0 {
            Inner::Robust(_) => Form::Robust,
            Inner::Pthread { .. } => Form::Pthread,
        }
    }

    /// How errors call it.
    pub fn label(&self) -> &str {
        match &self.0 {
            Inner::Robust(object) => &object.label,
            Inner::Pthread { label, .. } => label,
        }
    }

    fn robustly(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Object) -> Result<(), ErrorKind>,
    ) -> Result<()> {
        let done = match &self.0 {
            Inner::Robust(object) => work(object).and_then(|()| object.lines.check()),
            Inner::Pthread { .. } => {
                Err(ErrorKind::unsupported("the pthread form's barrier can only be waited for"))
            }
        };
        done.map_err(|kind| self.failed(operation, kind))
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let error = match &self.0 {
            Inner::Robust(object) => object.failed(operation, kind),
            Inner::Pthread { label, .. } => kind.during(operation, label),
        };
        match error.kind() {
            ErrorKind::Broken(_) => error.with_advice("reset() makes it whole again"),
            _ => error,
        }
    }
}

/// Is this the word of a cell whose party has died?
fn is_dead(word: u32) -> bool {
    word & HOLDER == 0 && word & OWNER_DIED != 0
}

fn broken() -> ErrorKind {
    ErrorKind::Broken("a party has died, or somebody has broken the barrier")
}

/// Takes a free cell for the calling thread.
fn take_place(object: &Object) -> Result<usize, ErrorKind> {
    let lines = &object.lines;
    for index in HEAD..lines.count() {
        let word = lines.cell(index).word.load(Ordering::SeqCst);
        if is_dead(word) {
            break_it(object);
            return Err(broken());
        }
        if word & HOLDER == 0 && lines.attempt(index)?.take(word, word & WAITERS).is_ok() {
            return Ok(index);
        }
    }
    Err(ErrorKind::Busy("more threads than it has parties use the barrier".into()))
}

fn break_it(object: &Object) {
    let state = &object.lines.cell(MAIN).state;
    state.fetch_or(BROKEN, Ordering::SeqCst);
    futex::wake(state, i32::MAX);
}

/// A party that has arrived. Dropping it takes the arrival back.
struct Round<'a> {
    object: &'a Object,
    index: usize,
    joined: bool,
    /// The state at the arrival.
    began: u32,
}

/// What a look at the barrier tells.
enum Seen<'a> {
    Passed,
    Last,
    Wait { state: u32, watched: Watched<'a> },
}

impl<'a> Round<'a> {
    fn arrive(object: &'a Object) -> Result<Self, ErrorKind> {
        let lines = &object.lines;
        let state = &lines.cell(MAIN).state;
        if state.load(Ordering::SeqCst) & BROKEN != 0 {
            return Err(broken());
        }
        let mine = lines.latest_of_mine(HEAD)?;
        let index = if let Some(index) = mine {
            index
        } else {
            let index = take_place(object)?;
            lines.cell(index).kind.store(0, Ordering::Relaxed);
            index
        };
        // No round can end between these two without this party.
        let began = state.load(Ordering::SeqCst);
        // SYNC: sequentially consistent, before the looks of all others; a release for what this party has written.
        lines.cell(index).note.store(arrival(began), Ordering::SeqCst);
        Ok(Self { object, index, joined: mine.is_some(), began })
    }

    fn wait(self, timeout: Timeout) -> Result<bool, ErrorKind> {
        let lines = &self.object.lines;
        let mut sleep = Sleep::new(timeout);
        let mut waiting = None;
        loop {
            let (state, watched) = match self.look()? {
                Seen::Passed => return lines.check().map(|()| false),
                Seen::Last => return lines.check().map(|()| true),
                Seen::Wait { state, watched } => (state, watched),
            };
            let slept = sleep.check_try().and_then(|()| sleep.limit()).and_then(|limit| {
                waiting.get_or_insert_with(|| Waiting::announce(lines.words(WAITING)));
                lines.check()?;
                match gate::doze(&lines.cell(MAIN).state, state, watched, limit) {
                    Ok(()) | Err(Errno::EAGAIN) => Ok(()),
                    Err(Errno::ETIMEDOUT) => {
                        sleep.lengthen();
                        for index in HEAD..lines.count() {
                            lines.bury(index);
                        }
                        Ok(())
                    }
                    Err(errno) => Err(errno.into()),
                }
            });
            if let Err(kind) = slept {
                // Unless all have arrived at the last moment.
                return if self.take_back()? { Err(kind) } else { Ok(false) };
            }
        }
    }

    fn look(&self) -> Result<Seen<'a>, ErrorKind> {
        let lines = &self.object.lines;
        let state_word = &lines.cell(MAIN).state;
        loop {
            // SYNC: before the look at the cells, so that an arrival that is taken back meanwhile is noticed.
            let state = state_word.load(Ordering::SeqCst);
            if let Some(result) = self.ended(state) {
                return result.map(|()| Seen::Passed);
            }
            let mut arrived = 0;
            for cell in &lines.cells()[HEAD..] {
                let word = cell.word.load(Ordering::SeqCst);
                if is_dead(word) {
                    break_it(self.object);
                    return Err(broken());
                }
                if word & HOLDER != 0 && cell.note.load(Ordering::SeqCst) == arrival(state) {
                    arrived += 1;
                }
            }
            if arrived >= lines.count() - HEAD {
                let next = later(state, 1);
                let moved =
                    state_word.compare_exchange(state, next, Ordering::SeqCst, Ordering::SeqCst);
                if moved.is_ok() {
                    futex::wake(state_word, i32::MAX);
                    return Ok(Seen::Last);
                }
                continue;
            }
            // All but the own one, which this thread cannot outlive.
            let before = gate::watch(lines, HEAD..self.index, is_dead);
            let after = gate::watch(lines, self.index + 1..lines.count(), is_dead);
            if let (Some(mut watched), Some(after)) = (before, after) {
                watched.extend(after);
                return Ok(Seen::Wait { state, watched });
            }
        }
    }

    /// Has the round ended, and how?
    fn ended(&self, state: u32) -> Option<Result<(), ErrorKind>> {
        if round(state) == later(self.began, 1) {
            return Some(Ok(()));
        }
        if state & BROKEN != 0 || round(state) != round(self.began) {
            return Some(Err(broken()));
        }
        None
    }

    /// Takes the arrival back. False when the round has ended well meanwhile.
    fn take_back(&self) -> Result<bool, ErrorKind> {
        let cell = self.object.lines.cell(self.index);
        cell.note.store(ABSENT, Ordering::SeqCst);
        let state = &self.object.lines.cell(MAIN).state;
        loop {
            let seen = state.load(Ordering::SeqCst);
            if let Some(ended) = self.ended(seen) {
                return ended.map(|()| false);
            }
            // Whoever has counted this arrival already finds that it must count again.
            let next = round(seen) | (seen.wrapping_add(1) & VERSION);
            if state.compare_exchange(seen, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return Ok(true);
            }
        }
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let lines = &self.object.lines;
        lines.cell(self.index).note.store(ABSENT, Ordering::SeqCst);
        if !self.joined {
            let _ = lines.give_back(self.index, 0, i32::MAX);
        }
    }
}

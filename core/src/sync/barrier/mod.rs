// SPDX-License-Identifier: MIT OR Apache-2.0
//! A point that a number of threads pass together, or not at all when one of them has died.

mod options;
mod round;

use std::sync::atomic::Ordering;

pub use options::BarrierOptions;
use round::{ABSENT, BROKEN, Round, arrival, break_it, broken, is_dead, later, take_place};

use super::form::{self, Form};
use super::object::{HEAD, MAIN, Object};
use super::status::{self, Holder};
use crate::error::{Error, ErrorKind, Result};
use crate::map::cell::HOLDER;
use crate::map::lines::LINE;
use crate::sys::futex;
use crate::sys::pthread::Foreign;
use crate::time::Timeout;

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
    Pthread { foreign: Foreign<libc::pthread_barrier_t>, label: Box<str>, parties: u32 },
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of 64 bytes that one thread can hold, and how it is taken and given back.
//!
//! A [`Cell`]'s first word says who holds it, as the kernel's robust list wants it: 0 nobody, the thread's number,
//! [`WAITERS`] when somebody sleeps on the word, [`OWNER_DIED`] when the holder died. Taking a cell and putting it into the
//! thread's robust list are one operation here, so that no instruction lies between them at which a death would go unnoticed.
//!
//! Each operation has a quick form, which does what needs nothing but to be done and otherwise does nothing.
//! It is a few instructions in its caller; the rest is kept out of the way.

use std::sync::atomic::Ordering;

use super::lines::LINE;
use crate::error::ErrorKind;
use crate::sys::atomic::{AtomicU32, AtomicU64};
use crate::sys::identity::{self, Identity, Life};
use crate::sys::robust::{self, Current, Link};
use crate::sys::{apart, futex};

/// `FUTEX_TID_MASK`: the bits of a word that are the holder's number.
pub(crate) const HOLDER: u32 = 0x3fff_ffff;
/// `FUTEX_OWNER_DIED`: the holder died, and nobody has said since that what the cell guards is whole.
pub(crate) const OWNER_DIED: u32 = 0x4000_0000;
/// `FUTEX_WAITERS`: somebody sleeps on the word.
pub(crate) const WAITERS: u32 = 0x8000_0000;

/// A line that one thread can hold. The fields but `word` and the link are for the object that it is part of.
#[derive(Default)]
#[repr(C, align(64))]
pub(crate) struct Cell {
    /// Who holds it.
    pub(crate) word: AtomicU32,
    pub(crate) kind: AtomicU32,
    /// The holder's process and namespaces, as [`Identity`] has them.
    pub(crate) who: AtomicU64,
    /// The holder's start and boot; 0 while it is not known whose these two are.
    pub(crate) since: AtomicU64,
    pub(crate) limit: AtomicU64,
    /// The robust list's.
    link: AtomicU64,
    /// Different in every cell of every object, to know it by at another address.
    pub(crate) mark: AtomicU64,
    /// What only the holder touches.
    pub(crate) count: AtomicU32,
    pub(crate) state: AtomicU32,
    pub(crate) note: AtomicU64,
}

const _: () = assert!(size_of::<Cell>() == LINE);
const _: () = assert!(std::mem::offset_of!(Cell, link) == robust::WORD_BEFORE_LINK);
const _: () = assert!(std::mem::offset_of!(Cell, mark) == robust::WORD_BEFORE_LINK + 8);

impl Cell {
    /// Begins to take it. Until the attempt is dropped, the thread must not begin another.
    #[inline]
    pub(super) fn attempt(&self) -> Result<Attempt<'_>, ErrorKind> {
        Ok(self.attempt_by(current()?))
    }

    #[inline]
    fn attempt_by(&self, thread: Current) -> Attempt<'_> {
        thread.pend(self.link());
        Attempt { cell: self, thread }
    }

    /// The quick form of taking it, where its word is 0. It is taken, and the attempt at more goes on.
    #[inline]
    pub(crate) fn take_at_once(&self, thread: Current) -> Option<Attempt<'_>> {
        let attempt = self.attempt_by(thread);
        attempt.take(0, 0).is_ok().then_some(attempt)
    }

    /// Gives it back: stores `value` in its word, and wakes `wake` sleepers if there are any.
    ///
    /// Errors: `EPERM` when the calling thread does not hold it.
    pub(super) fn give_back(&self, value: u32, wake: i32) -> Result<(), ErrorKind> {
        let thread = current()?;
        thread.pend(self.link());
        if !thread.unlink(self.link()) && !unlink_elsewhere(self, thread) {
            thread.settle();
            return Err(ErrorKind::Os(libc::EPERM));
        }
        // Nobody may take the next holder for this one.
        self.since.store(0, Ordering::Relaxed);
        self.leave(thread, value, wake);
        Ok(())
    }

    /// The quick form of giving it back, where it is known to be what the thread took last. Its word is 0 then, or `after_death`
    /// if the holder before this one died, and nobody has said since that what it guards is whole. In the end `then` is done,
    /// unless `is_quiet` says that it need not be. Gives `done`, so that nothing comes after the call of what is seldom needed:
    /// who makes it need not save anything for afterwards.
    #[inline]
    pub(crate) fn give_back_latest<R: Copy>(
        &self,
        thread: Current,
        wake: i32,
        after_death: u32,
        is_quiet: impl FnOnce() -> bool,
        then: impl FnOnce(),
        done: R,
    ) -> R {
        thread.pend(self.link());
        thread.pop();
        self.since.store(0, Ordering::Relaxed);
        // SYNC: as in `leave`. It fails where the word has a mark as well.
        let left = self
            .word
            .compare_exchange(thread.tid(), 0, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok();
        if left {
            thread.settle();
            if is_quiet() {
                return done;
            }
        }
        apart(
            self,
            (left, wake, after_death),
            then,
            done,
            |cell, (left, wake, after_death), then| {
                cell.give_back_slowly(left, wake, after_death);
                then();
            },
        )
    }

    /// The end of it: where the word has a mark, it has not `left`.
    fn give_back_slowly(&self, left: bool, wake: i32, after_death: u32) {
        let Some(thread) = Current::known().filter(|_| !left) else { return };
        if self.word.load(Ordering::Relaxed) & OWNER_DIED == 0 {
            self.leave(thread, 0, wake);
        } else {
            self.leave(thread, after_death, i32::MAX);
        }
    }

    /// The end of giving it back, when it is out of the list and its record is cleared.
    fn leave(&self, thread: Current, value: u32, wake: i32) {
        // SYNC: a release that pairs with the acquire of whoever takes the cell next; sequentially consistent, for those
        // who look at the gate next (`Semaphore`, `RwLock`).
        let before = self.word.swap(value, Ordering::SeqCst);
        if before & WAITERS != 0 {
            futex::wake(&self.word, wake);
        }
        // Only now: a death before the wake is the kernel's to make good.
        thread.settle();
    }

    /// Does the calling thread hold it?
    pub(super) fn is_mine(&self) -> Result<bool, ErrorKind> {
        let thread = current()?;
        Ok(thread.has(self.link()) || self.is_of(thread))
    }

    /// Marks the word as the kernel would have done, if its holder is dead. True when it was, or is by now.
    pub(super) fn bury(&self) -> bool {
        // SYNC: acquire, so that the record read next is at least as new.
        let word = self.word.load(Ordering::Acquire);
        if word & HOLDER == 0 {
            return word & OWNER_DIED != 0;
        }
        if word & HOLDER == HOLDER || self.life(word) != Life::Dead {
            return false;
        }
        let dead = word & WAITERS | OWNER_DIED;
        // SYNC: acquire and release, in the dead one's place.
        self.word.compare_exchange(word, dead, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    #[inline]
    pub(crate) fn link(&self) -> Link {
        Link::of(&self.link)
    }

    /// Is the word's holder the calling thread? Two threads of different namespaces can have one number.
    pub(super) fn is_of(&self, thread: Current) -> bool {
        let holder = self.word.load(Ordering::Relaxed) & HOLDER;
        holder == thread.tid()
            && self.who.load(Ordering::Relaxed) == thread.who()
            && self.since.load(Ordering::Relaxed) == thread.since()
    }

    /// The holder, as far as it is known.
    pub(crate) fn holder(&self) -> Option<Identity> {
        // SYNC: acquire pairs with the release that ended an earlier hold.
        let word = self.word.load(Ordering::Acquire);
        let (who, since) = (self.who.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed));
        match word & HOLDER {
            0 | HOLDER => None,
            tid => Some(Identity { tid, who: if since == 0 { 0 } else { who }, since }),
        }
    }

    fn life(&self, word: u32) -> Life {
        let since = self.since.load(Ordering::Relaxed);
        let who = self.who.load(Ordering::Relaxed);
        // Read again, so that both belong together: the holder clears the first before another can come.
        if self.since.load(Ordering::Relaxed) != since {
            return Life::Unknown;
        }
        identity::judge(Identity { tid: word & HOLDER, who, since })
    }
}

/// A thread that is about to take a cell.
#[must_use]
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    cell: &'a Cell,
    thread: Current,
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cell({:#x})", self.word.load(Ordering::Relaxed))
    }
}

impl Attempt<'_> {
    #[inline]
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.cell.word
    }

    /// Takes the cell if its word is `expected`, and puts the thread's number with `bits` there. The word as it is if it is not.
    #[inline]
    pub(crate) fn take(&self, expected: u32, bits: u32) -> Result<(), u32> {
        let (cell, thread) = (self.cell, self.thread);
        if expected & OWNER_DIED != 0 {
            // What is written there is the dead one's, and must not be taken for the new holder's.
            cell.since.store(0, Ordering::Relaxed);
        }
        let (tid, top) = (thread.tid(), thread.top());
        // SYNC: pairs with `give_back`; a release, so that a record that was cleared stays so; sequentially consistent, for
        // those who look at another word next (`RwLock`).
        cell.word.compare_exchange(expected, tid | bits, Ordering::SeqCst, Ordering::Relaxed)?;
        // SAFETY: `Lines` keeps its mapping while this process holds one of its cells.
        unsafe { thread.link(cell.link(), top) };
        cell.who.store(thread.who(), Ordering::Relaxed);
        // SYNC: release, so that whoever reads this finds the process that it belongs to.
        cell.since.store(thread.since(), Ordering::Release);
        Ok(())
    }

    /// Leaves what was taken to who finds it by [`Lines::begun`](super::lines::Lines::begun): to give it back here would need
    /// a call, for which the quick way would have to save what it works with.
    #[inline]
    pub(crate) fn leave(self) {
        std::mem::forget(self);
    }
}

impl Drop for Attempt<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.settle();
    }
}

/// The thread's list, or why there is none.
#[inline]
pub(super) fn current() -> Result<Current, ErrorKind> {
    Current::get().map_err(|errno| match errno {
        nix::errno::Errno::ENOSYS => ErrorKind::unsupported(
            "the C library has not registered a robust list for this thread, or not as glibc does",
        ),
        other => other.into(),
    })
}

/// Takes a cell out of the list that the thread took at another address, if it is in it. False when the thread does not hold it.
#[cold]
fn unlink_elsewhere(cell: &Cell, thread: Current) -> bool {
    if !cell.is_of(thread) {
        return false;
    }
    if let Some(link) = thread.find_by_mark(cell.mark.load(Ordering::Relaxed)) {
        thread.pend(link);
        thread.unlink(link);
    }
    true
}

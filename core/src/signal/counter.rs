// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that are counted: the one handler that there is.
//!
//! The handler adds one to an atomic and, when that was 0, makes an eventfd readable. Both are
//! async-signal-safe; what the program does about it, a thread of its own choice does.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nix::errno::Errno;
use nix::poll::PollFlags;
use zerocopy::FromZeros;

use super::action::failed;
use super::number::HIGHEST;
use super::{ActionFlags, Set, Signal, ensure_unhandled};
use crate::error::{ErrorKind, Result};
use crate::fd;
use crate::sys::signal as sys;
use crate::time::Timeout;

/// What the handler knows of one signal. All zeros at first, and again in a child of fork.
#[derive(FromZeros)]
struct Slot {
    /// How often it came and was not taken.
    count: AtomicU64,
    /// Whom to wake: a descriptor plus 1; 0 for nobody.
    eventfd: AtomicI32,
    /// How many handlers may be about to use the descriptor.
    inside: AtomicU32,
}

/// By number; 0 is not used.
type Slots = [Slot; HIGHEST as usize + 1];

/// Memory that fork wipes: a child must not count again what its parent has not taken yet, nor wake its parent.
static SLOTS: OnceLock<&'static Slots> = OnceLock::new();

/// Which signals have a counter.
static TAKEN: Mutex<Set> = Mutex::new(Set::EMPTY);

/// How often the end of a counter lets other threads run while a handler is under way.
const PATIENCE: u32 = 10_000;

/// The only code that runs when a signal comes.
extern "C" fn count(signal: i32) {
    let Some(slot) = slot(signal) else { return };
    // SYNC: pairs with the load in `quiesce`: either that sees this handler, or this handler sees no descriptor.
    slot.inside.fetch_add(1, Ordering::SeqCst);
    // SYNC: release pairs with the swap in `Counter::collect`. Who finds 0 wakes; the count is there before.
    if slot.count.fetch_add(1, Ordering::AcqRel) == 0 {
        // SYNC: pairs with the store in `Counter::release`.
        let eventfd = slot.eventfd.load(Ordering::SeqCst);
        if eventfd > 0 {
            sys::notify(eventfd - 1);
        }
    }
    // SYNC: release pairs with the load in `quiesce`: the descriptor is not used any more.
    slot.inside.fetch_sub(1, Ordering::SeqCst);
}

/// The handler's address, as the kernel keeps it.
pub(super) fn handler() -> usize {
    count as extern "C" fn(i32) as usize
}

/// Reads an atomic and an array, so it is async-signal-safe.
fn slot(signal: i32) -> Option<&'static Slot> {
    SLOTS.get()?.get(usize::try_from(signal).ok()?)
}

/// How often each signal came. Only those that came are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; HIGHEST as usize + 1]);

impl Counts {
    /// How often the signal came.
    pub fn of(&self, signal: Signal) -> u64 {
        self.0.get(usize::try_from(signal.number()).unwrap_or(0)).copied().unwrap_or(0)
    }

    /// The signals that came and how often, lowest number first.
    pub fn iter(&self) -> impl Iterator<Item = (Signal, u64)> + '_ {
        (1..=HIGHEST)
            .map(Signal::known)
            .map(|signal| (signal, self.of(signal)))
            .filter(|it| it.1 > 0)
    }

    /// Did none come?
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The counts by number, from 0, which is no signal, to 64.
    pub fn by_number(&self) -> &[u64; HIGHEST as usize + 1] {
        &self.0
    }
}

/// How a [`Counter`] is made; see [`Counter::options`].
#[derive(Debug, Clone, Copy)]
pub struct CounterOptions {
    flags: ActionFlags,
    mask: Set,
    replace: bool,
}

impl CounterOptions {
    /// Shall system calls that the signal interrupts go on by themselves (`SA_RESTART`)? True by default; false lets
    /// them fail with `EINTR`. Some, such as `poll`, always do.
    pub fn restart(self, on: bool) -> Self {
        self.flag(ActionFlags::RESTART, on)
    }

    /// Count one signal only; the next does what it does by itself (`SA_RESETHAND`): so that a second Ctrl-C ends a
    /// program which does not care for the first. It is also what `signal()` did on old systems.
    pub fn one_shot(self, on: bool) -> Self {
        self.flag(ActionFlags::ONE_SHOT, on)
    }

    /// `SIGCHLD`: count children that end, not those that stop or go on (`SA_NOCLDSTOP`).
    pub fn no_child_stop(self, on: bool) -> Self {
        self.flag(ActionFlags::NO_CHILD_STOP, on)
    }

    /// `SIGCHLD`: children that end leave no zombie (`SA_NOCLDWAIT`).
    pub fn no_child_wait(self, on: bool) -> Self {
        self.flag(ActionFlags::NO_CHILD_WAIT, on)
    }

    /// Do not block the signal while it is counted (`SA_NODEFER`).
    pub fn no_defer(self, on: bool) -> Self {
        self.flag(ActionFlags::NO_DEFER, on)
    }

    /// Which signals wait while one is counted (`sa_mask`), besides itself.
    pub fn mask(mut self, set: Set) -> Self {
        self.mask = set;
        self
    }

    /// Replace a handler that the program or another library has installed. It comes back when the counter goes.
    pub fn replace(mut self, on: bool) -> Self {
        self.replace = on;
        self
    }

    /// Counts these signals from now on, as [`Counter::open`] does.
    ///
    /// Errors: as [`Counter::open`].
    pub fn open(self, set: Set) -> Result<Counter> {
        let eventfd = prepare(set).map_err(|kind| kind.during("open", set))?;
        let before = Mutex::new(Vec::new());
        let counter = Counter { eventfd: Arc::new(eventfd), set, before, flags: self.flags };
        let mut taken = taken();
        if !(*taken & set).is_empty() {
            let busy = ErrorKind::Busy("another counter counts it".into());
            return Err(busy.during("open", *taken & set).with_advice("a signal has one counter"));
        }
        // Whatever fails, what was installed before it is undone when the counter is dropped.
        for signal in set.iter() {
            self.install(&counter, signal)?;
            taken.add(signal);
        }
        drop(taken);
        Ok(counter)
    }

    fn install(self, counter: &Counter, signal: Signal) -> Result<()> {
        if !self.replace {
            ensure_unhandled(signal)?;
        }
        if let Some(slot) = slot(signal.number()) {
            // SYNC: no handler of ours is installed yet, so nobody counts; sigaction orders it.
            slot.count.store(0, Ordering::SeqCst);
            slot.eventfd.store(counter.eventfd.as_raw_fd() + 1, Ordering::SeqCst);
        }
        let flags = (self.flags | ActionFlags::ON_STACK).bits();
        let action = sys::Action { handler: handler(), flags, mask: self.mask.bits() };
        let before = sys::set_action(signal.number(), action)
            .map_err(|errno| failed(errno, "open", signal))?;
        lock(&counter.before).push((signal, before));
        Ok(())
    }

    fn flag(mut self, flag: ActionFlags, on: bool) -> Self {
        let bits = self.flags.bits();
        let bits = if on { bits | flag.bits() } else { bits & !flag.bits() };
        self.flags = ActionFlags::from_bits(bits).unwrap_or(self.flags);
        self
    }
}

/// What a counter needs before it can be installed: the slots, and a descriptor of its own.
fn prepare(set: Set) -> Result<OwnedFd, ErrorKind> {
    if set.is_empty() {
        return Err(ErrorKind::invalid("there is no signal in the set"));
    }
    if SLOTS.get().is_none() {
        let slots = sys::wiped_on_fork()?;
        // Whoever is first: the others' page is never used.
        let _ = SLOTS.set(slots);
    }
    Ok(sys::eventfd()?)
}

/// Counts signals without blocking them, in whatever thread they arrive, and tells a thread that waits for it.
///
/// This is what signal handlers are good for, and all that they are good for: the only code that runs when the
/// signal comes adds one and makes a descriptor readable. It needs no mask, so it works where threads run already
/// that nobody asked to block anything. What it does not tell is the sender and the value: that is what
/// [`super::Stream`] and [`super::wait`] are for.
///
/// Signals of one number that come while one is pending merge, unless they are real-time signals: a count says how
/// often the handler ran. A thread that blocks the signal keeps it pending until it unblocks it.
///
/// The descriptor is readable when something has been counted and not taken. Dropping the counter puts back what was
/// in force before, unless somebody has installed something else since; what comes then acts as it did before.
///
/// Threads: `Sync`; each count is taken once. One signal has one counter at a time in a process. fork: a child
/// counts its own signals; it should call [`Counter::wait`] or [`Counter::take`] before it polls the descriptor, which
/// becomes its own by that. exec: signals that were counted have their default in the new program.
///
/// ```
/// use unipc::signal::{self, Counter, Set, Signal};
/// use unipc::Timeout;
/// let counter = Counter::open(Set::from(Signal::USR2))?;
/// signal::raise(Signal::USR2)?;
/// signal::raise(Signal::USR2)?;
/// assert_eq!(counter.wait(Timeout::Forever)?.of(Signal::USR2), 2);
/// assert!(counter.take()?.is_empty());
/// # Ok::<(), unipc::Error>(())
/// ```
#[derive(Debug)]
pub struct Counter {
    eventfd: Arc<OwnedFd>,
    set: Set,
    before: Mutex<Vec<(Signal, sys::Action)>>,
    flags: ActionFlags,
}

impl Counter {
    /// Counts these signals from now on.
    ///
    /// Errors: `EBUSY` one of them has a handler (see [`CounterOptions::replace`]) or a counter; `EINVAL` the set is
    /// empty, or holds `SIGKILL`, `SIGSTOP` or one of the C library's; `EMFILE`, `ENFILE`.
    pub fn open(set: Set) -> Result<Self> {
        Self::options().open(set)
    }

    /// How to count; what is not said has its default.
    pub fn options() -> CounterOptions {
        CounterOptions { flags: ActionFlags::RESTART, mask: Set::EMPTY, replace: false }
    }

    /// Which signals are counted.
    pub fn set(&self) -> Set {
        self.set
    }

    /// Waits until one of the signals has come, and takes the counts.
    ///
    /// Errors: `EAGAIN` none has come, and `timeout` is [`Timeout::TRY`]; `ETIMEDOUT`; `EINTR` a signal was handled that
    /// is not counted here.
    pub fn wait(&self, timeout: Timeout) -> Result<Counts> {
        self.wait_until(timeout).map_err(|kind| kind.during("wait", self.set))
    }

    fn wait_until(&self, timeout: Timeout) -> Result<Counts, ErrorKind> {
        let deadline = timeout.deadline();
        loop {
            let counts = self.collect()?;
            if !counts.is_empty() {
                return Ok(counts);
            }
            if timeout == Timeout::TRY {
                return Err(ErrorKind::WouldBlock);
            }
            match fd::wait(self.eventfd.as_fd(), PollFlags::POLLIN, deadline) {
                // Perhaps it was the very signal that is waited for.
                Err(Errno::EINTR) => {
                    let counts = self.collect()?;
                    return if counts.is_empty() { Err(Errno::EINTR.into()) } else { Ok(counts) };
                }
                Err(errno) => return Err(errno.into()),
                Ok(events) if events.is_empty() => return Err(timeout.expired()),
                Ok(_) => {}
            }
        }
    }

    /// Takes the counts, without waiting: perhaps of no signal at all.
    ///
    /// Errors: in a child of fork `EMFILE`, `ENFILE`.
    pub fn take(&self) -> Result<Counts> {
        self.collect().map_err(|kind| kind.during("take", self.set))
    }

    fn collect(&self) -> Result<Counts, ErrorKind> {
        self.own_descriptor()?;
        let mut number = [0; 8];
        // Reset first: what is counted after that makes it readable again.
        match nix::unistd::read(&*self.eventfd, &mut number) {
            Ok(_) | Err(Errno::EAGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut counts = Counts([0; HIGHEST as usize + 1]);
        for signal in self.set.iter() {
            let number = signal.number();
            if let (Some(slot), Ok(index)) = (slot(number), usize::try_from(number)) {
                // SYNC: acquire pairs with the release in the handler.
                counts.0[index] = slot.count.swap(0, Ordering::AcqRel);
            }
        }
        Ok(counts)
    }

    /// After fork the descriptor would be the parent's as well, and who reads it would rob the other.
    fn own_descriptor(&self) -> Result<(), ErrorKind> {
        let slots = || self.set.iter().filter_map(|signal| slot(signal.number()));
        // SYNC: only fork clears it, whose child begins with one thread.
        if slots().all(|slot| slot.eventfd.load(Ordering::SeqCst) != 0) {
            return Ok(());
        }
        sys::replace_fd(sys::eventfd()?.as_fd(), self.eventfd.as_fd())?;
        for slot in slots() {
            // SYNC: pairs with the load in the handler. What that has counted before is collected next.
            slot.eventfd.store(self.eventfd.as_raw_fd() + 1, Ordering::SeqCst);
        }
        Ok(())
    }

    fn release(&self) -> bool {
        let mut unused = true;
        let mut taken = taken();
        for (signal, before) in lock(&self.before).drain(..).rev() {
            if self.is_in_force(signal) {
                let _ = sys::set_action(signal.number(), before);
            }
            if let Some(slot) = slot(signal.number()) {
                // SYNC: pairs with the load in the handler.
                slot.eventfd.store(0, Ordering::SeqCst);
                unused &= quiesce(slot);
            }
            taken.remove(signal);
        }
        unused
    }

    /// Is our handler installed, or has it been and removed itself?
    fn is_in_force(&self, signal: Signal) -> bool {
        let Ok(now) = sys::action(signal.number()) else { return false };
        let one_shot = self.flags.contains(ActionFlags::ONE_SHOT) && now.handler == libc::SIG_DFL;
        now.handler == handler() || one_shot
    }
}

/// Waits until no handler is using the slot's descriptor; false if one does not end, since the processor has more
/// urgent threads.
fn quiesce(slot: &Slot) -> bool {
    // SYNC: acquire pairs with the handler's last decrement.
    let mut looks = (0..PATIENCE).map(|_| slot.inside.load(Ordering::SeqCst));
    looks.any(|inside| {
        if inside > 0 {
            std::thread::yield_now();
        }
        inside == 0
    })
}

impl Drop for Counter {
    fn drop(&mut self) {
        if !self.release() {
            // Rather a descriptor too many than one that a late handler writes to when it is another file's.
            std::mem::forget(Arc::clone(&self.eventfd));
        }
    }
}

impl AsFd for Counter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }
}

impl AsRawFd for Counter {
    fn as_raw_fd(&self) -> i32 {
        self.eventfd.as_raw_fd()
    }
}

fn taken() -> MutexGuard<'static, Set> {
    lock(&TAKEN)
}

/// What a panic could have left half-done is nothing: each step is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

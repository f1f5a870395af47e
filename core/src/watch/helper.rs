// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread that sleeps for all who poll.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

use super::rest::Rest;
use super::{Entry, LOOK, SLOWEST};
use crate::sys::{fork, futex};

/// How long it stays when nothing is armed.
const LINGER: Duration = Duration::from_secs(1);
/// The first pause between two looks at what has no word.
const QUICKEST: Duration = Duration::from_millis(1);
/// How long whoever forgets something waits until it is let go.
const PATIENCE: Duration = Duration::from_secs(1);
/// What it needs for itself is little.
const STACK: usize = 128 << 10;

/// The helper of one process.
pub(super) struct Helper {
    process: u32,
    /// Changes with every order.
    control: AtomicU32,
    orders: Mutex<Orders>,
    obeyed: Condvar,
    /// That of a child of fork.
    next: OnceLock<Box<Helper>>,
}

#[derive(Default)]
struct Orders {
    armed: Vec<Arc<Entry>>,
    running: bool,
    /// How often something was to be forgotten, and up to which time that was done.
    forgotten: u64,
    done: u64,
}

/// Something that it sleeps for.
struct Sleeper {
    entry: Arc<Entry>,
    rest: Rest,
}

/// A child of fork finds the locks of its parent as they were, and the thread gone: it has a helper of its own.
pub(super) fn of_this_process() -> &'static Helper {
    static FIRST: OnceLock<Box<Helper>> = OnceLock::new();
    let process = fork::generation();
    let mut place = &FIRST;
    loop {
        let helper = place.get_or_init(|| Box::new(Helper::new(process)));
        if helper.process == process {
            return helper;
        }
        place = &helper.next;
    }
}

impl Helper {
    fn new(process: u32) -> Self {
        Self {
            process,
            control: AtomicU32::new(0),
            orders: Mutex::default(),
            obeyed: Condvar::new(),
            next: OnceLock::new(),
        }
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the thread look at its orders.
    fn nudge(&self) {
        // SYNC: release pairs with the acquire in `run`.
        self.control.fetch_add(1, Ordering::Release);
        futex::wake(&self.control, 1);
    }

    /// Empties the bell, and arms what is not ready.
    pub(super) fn arm(&'static self, entry: &Arc<Entry>) -> nix::Result<()> {
        let mut orders = self.orders();
        if entry.armed.load(Ordering::Relaxed) {
            return Ok(());
        }
        // With the lock: what was rung before is gone, and nothing comes from an earlier time.
        entry.bell.clear();
        if entry.source.is_ready() {
            entry.bell.ring();
            return Ok(());
        }
        self.take(&mut orders, entry)?;
        drop(orders);
        self.nudge();
        Ok(())
    }

    /// Arms them all, whatever the bell says.
    pub(super) fn join(&'static self, entries: &[&Arc<Entry>]) -> nix::Result<()> {
        let mut orders = self.orders();
        for entry in entries {
            if !entry.armed.load(Ordering::Relaxed) {
                self.take(&mut orders, entry)?;
            }
        }
        drop(orders);
        self.nudge();
        Ok(())
    }

    fn take(&'static self, orders: &mut Orders, entry: &Arc<Entry>) -> nix::Result<()> {
        if !orders.running {
            self.start()?;
            orders.running = true;
        }
        // SYNC: relaxed, with the lock.
        entry.armed.store(true, Ordering::Relaxed);
        orders.armed.push(Arc::clone(entry));
        Ok(())
    }

    /// The thread may have it for a while still, but does not ring any more.
    pub(super) fn disarm(&self, entry: &Arc<Entry>) {
        let mut orders = self.orders();
        orders.remove(entry);
        entry.armed.store(false, Ordering::Relaxed);
        self.control.fetch_add(1, Ordering::Release);
    }

    /// Returns when the thread has let it go.
    pub(super) fn forget(&self, entry: &Arc<Entry>) {
        let mut orders = self.orders();
        orders.remove(entry);
        // Nobody takes one up while the lock is held; so if this is the only one, the thread has none.
        if !orders.running || Arc::strong_count(entry) == 1 {
            return;
        }
        orders.forgotten += 1;
        let mine = orders.forgotten;
        self.nudge();
        let still = |orders: &mut Orders| orders.running && orders.done < mine;
        // A thread that hangs shall hang alone.
        let _ = self.obeyed.wait_timeout_while(orders, PATIENCE, still);
    }

    fn start(&'static self) -> nix::Result<()> {
        // The program's signals are for its own threads. A fault of this thread's is its own.
        let mut mask = SigSet::all();
        for fault in [Signal::SIGBUS, Signal::SIGSEGV, Signal::SIGFPE, Signal::SIGILL] {
            mask.remove(fault);
        }
        let mut before = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&mask), Some(&mut before))?;
        let builder = std::thread::Builder::new().name("unipc-watch".into()).stack_size(STACK);
        let started = builder.spawn(|| self.run());
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
        match started {
            Ok(_) => Ok(()),
            Err(error) => Err(Errno::from_raw(error.raw_os_error().unwrap_or(libc::EAGAIN))),
        }
    }

    fn run(&self) {
        let mut night = Night::default();
        let _end = End(self);
        let mut idle = Instant::now();
        loop {
            // Before the orders are read: what comes after that wakes.
            // SYNC: acquire pairs with the release in `nudge`.
            let seen = self.control.load(Ordering::Acquire);
            let new_orders = night.control != Some(seen);
            if new_orders {
                night.control = Some(seen);
                self.obey(&mut night);
            }
            night.check(new_orders, |entry| self.ring(entry));
            if !night.sleepers.is_empty() {
                idle = Instant::now();
            } else if idle.elapsed() >= LINGER && self.retire() {
                return;
            }
            night.sleep(&self.control, seen);
        }
    }

    /// Ends the thread, unless there are orders.
    fn retire(&self) -> bool {
        let mut orders = self.orders();
        orders.running = !orders.armed.is_empty();
        !orders.running
    }

    /// Lets go what is not armed any more, and takes up what is.
    fn obey(&self, night: &mut Night) {
        let orders = self.orders();
        let (armed, forgotten) = (orders.armed.clone(), orders.forgotten);
        drop(orders);
        let is_armed = |entry: &Arc<Entry>| armed.iter().any(|it| Arc::ptr_eq(it, entry));
        night.sleepers.retain_mut(|sleeper| {
            let keep = is_armed(&sleeper.entry);
            if !keep {
                sleeper.rest.get_up();
            }
            keep
        });
        for entry in &armed {
            if !night.sleepers.iter().any(|sleeper| Arc::ptr_eq(&sleeper.entry, entry)) {
                let rest = Rest::new(Arc::clone(&entry.source));
                night.sleepers.push(Sleeper { entry: Arc::clone(entry), rest });
                night.pause = QUICKEST;
            }
        }
        drop(armed);
        let mut orders = self.orders();
        if orders.done != forgotten {
            orders.done = forgotten;
            self.obeyed.notify_all();
        }
    }

    /// Rings, unless nobody wants it any more.
    fn ring(&self, entry: &Arc<Entry>) {
        let mut orders = self.orders();
        if orders.remove(entry) {
            // Before it rings: who finds it readable finds it to be armed anew.
            // SYNC: release pairs with the acquire in `Watch::arm`.
            entry.armed.store(false, Ordering::Release);
            entry.bell.ring();
        }
    }
}

impl Orders {
    /// Was it there?
    fn remove(&mut self, entry: &Arc<Entry>) -> bool {
        let at = self.armed.iter().position(|it| Arc::ptr_eq(it, entry));
        if let Some(at) = at {
            self.armed.swap_remove(at);
        }
        at.is_some()
    }
}

/// Should the thread panic, nobody waits for it.
struct End<'a>(&'a Helper);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut orders = self.0.orders();
            orders.running = false;
            for entry in orders.armed.drain(..) {
                entry.armed.store(false, Ordering::Release);
            }
            self.0.obeyed.notify_all();
        }
    }
}

/// What the thread knows by itself.
struct Night {
    sleepers: Vec<Sleeper>,
    control: Option<u32>,
    pause: Duration,
    looked: Instant,
    /// The kernel cannot wait for several words at once.
    is_old: bool,
}

impl Default for Night {
    fn default() -> Self {
        Self {
            sleepers: Vec::new(),
            control: None,
            pause: QUICKEST,
            looked: Instant::now(),
            is_old: false,
        }
    }
}

impl Night {
    /// Rings for what is ready.
    fn check(&mut self, everything: bool, ring: impl Fn(&Arc<Entry>)) {
        let look = self.looked.elapsed() >= LOOK;
        if look {
            self.looked = Instant::now();
        }
        self.sleepers.retain_mut(|Sleeper { entry, rest }| {
            let stirred = rest.is_stirred();
            if look {
                entry.source.look();
            }
            if (everything || look || stirred) && !rest.goes_on() {
                ring(entry);
                return false;
            }
            true
        });
    }

    /// Sleeps until a word changes, or it is time for a look.
    fn sleep(&mut self, control: &AtomicU32, seen: u32) {
        let mut words = vec![(control, seen)];
        words.extend(self.sleepers.iter().filter_map(|sleeper| sleeper.rest.word()));
        let must_look = words.len() <= self.sleepers.len();
        let too_many = words.len() > futex::WAIT_MAX || self.is_old;
        let limit = match (must_look, too_many) {
            _ if self.sleepers.is_empty() => LINGER,
            (true, _) => self.pause,
            (false, true) => SLOWEST,
            (false, false) => LOOK.saturating_sub(self.looked.elapsed()),
        };
        let slept = if self.is_old || words.len() == 1 {
            futex::wait(control, seen, limit)
        } else {
            futex::wait_any(&words, limit)
        };
        match slept {
            Ok(()) | Err(Errno::EAGAIN) => {}
            Err(Errno::ETIMEDOUT) => self.pause = (2 * self.pause).min(SLOWEST),
            Err(Errno::ENOSYS) => self.is_old = true,
            // A page that is gone: the look will tell, and must not be made all the time.
            Err(_) => drop(futex::wait(control, seen, SLOWEST)),
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! One descriptor for all that an event loop waits for and that has no descriptor itself.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::waitable::{Waitable, What};
use crate::error::{ErrorKind, Result};
use crate::sys::ring::Ring;
use crate::watch::{Bell, LOOK, Rest, Source, Watch};

/// The number of the time for a look at everything.
const TIME: u64 = 0;
/// More than so many are not glanced at.
const FEW: usize = 8;

/// A descriptor that is readable while one of many things is ready that have none themselves: for an event loop, which asks
/// [`LoopBell::rung`] which they are.
///
/// It wakes the loop as fast as an eventfd would: the loop's own thread sleeps on the words in shared memory, by `io_uring` (Linux 6.7 and later).
/// Where that is not there, or not allowed, the thread of [`super`] does, as for a [`Doorbell`](super::Doorbell).
///
/// ```
/// use unipc::poll::{LoopBell, Wait};
/// use unipc::{SharedMemory, sync::Event};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 4096)?;
/// let event = Event::create((&shm, 0))?;
/// let mut bell = LoopBell::new()?; // give it to epoll, to an event loop
/// let number = bell.arm(&event.waitable()?)?.expect("it is not set yet");
/// event.set()?;
/// // When it is readable, that is at once or soon:
/// let told = loop {
///     let told = bell.rung()?;
///     if !told.is_empty() {
///         break told;
///     }
/// };
/// assert_eq!(told, [number]); // which is not waited for any more
/// # Ok(())
/// # }
/// ```
///
/// Threads: one, that of the loop, though the loop may move to another one. fork: it is the parent's.
pub struct LoopBell {
    /// Before the bell that it rings.
    ring: Option<Ring>,
    bell: Arc<Bell>,
    /// What this thread sleeps for.
    own: HashMap<u64, Rest>,
    /// What the helper sleeps for.
    helped: HashMap<u64, Watch>,
    /// What a glance has told: the ring may have it still, or the helper.
    glanced: Vec<Glanced>,
    /// What the ring has told and nobody has looked at.
    told: Vec<(u64, Errno)>,
    /// The ring will tell of the time.
    is_timed: bool,
    last: u64,
}

enum Glanced {
    Own(u64),
    Helped { _let_go_later: Watch },
}

impl LoopBell {
    /// One that waits for nothing yet.
    ///
    /// Errors: `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new() -> Result<Self> {
        let mut made = Self::with_helper()?;
        made.ring = Ring::new(made.bell.as_fd()).ok();
        Ok(made)
    }

    /// One that leaves sleeping to the helper thread, as where there is no `io_uring`. Errors: as [`LoopBell::new`].
    pub fn with_helper() -> Result<Self> {
        let bell = Bell::new().map_err(|errno| ErrorKind::from(errno).during("bell", "loop"))?;
        let (own, helped, glanced) = (HashMap::new(), HashMap::new(), Vec::new());
        Ok(Self {
            ring: None,
            bell,
            own,
            helped,
            glanced,
            told: Vec::new(),
            is_timed: false,
            last: TIME,
        })
    }

    /// Does the loop's own thread sleep on the words, so that no other one is between?
    pub fn is_direct(&self) -> bool {
        self.ring.is_some()
    }

    /// Waits for this, until it was told once: by the number that is returned, which no other one gets. None: it is ready now, and not waited
    /// for.
    ///
    /// Errors: `EINVAL` for what has a descriptor, and in a child of fork; `EBUSY` when no more threads may be started.
    pub fn arm(&mut self, thing: &Waitable<'_>) -> Result<Option<u64>> {
        let armed = match &thing.what {
            What::Source(source) => self.arm_source(source),
            What::Descriptor { .. } => Err(ErrorKind::invalid("it has a descriptor: poll that")),
        };
        armed.map_err(|kind| kind.during("arm", "thing"))
    }

    fn arm_source(&mut self, source: &Arc<dyn Source>) -> Result<Option<u64>, ErrorKind> {
        self.bell.check()?;
        let number = self.last + 1;
        if self.ring.is_some() {
            let mut rest = Rest::new(Arc::clone(source));
            if !rest.goes_on() {
                return Ok(None);
            }
            self.sleep(rest, number)?;
        } else if source.is_ready() {
            return Ok(None);
        } else {
            self.ask_for_help(Arc::clone(source), number)?;
        }
        self.last = number;
        Ok(Some(number))
    }

    /// Sleeps by the ring, if it can.
    fn sleep(&mut self, mut rest: Rest, number: u64) -> Result<(), ErrorKind> {
        if let (Some(ring), Some((word, expected))) = (&mut self.ring, rest.word()) {
            if ring.wait(word, expected, number).is_ok() {
                self.own.insert(number, rest);
                self.set_time();
                return Ok(());
            }
            self.give_up_ring();
        }
        rest.get_up();
        self.ask_for_help(Arc::clone(rest.source()), number)
    }

    fn ask_for_help(&mut self, source: Arc<dyn Source>, number: u64) -> Result<(), ErrorKind> {
        let watch = Watch::new(Arc::clone(&self.bell), source);
        Watch::join(std::iter::once(&watch))?;
        self.helped.insert(number, watch);
        Ok(())
    }

    /// Lets the ring tell when it is time for a look.
    fn set_time(&mut self) {
        if let (Some(ring), false) = (&mut self.ring, self.is_timed || self.own.is_empty()) {
            match ring.pause(LOOK, TIME) {
                Ok(()) => self.is_timed = true,
                Err(_) => self.give_up_ring(),
            }
        }
    }

    /// The loop is in another thread now, or the kernel lacks memory: who slept looks again, and sleeps in another way.
    #[cold]
    fn give_up_ring(&mut self) {
        self.ring = None;
        // What was told is told again, as everything is.
        self.told = self.own.keys().map(|&number| (number, Errno::ECANCELED)).collect();
        self.is_timed = false;
        self.bell.ring();
    }

    /// No longer waits for the thing with this number. One that is not there was told already.
    pub fn disarm(&mut self, number: u64) {
        if self.bell.check().is_err() {
            return;
        }
        self.helped.remove(&number);
        if let Some(mut rest) = self.own.remove(&number) {
            self.rouse(number);
            // If it was woken meanwhile, others shall not miss it.
            rest.is_stirred();
            rest.get_up();
        }
    }

    /// Takes its sleeper out of the ring; what that tells of others is kept.
    fn rouse(&mut self, number: u64) {
        let Some(ring) = &mut self.ring else { return };
        if ring.cancel(number).is_err() || ring.told(&mut self.told).is_err() {
            self.give_up_ring();
        }
    }

    /// To be called just before [`LoopBell::rung`] by who is in a hurry: which are ready, as far as can be told without asking the kernel. None
    /// of them is waited for any more. May be none.
    pub fn glance(&mut self) -> Vec<u64> {
        let mut ready = Vec::new();
        if self.bell.check().is_err() || self.own.len() + self.helped.len() > FEW {
            return ready;
        }
        for (number, _) in self.own.extract_if(|_, rest| rest.is_over()) {
            self.glanced.push(Glanced::Own(number));
            ready.push(number);
        }
        for (number, watch) in self.helped.extract_if(|_, watch| !watch.is_armed()) {
            self.glanced.push(Glanced::Helped { _let_go_later: watch });
            ready.push(number);
        }
        ready
    }

    /// Which are ready: the numbers, none of which is waited for any more. The descriptor is not readable after this, unless something came
    /// meanwhile. May be none.
    ///
    /// Errors: `EINVAL` in a child of fork.
    pub fn rung(&mut self) -> Result<Vec<u64>> {
        self.bell.check().map_err(|kind| kind.during("rung", "loop"))?;
        Ok(self.look())
    }

    fn look(&mut self) -> Vec<u64> {
        self.listen();
        self.forget_glanced();
        let mut ready = Vec::new();
        for (number, result) in std::mem::take(&mut self.told) {
            if number == TIME {
                self.look_at_all(&mut ready);
            } else if let Some(mut rest) = self.own.remove(&number) {
                rest.is_stirred();
                if !rest.goes_on() {
                    ready.push(number);
                } else if self.go_on(rest, number, result).is_err() {
                    // Whoever tries, and arms it anew, is told why that cannot be.
                    ready.push(number);
                }
            }
        }
        self.set_time();
        self.helped.retain(|&number, watch| {
            let waits = watch.is_armed();
            if !waits {
                ready.push(number);
            }
            waits
        });
        ready
    }

    /// What was not woken is waiting still.
    fn forget_glanced(&mut self) {
        for glanced in std::mem::take(&mut self.glanced) {
            if let Glanced::Own(number) = glanced
                && !self.told.iter().any(|&(told, _)| told == number)
            {
                self.rouse(number);
            }
        }
    }

    /// Sleeps for it again, after the ring has told of it.
    fn go_on(&mut self, mut rest: Rest, number: u64, told: Errno) -> Result<(), ErrorKind> {
        // No error, or the word was another one.
        if matches!(told, Errno::UnknownErrno | Errno::EAGAIN) {
            return self.sleep(rest, number);
        }
        // The ring cannot sleep on it.
        rest.get_up();
        self.ask_for_help(Arc::clone(rest.source()), number)
    }

    /// Asks the ring what there is, and makes the bell unreadable.
    fn listen(&mut self) {
        loop {
            let Some(ring) = &mut self.ring else { return self.bell.clear() };
            if ring.told(&mut self.told).is_err() {
                self.give_up_ring();
            } else {
                // After that, since to be told rings as well; then what rings anew is seen, or was.
                self.bell.clear();
                if !ring.has_news() {
                    return;
                }
            }
        }
    }

    /// Somebody may have been killed before he woke anybody.
    fn look_at_all(&mut self, ready: &mut Vec<u64>) {
        self.is_timed = false;
        let mut found = Vec::new();
        for (&number, rest) in &self.own {
            rest.source().look();
            if rest.source().is_ready() {
                found.push(number);
            }
        }
        for number in found {
            self.disarm(number);
            ready.push(number);
        }
    }
}

impl AsFd for LoopBell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Drop for LoopBell {
    fn drop(&mut self) {
        // A child of fork may keep the ring open, which would take wake-ups for nobody.
        let numbers: Vec<u64> = self.own.keys().copied().collect();
        for number in numbers {
            self.disarm(number);
        }
    }
}

impl fmt::Debug for LoopBell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let things = self.own.len() + self.helped.len();
        let mut shown = f.debug_struct("LoopBell");
        shown.field("fd", &self.as_fd()).field("things", &things).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::time::Duration;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;
    use crate::sys::futex;

    const WATCHDOG: Duration = Duration::from_secs(10);

    #[derive(Default)]
    struct Flag {
        word: AtomicU32,
        is_ready: AtomicBool,
    }

    impl Source for Flag {
        fn is_ready(&self) -> bool {
            self.is_ready.load(Ordering::SeqCst)
        }

        fn lie_down(&self) -> Option<(usize, u32)> {
            Some((0, self.word.load(Ordering::SeqCst)))
        }

        fn word(&self, _: usize) -> Option<&AtomicU32> {
            Some(&self.word)
        }
    }

    /// Who polls takes nothing: whoever sleeps for the same is woken as well, though the one wake-up went to the poller.
    #[test]
    fn a_wake_up_is_passed_on() {
        for (with_glance, is_ready) in [(true, true), (false, true), (false, false)] {
            let flag = Arc::new(Flag::default());
            let mut bell = LoopBell::new().unwrap();
            if !(is_ready || bell.is_direct()) {
                // The helper passes it on, and does not ring for nothing.
                continue;
            }
            bell.arm_source(&(Arc::clone(&flag) as Arc<dyn Source>)).unwrap().unwrap();
            let sleeper = Arc::clone(&flag);
            let (tell, told) = std::sync::mpsc::channel();
            let sleeper = std::thread::spawn(move || {
                tell.send(nix::unistd::gettid()).unwrap();
                while sleeper.word.load(Ordering::SeqCst) == 0 {
                    if futex::wait(&sleeper.word, 0, WATCHDOG) == Err(Errno::ETIMEDOUT) {
                        return false;
                    }
                }
                true
            });
            let state = format!("/proc/self/task/{}/status", told.recv().unwrap());
            while !std::fs::read_to_string(&state).unwrap().contains("State:\tS") {
                std::thread::yield_now();
            }
            flag.is_ready.store(is_ready, Ordering::SeqCst);
            flag.word.store(1, Ordering::SeqCst);
            futex::wake(&flag.word, 1);
            let mut polled = [PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut polled, PollTimeout::from(30_000_u16)), Ok(1));
            let glanced = if with_glance { bell.glance() } else { Vec::new() };
            assert_eq!(glanced.len() + bell.rung().unwrap().len(), usize::from(is_ready));
            assert!(sleeper.join().unwrap());
        }
    }
}

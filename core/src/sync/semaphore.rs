// SPDX-License-Identifier: MIT OR Apache-2.0
//! Permits: so many threads at once, each known; or tokens that some make and others take.

use std::sync::atomic::{AtomicUsize, Ordering};

use nix::errno::Errno;

use super::form::{self, Form};
use super::gate::{Gate, watch};
use super::hold::{RETIRED, Sleep, Spin};
use super::mutex::Acquired;
use super::object::{HEAD, Kind, MAIN, Object};
use super::options::{common_setters, constructors};
use super::place::Place;
use super::status::{self, Holder};
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::{HOLDER, LINE, Lines, OWNER_DIED, WAITERS};
use crate::open::{Disposition, Mode};
use crate::sys::pthread::Foreign;
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"semaphor",
    version: 1,
    operation: ["Semaphore::open", "Semaphore::create", "Semaphore::open_or_create"],
};

/// The word of a cell in which there is no permit: nobody's number.
const ABSENT: u32 = RETIRED;

/// How to create or open a [`Semaphore`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct SemaphoreOptions {
    form: Form,
    mode: Mode,
    max: Option<u32>,
}

/// A counting semaphore whose every permit knows its holder.
///
/// It is used in two ways. [`acquire`](Semaphore::acquire) and [`release`](Semaphore::release): a thread holds a permit for
/// a while, and when it dies the permit comes back. [`wait`](Semaphore::wait) and [`post`](Semaphore::post): one makes
/// tokens, another takes them for good.
///
/// ```
/// use unipc::sync::Semaphore;
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 1 << 16)?;
/// let seats = Semaphore::create((&shm, 0), 3)?; // three at once
/// let seat = seats.acquire(Timeout::Forever)?;
/// assert_eq!(seats.value(), 2);
/// drop(seat);
/// seats.post()?; // a fourth
/// assert_eq!(seats.value(), 4);
/// # Ok(())
/// # }
/// ```
///
/// Death: a permit that a dead thread held goes to the next, who is told so. The permits lie in a table of `max` lines of
/// 64 bytes, in which a thread looks for a free one from where it found the last.
///
/// Threads: a thread can hold several. fork: the child holds none. [`Semaphore::post`] may be called in a handler of signals.
///
/// Fairness: sleepers are woken in the order of coming; somebody who comes at that moment may be faster.
#[doc(alias = "sem_t")]
#[derive(Debug)]
pub struct Semaphore(Inner);

#[derive(Debug)]
enum Inner {
    Robust(Robust),
    Pthread { foreign: Foreign<libc::sem_t>, label: String },
}

#[derive(Debug)]
struct Robust {
    object: Object,
    spin: Spin,
    /// Where this handle found a permit the last time, and room for one.
    hint: AtomicUsize,
    room: AtomicUsize,
}

constructors!(Semaphore, SemaphoreOptions, value: u32, 0);

impl SemaphoreOptions {
    /// The defaults: robust, mode 0600, as many permits at most as there are at first, but at least 64.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    /// How many permits there can be, 1 to 65536. With 1 it is a binary semaphore, whose second post is `EOVERFLOW`. Robust
    /// form alone; a `sem_t` counts to `SEM_VALUE_MAX`.
    #[must_use]
    pub fn max(mut self, max: u32) -> Self {
        self.max = Some(max);
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        value: u32,
    ) -> Result<Semaphore> {
        let operation = KIND.operation[disposition as usize];
        let refused = |why: &'static str| ErrorKind::invalid(why).during(operation, value);
        if self.form == Form::Pthread {
            if self.max.is_some() {
                return Err(refused("the pthread form has a maximum of its own"));
            }
            let make = |foreign: &Foreign<libc::sem_t>| foreign.init(value);
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Semaphore(Inner::Pthread { foreign, label }));
        }
        let max = self.max.unwrap_or(value.max(64));
        if !(1..=Semaphore::MAX).contains(&max) {
            return Err(refused("there can be 1 to 65536 permits"));
        }
        if value > max {
            return Err(refused("there cannot be more permits than the maximum"));
        }
        let object =
            KIND.establish(place, disposition, self.mode, HEAD + max as usize, |lines| {
                lines.cell(MAIN).limit.store(max.into(), Ordering::Relaxed);
                for cell in &lines.cells()[HEAD + value as usize..] {
                    cell.word.store(ABSENT, Ordering::Relaxed);
                }
            })?;
        let permits = (object.lines.count() - HEAD) as u64;
        if permits == 0 || object.lines.cell(MAIN).limit.load(Ordering::Relaxed) != permits {
            let why = ErrorKind::Layout("the table of permits has another size".into());
            return Err(object.failed(operation, why));
        }
        let (hint, room) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Ok(Semaphore(Inner::Robust(Robust { object, spin: Spin::default(), hint, room })))
    }
}

impl Semaphore {
    /// The largest maximum of permits.
    pub const MAX: u32 = 1 << 16;

    /// How many bytes a semaphore with a maximum of `max` permits takes in the robust form.
    pub const fn size(max: u32) -> usize {
        (HEAD + max as usize) * LINE
    }

    /// Takes a permit, which the guard gives back.
    ///
    /// Errors: as [`Semaphore::acquire_raw`].
    pub fn acquire(&self, timeout: Timeout) -> Result<Permit<'_>> {
        let acquired = self.acquire_raw(timeout)?;
        Ok(Permit { semaphore: self, acquired, not_send: std::marker::PhantomData })
    }

    /// Takes a permit, which this thread holds until [`Semaphore::release`]. [`Acquired::OwnerDied`]: it is that of a dead thread.
    ///
    /// In the pthread form it is the same as [`Semaphore::wait`].
    ///
    /// Errors: `EAGAIN` when it was a try; `ETIMEDOUT`; `EINTR`; `EFAULT` when the file lost its pages.
    pub fn acquire_raw(&self, timeout: Timeout) -> Result<Acquired> {
        match &self.0 {
            Inner::Robust(robust) => robust.get(timeout, hold),
            Inner::Pthread { foreign, .. } => {
                wait_foreign(foreign, timeout).map(|()| Acquired::Clean)
            }
        }
        .map_err(|kind| self.failed("acquire", kind))
    }

    /// Takes a permit if that needs nothing but to be done. For the faces, before they prepare for more.
    #[doc(hidden)]
    #[inline]
    pub fn acquire_at_once(&self) -> Option<Acquired> {
        match &self.0 {
            Inner::Robust(robust) => robust.search(hold).ok().flatten(),
            Inner::Pthread { .. } => None,
        }
    }

    /// As [`Semaphore::acquire_at_once`].
    #[doc(hidden)]
    #[inline]
    pub fn release_at_once(&self) -> bool {
        match &self.0 {
            Inner::Robust(robust) => robust.release().is_ok(),
            Inner::Pthread { .. } => false,
        }
    }

    /// Gives back the permit that this thread took last. In the pthread form it is the same as [`Semaphore::post`].
    ///
    /// Errors: `EPERM` when this thread holds none.
    pub fn release(&self) -> Result<()> {
        match &self.0 {
            Inner::Robust(robust) => robust.release(),
            Inner::Pthread { foreign, .. } => foreign.post().map_err(ErrorKind::from),
        }
        .map_err(|kind| self.failed("release", kind))
    }

    /// Takes a permit for good: it comes back neither by death nor by [`Semaphore::release`], only by a [`Semaphore::post`].
    ///
    /// Errors: as [`Semaphore::acquire_raw`].
    #[doc(alias = "sem_wait")]
    #[doc(alias = "sem_timedwait")]
    #[doc(alias = "sem_trywait")]
    pub fn wait(&self, timeout: Timeout) -> Result<()> {
        match &self.0 {
            Inner::Robust(robust) => robust.get(timeout, remove).map(drop),
            Inner::Pthread { foreign, .. } => wait_foreign(foreign, timeout),
        }
        .map_err(|kind| self.failed("wait", kind))
    }

    /// Adds a permit. Async-signal-safe while it succeeds.
    ///
    /// Errors: `EOVERFLOW` when there are as many as there can be.
    #[doc(alias = "sem_post")]
    pub fn post(&self) -> Result<()> {
        match &self.0 {
            Inner::Robust(robust) => robust.post(),
            Inner::Pthread { foreign, .. } => foreign.post().map_err(ErrorKind::from),
        }
        .map_err(|kind| self.failed("post", kind))
    }

    /// How many permits are free at this moment.
    #[doc(alias = "sem_getvalue")]
    pub fn value(&self) -> u32 {
        match &self.0 {
            Inner::Robust(robust) => {
                let cells = &robust.object.lines.cells()[HEAD..];
                let free = cells.iter().filter(|cell| is_free(cell.word.load(Ordering::Relaxed)));
                u32::try_from(free.count()).unwrap_or(u32::MAX)
            }
            Inner::Pthread { foreign, .. } => foreign.value().unwrap_or(0),
        }
    }

    /// How many permits there can be.
    pub fn max(&self) -> u32 {
        match &self.0 {
            Inner::Robust(robust) => u32::try_from(robust.permits()).unwrap_or(u32::MAX),
            Inner::Pthread { .. } => libc::c_int::MAX.cast_unsigned(),
        }
    }

    /// Who holds permits; nobody is known in the pthread form.
    pub fn holders(&self) -> Vec<Holder> {
        match &self.0 {
            Inner::Robust(robust) => {
                robust.object.lines.cells()[HEAD..].iter().filter_map(status::holder).collect()
            }
            Inner::Pthread { .. } => Vec::new(),
        }
    }

    /// The numbers of threads that sleep, as far as there was room; none in the pthread form.
    pub fn waiters(&self) -> Vec<u32> {
        match &self.0 {
            Inner::Robust(robust) => status::waiters(&robust.object.lines),
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
            Inner::Robust(robust) => &robust.object.label,
            Inner::Pthread { label, .. } => label,
        }
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        match &self.0 {
            Inner::Robust(robust) => robust.object.failed(operation, kind),
            Inner::Pthread { label, .. } => kind.during(operation, label),
        }
    }
}

/// Can the permit in a cell with this word be taken?
#[inline]
fn is_free(word: u32) -> bool {
    word & HOLDER == 0
}

/// Takes the permit in a cell for the calling thread.
#[inline]
fn hold(lines: &Lines, index: usize, word: u32) -> Result<bool, ErrorKind> {
    Ok(lines.attempt(index)?.take(word, word & WAITERS).is_ok())
}

/// Takes the permit in a cell out of it.
#[allow(clippy::unnecessary_wraps, reason = "it stands where `hold` does")]
fn remove(lines: &Lines, index: usize, word: u32) -> Result<bool, ErrorKind> {
    let word_of = &lines.cell(index).word;
    // SYNC: acquire pairs with the release of whoever posted.
    Ok(word_of.compare_exchange(word, ABSENT, Ordering::AcqRel, Ordering::Relaxed).is_ok())
}

/// Tries to take the permit of a cell whose word is this.
type Taking = fn(&Lines, usize, u32) -> Result<bool, ErrorKind>;

impl Robust {
    #[inline]
    fn permits(&self) -> usize {
        self.object.lines.count() - HEAD
    }

    fn get(&self, timeout: Timeout, taking: Taking) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        if let Some(acquired) = self.search(taking)? {
            lines.check()?;
            return Ok(acquired);
        }
        if timeout == Timeout::TRY {
            return Err(ErrorKind::WouldBlock);
        }
        let mut sleep = Sleep::new(timeout);
        sleep.start();
        let found = self.spin.until(|| self.search(taking).transpose());
        let acquired = match found {
            Some(found) => found?,
            None => self.get_slowly(&mut sleep, taking)?,
        };
        lines.check()?;
        Ok(acquired)
    }

    /// Takes the first free permit, from where the last one was found.
    #[inline]
    fn search(&self, taking: Taking) -> Result<Option<Acquired>, ErrorKind> {
        let lines = &self.object.lines;
        let permits = self.permits();
        // SYNC: a guess alone; it orders nothing.
        let first = self.hint.load(Ordering::Relaxed) % permits;
        for step in 0..permits {
            let at = if first + step < permits { first + step } else { first + step - permits };
            let word = lines.cell(HEAD + at).word.load(Ordering::SeqCst);
            if is_free(word) && taking(lines, HEAD + at, word)? {
                if step > 0 {
                    self.hint.store(at, Ordering::Relaxed);
                }
                let died = word & OWNER_DIED != 0;
                return Ok(Some(if died { Acquired::OwnerDied } else { Acquired::Clean }));
            }
        }
        Ok(None)
    }

    #[cold]
    fn get_slowly(&self, sleep: &mut Sleep, taking: Taking) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        let gate = Gate::of(lines);
        let mut waiting = None;
        loop {
            let prepared = gate.prepare();
            if let Some(acquired) = self.search(taking)? {
                return Ok(acquired);
            }
            // The death of a holder wakes one who watches its cell.
            let Some(watched) = watch(lines, HEAD..lines.count(), is_free) else { continue };
            let before = sleep.slice();
            gate.sleep(prepared, watched, &mut waiting, sleep)?;
            if sleep.slice() != before {
                for index in HEAD..lines.count() {
                    lines.bury(index);
                }
            }
        }
    }

    #[inline]
    fn release(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let index = lines.latest_of_mine(HEAD)?.ok_or(ErrorKind::Os(libc::EPERM))?;
        lines.give_back(index, 0, 1)?;
        // SYNC: the swap in `give_back` comes before the look at the gate on every processor that has atomic exchanges in one order.
        std::sync::atomic::fence(Ordering::SeqCst);
        Gate::of(lines).open(false);
        Ok(())
    }

    fn post(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let permits = self.permits();
        let first = self.room.load(Ordering::Relaxed) % permits;
        for step in 0..permits {
            let at = if first + step < permits { first + step } else { first + step - permits };
            let word = &lines.cell(HEAD + at).word;
            // SYNC: a release for what was written before; sequentially consistent, before the look at the gate.
            if word.load(Ordering::Relaxed) == ABSENT
                && word.compare_exchange(ABSENT, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                self.room.store(at + 1, Ordering::Relaxed);
                Gate::of(lines).open(false);
                return lines.check();
            }
        }
        Err(ErrorKind::Os(libc::EOVERFLOW))
    }
}

fn wait_foreign(foreign: &Foreign<libc::sem_t>, timeout: Timeout) -> Result<(), ErrorKind> {
    let waited = match timeout {
        Timeout::TRY => foreign.try_wait(),
        _ => foreign.wait(timeout.deadline()),
    };
    waited.map_err(|errno| match errno {
        Errno::EINTR => ErrorKind::Os(libc::EINTR),
        other => form::kind_of(other),
    })?;
    foreign.check()
}

/// A permit that is held until it is dropped, in the thread that took it.
#[must_use = "it is given back when it is dropped"]
#[derive(Debug)]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    acquired: Acquired,
    not_send: std::marker::PhantomData<*const ()>,
}

impl Permit<'_> {
    /// Did a thread die that held this permit before?
    pub fn owner_died(&self) -> bool {
        self.acquired == Acquired::OwnerDied
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let _ = self.semaphore.release();
    }
}

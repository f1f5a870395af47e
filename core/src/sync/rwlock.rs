// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many readers or one writer, whoever of them dies.

use std::marker::PhantomData;
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::form::{self, Form};
use super::gate::{Gate, watch};
use super::hold::{self, Entered, RETIRED, Sleep, Spin, Waiting};
use super::mutex::Acquired;
use super::object::{HEAD, Kind, MAIN, Object, WAITING};
use super::options::{common_setters, constructors};
use super::place::Place;
use super::status::{self, Holder};
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::{HOLDER, LINE, Lines, OWNER_DIED, WAITERS};
use crate::open::{Disposition, Mode};
use crate::sys::futex;
use crate::sys::pthread::Foreign;
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"rwlock\0\0",
    version: 1,
    operation: ["RwLock::open", "RwLock::create", "RwLock::open_or_create"],
};

const READERS: u32 = 60;

/// How to create or open an [`RwLock`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct RwLockOptions {
    form: Form,
    mode: Mode,
    readers: Option<u32>,
}

/// A lock that any number of readers hold together, or one writer alone.
///
/// Each reader writes into a line of its own, so that readers on several processors do not disturb each other.
///
/// ```
/// use unipc::sync::RwLock;
/// use unipc::{SharedMemory, Timeout};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 1 << 16)?;
/// let lock = RwLock::create((&shm, 0))?;
/// {
///     let _one = lock.read(Timeout::Forever)?;
///     let _two = lock.read(Timeout::Forever)?;
/// }
/// let _alone = lock.write(Timeout::Forever)?;
/// # Ok(())
/// # }
/// ```
///
/// Preference: writers. A writer that has come keeps new readers out, and waits for those that are in. So a thread that reads
/// must not ask to read again, as POSIX warns. (The pthread form prefers readers, as glibc does.)
///
/// Death: a reader that dies has left. When a writer dies, all who come next are told that it did, readers too, until a writer
/// says [`recovered`](RwLock::recovered); a writer that unlocks without that retires the lock (`ENOTRECOVERABLE`).
///
/// More readers at once than the lock has lines (60, see [`RwLockOptions::readers`]) wait for each other.
#[doc(alias = "pthread_rwlock_t")]
#[derive(Debug)]
pub struct RwLock(Inner);

#[derive(Debug)]
enum Inner {
    Robust(Robust),
    Pthread { foreign: Foreign<libc::pthread_rwlock_t>, label: String },
}

#[derive(Debug)]
struct Robust {
    object: Object,
    spin: Spin,
}

/// What is to be seen of an [`RwLock`] from outside.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RwLockStatus {
    /// Who writes, or waits for readers to leave so as to write.
    pub writer: Option<Holder>,
    /// Who reads.
    pub readers: Vec<Holder>,
    /// The last writer died, and nobody has said since that the data are whole.
    pub owner_died: bool,
    /// It can be locked no more.
    pub retired: bool,
    /// The numbers of threads that sleep, as far as there was room.
    pub waiters: Vec<u32>,
}

constructors!(RwLock, RwLockOptions);

impl RwLockOptions {
    /// The defaults: robust, mode 0600, room for 60 readers.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    /// How many can read at once, 1 to 65536. Robust form alone.
    #[must_use]
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = Some(readers);
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
    ) -> Result<RwLock> {
        let operation = KIND.operation[disposition as usize];
        if self.form == Form::Pthread {
            let make = |foreign: &Foreign<libc::pthread_rwlock_t>| foreign.init();
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(RwLock(Inner::Pthread { foreign, label }));
        }
        let readers = self.readers.unwrap_or(READERS);
        if !(1..=1 << 16).contains(&readers) {
            return Err(
                ErrorKind::invalid("there can be 1 to 65536 readers").during(operation, readers)
            );
        }
        let count = HEAD + readers as usize;
        let object = KIND.establish(place, disposition, self.mode, count, |lines| {
            lines.cell(MAIN).limit.store(readers.into(), Ordering::Relaxed);
        })?;
        let there = (object.lines.count() - HEAD) as u64;
        if there == 0 || object.lines.cell(MAIN).limit.load(Ordering::Relaxed) != there {
            let why = ErrorKind::Layout("the table of readers has another size".into());
            return Err(object.failed(operation, why));
        }
        Ok(RwLock(Inner::Robust(Robust { object, spin: Spin::default() })))
    }
}

impl RwLock {
    /// How many bytes a lock for 60 readers takes in the robust form.
    pub const SIZE: usize = Self::size(READERS);

    /// How many bytes a lock for so many readers takes in the robust form.
    pub const fn size(readers: u32) -> usize {
        (HEAD + readers as usize) * LINE
    }

    /// Locks for reading, until the guard is dropped. Errors: as [`RwLock::read_raw`].
    #[doc(alias = "pthread_rwlock_rdlock")]
    pub fn read(&self, timeout: Timeout) -> Result<RwLockGuard<'_>> {
        let acquired = self.read_raw(timeout)?;
        Ok(RwLockGuard::new(self, acquired, false))
    }

    /// Locks for writing, until the guard is dropped. Errors: as [`RwLock::write_raw`].
    #[doc(alias = "pthread_rwlock_wrlock")]
    pub fn write(&self, timeout: Timeout) -> Result<RwLockGuard<'_>> {
        let acquired = self.write_raw(timeout)?;
        Ok(RwLockGuard::new(self, acquired, true))
    }

    /// Locks for reading; [`RwLock::unlock`] ends it.
    ///
    /// Errors: `EAGAIN` when it was a try; `ETIMEDOUT`; `EINTR` (not in the pthread form); `EDEADLK` when this thread writes;
    /// `ENOTRECOVERABLE` when it is retired; `EFAULT` when the file lost its pages.
    pub fn read_raw(&self, timeout: Timeout) -> Result<Acquired> {
        let locked = match &self.0 {
            Inner::Robust(robust) => robust.read(timeout),
            Inner::Pthread { foreign, .. } => lock_foreign(foreign, false, timeout),
        };
        match locked {
            Ok(acquired) => Ok(acquired),
            Err(kind) => Err(self.failed("read", kind)),
        }
    }

    /// Locks for writing; [`RwLock::unlock`] ends it.
    ///
    /// Errors: as [`RwLock::read_raw`]; `EDEADLK` also when this thread reads.
    pub fn write_raw(&self, timeout: Timeout) -> Result<Acquired> {
        let locked = match &self.0 {
            Inner::Robust(robust) => robust.write(timeout),
            Inner::Pthread { foreign, .. } => lock_foreign(foreign, true, timeout),
        };
        match locked {
            Ok(acquired) => Ok(acquired),
            Err(kind) => Err(self.failed("write", kind)),
        }
    }

    /// Locks for reading if that needs nothing but to be done. For the faces, before they prepare for more.
    #[doc(hidden)]
    #[inline]
    pub fn read_at_once(&self) -> Option<Acquired> {
        match &self.0 {
            Inner::Robust(robust) => robust.try_read().ok().flatten(),
            Inner::Pthread { .. } => None,
        }
    }

    /// As [`RwLock::read_at_once`].
    #[doc(hidden)]
    #[inline]
    pub fn unlock_at_once(&self) -> bool {
        match &self.0 {
            Inner::Robust(robust) => robust.unlock().is_ok(),
            Inner::Pthread { .. } => false,
        }
    }

    /// Ends what the calling thread has: its writing, or its latest reading.
    ///
    /// Errors: `EPERM` when it has neither (not noticed in the pthread form).
    #[doc(alias = "pthread_rwlock_unlock")]
    pub fn unlock(&self) -> Result<()> {
        let unlocked = match &self.0 {
            Inner::Robust(robust) => robust.unlock(),
            Inner::Pthread { foreign, .. } => foreign.unlock().map_err(ErrorKind::from),
        };
        match unlocked {
            Ok(()) => Ok(()),
            Err(kind) => Err(self.failed("unlock", kind)),
        }
    }

    /// Says, as the writer, that the data are whole again after a writer died.
    ///
    /// Errors: `EPERM` when the calling thread does not write; `EINVAL` when nobody died; `EOPNOTSUPP` in the pthread form.
    pub fn recovered(&self) -> Result<()> {
        let said = match &self.0 {
            Inner::Robust(robust) => robust.recovered(),
            Inner::Pthread { .. } => Err(not_robust()),
        };
        said.map_err(|kind| self.failed("recovered", kind))
    }

    /// Ends the writing and leaves the data to the next as if this thread had died.
    ///
    /// Errors: `EPERM` when the calling thread does not write; `EOPNOTSUPP` in the pthread form.
    pub fn abandon(&self) -> Result<()> {
        let said = match &self.0 {
            Inner::Robust(robust) => robust.object.lines.give_back(MAIN, OWNER_DIED, i32::MAX),
            Inner::Pthread { .. } => Err(not_robust()),
        };
        said.map_err(|kind| self.failed("abandon", kind))
    }

    /// Who has it and who waits, a moment ago. In the pthread form nothing is known.
    pub fn status(&self) -> RwLockStatus {
        let Inner::Robust(Robust { object, .. }) = &self.0 else {
            return RwLockStatus {
                writer: None,
                readers: Vec::new(),
                owner_died: false,
                retired: false,
                waiters: Vec::new(),
            };
        };
        let cells = object.lines.cells();
        let word = cells[MAIN].word.load(Ordering::Relaxed);
        RwLockStatus {
            writer: status::holder(&cells[MAIN]),
            readers: cells[HEAD..].iter().filter_map(status::holder).collect(),
            owner_died: word & OWNER_DIED != 0,
            retired: hold::is_retired(word),
            waiters: status::waiters(&object.lines),
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

fn not_robust() -> ErrorKind {
    ErrorKind::unsupported("the pthread form does not notice deaths")
}

impl Robust {
    fn read(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        if let Some(acquired) = self.try_read()? {
            self.object.lines.check()?;
            return Ok(acquired);
        }
        self.read_slowly(timeout)
    }

    #[cold]
    fn read_slowly(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        if lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EDEADLK));
        }
        let mut sleep = Sleep::new(timeout);
        sleep.check_try()?;
        sleep.start();
        let mut found = self.spin.until(|| self.try_read().transpose()).transpose()?;
        let mut waiting = None;
        let acquired = loop {
            if let Some(acquired) = found {
                break acquired;
            }
            self.await_room(&mut sleep, &mut waiting)?;
            found = self.try_read()?;
        };
        lines.check()?;
        Ok(acquired)
    }

    /// Reads, if nobody writes or wants to, and there is a line free.
    #[inline]
    fn try_read(&self) -> Result<Option<Acquired>, ErrorKind> {
        let lines = &self.object.lines;
        let writer = &lines.cell(MAIN).word;
        match writer.load(Ordering::Relaxed) & HOLDER {
            0 => {}
            RETIRED => return Err(ErrorKind::NotRecoverable),
            _ => return Ok(None),
        }
        let Some(index) = self.take_line()? else { return Ok(None) };
        // SYNC: the line was taken (and before that, counted as used) before this look, and a writer takes its word before it looks
        // at the number of lines and at them: one of the two sees the other. All are sequentially consistent.
        let seen = writer.load(Ordering::SeqCst);
        if seen & HOLDER != 0 {
            lines.give_back(index, 0, i32::MAX)?;
            return Ok(None);
        }
        if seen & WAITERS != 0 {
            // Woken by the kernel at a writer's death, one of several: the others come in as well.
            let cleared =
                writer.compare_exchange(seen, seen & !WAITERS, Ordering::SeqCst, Ordering::Relaxed);
            if cleared.is_ok() {
                futex::wake(writer, i32::MAX);
            }
        }
        let died = seen & OWNER_DIED != 0;
        Ok(Some(if died { Acquired::OwnerDied } else { Acquired::Clean }))
    }

    /// A line for the calling thread, mostly the same each time.
    #[inline]
    fn take_line(&self) -> Result<Option<usize>, ErrorKind> {
        let lines = &self.object.lines;
        let used = self.used();
        let first = Lines::number()? as usize % used.max(1);
        for at in (first..used).chain(0..first).chain(used..lines.count() - HEAD) {
            let word = lines.cell(HEAD + at).word.load(Ordering::Relaxed);
            if word & HOLDER != 0 {
                continue;
            }
            if at >= used {
                // SYNC: before the line is taken; see `try_read`.
                let more = u32::try_from(at + 1).unwrap_or(u32::MAX);
                lines.cell(MAIN).count.fetch_max(more, Ordering::SeqCst);
            }
            // A reader that has died has left nothing that matters.
            if lines.attempt(HEAD + at)?.take(word, word & WAITERS).is_ok() {
                return Ok(Some(HEAD + at));
            }
        }
        Ok(None)
    }

    /// How many lines have ever been in use: as many as there were readers at once.
    #[inline]
    fn used(&self) -> usize {
        let lines = &self.object.lines;
        // SYNC: see `try_read`.
        let used = lines.cell(MAIN).count.load(Ordering::SeqCst);
        (used as usize).min(lines.count() - HEAD)
    }

    /// Sleeps while somebody writes, or while all lines are taken.
    fn await_room<'a>(
        &'a self,
        sleep: &mut Sleep,
        waiting: &mut Option<Waiting<'a>>,
    ) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let writer = &lines.cell(MAIN).word;
        let seen = writer.load(Ordering::SeqCst);
        if seen & HOLDER != 0 && !hold::is_retired(seen) {
            return self.await_end_of(MAIN, seen, sleep, waiting);
        }
        let gate = Gate::of(lines);
        let prepared = gate.prepare();
        let is_free = |word| word & HOLDER == 0;
        let Some(watched) = watch(lines, HEAD..lines.count(), is_free) else { return Ok(()) };
        let before = sleep.slice();
        gate.sleep(prepared, watched, waiting, sleep)?;
        if sleep.slice() != before {
            for index in HEAD..lines.count() {
                lines.bury(index);
            }
        }
        Ok(())
    }

    /// Sleeps until the holder of a cell whose word is `seen` leaves, or it is time for another look.
    fn await_end_of<'a>(
        &'a self,
        index: usize,
        seen: u32,
        sleep: &mut Sleep,
        waiting: &mut Option<Waiting<'a>>,
    ) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let word = &lines.cell(index).word;
        let marked = seen | WAITERS;
        let exchanged = word.compare_exchange(seen, marked, Ordering::SeqCst, Ordering::Relaxed);
        if seen != marked && exchanged.is_err() {
            return Ok(());
        }
        let limit = sleep.limit()?;
        if waiting.is_none() {
            *waiting = Some(Waiting::announce(lines.words(WAITING)));
        }
        lines.check()?;
        match futex::wait(word, marked, limit) {
            Ok(()) | Err(Errno::EAGAIN) => Ok(()),
            Err(Errno::ETIMEDOUT) => {
                sleep.lengthen();
                lines.bury(index);
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    fn write(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        let lines = &self.object.lines;
        if lines.latest_of_mine_in_list(HEAD)?.is_some() || lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EDEADLK));
        }
        let mut sleep = Sleep::new(timeout);
        let entered = hold::take(lines, MAIN, &mut sleep, Some(WAITING), &self.spin)?;
        let drained = self.drain(&mut sleep).and_then(|()| lines.check());
        if let Err(kind) = drained {
            let left = if entered == Entered::OwnerDied { OWNER_DIED } else { 0 };
            lines.give_back(MAIN, left, i32::MAX)?;
            return Err(kind);
        }
        Ok(entered.into())
    }

    /// Waits until all readers have left; new ones stay out meanwhile.
    fn drain(&self, sleep: &mut Sleep) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let mut waiting = None;
        for index in HEAD..HEAD + self.used() {
            let word = &lines.cell(index).word;
            // SYNC: see `try_read`.
            let is_left = || word.load(Ordering::SeqCst) & HOLDER == 0;
            if is_left() {
                continue;
            }
            sleep.check_try()?;
            sleep.start();
            if self.spin.until(|| is_left().then_some(())).is_some() {
                continue;
            }
            loop {
                let seen = word.load(Ordering::SeqCst);
                if matches!(seen & HOLDER, 0 | RETIRED) {
                    break;
                }
                self.await_end_of(index, seen, sleep, &mut waiting)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn unlock(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        if let Some(index) = lines.latest_of_mine_in_list(HEAD)? {
            return self.leave(index);
        }
        if lines.is_mine(MAIN)? {
            let died = lines.cell(MAIN).word.load(Ordering::Relaxed) & OWNER_DIED != 0;
            return lines.give_back(MAIN, if died { RETIRED } else { 0 }, i32::MAX);
        }
        let index = lines.latest_of_mine(HEAD)?.ok_or(ErrorKind::Os(libc::EPERM))?;
        self.leave(index)
    }

    #[inline]
    fn leave(&self, index: usize) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        lines.give_back(index, 0, i32::MAX)?;
        // SYNC: as in `Semaphore::release`.
        std::sync::atomic::fence(Ordering::SeqCst);
        Gate::of(lines).open(true);
        Ok(())
    }

    fn recovered(&self) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        if !lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EPERM));
        }
        let before = lines.cell(MAIN).word.fetch_and(!OWNER_DIED, Ordering::Relaxed);
        if before & OWNER_DIED == 0 {
            return Err(ErrorKind::invalid("no writer has died"));
        }
        Ok(())
    }
}

fn lock_foreign(
    foreign: &Foreign<libc::pthread_rwlock_t>,
    exclusive: bool,
    timeout: Timeout,
) -> Result<Acquired, ErrorKind> {
    let locked = match timeout {
        Timeout::TRY => foreign.try_lock(exclusive),
        _ => foreign.lock(exclusive, timeout.deadline()),
    };
    foreign.check()?;
    locked.map(|()| Acquired::Clean).map_err(form::kind_of)
}

/// Holds an [`RwLock`] until it is dropped, in the thread that locked.
#[must_use = "it unlocks when it is dropped"]
#[derive(Debug)]
pub struct RwLockGuard<'a> {
    lock: &'a RwLock,
    owner_died: bool,
    writes: bool,
    panicking: bool,
    not_send: PhantomData<*const ()>,
}

impl<'a> RwLockGuard<'a> {
    fn new(lock: &'a RwLock, acquired: Acquired, writes: bool) -> Self {
        let panicking = std::thread::panicking();
        let owner_died = acquired == Acquired::OwnerDied;
        Self { lock, owner_died, writes, panicking, not_send: PhantomData }
    }

    /// Did the last writer die, so that the data may be inconsistent?
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// As [`RwLock::recovered`].
    pub fn recovered(&mut self) -> Result<()> {
        self.lock.recovered()?;
        self.owner_died = false;
        Ok(())
    }
}

impl Drop for RwLockGuard<'_> {
    fn drop(&mut self) {
        // A writer that unwinds leaves its data half-changed, as a dead one would.
        let unwinds = self.writes && std::thread::panicking() && !self.panicking;
        if unwinds && self.lock.abandon().is_ok() {
            return;
        }
        let _ = self.lock.unlock();
    }
}

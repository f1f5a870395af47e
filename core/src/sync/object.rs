// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an object comes to be where there were zeros, and how it is found there.
//!
//! Line 0 is the stamp; its magic comes last. Line 1 is a cell that the creator holds until then, so that of several
//! creators one is first, and the death of that one is noticed and made good by the next.

use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use super::hold::{self, Entered, Sleep, Spin};
use super::place::{Place, Site};
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{Layout, MAGIC, STAMP_SIZE, raw_memory};
use crate::map::cell::{HOLDER, OWNER_DIED};
use crate::map::lines::{LINE, Lines};
use crate::open::{Disposition, Mode};
use crate::shm::SharedMemory;
use crate::sys::futex;
use crate::time::Timeout;

/// The line that the creator holds.
const LATCH: usize = 1;
/// The line of what the object is about.
pub(crate) const MAIN: usize = 2;
/// The line in which waiters write their numbers.
pub(crate) const WAITING: usize = 3;
/// How many lines each object has; more follow where it has tables.
pub(crate) const HEAD: usize = 4;

/// How long a creator may take before those who wait for it think that there is none.
const PATIENCE: Duration = Duration::from_secs(1);

/// What kind of object, in which version of its layout.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: [u8; 8],
    pub(crate) version: u32,
    /// What an error calls it.
    pub(crate) operation: [&'static str; 3],
}

/// How large an object is that consists of lines, and of other bytes behind them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// As many lines as every object of this kind has.
    pub(crate) head: usize,
    /// As many as a new one has before its data: they must be zero.
    pub(crate) lines: usize,
    /// All bytes of a new one.
    pub(crate) bytes: usize,
}

/// An object in its place.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) lines: Lines,
    /// How errors call it.
    pub(crate) label: Box<str>,
}

impl Kind {
    /// Finds or makes the object at `place`. A new one has `lines` lines, all zero but for what `fill` puts there.
    pub(super) fn establish<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        mode: Mode,
        lines: usize,
        fill: impl Fn(&Lines) + Clone + Send + Sync + 'static,
    ) -> Result<Object> {
        let place = place.try_into().map_err(Into::into)?;
        let label = place.to_string().into_boxed_str();
        let operation = self.operation[disposition as usize];
        let size = lines.saturating_mul(LINE);
        let make = |site: &Site| match disposition {
            Disposition::Open => self.open(site),
            // It was made before it had its name.
            Disposition::Create if place.is_published() => self.open(site),
            Disposition::Create => self.create(site, lines, &fill)?.ok_or_else(taken),
            Disposition::OpenOrCreate => match self.create(site, lines, &fill)? {
                Some(lines) => Ok(lines),
                None => self.open(site),
            },
        };
        let (kind, before) = (*self, fill.clone());
        let publish = move |memory: &SharedMemory| {
            let unseen = Site::new(memory.twin()?, 0);
            kind.create(&unseen, lines, &before)?.map(drop).ok_or_else(taken)
        };
        let found = place
            .reach_filled(disposition, mode, size, publish)
            .and_then(|site| make(&site).inspect_err(|_| place.withdraw(disposition)));
        match found {
            Ok(lines) => Ok(Object { lines, label }),
            Err(kind) => Err(place.failed(operation, kind)),
        }
    }

    /// As [`Kind::establish`], for an object with data behind its lines. Gives its size in bytes as well, which lie all inside
    /// the mapping.
    pub(crate) fn establish_with_data(
        &self,
        site: &Site,
        disposition: Disposition,
        extent: Extent,
        fill: impl Fn(&Lines) -> Result<(), ErrorKind>,
    ) -> Result<(Lines, usize), ErrorKind> {
        let open = || {
            let head = head(site, extent.head)?;
            let bytes = self.size_of(site, &head)?;
            if bytes < extent.head * LINE {
                return Err(ErrorKind::Layout(format!("no object has {bytes} bytes").into()));
            }
            site.map.check(site.offset, bytes).map_err(|_| {
                let left = site.map.len() - site.offset;
                let why = format!("it says that it has {bytes} bytes, and there are {left}");
                ErrorKind::Layout(why.into())
            })?;
            Ok((head, bytes))
        };
        let create = || {
            let made = self.create_sized(site, extent.lines, extent.bytes, &fill)?;
            let Some(lines) = made else { return Ok::<_, ErrorKind>(None) };
            Ok(Some((lines.resized(extent.head)?, extent.bytes)))
        };
        match disposition {
            Disposition::Open => open(),
            Disposition::Create => create()?.ok_or_else(taken),
            Disposition::OpenOrCreate => match create()? {
                Some(made) => Ok(made),
                None => open(),
            },
        }
    }

    fn layout(&self, size: u64) -> Layout {
        Layout { kind: self.name, version: self.version, size }
    }

    /// The object that is there, finished or about to be.
    fn open(&self, site: &Site) -> Result<Lines, ErrorKind> {
        let head = head(site, HEAD)?;
        let bytes = self.size_of(site, &head)?;
        if !bytes.is_multiple_of(LINE) || bytes / LINE < HEAD {
            return Err(ErrorKind::Layout(format!("no object has {bytes} bytes").into()));
        }
        head.resized(bytes / LINE)
    }

    /// How many bytes the object has, when it is finished, and one of this kind.
    fn size_of(&self, site: &Site, head: &Lines) -> Result<usize, ErrorKind> {
        await_magic(head, LATCH)?;
        let mut stamp = [0; STAMP_SIZE];
        site.map.read_at(site.offset, &mut stamp)?;
        // Read once: the size that is checked is the size that is used.
        let mut field = [0; 8];
        field.copy_from_slice(&stamp[32..40]);
        let told = u64::from_ne_bytes(field);
        self.layout(told).check(&stamp)?;
        Ok(usize::try_from(told).unwrap_or(usize::MAX))
    }

    /// Makes the object, unless there is one.
    fn create(
        &self,
        site: &Site,
        count: usize,
        fill: &impl Fn(&Lines),
    ) -> Result<Option<Lines>, ErrorKind> {
        self.create_sized(site, count, count * LINE, &|lines| {
            fill(lines);
            Ok(())
        })
    }

    /// As [`Kind::create`], of as many bytes, which begin with so many lines.
    fn create_sized(
        &self,
        site: &Site,
        count: usize,
        bytes: usize,
        fill: &impl Fn(&Lines) -> Result<(), ErrorKind>,
    ) -> Result<Option<Lines>, ErrorKind> {
        // The first line tells whether there is one, of whatever size.
        if has_magic(&Lines::new(site.map.clone(), site.offset, 1)?)? {
            return Ok(None);
        }
        let lines = Lines::new(site.map.clone(), site.offset, count)?;
        site.check(bytes)?;
        let made = make_once(&lines, LATCH, || self.write(&lines, bytes, fill))?;
        Ok(made.then_some(lines))
    }

    /// Lays the object out, but for the magic.
    fn write(
        &self,
        lines: &Lines,
        bytes: usize,
        fill: &impl Fn(&Lines) -> Result<(), ErrorKind>,
    ) -> Result<(), ErrorKind> {
        let stamp = self.layout(bytes as u64).stamp();
        for (at, word) in lines.words(0).iter().enumerate().skip(MAGIC.len() / 4) {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&stamp[4 * at..4 * at + 4]);
            word.store(u32::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        let mark = crate::sys::random();
        for (at, cell) in lines.cells().iter().enumerate().skip(MAIN) {
            // What a creator that died has left.
            for word in lines.words(at) {
                word.store(0, Ordering::Relaxed);
            }
            if at != WAITING {
                cell.mark.store(mark.wrapping_add(at as u64), Ordering::Relaxed);
            }
        }
        fill(lines)
    }
}

/// The lines with which an object begins that is there. Memory that is too small for them has none.
fn head(site: &Site, count: usize) -> Result<Lines, ErrorKind> {
    let there = site.map.len();
    if site.offset == 0 && there < count * LINE {
        let why =
            format!("no unipc object begins here: there are only {there} bytes; {}", raw_memory!());
        return Err(ErrorKind::Layout(why.into()));
    }
    Lines::new(site.map.clone(), site.offset, count)
}

/// Makes what begins with these lines, unless it is there: then false. `write` does all of it but for the magic, while no other
/// creator does; it finds zeros, or what one that died has left. The lines must be zero otherwise.
pub(crate) fn make_once(
    lines: &Lines,
    latch: usize,
    write: impl FnOnce() -> Result<(), ErrorKind>,
) -> Result<bool, ErrorKind> {
    if has_magic(lines)? {
        return Ok(false);
    }
    // Before the first byte is written: it may be somebody's data.
    let word = &lines.cell(latch).word;
    if word.load(Ordering::Relaxed) == 0 && !are_blank(lines, |_| true) {
        // SYNC: pairs with the taking of the latch. Who sees what a creator wrote sees that it holds the latch, or
        // that it has given it back, and then the magic.
        fence(Ordering::Acquire);
        if word.load(Ordering::Acquire) == 0 {
            return if has_magic(lines)? { Ok(false) } else { Err(in_use()) };
        }
    }
    let mut sleep = Sleep::new(Timeout::After(PATIENCE));
    let entered = hold::take(lines, latch, &mut sleep, None, &Spin::default());
    let entered = entered.map_err(|kind| match kind {
        ErrorKind::TimedOut => in_use(),
        other => other,
    })?;
    let made = match has_magic(lines) {
        Ok(false) if entered == Entered::Clean && !are_blank(lines, |at| at != latch) => {
            Err(in_use())
        }
        Ok(false) => write().and_then(|()| publish(lines)).map(|()| true),
        Ok(true) => Ok(false),
        Err(kind) => Err(kind),
    };
    lines.give_back(latch, 0, i32::MAX)?;
    lines.check()?;
    made
}

/// Writes the magic, and wakes who waits for it.
fn publish(lines: &Lines) -> Result<(), ErrorKind> {
    let magic = u64::from_ne_bytes(MAGIC);
    // SYNC: sequentially consistent, so a release: pairs with `has_magic`, after which all that was written before is seen.
    lines.map().store_u64(lines.offset(), magic)?;
    futex::wake(&lines.words(0)[0], i32::MAX);
    Ok(())
}

/// Is there a finished object?
pub(crate) fn has_magic(lines: &Lines) -> Result<bool, ErrorKind> {
    // SYNC: pairs with the store in `publish`.
    Ok(lines.map().load_u64(lines.offset())? == u64::from_ne_bytes(MAGIC))
}

/// Waits for a creator that has begun, or is about to, but not for ever.
pub(crate) fn await_magic(lines: &Lines, latch: usize) -> Result<(), ErrorKind> {
    let until = Instant::now() + PATIENCE;
    let word = &lines.words(0)[0];
    // Only zeros can become an object. What else is there, the stamp's check tells. Relaxed, since the pages may be read-only.
    while word.load(Ordering::Relaxed) == 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let held = lines.cell(latch).word.load(Ordering::Relaxed) & (HOLDER | OWNER_DIED);
            let why = if held == 0 {
                "nothing was created here"
            } else {
                "its creator has not finished; create it, which takes over what a dead one began"
            };
            return Err(ErrorKind::Layout(why.into()));
        }
        match futex::wait(word, 0, left) {
            Err(nix::errno::Errno::EINTR) => return Err(ErrorKind::Os(libc::EINTR)),
            _ => lines.check()?,
        }
    }
    // SYNC: pairs with the store of the magic in `publish`.
    fence(Ordering::Acquire);
    Ok(())
}

/// Are those lines all zero that a new object will take?
fn are_blank(lines: &Lines, which: impl Fn(usize) -> bool) -> bool {
    (0..lines.count())
        .filter(|&at| which(at))
        .all(|at| lines.words(at).iter().all(|word| word.load(Ordering::Relaxed) == 0))
}

fn in_use() -> ErrorKind {
    ErrorKind::Busy("the bytes are not zero and no object; fill them with zeros first".into())
}

fn taken() -> ErrorKind {
    ErrorKind::Os(libc::EEXIST)
}

impl Object {
    #[cold]
    pub(super) fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let advice = match &kind {
            ErrorKind::Os(libc::EPERM) => Some("the calling thread does not hold it"),
            ErrorKind::Os(libc::EDEADLK) => Some("the calling thread holds it already"),
            ErrorKind::NotRecoverable => {
                Some("create it anew in another place, or zero it and create it again")
            }
            _ => None,
        };
        let error = kind.during(operation, &*self.label);
        match advice {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn nobody_finds_it_before_it_is_finished() {
        const KIND: Kind = Kind { name: *b"test\0\0\0\0", version: 1, operation: ["test"; 3] };
        let shm = SharedMemory::create("anon:", 4096).unwrap();
        let filled = Arc::new(AtomicU32::new(0));
        let times = Arc::clone(&filled);
        let fill = move |lines: &Lines| {
            assert!(!has_magic(lines).unwrap(), "it is found, and has not been filled");
            times.fetch_add(1, Ordering::Relaxed);
        };
        let place = (&shm, 0);
        let made = KIND.establish(place, Disposition::Create, Mode::PRIVATE, HEAD, fill).unwrap();
        assert!(has_magic(&made.lines).unwrap());
        assert_eq!(filled.load(Ordering::Relaxed), 1);
    }
}

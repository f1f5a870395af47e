// SPDX-License-Identifier: MIT OR Apache-2.0
//! One record that is always whole.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::array::{Buffer, check_size};
use super::head::{Found, Numbers, Options, PUBLISHED, Wanted};
use super::layout::Layout;
use super::value::Record;
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::map::copy;
use crate::map::lines::{LINE, Lines};
use crate::map::slots::{Places, Slots};
use crate::name::Name;
use crate::open::Disposition;
use crate::sync::Place;
use crate::sync::hold::{self, Sleep, Spin};
use crate::sync::object::{Kind, MAIN};
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"cell\0\0\0\0",
    version: 1,
    operation: ["Cell::open", "Cell::create", "Cell::open_or_create"],
};

/// How many values there is room for. While a reader copies, so many less two can be published without disturbing it.
const SLOTS: usize = 4;

/// How often a reader tries before it says that it cannot.
const ATTEMPTS: u32 = 1 << 16;
/// How many of these come without giving the processor away.
const EAGER: u32 = 64;

/// One record, of which everybody always gets a whole copy.
///
/// ```
/// use unipc::Timeout;
/// use unipc::record::{Cell, Record};
///
/// #[derive(Record, Clone, Copy)]
/// #[repr(C)]
/// struct Position { x: f64, y: f64, z: f64 }
///
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-cell-{}", std::process::id());
/// let robot = Cell::create(name.as_str(), &Position::layout()?)?;
/// robot.set(&Position { x: 1.0, y: 2.0, z: 3.0 }, Timeout::Forever)?;
///
/// let viewer = Cell::open(name.as_str(), Some(&Position::layout()?))?; // in any process
/// assert_eq!(viewer.get::<Position>()?.z, 3.0);
/// Cell::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// It has room for four values. A writer fills the slot after that of the latest value, and then publishes it by adding one to a
/// number; a reader copies the slot of the latest value and looks whether the number has gone on by more than two meanwhile,
/// since only then somebody may have been writing there. So readers never wait for writers, nor writers for readers: one writer
/// never waits at all. Several take turns. A new cell holds zeros.
///
/// Death: a writer that is killed leaves the value before, and its turn to the next.
///
/// Threads: `Sync`. fork: a child goes on using it. Not for signal handlers.
#[doc(alias = "seqlock")]
#[derive(Debug, Clone)]
pub struct Cell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The values, and how many were published.
    slots: Slots<SLOTS>,
    lines: Lines,
    layout: Layout,
    spin: Spin,
    label: Box<str>,
}

impl Cell {
    /// Creates a cell for one record.
    ///
    /// Errors: `EEXIST` when there is one; `EINVAL` for an offset that is no multiple of 64; `ERANGE` when it does not fit;
    /// `EBUSY` when the bytes of its header are not zero; under a name, those of [`SharedMemory::create`].
    pub fn create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
    ) -> Result<Self> {
        Options::new().create_cell(place, layout)
    }

    /// Opens the cell, whatever its record is, or only with this layout.
    ///
    /// Errors: `EPROTO` when there is no cell, or its layout differs: the first field that does is named; under a name, those
    /// of [`SharedMemory::open`].
    pub fn open<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: Option<&Layout>,
    ) -> Result<Self> {
        Options::new().open_cell(place, layout)
    }

    /// Opens the cell, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
    ) -> Result<Self> {
        Options::new().open_or_create_cell(place, layout)
    }

    /// Opens the cell that a descriptor refers to: a memfd that was inherited or received.
    ///
    /// Errors: as [`Cell::open`], and as [`SharedMemory::from_fd`].
    pub fn from_fd(fd: impl Into<OwnedFd>, layout: Option<&Layout>) -> Result<Self> {
        Self::open((&SharedMemory::from_fd(fd)?, 0), layout)
    }

    /// Removes the cell of this name; who has it open keeps it. Errors: as [`SharedMemory::unlink`].
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        SharedMemory::unlink(name)
    }

    /// How, if not by default.
    pub fn options() -> Options {
        Options::new()
    }

    /// How many bytes a cell for such a record takes.
    ///
    /// Errors: `EOVERFLOW` when there are no so many.
    pub fn size_for(layout: &Layout) -> Result<usize> {
        numbers(Some(layout)).size().map_err(|kind| kind.during("Cell::size_for", layout))
    }

    /// What the record consists of.
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// Is it mapped for reading only?
    pub fn is_read_only(&self) -> bool {
        !self.0.slots.map().is_writable()
    }

    /// How errors call it: its name, or the memory's name and the offset.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// The descriptor of its memory, where that has one: close-on-exec, to be handed on.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.slots.map().file().map(AsFd::as_fd)
    }

    /// How many values have been written so far.
    ///
    /// Errors: `EFAULT` when the file lost its pages.
    pub fn version(&self) -> Result<u64> {
        let version = self.0.slots.number().load(Ordering::Relaxed);
        match self.0.lines.check() {
            Ok(()) => Ok(version),
            Err(kind) => Err(self.failed("version", kind)),
        }
    }

    /// The latest value.
    ///
    /// Errors: `EINVAL` when `T` is of another size, `EFAULT` when the file lost its pages; `EBUSY` when writers are so much
    /// faster than this thread that it found no whole value in 65536 attempts.
    #[inline]
    pub fn get<T: Record>(&self) -> Result<T> {
        let mut bytes = Buffer::<T>::new();
        let buffer = copy::uninit(bytes.as_mut());
        if self.read_at_once(buffer).is_none()
            && let Err(kind) = self.0.read(buffer)
        {
            return Err(self.failed("get", kind));
        }
        Ok(T::load(bytes.as_mut()))
    }

    /// Publishes a value. The timeout is for its turn, if other writers have theirs.
    ///
    /// Errors: `EINVAL` when `T` is of another size; `EACCES` when the cell is mapped for reading only; `EAGAIN`, `ETIMEDOUT` when
    /// another writer kept its turn; `EINTR`; `EFAULT` when the file lost its pages.
    #[inline]
    pub fn set<T: Record>(&self, value: &T, timeout: Timeout) -> Result<()> {
        let mut bytes = Buffer::<T>::new();
        value.store(bytes.as_mut());
        self.0.write(bytes.as_mut(), timeout).map_err(|kind| self.failed("set", kind))
    }

    /// Copies the bytes of the latest value into a buffer of exactly its size; which one it is, see [`Cell::version`].
    ///
    /// Errors: as [`Cell::get`].
    #[inline]
    pub fn read(&self, buffer: &mut [u8]) -> Result<u64> {
        self.read_uninit(copy::uninit(buffer))
    }

    /// As [`Cell::read`], into memory that need not be initialised first.
    #[inline]
    pub fn read_uninit(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<u64> {
        match self.read_at_once(buffer) {
            Some(version) => Ok(version),
            None => self.0.read(buffer).map_err(|kind| self.failed("read", kind)),
        }
    }

    /// As [`Cell::read_uninit`], if that needs nothing but to be done. For the faces, before they prepare for more.
    #[doc(hidden)]
    #[inline]
    pub fn read_at_once(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<u64> {
        // In two ways, of which the first makes no call.
        if self.0.slots.are_small() {
            self.0.attempt(|slots, version| slots.copy_small_out(version, buffer))
        } else {
            self.0.attempt_large(buffer)
        }
    }

    /// Publishes the bytes of a value: exactly its size. Errors: as [`Cell::set`].
    #[inline]
    pub fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        match self.0.write(bytes, timeout) {
            Ok(()) => Ok(()),
            Err(kind) => Err(self.failed("write", kind)),
        }
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.0.label)
    }
}

impl Inner {
    #[cold]
    fn read(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<u64, ErrorKind> {
        check_size(&self.layout, buffer.len())?;
        for attempt in 0..ATTEMPTS {
            if let Some(version) = self.attempt_large(buffer) {
                return Ok(version);
            }
            self.lines.check()?;
            if attempt < EAGER {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        Err(ErrorKind::Busy("it is written faster than it can be copied".into()))
    }

    /// Lets the latest value be copied: which one it was, unless it was overwritten meanwhile.
    #[inline]
    fn attempt(&self, copy: impl FnOnce(&Slots<SLOTS>, u64) -> bool) -> Option<u64> {
        let published = self.slots.number();
        let version = published.load(Ordering::Relaxed);
        // SYNC: pairs with the release store in `publish`: what comes now is at least that value. (On pages that cannot
        // be written, Rust defines relaxed loads alone.)
        fence(Ordering::Acquire);
        let copied = copy(&self.slots, version);
        // SYNC: pairs with the release fence in `publish`: if anything of a later value was read, the number is seen that
        // was published before its writing began.
        fence(Ordering::Acquire);
        let later = published.load(Ordering::Relaxed).wrapping_sub(version);
        let is_whole = copied && later <= SLOTS as u64 - 2 && self.slots.is_whole();
        is_whole.then_some(version)
    }

    #[inline(never)]
    fn attempt_large(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<u64> {
        self.attempt(|slots, version| slots.copy_out(version, buffer))
    }

    #[inline]
    fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<(), ErrorKind> {
        check_size(&self.layout, bytes.len())?;
        if !self.slots.map().is_writable() {
            return Err(ErrorKind::ReadOnly);
        }
        let mut sleep = Sleep::new(timeout);
        // A writer that died has published its value, or has not: there is nothing to repair.
        let _ = hold::take(&self.lines, MAIN, &mut sleep, None, &self.spin)?;
        // SYNC: pairs with the release in `give_back`: the number is the last writer's.
        fence(Ordering::Acquire);
        let published = self.publish(bytes);
        self.lines.give_back(MAIN, 0, 1)?;
        published
    }

    /// By whoever has the turn.
    #[inline]
    fn publish(&self, bytes: &[u8]) -> Result<(), ErrorKind> {
        let published = self.slots.number();
        let next = published.load(Ordering::Relaxed).wrapping_add(1);
        // SYNC: pairs with the reader's second fence: the slot's last readers see the number as it is now, if they see
        // anything of what is written next.
        fence(Ordering::Release);
        self.slots.copy_in(next, bytes)?;
        // SYNC: pairs with the reader's first fence.
        published.store(next, Ordering::Release);
        Ok(())
    }
}

fn numbers(layout: Option<&Layout>) -> Numbers {
    let text = layout.map(Layout::to_string).unwrap_or_default();
    let record = layout.map_or(0, Layout::size);
    Numbers::new(record, SLOTS, &text, record.next_multiple_of(LINE))
}

impl Options {
    /// [`Cell::create`] with these options.
    pub fn create_cell<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
    ) -> Result<Cell> {
        self.cell(place, Disposition::Create, Some(layout))
    }

    /// [`Cell::open`] with these options.
    pub fn open_cell<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: Option<&Layout>,
    ) -> Result<Cell> {
        self.cell(place, Disposition::Open, layout)
    }

    /// [`Cell::open_or_create`] with these options.
    pub fn open_or_create_cell<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
    ) -> Result<Cell> {
        self.cell(place, Disposition::OpenOrCreate, Some(layout))
    }

    fn cell<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        declared: Option<&Layout>,
    ) -> Result<Cell> {
        let numbers = numbers(declared);
        let wanted = Wanted {
            kind: &KIND,
            disposition,
            options: self,
            layout: declared,
            numbers,
            clear: numbers.record,
            behind: 0,
        };
        let found = wanted.get(place)?;
        let label = found.object.label.clone();
        match inner(found, declared) {
            Ok(inner) => Ok(Cell(Arc::new(inner))),
            Err(kind) => Err(kind.during(wanted.operation(), label)),
        }
    }
}

fn inner(found: Found, declared: Option<&Layout>) -> Result<Inner, ErrorKind> {
    let layout = found.layout(declared)?;
    let Numbers { count, data, stride, .. } = found.numbers;
    if count != SLOTS {
        return Err(ErrorKind::Layout(format!("a cell has {SLOTS} slots, not {count}").into()));
    }
    let (map, offset) = (found.site.map, found.site.offset);
    let size = layout.size();
    let places = Places { number: offset + PUBLISHED, first: offset + data, stride, size };
    Ok(Inner {
        slots: Slots::new(map, &places)?,
        lines: found.object.lines,
        layout,
        spin: Spin::default(),
        label: found.object.label,
    })
}

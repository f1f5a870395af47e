// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names for places inside a segment.

use std::sync::atomic::{Ordering, fence};

use super::head::{Numbers, Options, Wanted};
use super::table::{ENTRY, Row, Start, Table};
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{self, STAMP_SIZE};
use crate::map::copy;
use crate::map::lines::{LINE, Lines};
use crate::name::Name;
use crate::open::Disposition;
use crate::sync::Place;
use crate::sync::hold::{self, Sleep, Spin};
use crate::sync::object::{Kind, MAIN};
use crate::sync::place::Site;
use crate::time::Timeout;

const KIND: Kind = Kind {
    name: *b"places\0\0",
    version: 1,
    operation: ["Directory::open", "Directory::create", "Directory::open_or_create"],
};

/// Names for places inside a segment, so that C, Python and Rust find what is in it by name instead of by offsets on which
/// they agreed.
///
/// ```
/// use unipc::record::{Directory, Layout, Array};
/// use unipc::sync::Mutex;
///
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-directory-{}", std::process::id());
/// let plant = Directory::create(name.as_str(), 1 << 16)?;
/// Mutex::create(plant.place("lock", Mutex::SIZE)?)?;
/// let layout = Layout::parse("d")?;
/// Array::create(plant.place("samples", Array::size_for(&layout, 100)?)?, &layout, 100)?;
///
/// let other = Directory::open(name.as_str())?; // in any process
/// let lock = Mutex::open(other.find("lock")?)?;
/// assert_eq!(Array::open(other.find("samples")?, None)?.len(), 100);
/// other.remove("samples")?; // its room is free for others
/// Directory::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// It lies under a name, or at an offset of a [`SharedMemory`], takes as many bytes as it is told, and gives them away in pieces
/// that are multiples of 64 and hold zeros. For objects of [`crate::sync`], arrays, cells, channels, and bytes of any kind. (A channel's ring is
/// mapped twice: so its place begins on a page, [`Directory::place_on_page`], and the memory has a descriptor: not System V, not anonymous.)
///
/// Death: the table is the only truth, and an entry appears and disappears by one word, so whoever is killed in the middle
/// leaves it whole. Who is killed between placing and creating leaves zeros under the name: `find_or_place` and `open_or_create` go on
/// from there.
///
/// Removing frees the place at once: those who still use what was there must have stopped.
///
/// Threads: `Sync`. fork: a child goes on using it. Each call takes a turn, which ends with its holder's death. Not for
/// signal handlers.
#[derive(Debug)]
pub struct Directory {
    site: Site,
    lines: Lines,
    /// Where the table begins, from the directory's first byte.
    table: usize,
    rows: usize,
    /// All of the directory's bytes.
    size: usize,
    timeout: Timeout,
    spin: Spin,
    label: Box<str>,
}

/// A place with a name. Objects are created and opened in it as at any other [`Place`].
#[derive(Debug, Clone)]
pub struct Entry {
    name: String,
    size: usize,
    site: Site,
    label: String,
}

impl Entry {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its first byte in the memory in which the directory lies.
    pub fn offset(&self) -> usize {
        self.site.offset
    }

    /// How many bytes it has: a multiple of 64.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The first byte; valid for [`Entry::size`] bytes as long as this value, or a clone of it, lives. Same cautions as for
    /// [`SharedMemory::as_ptr`].
    pub fn as_ptr(&self) -> *mut u8 {
        self.site.map.as_ptr().wrapping_add(self.site.offset)
    }

    /// What kind of object lies there: `mutex`, `array`; `None` where there is none of this library's.
    pub fn kind(&self) -> Option<String> {
        let mut stamp = [0; STAMP_SIZE];
        self.site.map.copy_out(self.site.offset, copy::uninit(&mut stamp)).ok()?;
        layout::kind_of(&stamp)
    }
}

impl From<&Entry> for Place<'_> {
    fn from(entry: &Entry) -> Self {
        Self::mapped(entry.site.clone(), entry.label.clone())
    }
}

impl From<Entry> for Place<'_> {
    fn from(entry: Entry) -> Self {
        Self::mapped(entry.site, entry.label)
    }
}

impl Directory {
    /// Creates a directory of `size` bytes, its table included: 128 bytes for each of up to 64 places, and 320.
    ///
    /// Errors: `EEXIST` when there is one; `EINVAL` when the size is too small for the table, or for an offset that is no multiple
    /// of 64; `ERANGE` when it does not fit; `EBUSY` when the bytes of its table are not zero; under a name, those of
    /// [`SharedMemory::create`].
    pub fn create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        size: usize,
    ) -> Result<Self> {
        Options::new().create_directory(place, size)
    }

    /// Opens the directory.
    ///
    /// Errors: `EPROTO` when there is none; `EACCES` in read-only memory; under a name, those of [`SharedMemory::open`].
    pub fn open<'a>(place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Self> {
        Options::new().open_directory(place)
    }

    /// Opens the directory, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        size: usize,
    ) -> Result<Self> {
        Options::new().open_or_create_directory(place, size)
    }

    /// Removes the segment of this name, with all that is in it. Errors: as [`SharedMemory::unlink`].
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        SharedMemory::unlink(name)
    }

    /// How, if not by default.
    pub fn options() -> Options {
        Options::new()
    }

    /// How errors call it: its name, or the memory's name and the offset.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// All of its bytes, the table included.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many places it can have.
    pub fn capacity(&self) -> usize {
        self.rows
    }

    /// Makes a place of at least `size` bytes, all zero.
    ///
    /// Errors: `EEXIST` when the name is taken; `EINVAL` for a name that is empty, longer than 103 bytes or has a NUL in it, or
    /// for no bytes; `ENOSPC` when there is no such room in one piece, or no entry left; `EAGAIN`, `ETIMEDOUT` when another
    /// process kept its turn ([`Options::timeout`]); `EINTR`; `EPROTO` when the table is damaged.
    pub fn place(&self, name: &str, size: usize) -> Result<Entry> {
        self.place_at(name, size, Start::Anywhere)
    }

    /// As [`Directory::place`], for what must begin on a page of the memory, as a channel does. Up to a page is left free before it.
    ///
    /// ```
    /// use unipc::{SharedMemory, Timeout, channel::{Options, Queue}, record::Directory};
    /// # fn main() -> unipc::Result<()> {
    /// let shm = SharedMemory::create("memfd:plant", 1 << 20)?;
    /// let plant = Directory::create((&shm, 0), shm.len())?;
    /// let size = Options::new().size_for::<Queue>(1 << 16)?;
    /// let mut jobs = Queue::create(plant.place_on_page("jobs", size)?, 1 << 16)?;
    /// jobs.send(b"hello", Timeout::Forever)?;
    /// let mut worker = Queue::open(plant.find("jobs")?)?; // in any process
    /// assert_eq!(worker.recv(Timeout::Forever)?, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn place_on_page(&self, name: &str, size: usize) -> Result<Entry> {
        self.place_at(name, size, Start::Page)
    }

    fn place_at(&self, name: &str, size: usize, start: Start) -> Result<Entry> {
        let place = |table: &Table<'_>| match table.find(name)? {
            Some(_) => Err(ErrorKind::Os(libc::EEXIST)),
            None => table.add(name, size, start),
        };
        self.turn(place).map(|row| self.entry(row)).map_err(|kind| self.failed("place", name, kind))
    }

    /// The place of this name. Errors: `ENOENT` when there is none; otherwise as [`Directory::place`].
    pub fn find(&self, name: &str) -> Result<Entry> {
        let find = |table: &Table<'_>| table.find(name)?.ok_or(ErrorKind::Os(libc::ENOENT));
        self.turn(find).map(|row| self.entry(row)).map_err(|kind| self.failed("find", name, kind))
    }

    /// The place of this name, which is made when there is none; true when it was made now.
    ///
    /// Errors: as [`Directory::place`]; `EINVAL` when there is one, and it has fewer bytes.
    pub fn find_or_place(&self, name: &str, size: usize) -> Result<(Entry, bool)> {
        self.find_or_place_at(name, size, Start::Anywhere)
    }

    /// As [`Directory::find_or_place`], and as [`Directory::place_on_page`] where it makes the place.
    pub fn find_or_place_on_page(&self, name: &str, size: usize) -> Result<(Entry, bool)> {
        self.find_or_place_at(name, size, Start::Page)
    }

    fn find_or_place_at(&self, name: &str, size: usize, start: Start) -> Result<(Entry, bool)> {
        let get = |table: &Table<'_>| match table.find(name)? {
            Some(row) if row.size < size => {
                let why = format!("it has {} bytes, {size} were asked for", row.size);
                Err(ErrorKind::invalid(why))
            }
            Some(row) => Ok((row, false)),
            None => table.add(name, size, start).map(|row| (row, true)),
        };
        self.turn(get)
            .map(|(row, made)| (self.entry(row), made))
            .map_err(|kind| self.failed("find_or_place", name, kind))
    }

    /// Frees the place of this name. Errors: as [`Directory::find`].
    pub fn remove(&self, name: &str) -> Result<()> {
        let remove = |table: &Table<'_>| {
            let row = table.find(name)?.ok_or(ErrorKind::Os(libc::ENOENT))?;
            table.remove(&row)
        };
        self.turn(remove).map_err(|kind| self.failed("remove", name, kind))
    }

    /// All places, in the order in which they lie. Errors: as [`Directory::place`].
    #[allow(clippy::redundant_closure_for_method_calls, reason = "of any lifetime")]
    pub fn list(&self) -> Result<Vec<Entry>> {
        let rows = self.turn(|table: &Table<'_>| table.rows());
        let rows = rows.map_err(|kind| self.failed("list", "", kind))?;
        Ok(rows.into_iter().map(|row| self.entry(row)).collect())
    }

    /// Does `work` while no other process does any.
    fn turn<R>(
        &self,
        work: impl FnOnce(&Table<'_>) -> Result<R, ErrorKind>,
    ) -> Result<R, ErrorKind> {
        let mut sleep = Sleep::new(self.timeout);
        // Who died has left the table as it was, or with one entry more or less.
        let _ = hold::take(&self.lines, MAIN, &mut sleep, None, &self.spin)?;
        // SYNC: pairs with the release in `give_back`.
        fence(Ordering::Acquire);
        let Self { site, table, rows, size, .. } = self;
        let table =
            Table { map: &site.map, base: site.offset, begin: *table, rows: *rows, size: *size };
        let result = work(&table);
        self.lines.give_back(MAIN, 0, 1)?;
        result
    }

    fn entry(&self, row: Row) -> Entry {
        let label = format!("{}[{}]", self.label, row.name);
        let offset = self.site.offset + row.offset;
        let site = Site::of_size(self.site.map.clone(), offset, row.size);
        Entry { name: row.name, size: row.size, site, label }
    }

    #[cold]
    fn failed(&self, operation: &'static str, name: &str, kind: ErrorKind) -> Error {
        kind.during(operation, format_args!("{}[{}]", self.label, name.escape_debug()))
    }
}

impl Options {
    /// When creating a directory: how many places it can have, up to 4096; 64 by default.
    #[must_use]
    pub fn entries(mut self, entries: usize) -> Self {
        self.entries = Some(entries);
        self
    }

    /// Of a directory: how long its calls wait for their turn. For ever by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Timeout) -> Self {
        self.timeout = timeout;
        self
    }

    /// [`Directory::create`] with these options.
    pub fn create_directory<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        size: usize,
    ) -> Result<Directory> {
        self.directory(place, Disposition::Create, size)
    }

    /// [`Directory::open`] with these options.
    pub fn open_directory<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
    ) -> Result<Directory> {
        self.directory(place, Disposition::Open, usize::MAX)
    }

    /// [`Directory::open_or_create`] with these options.
    pub fn open_or_create_directory<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        size: usize,
    ) -> Result<Directory> {
        self.directory(place, Disposition::OpenOrCreate, size)
    }

    fn directory<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        size: usize,
    ) -> Result<Directory> {
        let operation = KIND.operation[disposition as usize];
        let rows = self.entries.unwrap_or(64);
        let numbers = Numbers::new(ENTRY, rows, "", ENTRY);
        let table = numbers.size().map_err(|kind| kind.during(operation, "entries"))?;
        if !(1..=4096).contains(&rows) {
            let why = ErrorKind::invalid("a directory has room for 1 to 4096 places");
            return Err(why.during(operation, "entries"));
        }
        if size < table + LINE {
            let why = format!(
                "the table of {rows} places takes {table} bytes, and no more than {size} were given"
            );
            return Err(ErrorKind::invalid(why).during(operation, "size"));
        }
        let behind = if disposition == Disposition::Open { 0 } else { size - table };
        let wanted = Wanted {
            kind: &KIND,
            disposition,
            options: self,
            layout: None,
            numbers,
            clear: table - numbers.data,
            behind,
        };
        let found = wanted.get(place)?;
        let Numbers { record, count, data, stride, .. } = found.numbers;
        if record != ENTRY || stride != ENTRY || !(1..=4096).contains(&count) {
            let why = format!("a directory of {count} entries of {stride} bytes is none");
            return Err(ErrorKind::Layout(why.into()).during(operation, &found.object.label));
        }
        if !found.site.map.is_writable() {
            return Err(ErrorKind::ReadOnly.during(operation, &found.object.label));
        }
        Ok(Directory {
            lines: found.object.lines,
            table: data,
            rows: count,
            size: found.size,
            timeout: self.timeout,
            spin: Spin::default(),
            label: found.object.label,
            site: found.site,
        })
    }
}

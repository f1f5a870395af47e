// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in a row.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::head::{Numbers, Options, Wanted};
use super::layout::Layout;
use super::value::Record;
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::map::{Map, copy};
use crate::name::Name;
use crate::open::Disposition;
use crate::sync::Place;
use crate::sync::object::Kind;

const KIND: Kind = Kind {
    name: *b"array\0\0\0",
    version: 1,
    operation: ["Array::open", "Array::create", "Array::open_or_create"],
};

/// Records in a row, with a header that tells their layout.
///
/// ```
/// use unipc::record::{Array, Chars, Layout, Record};
///
/// #[derive(Record, Clone, Copy)]
/// #[repr(C)]
/// struct People { name: Chars<4>, age: i32 }
///
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-array-{}", std::process::id());
/// let writer = Array::create(name.as_str(), &People::layout()?, 10)?;
/// writer.set(3, &People { name: Chars::from("ann"), age: 21 })?;
///
/// let reader = Array::open(name.as_str(), Some(&People::layout()?))?; // in any process
/// assert_eq!(reader.get::<People>(3)?.age, 21);
///
/// let wrong = Layout::parse("T{4s:name:d:age:}")?;
/// let error = Array::open(name.as_str(), Some(&wrong)).unwrap_err();
/// assert!(error.to_string().contains("\"age\" is int32 at offset 4 in the object, float64 at offset 8"));
/// Array::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
///
/// It lies under a name, without a name (`memfd:`, `anon:`), or at an offset of a [`SharedMemory`]. New records are zeros under
/// a name, and what was there in memory that has been used. Raw memory, without a header, is read with a layout from outside:
/// [`Array::over`].
///
/// Records are copied in and out without a lock: who must not see one half-written takes a [`Cell`](super::Cell), or a
/// [`Mutex`](crate::sync::Mutex) beside it.
///
/// Threads: `Sync`. fork: a child goes on using it. Death: of a creator, the next one takes over; nothing else can be left
/// half-done but a record.
#[derive(Debug, Clone)]
pub struct Array {
    map: Arc<Map>,
    /// The first record's first byte.
    first: usize,
    count: usize,
    layout: Arc<Layout>,
    label: Arc<str>,
}

impl Array {
    /// Creates an array of `count` records.
    ///
    /// Errors: `EEXIST` when there is one; `EINVAL` for no records, or an offset that is no multiple of 64; `ERANGE` when it
    /// does not fit, `EOVERFLOW` when no address space has so many bytes; `EBUSY` when the bytes of its header are not zero;
    /// under a name, those of [`SharedMemory::create`].
    pub fn create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
        count: usize,
    ) -> Result<Self> {
        Options::new().create_array(place, layout, count)
    }

    /// Opens the array, whatever its records are, or only with this layout.
    ///
    /// Errors: `EPROTO` when there is no array, or its layout differs: the first field that does is named; under a name, those
    /// of [`SharedMemory::open`].
    pub fn open<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: Option<&Layout>,
    ) -> Result<Self> {
        Options::new().open_array(place, layout)
    }

    /// Opens the array, or creates it when there is none. Errors: those of both; `EPROTO` when it has fewer records.
    pub fn open_or_create<'a>(
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
        count: usize,
    ) -> Result<Self> {
        Options::new().open_or_create_array(place, layout, count)
    }

    /// Opens the array that a descriptor refers to: a memfd that was inherited or received.
    ///
    /// Errors: as [`Array::open`], and as [`SharedMemory::from_fd`].
    pub fn from_fd(fd: impl Into<OwnedFd>, layout: Option<&Layout>) -> Result<Self> {
        Self::open((&SharedMemory::from_fd(fd)?, 0), layout)
    }

    /// Removes the array of this name; who has it open keeps it. Errors: as [`SharedMemory::unlink`].
    pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
        SharedMemory::unlink(name)
    }

    /// Lays a layout over raw memory from `offset` on: `count` records, or as many as there is room for. Nothing is written.
    ///
    /// Errors: `ERANGE` when they are not all inside, `EINVAL` when there is room for none, or when C could not read them
    /// there: the address must be a multiple of the layout's alignment.
    ///
    /// ```
    /// use unipc::{SharedMemory, record::{Array, Layout}};
    /// # fn main() -> unipc::Result<()> {
    /// let shm = SharedMemory::create("anon:", 80)?;
    /// let people = Array::over(&shm, 0, &Layout::parse("T{4s:name:i:age:}")?, None)?;
    /// assert_eq!(people.len(), 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn over(
        memory: &SharedMemory,
        offset: usize,
        layout: &Layout,
        count: Option<usize>,
    ) -> Result<Self> {
        let label = format!("{}+{offset}", memory.name());
        Self::lay(memory, offset, layout, count, &label)
            .map_err(|kind| kind.during("Array::over", label))
    }

    fn lay(
        memory: &SharedMemory,
        offset: usize,
        layout: &Layout,
        count: Option<usize>,
        label: &str,
    ) -> Result<Self, ErrorKind> {
        let map = memory.view()?;
        let size = layout.size();
        map.check(offset, 0)?;
        // Of the same mapping: the other one may be larger.
        let left = map.len() - offset;
        let count = count.unwrap_or(left / size);
        // What no address space holds lies outside as well.
        let bytes = count.saturating_mul(size);
        if count == 0 {
            let why = format!("a record has {size} bytes, and there are {left}");
            return Err(ErrorKind::invalid(why));
        }
        let alignment = layout.alignment();
        if !map.ptr_at(offset, bytes)?.addr().is_multiple_of(alignment) {
            let why = format!("the records must lie at a multiple of {alignment} bytes");
            return Err(ErrorKind::invalid(why));
        }
        Ok(Self {
            map,
            first: offset,
            count,
            layout: Arc::new(layout.clone()),
            label: label.into(),
        })
    }

    /// How many bytes an array of `count` such records takes.
    ///
    /// Errors: `EOVERFLOW` when there are no so many.
    pub fn size_for(layout: &Layout, count: usize) -> Result<usize> {
        let numbers = Numbers::new(layout.size(), count, &layout.to_string(), layout.size());
        numbers.size().map_err(|kind| kind.during("Array::size_for", layout))
    }

    /// How, if not by default.
    pub fn options() -> Options {
        Options::new()
    }

    /// How many records there are.
    #[allow(clippy::len_without_is_empty, reason = "an array has at least one record")]
    pub fn len(&self) -> usize {
        self.count
    }

    /// What a record consists of.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Is it mapped for reading only?
    pub fn is_read_only(&self) -> bool {
        !self.map.is_writable()
    }

    /// How errors call it: its name, or the memory's name and the offset.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The descriptor of its memory, where that has one: close-on-exec, to be handed on.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.map.file().map(AsFd::as_fd)
    }

    /// How many bytes all records take.
    pub fn size(&self) -> usize {
        self.count * self.layout.size()
    }

    /// The first record. Valid for [`Array::size`] bytes as long as this array, or a clone of it, lives.
    ///
    /// Others change what is there at any time: never make a reference of it. A file that others cut reads as zeros.
    pub fn as_ptr(&self) -> *mut u8 {
        self.map.as_ptr().wrapping_add(self.first)
    }

    /// The address of a record; same cautions. Errors: `ERANGE` when there is no such record.
    pub fn ptr_at(&self, index: usize) -> Result<*mut u8> {
        let offset = self.offset(index).map_err(|kind| self.failed("ptr_at", kind))?;
        Ok(self.map.as_ptr().wrapping_add(offset))
    }

    /// Copies a record out.
    ///
    /// Errors: `ERANGE` when there is no such record, `EINVAL` when `T` is of another size, `EFAULT` when the file lost it.
    #[inline]
    pub fn get<T: Record>(&self, index: usize) -> Result<T> {
        let mut bytes = Buffer::<T>::new();
        let copied = self
            .check_size(size_of::<T>())
            .and_then(|()| self.offset(index))
            .and_then(|offset| self.map.copy_out(offset, copy::uninit(bytes.as_mut())));
        match copied {
            Ok(()) => Ok(T::load(bytes.as_mut())),
            Err(kind) => Err(self.failed("get", kind)),
        }
    }

    /// Copies a record in. Errors: as [`Array::get`], and `EACCES` when it is mapped for reading only.
    #[inline]
    pub fn set<T: Record>(&self, index: usize, value: &T) -> Result<()> {
        let mut bytes = Buffer::<T>::new();
        value.store(bytes.as_mut());
        self.write(index, bytes.as_mut()).map_err(|kind| self.failed("set", kind))
    }

    /// Copies the bytes of a record out, into a buffer of exactly its size. Errors: as [`Array::get`].
    pub fn read_at(&self, index: usize, buffer: &mut [u8]) -> Result<()> {
        self.read_uninit(index, copy::uninit(buffer))
    }

    /// As [`Array::read_at`], into memory that need not be initialised first.
    pub fn read_uninit(&self, index: usize, buffer: &mut [MaybeUninit<u8>]) -> Result<()> {
        let copied = self
            .check_size(buffer.len())
            .and_then(|()| self.offset(index))
            .and_then(|offset| self.map.copy_out(offset, buffer));
        copied.map_err(|kind| self.failed("read_at", kind))
    }

    /// Copies the bytes of a record in: exactly its size. Errors: as [`Array::set`].
    pub fn write_at(&self, index: usize, bytes: &[u8]) -> Result<()> {
        self.write(index, bytes).map_err(|kind| self.failed("write_at", kind))
    }

    fn write(&self, index: usize, bytes: &[u8]) -> Result<(), ErrorKind> {
        self.check_size(bytes.len())?;
        self.map.copy_in(self.offset(index)?, bytes)
    }

    /// The record's first byte in the mapping.
    #[inline]
    fn offset(&self, index: usize) -> Result<usize, ErrorKind> {
        if index < self.count {
            return Ok(self.first + index * self.layout.size());
        }
        Err(ErrorKind::OutOfBounds {
            offset: (index as u64).saturating_mul(self.layout.size() as u64),
            length: self.layout.size() as u64,
            size: self.size() as u64,
        })
    }

    #[inline]
    fn check_size(&self, size: usize) -> Result<(), ErrorKind> {
        check_size(&self.layout, size)
    }

    #[cold]
    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        kind.during(operation, &self.label)
    }
}

/// Is that the size of a record?
#[inline]
pub(super) fn check_size(layout: &Layout, size: usize) -> Result<(), ErrorKind> {
    if size == layout.size() {
        return Ok(());
    }
    Err(another_size(layout, size))
}

#[cold]
fn another_size(layout: &Layout, size: usize) -> ErrorKind {
    ErrorKind::invalid(format!("a record has {} bytes, not {size}", layout.size()))
}

/// Bytes for a value: on the stack when they are few.
pub(crate) struct Buffer<T> {
    few: [u8; 256],
    many: Vec<u8>,
    of: std::marker::PhantomData<T>,
}

impl<T> Buffer<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        let many = if size_of::<T>() > 256 { vec![0; size_of::<T>()] } else { Vec::new() };
        Self { few: [0; 256], many, of: std::marker::PhantomData }
    }

    #[inline]
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        if size_of::<T>() > 256 { &mut self.many } else { &mut self.few[..size_of::<T>()] }
    }
}

impl Options {
    /// [`Array::create`] with these options.
    pub fn create_array<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
        count: usize,
    ) -> Result<Array> {
        self.array(place, Disposition::Create, Some(layout), count)
    }

    /// [`Array::open`] with these options.
    pub fn open_array<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: Option<&Layout>,
    ) -> Result<Array> {
        self.array(place, Disposition::Open, layout, 1)
    }

    /// [`Array::open_or_create`] with these options.
    pub fn open_or_create_array<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        layout: &Layout,
        count: usize,
    ) -> Result<Array> {
        self.array(place, Disposition::OpenOrCreate, Some(layout), count)
    }

    fn array<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        declared: Option<&Layout>,
        count: usize,
    ) -> Result<Array> {
        let text = declared.map(Layout::to_string).unwrap_or_default();
        let record = declared.map_or(0, Layout::size);
        let numbers = Numbers::new(record, count, &text, record);
        let wanted = Wanted {
            kind: &KIND,
            disposition,
            options: self,
            layout: declared,
            numbers,
            clear: 0,
            behind: 0,
        };
        if count == 0 {
            let why = ErrorKind::invalid("an array has at least one record");
            return Err(why.during(wanted.operation(), "count"));
        }
        let found = wanted.get(place)?;
        let label: Arc<str> = (*found.object.label).into();
        let (first, there) = (found.site.offset + found.numbers.data, found.numbers.count);
        let made = found.layout(declared).and_then(|layout| {
            let enough = there >= if disposition == Disposition::OpenOrCreate { count } else { 1 };
            if !enough || found.numbers.stride != layout.size() {
                let why = format!("it has {there} records, {count} were asked for");
                return Err(ErrorKind::Layout(why.into()));
            }
            found.site.map.check(first, there * layout.size())?;
            Ok(Arc::new(layout))
        });
        match made {
            Ok(layout) => Ok(Array { map: found.site.map, first, count: there, layout, label }),
            Err(kind) => Err(kind.during(wanted.operation(), label)),
        }
    }
}

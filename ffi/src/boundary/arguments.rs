// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arguments of one call: C values are checked and become those of Rust.

use std::ffi::{CStr, OsStr, c_char, c_int, c_uint, c_void};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr::NonNull;

use libc::{sigset_t, timespec};
use unipc_core::signal::Set;
use unipc_core::{ErrorKind, Mode, Name, Placement, Region, Result, Timeout};

use super::super::base::unipc_mode;
use super::{Caller, Output, SizeFirst, count, options, seldom};

/// That no permission at all is meant, where 0 is the default.
const NO_MODE: u32 = unipc_mode::UNIPC_MODE_NONE as u32;

/// Flags of which all bits are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flags(c_uint);

impl Flags {
    pub(crate) fn has(self, flag: c_uint) -> bool {
        self.0 & flag != 0
    }
}

/// What the caller's function is given, on whatever thread.
struct Handed(*mut c_void);

// SAFETY: the header says that another thread must be able to use it.
unsafe impl Send for Handed {}

impl Handed {
    fn to(self, function: unsafe extern "C" fn(*mut c_void)) {
        // SAFETY: the header says what the function must be able to do, and that this is what it is given.
        unsafe { function(self.0) };
    }
}

impl Caller {
    /// A string of bytes, not always UTF-8.
    pub(crate) fn text(&self, argument: &'static str, text: *const c_char) -> Result<&OsStr> {
        let text = self.pointer(argument, text.cast_mut())?;
        // SAFETY: not NULL, and by contract it ends in NUL.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) };
        Ok(OsStr::from_bytes(text.to_bytes()))
    }

    /// Strings in an array that ends with NULL.
    pub(crate) fn texts(
        &self,
        argument: &'static str,
        array: *const *const c_char,
    ) -> Result<Vec<&OsStr>> {
        let mut next = self.pointer(argument, array.cast_mut())?;
        let mut texts = Vec::new();
        loop {
            // SAFETY: by contract all pointers up to the NULL may be read, and this one is not behind it.
            let text = unsafe { next.read() };
            if text.is_null() {
                return Ok(texts);
            }
            texts.push(self.text(argument, text)?);
            // SAFETY: as above.
            next = unsafe { next.add(1) };
        }
    }

    /// Bytes that C reads as a string, which gets its NUL: `EMSGSIZE` if they do not fit. How many there are.
    #[allow(clippy::unused_self, reason = "that the caller is trusted is what makes it safe")]
    pub(crate) fn give_text(&self, room: &mut [u8], text: &[u8]) -> Result<isize, ErrorKind> {
        let Some((nul, _)) = room.get_mut(text.len()..).and_then(<[u8]>::split_first_mut) else {
            return Err(ErrorKind::Os(libc::EMSGSIZE));
        };
        *nul = 0;
        room[..text.len()].copy_from_slice(text);
        Ok(count(text.len()))
    }

    /// The name of an object.
    pub(crate) fn name(&self, name: *const c_char) -> Result<Name> {
        Name::parse(self.text("name", name)?)
    }

    /// Bytes to read. NULL is fine for none.
    #[inline]
    pub(crate) fn bytes(&self, buffer: *const c_void, length: usize) -> Result<&[u8]> {
        let start = self.buffer(buffer.cast_mut().cast::<u8>(), length)?;
        // SAFETY: by contract `length` bytes may be read; none of them are needed when it is 0.
        Ok(unsafe { std::slice::from_raw_parts(start.as_ptr(), length) })
    }

    /// Values to read, of a type that any bytes of C are. NULL is fine for none.
    pub(crate) fn values<T>(&self, buffer: *const T, length: usize) -> Result<&[T]> {
        let start = self.buffer(buffer.cast_mut(), length)?;
        // SAFETY: by contract `length` values may be read; none of them are needed when it is 0.
        Ok(unsafe { std::slice::from_raw_parts(start.as_ptr(), length) })
    }

    /// Room for `length` values. NULL is fine for none.
    #[allow(clippy::mut_from_ref, reason = "the memory is the C caller's")]
    #[inline]
    pub(crate) fn room<T>(&self, buffer: *mut T, length: usize) -> Result<&mut [T]> {
        let start = self.buffer(buffer, length)?;
        // SAFETY: by contract `length` values may be written, and any bytes are a `T` of C.
        Ok(unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) })
    }

    /// As [`Caller::room`], or nothing: for what cannot fail.
    #[allow(clippy::unused_self, reason = "that the caller is trusted is what makes it safe")]
    #[allow(clippy::mut_from_ref, reason = "the memory is the C caller's")]
    #[inline]
    pub(crate) fn live_room<T>(&self, buffer: *mut T, length: usize) -> Option<&mut [T]> {
        let fits = length <= isize::MAX.cast_unsigned() / size_of::<T>();
        let start = NonNull::new(buffer).filter(|_| fits)?;
        // SAFETY: by contract `length` values may be written, and any bytes are a `T` of C.
        Some(unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), length) })
    }

    /// A place for a result.
    pub(crate) fn output<T>(&self, argument: &'static str, out: *mut T) -> Result<Output<T>> {
        self.pointer(argument, out).map(Output)
    }

    /// Gives a result that not every caller wants: NULL is fine.
    #[allow(clippy::unused_self, reason = "that the caller is trusted is what makes it safe")]
    #[inline]
    pub(crate) fn give<T>(&self, out: *mut T, value: T) {
        if let Some(out) = NonNull::new(out) {
            Output(out).set(value);
        }
    }

    /// Options whose first field is their size; NULL stands for all defaults.
    pub(crate) fn options<T: SizeFirst>(&self, options: *const T) -> Result<T> {
        // SAFETY: NULL, or by contract as many readable bytes as the first field says.
        unsafe { options::read(options) }.map_err(|kind| self.refused("opts", kind))
    }

    /// How long to wait: relative, on the monotonic clock; NULL is for ever, {0, 0} a try.
    #[allow(clippy::unused_self, reason = "that the caller is trusted is what makes it safe")]
    #[inline]
    pub(crate) fn timeout(&self, timeout: *const timespec) -> Result<Timeout> {
        if timeout.is_null() {
            return Ok(Timeout::Forever);
        }
        // SAFETY: not NULL, so by contract a timespec that may be read.
        let timespec { tv_sec, tv_nsec, .. } = unsafe { timeout.read() };
        Timeout::from_timespec(tv_sec, tv_nsec)
    }

    /// Is this a time that [`Caller::timeout`] takes? For those who need none yet.
    #[allow(clippy::unused_self, reason = "that the caller is trusted is what makes it safe")]
    #[inline]
    pub(crate) fn is_timeout(&self, timeout: *const timespec) -> bool {
        // SAFETY: NULL, or by contract a timespec that may be read.
        let Some(timeout) = (unsafe { timeout.as_ref() }) else { return true };
        seldom();
        Timeout::of_timespec(timeout.tv_sec, timeout.tv_nsec).is_some()
    }

    /// Permission bits, where 0 is the default.
    #[allow(clippy::unused_self, reason = "beside the other conversions of what C gives")]
    pub(crate) fn mode(&self, bits: u32) -> Result<Mode> {
        match bits {
            0 => Ok(Mode::default()),
            NO_MODE => Mode::new(0),
            bits => Mode::new(bits),
        }
    }

    /// Memory that the header demands to stay mapped where it is until the object placed in it is closed.
    pub(crate) fn region(
        &self,
        memory: &unipc_core::SharedMemory,
        offset: usize,
        length: usize,
    ) -> Result<Region> {
        if memory.is_read_only() {
            return Err(self.refused("shm", ErrorKind::ReadOnly));
        }
        let start = self.pointer("shm", memory.ptr_at(offset, length)?)?;
        // SAFETY: the range lies in the mapping, which by contract outlives the object.
        Ok(unsafe { Region::new(start, length, memory.name().clone(), std::sync::Arc::new(())) })
    }

    /// A set of signals.
    #[inline]
    pub(crate) fn signals(&self, set: *const sigset_t) -> Result<Set> {
        let set = self.pointer("set", set.cast_mut())?;
        // SAFETY: not NULL, so by contract a set that may be read.
        Ok(Set::from(unsafe { set.as_ref() }))
    }

    /// Flags of which each bit must be in `known`.
    #[inline]
    pub(crate) fn flags(&self, flags: c_uint, known: c_uint) -> Result<Flags> {
        match flags & !known {
            0 => Ok(Flags(flags)),
            unknown => Err(self.invalid("flags", format!("unknown bits {unknown:#x}"))),
        }
    }

    /// The caller's own descriptor, for one call.
    pub(crate) fn borrow(&self, fd: RawFd) -> Result<BorrowedFd<'_>> {
        if fd < 0 {
            return Err(self.refused("fd", ErrorKind::Os(libc::EBADF)));
        }
        // SAFETY: the descriptor is used for one call, which says EBADF if it is not open.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Several of them. NULL is fine for none.
    pub(crate) fn borrow_all(
        &self,
        fds: *const c_int,
        count: usize,
    ) -> Result<Vec<BorrowedFd<'_>>> {
        self.room(fds.cast_mut(), count)?.iter().map(|&fd| self.borrow(fd)).collect()
    }

    /// A copy of the caller's descriptor.
    pub(crate) fn duplicate(&self, fd: RawFd) -> Result<OwnedFd> {
        let bad = || self.refused("fd", ErrorKind::Os(libc::EBADF));
        self.borrow(fd)?.try_clone_to_owned().map_err(|error| {
            error.raw_os_error().map_or_else(bad, |errno| self.refused("fd", ErrorKind::Os(errno)))
        })
    }

    /// An address for a mapping, with the promises that the header asks for.
    pub(crate) fn placement(
        &self,
        address: *mut c_void,
        round: bool,
        replace: bool,
    ) -> Result<Option<Placement>> {
        match (address.is_null(), round || replace) {
            (true, true) => return Err(self.invalid("opts.address", "it is NULL")),
            (true, false) => return Ok(None),
            (false, _) => {}
        }
        // SAFETY: the header says that the range must be free to use.
        let exact = unsafe { Placement::at(address.addr()) };
        let placed = if round { exact.rounding() } else { exact };
        if !replace {
            return Ok(Some(placed));
        }
        // SAFETY: the header says that what lies in the range must be the caller's own and out of use.
        Ok(Some(unsafe { placed.replacing() }))
    }

    /// A function of the caller's, with what it is given, for another thread to call.
    pub(crate) fn callback(
        &self,
        argument: &'static str,
        function: Option<unsafe extern "C" fn(*mut c_void)>,
        data: *mut c_void,
    ) -> Result<impl FnOnce() + Send + use<>> {
        let function = function.ok_or_else(|| self.invalid(argument, "it is NULL"))?;
        let data = Handed(data);
        Ok(move || data.to(function))
    }

    /// The start of a buffer whose size is possible.
    #[inline]
    fn buffer<T>(&self, buffer: *mut T, length: usize) -> Result<NonNull<T>> {
        if length == 0 {
            return Ok(NonNull::dangling());
        }
        // No object is larger than this, so that a negative number in disguise is not followed.
        if length > isize::MAX.cast_unsigned() / size_of::<T>() {
            return Err(self.too_long());
        }
        self.pointer("buf", buffer)
    }
}

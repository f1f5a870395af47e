// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where C meets Rust: pointers are checked and turned into references, panics are caught, errors
//! become `-errno` and text. All else in this crate is safe code behind one call of [`Caller::trusted`].

mod arguments;
mod failure;
mod options;

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use unipc_core::{Error, ErrorKind, Result};

pub(crate) use arguments::Flags;
pub(crate) use failure::last_error;
pub(crate) use options::SizeFirst;

/// The C code that called, whose pointers may be followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    operation: &'static str,
}

/// What an exported function returns, and what it returns instead when it failed.
pub(crate) trait Answer {
    fn failed(errno: c_int) -> Self;
}

impl Answer for c_int {
    fn failed(errno: c_int) -> Self {
        -errno
    }
}

impl Answer for isize {
    fn failed(errno: c_int) -> Self {
        // An errno is a small number, so it fits.
        -Self::try_from(errno).unwrap_or(Self::MAX)
    }
}

impl Answer for usize {
    fn failed(_: c_int) -> Self {
        0
    }
}

impl Answer for () {
    fn failed(_: c_int) -> Self {}
}

impl<T> Answer for *mut T {
    fn failed(_: c_int) -> Self {
        std::ptr::null_mut()
    }
}

impl<T> Answer for *const T {
    fn failed(_: c_int) -> Self {
        std::ptr::null()
    }
}

/// A place for a result, known not to be NULL.
#[derive(Debug)]
pub(crate) struct Output<T>(NonNull<T>);

impl<T> Output<T> {
    pub(crate) fn set(self, value: T) {
        // SAFETY: `Caller::trusted` promises that the pointer may be written.
        unsafe { self.0.write(value) };
    }
}

/// A number of bytes as functions return it; no object is larger than it can tell.
#[inline]
pub(crate) fn count(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

/// Runs a body that must not unwind into C: a panic, like an error, becomes the answer, errno and a text.
#[inline]
pub(crate) fn guard<R: Answer>(operation: &'static str, body: impl FnOnce() -> Result<R>) -> R {
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(failure::of_panic(operation, payload.as_ref())));
    result.unwrap_or_else(|error| R::failed(failure::report(&error)))
}

/// Tells the compiler that the way past this call is not the usual one.
#[cold]
#[inline]
fn seldom() {}

impl Caller {
    /// Trusts the pointers of one call.
    ///
    /// # Safety
    ///
    /// Every pointer given to the methods of this value is NULL, or what the header demands of that argument:
    /// a handle that is open (and, unless the handle is `const`, in use by nobody else), a string that ends in NUL,
    /// or memory of the size told that may be read, or written, until the call ends.
    pub(crate) unsafe fn trusted(operation: &'static str) -> Self {
        Self { operation }
    }

    /// Runs the body of the call, see [`guard`].
    #[inline]
    pub(crate) fn guard<R: Answer>(&self, body: impl FnOnce() -> Result<R>) -> R {
        guard(self.operation, body)
    }

    /// A call on a handle that is over in nanoseconds when it succeeds. It is made outside of [`guard`], which costs as much:
    /// the core promises that it does not panic on that way. What fails is told as ever.
    #[inline]
    pub(crate) fn quick<T>(&self, handle: *const T, call: impl FnOnce(&T) -> Result<()>) -> c_int {
        // SAFETY: NULL, or by contract an open handle, a live value that nobody changes while it is in shared use.
        match unsafe { handle.as_ref() }.map(call) {
            Some(Ok(())) => 0,
            Some(Err(error)) => self.guard(|| Err(error)),
            None => self.guard(|| self.handle(handle).map(|_| 0)),
        }
    }

    /// As [`Caller::guard`], for what is seldom needed: it stays out of its caller's way.
    #[cold]
    #[inline(never)]
    #[allow(
        improper_ctypes_definitions,
        reason = "no C code calls it; it says that nothing unwinds"
    )]
    pub(crate) extern "C" fn seldom<R: Answer>(self, body: impl FnOnce(&Self) -> Result<R>) -> R {
        self.guard(|| body(&self))
    }

    /// Runs the body of a constructor. `*out` is NULL unless it succeeds.
    pub(crate) fn construct<T>(&self, out: *mut *mut T, body: impl FnOnce() -> Result<T>) -> c_int {
        self.construct_boxed(out, || body().map(Box::new))
    }

    /// As [`Caller::construct`], of what is made where it stays.
    #[inline]
    pub(crate) fn construct_boxed<T>(
        &self,
        out: *mut *mut T,
        body: impl FnOnce() -> Result<Box<T>>,
    ) -> c_int {
        self.guard(|| {
            let out = self.pointer("out", out)?;
            // SAFETY: `trusted` promises that the pointer may be written.
            unsafe { out.write(std::ptr::null_mut()) };
            Output(out).set(Box::into_raw(body()?));
            Ok(0)
        })
    }

    /// As [`Caller::construct`], for two handles that are made together. Both are NULL unless it succeeds.
    pub(crate) fn construct_pair<T>(
        &self,
        (one, other): (*mut *mut T, *mut *mut T),
        body: impl FnOnce() -> Result<(T, T)>,
    ) -> c_int {
        self.guard(|| {
            let (one, other) = (self.pointer("out", one)?, self.pointer("out", other)?);
            // SAFETY: `trusted` promises that the pointer may be written.
            unsafe { one.write(std::ptr::null_mut()) };
            // SAFETY: as above.
            unsafe { other.write(std::ptr::null_mut()) };
            if one == other {
                return Err(self.invalid("out", "both handles have the same place"));
            }
            let (first, second) = body()?;
            Output(one).set(Box::into_raw(Box::new(first)));
            Output(other).set(Box::into_raw(Box::new(second)));
            Ok(0)
        })
    }

    /// Ends what [`Caller::construct`] made; NULL is nothing.
    pub(crate) fn destroy<T>(&self, handle: *mut T) {
        self.guard(|| {
            if !handle.is_null() {
                // SAFETY: an open handle came from `construct`, and the caller gives it up.
                drop(unsafe { Box::from_raw(handle) });
            }
            Ok(())
        });
    }

    /// A handle that others may be using too.
    #[inline]
    pub(crate) fn handle<T>(&self, handle: *const T) -> Result<&T> {
        let handle = self.pointer("handle", handle.cast_mut())?;
        // SAFETY: an open handle is a live value, which nobody changes while it is in shared use.
        Ok(unsafe { handle.as_ref() })
    }

    /// A handle that others may be using too, or nothing: for what cannot fail.
    #[inline]
    #[allow(clippy::unused_self, reason = "that the caller is trusted is what makes it safe")]
    pub(crate) fn live<T>(&self, handle: *const T) -> Option<&T> {
        // SAFETY: NULL, or a live value, which nobody changes while it is in shared use.
        unsafe { handle.as_ref() }
    }

    /// A handle that nobody else is using.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "the value is the C caller's, not this one's")]
    pub(crate) fn handle_mut<T>(&self, handle: *mut T) -> Result<&mut T> {
        let mut handle = self.pointer("handle", handle)?;
        // SAFETY: an open handle is a live value, and a handle that is not const is the caller's alone.
        Ok(unsafe { handle.as_mut() })
    }

    /// An error about an argument, with the errno EINVAL.
    #[cold]
    pub(crate) fn invalid(&self, argument: &'static str, why: impl Into<String>) -> Error {
        self.refused(argument, ErrorKind::InvalidArgument(why.into().into()))
    }

    /// An error about room that is too small for the message that should go there.
    #[cold]
    pub(crate) fn too_small(&self, argument: &'static str, message: usize, room: usize) -> Error {
        let (message, buffer) = (message as u64, room as u64);
        self.refused(argument, ErrorKind::BufferSize { message, buffer })
    }

    #[cold]
    pub(crate) fn refused(&self, argument: &'static str, kind: ErrorKind) -> Error {
        Error::new(self.operation, argument, kind)
    }

    /// As [`Caller::invalid`], about a pointer, out of the way of those that are not NULL.
    #[cold]
    fn null(&self, argument: &'static str) -> Error {
        self.invalid(argument, "it is NULL")
    }

    /// As [`Caller::refused`], about a size, out of the way as well.
    #[cold]
    fn too_long(&self) -> Error {
        self.refused("len", ErrorKind::Os(libc::ERANGE))
    }

    #[inline]
    fn pointer<T>(&self, argument: &'static str, pointer: *mut T) -> Result<NonNull<T>> {
        NonNull::new(pointer).ok_or_else(|| self.null(argument))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a failure is told to C: errno, and words that the thread can ask for.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};

use unipc_core::{Error, ErrorKind};

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Sets errno and keeps the words; gives the errno.
pub(super) fn report(error: &Error) -> c_int {
    let words = without_nul(error.to_string());
    // A thread that is ending has no place for words any more; the number is told nevertheless.
    let _ = LAST.try_with(|last| last.replace(words));
    let errno = error.errno();
    // SAFETY: the address of this thread's errno is always valid.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { place.write(errno) };
    errno
}

/// The words of this thread's last failure, valid until its next one.
pub(crate) fn last_error() -> *const c_char {
    let nothing: &'static CStr = c"";
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(nothing.as_ptr())
}

/// A panic as an error: a fault of this library, which the host process survives.
pub(super) fn of_panic(operation: &'static str, payload: &(dyn Any + Send)) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".into());
    Error::new(operation, "libunipc", ErrorKind::Internal(text.into()))
        .with_advice("this is a fault of the library, please report it")
}

fn without_nul(text: String) -> CString {
    let mut bytes = text.into_bytes();
    bytes.retain(|&byte| byte != 0);
    CString::new(bytes).unwrap_or_default()
}

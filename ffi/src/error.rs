// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/error.h: what a return value means, as symbol and in words.

use std::ffi::{CString, c_char, c_int};
use std::sync::LazyLock;

use unipc_core::{description, errname};

use super::boundary::{guard, last_error};

/// More numbers than Linux has errnos.
const NUMBERS: c_int = 256;

/// Symbol and words of an errno, for ever.
struct Entry {
    symbol: CString,
    words: CString,
}

static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| (0..NUMBERS).map(entry).collect());
static UNKNOWN: LazyLock<Entry> = LazyLock::new(|| entry(NUMBERS));

fn entry(errno: c_int) -> Entry {
    let (symbol, words) = match errno {
        0 => ("OK".into(), "Success".into()),
        _ => (errname(errno), description(errno)),
    };
    // A number that has no symbol is not one; the number itself would need memory for each.
    let symbol = if symbol.contains(' ') { "unknown".into() } else { symbol };
    Entry { symbol: text(symbol), words: text(words) }
}

fn text(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).unwrap_or_default()
}

fn find(rc: c_int) -> &'static Entry {
    usize::try_from(rc.unsigned_abs()).ok().and_then(|at| TABLE.get(at)).unwrap_or(&UNKNOWN)
}

/// The words for what a function returned: "File exists" for -EEXIST.
///
/// rc: a negative return value, or an errno; 0 is "Success".
///
/// Returns a static string, in English; "Unknown errno" for a number that is none. Never NULL.
/// The same for every thread, unlike strerror(). Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_strerror(rc: c_int) -> *const c_char {
    guard("strerror", || Ok(find(rc).words.as_ptr()))
}

/// The symbol for what a function returned: "EEXIST" for -EEXIST.
///
/// rc: a negative return value, or an errno; 0 is "OK".
///
/// Returns a static string; "unknown" for a number that is no errno. Never NULL. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_errname(rc: c_int) -> *const c_char {
    guard("errname", || Ok(find(rc).symbol.as_ptr()))
}

/// This thread's last failure in words: what was tried, on which object, why it failed, what to do.
///
/// For example "create(/demo): File exists (EEXIST); the name is taken; open it, use open_or_create,
/// or replace it".
///
/// Returns a string that stays as it is until the next call of this thread that fails; "" before the
/// first. Never NULL. A call that succeeds leaves it alone. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_last_error() -> *const c_char {
    guard("last_error", || Ok(last_error()))
}

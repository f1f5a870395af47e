// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers, names, words.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::sync::LazyLock;

use unipc_core::signal::{self, Signal};

use super::boundary::{Caller, guard};

/// Name and description of each number from 1 on.
static WORDS: LazyLock<Vec<(CString, CString)>> = LazyLock::new(|| {
    let text = |words: String| CString::new(words).unwrap_or_default();
    let signals = (1..).map_while(|number| Signal::new(number).ok());
    signals.map(|signal| (text(signal.to_string()), text(signal.description()))).collect()
});

const UNKNOWN: &CStr = c"unknown";

fn words(sig: c_int) -> Option<&'static (CString, CString)> {
    WORDS.get(usize::try_from(sig.checked_sub(1)?).ok()?)
}

/// The number of a signal's name.
///
/// name: "SIGINT", "INT", "SIGRTMIN+3", "RTMAX-1", in small letters too, or a number, as kill(1)
///       takes them
///
/// Returns the number, from 1 to 64. Or
///   -EINVAL  no signal has this name; name is NULL
/// Since 0.1. See signal(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_number(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("signal_number") };
    caller.guard(|| {
        let name = caller.text("name", name)?.to_string_lossy();
        name.parse().map(Signal::number)
    })
}

/// The name of a signal: "SIGINT", "SIGRTMIN+3".
///
/// sig: its number
///
/// Returns a static string, "unknown" for what is no signal. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_name(sig: c_int) -> *const c_char {
    guard("signal_name", || Ok(words(sig).map_or(UNKNOWN.as_ptr(), |words| words.0.as_ptr())))
}

/// A signal in words: "Interrupt", "Real-time signal 3".
///
/// sig: its number
///
/// Returns a static string, "unknown" for what is no signal. Since 0.1. See strsignal(3), which is
/// not safe in threads.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_description(sig: c_int) -> *const c_char {
    let text = || words(sig).map_or(UNKNOWN.as_ptr(), |words| words.1.as_ptr());
    guard("signal_description", || Ok(text()))
}

/// What a signal does to a process that has said nothing about it.
///
/// sig: its number
///
/// Returns a unipc_signal_default. Or
///   -EINVAL  it is no signal
/// Since 0.1. See signal(7).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_default_action(sig: c_int) -> c_int {
    guard("signal_default_action", || Ok(Signal::new(sig)?.default_action() as c_int))
}

/// The real-time signal SIGRTMIN + offset.
///
/// offset: from 0; SIGRTMAX is the last
///
/// Returns the number. Or
///   -EINVAL  it lies beyond SIGRTMAX
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_realtime(offset: c_uint) -> c_int {
    guard("signal_realtime", || Signal::realtime(offset).map(Signal::number))
}

/// The name of the reason for which a signal came.
///
/// sig:  info.signal
/// code: info.code
///
/// Returns a static string: "SI_USER" for kill(), "SI_QUEUE" for sigqueue(), "SI_TKILL" for one
/// thread, "CLD_EXITED" ...; "unknown" for what has no name here. Since 0.1. See sigaction(2).
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_cause(sig: c_int, code: c_int) -> *const c_char {
    guard("signal_cause", || {
        let name = Signal::new(sig).map_or("unknown", |signal| signal::cause(signal, code));
        Ok(known_cause(name))
    })
}

/// The same words with a NUL behind them, each made once.
fn known_cause(name: &'static str) -> *const c_char {
    static CAUSES: LazyLock<Vec<CString>> = LazyLock::new(|| {
        let signals = (1..).map_while(|number| Signal::new(number).ok());
        let codes = |signal| (-8..=0x80).map(move |code| signal::cause(signal, code));
        let names = signals.flat_map(codes).collect::<std::collections::BTreeSet<_>>();
        names.into_iter().filter_map(|name| CString::new(name).ok()).collect()
    });
    let found = CAUSES.binary_search_by(|text| text.as_bytes().cmp(name.as_bytes()));
    found.ok().and_then(|i| CAUSES.get(i)).map_or(UNKNOWN.as_ptr(), |text| text.as_ptr())
}

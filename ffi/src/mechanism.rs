// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/mechanism.h: the mechanisms of Linux beside each other, as data.

use std::ffi::{CString, c_char, c_int};
use std::sync::LazyLock;

use unipc_core::mechanism::{ALL, Mechanism, Persistence};

use super::boundary::Caller;

/// How long what was put there stays.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_persistence {
    /// Until the last process that has it open ends.
    UNIPC_PERSISTENCE_PROCESS = 1,
    /// Until it is removed, or the machine stops.
    UNIPC_PERSISTENCE_KERNEL = 2,
    /// Until it is removed.
    UNIPC_PERSISTENCE_FILE_SYSTEM = 3,
}

/// What besides the order of sending decides what comes next.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_selection {
    /// Nothing: first in, first out.
    UNIPC_SELECTION_NOTHING = 0,
    /// The receiver asks for a type.
    UNIPC_SELECTION_TYPE = 1,
    /// The highest priority comes first.
    UNIPC_SELECTION_PRIORITY = 2,
    /// The lowest signal number comes first.
    UNIPC_SELECTION_NUMBER = 3,
}

/// A mechanism and what it gives: 1 yes, 0 no, -1 the question does not arise.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_mechanism {
    /// What it is called.
    pub name: *const c_char,
    /// The header of this library that has it, without ".h".
    pub room: *const c_char,
    /// What else there is to know; "" for nothing.
    pub remark: *const c_char,
    /// Can one send without opening or connecting anything first?
    pub connectionless: i32,
    /// Does everything arrive that was accepted, and in order?
    pub reliable: i32,
    /// Does a sender that is too fast wait for the receiver?
    pub flow_control: i32,
    /// Is what is sent at once received at once?
    pub records: i32,
    /// A UNIPC_SELECTION_ constant.
    pub selection: i32,
    /// Is what one reader has read gone for the others?
    pub consumed: i32,
    /// A UNIPC_PERSISTENCE_ constant.
    pub persistence: i32,
    /// Not used: 0.
    pub reserved: i32,
}

/// The words of a mechanism as C reads them.
struct Words {
    name: CString,
    room: CString,
    remark: CString,
}

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| ALL.iter().map(words).collect());

fn words(mechanism: &Mechanism) -> Words {
    let text = |text: &str| CString::new(text).unwrap_or_default();
    Words { name: text(mechanism.name), room: text(mechanism.room), remark: text(mechanism.remark) }
}

/// How many mechanisms there are.
///
/// Returns the number. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_mechanism_count() -> usize {
    ALL.len()
}

/// A mechanism and what it gives.
///
/// index: from 0 to unipc_mechanism_count() - 1
/// out:   where it goes; its strings are for ever
///
/// Returns 0, or
///   -EINVAL  there is no such index; out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mechanism_at(index: usize, out: *mut unipc_mechanism) -> c_int {
    // SAFETY: the header asks for a place.
    let caller = unsafe { Caller::trusted("mechanism") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        let (Some(it), Some(words)) = (ALL.get(index), WORDS.get(index)) else {
            return Err(caller.invalid("index", format!("there are {} mechanisms", ALL.len())));
        };
        let answer = |answer: Option<bool>| answer.map_or(-1, i32::from);
        out.set(unipc_mechanism {
            name: words.name.as_ptr(),
            room: words.room.as_ptr(),
            remark: words.remark.as_ptr(),
            connectionless: it.connectionless.into(),
            reliable: answer(it.reliable),
            flow_control: answer(it.flow_control),
            records: answer(it.records),
            selection: it.selection as i32,
            consumed: it.consumed.into(),
            persistence: it.persistence as i32,
            reserved: 0,
        });
        Ok(0)
    })
}

const _: () = assert!(
    Persistence::Process as i32 == unipc_persistence::UNIPC_PERSISTENCE_PROCESS as i32
        && Persistence::FileSystem as i32
            == unipc_persistence::UNIPC_PERSISTENCE_FILE_SYSTEM as i32
);

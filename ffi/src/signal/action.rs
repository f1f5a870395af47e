// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dispositions.

use std::ffi::c_int;

use unipc_core::Result;
use unipc_core::signal::{self, Action, ActionFlags, Disposition, Set, Signal};

use super::boundary::{Caller, guard};
use super::unipc_signal_action_values;

/// What the process does with a signal.
///
/// sig: the signal
/// out: where that goes
///
/// Returns 0.
/// Errors:
///   -EINVAL  it is no signal, or one of the C library's; out is NULL
/// Since 0.1. See sigaction(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_action(
    sig: c_int,
    out: *mut unipc_signal_action_values,
) -> c_int {
    // SAFETY: the header asks for a place for the action.
    let caller = unsafe { Caller::trusted("action") };
    caller.guard(|| {
        let out = caller.output("out", out)?;
        out.set(signal::action(Signal::new(sig)?)?.into());
        Ok(0)
    })
}

/// Sets what the process does with a signal, for all its threads. Whatever was in force is replaced.
///
/// sig:    the signal
/// action: UNIPC_SIGNAL_DEFAULT or UNIPC_SIGNAL_IGNORE with flags, or what unipc_signal_action() or
///         `before` told, to put it back. For functions of the program's own there is sigaction();
///         better is a unipc_signal_counter.
/// before: where goes what was in force; may be NULL
///
/// fork() keeps actions; a program that is executed inherits what is ignored and has the default for
/// all else.
///
/// Returns 0.
/// Errors:
///   -EINVAL  it is no signal, SIGKILL, SIGSTOP or one of the C library's; an unknown disposition or
///            flag; action is NULL
/// Since 0.1. See sigaction(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_set_action(
    sig: c_int,
    action: *const unipc_signal_action_values,
    before: *mut unipc_signal_action_values,
) -> c_int {
    // SAFETY: the header asks for an action whose handler may be called, and for a place for another.
    let caller = unsafe { Caller::trusted("set_action") };
    caller.guard(|| {
        let action = from_c(&caller, caller.handle(action)?)?;
        caller.give(before, signal::set_action(Signal::new(sig)?, action)?.into());
        Ok(0)
    })
}

/// Ignores a signal from now on.
///
/// sig:    the signal
/// before: where goes what was in force, for unipc_signal_set_action(); may be NULL
///
/// Returns 0.
/// Errors:
///   -EINVAL  it is no signal, SIGKILL, SIGSTOP or one of the C library's
/// Since 0.1. See sigaction(2) SIG_IGN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_ignore(
    sig: c_int,
    before: *mut unipc_signal_action_values,
) -> c_int {
    // SAFETY: the header asks for a place for an action.
    let caller = unsafe { Caller::trusted("ignore") };
    caller.guard(|| {
        caller.give(before, signal::ignore(Signal::new(sig)?)?.into());
        Ok(0)
    })
}

/// Lets a signal do what it does by itself.
///
/// sig:    the signal
/// before: where goes what was in force; may be NULL
///
/// Returns 0.
/// Errors: as unipc_signal_ignore()
/// Since 0.1. See sigaction(2) SIG_DFL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_signal_reset(
    sig: c_int,
    before: *mut unipc_signal_action_values,
) -> c_int {
    // SAFETY: the header asks for a place for an action.
    let caller = unsafe { Caller::trusted("reset") };
    caller.guard(|| {
        caller.give(before, signal::reset(Signal::new(sig)?)?.into());
        Ok(0)
    })
}

/// Makes sure that no handler would be lost by setting another action.
///
/// sig: the signal
///
/// Returns 0.
/// Errors:
///   -EBUSY   there is one; unipc_last_error() tells whose
///   -EINVAL  it is no signal, or one of the C library's
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_signal_ensure_unhandled(sig: c_int) -> c_int {
    guard("ensure_unhandled", || signal::ensure_unhandled(Signal::new(sig)?).map(|()| 0))
}

impl From<Action> for unipc_signal_action_values {
    fn from(action: Action) -> Self {
        Self {
            disposition: action.disposition() as i32,
            flags: action.flags().bits(),
            handler: action.handler(),
            mask: action.mask().into(),
        }
    }
}

fn from_c(caller: &Caller, action: &unipc_signal_action_values) -> Result<Action> {
    let flags = ActionFlags::from_bits(action.flags).ok_or_else(|| {
        caller.invalid("action.flags", format!("unknown bits in {:#x}", action.flags))
    })?;
    let simple = match action.disposition {
        it if it == Disposition::Default as i32 => Action::default(),
        it if it == Disposition::Ignore as i32 => Action::ignore(),
        it if it == Disposition::Handler as i32 || it == Disposition::Counter as i32 => {
            // SAFETY: the header says that it is what was in force before, or may be called as a handler.
            return Ok(unsafe {
                Action::from_parts(action.handler, flags, Set::from(&action.mask))
            });
        }
        other => return Err(caller.invalid("action.disposition", format!("it is {other}"))),
    };
    Ok(simple.with_flags(flags))
}

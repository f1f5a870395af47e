// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who does it: a cell that one holds, and a word that says that it is done.

use std::sync::atomic::Ordering;

use crate::error::ErrorKind;
use crate::map::cell::OWNER_DIED;
use crate::map::lines::Lines;
use crate::sync::hold::{self, Entered, Sleep, Spin};
use crate::sync::object::{MAIN, WAITING};
use crate::time::Timeout;

const DONE: u32 = 1;

/// Is it done?
#[inline]
pub(super) fn is_done(lines: &Lines) -> bool {
    // SYNC: pairs with `end`.
    lines.cell(MAIN).state.load(Ordering::Acquire) == DONE
}

/// `None`: it is done. Otherwise it is the caller's to do.
pub(super) fn begin(
    lines: &Lines,
    timeout: Timeout,
    spin: &Spin,
) -> Result<Option<Entered>, ErrorKind> {
    if lines.is_mine(MAIN)? {
        return Err(ErrorKind::Os(libc::EDEADLK));
    }
    let mut sleep = Sleep::new(timeout);
    let entered = hold::take(lines, MAIN, &mut sleep, Some(WAITING), spin)?;
    lines.check()?;
    if is_done(lines) {
        lines.give_back(MAIN, 0, i32::MAX)?;
        return Ok(None);
    }
    Ok(Some(entered))
}

/// The caller has done it, or leaves it to the next.
pub(super) fn end(lines: &Lines, done: bool) -> Result<(), ErrorKind> {
    if !lines.is_mine(MAIN)? {
        return Err(ErrorKind::Os(libc::EPERM));
    }
    let cell = lines.cell(MAIN);
    if done {
        // SYNC: release pairs with the acquire in `is_done`: what was made is seen by all who find it done.
        cell.state.store(DONE, Ordering::Release);
        return lines.give_back(MAIN, 0, i32::MAX);
    }
    // Whoever has died before has begun all the same.
    let died = cell.word.load(Ordering::Relaxed) & OWNER_DIED;
    lines.give_back(MAIN, died, 1)
}

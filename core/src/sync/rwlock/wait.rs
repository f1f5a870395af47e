// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for others to leave.

use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::Acquired;
use super::robust::{Quick, Robust};
use crate::error::ErrorKind;
use crate::map::cell::{HOLDER, OWNER_DIED, WAITERS};
use crate::sync::gate::{Gate, watch};
use crate::sync::hold::{self, Entered, RETIRED, Sleep, Waiting};
use crate::sync::object::{HEAD, MAIN, WAITING};
use crate::sys::futex;
use crate::time::Timeout;

impl Robust {
    #[cold]
    pub(super) fn read(&self, quick: &Quick, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        self.step_back()?;
        let lines = &self.object.lines;
        if let Some(acquired) = self.try_read(quick)? {
            lines.check()?;
            return Ok(acquired);
        }
        if lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EDEADLK));
        }
        let mut sleep = Sleep::new(timeout);
        sleep.check_try()?;
        sleep.start();
        let mut found = self.spin.until(|| self.try_read(quick).transpose()).transpose()?;
        let mut waiting = None;
        let acquired = loop {
            if let Some(acquired) = found {
                break acquired;
            }
            self.await_room(&mut sleep, &mut waiting)?;
            found = self.try_read(quick)?;
        };
        lines.check()?;
        Ok(acquired)
    }

    /// Sleeps while somebody writes, or while all lines are taken.
    fn await_room<'a>(
        &'a self,
        sleep: &mut Sleep,
        waiting: &mut Option<Waiting<'a>>,
    ) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let writer = &lines.cell(MAIN).word;
        let seen = writer.load(Ordering::SeqCst);
        if seen & HOLDER != 0 && !hold::is_retired(seen) {
            return self.await_end_of(MAIN, seen, sleep, waiting);
        }
        let gate = Gate::of(lines);
        let prepared = gate.prepare();
        let is_free = |word| word & HOLDER == 0;
        let Some(watched) = watch(lines, HEAD..lines.count(), is_free) else { return Ok(()) };
        let before = sleep.slice();
        gate.sleep(prepared, watched, waiting, sleep)?;
        if sleep.slice() != before {
            for index in HEAD..lines.count() {
                lines.bury(index);
            }
        }
        Ok(())
    }

    /// Sleeps until the holder of a cell whose word is `seen` leaves, or it is time for another look.
    fn await_end_of<'a>(
        &'a self,
        index: usize,
        seen: u32,
        sleep: &mut Sleep,
        waiting: &mut Option<Waiting<'a>>,
    ) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let word = &lines.cell(index).word;
        let marked = seen | WAITERS;
        let exchanged = word.compare_exchange(seen, marked, Ordering::SeqCst, Ordering::Relaxed);
        if seen != marked && exchanged.is_err() {
            return Ok(());
        }
        let limit = sleep.limit()?;
        if waiting.is_none() {
            *waiting = Some(Waiting::announce(lines.words(WAITING)));
        }
        lines.check()?;
        match futex::wait(word, marked, limit) {
            Ok(()) | Err(Errno::EAGAIN) => Ok(()),
            Err(Errno::ETIMEDOUT) => {
                sleep.lengthen();
                lines.bury(index);
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    #[cold]
    pub(super) fn write(&self, timeout: Timeout) -> Result<Acquired, ErrorKind> {
        self.step_back()?;
        let lines = &self.object.lines;
        if lines.latest_of_mine_in_list(HEAD)?.is_some() || lines.is_mine(MAIN)? {
            return Err(ErrorKind::Os(libc::EDEADLK));
        }
        let mut sleep = Sleep::new(timeout);
        let entered = hold::take(lines, MAIN, &mut sleep, Some(WAITING), &self.spin)?;
        let drained = self.drain(&mut sleep).and_then(|()| lines.check());
        if let Err(kind) = drained {
            let left = if entered == Entered::OwnerDied { OWNER_DIED } else { 0 };
            lines.give_back(MAIN, left, i32::MAX)?;
            return Err(kind);
        }
        Ok(entered.into())
    }

    /// Waits until all readers have left; new ones stay out meanwhile.
    fn drain(&self, sleep: &mut Sleep) -> Result<(), ErrorKind> {
        let lines = &self.object.lines;
        let mut waiting = None;
        for index in HEAD..HEAD + self.used() {
            let word = &lines.cell(index).word;
            // SYNC: see `try_read`.
            let is_left = || word.load(Ordering::SeqCst) & HOLDER == 0;
            if is_left() {
                continue;
            }
            sleep.check_try()?;
            sleep.start();
            if self.spin.until(|| is_left().then_some(())).is_some() {
                continue;
            }
            loop {
                let seen = word.load(Ordering::SeqCst);
                if matches!(seen & HOLDER, 0 | RETIRED) {
                    break;
                }
                self.await_end_of(index, seen, sleep, &mut waiting)?;
            }
        }
        Ok(())
    }
}

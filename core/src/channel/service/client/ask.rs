// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a question is put.

use super::super::message::{HAS_DEADLINE, Header};
use super::super::now;
use super::{Call, Client};
use crate::channel::layout::{CALLS, DIRECT};
use crate::channel::owed::Open;
use crate::error::{ErrorKind, Result};
use crate::time::Timeout;

impl Client {
    /// Asks, and does not wait for the answer: [`Client::wait`] does. `timeout` is for both: a server may leave a question unanswered
    /// for which nobody waits any more.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT` when the service takes no more questions, `EMSGSIZE`, `EINTR`; `EBUSY` when 8 calls are open.
    #[inline]
    pub fn begin(&mut self, question: &[u8], timeout: Timeout) -> Result<Call> {
        self.begin_until(question, timeout, timeout)
    }

    /// As [`Client::begin`], with one time for sending the question and another, from now on too, for having the answer.
    pub fn begin_until(
        &mut self,
        question: &[u8],
        timeout: Timeout,
        answer: Timeout,
    ) -> Result<Call> {
        self.ask(question, timeout, answer).map_err(|kind| self.seat.failed("begin", kind))
    }

    #[inline]
    fn ask(
        &mut self,
        question: &[u8],
        timeout: Timeout,
        answer: Timeout,
    ) -> Result<Call, ErrorKind> {
        let is_free = |number: &u16| self.open[usize::from(*number) % CALLS].is_none();
        let numbers = std::iter::successors(Some(self.next), |number| Some(number.wrapping_add(1)));
        let number = match numbers.take(CALLS).find(is_free) {
            Some(number) => number,
            None => self.number_of_given_up()?,
        };
        self.next = number.wrapping_add(1);
        let deadline = match answer {
            Timeout::After(left) if !left.is_zero() => Some(now().saturating_add(left)),
            _ => None,
        };
        let moment = deadline.map(|it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX));
        let open = match self.ask_directly(number, moment, question)? {
            Some(open) => open,
            None => self.ask_in_ring(number, moment, question, timeout)?,
        };
        self.open[usize::from(number) % CALLS] = Some(open);
        self.owed.set(open);
        Ok(Call(number))
    }

    /// Nothing is free: a place is to be used again of a call that was given up and whose answer has not come yet.
    #[cold]
    fn number_of_given_up(&mut self) -> Result<u16, ErrorKind> {
        let numbers = std::iter::successors(Some(self.next), |number| Some(number.wrapping_add(1)));
        let is_given_up =
            |number: &u16| self.open[usize::from(*number) % CALLS].is_some_and(Open::is_given_up);
        numbers.take(CALLS).find(is_given_up).ok_or_else(all_open)
    }

    /// Asks in the line, if it is free and the question fits.
    #[inline]
    fn ask_directly(
        &mut self,
        number: u16,
        moment: Option<u64>,
        question: &[u8],
    ) -> Result<Option<Open>, ErrorKind> {
        self.seat.home().check()?;
        let length = question.len() + if moment.is_some() { 8 } else { 0 };
        // What is in the ring comes first.
        if length > DIRECT || !self.line.is_free() || !self.questions.is_all_taken() {
            return Ok(None);
        }
        let asked = self.line.ask(number, moment, question, self.questions.must_fence());
        self.questions.has_sent_aside();
        Ok(Some(Open::direct(asked)))
    }

    fn ask_in_ring(
        &mut self,
        number: u16,
        moment: Option<u64>,
        question: &[u8],
        timeout: Timeout,
    ) -> Result<Open, ErrorKind> {
        let header = Header { client: self.seat.ticket.0, call: number, what: 0 };
        if let Some(moment) = moment {
            let word = Header { what: HAS_DEADLINE, ..header }.word();
            self.questions.send_after([word, moment], question, timeout)?;
        } else {
            self.questions.send_after([header.word()], question, timeout)?;
        }
        Ok(Open::in_ring(number, self.questions.sent_up_to()))
    }
}

#[cold]
fn all_open() -> ErrorKind {
    ErrorKind::Busy(format!("{CALLS} calls are open; wait for one first").into())
}

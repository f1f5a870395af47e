// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every handle has: a place among the participants, and what its two halves need.

use std::sync::Arc;

use super::aside::Aside;
use super::layout::{Control, Half, Participant, Turn};
use super::memory::Memory;
use super::participant::{self, Ticket};
use super::receiver::Receiver;
use super::ring::Ring;
use super::room::Room;
use super::sender::Sender;
use super::turn::{Taker, bury};
use crate::error::{Error, ErrorKind};
use crate::map::mirror::Part;
use crate::name::Name;
use crate::sys::{fork, membarrier};

/// How a channel is called.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// Its name; in a place, that of the segment.
    pub(super) name: Name,
    /// What errors say.
    pub(super) text: String,
}

impl From<Name> for Label {
    fn from(name: Name) -> Self {
        let text = name.to_string();
        Self { name, text }
    }
}

/// The place among the participants, given back at the end.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) memory: Arc<Memory>,
    pub(super) label: Label,
    pub(super) slot: usize,
    pub(super) ticket: Ticket,
    /// This process cannot be made to pass a barrier by others: it must use fences itself.
    pub(super) fences: bool,
    process: u32,
}

/// Which process a handle belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home(u32);

impl Home {
    /// Errors: `EINVAL` in a child of fork.
    #[inline]
    pub(super) fn check(self) -> Result<(), ErrorKind> {
        if fork::generation() == self.0 { Ok(()) } else { Err(elsewhere()) }
    }
}

#[cold]
fn elsewhere() -> ErrorKind {
    ErrorKind::invalid("this handle is the parent's: open the channel anew in a child of fork")
}

impl Seat {
    pub(super) fn take(memory: Arc<Memory>, label: Label) -> Result<Self, ErrorKind> {
        let fences = !membarrier::register();
        let process = fork::generation();
        let control = &memory.control;
        let (slot, ticket) = participant::join(&memory.slots, |dead| {
            bury(&control.producers.0, dead);
            bury(&control.consumers.0, dead);
        })?;
        Ok(Self { memory, label, slot, ticket, fences, process })
    }

    /// Is this the process that opened the handle, and not a child of it?
    pub(super) fn is_here(&self) -> bool {
        self.home().check().is_ok()
    }

    pub(super) fn home(&self) -> Home {
        Home(self.process)
    }

    /// The main ring.
    pub(super) fn ring(&self) -> Ring {
        let front = self.memory.control.project(|control| &control.front.0);
        Ring::new(Arc::clone(&self.memory.mirror), front, self.memory.message_size)
    }

    /// The half that sends through a queue which others receive from.
    pub(super) fn queue_sender(&self, control: &Part<Control>, ring: Ring) -> Sender {
        let room = Room::Queue {
            head: control.project(|control| &control.head.0),
            credit: control.project(|control| &control.credit.0),
        };
        let turn = self.taker(control.project(|it| &it.producers.0), |it| &it.sender);
        Sender::new(Arc::clone(&self.memory), control, ring, turn, room, self.fences)
    }

    /// The half that receives from a queue.
    pub(super) fn queue_receiver<A: Aside>(
        &self,
        control: &Part<Control>,
        ring: Ring,
        aside: A,
    ) -> Receiver<A> {
        let turn = self.taker(control.project(|it| &it.consumers.0), |it| &it.receiver);
        Receiver::new(Arc::clone(&self.memory), control, ring, turn, self.fences, aside)
    }

    pub(super) fn taker(
        &self,
        turn: Part<Turn>,
        choose: for<'a> fn(&'a Participant) -> &'a Half,
    ) -> Taker {
        Taker::new(
            turn,
            Arc::clone(&self.memory.slots),
            self.slot,
            self.ticket,
            (self.home(), self.fences),
            choose,
        )
    }

    pub(super) fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let advice = match kind {
            ErrorKind::Os(libc::EPIPE) if matches!(operation, "reply" | "reply_part" | "fail") => {
                "the client that asked is gone: nobody waits for the answer"
            }
            ErrorKind::Os(libc::EPIPE) => "the server that had taken the question died; ask again",
            _ => return kind.during(operation, &self.label.text),
        };
        kind.during(operation, &self.label.text).with_advice(advice)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_here() {
            participant::leave(&self.memory.slots[self.slot]);
        }
    }
}

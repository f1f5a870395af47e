// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handles, as `Queue`, `Topic` and `Subscriber` put them together.

use std::sync::Arc;

use super::aside::Nothing;
use super::memory::Memory;
use super::receiver::Receiver;
use super::room::Room;
use super::seat::Seat;
use super::sender::Sender;
use super::subscriber::{Reader, Start};
use crate::error::ErrorKind;
use crate::name::Name;

/// What one thread has.
pub(super) struct Party {
    half: Half,
    seat: Seat,
}

enum Half {
    Queue(Box<(Sender, Receiver)>),
    Topic(Box<Sender>),
    Subscriber(Box<Reader>),
}

impl Party {
    pub(super) fn queue(memory: &Arc<Memory>) -> Result<Self, ErrorKind> {
        let seat = Seat::take(Arc::clone(memory), Name.into())?;
        let control = &memory.control;
        let sender = seat.queue_sender(control, seat.ring());
        let receiver = seat.queue_receiver(control, seat.ring(), Nothing);
        Ok(Self { half: Half::Queue(Box::new((sender, receiver))), seat })
    }

    pub(super) fn topic(memory: &Arc<Memory>) -> Result<Self, ErrorKind> {
        let seat = Seat::take(Arc::clone(memory), Name.into())?;
        let control = &memory.control;
        let room = Room::Topic {
            credit: control.project(|control| &control.credit.0),
            slots: Arc::clone(&memory.slots),
            reliable: memory.reliable,
        };
        let turn = seat.taker(control.project(|it| &it.producers.0), |it| &it.sender);
        let ring = seat.ring();
        let sender = Sender::new(Arc::clone(memory), control, ring, turn, room, seat.fences);
        Ok(Self { half: Half::Topic(Box::new(sender)), seat })
    }

    pub(super) fn subscriber(memory: &Arc<Memory>, start: Start) -> Result<Self, ErrorKind> {
        let seat = Seat::take(Arc::clone(memory), Name.into())?;
        let control = &memory.control;
        let mut turn = seat.taker(control.project(|it| &it.producers.0), |it| &it.sender);
        let half = memory.slots[seat.slot].project(|it| &it.receiver);
        let (ring, home) = (seat.ring(), seat.home());
        let memory = Arc::clone(memory);
        let begun = Reader::begin(memory, ring, half, &mut turn, seat.fences, home, start);
        turn.leave();
        Ok(Self { half: Half::Subscriber(Box::new(begun?)), seat })
    }

    /// Its place.
    pub(super) fn slot(&self) -> usize {
        self.seat.slot
    }

    pub(super) fn sends(&self) -> bool {
        !matches!(self.half, Half::Subscriber(_))
    }

    pub(super) fn sender(&mut self) -> &mut Sender {
        match &mut self.half {
            Half::Queue(both) => &mut both.0,
            Half::Topic(sender) => sender,
            Half::Subscriber(_) => panic!("a subscriber does not send"),
        }
    }

    pub(super) fn receiver(&mut self) -> &mut Receiver {
        match &mut self.half {
            Half::Queue(both) => &mut both.1,
            _ => panic!("no queue"),
        }
    }

    pub(super) fn reader(&mut self) -> &mut Reader {
        match &mut self.half {
            Half::Subscriber(reader) => reader,
            _ => panic!("no subscriber"),
        }
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        match &self.half {
            Half::Queue(both) => {
                both.0.leave();
                both.1.leave();
            }
            Half::Topic(sender) => sender.leave(),
            Half::Subscriber(reader) => reader.leave(),
        }
    }
}

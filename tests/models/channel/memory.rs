// SPDX-License-Identifier: MIT OR Apache-2.0
//! A channel's memory that is made already.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use zerocopy::FromZeros;

use super::layout::{Control, Direct, Participant, Settings};
use crate::error::ErrorKind;
use crate::map::mirror::{Mirror, Part};

/// What is chosen when a channel is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Bytes of the ring: as few as will do.
    pub(super) ring: usize,
    /// 0: messages of any size.
    pub(super) message_size: u32,
    pub(super) participants: usize,
    /// Of a topic: publishers wait for subscribers.
    pub(super) reliable: bool,
    /// Of a service: bytes of each ring of answers.
    pub(super) replies: usize,
}

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) mirror: Arc<Mirror>,
    pub(super) settings: Part<Settings>,
    pub(super) control: Part<Control>,
    pub(super) slots: Arc<[Part<Participant>]>,
    pub(super) lines: Arc<[Part<Direct>]>,
    pub(super) message_size: u32,
    pub(super) reliable: bool,
    replies: Vec<(Arc<Mirror>, Part<Control>)>,
}

impl Memory {
    pub(super) fn new(shape: Shape) -> Self {
        let slots = (0..shape.participants).map(|_| Part::new(Participant::new_zeroed()));
        let places = if shape.replies == 0 { 0 } else { shape.participants };
        let queue = |_| (Arc::new(Mirror::new(shape.replies)), Part::new(Control::new_zeroed()));
        Self {
            mirror: Arc::new(Mirror::new(shape.ring)),
            settings: Part::new(Settings::new_zeroed()),
            control: Part::new(Control::new_zeroed()),
            slots: slots.collect(),
            lines: (0..places).map(|_| Part::new(Direct::new_zeroed())).collect(),
            message_size: shape.message_size,
            reliable: shape.reliable,
            replies: (0..places).map(queue).collect(),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "as in the original")]
    pub(super) fn replies(&self, slot: usize) -> Result<(Arc<Mirror>, Part<Control>), ErrorKind> {
        Ok(self.replies[slot].clone())
    }

    #[allow(clippy::unused_self, reason = "as in the original")]
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        panic!("it has none")
    }

    pub(super) fn fences(&self) -> bool {
        // It changes once, where the kernel lacks a barrier: no step.
        self.settings.fences.plain().load(Ordering::SeqCst) != 0
    }
}

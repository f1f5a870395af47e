// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels: one ring in shared memory.

mod declared;
mod doorbell;
mod layout;
mod memory;
mod options;
mod owed;
mod pace;
mod participant;
mod queue;
mod receiver;
mod record;
mod ring;
mod room;
mod seat;
mod sender;
mod service;
mod subscriber;
mod topic;
mod turn;
mod wait;

use std::sync::atomic::Ordering;

pub use options::{Channel, Options};
pub use queue::{Queue, QueueReceiver, QueueSender};
pub use service::{Answer, Call, Client, Question, Service, ServiceReceiver, ServiceSender};
pub use subscriber::{Received, Start};
pub use topic::{Subscriber, Topic};

use crate::sys::atomic::AtomicU64;

/// Adds one to a figure that one thread alone writes.
fn count(figure: &AtomicU64) {
    figure.store(figure.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

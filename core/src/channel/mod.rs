// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels: one ring in shared memory.
//!
//! # What a message costs
//!
//! The lines that move between two processors; all else is little. The figures are of a machine whose two processors share
//! no cache: R is a round trip of one word in a line for each direction (540 ns), S is a line of a stream (28 ns).
//!
//! - **To a consumer that waits** a message of up to 48 bytes comes in the line that it polls; of one of up to 104 bytes the
//!   rest is in the next line, which is written first: what is written to the line that is polled is seen at once, and
//!   the line is gone. A consumer that finds its messages there does not look at the ring: to fetch the ring's line as
//!   well took it from the producer, who needs it for the next message (a round trip of 8 bytes 1.04 → 1.0 R, of 64 1.26 → 1.16 R).
//! - **In a stream** each store waits for the line of the store before it, and the lines are where the consumer has read
//!   them. The stores of a call, mostly to its stack, fill the processor's queue of stores, so that no
//!   more than two or three lines were under way: 120 ns for a message of 64 bytes with nobody reading. An instruction
//!   that prefetches a line to write changes nothing, in whatever distance. A store to each of the sixteen lines that come next does:
//!   34 ns, one way 4.6 → 1.7 S.
//! - **A consumer on a producer's heels** takes the lines away that are being written: it waits a moment first, for as long as
//!   several messages come in it, up to 3 us when many do.
//!
//! Not reached: a round trip of 8 bytes in 0.85 R (here 1.0 to 1.1). Sending costs 10 ns and receiving 15; with either
//! of the two done by a few instructions on the same bytes it is 0.75 R, with both by these 0.71. Longer and shorter pauses
//! between polls, fewer stores, and other orders of them gave no difference. Question and answer of a service in 0.65 R (here 1.2 at 8 bytes, 1.3 at
//! 56): it would need one line for both directions, which takes 0.61 R by itself.

mod declared;
mod doorbell;
mod ground;
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

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
//!   several messages come in it, up to 3 us when many do. It says so, and nothing is put beside the tail meanwhile: one way
//!   64 bytes 1.65 → 1.0 S, in a topic 2.15 → 1.8 S. Who receives by turns with sending finds nothing more in such a moment; it
//!   hardly waits: two processes that both send to and receive from one queue 500 → 60 ns.
//! - **Between processors that share a cache** (R is 140 ns there, S 7 ns) a third of a round trip are instructions, from the poll
//!   that sees the message to the store that answers it. With 400 of them instead of 540 it takes 1.04 instead of 1.2 R
//!   (8 bytes) and 1.15 instead of 1.4 R (64 bytes). In a stream the producer's and the consumer's are what a message takes: 11 ns.
//! - **A structure that is moved right after it was written** in smaller pieces waits until the pieces are in the cache. Questions
//!   and answers stay where they were received, and the words before them go into the ring by themselves: 30 ns of a call.
//!
//! Reached where the processors share no cache: a round trip of 8 bytes in 0.83 R, of 48 in 0.83, of 64 in 1.05; near each other these
//! are 1.04, 1.07 and 1.15. One way 64 bytes take 1.0 and 1.8 S. Longer and shorter pauses between polls, fewer stores, and
//! other orders of them gave no difference. Question and answer of a service take 0.59 R in one line of memory for both, 1.07 through
//! two rings; near each other 1.2 and 1.4. There a shorter pause between polls gave nothing either, and far from each other it cost 0.07.

mod aside;
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

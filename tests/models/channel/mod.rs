// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels: the algorithms are the library's own files; their memory and their public types are not here.
//!
//! Whoever dies, the others find each message that was committed once, whole and in order; what a dead one had lent
//! stays for them; its turn and its place are theirs; and nobody waits for ever.

#[path = "../../../core/src/channel/aside.rs"]
mod aside;
#[path = "../../../core/src/channel/doorbell.rs"]
mod doorbell;
#[path = "../../../core/src/channel/layout.rs"]
mod layout;
mod memory;
mod options;
#[path = "../../../core/src/channel/owed.rs"]
mod owed;
#[path = "../../../core/src/channel/pace.rs"]
mod pace;
#[path = "../../../core/src/channel/participant.rs"]
mod participant;
#[path = "../../../core/src/channel/receiver.rs"]
mod receiver;
#[path = "../../../core/src/channel/ring.rs"]
mod ring;
#[path = "../../../core/src/channel/room.rs"]
mod room;
#[path = "../../../core/src/channel/seat.rs"]
mod seat;
#[path = "../../../core/src/channel/sender.rs"]
mod sender;
#[allow(unreachable_pub, unused_imports, reason = "the library shows some of it")]
#[path = "../../../core/src/channel/service/mod.rs"]
mod service;
#[allow(unreachable_pub, reason = "the library shows some of it")]
#[path = "../../../core/src/channel/subscriber.rs"]
mod subscriber;
#[path = "../../../core/src/channel/turn.rs"]
mod turn;
#[path = "../../../core/src/channel/wait.rs"]
mod wait;

mod calls;
mod desk;
mod direct;
mod party;
mod queue;
mod stage;
mod topic;
mod waiting;

use std::sync::atomic::Ordering;

use crate::sys::atomic::AtomicU64;

/// As in the library.
fn count(figure: &AtomicU64) {
    figure.store(figure.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

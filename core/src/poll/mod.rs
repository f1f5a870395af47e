// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for any of several things: channels, locks, queues, semaphores, and whatever has a descriptor.
//!
//! ```
//! use unipc::poll::{Wait, Waitable, wait_any};
//! use unipc::{MessageQueue, Timeout, channel::Queue, pipe};
//! # fn main() -> unipc::Result<()> {
//! # let name = format!("/doc-poll-{}", std::process::id());
//! let mut jobs = Queue::create(name.as_str(), 4096)?;
//! let orders = MessageQueue::create("sysv:private")?;
//! let (reader, _writer) = pipe::pipe()?;
//! jobs.send(b"hello", Timeout::Forever)?;
//! // In any process, in any language.
//! let which = wait_any(
//!     &[jobs.waitable()?, orders.waitable()?, Waitable::readable(&reader)],
//!     Timeout::Forever,
//! )?;
//! assert_eq!(which, 0);
//! assert_eq!(jobs.recv(Timeout::TRY)?, b"hello");
//! # orders.remove()?;
//! # Queue::unlink(name.as_str())?;
//! # Ok(())
//! # }
//! ```
//!
//! [`wait_any`] tells of one thing; a [`Poller`] is made once for many waits, and tells of all. Waiting takes nothing: between the wait and
//! the call that takes, somebody else may be faster, so take with [`Timeout::TRY`](crate::Timeout::TRY).
//!
//! # What is waited for, and how
//!
//! | what | is ready while | is told |
//! |---|---|---|
//! | [`channel`](crate::channel): the receiving ends | there is a message, a question, an answer | at once |
//! | [a call](Waitable::answer) | there is an answer to it, or will be none | at once; a server's death: within 0.1 s |
//! | the sending ends | there is room for what there was none for the last time | at once |
//! | [`sync::Mutex`](crate::sync::Mutex) | nobody holds it, or it is retired | at once |
//! | [`sync::RwLock`](crate::sync::RwLock) | nobody writes, and there is a line for a reader; to write: nobody reads either | at once; by a reader's death: within 0.1 s |
//! | [`sync::Semaphore`](crate::sync::Semaphore) | a permit is free | at once; by a holder's death: within 0.1 s |
//! | [`sync::Event`](crate::sync::Event), [`sync::Once`](crate::sync::Once) | it is set; it is done, or nobody does it | at once |
//! | [`MessageQueue`](crate::MessageQueue) of System V | there is a message of any type | within 10 ms |
//! | [`Semaphore`](crate::Semaphore), [`SemaphoreSet`](crate::SemaphoreSet) | its value is more than 0 | within 10 ms |
//! | [`MessageQueue`](crate::MessageQueue) of POSIX, pipes, sockets, streams of signals, processes, any descriptor | `poll(2)` says so; also at its end, and at an error | at once |
//!
//! What is removed, damaged or has lost its memory is ready as well: the call that takes says what became of it.
//!
//! System V has no call that waits for a message without taking it, and none that waits for two things; a POSIX semaphore has none
//! either. So they are looked at: after a millisecond, and then at growing intervals of up to 10 ms, which takes one to four thousandths of a
//! processor; all else takes less than one. A message that comes and is taken by another between two looks is not seen.
//!
//! At once means: by a thread of this library that sleeps for all of the process that polls, and exists only while something without a
//! descriptor is waited for, and up to a second longer. It wakes who polls, so this takes up to twice as long as to wake somebody who sleeps in
//! the object's own call. (A [`LoopBell`] does without, where `io_uring` can be had.) With up to 127 such objects in a process; what is beyond is looked at every 10 ms. Linux before 5.16 cannot
//! sleep on several words; there everything is looked at every 10 ms.
//!
//! If one who polls is woken, others who sleep are woken as well: those who poll take nothing, and nobody shall miss his turn by that.
//! (With a [`LoopBell`] by the loop's thread, when it comes to it; if that is busy, a sleeper looks by himself within 0.4 s.)
//!
//! Threads: a poller serves one thread at a time. fork: what has a descriptor goes on; a poller that waits for other things is the
//! parent's, and says `EINVAL` in a child. A death, at any moment, leaves nothing to clean up.

mod doorbell;
mod looked;
mod loop_bell;
mod poller;
mod waitable;

pub use doorbell::Doorbell;
pub use loop_bell::LoopBell;
pub use poller::{Poller, wait_any};
pub use waitable::{Wait, Waitable};

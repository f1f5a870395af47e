// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks placed in shared memory that survive a `kill -9`.
//!
//! | object | what it is |
//! |---|---|
//! | [`Mutex`] | one thread at a time, of any process |
//! | [`RwLock`] | many readers, or one writer alone |
//! | [`Condvar`] | waiting for a change of what a mutex guards |
//! | [`Barrier`] | a number of threads pass together |
//! | [`Semaphore`] | permits, each of which knows its holder; or tokens |
//! | [`Event`] | a flag for which others wait, reset by hand or by itself |
//! | [`Once`] | something that is done once among all processes |
//!
//! Each lies at an offset of any [`SharedMemory`](crate::SharedMemory), where there were zeros, or under a name of its own, in a
//! small segment for it alone. C, Python and Rust use the same bytes. There are two forms with one interface, see [`Form`]: the
//! robust one, which is described here, and the C library's own objects.
//!
//! # What is promised
//!
//! A process may be killed at any instruction, holding or waiting: the next one gets in, and where data may have been left
//! half-changed it is told so. No waiter stays asleep for the dead, no permit is lost, no barrier waits for them. `exec`, and the
//! end of a thread, count as death. A process that is stopped is not dead. A child of `fork` holds nothing. Closing the
//! memory while something in it is held changes nothing: the objects have a mapping of their own. Nothing that is read from the
//! memory is trusted: who scribbles on it spoils the locks, and nothing else.
//!
//! # How
//!
//! A *cell* is a line of 64 bytes whose first word is the kernel's robust futex: 0, or the number of the thread that holds it,
//! with a bit for "somebody sleeps on this word" and one for "the holder died". A thread links the cells that it holds into the
//! list that the C library has registered with the kernel for it. At the thread's death, however it comes, the kernel goes
//! through the list, sets the bit, and wakes one sleeper. Taking a cell is one compare-and-exchange and a few plain stores,
//! giving it back another; no system call is made unless somebody sleeps.
//!
//! The list has one head for each thread, and the C library's own robust mutexes are in it as well. Two entries in private
//! memory stand in it side by side, and what is held of ours is linked between those two: the C library, which follows its
//! neighbours' pointers, never comes upon one that lies in shared memory, and this library keeps the order of its entries in private
//! memory and only writes the links. (One entry for each thread instead of one for each cell, with the liveness of the thread in a word
//! that waiters watch, would save two stores, and would need a table of threads in each segment that every waiter
//! has mapped, and a second word to sleep on. Waiting in short slices and asking `/proc` would need no list, and would poll.)
//!
//! A cell also records its holder: process, thread, start time, and digests of the boot and of the namespaces in which those
//! numbers mean something. That serves those who look on, and it serves as a second line: the kernel follows 2048 links, and a link
//! may have been scribbled on. So nobody sleeps for longer than 0.4 s before it looks whether the holder still lives
//! (1 ms the first time). A holder in another PID or time namespace cannot be judged and counts as alive: exclusion is kept, and the
//! kernel's list works across namespaces.
//!
//! From cells the objects are made so that no count can be spoilt by a death:
//!
//! - a mutex is a cell. The bit for a dead holder stays set until [`Mutex::recovered`];
//! - a read-write lock is a writer's cell and a table of readers' cells. A reader takes a cell of its own and then looks
//!   whether somebody writes; a writer takes its cell and then waits for each reader's cell;
//! - a semaphore is a table of permits, each of them a cell: free, held, or absent. Its value is looked up, not counted;
//! - a barrier is a table of parties. How many have arrived is looked up; a compare-and-exchange on the round ends it, or breaks it;
//! - once is a cell and a word; an event is a word.
//!
//! Who waits for a permit, an event or a notice sleeps at a *gate*: a word that counts openings, with a bit that says that somebody
//! may be asleep. Those who wait for permits or parties watch the holders' cells at the same time (`futex_waitv`, Linux 5.16; before
//! that they look every 5 ms), so that a death wakes them at once.
//!
//! Waiting spins first, for about as long as it took lately (not on one processor), and then sleeps on a futex.
//!
//! # The bytes
//!
//! Lines of 64 bytes, native byte order, layout version 1:
//!
//! | line | what |
//! |---|---|
//! | 0 | the stamp, see [`layout`](crate::layout); the magic is stored last |
//! | 1 | a cell that the creator holds until then |
//! | 2 | a cell: the mutex, the writer, who does it once; kind, number of permits, readers or parties, state |
//! | 3 | a word for the gate, and 15 for the numbers of waiting threads |
//! | 4.. | a cell for each reader, permit or party |
//!
//! | bytes of a cell | what |
//! |---|---|
//! | 0..4 | the word: holder's thread, `FUTEX_WAITERS`, `FUTEX_OWNER_DIED`; all 30 bits of the number set: retired, or absent |
//! | 4..8 | kind of the object (line 2); whether a party has joined |
//! | 8..16 | holder: process (upper half), digest of its PID and time namespaces |
//! | 16..24 | holder: start time in clock ticks (upper 40 bits), digest of the boot; 0 while it is being written |
//! | 24..32 | number of permits, readers or parties (line 2) |
//! | 32..40 | the kernel's link |
//! | 40..48 | a number that no other cell has |
//! | 48..52 | how often a recursive mutex is locked beyond the first time; how many readers there were at most (line 2) |
//! | 52..56 | state: event set, once done, round of the barrier |
//! | 56..64 | the round in which a party has arrived |

mod barrier;
mod condvar;
mod event;
mod form;
mod gate;
pub(crate) mod hold;
mod mutex;
pub(crate) mod object;
mod once;
mod options;
pub(crate) mod place;
mod rwlock;
mod semaphore;
mod status;
#[cfg(test)]
mod wakes;
mod watch;

pub use barrier::{Barrier, BarrierOptions};
pub use condvar::{Condvar, CondvarOptions};
pub use event::{Event, EventOptions};
pub use form::Form;
pub use mutex::{Acquired, Mutex, MutexGuard, MutexKind, MutexOptions, MutexStatus};
pub use once::{Once, OnceOptions};
pub use place::Place;
pub use rwlock::{RwLock, RwLockGuard, RwLockOptions, RwLockStatus};
pub use semaphore::{Permit, Semaphore, SemaphoreOptions};
pub use status::Holder;

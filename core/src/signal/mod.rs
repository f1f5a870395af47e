// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals: short notices from a process or the kernel, for steering and waking.
//!
//! | to | use |
//! |---|---|
//! | send | [`send`], [`send_group`], [`send_thread`], [`raise`]; [`PidFd`] to a process that cannot be mistaken |
//! | send a number along | [`queue`], [`queue_thread`], [`PidFd::queue`] |
//! | take signals as data | [`block`] them, then [`wait`], or a [`Stream`], which has a descriptor to poll |
//! | count signals where nothing can be blocked | a [`Counter`], which has a descriptor, too |
//! | choose what a signal does | [`ignore`], [`reset`], [`set_action`] |
//! | look | [`pending`], [`mask`], [`action`], [`stat`] of any process, [`reserved`] |
//!
//! No code of the program's ever runs inside a signal handler, where next to nothing is safe
//! ([signal-safety(7)](https://man7.org/linux/man-pages/man7/signal-safety.7.html)): signals are taken by a thread that
//! waits for them, or counted.
//!
//! What to know of signals themselves: a standard signal that is pending already does not become pending twice, so it
//! says that something happened, not how often. Real-time signals, from `SIGRTMIN` to `SIGRTMAX`, queue up to the
//! receiver's `RLIMIT_SIGPENDING`, then sending fails with `EAGAIN`; they come lowest number first. A signal for the
//! process goes to any thread that does not block it, so block before other threads start. `SIGSEGV`, `SIGFPE` and
//! their like, which the thread itself causes, are not for this: see the status of the process that died of them.
//!
//! Some signals are taken: [`reserved`] tells which. A time limit on a system call that knows none needs a real-time
//! signal, see [`timeout_signal`].
//!
//! ```
//! use unipc::signal::{self, PidFd, Set, Signal, Stream};
//! use unipc::Timeout;
//!
//! # fn main() -> unipc::Result<()> {
//! let data = Signal::realtime(0)?;
//! let stream = Stream::open(Set::from([data, Signal::TERM]))?; // before other threads start
//!
//! let me = PidFd::open(std::process::id().try_into().unwrap())?; // in any process
//! me.queue(data, 7)?;
//! me.queue(data, 8)?;
//!
//! let info = stream.read(Timeout::Forever)?;
//! assert_eq!((info.signal, info.value.int()), (data, 7));
//! assert_eq!(info.pid.cast_unsigned(), std::process::id());
//! assert_eq!(stream.read(Timeout::Forever)?.value.int(), 8);
//! # Ok(())
//! # }
//! ```
//!
//! See [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html).

mod action;
mod counter;
mod info;
mod mask;
mod number;
mod pidfd;
mod send;
mod set;
mod status;
mod stream;

pub use action::{
    Action, ActionFlags, Disposition, action, ensure_unhandled, ignore, reset, set_action,
};
pub use counter::{Counter, CounterOptions, Counts};
pub use info::{Info, Value, cause};
#[doc(hidden)]
pub use mask::change_for_good;
pub use mask::{Masked, block, mask, pending, set_mask, unblock, wait};
pub use number::{DefaultAction, Signal};
pub use pidfd::{PidFd, start_time};
pub use send::{probe, queue, queue_thread, raise, send, send_group, send_thread};
pub use set::Set;
pub use status::{Status, reserved, stat, timeout_signal};
pub use stream::Stream;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a process does with a signal that it does not block.

use std::fmt;
use std::ops::BitOr;

use super::{Set, Signal, counter};
use crate::error::{Error, ErrorKind, Result};
use crate::sys;

/// What becomes of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Disposition {
    /// What the signal does by itself: [`Signal::default_action`].
    Default = 0,
    /// Nothing; it is not even pending.
    Ignore = 1,
    /// A function of the program is called, or of a library other than this one.
    Handler = 2,
    /// A [`super::Counter`] counts it.
    Counter = 3,
}

/// The flags of an [`Action`]: `SA_RESTART` and so on.
#[doc(alias = "sa_flags")]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionFlags(i32);

const NAMES: [(i32, &str); 7] = [
    (libc::SA_NOCLDSTOP, "NO_CHILD_STOP"),
    (libc::SA_NOCLDWAIT, "NO_CHILD_WAIT"),
    (libc::SA_SIGINFO, "SIGINFO"),
    (libc::SA_ONSTACK, "ON_STACK"),
    (libc::SA_RESTART, "RESTART"),
    (libc::SA_NODEFER, "NO_DEFER"),
    (libc::SA_RESETHAND, "ONE_SHOT"),
];

impl ActionFlags {
    /// No flag: `sa_flags` 0.
    pub const NONE: Self = Self(0);
    /// `SA_NOCLDSTOP`: `SIGCHLD` does not come when a child stops or goes on, only when it ends.
    #[doc(alias = "SA_NOCLDSTOP")]
    pub const NO_CHILD_STOP: Self = Self(libc::SA_NOCLDSTOP);
    /// `SA_NOCLDWAIT`: children that end leave no zombie; nobody can wait for their status.
    #[doc(alias = "SA_NOCLDWAIT")]
    pub const NO_CHILD_WAIT: Self = Self(libc::SA_NOCLDWAIT);
    /// `SA_SIGINFO`: the handler takes three arguments.
    #[doc(alias = "SA_SIGINFO")]
    pub const SIGINFO: Self = Self(libc::SA_SIGINFO);
    /// `SA_ONSTACK`: the handler runs on the stack of sigaltstack(2), if there is one.
    #[doc(alias = "SA_ONSTACK")]
    pub const ON_STACK: Self = Self(libc::SA_ONSTACK);
    /// `SA_RESTART`: system calls that can go on after the handler do, instead of failing with `EINTR`.
    #[doc(alias = "SA_RESTART")]
    pub const RESTART: Self = Self(libc::SA_RESTART);
    /// `SA_NODEFER`: the signal is not blocked while its handler runs.
    #[doc(alias = "SA_NODEFER")]
    pub const NO_DEFER: Self = Self(libc::SA_NODEFER);
    /// `SA_RESETHAND`: the first signal makes the disposition the default again.
    #[doc(alias = "SA_RESETHAND")]
    #[doc(alias = "SA_ONESHOT")]
    pub const ONE_SHOT: Self = Self(libc::SA_RESETHAND);

    /// The flags with these bits; `None` if one of them is no flag that is known here.
    pub fn from_bits(bits: i32) -> Option<Self> {
        let known = NAMES.iter().fold(0, |all, (bit, _)| all | bit);
        (bits & !known == 0).then_some(Self(bits))
    }

    /// The kernel's bits.
    pub fn bits(self) -> i32 {
        self.0
    }

    /// Are all of `other` set?
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for ActionFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for ActionFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = NAMES.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, name)| *name);
        match set.collect::<Vec<_>>().as_slice() {
            [] => f.write_str("NONE"),
            names => f.write_str(&names.join(" | ")),
        }
    }
}

/// What a process does with a signal: `struct sigaction`.
///
/// It is made as [`Action::default`] or [`Action::ignore`], or comes from [`action`] and [`set_action`], which tell
/// what was in force; so what another part of the program has set can be put back, but no function can be installed
/// here: code that a signal interrupts anywhere may do almost nothing (see
/// [signal-safety(7)](https://man7.org/linux/man-pages/man7/signal-safety.7.html)). [`super::Counter`] is what to use
/// instead.
///
/// ```
/// use unipc::signal::{self, Action, Disposition, Signal};
/// let before = signal::set_action(Signal::HUP, Action::ignore())?;
/// assert_eq!(signal::action(Signal::HUP)?.disposition(), Disposition::Ignore);
/// signal::set_action(Signal::HUP, before)?;
/// # Ok::<(), unipc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Action(sys::signal::Action);

/// The signal does what it does by itself (`SIG_DFL`), without flags.
impl Default for Action {
    fn default() -> Self {
        Self::simple(libc::SIG_DFL)
    }
}

impl Action {
    fn simple(handler: usize) -> Self {
        Self(sys::signal::Action { handler, flags: 0, mask: 0 })
    }

    /// The signal does nothing (`SIG_IGN`), without flags. Ignoring `SIGCHLD` leaves no zombies.
    #[doc(alias = "SIG_IGN")]
    pub fn ignore() -> Self {
        Self::simple(libc::SIG_IGN)
    }

    /// With these flags; [`ActionFlags::NO_CHILD_STOP`] and [`ActionFlags::NO_CHILD_WAIT`] mean something for `SIGCHLD`
    /// without a handler, too.
    pub fn with_flags(mut self, flags: ActionFlags) -> Self {
        self.0.flags = flags.0;
        self
    }

    /// What becomes of the signal.
    pub fn disposition(self) -> Disposition {
        match self.0.handler {
            libc::SIG_DFL => Disposition::Default,
            libc::SIG_IGN => Disposition::Ignore,
            handler if handler == counter::handler() => Disposition::Counter,
            _ => Disposition::Handler,
        }
    }

    /// Its flags.
    pub fn flags(self) -> ActionFlags {
        ActionFlags(self.0.flags)
    }

    /// What is blocked while its handler runs, besides the signal itself.
    #[doc(alias = "sa_mask")]
    pub fn mask(self) -> Set {
        Set::from_bits(self.0.mask)
    }

    /// The address of its handler; 0 and 1 stand for the default and for ignoring.
    pub fn handler(self) -> usize {
        self.0.handler
    }

    /// An action as it was told by [`Action::handler`], [`Action::flags`] and [`Action::mask`], for other languages.
    ///
    /// # Safety
    ///
    /// `handler` is 0, 1, or a function that may be called as a signal handler with these flags.
    #[allow(unsafe_code, reason = "the contract is the caller's")]
    pub unsafe fn from_parts(handler: usize, flags: ActionFlags, mask: Set) -> Self {
        Self(sys::signal::Action { handler, flags: flags.0, mask: mask.bits() })
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("disposition", &self.disposition())
            .field("flags", &self.flags())
            .field("mask", &self.mask())
            .finish()
    }
}

/// [`sigaction(sig, NULL, oact)`](https://man7.org/linux/man-pages/man2/sigaction.2.html) - what the process does with
/// a signal.
///
/// Errors: `EINVAL` for the C library's own signals.
pub fn action(signal: Signal) -> Result<Action> {
    sys::signal::action(signal.number())
        .map(Action)
        .map_err(|errno| failed(errno, "action", signal))
}

/// [`sigaction(sig, act, oact)`](https://man7.org/linux/man-pages/man2/sigaction.2.html) - sets what the process does
/// with a signal; gives what it did before. It holds for all threads.
///
/// Whatever was in force is replaced; see [`ensure_unhandled`]. What is pending and becomes ignored is dropped. fork
/// keeps actions; a program that is executed inherits what is ignored, and has the default for all else.
///
/// Errors: `EINVAL` for `SIGKILL`, `SIGSTOP` and the C library's own signals.
#[doc(alias = "sigaction")]
#[doc(alias = "signal")]
pub fn set_action(signal: Signal, action: Action) -> Result<Action> {
    sys::signal::set_action(signal.number(), action.0)
        .map(Action)
        .map_err(|errno| failed(errno, "set_action", signal))
}

/// Ignores a signal from now on; gives what was in force before. `set_action(signal, Action::ignore())`.
///
/// Errors: as [`set_action`].
pub fn ignore(signal: Signal) -> Result<Action> {
    set_action(signal, Action::ignore())
}

/// Lets a signal do what it does by itself; gives what was in force before. `set_action(signal, Action::default())`.
///
/// Errors: as [`set_action`].
pub fn reset(signal: Signal) -> Result<Action> {
    set_action(signal, Action::default())
}

/// Makes sure that no handler would be lost by setting another action.
///
/// Errors: `EBUSY` there is one; `EINVAL` for the C library's own signals.
pub fn ensure_unhandled(signal: Signal) -> Result<()> {
    let (whose, advice) = match action(signal)?.disposition() {
        Disposition::Default | Disposition::Ignore => return Ok(()),
        Disposition::Counter => ("a counter counts this signal", "close the counter first"),
        Disposition::Handler if super::timeout_signal() == Some(signal) => (
            "this library ends system calls with this signal",
            "take another one; reserved() tells which are taken",
        ),
        Disposition::Handler => {
            ("a handler is installed for this signal", "replace it explicitly, or take another one")
        }
    };
    Err(Error::new("ensure_unhandled", signal, ErrorKind::Busy(whose.into())).with_advice(advice))
}

pub(super) fn failed(errno: nix::errno::Errno, operation: &'static str, signal: Signal) -> Error {
    let error = ErrorKind::from(errno).during(operation, signal);
    match signal {
        Signal::KILL | Signal::STOP => error.with_advice("the kernel lets nobody change this one"),
        _ if signal.is_reserved() => error.with_advice("the C library keeps this one for itself"),
        _ => error,
    }
}

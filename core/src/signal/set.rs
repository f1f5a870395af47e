// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets of signals.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

use super::Signal;
use super::number::HIGHEST;
use crate::error::{ErrorKind, Result};
use crate::sys;

/// A set of signals, as the kernel keeps it: 64 bits.
///
/// ```
/// use unipc::signal::{Set, Signal};
/// let set = Set::from([Signal::INT, Signal::TERM]);
/// assert!(set.contains(Signal::INT));
/// assert_eq!((set - Signal::INT).to_string(), "{SIGTERM}");
/// ```
#[doc(alias = "sigset_t")]
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Set(u64);

impl Set {
    /// No signal.
    #[doc(alias = "sigemptyset")]
    pub const EMPTY: Self = Self(0);

    /// Every signal that programs may use: all but those of the C library.
    #[doc(alias = "sigfillset")]
    pub fn full() -> Self {
        Self(u64::MAX) - Self::reserved()
    }

    /// The real-time signals.
    pub fn realtime() -> Self {
        (libc::SIGRTMIN()..=libc::SIGRTMAX()).map(Signal::known).collect()
    }

    /// From the kernel's 64 bits: signal N is bit N - 1.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The kernel's 64 bits.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Adds a signal.
    #[doc(alias = "sigaddset")]
    pub fn add(&mut self, signal: Signal) {
        self.0 |= bit(signal);
    }

    /// Takes a signal out.
    #[doc(alias = "sigdelset")]
    pub fn remove(&mut self, signal: Signal) {
        self.0 &= !bit(signal);
    }

    /// Is the signal in it?
    #[doc(alias = "sigismember")]
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal) != 0
    }

    /// Is no signal in it?
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many signals are in it?
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Its signals, lowest number first.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        (1..=HIGHEST).map(Signal::known).filter(move |&signal| self.contains(signal))
    }

    /// The signals that the C library keeps for itself.
    #[inline]
    pub(super) fn reserved() -> Self {
        // From 32 to the last one below SIGRTMIN, without a loop: every wait asks.
        Self(((1 << (libc::SIGRTMIN() - 1)) - 1) & !Self::STANDARD)
    }

    /// The signals below 32.
    const STANDARD: u64 = (1 << 31) - 1;
    /// Those that cannot be caught.
    const SOVEREIGN: u64 = 1 << (libc::SIGKILL - 1) | 1 << (libc::SIGSTOP - 1);

    /// The signals in it for which one can wait, of which there must be one.
    ///
    /// Errors: `EINVAL`.
    #[inline]
    pub(super) fn waitable(self) -> Result<Self, ErrorKind> {
        let left = self - Self(Self::SOVEREIGN) - Self::reserved();
        if left.is_empty() {
            return Err(no_signal());
        }
        Ok(left)
    }
}

#[cold]
fn no_signal() -> ErrorKind {
    ErrorKind::invalid("there is no signal in the set that can be waited for")
}

#[inline]
fn bit(signal: Signal) -> u64 {
    1 << (signal.number() - 1)
}

/// The C library's set. What else its type has room for is not looked at.
impl From<&libc::sigset_t> for Set {
    #[inline]
    fn from(set: &libc::sigset_t) -> Self {
        Self(sys::signal::from_libc(set))
    }
}

/// As the C library keeps it.
impl From<Set> for libc::sigset_t {
    #[inline]
    fn from(set: Set) -> Self {
        sys::signal::to_libc(set.0)
    }
}

impl From<Signal> for Set {
    #[inline]
    fn from(signal: Signal) -> Self {
        Self(bit(signal))
    }
}

impl<const N: usize> From<[Signal; N]> for Set {
    #[inline]
    fn from(signals: [Signal; N]) -> Self {
        signals.into_iter().collect()
    }
}

impl FromIterator<Signal> for Set {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals.into_iter().fold(Self::EMPTY, |set, signal| set | signal)
    }
}

impl<S: Into<Set>> BitOr<S> for Set {
    type Output = Self;

    fn bitor(self, other: S) -> Self {
        Self(self.0 | other.into().0)
    }
}

impl<S: Into<Set>> BitOrAssign<S> for Set {
    fn bitor_assign(&mut self, other: S) {
        *self = *self | other;
    }
}

impl BitAnd for Set {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl<S: Into<Set>> Sub<S> for Set {
    type Output = Self;

    #[inline]
    fn sub(self, other: S) -> Self {
        Self(self.0 & !other.into().0)
    }
}

/// The names in braces: `{SIGINT, SIGTERM}`.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, signal) in self.iter().enumerate() {
            write!(f, "{}{signal}", if i == 0 { "{" } else { ", " })?;
        }
        f.write_str(if self.is_empty() { "{}" } else { "}" })
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_and_go() {
        let mut set = Set::EMPTY;
        set.add(Signal::USR1);
        set.add(Signal::realtime_max());
        assert_eq!((set.len(), set.bits()), (2, 1 << 9 | 1 << 63));
        set.remove(Signal::USR1);
        assert_eq!(set, Set::from(Signal::realtime_max()));
        assert!(!set.contains(Signal::USR1));
        assert_eq!(Set::EMPTY.to_string(), "{}");
        assert_eq!(Set::from([Signal::TERM, Signal::INT]).to_string(), "{SIGINT, SIGTERM}");
    }

    #[test]
    fn the_full_set_leaves_out_the_c_librarys() {
        assert_eq!(Set::full().len(), 64 - Set::reserved().len());
        assert!(Set::full().contains(Signal::realtime_min()));
        assert_eq!(Set::full() & Set::reserved(), Set::EMPTY);
        assert_eq!(Set::realtime().len() + 31, Set::full().len());
    }

    #[test]
    fn a_set_without_anything_to_wait_for_is_refused() {
        for set in [Set::EMPTY, Set::from([Signal::KILL, Signal::STOP]), Set::reserved()] {
            assert_eq!(set.waitable().unwrap_err().errno(), libc::EINVAL, "{set}");
        }
        let odd = Set::from([Signal::KILL, Signal::USR1]) | Set::reserved();
        assert_eq!(odd.waitable(), Ok(Set::from(Signal::USR1)));
        let lowest = Set::from(Signal::realtime_min());
        assert_eq!(lowest.waitable(), Ok(lowest));
    }
}

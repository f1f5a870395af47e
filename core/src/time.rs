// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long to wait: one type for every wait, relative and monotonic.
//!
//! A clock that is set never matters, and a wait that is interrupted goes on with what is left.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// How long a call may block: not at all, for a while, or for ever.
///
/// ```
/// use std::time::Duration;
/// use unipc::Timeout;
/// assert_eq!(Timeout::from_seconds(0.25).unwrap(), Timeout::After(Duration::from_millis(250)));
/// assert!(Timeout::from_seconds(f64::NAN).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// At most this long; zero is a try.
    After(Duration),
    /// Until it happens.
    Forever,
}

impl Timeout {
    /// Do not wait at all.
    pub const TRY: Self = Self::After(Duration::ZERO);

    /// From seconds as Python gives them. Infinity, and anything too long for the clock, is for ever.
    ///
    /// Errors: `EINVAL` for a negative number or NaN.
    pub fn from_seconds(seconds: f64) -> Result<Self> {
        if seconds.is_nan() || seconds < 0.0 {
            return Err(ErrorKind::invalid("a timeout is 0 or more seconds")
                .during("timeout", format_args!("{seconds} s")));
        }
        Ok(Duration::try_from_secs_f64(seconds).map_or(Self::Forever, Self::After))
    }

    /// From the fields of a `struct timespec` as C gives them.
    ///
    /// Errors: `EINVAL` for a negative time or for nanoseconds outside 0..1,000,000,000.
    #[inline]
    pub fn from_timespec(seconds: i64, nanoseconds: i64) -> Result<Self> {
        match Self::of_timespec(seconds, nanoseconds) {
            Some(timeout) => Ok(timeout),
            None => Err(no_timespec(seconds, nanoseconds)),
        }
    }

    /// As [`Timeout::from_timespec`], for who has no use for an error yet.
    #[doc(hidden)]
    #[inline]
    pub fn of_timespec(seconds: i64, nanoseconds: i64) -> Option<Self> {
        let (seconds, nanoseconds) =
            (u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
        let is_one = nanoseconds < 1_000_000_000;
        is_one.then(|| Self::After(Duration::new(seconds, nanoseconds)))
    }

    /// What a wait says that has come to nothing: `EAGAIN` when it was a try, `ETIMEDOUT` when its time is over.
    pub(crate) fn expired(self) -> ErrorKind {
        if self == Self::TRY { ErrorKind::WouldBlock } else { ErrorKind::TimedOut }
    }

    /// The moment at which this timeout, started now, ends.
    pub fn deadline(self) -> Deadline {
        match self {
            Self::Forever => Deadline(None),
            // A moment that the clock cannot express is never reached.
            Self::After(duration) => Deadline(Instant::now().checked_add(duration)),
        }
    }
}

#[cold]
fn no_timespec(seconds: i64, nanoseconds: i64) -> Error {
    let why = "a timeout is 0 or more seconds and 0..999999999 nanoseconds";
    ErrorKind::invalid(why).during("timeout", format_args!("{{{seconds}, {nanoseconds}}}"))
}

/// A moment on the monotonic clock, or never. Made by [`Timeout::deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// What is left until then; [`Timeout::TRY`] when it has passed.
    pub fn remaining(self) -> Timeout {
        match self.0 {
            None => Timeout::Forever,
            Some(moment) => Timeout::After(moment.saturating_duration_since(Instant::now())),
        }
    }

    /// Has the moment passed?
    pub fn has_passed(self) -> bool {
        self.remaining() == Timeout::TRY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_seconds_are_refused_or_saturate() {
        for bad in [-1.0, -0.001, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(Timeout::from_seconds(bad).unwrap_err().errno(), libc::EINVAL);
        }
        assert_eq!(Timeout::from_seconds(-0.0).unwrap(), Timeout::TRY);
        assert_eq!(Timeout::from_seconds(f64::INFINITY).unwrap(), Timeout::Forever);
        assert_eq!(Timeout::from_seconds(1e300).unwrap(), Timeout::Forever);
        // Longer than any clock: representable as a duration, never reached as a moment.
        let beyond = Timeout::from_seconds(1e19).unwrap().deadline();
        assert_eq!(beyond.remaining(), Timeout::Forever);
    }

    #[test]
    fn odd_timespecs_are_refused() {
        for (seconds, nanoseconds) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MIN, 0)] {
            let error = Timeout::from_timespec(seconds, nanoseconds).unwrap_err();
            assert_eq!(error.errno(), libc::EINVAL);
        }
        assert_eq!(Timeout::from_timespec(0, 0).unwrap(), Timeout::TRY);
        let longest = Timeout::from_timespec(i64::MAX, 999_999_999).unwrap();
        assert!(!longest.deadline().has_passed());
    }

    #[test]
    fn a_deadline_counts_down_and_passes() {
        assert!(Timeout::TRY.deadline().has_passed());
        assert!(!Timeout::Forever.deadline().has_passed());
        let Timeout::After(left) = Timeout::After(Duration::from_secs(60)).deadline().remaining()
        else {
            panic!("a minute is not for ever")
        };
        assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(1));
    }
}

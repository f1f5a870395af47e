// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which bytes of a file a record lock covers.

use std::fmt;
use std::ops;

use nix::errno::Errno;

use crate::error::ErrorKind;

/// Bytes of a file, which need not exist. Made of `..`, `5..`, `..10`, `5..10`, or by [`Range::new`].
///
/// ```
/// use unipc::lock::Range;
/// assert_eq!(Range::from(5..10), Range::new(5, Some(5)));
/// assert_eq!(Range::from(..), Range::ALL);
/// assert_eq!(Range::from(5..).to_string(), "5..");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    start: u64,
    length: Option<u64>,
}

impl Range {
    /// The whole file, however long it becomes.
    pub const ALL: Self = Self::new(0, None);

    /// `length` bytes from `start` on; `None`: to the end of the file, wherever that will be.
    pub const fn new(start: u64, length: Option<u64>) -> Self {
        Self { start, length }
    }

    /// The first byte.
    pub fn start(self) -> u64 {
        self.start
    }

    /// How many bytes; `None`: to the end of the file, wherever that will be.
    pub fn length(self) -> Option<u64> {
        self.length
    }

    /// Start and length as `struct flock` has them, where length 0 means to the end.
    #[inline]
    pub(super) fn raw(self) -> Result<(i64, i64), ErrorKind> {
        let length = match self.length {
            Some(0) => return Err(no_bytes()),
            Some(length) => length,
            None => 0,
        };
        // Both fit, and the last byte has an offset, too.
        let last = self.start.saturating_add(length.saturating_sub(1));
        match (i64::try_from(last), i64::try_from(length)) {
            (Ok(_), Ok(length)) => Ok((self.start.cast_signed(), length)),
            _ => Err(Errno::EOVERFLOW.into()),
        }
    }

    /// From what the kernel tells of a lock.
    pub(super) fn from_raw(start: i64, length: i64) -> Self {
        let length = length.unsigned_abs();
        Self { start: start.unsigned_abs(), length: (length > 0).then_some(length) }
    }
}

#[cold]
fn no_bytes() -> ErrorKind {
    ErrorKind::invalid("a range of no bytes cannot be locked")
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            None => write!(f, "{}..", self.start),
            Some(length) => {
                write!(f, "{}..{}", self.start, u128::from(self.start) + u128::from(length))
            }
        }
    }
}

impl From<ops::RangeFull> for Range {
    fn from(_: ops::RangeFull) -> Self {
        Self::ALL
    }
}

impl From<ops::RangeFrom<u64>> for Range {
    fn from(range: ops::RangeFrom<u64>) -> Self {
        Self::new(range.start, None)
    }
}

impl From<ops::RangeTo<u64>> for Range {
    fn from(range: ops::RangeTo<u64>) -> Self {
        Self::new(0, Some(range.end))
    }
}

impl From<ops::Range<u64>> for Range {
    /// An empty range stays empty, and is refused by whatever takes it.
    fn from(range: ops::Range<u64>) -> Self {
        Self::new(range.start, Some(range.end.saturating_sub(range.start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked_before_the_kernel_sees_them() {
        let last = i64::MAX.unsigned_abs();
        assert_eq!(Range::ALL.raw(), Ok((0, 0)));
        assert_eq!(Range::from(7..9).raw(), Ok((7, 2)));
        assert_eq!(Range::from(last..).raw(), Ok((i64::MAX, 0)));
        assert_eq!(Range::new(last, Some(1)).raw(), Ok((i64::MAX, 1)));
        assert_eq!(Range::new(1, Some(last)).raw(), Ok((1, i64::MAX)));
        for none in [Range::from(3..3), Range::from(..0), Range::new(9, Some(0))] {
            assert_eq!(none.raw().unwrap_err().errno(), libc::EINVAL, "{none}");
        }
        #[allow(clippy::reversed_empty_ranges, reason = "that is the question")]
        let reversed = Range::from(9..3);
        assert_eq!(reversed.raw().unwrap_err().errno(), libc::EINVAL);
        for far in
            [Range::new(last, Some(2)), Range::from(last + 1..), Range::new(0, Some(last + 1))]
        {
            assert_eq!(far.raw(), Err(Errno::EOVERFLOW.into()), "{far}");
        }
    }
}

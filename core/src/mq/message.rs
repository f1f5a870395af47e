// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is received, and which message is wanted.

use libc::c_long;

use crate::error::ErrorKind;
use crate::sys::msg::MSG_EXCEPT;

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// The type (System V) or priority (POSIX).
    pub tag: i64,
    /// The bytes, as they were sent; perhaps none.
    pub data: Vec<u8>,
}

/// A message that was received into a buffer of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// The type (System V) or priority (POSIX).
    pub tag: i64,
    /// How long the message is, in bytes, without its type. More than the buffer has only when it was truncated: the rest
    /// is lost.
    pub len: usize,
}

/// Which message to receive. A POSIX queue knows [`Want::Any`] alone.
///
/// From a number as `msgrcv` takes it: `Want::from(-3)` is `UpTo(3)`.
#[doc(alias = "msgtyp")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Want {
    /// System V: the oldest. POSIX: the oldest of the highest priority.
    #[default]
    Any,
    /// The oldest of this type, 1 or more.
    Tag(i64),
    /// The oldest of the lowest type that is not above this one.
    UpTo(i64),
    /// The oldest of any type but this one (`MSG_EXCEPT`).
    #[doc(alias = "MSG_EXCEPT")]
    Except(i64),
}

#[cold]
fn no_choice() -> ErrorKind {
    ErrorKind::unsupported(
        "a POSIX queue gives the highest priority first; choosing by type is for System V",
    )
}

/// System V's types are positive numbers.
#[cold]
pub(super) fn no_type(tag: i64) -> ErrorKind {
    ErrorKind::invalid(format!("{tag} is no type of System V: they begin with 1"))
}

impl From<i64> for Want {
    #[inline]
    fn from(number: i64) -> Self {
        match number {
            0 => Self::Any,
            tag @ 1.. => Self::Tag(tag),
            // The one number without a counterpart stands for all types.
            negative => Self::UpTo(negative.checked_neg().unwrap_or(i64::MAX)),
        }
    }
}

impl Want {
    /// As `msgrcv` takes it: type and flags.
    #[inline]
    pub(super) fn raw(self) -> Result<(c_long, i32), ErrorKind> {
        let (tag, sign, flags) = match self {
            Self::Any => return Ok((0, 0)),
            Self::Tag(tag) => (tag, 1, 0),
            Self::UpTo(tag) => (tag, -1, 0),
            Self::Except(tag) => (tag, 1, MSG_EXCEPT),
        };
        match c_long::try_from(tag) {
            Ok(tag @ 1..) => Ok((sign * tag, flags)),
            _ => Err(no_type(tag)),
        }
    }

    /// A POSIX queue decides by itself.
    #[inline]
    pub(super) fn check_posix(self) -> Result<(), ErrorKind> {
        match self {
            Self::Any => Ok(()),
            _ => Err(no_choice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_msgrcv_takes_them_for() {
        for (number, want) in [(0, Want::Any), (7, Want::Tag(7)), (-7, Want::UpTo(7))] {
            assert_eq!(Want::from(number), want);
            assert_eq!(want.raw(), Ok((number as c_long, 0)));
        }
        assert_eq!(Want::from(i64::MIN), Want::UpTo(i64::MAX));
        assert_eq!(Want::Except(3).raw(), Ok((3, MSG_EXCEPT)));
        for odd in [Want::Tag(0), Want::Tag(-1), Want::UpTo(0), Want::Except(0)] {
            assert_eq!(odd.raw().unwrap_err().errno(), libc::EINVAL);
        }
    }
}

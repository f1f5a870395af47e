// SPDX-License-Identifier: MIT OR Apache-2.0
//! One operation, and what is allowed to become of its failures.

use unipc::Result;

use super::Yard;
use crate::inject::{NEAR, Whose};

/// The operation. It is run between the tracer's marks, and after a failure once more, when it must succeed.
pub(in crate::inject) type Act = Box<dyn FnMut() -> Result<()>>;

/// Stands for every errno.
pub(in crate::inject) const ANY: i32 = 0;

/// What is done while a system call fails.
#[derive(Clone, Copy)]
pub(in crate::inject) struct Case {
    pub(super) name: &'static str,
    pub(super) prepare: fn(&mut Yard) -> Act,
    pub(super) forgives: &'static [(i64, i32)],
    pub(super) translates: &'static [(i64, i32, i32)],
    pub(super) without: &'static [(i64, i32)],
    pub(super) first: &'static [(i64, i32)],
    pub(super) impossible: &'static [(i64, i32)],
    pub(super) whose: Whose,
    pub(super) near: usize,
    pub(super) once: bool,
    pub(super) may_leave: bool,
}

#[allow(dead_code, reason = "the vocabulary of the rooms, each of which needs a part of it")]
impl Case {
    /// `prepare` makes what is needed, and gives the operation, which owns it.
    pub(in crate::inject) const fn new(name: &'static str, prepare: fn(&mut Yard) -> Act) -> Self {
        Self {
            name,
            prepare,
            forgives: &[],
            translates: &[],
            without: &[],
            first: &[],
            impossible: &[],
            whose: Whose::Own,
            near: NEAR,
            once: false,
            may_leave: false,
        }
    }

    /// Failures that the library makes up for, as calls with an errno or [`ANY`]: a fallback, best effort, a retry.
    pub(in crate::inject) const fn forgives(self, forgives: &'static [(i64, i32)]) -> Self {
        Self { forgives, ..self }
    }

    /// Calls, with an errno of theirs or [`ANY`], and what the library is documented to make of it.
    pub(in crate::inject) const fn translates(
        self,
        translates: &'static [(i64, i32, i32)],
    ) -> Self {
        Self { translates, ..self }
    }

    /// Calls that fail in every run, each of them, to get to what the library does instead.
    pub(in crate::inject) const fn without(self, without: &'static [(i64, i32)]) -> Self {
        Self { without, ..self }
    }

    /// The same, but only the first of several calls of a kind fails.
    pub(in crate::inject) const fn first_fails(self, first: &'static [(i64, i32)]) -> Self {
        Self { first, ..self }
    }

    /// What the kernel cannot say to these calls here, so that it is not tried.
    pub(in crate::inject) const fn impossible(self, impossible: &'static [(i64, i32)]) -> Self {
        Self { impossible, ..self }
    }

    /// The calls of the threads that the operation starts fail, and not its own.
    pub(in crate::inject) const fn in_helper(self) -> Self {
        Self { whose: Whose::Helper, ..self }
    }

    /// One failure at a time: what is done about it another case tries.
    pub(in crate::inject) const fn singly(self) -> Self {
        Self { near: 0, ..self }
    }

    /// A failure may leave the object, as the next call can take it.
    pub(in crate::inject) const fn may_leave(self) -> Self {
        Self { may_leave: true, ..self }
    }

    /// After a failure it cannot be done again.
    pub(in crate::inject) const fn once(self) -> Self {
        Self { once: true, ..self }
    }
}

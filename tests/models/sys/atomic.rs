// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each operation is a step. The dead do nothing more.

use std::sync::atomic::{AtomicU32 as Plain32, AtomicU64 as Plain64, Ordering};

use zerocopy::FromBytes;

use crate::scheduler::{come, flush, step, stored};

/// Where something was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Half(*const Plain32),
    Whole(*const Plain64),
}

// SAFETY: it leads to an atomic.
unsafe impl Send for Place {}

impl Place {
    /// While the run lasts, whose objects outlive it.
    pub(crate) fn put(self, value: u64) {
        match self {
            Self::Half(at) => {
                let half = u32::try_from(value).expect("what was there before");
                // SAFETY: it was stored to in this run.
                unsafe { &*at }.store(half, Ordering::SeqCst);
            }
            // SAFETY: as above.
            Self::Whole(at) => unsafe { &*at }.store(value, Ordering::SeqCst),
        }
    }
}

/// An operation that loads and stores takes with it what was stored before, if its order says so.
fn pass(order: Ordering) {
    if matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst) {
        flush();
    }
}

pub(crate) fn fence(order: Ordering) {
    pass(order);
}

pub(crate) fn compiler_fence(_: Ordering) {}

macro_rules! atomic {
    ($name:ident, $plain:ident, $value:ty, $place:ident) => {
        #[derive(Debug, Default, FromBytes)]
        #[repr(transparent)]
        pub(crate) struct $name($plain);

        #[allow(dead_code, reason = "each is a whole, whoever uses it")]
        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self($plain::new(value))
            }

            #[track_caller]
            pub(crate) fn load(&self, _: Ordering) -> $value {
                step();
                self.0.load(Ordering::SeqCst)
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                if step() {
                    let before = self.0.swap(value, Ordering::SeqCst);
                    stored(Place::$place(&raw const self.0), before.into(), value.into(), order);
                }
            }

            /// A step that loads and stores at once.
            #[track_caller]
            fn change<T>(&self, order: Ordering, dead: T, work: impl FnOnce(&$plain) -> T) -> T {
                if !step() {
                    return dead;
                }
                pass(order);
                come(Place::$place(&raw const self.0));
                work(&self.0)
            }

            #[track_caller]
            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.change(order, 0, |it| it.swap(value, Ordering::SeqCst))
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                from: $value,
                to: $value,
                order: Ordering,
                _: Ordering,
            ) -> Result<$value, $value> {
                self.change(order, Ok(from), |it| {
                    it.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
                })
            }

            #[track_caller]
            pub(crate) fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                change: impl Fn($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut seen = self.load(failure);
                while let Some(next) = change(seen) {
                    match self.compare_exchange(seen, next, success, failure) {
                        Ok(before) => return Ok(before),
                        Err(other) => seen = other,
                    }
                }
                Err(seen)
            }

            #[track_caller]
            pub(crate) fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.change(order, 0, |it| it.fetch_add(value, Ordering::SeqCst))
            }

            #[track_caller]
            pub(crate) fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.change(order, 0, |it| it.fetch_and(value, Ordering::SeqCst))
            }

            #[track_caller]
            pub(crate) fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.change(order, 0, |it| it.fetch_or(value, Ordering::SeqCst))
            }

            #[track_caller]
            pub(crate) fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.change(order, 0, |it| it.fetch_max(value, Ordering::SeqCst))
            }

            pub(crate) fn as_ptr(&self) -> *mut $value {
                self.0.as_ptr()
            }

            /// For the kernel and for checks: no step.
            pub(crate) fn plain(&self) -> &$plain {
                &self.0
            }
        }
    };
}

atomic!(AtomicU32, Plain32, u32, Half);
atomic!(AtomicU64, Plain64, u64, Whole);

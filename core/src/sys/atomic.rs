// SPDX-License-Identifier: MIT OR Apache-2.0
//! The atomics of shared memory under one name, so that `tests/models` can put others in their place.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, compiler_fence, fence};

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cell is the library's own; the lines around it and the memory of a ring are not.

#[path = "../../../core/src/map/bytes.rs"]
pub(crate) mod bytes;
#[path = "../../../core/src/map/cell.rs"]
pub(crate) mod cell;
pub(crate) mod lines;
pub(crate) mod mirror;
pub(crate) mod shortcut;

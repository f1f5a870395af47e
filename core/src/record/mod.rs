// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in shared memory: one layout, known to C, Python and Rust alike.
//!
//! | type | what it is |
//! |---|---|
//! | [`Layout`] | what a record consists of: name, offset, type and shape of each field |
//! | [`Record`] | a Rust structure that is a record |
//! | [`Array`] | records in a row, with a header that tells their layout |
//! | [`Cell`] | one record, of which everybody always gets a whole copy |
//! | [`Directory`] | names for places inside a segment |
//!
//! A layout is stated once: in Rust by a derive on a `#[repr(C)]` structure, in C by a macro that asks the compiler, in Python by
//! a numpy dtype, a `ctypes.Structure` or a class with annotated fields. It is stored in the object as a PEP 3118 format; who opens
//! the object with a layout of its own is refused when that differs, and who declares none is told what is there.
//!
//! # The bytes
//!
//! All numbers are in the machine's own byte order. Layout version 1. Every object begins with 320 bytes, and a text:
//!
//! | bytes | what |
//! |---|---|
//! | 0..64 | the stamp of [`layout`](crate::layout): kind `array`, `cell` or `places`, version 1, the size of the whole object |
//! | 64..128 | the creator's latch, see [`sync`](crate::sync) |
//! | 128..192 | whose turn it is to write (cell, directory): a cell of [`sync`](crate::sync) |
//! | 192..200 | bytes of a record; of an entry (directory) |
//! | 200..208 | number of records, slots (cell: 4) or entries (directory) |
//! | 216..224 | where they begin, from the object's first byte; a multiple of 64 |
//! | 224..232 | length of the layout's text |
//! | 232..240 | bytes from one record, slot or entry to the next |
//! | 256..264 | how many values were published (cell); the latest is in the slot that is the remainder by 4 |
//! | 320.. | the layout's text: a PEP 3118 format |
//!
//! | bytes of a directory's entry | what |
//! |---|---|
//! | 0..8 | 1 when the entry counts, otherwise 0: written last |
//! | 8..16 | where the place begins, from the directory's first byte; a multiple of 64 |
//! | 16..24 | its size in bytes, a multiple of 64 |
//! | 24..128 | its name in UTF-8, padded with NULs |

mod array;
mod cell;
mod compare;
mod directory;
mod emit;
mod head;
mod layout;
mod parse;
mod scalar;
mod table;
mod value;

pub use array::Array;
pub(crate) use array::Buffer;
pub use cell::Cell;
pub use directory::{Directory, Entry};
pub use head::Options;
pub use layout::{Field, Layout};
pub use scalar::Scalar;
pub use unipc_derive::Record;
pub use value::{Chars, Record};
